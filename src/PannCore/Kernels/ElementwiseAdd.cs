namespace PannCore.Kernels;

/// <summary>y = a + b; y may be a or b.</summary>
internal readonly struct ElementwiseAdd(ReadOnlyMemory<float> a, ReadOnlyMemory<float> b, Memory<float> y) : IElementwise
{
    public int Length => y.Length;

    public int Granule => 1;

    public bool Reads(ReadOnlyMemory<float> array) => array.Equals(a) || array.Equals(b);

    public void Run(Range range) => FloatLines.Add(a.Span[range], b.Span[range], y.Span[range]);
}
