using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace PannCore.Kernels;

/// <summary>
/// A 3 x 3 convolution of stride 1 and padding 1, its data gradient and its weight gradient by Winograd's F(2x2, 3x3), float32. Tiles are processed in blocks
/// that stay in the second-level cache: transform, 16 matrix products by the outer-product microkernel, transform back.
/// </summary>
internal sealed class WinogradPlan
{
    private const int Planes = 16;

    private readonly ConvGeometry _g;
    private readonly int _tilesDown, _tilesAcross, _haloedH, _haloedW;

    /// <param name="geometry">The convolution.</param>
    /// <param name="transposed">Whether this is the data gradient: channels exchanged, kernel turned by half a circle.</param>
    public WinogradPlan(ConvGeometry geometry, bool transposed)
    {
        _g = transposed ? geometry with { C = geometry.K, K = geometry.C } : geometry;
        Transposed = transposed;
        (_tilesDown, _tilesAcross) = ((_g.H + 1) / 2, (_g.W + 1) / 2);
        (_haloedH, _haloedW) = ((2 * _tilesDown) + 2, (2 * _tilesAcross) + 2);
        (TileRows, TileColumns) = OuterProduct.TileSize<float>(_g.K);
        BlockTiles = 64;
        ImagesPerChunk = Math.Max(1, BlockTiles / TilesPerImage);
    }

    public bool Transposed { get; }

    public int TileRows { get; }

    public int TileColumns { get; }

    /// <summary>Tiles transformed at a time, a multiple of the microkernel's rows.</summary>
    public int BlockTiles { get; }

    /// <summary>Images of a chunk: small images share a block.</summary>
    public int ImagesPerChunk { get; }

    public int InputChannels => _g.C;

    public int TilesPerImage => _tilesDown * _tilesAcross;

    /// <summary>Elements of the transformed weights: plane, block of output channels, input channel, output channel.</summary>
    public int PackedLength => Planes * _g.C * _g.K;

    /// <summary>
    /// Elements from plane to plane of a block, a cache line more than it holds: a transform touches all 16 planes at once,
    /// and at a distance of 4,096 bytes they would share one set of the first-level cache, which has fewer ways.
    /// </summary>
    private int PlaneOf(int channels) => (BlockTiles * channels) + 16;

    private int HaloedLength => _haloedH * _haloedW * _g.C;

    /// <summary>Whether the algorithm applies: whole registers of channels on both sides, and whole tiles of output channels.</summary>
    public static bool Applies(ConvGeometry g)
    {
        int lanes = Math.Max(1, OuterProduct.VectorBits / 32);
        return g is { R: 3, S: 3, Stride: 1, Padding: 1 } && g.C % lanes == 0 && g.K % lanes == 0
            && g.C % OuterProduct.TileSize<float>(g.C).Columns == 0 && g.K % OuterProduct.TileSize<float>(g.K).Columns == 0
            && g.C % OuterProduct.TileSize<float>(g.K).Rows == 0;
    }

    public int Chunks(int images) => (images + ImagesPerChunk - 1) / ImagesPerChunk;

    /// <summary>G g G' of every channel pair, computed in float64 and rounded once.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Pack(ReadOnlySpan<float> weights, Span<float> packed)
    {
        Span<double> rows = stackalloc double[12], domain = stackalloc double[Planes];
        for (int from = 0; from < _g.C; from++)
        {
            for (int to = 0; to < _g.K; to++)
            {
                ReadOnlySpan<float> g = weights.Slice(9 * (Transposed ? (from * _g.K) + to : (to * _g.C) + from), 9);
                for (int s = 0; s < 3; s++)
                {
                    double g0 = At(g, 0, s), g1 = At(g, 1, s), g2 = At(g, 2, s);
                    (rows[s], rows[3 + s], rows[6 + s], rows[9 + s]) = (g0, (g0 + g1 + g2) / 2, (g0 - g1 + g2) / 2, g2);
                }
                for (int i = 0; i < 4; i++)
                {
                    double g0 = rows[3 * i], g1 = rows[(3 * i) + 1], g2 = rows[(3 * i) + 2];
                    (domain[4 * i], domain[(4 * i) + 1], domain[(4 * i) + 2], domain[(4 * i) + 3]) = (g0, (g0 + g1 + g2) / 2, (g0 - g1 + g2) / 2, g2);
                }
                int block = to / TileColumns, column = to % TileColumns;
                for (int plane = 0; plane < Planes; plane++)
                    packed[(plane * _g.C * _g.K) + (((block * _g.C) + from) * TileColumns) + column] = (float)domain[plane];
            }
        }
    }

