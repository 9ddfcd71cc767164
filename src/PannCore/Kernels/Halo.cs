using System.Runtime.CompilerServices;

namespace PannCore.Kernels;

/// <summary>An NHWC image copied into a larger one of zeros.</summary>
internal static class Halo
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Copy<T>(ReadOnlySpan<T> image, Span<T> haloed, int h, int w, int c, int top, int left, int haloedH, int haloedW)
    {
        int row = haloedW * c, before = left * c, length = w * c;
        for (int y = 0; y < haloedH; y++)
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
