using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace PannCore.Kernels;

/// <summary>
/// Strides of one tile of accumulated outer products, in elements:
/// <c>c[i, v] (+)= sum over n &lt; Groups, s &lt; Segments, t &lt; Steps of a[n AGroup + s ASegment + t AStep + i ATile] * b[n BGroup + s (Steps BStep + BSegment) + t BStep + v]</c>.
/// </summary>
/// <remarks>
/// Convolution forward: i is an output pixel, v an output channel, a segment a kernel row, a step one (kernel column, input channel).
/// Weight gradient: i is a (kernel column, input channel), v an output channel, a group an image, a segment an image row, a step an output pixel.
/// Data gradient: as forward, on the gradient of the output. One microkernel serves them all. It computes a whole grid of such tiles in one
/// call, <see cref="Down"/> rows of <see cref="Across"/> tiles, because a call costs as much as a small tile does. The fused tiles say themselves how they read a and b.
/// </remarks>
internal struct TileStrides()
{
    public int Groups = 1;
    public int Segments = 1;
    public int Steps;

    /// <summary>Steps at the beginning of a segment that the first row leaves out, without reading: the first pixel of an image row has no neighbour on its left.</summary>
    public int SkippedFirst;

    /// <summary>Steps at the end of a segment that the last row leaves out.</summary>
    public int SkippedLast;
    public nint AGroup;
    public nint ASegment;
    public nint AStep;
    public nint ATile;
    public nint BGroup;
    public nint BStep;
    public nint BSegment;
    public nint CTile;
    public int Across = 1;
    public nint AAcross;
    public nint CAcross;
    public int Down = 1;
    public nint ADown;
    public nint BDown;
    public nint CDown;
}

/// <summary>The tile sizes of the widest vector unit that is there, and the dispatch to it.</summary>
internal static class OuterProduct
{
    /// <summary>Bits of the vector registers used: 512, 256, 128, or 0 for scalar code.</summary>
    public static int VectorBits
        => Vector512.IsHardwareAccelerated ? 512 : Vector256.IsHardwareAccelerated ? 256 : Vector128.IsHardwareAccelerated ? 128 : 0;

    private static bool SaysWhole()
    {
        const int LargestLeaf = unchecked((int)0x80000000), Leaf = LargestLeaf + 0x1A, Whole = 1 << 3, Zen4 = 0x19;
        if (!X86Base.IsSupported || (uint)X86Base.CpuId(LargestLeaf, 0).Eax < unchecked((uint)Leaf)) return true;
        (int signature, _, int features, _) = X86Base.CpuId(1, 0);
        int family = ((signature >> 8) & 15) + ((signature >> 20) & 255);
        bool guest = features < 0; // Bit 31 is set by hypervisors.
        return (X86Base.CpuId(Leaf, 0).Eax & Whole) != 0 || (guest && family != Zen4);
    }

    private static int Lanes<T>() where T : unmanaged => VectorBits == 0 ? 1 : VectorBits / 8 / Unsafe.SizeOf<T>();

    /// <summary>
    /// Rows and columns of the tile for matrices with this many columns. 32 registers (AVX-512) hold 16 accumulators,
    /// as 16 x 1 vector where one vector is all the columns there are, else 8 x 2; 16 registers hold 8, as 4 x 2.
    /// </summary>
    public static (int Rows, int Columns) TileSize<T>(int columns) where T : unmanaged
        => VectorBits == 512
            ? columns <= Lanes<T>() ? (16, Lanes<T>()) : (8, 2 * Lanes<T>())
            : (4, 2 * Lanes<T>());

    /// <summary>Whether the fused tiles for three kernel columns are there: they need 16 accumulators and four to seven more registers.</summary>
    public static bool HasFused => VectorBits == 512;

    /// <summary>
    /// Whether multiply-adds of 512 bits are done at once and not as two halves, as far as is known. AMD's processors tell it in bit 3 of leaf 8000001Ah (FP512), which others do not have; hypervisors clear bits they do not know,
    /// so that within one only family 19h, whose members with AVX-512 are Zen 4, is believed to work in halves.
    /// </summary>
    public static bool HasWholeMultiplyAdds { get; } = VectorBits == 512 && SaysWhole();

    /// <summary>One tile of a convolution with three kernel columns and stride 1; see <see cref="OuterProduct{T, TV, TLanes}.Fused16x1"/>.</summary>
    public static void Fused<T>(int tileRows, in TileStrides g, ref T a, ref T b, ref T c) where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (tileRows == 16) OuterProduct<T, Vector512<T>, Lanes512<T>>.Fused16x1(g, ref a, ref b, ref c);
        else OuterProduct<T, Vector512<T>, Lanes512<T>>.Fused8x2(g, ref a, ref b, ref c);
    }

    /// <summary>One tile of the data gradient of a convolution with three kernel columns and stride 2; see <see cref="OuterProduct{T, TV, TLanes}.Paired16x1"/>.</summary>
    public static void Paired<T>(in TileStrides g, ref T a, ref T b, ref T c) where T : unmanaged, IFloatingPointIeee754<T>
        => OuterProduct<T, Vector512<T>, Lanes512<T>>.Paired16x1(g, ref a, ref b, ref c);

    /// <summary>Whether <see cref="FusedGradient"/> is there: it needs 24 accumulators and four more registers.</summary>
    public static bool HasFusedGradient => VectorBits == 512;

    /// <summary>The weight gradient for 8 input channels; see <see cref="OuterProduct{T, TV, TLanes}.FusedGradient8x3"/>.</summary>
    public static void FusedGradient<T>(in TileStrides g, ref T a, ref T b, ref T c, nint cTap) where T : unmanaged, IFloatingPointIeee754<T>
        => OuterProduct<T, Vector512<T>, Lanes512<T>>.FusedGradient8x3(g, ref a, ref b, ref c, cTap);

    /// <summary>The weight gradient for 3 x 3 taps of 3 input channels; see <see cref="OuterProduct{T, TV, TLanes}.NineRowGradient"/>. 16 registers hold the accumulators of one kernel row.</summary>
    public static void NineRowGradient<T>(in TileStrides g, nint aRow, ref T a, ref T b, ref T c, nint cRow) where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (Vector512.IsHardwareAccelerated)
        {
            OuterProduct<T, Vector512<T>, Lanes512<T>>.NineRowGradient<ThreeKernelRows>(g, aRow, ref a, ref b, ref c, cRow);
            return;
        }
        for (int row = 0; row < 3; row++)
        {
            if (Vector256.IsHardwareAccelerated) OuterProduct<T, Vector256<T>, Lanes256<T>>.NineRowGradient<OneKernelRow>(g, aRow, ref a, ref b, ref c, cRow);
            else if (Vector128.IsHardwareAccelerated) OuterProduct<T, Vector128<T>, Lanes128<T>>.NineRowGradient<OneKernelRow>(g, aRow, ref a, ref b, ref c, cRow);
            else OuterProduct<T, T, Lanes1<T>>.NineRowGradient<OneKernelRow>(g, aRow, ref a, ref b, ref c, cRow);
            a = ref Unsafe.Add(ref a, aRow);
            c = ref Unsafe.Add(ref c, cRow);
        }
    }

    /// <summary>Computes one tile of the size given by <see cref="TileSize{T}"/> for the same number of columns.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Tile<T>(int tileRows, in TileStrides g, ref T a, ref T b, ref T c, bool accumulate)
        where T : unmanaged, IFloatingPointIeee754<T>
        => Tile<T, AllRows>(tileRows, g, ref Unsafe.Add(ref a, g.ATile), ref b, ref c, accumulate);

    /// <summary>The same where <paramref name="a"/> points to the second row, because the first may begin before the array: <see cref="TileStrides.SkippedFirst"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void TileFromSecond<T>(int tileRows, in TileStrides g, ref T a, ref T b, ref T c, bool accumulate)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if ((g.SkippedFirst | g.SkippedLast) == 0) Tile<T, AllRows>(tileRows, g, ref a, ref b, ref c, accumulate);
        else Tile<T, EndsSkip>(tileRows, g, ref a, ref b, ref c, accumulate);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Tile<T, TRows>(int tileRows, in TileStrides g, ref T a, ref T b, ref T c, bool accumulate)
        where T : unmanaged, IFloatingPointIeee754<T>
        where TRows : struct
    {
        if (Vector512.IsHardwareAccelerated)
        {
            if (tileRows == 16) OuterProduct<T, Vector512<T>, Lanes512<T>>.Tile16x1<TRows>(g, ref a, ref b, ref c, accumulate);
            else OuterProduct<T, Vector512<T>, Lanes512<T>>.Tile8x2<TRows>(g, ref a, ref b, ref c, accumulate);
        }
        else if (Vector256.IsHardwareAccelerated) OuterProduct<T, Vector256<T>, Lanes256<T>>.Tile4x2<TRows>(g, ref a, ref b, ref c, accumulate);
        else if (Vector128.IsHardwareAccelerated) OuterProduct<T, Vector128<T>, Lanes128<T>>.Tile4x2<TRows>(g, ref a, ref b, ref c, accumulate);
        else OuterProduct<T, T, Lanes1<T>>.Tile4x2<TRows>(g, ref a, ref b, ref c, accumulate);
    }
}

