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
/// Each thread begins with its own share of the chunks, the same part of a batch in every job, because what it wrote last lies in caches near it; whoever has finished
/// goes on with the others' shares. Chunks are claimed one by one, so that a stalled thread delays a job by one chunk at most. Used by one thread at a time.
/// Where another process wants a core, the other threads than the caller block at once: to the operating system a thread that spins is as busy as one that works,
/// so it gives the other process a core of its own and both of ours the one that is left; a thread that is often blocked is put beside the other process.
/// </summary>
internal sealed class Workers : IDisposable
{
    /// <summary>One or two milliseconds: longer than a chunk of a layer takes, so that a thread not back by then has probably lost its core; if not, only spinning is lost for a while.</summary>
    private const int SpinsBeforeBlocking = 2000;

    /// <summary>The same for the caller once another process wants a core: it soon makes room for the thread it waits for.</summary>
    private const int SpinsBesideOthers = 100;

    /// <summary>Some milliseconds, in which a thread that lost its core gets one again; more where somebody else wants the caller's core, who has it meanwhile.</summary>
    private const int YieldsBeforeBlocking = 20_000;

    /// <summary>About a millisecond, likewise: see <see cref="SpinsBeforeBlocking"/>.</summary>
    private const int YieldsOfTheLate = 2000;

