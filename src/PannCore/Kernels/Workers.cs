using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;

namespace PannCore.Kernels;

/// <summary>Work cut into chunks whose boundaries depend on shapes only, so that results do not depend on the number of threads.</summary>
internal interface IJob
{
    /// <summary>Does one chunk. Chunks run in any order and at the same time; each is done exactly once.</summary>
    /// <param name="chunk">Index of the chunk.</param>
    /// <param name="scratch">Memory that belongs to the worker for the length of this call.</param>
    void Run(int chunk, Scratch scratch);
}

/// <summary>
/// A persistent pool of threads. The calling thread works too; the others spin briefly for the next job and then block.
/// Chunks are claimed one by one, so that a stalled thread delays a job by one chunk at most. Used by one thread at a time.
/// For a while after a worker was late, because another process has taken its core, they block at once: a thread that spins looks as busy as one that works,
/// and Linux was then seen to leave a whole core to the other process and one to both of ours; a thread that is often blocked it moves beside the other process.
/// </summary>
internal sealed class Workers : IDisposable
{
    /// <summary>About a millisecond: a chunk takes less, so that a worker not back by then is late.</summary>
    private const int SpinsBeforeBlocking = 2000;

    /// <summary>Some training steps.</summary>
    private const int JobsWithoutSpinning = 1000;

    private readonly Thread[] _threads;
    private readonly Scratch[] _scratch;
    private readonly object _gate = new();
    private readonly Dictionary<Type, Dispatch> _dispatches = [];
    private Dispatch? _current;
    private volatile int _generation;
    private int _sleeping;
    private volatile int _jobsWithoutSpinning;
    private volatile bool _disposed;
    private int _busy;

    public Workers(int threads)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(threads, 1);
        _scratch = [.. Enumerable.Range(0, threads).Select(_ => new Scratch())];
        _threads = new Thread[threads - 1];
        for (int i = 0; i < _threads.Length; i++)
        {
            Scratch scratch = _scratch[i + 1];
            _threads[i] = new Thread(() => Loop(scratch)) { IsBackground = true, Name = $"pann worker {i + 1}" };
            _threads[i].Start();
        }
    }

    public int Threads => _scratch.Length;

    /// <summary>Runs chunks 0 .. <paramref name="chunks"/> - 1 of the job and returns when all are done.</summary>
    /// <exception cref="InvalidOperationException">Another thread, or a chunk of a job, is using this pool.</exception>
    /// <exception cref="Exception">The first exception any chunk threw.</exception>
    public void Run<TJob>(in TJob job, int chunks) where TJob : struct, IJob
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (Interlocked.Exchange(ref _busy, 1) == 1)
            throw new InvalidOperationException("workspace: used by two threads at the same time; give each thread a workspace of its own");
        try
        {
            Share(job, chunks);
        }
        finally
        {
            Volatile.Write(ref _busy, 0);
        }
    }

    private void Share<TJob>(in TJob job, int chunks) where TJob : struct, IJob
    {
        if (_threads.Length == 0 || chunks <= 1)
        {
            for (int chunk = 0; chunk < chunks; chunk++) job.Run(chunk, _scratch[0]);
            return;
        }

        if (!_dispatches.TryGetValue(typeof(TJob), out Dispatch? known)) _dispatches[typeof(TJob)] = known = new Dispatch<TJob>();
        var dispatch = (Dispatch<TJob>)known;
        dispatch.Open(job, chunks);
        lock (_gate)
        {
            _current = dispatch;
            _generation++;
            if (_sleeping > 0) Monitor.PulseAll(_gate);
        }
        dispatch.Work(_scratch[0]);
        _jobsWithoutSpinning = dispatch.Close() ? JobsWithoutSpinning : Math.Max(0, _jobsWithoutSpinning - 1);
        dispatch.End();
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _disposed = true;
            Monitor.PulseAll(_gate);
        }
        foreach (Thread thread in _threads) thread.Join();
    }

    private void Loop(Scratch scratch)
    {
        int seen = 0;
        while (true)
        {
            for (int spin = 0; spin < SpinsBeforeBlocking && _jobsWithoutSpinning == 0 && _generation == seen && !_disposed; spin++) Thread.SpinWait(20);
            Dispatch? dispatch;
            lock (_gate)
            {
                while (_generation == seen && !_disposed)
                {
                    _sleeping++;
                    Monitor.Wait(_gate);
                    _sleeping--;
                }
                if (_disposed) return;
                seen = _generation;
                dispatch = _current;
            }
            dispatch!.Enter(scratch);
        }
    }

    private abstract class Dispatch
    {
        private readonly object _left = new();
        private int _inside;
        private int _open;

        /// <summary>
        /// A worker that comes late must not touch a job that is being replaced: it announces itself first and looks at the
        /// door second, while <see cref="Close"/> shuts the door first and looks for announced workers second.
        /// </summary>
        public void Enter(Scratch scratch)
        {
            Interlocked.Increment(ref _inside);
            if (Volatile.Read(ref _open) == 1) Work(scratch);
            if (Interlocked.Decrement(ref _inside) > 0) return;
            lock (_left) Monitor.Pulse(_left);
        }

        public abstract void Work(Scratch scratch);

        /// <summary>Waits for the workers inside; whether one of them was late.</summary>
        public bool Close()
        {
            Interlocked.Exchange(ref _open, 0);

            // The rest of a chunk takes microseconds: giving the core away at once would cost a time slice where another process wants it.
            for (int spin = 0; spin < SpinsBeforeBlocking && Volatile.Read(ref _inside) != 0; spin++) Thread.SpinWait(20);
            if (Volatile.Read(ref _inside) == 0) return false;
            lock (_left)
            {
                while (Volatile.Read(ref _inside) != 0) Monitor.Wait(_left);
            }
            return true;
        }

        protected void Open() => Interlocked.Exchange(ref _open, 1);
    }

    private sealed class Dispatch<TJob> : Dispatch
        where TJob : struct, IJob
    {
        private TJob _job;
        private int _chunks;
        private int _next;
        private Exception? _failure;

        public void Open(in TJob job, int chunks)
        {
            _job = job;
            _chunks = chunks;
            _next = 0;
            _failure = null;
            Open();
        }

        public override void Work(Scratch scratch)
        {
            try
            {
                int chunk;
                while ((chunk = Interlocked.Increment(ref _next) - 1) < _chunks) _job.Run(chunk, scratch);
            }
            catch (Exception exception)
            {
                Interlocked.CompareExchange(ref _failure, exception, null);
                Volatile.Write(ref _next, _chunks);
            }
        }

        /// <summary>Forgets the job, and throws what a chunk of it has thrown.</summary>
        public void End()
        {
            Exception? failure = _failure;
            _failure = null;
            if (RuntimeHelpers.IsReferenceOrContainsReferences<TJob>()) _job = default;
            if (failure is not null) ExceptionDispatchInfo.Throw(failure);
        }
    }
}
