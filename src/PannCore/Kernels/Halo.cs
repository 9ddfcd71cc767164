using System.Runtime.CompilerServices;

namespace PannCore.Kernels;

/// <summary>An NHWC image copied into a larger one of zeros.</summary>
internal static class Halo
{
    public static void Copy<T>(ReadOnlySpan<T> image, Span<T> haloed, int h, int w, int c, int top, int left, int haloedH, int haloedW)
        => CopyRows(image, haloed, h, w, c, top, left, haloedW, 0, haloedH);

    /// <summary>Rows <paramref name="from"/> .. <paramref name="end"/> - 1 of the larger image.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void CopyRows<T>(ReadOnlySpan<T> image, Span<T> haloed, int h, int w, int c, int top, int left, int haloedW, int from, int end)
    {
        int row = haloedW * c, before = left * c, length = w * c;
        for (int y = from; y < end; y++)
        {
            Span<T> line = haloed.Slice(y * row, row);
            if (y < top || y >= top + h)
            {
                line.Clear();
                continue;
            }
            line[..before].Clear();
            image.Slice((y - top) * length, length).CopyTo(line[before..]);
            line[(before + length)..].Clear();
        }
    }
}
