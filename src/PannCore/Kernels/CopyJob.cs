namespace PannCore.Kernels;

/// <summary>y = x.</summary>
internal readonly struct CopyJob(ReadOnlyMemory<float> x, Memory<float> y) : IJob
{
    public void Run(int chunk, Scratch scratch)
    {
        Range range = Chunks.Of(chunk, x.Length);
        x.Span[range].CopyTo(y.Span[range]);
    }
}
