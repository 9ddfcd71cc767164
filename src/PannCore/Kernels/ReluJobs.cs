using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;

namespace PannCore.Kernels;

/// <summary>y = max(x, 0) + slope min(x, 0); NaN stays NaN.</summary>
internal readonly struct ReluJob(ReadOnlyMemory<float> x, float slope, Memory<float> y) : IJob
{
    public void Run(int chunk, Scratch scratch)
    {
        Range range = Chunks.Of(chunk, x.Length);
        ReadOnlySpan<float> from = x.Span[range];
        Span<float> to = y.Span[range];
        if (slope == 0)
        {
            TensorPrimitives.Max(from, 0f, to);
            return;
        }
        TensorPrimitives.Multiply(from, slope, to);
        // For 0 < slope < 1 the larger of x and slope x is the leaky ReLU on both sides of 0.
        TensorPrimitives.Max(from, to, to);
    }
}

/// <summary>dx = dy where x &gt; 0, else slope dy; the output serves as well as the input, having the same sign.</summary>
internal readonly struct ReluGradientJob(ReadOnlyMemory<float> x, ReadOnlyMemory<float> dy, float slope, Memory<float> dx) : IJob
{
    public void Run(int chunk, Scratch scratch)
    {
        Range range = Chunks.Of(chunk, x.Length);
        ReadOnlySpan<float> input = x.Span[range], gradient = dy.Span[range];
        Span<float> result = dx.Span[range];
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