    /// <summary>Convolves the images of one chunk.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Forward(int chunk, int images, ReadOnlySpan<float> x, ReadOnlySpan<float> packed, Span<float> y, Scratch scratch)
    {
        int first = chunk * ImagesPerChunk, count = Math.Min(ImagesPerChunk, images - first);
        Span<float> haloed = Haloed(first, count, x, scratch);
        Span<float> input = scratch.Take<float>(1, Planes * PlaneOf(_g.C)), output = scratch.Take<float>(2, Planes * PlaneOf(_g.K));
        int tiles = count * TilesPerImage;
        for (int begin = 0; begin < tiles; begin += BlockTiles)
        {
            int end = Math.Min(tiles, begin + BlockTiles);
            TransformInput(begin, end, haloed, input);
            Multiply(end - begin, input, packed, output);
            for (int tile = begin; tile < end;)
            {
                Strip strip = StripAt(tile, end);
                Winograd.Output(
                    ref output[(tile - begin) * _g.K], PlaneOf(_g.K), _g.K, strip.Columns,
                    ref y[(((((first + strip.Image) * _g.H) + strip.Y) * _g.W) + strip.X) * _g.K], _g.W * _g.K, strip.Rows);
                tile += strip.Tiles;
            }
        }
    }

    /// <summary>Adds the images [first, first + count) to a partial sum of the weight gradient in the domain: plane, input channel, output channel.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void AddWeightGradient(int first, int count, ReadOnlySpan<float> x, ReadOnlySpan<float> dy, Span<float> sum, Scratch scratch)
    {
        var strides = new TileStrides { Segments = 1, AStep = _g.C, ATile = 1, BStep = _g.K, CTile = _g.K };
        Span<float> input = scratch.Take<float>(1, Planes * PlaneOf(_g.C)), gradient = scratch.Take<float>(2, Planes * PlaneOf(_g.K));
        for (int from = first; from < first + count; from += ImagesPerChunk)
        {
            int images = Math.Min(ImagesPerChunk, first + count - from), tiles = images * TilesPerImage;
            Span<float> haloed = Haloed(from, images, x, scratch);
            for (int begin = 0; begin < tiles; begin += BlockTiles)
            {
                int end = Math.Min(tiles, begin + BlockTiles);
                TransformInput(begin, end, haloed, input);
                for (int tile = begin; tile < end;)
                {
                    Strip strip = StripAt(tile, end);
                    Winograd.OutputGradient(
                        ref MemoryMarshal.GetReference(dy[((((((from + strip.Image) * _g.H) + strip.Y) * _g.W) + strip.X) * _g.K)..]), _g.W * _g.K,
                        strip.Rows, strip.Columns, _g.K, ref gradient[(tile - begin) * _g.K], PlaneOf(_g.K));
                    tile += strip.Tiles;
                }
                strides.Steps = end - begin;
                for (int plane = 0; plane < Planes; plane++)
                {
                    for (int c = 0; c < _g.C; c += TileRows)
                    {
                        for (int k = 0; k < _g.K; k += TileColumns)
                        {
                            OuterProduct.Tile(
                                TileRows, strides, ref input[(plane * PlaneOf(_g.C)) + c], ref gradient[(plane * PlaneOf(_g.K)) + k],
                                ref sum[(((plane * _g.C) + c) * _g.K) + k], accumulate: true);
                        }
                    }
                }
            }
        }
    }

