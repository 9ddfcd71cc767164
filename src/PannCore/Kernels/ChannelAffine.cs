using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace PannCore.Kernels;

/// <summary>y[i, c] = x[i, c] p[c] + z[i, c] q[c] + r[c] over rows of C channels; with z empty the second term is left out.</summary>
internal readonly struct ChannelAffine(
    ReadOnlyMemory<float> x, ReadOnlyMemory<float> p, ReadOnlyMemory<float> z, ReadOnlyMemory<float> q, ReadOnlyMemory<float> r, Memory<float> y) : IElementwise
{
    public int Length => y.Length;

    public int Granule => p.Length;

    public bool Reads(ReadOnlyMemory<float> array) => array.Equals(x) || array.Equals(z) || array.Equals(p) || array.Equals(q) || array.Equals(r);

    public void Run(Range range)
    {
        if (r.Length != p.Length || x.Length % p.Length != 0 || y.Length != x.Length || (!z.IsEmpty && (z.Length != x.Length || q.Length != p.Length)))
            throw new ArgumentException("channelAffine: arrays of different lengths");
        if (range.Start.Value % p.Length != 0 || range.End.Value % p.Length != 0) throw new ArgumentException("channelAffine: a range that is no whole number of rows");
        if (z.IsEmpty) One(x.Span[range], p.Span, r.Span, y.Span[range]);
        else Two(x.Span[range], p.Span, z.Span[range], q.Span, r.Span, y.Span[range]);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void One(ReadOnlySpan<float> x, ReadOnlySpan<float> p, ReadOnlySpan<float> r, Span<float> y)
    {
        int channels = p.Length, lanes = Vector<float>.Count, whole = channels - (channels % lanes);
        ref float from = ref MemoryMarshal.GetReference(x);
        ref float to = ref MemoryMarshal.GetReference(y);
        ref float scale = ref MemoryMarshal.GetReference(p);
        ref float shift = ref MemoryMarshal.GetReference(r);
        for (int row = 0; row < y.Length; row += channels)
        {
            int c = 0;
            for (; c < whole; c += lanes)
            {
                Vector<float> value = Vector.MultiplyAddEstimate(
                    Vector.LoadUnsafe(ref from, (nuint)(row + c)), Vector.LoadUnsafe(ref scale, (nuint)c), Vector.LoadUnsafe(ref shift, (nuint)c));
                value.StoreUnsafe(ref to, (nuint)(row + c));
            }
            for (; c < channels; c++) y[row + c] = (x[row + c] * p[c]) + r[c];
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Two(
        ReadOnlySpan<float> x, ReadOnlySpan<float> p, ReadOnlySpan<float> z, ReadOnlySpan<float> q, ReadOnlySpan<float> r, Span<float> y)
    {
        int channels = p.Length, lanes = Vector<float>.Count, whole = channels - (channels % lanes);
        ref float from = ref MemoryMarshal.GetReference(x);
        ref float other = ref MemoryMarshal.GetReference(z);
        ref float to = ref MemoryMarshal.GetReference(y);
        ref float scale = ref MemoryMarshal.GetReference(p);
        ref float second = ref MemoryMarshal.GetReference(q);
        ref float shift = ref MemoryMarshal.GetReference(r);
        for (int row = 0; row < y.Length; row += channels)
        {
            int c = 0;
            for (; c < whole; c += lanes)
            {
                Vector<float> value = Vector.MultiplyAddEstimate(
                    Vector.LoadUnsafe(ref other, (nuint)(row + c)), Vector.LoadUnsafe(ref second, (nuint)c), Vector.LoadUnsafe(ref shift, (nuint)c));
                value = Vector.MultiplyAddEstimate(Vector.LoadUnsafe(ref from, (nuint)(row + c)), Vector.LoadUnsafe(ref scale, (nuint)c), value);
                value.StoreUnsafe(ref to, (nuint)(row + c));
            }
            for (; c < channels; c++) y[row + c] = (x[row + c] * p[c]) + (z[row + c] * q[c]) + r[c];
        }
    }
}
