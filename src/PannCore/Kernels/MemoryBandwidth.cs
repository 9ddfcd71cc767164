using System.Numerics.Tensors;

namespace PannCore.Kernels;

/// <summary>
/// The bandwidth of the machine's memory: a = a + s b on all workers at once, over arrays far larger than a cache. An element moves 12 bytes, two reads and one write.
/// The triad a = b + s c of STREAM (McCalpin 1995) counts as many, but most hardware then reads a as well, uncounted, before overwriting it.
/// </summary>
internal sealed class MemoryBandwidth
{
    /// <summary>Elements of each array: 96 MiB, twice that in all.</summary>
    private const int Length = 24 * 1024 * 1024;

    private readonly Memory<float> _a = AlignedBuffer.Allocate<float>(Length), _b = AlignedBuffer.Allocate<float>(Length);

    public MemoryBandwidth()
    {
        _a.Span.Clear();
        _b.Span.Fill(1);
    }

    /// <summary>GB/s, the best of several trials.</summary>
    /// <param name="workers">The threads to measure.</param>
    /// <param name="now">A clock.</param>
    /// <param name="seconds">Seconds of a difference of two of its readings.</param>
    /// <param name="trials">How many, of a few milliseconds each.</param>
    public double Measure(Workers workers, Func<long> now, Func<long, double> seconds, int trials = 8)
    {
        double best = 0;
        for (int trial = 0; trial < trials; trial++)
        {
            long start = now();
            workers.Run(new Job(_a, _b), Chunks.Count(Length));
            best = Math.Max(best, 3.0 * sizeof(float) * Length / seconds(now() - start) / 1e9);
        }
        return best;
    }

    private readonly struct Job(Memory<float> a, ReadOnlyMemory<float> b) : IJob
    {
        public void Run(int chunk, Scratch scratch)
        {
            Range range = Chunks.Of(chunk, Length);
            TensorPrimitives.MultiplyAdd(b.Span[range], 1e-3f, a.Span[range], a.Span[range]);
        }
    }
}
