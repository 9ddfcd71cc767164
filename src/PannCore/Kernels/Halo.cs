using System.Runtime.CompilerServices;

namespace PannCore.Kernels;

/// <summary>An NHWC image copied into a larger one of zeros.</summary>
internal static class Halo
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Copy<T>(ReadOnlySpan<T> image, Span<T> haloed, int h, int w, int c, int top, int left, int haloedH, int haloedW)
    {
        int row = haloedW * c, from = left * c, length = w * c;
        haloed[..(top * row)].Clear();
        for (int y = 0; y < h; y++)
        {
            Span<T> line = haloed.Slice((top + y) * row, row);
            line[..from].Clear();
            image.Slice(y * length, length).CopyTo(line[from..]);
            line[(from + length)..].Clear();
        }
        haloed[((top + h) * row)..(haloedH * row)].Clear();
    }
}
