using PannCore.Kernels;

namespace PannCore.Engine;

/// <summary>
/// The long-lived machinery of runs: worker threads and a pool of buffers. One run at a time uses a workspace;
/// to evaluate one model on two threads at once, give each its own.
/// </summary>
public sealed class Workspace : IDisposable
{
    /// <summary>A workspace with its own threads.</summary>
    /// <param name="threads">Worker threads, the calling one included; results do not depend on it.</param>
    /// <param name="convolution">How the convolutions of a run are computed that does not say; results differ by rounding.</param>
    /// <exception cref="ArgumentOutOfRangeException">Fewer threads than one.</exception>
    /// <param name="fillWithNaN">Fills every buffer with NaN when it is handed out, so that use of unwritten memory shows.</param>
    public Workspace(int threads, ConvAlgorithm convolution = ConvAlgorithm.Automatic, bool fillWithNaN = false)
    {
        Convolution = convolution;
        Workers = new Workers(threads);
        Pool = new BufferPool(fillWithNaN);
    }

    /// <summary>Number of threads.</summary>
    public int Threads => Workers.Threads;

    /// <summary>How the convolutions of a run are computed that does not say.</summary>
    public ConvAlgorithm Convolution { get; }

    internal Workers Workers { get; }

    internal BufferPool Pool { get; }

    /// <summary>Notes of finished runs, for the next ones.</summary>
    internal Stack<RunNotes> SpareNotes { get; } = [];

    /// <summary>Ends the threads.</summary>
    public void Dispose() => Workers.Dispose();
}
