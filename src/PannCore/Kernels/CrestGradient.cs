using System.Numerics;
using System.Runtime.CompilerServices;

namespace PannCore.Kernels;

/// <summary>dx[i, c] = dy[i, c] + push[c] (x - clamp(x, -near[c], near[c])) - pull[c] x, with x = x[i, c], over rows of C channels.</summary>
internal readonly struct CrestGradient(
    ReadOnlyMemory<float> x, ReadOnlyMemory<float> dy, ReadOnlyMemory<float> near, ReadOnlyMemory<float> push, ReadOnlyMemory<float> pull, Memory<float> dx) : IElementwise
{
    public int Length => dx.Length;

    public int Granule => near.Length;

    public bool Reads(ReadOnlyMemory<float> array) => array.Equals(x) || array.Equals(dy) || array.Equals(near) || array.Equals(push) || array.Equals(pull);

    /// <summary>No product is fused with a sum, so that lanes and the rest round alike.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Run(Range range)
    {
        if (x.Length != dx.Length || dy.Length != dx.Length || push.Length != near.Length || pull.Length != near.Length || dx.Length % near.Length != 0)
            throw new ArgumentException("crestGradient: arrays of different lengths");
        if (range.Start.Value % near.Length != 0 || range.End.Value % near.Length != 0) throw new ArgumentException("crestGradient: a range that is no whole number of rows");
        ReadOnlySpan<float> from = x.Span[range], given = dy.Span[range], limits = near.Span, pushes = push.Span, pulls = pull.Span;
        Span<float> to = dx.Span[range];
        int channels = limits.Length, lanes = Vector<float>.Count;
        for (int row = 0; row < to.Length; row += channels)
        {
            int c = 0;
            for (; c + lanes <= channels; c += lanes)
            {
                Vector<float> v = new(from[(row + c)..]), limit = new(limits[c..]), beyond = v - Vector.Min(Vector.Max(v, -limit), limit);
                (new Vector<float>(given[(row + c)..]) + (beyond * new Vector<float>(pushes[c..])) - (v * new Vector<float>(pulls[c..]))).CopyTo(to[(row + c)..]);
            }
            for (; c < channels; c++)
            {
                float v = from[row + c], beyond = v - Math.Min(Math.Max(v, -limits[c]), limits[c]);
                to[row + c] = given[row + c] + (beyond * pushes[c]) - (v * pulls[c]);
            }
        }
    }
}
