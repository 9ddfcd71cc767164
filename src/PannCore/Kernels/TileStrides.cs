namespace PannCore.Kernels;

/// <summary>
/// Strides of one tile of accumulated outer products, in elements:
/// <c>c[i, v] (+)= sum over n &lt; Groups, s &lt; Segments, t &lt; Steps of a[n AGroup + s ASegment + t AStep + i ATile] * b[n BGroup + s (Steps BStep + BSegment) + t BStep + v]</c>.
/// </summary>
/// <remarks>
/// Convolution forward: i is an output pixel, v an output channel, a segment a kernel row, a step one (kernel column, input channel).
/// Weight gradient: i is a (kernel column, input channel), v an output channel, a group an image, a segment an image row, a step an output pixel.
/// Data gradient: as forward, on the gradient of the output. One microkernel serves them all. It computes a whole grid of such tiles in one
/// call, <see cref="Down"/> rows of <see cref="Across"/> tiles, because a call costs as much as a small tile does. The fused tiles and those of Winograd's domain say themselves how they read a and b.
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
