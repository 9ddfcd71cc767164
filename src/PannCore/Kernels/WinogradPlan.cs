using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace PannCore.Kernels;

/// <summary>
/// A 3 x 3 convolution of stride 1 and padding 1, its data gradient and its weight gradient by Winograd's F(2x2, 3x3) or F(4x4, 3x3), float32. Tiles are processed in
/// blocks that stay in the cache: transform, one matrix product a plane of the domain by the outer-product microkernel, transform back.
/// </summary>
internal sealed class WinogradPlan
{
    /// <summary>Tiles transformed at a time, a multiple of the microkernel's rows: few enough for the nearest caches, enough to read the weights seldom.</summary>
    private const int BlockTiles = 32;

    /// <summary>The same by columns of the domain: 42 KB with the weights at 16 channels, for a first-level cache of 48 (13.5 us an image on Zen 5; by 32 tiles 15.2, by 8, for one of 32, 13.9).</summary>
    private const int ColumnBlockTiles = 16;

    private readonly ConvGeometry _g;
    private readonly WinogradForm _form;
    private readonly int _tilesDown, _tilesAcross;

    /// <param name="geometry">The convolution.</param>
    /// <param name="form">F(2x2, 3x3) or F(4x4, 3x3).</param>
    /// <param name="transposed">Whether this is the data gradient: channels exchanged, kernel turned by half a circle.</param>
    public WinogradPlan(ConvGeometry geometry, WinogradForm form, bool transposed)
    {
        _g = transposed ? geometry with { C = geometry.K, K = geometry.C } : geometry;
        _form = form;
        Transposed = transposed;
        (_tilesDown, _tilesAcross) = ((_g.H + Output - 1) / Output, (_g.W + Output - 1) / Output);
        (TileRows, TileColumns) = OuterProduct.TileSize<float>(_g.K);
        ByColumns = form.Output == 2 && OuterProduct.HasDomainColumns<float>(_g.K);
        ImagesPerChunk = Math.Max(1, BlockTiles / TilesPerImage);
    }

    public bool Transposed { get; }

    /// <summary>Rows and columns of a tile of the microkernel.</summary>
    public int TileRows { get; }

    public int TileColumns { get; }

    /// <summary>Whether products are added down the columns of the domain while they are in registers, in the order of <see cref="Winograd.Output"/> and so with its bits; else each plane is stored.</summary>
    public bool ByColumns { get; }

    /// <summary>Images of a chunk: small images share a block.</summary>
    public int ImagesPerChunk { get; }

    public int InputChannels => _g.C;

    /// <summary>Elements of the transformed weights: plane, block of output channels, input channel, output channel.</summary>
    public int PackedLength => Planes * _g.C * _g.K;

    private int Output => _form.Output;

    private int Patch => _form.Output + 2;

    private int Planes => Patch * Patch;

    private int TilesPerImage => _tilesDown * _tilesAcross;

    /// <summary>Elements of a row of pixels under a row of patches.</summary>
    private int StripRow => ((Output * _tilesAcross) + 2) * _g.C;

    /// <summary>Whether the algorithm applies: whole registers of channels on both sides, and whole tiles of output channels.</summary>
    public static bool Applies(ConvGeometry g)
    {
        int lanes = Math.Max(1, OuterProduct.VectorBits / 32);
        return g is { R: 3, S: 3, Stride: 1, Padding: 1 } && g.C % lanes == 0 && g.K % lanes == 0
            && g.C % OuterProduct.TileSize<float>(g.C).Columns == 0 && g.K % OuterProduct.TileSize<float>(g.K).Columns == 0
            && g.C % OuterProduct.TileSize<float>(g.K).Rows == 0;
    }

    /// <summary>G g G' of one input channel with every output channel, computed in float64 and rounded once.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Pack(int from, ReadOnlySpan<float> weights, Span<float> packed, Scratch scratch)
    {
        int n = Patch, channels = _g.K;
        Span<double> kernel = scratch.Take<double>(0, 9 * channels), rows = scratch.Take<double>(1, 3 * n * channels), domain = scratch.Take<double>(2, n * channels);
        for (int to = 0; to < channels; to++)
        {
            ReadOnlySpan<float> g = weights.Slice(9 * (Transposed ? (from * channels) + to : (to * _g.C) + from), 9);
            for (int tap = 0; tap < 9; tap++) kernel[(tap * channels) + to] = g[Transposed ? 8 - tap : tap];
        }
        // rows[i, s, to] = sum over r of G[i, r] g[r, s, to], then for each i domain[j, to] = sum over s of G[j, s] rows[i, s, to].
        RowMixing.Run<double>(_form.Kernel, n, 3, kernel, rows);
        for (int i = 0; i < n; i++)
        {
            RowMixing.Run<double>(_form.Kernel, n, 3, rows.Slice(i * 3 * channels, 3 * channels), domain);
            for (int j = 0; j < n; j++)
            {
                for (int block = 0; block < channels; block += TileColumns)
                {
                    Span<float> to = packed.Slice(((((i * n) + j) * channels) + block) * _g.C + (from * TileColumns), TileColumns);
                    FloatLines.Narrow(domain.Slice((j * channels) + block, TileColumns), to);
                }
            }
        }
    }

