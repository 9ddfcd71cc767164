using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace PannCore.Kernels;

/// <summary>The tile sizes of the widest vector unit that is there, and the dispatch to it.</summary>
/// <remarks>
/// The tiles, by the accumulators in registers: rows x vectors of columns (x kernel columns). Each is in the file OuterProduct + the name in the table.
/// <code>
/// tile              512 bits    256, 128, scalar  file       called for
/// Tile16x1          16 x 1      -                 Tiles      one vector of columns or less: ConvForwardJob, ConvWeightGradient, WinogradPlan
/// Tile8x2           8 x 2       -                 Tiles      more columns: the same, and GramJob
/// Tile4x2           -           4 x 2             Tiles      any columns: the same four
/// Fused16x1         16 x 1      -                 Fused      3 x 3, stride 1, forward and data gradient, one vector of columns or less: ConvForwardJob
/// Fused8x2          8 x 2       -                 Fused      the same for more columns: ConvForwardJob
/// Paired16x1        16 x 1      -                 Fused      3 x 3, stride 2, data gradient, one vector of columns or less: ConvForwardJob
/// FusedGradient8x3  8 x 1 x 3   -                 Gradients  3 x 3, stride 1, weight gradient, input channels in eights: ConvWeightGradient
/// NineRowGradient   27 x 1      9 x 1             Gradients  3 x 3, weight gradient, three input channels: ConvWeightGradient
/// DomainColumns8x1  8 x 1 x 3   -                 Winograd   F(2x2, 3x3), forward and data gradient, one vector of columns: WinogradPlan
/// </code>
/// No tile computes the data gradient of a stem with three channels: <see cref="ThreeChannelGradient"/>.
/// </remarks>
internal static class OuterProduct
{
    /// <summary>Bits of the vector registers used: 512, 256, 128, or 0 for scalar code.</summary>
    public static int VectorBits
        => Vector512.IsHardwareAccelerated ? 512 : Vector256.IsHardwareAccelerated ? 256 : Vector128.IsHardwareAccelerated ? 128 : 0;

    private static int Lanes<T>() where T : unmanaged => VectorBits == 0 ? 1 : VectorBits / 8 / Unsafe.SizeOf<T>();

    /// <summary>
    /// Rows and columns of the tile for matrices with this many columns. 32 registers (AVX-512) hold 16 accumulators,
    /// as 16 x 1 vector where one vector is all the columns there are, else 8 x 2; 16 registers hold 8, as 4 x 2.
    /// </summary>
    public static (int Rows, int Columns) TileSize<T>(int columns) where T : unmanaged
        => VectorBits == 512
            ? columns <= Lanes<T>() ? (16, Lanes<T>()) : (8, 2 * Lanes<T>())
            : (4, 2 * Lanes<T>());

    /// <summary>Whether the fused tiles for three kernel columns are there: they need 16 accumulators, for the weight gradient 24, and four to seven more registers.</summary>
    public static bool HasFused => VectorBits == 512;

    /// <summary>One tile of a convolution with three kernel columns and stride 1; see <see cref="OuterProduct{T, TV, TLanes}.Fused16x1"/>.</summary>
    public static void Fused<T>(int tileRows, in TileStrides g, ref T a, ref T b, ref T c) where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (tileRows == 16) OuterProduct<T, Vector512<T>, Lanes512<T>>.Fused16x1(g, ref a, ref b, ref c);
        else OuterProduct<T, Vector512<T>, Lanes512<T>>.Fused8x2(g, ref a, ref b, ref c);
    }

    /// <summary>One tile of the data gradient of a convolution with three kernel columns and stride 2; see <see cref="OuterProduct{T, TV, TLanes}.Paired16x1"/>.</summary>
    public static void Paired<T>(in TileStrides g, ref T a, ref T b, ref T c) where T : unmanaged, IFloatingPointIeee754<T>
        => OuterProduct<T, Vector512<T>, Lanes512<T>>.Paired16x1(g, ref a, ref b, ref c);

    /// <summary>The weight gradient for 8 input channels; see <see cref="OuterProduct{T, TV, TLanes}.FusedGradient8x3"/>.</summary>
    public static void FusedGradient<T>(in TileStrides g, ref T a, ref T b, ref T c, nint cTap) where T : unmanaged, IFloatingPointIeee754<T>
        => OuterProduct<T, Vector512<T>, Lanes512<T>>.FusedGradient8x3(g, ref a, ref b, ref c, cTap);

    /// <summary>Whether <see cref="DomainColumns"/> is there for so many columns: 8 tiles need 24 accumulators and two more registers, and one vector must be all the columns there are.</summary>
    public static bool HasDomainColumns<T>(int columns) where T : unmanaged => VectorBits == 512 && columns == Lanes<T>();

    /// <summary>Products of F(2x2, 3x3) with half of the transform of its outputs; see <see cref="OuterProduct{T, TV, TLanes}.DomainColumns8x1"/>.</summary>
    public static void DomainColumns<T>(in TileStrides g, ref T a, ref T b, ref T c, nint second) where T : unmanaged, IFloatingPointIeee754<T>
        => OuterProduct<T, Vector512<T>, Lanes512<T>>.DomainColumns8x1(g, ref a, ref b, ref c, second);

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
internal static partial class OuterProduct<T, TV, TLanes>
    where T : unmanaged, IFloatingPointIeee754<T>
    where TV : struct
    where TLanes : ILanes<T, TV>
{
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