    /// <summary>Some ten training steps.</summary>
    private const int JobsWithoutSpinning = 2000;

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
            int worker = i + 1;
            _threads[i] = new Thread(() => Loop(worker)) { IsBackground = true, Name = $"pann worker {i + 1}" };
            _threads[i].Start();
        }
    }

    public int Threads => _scratch.Length;

    /// <summary>Whether another process was seen to want a core not long ago.</summary>
    public bool IsBesideOthers => _jobsWithoutSpinning > 0;

    /// <summary>Runs chunks 0 .. <paramref name="chunks"/> - 1 of the job and returns when all are done.</summary>
    /// <param name="job">The job.</param>
    /// <param name="chunks">Number of chunks.</param>
    /// <param name="small">Whether all of it takes a tenth of a millisecond or so: not worth the risk of waiting for a thread that another process keeps off its core.</param>
    /// <param name="longChunks">Whether a chunk takes milliseconds: that a thread is still at its last one when the caller has finished then says nothing of other processes.</param>
    /// <exception cref="InvalidOperationException">Another thread, or a chunk of a job, is using this pool.</exception>
    /// <exception cref="Exception">The first exception any chunk threw.</exception>
    public void Run<TJob>(in TJob job, int chunks, bool small = false, bool longChunks = false) where TJob : struct, IJob
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (Interlocked.Exchange(ref _busy, 1) == 1)
            throw new InvalidOperationException("workspace: used by two threads at the same time; give each thread a workspace of its own");
        try
        {
            if (!_dispatches.TryGetValue(typeof(TJob), out Dispatch? known)) _dispatches[typeof(TJob)] = known = new Dispatch<TJob>(_scratch);
            var dispatch = (Dispatch<TJob>)known;
            dispatch.Job = job;
            Share(dispatch, chunks, small, longChunks);
        }
        finally
        {
            Volatile.Write(ref _busy, 0);
        }
    }

    private void Share(Dispatch dispatch, int chunks, bool small, bool longChunks)
    {
        if (_threads.Length == 0 || chunks <= 1 || (small && _jobsWithoutSpinning > 0))
        {
            dispatch.Alone(chunks);
            return;
        }
        dispatch.Open(chunks);
        lock (_gate)
        {
            _current = dispatch;
            _generation++;
            if (_sleeping > 0) Monitor.PulseAll(_gate);
        }
        dispatch.Work(worker: 0);
        bool late = dispatch.Close(IsBesideOthers);
        if (!longChunks) _jobsWithoutSpinning = late ? JobsWithoutSpinning : Math.Max(0, _jobsWithoutSpinning - 1);
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

    private void Loop(int worker)
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
            dispatch!.Enter(worker);
        }
    }

    /// <summary>All of it but the job itself does not depend on the job's type, so that it is compiled once.</summary>
    private abstract class Dispatch(Scratch[] scratch)
    {
        /// <summary>Counters that different threads count up lie in cache lines of their own.</summary>
        private const int Apart = 128 / sizeof(int);

        private readonly object _left = new();
        private readonly int[] _next = new int[scratch.Length * Apart];
        private int _inside;
        private int _open;
        private int _chunks;
        private Exception? _failure;

        public void Open(int chunks)
        {
            _chunks = chunks;
            for (int share = 0; share < scratch.Length; share++) _next[share * Apart] = Begin(share);
            _failure = null;
            Interlocked.Exchange(ref _open, 1);
        }

        /// <summary>
        /// A worker that comes late must not touch a job that is being replaced: it announces itself first and looks at the
        /// door second, while <see cref="Close"/> shuts the door first and looks for announced workers second.
        /// </summary>
        public void Enter(int worker)
        {
            Interlocked.Increment(ref _inside);
            if (Volatile.Read(ref _open) == 1) Work(worker);
            if (Interlocked.Decrement(ref _inside) > 0) return;
            lock (_left) Monitor.Pulse(_left);
        }

        public void Work(int worker)
        {
            try
            {
                for (int i = 0; i < scratch.Length; i++)
                {
                    int share = (worker + i) % scratch.Length, end = Begin(share + 1), chunk;
                    while ((chunk = Interlocked.Increment(ref _next[share * Apart]) - 1) < end) Run(chunk, scratch[worker]);
                }
            }
            catch (Exception exception)
            {
                Interlocked.CompareExchange(ref _failure, exception, null);
                for (int share = 0; share < scratch.Length; share++) Volatile.Write(ref _next[share * Apart], _chunks);
            }
        }

        /// <summary>Does all of it on the calling thread.</summary>
        public void Alone(int chunks)
        {
            try
            {
                for (int chunk = 0; chunk < chunks; chunk++) Run(chunk, scratch[0]);
            }
            finally
            {
                Forget();
            }
        }

        /// <summary>Waits for the workers inside; whether one of them was late, by a millisecond or more, so that another process probably wants a core.</summary>
        /// <param name="besideOthers">Whether another process is known to want a core.</param>
        public bool Close(bool besideOthers)
        {
            Interlocked.Exchange(ref _open, 0);

            // The rest of a chunk takes microseconds: giving the core away at once would cost a time slice where another process wants it.
            int spins = besideOthers ? SpinsBesideOthers : SpinsBeforeBlocking;
            for (int spin = 0; spin < spins && Volatile.Read(ref _inside) != 0; spin++) Thread.SpinWait(20);

            // Were the caller to block, the system would fetch the worker onto the idle core, and the two would share that for the next tenths of a second.
            int yields = 0;
            for (; besideOthers && yields < YieldsBeforeBlocking && Volatile.Read(ref _inside) != 0; yields++) Thread.Yield();
            if (Volatile.Read(ref _inside) == 0) return yields > YieldsOfTheLate;
            lock (_left)
            {
                while (Volatile.Read(ref _inside) != 0) Monitor.Wait(_left);
            }
            return true;
        }

        /// <summary>Forgets the job, and throws what a chunk of it has thrown.</summary>
        public void End()
        {
            Exception? failure = _failure;
            _failure = null;
            Forget();
            if (failure is not null) ExceptionDispatchInfo.Throw(failure);
        }

        protected abstract void Run(int chunk, Scratch scratch);

        protected abstract void Forget();

        private int Begin(int share) => (int)((long)_chunks * share / scratch.Length);
    }

    private sealed class Dispatch<TJob>(Scratch[] scratch) : Dispatch(scratch)
        where TJob : struct, IJob
    {
        private TJob _job;

        public TJob Job
        {
            set => _job = value;
        }

        protected override void Run(int chunk, Scratch scratch) => _job.Run(chunk, scratch);

        /// <summary>A job holds arrays: they are not kept longer than it.</summary>
        protected override void Forget() => _job = default;
    }
}