    /// <summary>Convolves the images [first, first + count).</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Forward(int first, int count, ReadOnlySpan<float> x, ReadOnlySpan<float> packed, Span<float> y, Scratch scratch)
    {
        int block = ByColumns ? ColumnBlockTiles : BlockTiles, inputPlane = PlaneOf(_g.C, block), outputPlane = PlaneOf(_g.K, block);
        Span<float> around = Around(scratch);
        // As much as the weight gradient takes, though columns need less: were this memory to grow later, the two would lie so that the weight gradient takes a fifth longer.
        Span<float> input = scratch.Take<float>(1, Planes * PlaneOf(_g.C)), output = scratch.Take<float>(2, Planes * PlaneOf(_g.K));
        ref float between = ref scratch.Take<float>(3, Winograd.Between)[0];
        int tiles = count * TilesPerImage;
        for (int begin = 0; begin < tiles; begin += block)
        {
            int end = Math.Min(tiles, begin + block);
            TransformInput(first, begin, end, x, around, input, inputPlane);
            if (ByColumns) MultiplyByColumns(end - begin, input, inputPlane, packed, output, outputPlane);
            else Multiply(end - begin, input, packed, output);
            for (int tile = begin; tile < end;)
            {
                TileRun run = RunAt(tile, end);
                ref float domain = ref output[(tile - begin) * _g.K];
                ref float result = ref y[(((((first + run.Image) * _g.H) + run.Y) * _g.W) + run.X) * _g.K];
                if (ByColumns) Winograd.OutputAlong(ref domain, outputPlane, run.Columns, ref result, _g.W * _g.K, run.Rows);
                else Winograd.Output(Output, ref domain, outputPlane, _g.K, run.Columns, ref result, _g.W * _g.K, run.Rows, ref between);
                tile += run.Tiles;
            }
        }
    }

    /// <summary>Adds the images [first, first + count), at most <see cref="ImagesPerChunk"/>, to a partial sum of the weight gradient in the domain: input channel, plane, output channel.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void AddWeightGradient(int first, int count, ReadOnlySpan<float> x, ReadOnlySpan<float> dy, Span<float> sum, Scratch scratch)
    {
        var strides = new TileStrides
        {
            AStep = _g.C,
            ATile = 1,
            BStep = _g.K,
            CTile = Planes * _g.K,
            Across = _g.C / TileRows,
            AAcross = TileRows,
            CAcross = TileRows * Planes * _g.K,
            Down = Planes,
            ADown = PlaneOf(_g.C),
            BDown = PlaneOf(_g.K),
            CDown = _g.K,
        };
        Span<float> around = Around(scratch);
        Span<float> input = scratch.Take<float>(1, Planes * PlaneOf(_g.C)), gradient = scratch.Take<float>(2, Planes * PlaneOf(_g.K));
        ref float between = ref scratch.Take<float>(3, Winograd.Between)[0];
        int tiles = count * TilesPerImage;
        for (int begin = 0; begin < tiles; begin += BlockTiles)
        {
            int end = Math.Min(tiles, begin + BlockTiles);
            TransformInput(first, begin, end, x, around, input, PlaneOf(_g.C));
            for (int tile = begin; tile < end;)
            {
                TileRun run = RunAt(tile, end);
                Winograd.OutputGradient(
                    Output, ref MemoryMarshal.GetReference(dy[((((((first + run.Image) * _g.H) + run.Y) * _g.W) + run.X) * _g.K)..]), _g.W * _g.K,
                    run.Rows, run.Columns, _g.K, ref gradient[(tile - begin) * _g.K], PlaneOf(_g.K), ref between);
                tile += run.Tiles;
            }
            strides.Steps = end - begin;
            for (int k = 0; k < _g.K; k += TileColumns) OuterProduct.Tile(TileRows, strides, ref input[0], ref gradient[k], ref sum[k], accumulate: true);
        }
    }

    /// <summary>
    /// dw = G' u G for one input channel c, u the sum of <paramref name="count"/> partial sums, added in their order:
    /// the weight gradients [k, c, :, :] of all k.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void FinishWeightGradient(int c, int count, ReadOnlySpan<float> partials, Span<float> dw, Scratch scratch)
    {
        int n = Patch, channels = _g.K, length = Planes * channels;
        Span<float> domain = scratch.Take<float>(0, length), rows = scratch.Take<float>(1, 3 * n * channels), kernel = scratch.Take<float>(2, 3 * channels);
        partials.Slice(c * length, length).CopyTo(domain);
        for (int partial = 1; partial < count; partial++)
            FloatLines.Add(domain, partials.Slice((partial * PackedLength) + (c * length), length), domain);
        RowMixing.Run<float>(_form.KernelTransposed, 3, n, domain, rows);
        for (int r = 0; r < 3; r++)
        {
            RowMixing.Run<float>(_form.KernelTransposed, 3, n, rows.Slice(r * n * channels, n * channels), kernel);
            for (int s = 0; s < 3; s++)
            {
                for (int k = 0; k < channels; k++) dw[(((k * _g.C) + c) * 9) + (3 * r) + s] = kernel[(s * channels) + k];
            }
        }
    }