    /// <summary>
    /// dw = G' u G for one input channel c, u the sum of <paramref name="count"/> partial sums, added in their order in float64:
    /// the weight gradients [k, c, :, :] of all k.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void FinishWeightGradient(int c, int count, ReadOnlySpan<float> partials, Span<float> dw, Scratch scratch)
    {
        Span<double> domain = scratch.Take<double>(0, Planes * _g.K), rows = stackalloc double[12];
        for (int plane = 0; plane < Planes; plane++)
        {
            Span<double> sum = domain.Slice(plane * _g.K, _g.K);
            sum.Clear();
            for (int partial = 0; partial < count; partial++)
            {
                ReadOnlySpan<float> addend = partials.Slice((partial * PackedLength) + (((plane * _g.C) + c) * _g.K), _g.K);
                for (int k = 0; k < sum.Length; k++) sum[k] += addend[k];
            }
        }
        for (int k = 0; k < _g.K; k++)
        {
            for (int j = 0; j < 4; j++)
            {
                double u0 = domain[(j * _g.K) + k], u1 = domain[((4 + j) * _g.K) + k], u2 = domain[((8 + j) * _g.K) + k], u3 = domain[((12 + j) * _g.K) + k];
                (rows[j], rows[4 + j], rows[8 + j]) = (u0 + ((u1 + u2) / 2), (u1 - u2) / 2, ((u1 + u2) / 2) + u3);
            }
            for (int r = 0; r < 3; r++)
            {
                double u0 = rows[4 * r], u1 = rows[(4 * r) + 1], u2 = rows[(4 * r) + 2], u3 = rows[(4 * r) + 3];
                Span<float> g = dw.Slice((((k * _g.C) + c) * 9) + (3 * r), 3);
                (g[0], g[1], g[2]) = ((float)(u0 + ((u1 + u2) / 2)), (float)((u1 - u2) / 2), (float)(((u1 + u2) / 2) + u3));
            }
        }
    }

    private float At(ReadOnlySpan<float> g, int r, int s) => Transposed ? g[(3 * (2 - r)) + 2 - s] : g[(3 * r) + s];

    private Span<float> Haloed(int first, int count, ReadOnlySpan<float> x, Scratch scratch)
    {
        Span<float> haloed = scratch.Take<float>(0, count * HaloedLength);
        int size = _g.H * _g.W * _g.C;
        for (int n = 0; n < count; n++)
            Halo.Copy(x.Slice((first + n) * size, size), haloed.Slice(n * HaloedLength, HaloedLength), _g.H, _g.W, _g.C, 1, 1, _haloedH, _haloedW);
        return haloed;
    }

    /// <summary>The tiles from this one to the end of its row of tiles, or of the block.</summary>
    private Strip StripAt(int tile, int end)
    {
        int image = tile / TilesPerImage, down = tile % TilesPerImage / _tilesAcross, across = tile % _tilesAcross, tiles = Math.Min(end - tile, _tilesAcross - across);
        return new(image, 2 * down, 2 * across, tiles, Math.Min(2, _g.H - (2 * down)), Math.Min(2 * tiles, _g.W - (2 * across)));
    }

    private void TransformInput(int begin, int end, Span<float> haloed, Span<float> domain)
    {
        for (int tile = begin; tile < end;)
        {
            Strip strip = StripAt(tile, end);
            int at = (strip.Image * HaloedLength) + (((strip.Y * _haloedW) + strip.X) * _g.C);
            Winograd.Input(ref haloed[at], _haloedW * _g.C, _g.C, strip.Tiles, ref domain[(tile - begin) * _g.C], PlaneOf(_g.C));
            tile += strip.Tiles;
        }
    }

