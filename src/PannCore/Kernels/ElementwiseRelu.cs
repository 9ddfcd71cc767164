using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace PannCore.Kernels;

/// <summary>y = max(x, 0) + slope min(x, 0); NaN stays NaN.</summary>
internal readonly struct ElementwiseRelu(ReadOnlyMemory<float> x, float slope, Memory<float> y) : IElementwise
{
    public int Length => y.Length;

    public int Granule => 1;

    public bool Reads(ReadOnlyMemory<float> array) => array.Equals(x);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Run(Range range)
    {
        ReadOnlySpan<float> from = x.Span[range];
        Span<float> to = y.Span[range];
        if (slope == 0)
        {
            FloatLines.Relu(from, to);
            return;
        }
        var vectors = MemoryMarshal.Cast<float, Vector<float>>(from);
        var results = MemoryMarshal.Cast<float, Vector<float>>(to);
        var factor = new Vector<float>(slope);
        for (int i = 0; i < results.Length; i++)
            results[i] = Vector.ConditionalSelect(Vector.GreaterThan(vectors[i], Vector<float>.Zero), vectors[i], vectors[i] * factor);
        for (int i = results.Length * Vector<float>.Count; i < to.Length; i++) to[i] = from[i] > 0 ? from[i] : from[i] * slope;
    }
}

/// <summary>dx = dy where x &gt; 0, else slope dy, and 0 for slope 0; the output serves as well as the input, having the same sign.</summary>
internal readonly struct ElementwiseReluGradient(ReadOnlyMemory<float> x, ReadOnlyMemory<float> dy, float slope, Memory<float> dx) : IElementwise
{
    public int Length => dx.Length;

    public int Granule => 1;

    public bool Reads(ReadOnlyMemory<float> array) => array.Equals(x) || array.Equals(dy);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Run(Range range)
    {
        ReadOnlySpan<float> input = x.Span[range], gradient = dy.Span[range];
        Span<float> result = dx.Span[range];
        if (slope == 0)
        {
            FloatLines.WherePositive(input, gradient, result);
            return;
        }
        var vectors = MemoryMarshal.Cast<float, Vector<float>>(input);
        var gradients = MemoryMarshal.Cast<float, Vector<float>>(gradient);
        var results = MemoryMarshal.Cast<float, Vector<float>>(result);
        var factor = new Vector<float>(slope);
        for (int i = 0; i < results.Length; i++)
            results[i] = Vector.ConditionalSelect(Vector.GreaterThan(vectors[i], Vector<float>.Zero), gradients[i], gradients[i] * factor);
        for (int i = results.Length * Vector<float>.Count; i < result.Length; i++)
            result[i] = input[i] > 0 ? gradient[i] : gradient[i] * slope;
    }
}