    /// <summary>
    /// Elements from plane to plane of a block, a cache line more than it holds: a transform touches all planes at once,
    /// and at a distance of 4,096 bytes they would share one set of the first-level cache, which has fewer ways.
    /// </summary>
    private static int PlaneOf(int channels, int block = BlockTiles) => (block * channels) + 16;

    /// <summary>The tiles from this one to the end of its row of tiles, or of the block.</summary>
    private TileRun RunAt(int tile, int end)
    {
        int image = tile / TilesPerImage, down = tile % TilesPerImage / _tilesAcross, across = tile % _tilesAcross, tiles = Math.Min(end - tile, _tilesAcross - across);
        return new(image, Output * down, Output * across, tiles, Math.Min(Output, _g.H - (Output * down)), Math.Min(Output * tiles, _g.W - (Output * across)));
    }

    /// <summary>What lies around images: a row of zeros, which stands for rows beyond them, and for F(4x4, 3x3) the strip of <see cref="Winograd.Input"/>, with zeros for the pixels beyond them.</summary>
    private Span<float> Around(Scratch scratch)
    {
        int line = _g.W * _g.C;
        Span<float> around = scratch.Take<float>(0, line + (Output == 4 ? Patch * StripRow : 0));
        around[..line].Clear();
        for (int row = line; row < around.Length; row += StripRow)
        {
            around.Slice(row, _g.C).Clear();
            around[(row + _g.C + line)..(row + StripRow)].Clear();
        }
        return around;
    }

    /// <summary>Transforms the patches of a block, from the image itself.</summary>
    private void TransformInput(int first, int begin, int end, ReadOnlySpan<float> x, Span<float> around, Span<float> domain, int plane)
    {
        int size = _g.H * _g.W * _g.C, line = _g.W * _g.C;
        for (int tile = begin; tile < end;)
        {
            TileRun run = RunAt(tile, end);
            var rows = new PatchRows<float>(x.Slice((first + run.Image) * size, size), run.Y - 1, around[..line]);
            Winograd.Input(Output, rows, run.X, _g.W, _g.C, run.Tiles, ref domain[(tile - begin) * _g.C], plane, around[line..], StripRow);
            tile += run.Tiles;
        }
    }

    /// <summary>One matrix product a plane: tiles x C times C x K. Rows beyond the last tile hold old values and are never read back.</summary>
    private void Multiply(int tiles, Span<float> input, ReadOnlySpan<float> packed, Span<float> output)
    {
        var strides = new TileStrides
        {
            Steps = _g.C,
            AStep = 1,
            ATile = _g.C,
            BStep = TileColumns,
            CTile = _g.K,
            Across = (tiles + TileRows - 1) / TileRows,
            AAcross = TileRows * _g.C,
            CAcross = TileRows * _g.K,
            Down = Planes,
            ADown = PlaneOf(_g.C),
            BDown = _g.C * _g.K,
            CDown = PlaneOf(_g.K),
        };
        ref float weights = ref MemoryMarshal.GetReference(packed[..PackedLength]);
        for (int k = 0; k < _g.K; k += TileColumns)
            OuterProduct.Tile(TileRows, strides, ref input[0], ref Unsafe.Add(ref weights, k * _g.C), ref output[k], accumulate: false);
    }

    /// <summary>The same with the first half of the transform back, A' down the columns of the domain.</summary>
    private void MultiplyByColumns(int tiles, Span<float> input, int inputPlane, ReadOnlySpan<float> packed, Span<float> half, int halfPlane)
    {
        const int tileRows = 8;
        var strides = new TileStrides
        {
            Steps = _g.C,
            AGroup = Patch * inputPlane,
            AStep = 1,
            ATile = _g.C,
            BGroup = Patch * _g.C * _g.K,
            BStep = _g.K,
            CTile = _g.K,
            Across = (tiles + tileRows - 1) / tileRows,
            AAcross = tileRows * _g.C,
            CAcross = tileRows * _g.K,
            Down = Patch,
            ADown = inputPlane,
            BDown = _g.C * _g.K,
            CDown = halfPlane,
        };
        OuterProduct.DomainColumns(strides, ref input[0], ref MemoryMarshal.GetReference(packed[..PackedLength]), ref half[0], Patch * halfPlane);
    }

    /// <summary>A run of tiles next to each other in one image: where it begins, and how much of it lies inside.</summary>
    private readonly record struct TileRun(int Image, int Y, int X, int Tiles, int Rows, int Columns);
}
