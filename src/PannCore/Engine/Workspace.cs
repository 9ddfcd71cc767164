using PannCore.Kernels;

namespace PannCore.Engine;

/// <summary>
/// The long-lived machinery of runs: worker threads and a pool of buffers. One thread at a time uses a workspace, which its runs may nest in; another thread may when none of them is left; so no run may be kept across an await.
/// To evaluate one model on two threads at once, give each its own.
/// </summary>
/// <remarks>
/// The pool keeps what is given back, by exact length, as long as the workspace lives: its memory is the most that was in use of each length, the lengths of other batches and models included. So do the workspaces of one thread that it keeps for workers that do whole runs.
/// </remarks>
public sealed class Workspace : IDisposable
{
    private readonly Lock _gate = new();
    private readonly Stack<RunNotes> _spareNotes = [];
    private readonly Stack<Workspace> _singles = [];
    private readonly bool _fillWithNaN;
    private int _runs;
    private int _thread;

    /// <summary>A workspace with its own threads.</summary>
    /// <param name="threads">Worker threads, the calling one included; results do not depend on it.</param>
    /// <param name="convolution">How the convolutions of a run are computed that does not say; results differ by rounding.</param>
    /// <exception cref="ArgumentOutOfRangeException">Fewer threads than one.</exception>
    /// <param name="fillWithNaN">Fills every buffer with NaN when it is handed out, so that use of unwritten memory shows.</param>
    public Workspace(int threads, ConvAlgorithm convolution = ConvAlgorithm.Automatic, bool fillWithNaN = false)
    {
        Convolution = convolution;
        _fillWithNaN = fillWithNaN;
        Workers = new Workers(threads);
        Pool = new BufferPool(fillWithNaN);
    }

    /// <summary>Number of threads.</summary>
    public int Threads => Workers.Threads;

    /// <summary>How the convolutions of a run are computed that does not say.</summary>
    public ConvAlgorithm Convolution { get; }

    internal Workers Workers { get; }

    internal BufferPool Pool { get; }

    /// <summary>Ends the threads.</summary>
    public void Dispose()
    {
        Workers.Dispose();
        while (_singles.TryPop(out Workspace? single)) single.Dispose();
    }

    /// <summary>A workspace of one thread, for a worker of this one that does a whole run by itself.</summary>
    internal Workspace TakeSingle()
    {
        lock (_gate) return _singles.TryPop(out Workspace? single) ? single : new(1, Convolution, _fillWithNaN);
    }

    /// <summary>Keeps it, and its memory, for the next.</summary>
    internal void GiveBack(Workspace single)
    {
        lock (_gate) _singles.Push(single);
    }

    /// <summary>A run begins; its notes are those of a finished one, if there is one.</summary>
    /// <exception cref="InvalidOperationException">A run of another thread has not been disposed.</exception>
    internal RunNotes Begin()
    {
        lock (_gate)
        {
            int thread = Environment.CurrentManagedThreadId;
            if (_runs > 0 && _thread != thread) throw new InvalidOperationException("workspace: a run of another thread uses it, or was never disposed; give each thread a workspace of its own");
            (_thread, _runs) = (thread, _runs + 1);
            return _spareNotes.TryPop(out RunNotes? notes) ? notes : new();
        }
    }

    /// <summary>A run ends; its notes serve another one.</summary>
    internal void End(RunNotes notes)
    {
        lock (_gate)
        {
            _runs--;
            _spareNotes.Push(notes);
        }
    }
}