/// <summary>A tile all of whose rows take part in every step: compiled apart, because the questions cost the short tiles of Winograd's algorithms 5 %.</summary>
internal readonly struct AllRows;

/// <summary>A tile whose first and last row leave out steps: <see cref="TileStrides.SkippedFirst"/>.</summary>
internal readonly struct EndsSkip;

/// <summary>A tile that takes three kernel rows at once.</summary>
internal readonly struct ThreeKernelRows;

/// <summary>A tile that takes one.</summary>
internal readonly struct OneKernelRow;

/// <summary>
/// The microkernel: accumulators live in explicit locals, because the compiler neither unrolls loops over them nor keeps
/// an array of vectors in registers. Row offsets are hoisted into locals so that each broadcast is one addressed operand.
/// </summary>
internal static class OuterProduct<T, TV, TLanes>
    where T : unmanaged, IFloatingPointIeee754<T>
    where TV : struct
    where TLanes : ILanes<T, TV>
{
    /// <summary>The tile for one vector of columns; <c>a</c> points to its second row.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Tile16x1<TRows>(in TileStrides g, ref T a, ref T b, ref T c, bool accumulate) where TRows : struct
    {
        nint s1 = g.ATile, s2 = 2 * s1, s3 = 3 * s1, s4 = 4 * s1, s5 = 5 * s1, s6 = 6 * s1, step = g.AStep, bStep = g.BStep;
        int from = g.Steps - g.SkippedFirst, to = g.SkippedLast;
        for (int down = 0; down < g.Down; down++)
        {
            ref T aTile = ref a;
            ref T cTile = ref c;
            for (int across = 0; across < g.Across; across++)
            {
                ref T aGroup = ref aTile;
                ref T bGroup = ref b;
                TV c0 = TLanes.Zero, c1 = c0, c2 = c0, c3 = c0, c4 = c0, c5 = c0, c6 = c0, c7 = c0;
                TV c8 = c0, c9 = c0, c10 = c0, c11 = c0, c12 = c0, c13 = c0, c14 = c0, c15 = c0;
                for (int group = g.Groups; group > 0; group--)
                {
                    ref T aSegment = ref aGroup;
                    ref T weight = ref bGroup;
                    for (int s = g.Segments; s > 0; s--)
                    {
                        ref T p = ref aSegment;
                        ref T q = ref Unsafe.Add(ref aSegment, 8 * s1);
                        for (int t = g.Steps; t > 0; t--)
                        {
                            TV w = TLanes.Load(ref weight);
                            if (typeof(TRows) == typeof(AllRows) || t <= from) c0 = TLanes.MultiplyAdd(TLanes.Broadcast(Unsafe.Subtract(ref p, s1)), w, c0);
                            c1 = TLanes.MultiplyAdd(TLanes.Broadcast(p), w, c1);
                            c2 = TLanes.MultiplyAdd(TLanes.Broadcast(Unsafe.Add(ref p, s1)), w, c2);
                            c3 = TLanes.MultiplyAdd(TLanes.Broadcast(Unsafe.Add(ref p, s2)), w, c3);
                            c4 = TLanes.MultiplyAdd(TLanes.Broadcast(Unsafe.Add(ref p, s3)), w, c4);
                            c5 = TLanes.MultiplyAdd(TLanes.Broadcast(Unsafe.Add(ref p, s4)), w, c5);
                            c6 = TLanes.MultiplyAdd(TLanes.Broadcast(Unsafe.Add(ref p, s5)), w, c6);
                            c7 = TLanes.MultiplyAdd(TLanes.Broadcast(Unsafe.Add(ref p, s6)), w, c7);
                            c8 = TLanes.MultiplyAdd(TLanes.Broadcast(Unsafe.Subtract(ref q, s1)), w, c8);
                            c9 = TLanes.MultiplyAdd(TLanes.Broadcast(q), w, c9);
                            c10 = TLanes.MultiplyAdd(TLanes.Broadcast(Unsafe.Add(ref q, s1)), w, c10);
                            c11 = TLanes.MultiplyAdd(TLanes.Broadcast(Unsafe.Add(ref q, s2)), w, c11);
                            c12 = TLanes.MultiplyAdd(TLanes.Broadcast(Unsafe.Add(ref q, s3)), w, c12);
                            c13 = TLanes.MultiplyAdd(TLanes.Broadcast(Unsafe.Add(ref q, s4)), w, c13);
                            c14 = TLanes.MultiplyAdd(TLanes.Broadcast(Unsafe.Add(ref q, s5)), w, c14);
                            if (typeof(TRows) == typeof(AllRows) || t > to) c15 = TLanes.MultiplyAdd(TLanes.Broadcast(Unsafe.Add(ref q, s6)), w, c15);
                            p = ref Unsafe.Add(ref p, step);
                            q = ref Unsafe.Add(ref q, step);
                            weight = ref Unsafe.Add(ref weight, bStep);
                        }
                        aSegment = ref Unsafe.Add(ref aSegment, g.ASegment);
                        weight = ref Unsafe.Add(ref weight, g.BSegment);
                    }
                    aGroup = ref Unsafe.Add(ref aGroup, g.AGroup);
                    bGroup = ref Unsafe.Add(ref bGroup, g.BGroup);
                }
                ref T at = ref cTile;
                at = ref Put(c0, ref at, g.CTile, accumulate);
                at = ref Put(c1, ref at, g.CTile, accumulate);
                at = ref Put(c2, ref at, g.CTile, accumulate);
                at = ref Put(c3, ref at, g.CTile, accumulate);
                at = ref Put(c4, ref at, g.CTile, accumulate);
                at = ref Put(c5, ref at, g.CTile, accumulate);
                at = ref Put(c6, ref at, g.CTile, accumulate);
                at = ref Put(c7, ref at, g.CTile, accumulate);
                at = ref Put(c8, ref at, g.CTile, accumulate);
                at = ref Put(c9, ref at, g.CTile, accumulate);
                at = ref Put(c10, ref at, g.CTile, accumulate);
                at = ref Put(c11, ref at, g.CTile, accumulate);
                at = ref Put(c12, ref at, g.CTile, accumulate);
                at = ref Put(c13, ref at, g.CTile, accumulate);
                at = ref Put(c14, ref at, g.CTile, accumulate);
                Put(c15, ref at, g.CTile, accumulate);
                aTile = ref Unsafe.Add(ref aTile, g.AAcross);
                cTile = ref Unsafe.Add(ref cTile, g.CAcross);
            }
            a = ref Unsafe.Add(ref a, g.ADown);
            b = ref Unsafe.Add(ref b, g.BDown);
            c = ref Unsafe.Add(ref c, g.CDown);
        }
    }

    /// <summary>
    /// A 3 x 3 convolution of stride 1 and padding 1 for 16 neighbouring pixels and one vector of output channels: each source pixel is broadcast once and feeds its three
    /// taps, so that 48 multiply-adds need 21 loads instead of 51. A segment is a kernel row, a step an input channel; b holds (row, channel, column).
    /// a points to the source under the tile's first pixel; pixels lie <c>ATile</c> elements apart. A column beyond the image is left out where <c>SkippedFirst</c> or
    /// <c>SkippedLast</c> is not 0.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Fused16x1(in TileStrides g, ref T a, ref T b, ref T c)
    {
        nint s1 = g.ATile, s2 = 2 * s1, s3 = 3 * s1, s4 = 4 * s1, s5 = 5 * s1, s6 = 6 * s1;
        bool left = g.SkippedFirst == 0, right = g.SkippedLast == 0;
        TV c0 = TLanes.Zero, c1 = c0, c2 = c0, c3 = c0, c4 = c0, c5 = c0, c6 = c0, c7 = c0;
        TV c8 = c0, c9 = c0, c10 = c0, c11 = c0, c12 = c0, c13 = c0, c14 = c0, c15 = c0;
        for (int s = g.Segments; s > 0; s--)
        {
            ref T p = ref a;
            for (int t = g.Steps; t > 0; t--)
            {
                TV u = TLanes.Load(ref b), v = TLanes.Load(ref Unsafe.Add(ref b, TLanes.Count)), w = TLanes.Load(ref Unsafe.Add(ref b, 2 * TLanes.Count));
                if (left) c0 = TLanes.MultiplyAdd(TLanes.Broadcast(Unsafe.Subtract(ref p, s1)), u, c0);
                ref T q = ref p;
                TV x = TLanes.Broadcast(q);
                c1 = TLanes.MultiplyAdd(x, u, c1);
                c0 = TLanes.MultiplyAdd(x, v, c0);
                x = TLanes.Broadcast(Unsafe.Add(ref q, s1));
                c2 = TLanes.MultiplyAdd(x, u, c2);
                c1 = TLanes.MultiplyAdd(x, v, c1);
                c0 = TLanes.MultiplyAdd(x, w, c0);
                x = TLanes.Broadcast(Unsafe.Add(ref q, s2));
                c3 = TLanes.MultiplyAdd(x, u, c3);
                c2 = TLanes.MultiplyAdd(x, v, c2);
                c1 = TLanes.MultiplyAdd(x, w, c1);
                x = TLanes.Broadcast(Unsafe.Add(ref q, s3));
                c4 = TLanes.MultiplyAdd(x, u, c4);
                c3 = TLanes.MultiplyAdd(x, v, c3);
                c2 = TLanes.MultiplyAdd(x, w, c2);
                x = TLanes.Broadcast(Unsafe.Add(ref q, s4));
                c5 = TLanes.MultiplyAdd(x, u, c5);
                c4 = TLanes.MultiplyAdd(x, v, c4);
                c3 = TLanes.MultiplyAdd(x, w, c3);
                x = TLanes.Broadcast(Unsafe.Add(ref q, s5));
                c6 = TLanes.MultiplyAdd(x, u, c6);
                c5 = TLanes.MultiplyAdd(x, v, c5);
                c4 = TLanes.MultiplyAdd(x, w, c4);
                q = ref Unsafe.Add(ref q, s6);
                x = TLanes.Broadcast(q);
                c7 = TLanes.MultiplyAdd(x, u, c7);
                c6 = TLanes.MultiplyAdd(x, v, c6);
                c5 = TLanes.MultiplyAdd(x, w, c5);
                x = TLanes.Broadcast(Unsafe.Add(ref q, s1));
                c8 = TLanes.MultiplyAdd(x, u, c8);
                c7 = TLanes.MultiplyAdd(x, v, c7);
                c6 = TLanes.MultiplyAdd(x, w, c6);
                x = TLanes.Broadcast(Unsafe.Add(ref q, s2));
                c9 = TLanes.MultiplyAdd(x, u, c9);
                c8 = TLanes.MultiplyAdd(x, v, c8);
                c7 = TLanes.MultiplyAdd(x, w, c7);
                x = TLanes.Broadcast(Unsafe.Add(ref q, s3));
                c10 = TLanes.MultiplyAdd(x, u, c10);
                c9 = TLanes.MultiplyAdd(x, v, c9);
                c8 = TLanes.MultiplyAdd(x, w, c8);
                x = TLanes.Broadcast(Unsafe.Add(ref q, s4));
                c11 = TLanes.MultiplyAdd(x, u, c11);
                c10 = TLanes.MultiplyAdd(x, v, c10);
                c9 = TLanes.MultiplyAdd(x, w, c9);
                x = TLanes.Broadcast(Unsafe.Add(ref q, s5));
                c12 = TLanes.MultiplyAdd(x, u, c12);
                c11 = TLanes.MultiplyAdd(x, v, c11);
                c10 = TLanes.MultiplyAdd(x, w, c10);
                q = ref Unsafe.Add(ref q, s6);
                x = TLanes.Broadcast(q);
                c13 = TLanes.MultiplyAdd(x, u, c13);
                c12 = TLanes.MultiplyAdd(x, v, c12);
                c11 = TLanes.MultiplyAdd(x, w, c11);
                x = TLanes.Broadcast(Unsafe.Add(ref q, s1));
                c14 = TLanes.MultiplyAdd(x, u, c14);
                c13 = TLanes.MultiplyAdd(x, v, c13);
                c12 = TLanes.MultiplyAdd(x, w, c12);
                x = TLanes.Broadcast(Unsafe.Add(ref q, s2));
                c15 = TLanes.MultiplyAdd(x, u, c15);
                c14 = TLanes.MultiplyAdd(x, v, c14);
                c13 = TLanes.MultiplyAdd(x, w, c13);
                x = TLanes.Broadcast(Unsafe.Add(ref q, s3));
                c15 = TLanes.MultiplyAdd(x, v, c15);
                c14 = TLanes.MultiplyAdd(x, w, c14);
                if (right) c15 = TLanes.MultiplyAdd(TLanes.Broadcast(Unsafe.Add(ref q, s4)), w, c15);
                p = ref Unsafe.Add(ref p, 1);
                b = ref Unsafe.Add(ref b, 3 * TLanes.Count);
            }
            a = ref Unsafe.Add(ref a, g.ASegment);
        }
        c = ref Put(c0, ref c, g.CTile, accumulate: false);
        c = ref Put(c1, ref c, g.CTile, accumulate: false);
        c = ref Put(c2, ref c, g.CTile, accumulate: false);
        c = ref Put(c3, ref c, g.CTile, accumulate: false);
        c = ref Put(c4, ref c, g.CTile, accumulate: false);
        c = ref Put(c5, ref c, g.CTile, accumulate: false);
        c = ref Put(c6, ref c, g.CTile, accumulate: false);
        c = ref Put(c7, ref c, g.CTile, accumulate: false);
        c = ref Put(c8, ref c, g.CTile, accumulate: false);
        c = ref Put(c9, ref c, g.CTile, accumulate: false);
        c = ref Put(c10, ref c, g.CTile, accumulate: false);
        c = ref Put(c11, ref c, g.CTile, accumulate: false);
        c = ref Put(c12, ref c, g.CTile, accumulate: false);
        c = ref Put(c13, ref c, g.CTile, accumulate: false);
        c = ref Put(c14, ref c, g.CTile, accumulate: false);
        Put(c15, ref c, g.CTile, accumulate: false);
    }

    /// <summary>As <see cref="Fused16x1"/>, for 8 pixels and two vectors of output channels: 48 multiply-adds need 16 loads. b holds (row, channel, column, two vectors).</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Fused8x2(in TileStrides g, ref T a, ref T b, ref T c)
    {
        nint s1 = g.ATile, s2 = 2 * s1, s3 = 3 * s1, s4 = 4 * s1;
        bool left = g.SkippedFirst == 0, right = g.SkippedLast == 0;
        TV c0 = TLanes.Zero, c1 = c0, c2 = c0, c3 = c0, c4 = c0, c5 = c0, c6 = c0, c7 = c0, d0 = c0, d1 = c0, d2 = c0, d3 = c0, d4 = c0, d5 = c0, d6 = c0, d7 = c0;
        for (int s = g.Segments; s > 0; s--)
        {
            ref T p = ref a;
            for (int t = g.Steps; t > 0; t--)
            {
                TV u = TLanes.Load(ref b), u2 = TLanes.Load(ref Unsafe.Add(ref b, TLanes.Count));
                TV v = TLanes.Load(ref Unsafe.Add(ref b, 2 * TLanes.Count)), v2 = TLanes.Load(ref Unsafe.Add(ref b, 3 * TLanes.Count));
                TV w = TLanes.Load(ref Unsafe.Add(ref b, 4 * TLanes.Count)), w2 = TLanes.Load(ref Unsafe.Add(ref b, 5 * TLanes.Count));
                TV x;
                if (left)
                {
                    x = TLanes.Broadcast(Unsafe.Subtract(ref p, s1));
                    c0 = TLanes.MultiplyAdd(x, u, c0);
                    d0 = TLanes.MultiplyAdd(x, u2, d0);
                }
                ref T q = ref p;
                x = TLanes.Broadcast(q);
                c1 = TLanes.MultiplyAdd(x, u, c1);
                d1 = TLanes.MultiplyAdd(x, u2, d1);
                c0 = TLanes.MultiplyAdd(x, v, c0);
                d0 = TLanes.MultiplyAdd(x, v2, d0);
                x = TLanes.Broadcast(Unsafe.Add(ref q, s1));
                c2 = TLanes.MultiplyAdd(x, u, c2);
                d2 = TLanes.MultiplyAdd(x, u2, d2);
                c1 = TLanes.MultiplyAdd(x, v, c1);
                d1 = TLanes.MultiplyAdd(x, v2, d1);
                c0 = TLanes.MultiplyAdd(x, w, c0);
                d0 = TLanes.MultiplyAdd(x, w2, d0);
                x = TLanes.Broadcast(Unsafe.Add(ref q, s2));
                c3 = TLanes.MultiplyAdd(x, u, c3);
                d3 = TLanes.MultiplyAdd(x, u2, d3);
                c2 = TLanes.MultiplyAdd(x, v, c2);
                d2 = TLanes.MultiplyAdd(x, v2, d2);
                c1 = TLanes.MultiplyAdd(x, w, c1);
                d1 = TLanes.MultiplyAdd(x, w2, d1);
                x = TLanes.Broadcast(Unsafe.Add(ref q, s3));
                c4 = TLanes.MultiplyAdd(x, u, c4);
                d4 = TLanes.MultiplyAdd(x, u2, d4);
                c3 = TLanes.MultiplyAdd(x, v, c3);
                d3 = TLanes.MultiplyAdd(x, v2, d3);
                c2 = TLanes.MultiplyAdd(x, w, c2);
                d2 = TLanes.MultiplyAdd(x, w2, d2);
                x = TLanes.Broadcast(Unsafe.Add(ref q, s4));
                c5 = TLanes.MultiplyAdd(x, u, c5);
                d5 = TLanes.MultiplyAdd(x, u2, d5);
                c4 = TLanes.MultiplyAdd(x, v, c4);
                d4 = TLanes.MultiplyAdd(x, v2, d4);
                c3 = TLanes.MultiplyAdd(x, w, c3);
                d3 = TLanes.MultiplyAdd(x, w2, d3);
                q = ref Unsafe.Add(ref q, s4 + s1);
                x = TLanes.Broadcast(q);
                c6 = TLanes.MultiplyAdd(x, u, c6);
                d6 = TLanes.MultiplyAdd(x, u2, d6);
                c5 = TLanes.MultiplyAdd(x, v, c5);
                d5 = TLanes.MultiplyAdd(x, v2, d5);
                c4 = TLanes.MultiplyAdd(x, w, c4);
                d4 = TLanes.MultiplyAdd(x, w2, d4);
                x = TLanes.Broadcast(Unsafe.Add(ref q, s1));
                c7 = TLanes.MultiplyAdd(x, u, c7);
                d7 = TLanes.MultiplyAdd(x, u2, d7);
                c6 = TLanes.MultiplyAdd(x, v, c6);
                d6 = TLanes.MultiplyAdd(x, v2, d6);
                c5 = TLanes.MultiplyAdd(x, w, c5);
                d5 = TLanes.MultiplyAdd(x, w2, d5);
                x = TLanes.Broadcast(Unsafe.Add(ref q, s2));
                c7 = TLanes.MultiplyAdd(x, v, c7);
                d7 = TLanes.MultiplyAdd(x, v2, d7);
                c6 = TLanes.MultiplyAdd(x, w, c6);
                d6 = TLanes.MultiplyAdd(x, w2, d6);
                if (right)
                {
                    x = TLanes.Broadcast(Unsafe.Add(ref q, s3));
                    c7 = TLanes.MultiplyAdd(x, w, c7);
                    d7 = TLanes.MultiplyAdd(x, w2, d7);
                }
                p = ref Unsafe.Add(ref p, 1);
                b = ref Unsafe.Add(ref b, 6 * TLanes.Count);
            }
            a = ref Unsafe.Add(ref a, g.ASegment);
        }
        c = ref Put(c0, d0, ref c, g.CTile, accumulate: false);
        c = ref Put(c1, d1, ref c, g.CTile, accumulate: false);
        c = ref Put(c2, d2, ref c, g.CTile, accumulate: false);
        c = ref Put(c3, d3, ref c, g.CTile, accumulate: false);
        c = ref Put(c4, d4, ref c, g.CTile, accumulate: false);
        c = ref Put(c5, d5, ref c, g.CTile, accumulate: false);
        c = ref Put(c6, d6, ref c, g.CTile, accumulate: false);
        Put(c7, d7, ref c, g.CTile, accumulate: false);
    }

    /// <summary>
    /// The data gradient of a 3-column convolution of stride 2 and padding 1, for 16 neighbouring pixels and one vector of channels: an even pixel meets the middle kernel column at
    /// the output pixel that is half of it, an odd one the last column there and the first column one further. So 8 output pixels and their right neighbour feed 16 pixels, and 24
    /// multiply-adds need 12 loads. Otherwise as <see cref="Fused16x1"/>; b holds (row, channel, column), the middle column first.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Paired16x1(in TileStrides g, ref T a, ref T b, ref T c)
    {
        bool right = g.SkippedLast == 0;
        nint s1 = g.ATile, s2 = 2 * s1, s3 = 3 * s1, s4 = 4 * s1, s5 = 5 * s1, s6 = 6 * s1, s7 = 7 * s1, s8 = 8 * s1;
        TV c0 = TLanes.Zero, c1 = c0, c2 = c0, c3 = c0, c4 = c0, c5 = c0, c6 = c0, c7 = c0, d0 = c0, d1 = c0, d2 = c0, d3 = c0, d4 = c0, d5 = c0, d6 = c0, d7 = c0;
        for (int s = g.Segments; s > 0; s--)
        {
            ref T p = ref a;
            for (int t = g.Steps; t > 0; t--)
            {
                TV u = TLanes.Load(ref b), v = TLanes.Load(ref Unsafe.Add(ref b, TLanes.Count)), w = TLanes.Load(ref Unsafe.Add(ref b, 2 * TLanes.Count));
                TV x = TLanes.Broadcast(p);
                c0 = TLanes.MultiplyAdd(x, u, c0);
                d0 = TLanes.MultiplyAdd(x, v, d0);
                x = TLanes.Broadcast(Unsafe.Add(ref p, s1));
                c1 = TLanes.MultiplyAdd(x, u, c1);
                d1 = TLanes.MultiplyAdd(x, v, d1);
                d0 = TLanes.MultiplyAdd(x, w, d0);
                x = TLanes.Broadcast(Unsafe.Add(ref p, s2));
                c2 = TLanes.MultiplyAdd(x, u, c2);
                d2 = TLanes.MultiplyAdd(x, v, d2);
                d1 = TLanes.MultiplyAdd(x, w, d1);
                x = TLanes.Broadcast(Unsafe.Add(ref p, s3));
                c3 = TLanes.MultiplyAdd(x, u, c3);
                d3 = TLanes.MultiplyAdd(x, v, d3);
                d2 = TLanes.MultiplyAdd(x, w, d2);
                x = TLanes.Broadcast(Unsafe.Add(ref p, s4));
                c4 = TLanes.MultiplyAdd(x, u, c4);
                d4 = TLanes.MultiplyAdd(x, v, d4);
                d3 = TLanes.MultiplyAdd(x, w, d3);
                x = TLanes.Broadcast(Unsafe.Add(ref p, s5));
                c5 = TLanes.MultiplyAdd(x, u, c5);
                d5 = TLanes.MultiplyAdd(x, v, d5);
                d4 = TLanes.MultiplyAdd(x, w, d4);
                x = TLanes.Broadcast(Unsafe.Add(ref p, s6));
                c6 = TLanes.MultiplyAdd(x, u, c6);
                d6 = TLanes.MultiplyAdd(x, v, d6);
                d5 = TLanes.MultiplyAdd(x, w, d5);
                x = TLanes.Broadcast(Unsafe.Add(ref p, s7));
                c7 = TLanes.MultiplyAdd(x, u, c7);
                d7 = TLanes.MultiplyAdd(x, v, d7);
                d6 = TLanes.MultiplyAdd(x, w, d6);
                if (right) d7 = TLanes.MultiplyAdd(TLanes.Broadcast(Unsafe.Add(ref p, s8)), w, d7);
                p = ref Unsafe.Add(ref p, 1);
                b = ref Unsafe.Add(ref b, 3 * TLanes.Count);
            }
            a = ref Unsafe.Add(ref a, g.ASegment);
        }
        c = ref Put(c0, ref c, g.CTile, accumulate: false);
        c = ref Put(d0, ref c, g.CTile, accumulate: false);
        c = ref Put(c1, ref c, g.CTile, accumulate: false);
        c = ref Put(d1, ref c, g.CTile, accumulate: false);
        c = ref Put(c2, ref c, g.CTile, accumulate: false);
        c = ref Put(d2, ref c, g.CTile, accumulate: false);
        c = ref Put(c3, ref c, g.CTile, accumulate: false);
        c = ref Put(d3, ref c, g.CTile, accumulate: false);
        c = ref Put(c4, ref c, g.CTile, accumulate: false);
        c = ref Put(d4, ref c, g.CTile, accumulate: false);
        c = ref Put(c5, ref c, g.CTile, accumulate: false);
        c = ref Put(d5, ref c, g.CTile, accumulate: false);
        c = ref Put(c6, ref c, g.CTile, accumulate: false);
        c = ref Put(d6, ref c, g.CTile, accumulate: false);
        c = ref Put(c7, ref c, g.CTile, accumulate: false);
        Put(d7, ref c, g.CTile, accumulate: false);
    }

    /// <summary>
    /// The weight gradient of a 3-column convolution of stride 1 and padding 1 for 8 input channels, 3 kernel columns and one vector of output channels, added to what is there:
    /// an input value is broadcast once and meets the gradients of its three output pixels, of which a step loads one, so that 24 multiply-adds need 9 loads. A segment is an
    /// image row, a step a pixel; beyond the ends of a row the gradient is 0. A group is an image. <paramref name="cTap"/> elements lie between the kernel columns of c.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void FusedGradient8x3(in TileStrides g, ref T a, ref T b, ref T c, nint cTap)
    {
        nint step = g.AStep, bStep = g.BStep;
        TV c0 = TLanes.Zero, c1 = c0, c2 = c0, c3 = c0, c4 = c0, c5 = c0, c6 = c0, c7 = c0;
        TV d0 = c0, d1 = c0, d2 = c0, d3 = c0, d4 = c0, d5 = c0, d6 = c0, d7 = c0;
        TV e0 = c0, e1 = c0, e2 = c0, e3 = c0, e4 = c0, e5 = c0, e6 = c0, e7 = c0;
        for (int group = g.Groups; group > 0; group--)
        {
            ref T p = ref a;
            ref T q = ref b;
            for (int s = g.Segments; s > 0; s--)
            {
                TV u = TLanes.Zero, v = TLanes.Load(ref q);
                for (int t = g.Steps; t > 0; t--)
                {
                    TV w = TLanes.Zero;
                    q = ref Unsafe.Add(ref q, bStep);
                    if (t > 1) w = TLanes.Load(ref q);
                    TV x = TLanes.Broadcast(p);
                    c0 = TLanes.MultiplyAdd(x, w, c0);
                    d0 = TLanes.MultiplyAdd(x, v, d0);
                    e0 = TLanes.MultiplyAdd(x, u, e0);
                    x = TLanes.Broadcast(Unsafe.Add(ref p, 1));
                    c1 = TLanes.MultiplyAdd(x, w, c1);
                    d1 = TLanes.MultiplyAdd(x, v, d1);
                    e1 = TLanes.MultiplyAdd(x, u, e1);
                    x = TLanes.Broadcast(Unsafe.Add(ref p, 2));
                    c2 = TLanes.MultiplyAdd(x, w, c2);
                    d2 = TLanes.MultiplyAdd(x, v, d2);
                    e2 = TLanes.MultiplyAdd(x, u, e2);
                    x = TLanes.Broadcast(Unsafe.Add(ref p, 3));
                    c3 = TLanes.MultiplyAdd(x, w, c3);
                    d3 = TLanes.MultiplyAdd(x, v, d3);
                    e3 = TLanes.MultiplyAdd(x, u, e3);
                    x = TLanes.Broadcast(Unsafe.Add(ref p, 4));
                    c4 = TLanes.MultiplyAdd(x, w, c4);
                    d4 = TLanes.MultiplyAdd(x, v, d4);
                    e4 = TLanes.MultiplyAdd(x, u, e4);
                    x = TLanes.Broadcast(Unsafe.Add(ref p, 5));
                    c5 = TLanes.MultiplyAdd(x, w, c5);
                    d5 = TLanes.MultiplyAdd(x, v, d5);
                    e5 = TLanes.MultiplyAdd(x, u, e5);
                    x = TLanes.Broadcast(Unsafe.Add(ref p, 6));
                    c6 = TLanes.MultiplyAdd(x, w, c6);
                    d6 = TLanes.MultiplyAdd(x, v, d6);
                    e6 = TLanes.MultiplyAdd(x, u, e6);
                    x = TLanes.Broadcast(Unsafe.Add(ref p, 7));
                    c7 = TLanes.MultiplyAdd(x, w, c7);
                    d7 = TLanes.MultiplyAdd(x, v, d7);
                    e7 = TLanes.MultiplyAdd(x, u, e7);
                    (u, v) = (v, w);
                    p = ref Unsafe.Add(ref p, step);
                }
            }
            a = ref Unsafe.Add(ref a, g.AGroup);
            b = ref Unsafe.Add(ref b, g.BGroup);
        }
        ref T first = ref c;
        ref T second = ref Unsafe.Add(ref c, cTap);
        ref T third = ref Unsafe.Add(ref c, 2 * cTap);
        first = ref Put(c0, ref first, g.CTile, accumulate: true);
        first = ref Put(c1, ref first, g.CTile, accumulate: true);
        first = ref Put(c2, ref first, g.CTile, accumulate: true);
        first = ref Put(c3, ref first, g.CTile, accumulate: true);
        first = ref Put(c4, ref first, g.CTile, accumulate: true);
        first = ref Put(c5, ref first, g.CTile, accumulate: true);
        first = ref Put(c6, ref first, g.CTile, accumulate: true);
        Put(c7, ref first, g.CTile, accumulate: true);
        second = ref Put(d0, ref second, g.CTile, accumulate: true);
        second = ref Put(d1, ref second, g.CTile, accumulate: true);
        second = ref Put(d2, ref second, g.CTile, accumulate: true);
        second = ref Put(d3, ref second, g.CTile, accumulate: true);
        second = ref Put(d4, ref second, g.CTile, accumulate: true);
        second = ref Put(d5, ref second, g.CTile, accumulate: true);
        second = ref Put(d6, ref second, g.CTile, accumulate: true);
        Put(d7, ref second, g.CTile, accumulate: true);
        third = ref Put(e0, ref third, g.CTile, accumulate: true);
        third = ref Put(e1, ref third, g.CTile, accumulate: true);
        third = ref Put(e2, ref third, g.CTile, accumulate: true);
        third = ref Put(e3, ref third, g.CTile, accumulate: true);
        third = ref Put(e4, ref third, g.CTile, accumulate: true);
        third = ref Put(e5, ref third, g.CTile, accumulate: true);
        third = ref Put(e6, ref third, g.CTile, accumulate: true);
        Put(e7, ref third, g.CTile, accumulate: true);
    }

    /// <summary>As the tile of sixteen rows, but eight rows and two vectors.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Tile8x2<TRows>(in TileStrides g, ref T a, ref T b, ref T c, bool accumulate) where TRows : struct
    {
        nint s1 = g.ATile, s2 = 2 * s1, s3 = 3 * s1, s4 = 4 * s1, s5 = 5 * s1, s6 = 6 * s1, step = g.AStep, bStep = g.BStep;
        int from = g.Steps - g.SkippedFirst, to = g.SkippedLast;
        for (int down = 0; down < g.Down; down++)
        {
            ref T aTile = ref a;
            ref T cTile = ref c;
            for (int across = 0; across < g.Across; across++)
            {
                ref T aGroup = ref aTile;
                ref T bGroup = ref b;
                TV c0 = TLanes.Zero, c1 = c0, c2 = c0, c3 = c0, c4 = c0, c5 = c0, c6 = c0, c7 = c0;
                TV d0 = c0, d1 = c0, d2 = c0, d3 = c0, d4 = c0, d5 = c0, d6 = c0, d7 = c0;
                for (int group = g.Groups; group > 0; group--)
                {
                    ref T aSegment = ref aGroup;
                    ref T weight = ref bGroup;
                    for (int s = g.Segments; s > 0; s--)
                    {
                        ref T p = ref aSegment;
                        for (int t = g.Steps; t > 0; t--)
                        {
                            TV w = TLanes.Load(ref weight), v = TLanes.Load(ref Unsafe.Add(ref weight, TLanes.Count));
                            if (typeof(TRows) == typeof(AllRows) || t <= from)
                            {
                                TV y = TLanes.Broadcast(Unsafe.Subtract(ref p, s1));
                                c0 = TLanes.MultiplyAdd(y, w, c0);
                                d0 = TLanes.MultiplyAdd(y, v, d0);
                            }
                            TV x = TLanes.Broadcast(p);
                            c1 = TLanes.MultiplyAdd(x, w, c1);
                            d1 = TLanes.MultiplyAdd(x, v, d1);
                            x = TLanes.Broadcast(Unsafe.Add(ref p, s1));
                            c2 = TLanes.MultiplyAdd(x, w, c2);
                            d2 = TLanes.MultiplyAdd(x, v, d2);
                            x = TLanes.Broadcast(Unsafe.Add(ref p, s2));
                            c3 = TLanes.MultiplyAdd(x, w, c3);
                            d3 = TLanes.MultiplyAdd(x, v, d3);
                            x = TLanes.Broadcast(Unsafe.Add(ref p, s3));
                            c4 = TLanes.MultiplyAdd(x, w, c4);
                            d4 = TLanes.MultiplyAdd(x, v, d4);
                            x = TLanes.Broadcast(Unsafe.Add(ref p, s4));
                            c5 = TLanes.MultiplyAdd(x, w, c5);
                            d5 = TLanes.MultiplyAdd(x, v, d5);
                            x = TLanes.Broadcast(Unsafe.Add(ref p, s5));
                            c6 = TLanes.MultiplyAdd(x, w, c6);
                            d6 = TLanes.MultiplyAdd(x, v, d6);
                            if (typeof(TRows) == typeof(AllRows) || t > to)
                            {
                                TV y = TLanes.Broadcast(Unsafe.Add(ref p, s6));
                                c7 = TLanes.MultiplyAdd(y, w, c7);
                                d7 = TLanes.MultiplyAdd(y, v, d7);
                            }
                            p = ref Unsafe.Add(ref p, step);
                            weight = ref Unsafe.Add(ref weight, bStep);
                        }
                        aSegment = ref Unsafe.Add(ref aSegment, g.ASegment);
                        weight = ref Unsafe.Add(ref weight, g.BSegment);
                    }
                    aGroup = ref Unsafe.Add(ref aGroup, g.AGroup);
                    bGroup = ref Unsafe.Add(ref bGroup, g.BGroup);
                }
                ref T at = ref cTile;
                at = ref Put(c0, d0, ref at, g.CTile, accumulate);
                at = ref Put(c1, d1, ref at, g.CTile, accumulate);
                at = ref Put(c2, d2, ref at, g.CTile, accumulate);
                at = ref Put(c3, d3, ref at, g.CTile, accumulate);
                at = ref Put(c4, d4, ref at, g.CTile, accumulate);
                at = ref Put(c5, d5, ref at, g.CTile, accumulate);
                at = ref Put(c6, d6, ref at, g.CTile, accumulate);
                Put(c7, d7, ref at, g.CTile, accumulate);
                aTile = ref Unsafe.Add(ref aTile, g.AAcross);
                cTile = ref Unsafe.Add(ref cTile, g.CAcross);
            }
            a = ref Unsafe.Add(ref a, g.ADown);
            b = ref Unsafe.Add(ref b, g.BDown);
            c = ref Unsafe.Add(ref c, g.CDown);
        }
    }

    /// <summary>Likewise for 16 registers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Tile4x2<TRows>(in TileStrides g, ref T a, ref T b, ref T c, bool accumulate) where TRows : struct
    {
        nint s1 = g.ATile, s2 = 2 * s1, step = g.AStep, bStep = g.BStep;
        int from = g.Steps - g.SkippedFirst, to = g.SkippedLast;
        for (int down = 0; down < g.Down; down++)
        {
            ref T aTile = ref a;
            ref T cTile = ref c;
            for (int across = 0; across < g.Across; across++)
            {
                ref T aGroup = ref aTile;
                ref T bGroup = ref b;
                TV c0 = TLanes.Zero, c1 = c0, c2 = c0, c3 = c0, d0 = c0, d1 = c0, d2 = c0, d3 = c0;
                for (int group = g.Groups; group > 0; group--)
                {
                    ref T aSegment = ref aGroup;
                    ref T weight = ref bGroup;
                    for (int s = g.Segments; s > 0; s--)
                    {
                        ref T p = ref aSegment;
                        for (int t = g.Steps; t > 0; t--)
                        {
                            TV w = TLanes.Load(ref weight), v = TLanes.Load(ref Unsafe.Add(ref weight, TLanes.Count));
                            if (typeof(TRows) == typeof(AllRows) || t <= from)
                            {
                                TV y = TLanes.Broadcast(Unsafe.Subtract(ref p, s1));
                                c0 = TLanes.MultiplyAdd(y, w, c0);
                                d0 = TLanes.MultiplyAdd(y, v, d0);
                            }
                            TV x = TLanes.Broadcast(p);
                            c1 = TLanes.MultiplyAdd(x, w, c1);
                            d1 = TLanes.MultiplyAdd(x, v, d1);
                            x = TLanes.Broadcast(Unsafe.Add(ref p, s1));
                            c2 = TLanes.MultiplyAdd(x, w, c2);
                            d2 = TLanes.MultiplyAdd(x, v, d2);
                            if (typeof(TRows) == typeof(AllRows) || t > to)
                            {
                                TV y = TLanes.Broadcast(Unsafe.Add(ref p, s2));
                                c3 = TLanes.MultiplyAdd(y, w, c3);
                                d3 = TLanes.MultiplyAdd(y, v, d3);
                            }
                            p = ref Unsafe.Add(ref p, step);
                            weight = ref Unsafe.Add(ref weight, bStep);
                        }
                        aSegment = ref Unsafe.Add(ref aSegment, g.ASegment);
                        weight = ref Unsafe.Add(ref weight, g.BSegment);
                    }
                    aGroup = ref Unsafe.Add(ref aGroup, g.AGroup);
                    bGroup = ref Unsafe.Add(ref bGroup, g.BGroup);
                }
                ref T at = ref cTile;
                at = ref Put(c0, d0, ref at, g.CTile, accumulate);
                at = ref Put(c1, d1, ref at, g.CTile, accumulate);
                at = ref Put(c2, d2, ref at, g.CTile, accumulate);
                Put(c3, d3, ref at, g.CTile, accumulate);
                aTile = ref Unsafe.Add(ref aTile, g.AAcross);
                cTile = ref Unsafe.Add(ref cTile, g.CAcross);
            }
            a = ref Unsafe.Add(ref a, g.ADown);
            b = ref Unsafe.Add(ref b, g.BDown);
            c = ref Unsafe.Add(ref c, g.CDown);
        }
    }

    /// <summary>
    /// The weight gradient for 3 columns of 3 input channels, one or three kernel rows and one vector of output channels, added to what is there: 9 accumulators for each kernel row,
    /// of which the other tiles would leave 3 or 7 unused. A segment is a row of output pixels, a step a pixel; <paramref name="aRow"/> elements lie between the kernel rows of a,
    /// <paramref name="cRow"/> of c.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void NineRowGradient<TKernelRows>(in TileStrides g, nint aRow, ref T a, ref T b, ref T c, nint cRow) where TKernelRows : struct
    {
        nint step = g.AStep, bStep = g.BStep;
        TV c0 = TLanes.Zero, c1 = c0, c2 = c0, c3 = c0, c4 = c0, c5 = c0, c6 = c0, c7 = c0, c8 = c0;
        TV d0 = c0, d1 = c0, d2 = c0, d3 = c0, d4 = c0, d5 = c0, d6 = c0, d7 = c0, d8 = c0;
        TV e0 = c0, e1 = c0, e2 = c0, e3 = c0, e4 = c0, e5 = c0, e6 = c0, e7 = c0, e8 = c0;
        for (int s = g.Segments; s > 0; s--)
        {
            ref T p = ref a;
            ref T q = ref Unsafe.Add(ref a, aRow);
            ref T r = ref Unsafe.Add(ref q, aRow);
            for (int t = g.Steps; t > 0; t--)
            {
                TV y = TLanes.Load(ref b);
                c0 = TLanes.MultiplyAdd(TLanes.Broadcast(p), y, c0);
                c1 = TLanes.MultiplyAdd(TLanes.Broadcast(Unsafe.Add(ref p, 1)), y, c1);
                c2 = TLanes.MultiplyAdd(TLanes.Broadcast(Unsafe.Add(ref p, 2)), y, c2);
                c3 = TLanes.MultiplyAdd(TLanes.Broadcast(Unsafe.Add(ref p, 3)), y, c3);
                c4 = TLanes.MultiplyAdd(TLanes.Broadcast(Unsafe.Add(ref p, 4)), y, c4);
                c5 = TLanes.MultiplyAdd(TLanes.Broadcast(Unsafe.Add(ref p, 5)), y, c5);
                c6 = TLanes.MultiplyAdd(TLanes.Broadcast(Unsafe.Add(ref p, 6)), y, c6);
                c7 = TLanes.MultiplyAdd(TLanes.Broadcast(Unsafe.Add(ref p, 7)), y, c7);
                c8 = TLanes.MultiplyAdd(TLanes.Broadcast(Unsafe.Add(ref p, 8)), y, c8);
                if (typeof(TKernelRows) == typeof(ThreeKernelRows))
                {
                    d0 = TLanes.MultiplyAdd(TLanes.Broadcast(q), y, d0);
                    d1 = TLanes.MultiplyAdd(TLanes.Broadcast(Unsafe.Add(ref q, 1)), y, d1);
                    d2 = TLanes.MultiplyAdd(TLanes.Broadcast(Unsafe.Add(ref q, 2)), y, d2);
                    d3 = TLanes.MultiplyAdd(TLanes.Broadcast(Unsafe.Add(ref q, 3)), y, d3);
                    d4 = TLanes.MultiplyAdd(TLanes.Broadcast(Unsafe.Add(ref q, 4)), y, d4);
                    d5 = TLanes.MultiplyAdd(TLanes.Broadcast(Unsafe.Add(ref q, 5)), y, d5);
                    d6 = TLanes.MultiplyAdd(TLanes.Broadcast(Unsafe.Add(ref q, 6)), y, d6);
                    d7 = TLanes.MultiplyAdd(TLanes.Broadcast(Unsafe.Add(ref q, 7)), y, d7);
                    d8 = TLanes.MultiplyAdd(TLanes.Broadcast(Unsafe.Add(ref q, 8)), y, d8);
                    e0 = TLanes.MultiplyAdd(TLanes.Broadcast(r), y, e0);
                    e1 = TLanes.MultiplyAdd(TLanes.Broadcast(Unsafe.Add(ref r, 1)), y, e1);
                    e2 = TLanes.MultiplyAdd(TLanes.Broadcast(Unsafe.Add(ref r, 2)), y, e2);
                    e3 = TLanes.MultiplyAdd(TLanes.Broadcast(Unsafe.Add(ref r, 3)), y, e3);
                    e4 = TLanes.MultiplyAdd(TLanes.Broadcast(Unsafe.Add(ref r, 4)), y, e4);
                    e5 = TLanes.MultiplyAdd(TLanes.Broadcast(Unsafe.Add(ref r, 5)), y, e5);
                    e6 = TLanes.MultiplyAdd(TLanes.Broadcast(Unsafe.Add(ref r, 6)), y, e6);
                    e7 = TLanes.MultiplyAdd(TLanes.Broadcast(Unsafe.Add(ref r, 7)), y, e7);
                    e8 = TLanes.MultiplyAdd(TLanes.Broadcast(Unsafe.Add(ref r, 8)), y, e8);
                }
                p = ref Unsafe.Add(ref p, step);
                q = ref Unsafe.Add(ref q, step);
                r = ref Unsafe.Add(ref r, step);
                b = ref Unsafe.Add(ref b, bStep);
            }
            a = ref Unsafe.Add(ref a, g.ASegment);
        }
        ref T second = ref Unsafe.Add(ref c, cRow);
        ref T third = ref Unsafe.Add(ref second, cRow);
        c = ref Put(c0, ref c, g.CTile, accumulate: true);
        c = ref Put(c1, ref c, g.CTile, accumulate: true);
        c = ref Put(c2, ref c, g.CTile, accumulate: true);
        c = ref Put(c3, ref c, g.CTile, accumulate: true);
        c = ref Put(c4, ref c, g.CTile, accumulate: true);
        c = ref Put(c5, ref c, g.CTile, accumulate: true);
        c = ref Put(c6, ref c, g.CTile, accumulate: true);
        c = ref Put(c7, ref c, g.CTile, accumulate: true);
        Put(c8, ref c, g.CTile, accumulate: true);
        if (typeof(TKernelRows) != typeof(ThreeKernelRows)) return;
        second = ref Put(d0, ref second, g.CTile, accumulate: true);
        second = ref Put(d1, ref second, g.CTile, accumulate: true);
        second = ref Put(d2, ref second, g.CTile, accumulate: true);
        second = ref Put(d3, ref second, g.CTile, accumulate: true);
        second = ref Put(d4, ref second, g.CTile, accumulate: true);
        second = ref Put(d5, ref second, g.CTile, accumulate: true);
        second = ref Put(d6, ref second, g.CTile, accumulate: true);
        second = ref Put(d7, ref second, g.CTile, accumulate: true);
        Put(d8, ref second, g.CTile, accumulate: true);
        third = ref Put(e0, ref third, g.CTile, accumulate: true);
        third = ref Put(e1, ref third, g.CTile, accumulate: true);
        third = ref Put(e2, ref third, g.CTile, accumulate: true);
        third = ref Put(e3, ref third, g.CTile, accumulate: true);
        third = ref Put(e4, ref third, g.CTile, accumulate: true);
        third = ref Put(e5, ref third, g.CTile, accumulate: true);
        third = ref Put(e6, ref third, g.CTile, accumulate: true);
        third = ref Put(e7, ref third, g.CTile, accumulate: true);
        Put(e8, ref third, g.CTile, accumulate: true);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ref T Put(TV value, ref T c, nint next, bool accumulate)
    {
        TLanes.Store(accumulate ? TLanes.Add(TLanes.Load(ref c), value) : value, ref c);
        return ref Unsafe.Add(ref c, next);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ref T Put(TV left, TV right, ref T c, nint next, bool accumulate)
    {
        Put(right, ref Unsafe.Add(ref c, TLanes.Count), next, accumulate);
        return ref Put(left, ref c, next, accumulate);
    }
}
