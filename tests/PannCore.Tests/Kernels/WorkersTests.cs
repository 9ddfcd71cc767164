using System.Diagnostics;
using PannCore.Kernels;
using Xunit;

namespace PannCore.Tests.Kernels;

/// <summary>The thread pool: every chunk once, exceptions at the caller, and a pool that goes on working.</summary>
public sealed class WorkersTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void EveryChunkIsDoneExactlyOnce(int threads)
    {
        using var workers = new Workers(threads);
        Assert.Equal(threads, workers.Threads);
        for (int round = 0; round < 2000; round++)
        {
            int chunks = round % 41;
            int[] done = new int[chunks];
            if (round % 2 == 0) workers.Run(new CountJob(done), chunks);
            else workers.Run(new OtherCountJob(done), chunks); // Two kinds of job, so that late threads meet a job of the other kind.
            Assert.All(done, count => Assert.Equal(1, count));
        }

        // So many that all threads are awake and claim chunks at the same moment.
        for (int round = 0; round < 10; round++)
        {
            int[] done = new int[200_000];
            workers.Run(new CountJob(done), done.Length);
            Assert.Equal(-1, done.AsSpan().IndexOfAnyExcept(1));
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public void AThreadHasItsScratchAlone(int threads)
    {
        using var workers = new Workers(threads);
        bool[] alone = new bool[500];
        workers.Run(new ScratchJob(alone), alone.Length);
        Assert.All(alone, Assert.True);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    public void AnExceptionArrivesAtTheCallerAndThePoolStillWorks(int threads)
    {
        using var workers = new Workers(threads);
        for (int round = 0; round < 200; round++)
        {
            var thrown = Assert.Throws<InvalidOperationException>(() => workers.Run(new FailingJob(round % 20), 20));
            Assert.Equal($"chunk {round % 20}", thrown.Message);
            int[] done = new int[20];
            workers.Run(new CountJob(done), done.Length);
            Assert.All(done, count => Assert.Equal(1, count));
        }
    }

    /// <summary>Longer than the caller spins, so that it blocks; in the rounds after it yields first. For a while the workers block between jobs.</summary>
    [Theory]
    [InlineData(2)]
    [InlineData(4)]
    public void AWorkerThatIsLateIsWaitedFor(int threads)
    {
        using var workers = new Workers(threads);
        for (int round = 0; round < 10; round++)
        {
            int[] done = new int[3];
            workers.Run(new LateJob(Thread.CurrentThread, done), 2);
            Assert.Equal([1, 1, 2], done);
            for (int job = 0; job < 50; job++)
            {
                int[] counts = new int[20];
                workers.Run(new CountJob(counts), counts.Length);
                Assert.All(counts, count => Assert.Equal(1, count));
            }
        }
    }

    /// <summary>A worker that is still at work when the caller has spun for so long that it blocks has probably lost its core, but not where chunks take so long.</summary>
    [Fact]
    public void OnlyShortChunksTellOfOtherProcesses()
    {
        using var workers = new Workers(2);
        int[] done = new int[3];
        workers.Run(new LateJob(Thread.CurrentThread, done), 2, longChunks: true);
        Assert.Equal([1, 1, 2], done);
        Assert.False(workers.IsBesideOthers);
        workers.Run(new LateJob(Thread.CurrentThread, new int[3]), 2);
        Assert.True(workers.IsBesideOthers);
    }

    [Fact]
    public void ThereIsAtLeastOneThread() => Assert.Throws<ArgumentOutOfRangeException>(() => new Workers(0));

    [Fact]
    public void AnEndedPoolRefusesWork()
    {
        var workers = new Workers(2);
        workers.Dispose();
        Assert.Throws<ObjectDisposedException>(() => workers.Run(new CountJob(new int[2]), 2));
    }

    [Theory]
    [InlineData(0, 10)]
    [InlineData(1, 10)]
    [InlineData(10, 10)]
    [InlineData(11, 10)]
    [InlineData(100, 7)]
    public void ChunksCoverALengthWithoutOverlap(int length, int size)
    {
        int[] covered = new int[length];
        for (int chunk = 0; chunk < Chunks.Count(length, size); chunk++)
        {
            foreach (ref int count in covered.AsSpan(Chunks.Of(chunk, length, size))) count++;
        }
        Assert.All(covered, count => Assert.Equal(1, count));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(17)]
    [InlineData(4096)]
    public void BuffersBeginOnACacheLine(int length)
    {
        Memory<float> buffer = AlignedBuffer.Allocate<float>(length);
        Assert.Equal(length, buffer.Length);
        using System.Buffers.MemoryHandle handle = buffer.Pin();
        nint address = System.Runtime.InteropServices.Marshal.UnsafeAddrOfPinnedArrayElement(Array(buffer, out int offset), offset);
        Assert.Equal(0, address % 64);
    }

    private static float[] Array(Memory<float> buffer, out int offset)
    {
        Assert.True(System.Runtime.InteropServices.MemoryMarshal.TryGetArray(buffer, out ArraySegment<float> segment));
        offset = segment.Offset;
        return segment.Array!;
    }

    private readonly struct CountJob(int[] done) : IJob
    {
        public void Run(int chunk, Scratch scratch) => Interlocked.Increment(ref done[chunk]);
    }

    private readonly struct OtherCountJob(int[] done) : IJob
    {
        public void Run(int chunk, Scratch scratch) => Interlocked.Increment(ref done[chunk]);
    }

    /// <summary>Two chunks that wait for each other, so that two threads have one each; a worker's ends when the caller has blocked, or, should it never, after 10 s.</summary>
    private readonly struct LateJob(Thread caller, int[] done) : IJob
    {
        public void Run(int chunk, Scratch scratch)
        {
            Interlocked.Increment(ref done[2]);
            SpinWait wait = default;
            while (Volatile.Read(ref done[2]) < 2) wait.SpinOnce(sleep1Threshold: -1); // Asleep, the caller would look as if it had blocked.
            long start = Stopwatch.GetTimestamp();
            while (Thread.CurrentThread != caller && (caller.ThreadState & System.Threading.ThreadState.WaitSleepJoin) == 0 && Stopwatch.GetElapsedTime(start).TotalSeconds < 10) Thread.Sleep(1);
            Interlocked.Increment(ref done[chunk]);
        }
    }

    private readonly struct FailingJob(int failing) : IJob
    {
        public void Run(int chunk, Scratch scratch)
        {
            if (chunk == failing) throw new InvalidOperationException($"chunk {chunk}");
        }
    }

    private readonly struct ScratchJob(bool[] alone) : IJob
    {
        public void Run(int chunk, Scratch scratch)
        {
            Span<int> mine = scratch.Take<int>(0, 64);
            mine.Fill(chunk);
            Thread.Yield();
            alone[chunk] = mine.IndexOfAnyExcept(chunk) < 0;
        }
    }
}
