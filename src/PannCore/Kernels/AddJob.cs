using System.Numerics.Tensors;

namespace PannCore.Kernels;

/// <summary>y = a + b; y may be a or b.</summary>
internal readonly struct AddJob(ReadOnlyMemory<float> a, ReadOnlyMemory<float> b, Memory<float> y) : IJob
{
    public void Run(int chunk, Scratch scratch)
    {
        Range range = Chunks.Of(chunk, a.Length);
        TensorPrimitives.Add(a.Span[range], b.Span[range], y.Span[range]);
    }
}
