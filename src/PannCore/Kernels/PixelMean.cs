namespace PannCore.Kernels;

/// <summary>y[c] = mean over the pixels of an image [pixel, c], and its gradient dx[pixel, c] = dy[c] / pixels.</summary>
internal static class PixelMean
{
    /// <summary>Elements added at once, as many pixels as there are in them: 4 KiB, long enough to hide a call, short enough for the nearest cache.</summary>
    private const int BlockElements = 1024;

    public static void Forward(ReadOnlySpan<float> x, Span<float> y, Scratch scratch)
    {
        if (x.Length % y.Length != 0) throw new ArgumentException("pixelMean: an image that is no whole number of pixels");
        int length = y.Length;
        while (2 * length <= Math.Min(x.Length, BlockElements)) length *= 2;
        Span<float> sums = scratch.Take<float>(slot: 0, length);
        x[..length].CopyTo(sums);
        for (int at = length; at < x.Length; at += length)
        {
            ReadOnlySpan<float> block = x.Slice(at, Math.Min(length, x.Length - at));
            FloatLines.Add(sums[..block.Length], block, sums[..block.Length]);
        }
        for (; length > y.Length; length /= 2) FloatLines.Add(sums[..(length / 2)], sums[(length / 2)..length], sums[..(length / 2)]);
        for (int c = 0; c < y.Length; c++) y[c] = sums[c] / (x.Length / y.Length);
    }

    public static void Gradient(ReadOnlySpan<float> dy, Span<float> dx)
    {
        if (dx.Length % dy.Length != 0) throw new ArgumentException("pixelMean: an image that is no whole number of pixels");
        for (int c = 0; c < dy.Length; c++) dx[c] = dy[c] / (dx.Length / dy.Length);
        for (int done = dy.Length; done < dx.Length; done *= 2) dx[..Math.Min(done, dx.Length - done)].CopyTo(dx[done..]);
    }
}
