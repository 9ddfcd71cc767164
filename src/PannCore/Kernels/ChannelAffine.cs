using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace PannCore.Kernels;

/// <summary>y[i, c] = x[i, c] p[c] + z[i, c] q[c] + r[c] over rows of C channels; with z empty the second term is left out.</summary>
internal readonly struct ChannelAffine(
    ReadOnlyMemory<float> x, ReadOnlyMemory<float> p, ReadOnlyMemory<float> z, ReadOnlyMemory<float> q, ReadOnlyMemory<float> r, Memory<float> y) : IElementwise
{
    /// <summary>Elements of four of the widest registers: whole rows of 16, 32 or 64 channels, whose factors then stay in registers.</summary>
    private const int Block = 64;

    public int Length => y.Length;

    public int Granule => p.Length;

    public bool Reads(ReadOnlyMemory<float> array) => array.Equals(x) || array.Equals(z) || array.Equals(p) || array.Equals(q) || array.Equals(r);

    public void Run(Range range)
    {
        if (r.Length != p.Length || x.Length % p.Length != 0 || y.Length != x.Length || (!z.IsEmpty && (z.Length != x.Length || q.Length != p.Length)))
            throw new ArgumentException("channelAffine: arrays of different lengths");
        if (range.Start.Value % p.Length != 0 || range.End.Value % p.Length != 0) throw new ArgumentException("channelAffine: a range that is no whole number of rows");
        if (Vector512.IsHardwareAccelerated && p.Length % Vector512<float>.Count == 0 && Block % p.Length == 0)
        {
            if (z.IsEmpty) OneByBlocks(x.Span[range], p.Span, r.Span, y.Span[range]);
            else TwoByBlocks(x.Span[range], p.Span, z.Span[range], q.Span, r.Span, y.Span[range]);
        }
        else if (z.IsEmpty) One(x.Span[range], p.Span, r.Span, y.Span[range]);
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

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void OneByBlocks(ReadOnlySpan<float> x, ReadOnlySpan<float> p, ReadOnlySpan<float> r, Span<float> y)
    {
        nint channels = p.Length, second = 16 % channels, third = 32 % channels, fourth = 48 % channels, i = 0;
        ref float from = ref MemoryMarshal.GetReference(x);
        ref float to = ref MemoryMarshal.GetReference(y);
        ref float scale = ref MemoryMarshal.GetReference(p);
        ref float shift = ref MemoryMarshal.GetReference(r);
        Vector512<float> p0 = At(ref scale, 0), p1 = At(ref scale, second), p2 = At(ref scale, third), p3 = At(ref scale, fourth);
        Vector512<float> r0 = At(ref shift, 0), r1 = At(ref shift, second), r2 = At(ref shift, third), r3 = At(ref shift, fourth);
        for (; i <= y.Length - Block; i += Block)
        {
            Put(Vector512.FusedMultiplyAdd(At(ref from, i), p0, r0), ref to, i);
            Put(Vector512.FusedMultiplyAdd(At(ref from, i + 16), p1, r1), ref to, i + 16);
            Put(Vector512.FusedMultiplyAdd(At(ref from, i + 32), p2, r2), ref to, i + 32);
            Put(Vector512.FusedMultiplyAdd(At(ref from, i + 48), p3, r3), ref to, i + 48);
        }
        for (; i < y.Length; i += 16) Put(Vector512.FusedMultiplyAdd(At(ref from, i), At(ref scale, i % channels), At(ref shift, i % channels)), ref to, i);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void TwoByBlocks(ReadOnlySpan<float> x, ReadOnlySpan<float> p, ReadOnlySpan<float> z, ReadOnlySpan<float> q, ReadOnlySpan<float> r, Span<float> y)
    {
        nint channels = p.Length, second = 16 % channels, third = 32 % channels, fourth = 48 % channels, i = 0;
        ref float from = ref MemoryMarshal.GetReference(x);
        ref float other = ref MemoryMarshal.GetReference(z);
        ref float to = ref MemoryMarshal.GetReference(y);
        ref float scale = ref MemoryMarshal.GetReference(p);
        ref float factor = ref MemoryMarshal.GetReference(q);
        ref float shift = ref MemoryMarshal.GetReference(r);
        Vector512<float> p0 = At(ref scale, 0), p1 = At(ref scale, second), p2 = At(ref scale, third), p3 = At(ref scale, fourth);
        Vector512<float> q0 = At(ref factor, 0), q1 = At(ref factor, second), q2 = At(ref factor, third), q3 = At(ref factor, fourth);
        Vector512<float> r0 = At(ref shift, 0), r1 = At(ref shift, second), r2 = At(ref shift, third), r3 = At(ref shift, fourth);
        for (; i <= y.Length - Block; i += Block)
        {
            Put(Vector512.FusedMultiplyAdd(At(ref from, i), p0, Vector512.FusedMultiplyAdd(At(ref other, i), q0, r0)), ref to, i);
            Put(Vector512.FusedMultiplyAdd(At(ref from, i + 16), p1, Vector512.FusedMultiplyAdd(At(ref other, i + 16), q1, r1)), ref to, i + 16);
            Put(Vector512.FusedMultiplyAdd(At(ref from, i + 32), p2, Vector512.FusedMultiplyAdd(At(ref other, i + 32), q2, r2)), ref to, i + 32);
            Put(Vector512.FusedMultiplyAdd(At(ref from, i + 48), p3, Vector512.FusedMultiplyAdd(At(ref other, i + 48), q3, r3)), ref to, i + 48);
        }
        for (; i < y.Length; i += 16)
        {
            nint c = i % channels;
            Put(Vector512.FusedMultiplyAdd(At(ref from, i), At(ref scale, c), Vector512.FusedMultiplyAdd(At(ref other, i), At(ref factor, c), At(ref shift, c))), ref to, i);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> At(ref float array, nint i) => Vector512.LoadUnsafe(ref array, (nuint)i);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Put(Vector512<float> value, ref float array, nint i) => value.StoreUnsafe(ref array, (nuint)i);
}
