using System.Runtime.Intrinsics;

namespace PannCore.Kernels;

/// <summary>The transforms of Winograd's algorithm at the width of the machine, for tiles of 2 x 2 or 4 x 4 outputs.</summary>
internal static class Winograd
{
    /// <summary>Elements of the memory that larger transforms of outputs and their gradients need between their two passes: 36 of the widest registers.</summary>
    public const int Between = 36 * 16;

    /// <summary>
    /// B' d B of a run of neighbouring patches, whose outputs begin at pixel <paramref name="x"/>; each position of a patch goes to a plane of its own.
    /// F(4x4, 3x3) keeps in <paramref name="strip"/>, six rows of <paramref name="stripRow"/> elements, what neighbours share: a run that does not begin at pixel 0 must follow the one before it,
    /// and the caller clears the first pixel of each row and those behind the image's, which are never written. F(2x2, 3x3) needs no strip.
    /// </summary>
    public static void Input(int output, in PatchRows<float> rows, int x, int width, int channels, int tiles, ref float domain, nint plane, Span<float> strip, int stripRow)
    {
        if (Vector512.IsHardwareAccelerated) Input<Vector512<float>, Lanes512<float>>(output, rows, x, width, channels, tiles, ref domain, plane, strip, stripRow);
        else if (Vector256.IsHardwareAccelerated) Input<Vector256<float>, Lanes256<float>>(output, rows, x, width, channels, tiles, ref domain, plane, strip, stripRow);
        else if (Vector128.IsHardwareAccelerated) Input<Vector128<float>, Lanes128<float>>(output, rows, x, width, channels, tiles, ref domain, plane, strip, stripRow);
        else Input<float, Lanes1<float>>(output, rows, x, width, channels, tiles, ref domain, plane, strip, stripRow);
    }

    public static void Output(int output, ref float domain, nint plane, int channels, int columns, ref float result, nint row, int rows, ref float between)
    {
        if (Vector512.IsHardwareAccelerated) Output<Vector512<float>, Lanes512<float>>(output, ref domain, plane, channels, columns, ref result, row, rows, ref between);
        else if (Vector256.IsHardwareAccelerated) Output<Vector256<float>, Lanes256<float>>(output, ref domain, plane, channels, columns, ref result, row, rows, ref between);
        else if (Vector128.IsHardwareAccelerated) Output<Vector128<float>, Lanes128<float>>(output, ref domain, plane, channels, columns, ref result, row, rows, ref between);
        else Output<float, Lanes1<float>>(output, ref domain, plane, channels, columns, ref result, row, rows, ref between);
    }

    /// <summary>The second half of F(2x2, 3x3)'s transform of outputs, A along the rows, of what <see cref="OuterProduct.DomainColumns"/> gives: only for 512 bits and 16 channels, as that.</summary>
    public static void OutputAlong(ref float half, nint plane, int columns, ref float result, nint row, int rows)
        => Winograd2Transforms<float, Vector512<float>, Lanes512<float>>.OutputAlong(ref half, plane, columns, ref result, row, rows);

    public static void OutputGradient(int output, ref float gradient, nint row, int rows, int columns, int channels, ref float domain, nint plane, ref float between)
    {
        if (Vector512.IsHardwareAccelerated) OutputGradient<Vector512<float>, Lanes512<float>>(output, ref gradient, row, rows, columns, channels, ref domain, plane, ref between);
        else if (Vector256.IsHardwareAccelerated) OutputGradient<Vector256<float>, Lanes256<float>>(output, ref gradient, row, rows, columns, channels, ref domain, plane, ref between);
        else if (Vector128.IsHardwareAccelerated) OutputGradient<Vector128<float>, Lanes128<float>>(output, ref gradient, row, rows, columns, channels, ref domain, plane, ref between);
        else OutputGradient<float, Lanes1<float>>(output, ref gradient, row, rows, columns, channels, ref domain, plane, ref between);
    }

    private static void Input<TV, TLanes>(int output, in PatchRows<float> rows, int x, int width, int channels, int tiles, ref float domain, nint plane, Span<float> strip, int stripRow)
        where TV : struct
        where TLanes : ILanes<float, TV>
    {
        if (output == 2)
        {
            Winograd2Transforms<float, TV, TLanes>.Input(rows, x, width, channels, tiles, ref domain, plane);
            return;
        }
        if (x == 0) Winograd4Transforms<float, TV, TLanes>.Down(rows, width * channels, ref strip[channels], stripRow);
        Winograd4Transforms<float, TV, TLanes>.Along(ref strip[x * channels], stripRow, channels, tiles, ref domain, plane);
    }

    private static void Output<TV, TLanes>(int output, ref float domain, nint plane, int channels, int columns, ref float result, nint row, int rows, ref float between)
        where TV : struct
        where TLanes : ILanes<float, TV>
    {
        if (output == 2)
        {
            Winograd2Transforms<float, TV, TLanes>.Output(ref domain, plane, channels, columns, ref result, row, rows);
            return;
        }
        Winograd4Transforms<float, TV, TLanes>.Output(ref domain, plane, channels, columns, ref result, row, rows, ref between);
    }

    private static void OutputGradient<TV, TLanes>(int output, ref float gradient, nint row, int rows, int columns, int channels, ref float domain, nint plane, ref float between)
        where TV : struct
        where TLanes : ILanes<float, TV>
    {
        if (output == 2)
        {
            Winograd2Transforms<float, TV, TLanes>.OutputGradient(ref gradient, row, rows, columns, channels, ref domain, plane);
            return;
        }
        Winograd4Transforms<float, TV, TLanes>.OutputGradient(ref gradient, row, rows, columns, channels, ref domain, plane, ref between);
    }
}