    /// <summary>One matrix product a plane: tiles x C times C x K. Rows beyond the last tile hold old values and are never read back.</summary>
    private void Multiply(int tiles, Span<float> input, ReadOnlySpan<float> packed, Span<float> output)
    {
        var strides = new TileStrides { Segments = 1, Steps = _g.C, AStep = 1, ATile = _g.C, BStep = TileColumns, CTile = _g.K };
        ref float weights = ref MemoryMarshal.GetReference(packed[..PackedLength]);
        for (int plane = 0; plane < Planes; plane++)
        {
            for (int k = 0; k < _g.K; k += TileColumns)
            {
                ref float b = ref Unsafe.Add(ref weights, (plane * _g.C * _g.K) + (k * _g.C));
                for (int tile = 0; tile < tiles; tile += TileRows)
                {
                    OuterProduct.Tile(
                        TileRows, strides, ref input[(plane * PlaneOf(_g.C)) + (tile * _g.C)], ref b,
                        ref output[(plane * PlaneOf(_g.K)) + (tile * _g.K) + k], accumulate: false);
                }
            }
        }
    }
}

/// <summary>A run of tiles next to each other in one image: where it begins, and how much of it lies inside.</summary>
internal readonly record struct Strip(int Image, int Y, int X, int Tiles, int Rows, int Columns);

/// <summary>The transforms at the width of the machine.</summary>
internal static class Winograd
{
    public static void Input(ref float patch, nint row, int channels, int tiles, ref float domain, nint plane)
    {
        if (Vector512.IsHardwareAccelerated) WinogradTransforms<float, Vector512<float>, Lanes512<float>>.Input(ref patch, row, channels, tiles, ref domain, plane);
        else if (Vector256.IsHardwareAccelerated) WinogradTransforms<float, Vector256<float>, Lanes256<float>>.Input(ref patch, row, channels, tiles, ref domain, plane);
        else if (Vector128.IsHardwareAccelerated) WinogradTransforms<float, Vector128<float>, Lanes128<float>>.Input(ref patch, row, channels, tiles, ref domain, plane);
        else WinogradTransforms<float, float, Lanes1<float>>.Input(ref patch, row, channels, tiles, ref domain, plane);
    }

    public static void Output(ref float domain, nint plane, int channels, int columns, ref float output, nint row, int rows)
    {
        if (Vector512.IsHardwareAccelerated) WinogradTransforms<float, Vector512<float>, Lanes512<float>>.Output(ref domain, plane, channels, columns, ref output, row, rows);
        else if (Vector256.IsHardwareAccelerated) WinogradTransforms<float, Vector256<float>, Lanes256<float>>.Output(ref domain, plane, channels, columns, ref output, row, rows);
        else if (Vector128.IsHardwareAccelerated) WinogradTransforms<float, Vector128<float>, Lanes128<float>>.Output(ref domain, plane, channels, columns, ref output, row, rows);
        else WinogradTransforms<float, float, Lanes1<float>>.Output(ref domain, plane, channels, columns, ref output, row, rows);
    }

    public static void OutputGradient(ref float gradient, nint row, int rows, int columns, int channels, ref float domain, nint plane)
    {
        if (Vector512.IsHardwareAccelerated) WinogradTransforms<float, Vector512<float>, Lanes512<float>>.OutputGradient(ref gradient, row, rows, columns, channels, ref domain, plane);
        else if (Vector256.IsHardwareAccelerated) WinogradTransforms<float, Vector256<float>, Lanes256<float>>.OutputGradient(ref gradient, row, rows, columns, channels, ref domain, plane);
        else if (Vector128.IsHardwareAccelerated) WinogradTransforms<float, Vector128<float>, Lanes128<float>>.OutputGradient(ref gradient, row, rows, columns, channels, ref domain, plane);
        else WinogradTransforms<float, float, Lanes1<float>>.OutputGradient(ref gradient, row, rows, columns, channels, ref domain, plane);
    }
}
