namespace PannCore.Kernels;

/// <summary>
/// Where the rows of an image under a row of patches begin, from top to bottom: four for F(2x2, 3x3), six for F(4x4, 3x3).
/// A row beyond the image is one of zeros, so that no image is copied to give it an edge.
/// </summary>
internal readonly ref struct PatchRows<T>
{
    public readonly ref readonly T Row0;
    public readonly ref readonly T Row1;
    public readonly ref readonly T Row2;
    public readonly ref readonly T Row3;
    public readonly ref readonly T Row4;
    public readonly ref readonly T Row5;

    /// <param name="image">An image.</param>
    /// <param name="first">The first row: -1 is the one above the image.</param>
    /// <param name="zeros">A row of zeros, as long as those of the image.</param>
    public PatchRows(ReadOnlySpan<T> image, int first, ReadOnlySpan<T> zeros)
    {
        Row0 = ref At(image, first, zeros)[0];
        Row1 = ref At(image, first + 1, zeros)[0];
        Row2 = ref At(image, first + 2, zeros)[0];
        Row3 = ref At(image, first + 3, zeros)[0];
        Row4 = ref At(image, first + 4, zeros)[0];
        Row5 = ref At(image, first + 5, zeros)[0];
    }

    private static ReadOnlySpan<T> At(ReadOnlySpan<T> image, int y, ReadOnlySpan<T> zeros)
        => y >= 0 && y * zeros.Length < image.Length ? image.Slice(y * zeros.Length, zeros.Length) : zeros;
}
