using System.Numerics;
using System.Runtime.CompilerServices;

namespace PannCore.Kernels;

/// <summary>
/// A regular sub-grid of the pixels to compute that all use the same kernel taps. The forward pass has one; the data gradient of a
/// convolution with stride s has one for each of the s x s positions modulo s, because each sees other taps.
/// </summary>
/// <param name="Y">First row of the sub-grid.</param>
/// <param name="X">First column.</param>
/// <param name="Rows">Rows in the sub-grid.</param>
/// <param name="Columns">Columns in the sub-grid.</param>
/// <param name="SourceY">Row of the source, with its halo if the plan has one, under the first tap of the first pixel.</param>
/// <param name="SourceX">Column of it, likewise.</param>
/// <param name="TapRows">Kernel rows, in the order in which they meet rising source rows.</param>
/// <param name="TapColumns">Kernel columns, likewise.</param>
/// <param name="WeightOffset">Where this phase's packed weights begin.</param>
internal sealed record ConvPhase(
    int Y, int X, int Rows, int Columns, int SourceY, int SourceX, int[] TapRows, int[] TapColumns, int WeightOffset);

/// <summary>
/// How a convolution, or its data gradient, is computed as tiles of outer products over a source image: for a fixed kernel row, (kernel column, channel) is contiguous, so
/// no patch matrix is built. Tiles read the image itself where at most the first and the last pixel of a row meet taps beyond it, else a copy with a halo of zeros.
/// </summary>
internal sealed class ConvPlan<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    private ConvPlan(ConvGeometry geometry, bool transposed)
    {
        Transposed = transposed;
        (SourceChannels, Channels) = transposed ? (geometry.K, geometry.C) : (geometry.C, geometry.K);
        (SourceH, SourceW) = transposed ? (geometry.OutH, geometry.OutW) : (geometry.H, geometry.W);
        (H, W) = transposed ? (geometry.H, geometry.W) : (geometry.OutH, geometry.OutW);
        (GridStep, SourceStep) = transposed ? (geometry.Stride, 1) : (1, geometry.Stride);
        Taps = geometry.R * geometry.S;
        (TileRows, TileColumns) = OuterProduct.TileSize<T>(Channels);
        TilePixels = TileRows;
        PaddedChannels = (Channels + TileColumns - 1) / TileColumns * TileColumns;

        Axis[] rows = transposed ? Axis.DataGradient(geometry.H, geometry.R, geometry.Stride, geometry.Padding) : [Axis.Forward(geometry.OutH, geometry.R, geometry.Padding)];
        Axis[] columns = transposed ? Axis.DataGradient(geometry.W, geometry.S, geometry.Stride, geometry.Padding) : [Axis.Forward(geometry.OutW, geometry.S, geometry.Padding)];
        Paired = transposed && OuterProduct.HasFused && TileRows == 16 && geometry is { R: 3, S: 3, Stride: 2, Padding: 1 } && W % 2 == 0 && W >= TileRows;
        if (Paired)
        {
            TileRows /= 2;
            columns = [new(0, W / 2, -1, [1, 2, 0])];
        }
        Direct = Array.TrueForAll(columns, a => a.Count >= TileRows && -a.Source <= SourceStep && a.LastSource(SourceStep) - (SourceW - 1) <= SourceStep);
        Fused = Paired || (Direct && OuterProduct.HasFused && geometry is { R: 3, S: 3, Stride: 1, Padding: 1 });
        Top = Direct ? 0 : Math.Max(0, -rows.Min(a => a.Source));
        Left = Direct ? 0 : Math.Max(0, -columns.Min(a => a.Source));
        HaloedH = Direct ? SourceH : Math.Max(SourceH, rows.Max(a => a.LastSource(SourceStep)) + 1) + Top;
        HaloedW = Direct ? SourceW : Math.Max(SourceW, columns.Max(a => a.LastSource(SourceStep)) + 1) + Left;

        var phases = new List<ConvPhase>();
        int offset = 0;
        foreach (Axis row in rows)
        {
            foreach (Axis column in columns)
            {
                phases.Add(new(row.First, column.First, row.Count, column.Count, row.Source + Top, column.Source + Left, row.Taps, column.Taps, offset));
                offset += row.Taps.Length * column.Taps.Length * SourceChannels * PaddedChannels;
            }
        }
        Phases = [.. phases];
        IsGrid = Direct && geometry is { R: 1, S: 1, Padding: 0 } && Channels % TileColumns == 0 && phases[0].Columns % TileRows == 0;
        RowsRead = geometry.R == 1 ? SourceStep : 1;
        LeavesOut = phases.Exists(phase => phase.TapRows.Length * phase.TapColumns.Length == 0);
        PackedLength = offset;
    }

    public bool Transposed { get; }

    public int SourceH { get; }

    public int SourceW { get; }

    public int SourceChannels { get; }

    public int H { get; }

    public int W { get; }

    public int Channels { get; }

    /// <summary>Pixels between neighbours of a phase's sub-grid, in the result.</summary>
    public int GridStep { get; }

    /// <summary>Pixels between the sources of neighbours of a sub-grid.</summary>
    public int SourceStep { get; }

    public int Top { get; }

    public int Left { get; }

    public int HaloedH { get; }

    public int HaloedW { get; }

    /// <summary>Pixels of a phase's sub-grid that a tile takes.</summary>
    public int TileRows { get; }

    /// <summary>Pixels of the result that it computes: as many, or twice if <see cref="Paired"/>.</summary>
    public int TilePixels { get; }

    public int TileColumns { get; }

    /// <summary>Whether tiles read the image itself; there is no halo then.</summary>
    public bool Direct { get; }

    /// <summary>Whether tiles take the three kernel columns of a pixel at once; the weights are packed for it, column innermost.</summary>
    public bool Fused { get; }

    /// <summary>Whether all tiles of an image are alike, so that one call does them: a 1 x 1 kernel, and whole tiles.</summary>
    public bool IsGrid { get; }

    /// <summary>Every which row of the source is read: those between the rows that a kernel of one row meets are not.</summary>
    public int RowsRead { get; }

    /// <summary>Whether some pixels of the result meet no taps and are 0.</summary>
    public bool LeavesOut { get; }

    /// <summary>Whether a tile computes the even and the odd columns of the data gradient for stride 2 together; a phase then has the three kernel columns of both.</summary>
    public bool Paired { get; }

    public int PaddedChannels { get; }

    public int Taps { get; }

    public ConvPhase[] Phases { get; }

    public int PackedLength { get; }

    /// <summary>Elements of the haloed source, with room for what the last tile of a row reads beyond its pixels and throws away.</summary>
    public int HaloedLength => ((HaloedH * HaloedW) + ((TileRows + 2) * SourceStep)) * SourceChannels;

    public static ConvPlan<T> Forward(ConvGeometry geometry) => new(geometry, transposed: false);

    public static ConvPlan<T> DataGradient(ConvGeometry geometry) => new(geometry, transposed: true);

    /// <summary>Packed weights in memory of their own.</summary>
    public Memory<T> Pack<TWeight>(ReadOnlySpan<TWeight> weights, int kernelW) where TWeight : INumberBase<TWeight>
    {
        Memory<T> packed = AlignedBuffer.Allocate<T>(PackedLength);
        Pack(weights, kernelW, packed.Span);
        return packed;
    }

    /// <summary>Weights as the tiles read them: phase, block of output channels, kernel row, kernel column and source channel (the column inside the channel if fused), channel in the block; missing channels are 0.</summary>
    /// <param name="weights">Weights in PyTorch's order K, C, R, S.</param>
    /// <param name="kernelW">S, the kernel's width.</param>
    /// <param name="packed">Receives <see cref="PackedLength"/> elements.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Pack<TWeight>(ReadOnlySpan<TWeight> weights, int kernelW, Span<T> packed) where TWeight : INumberBase<TWeight>
    {
        int at = 0;
        foreach (ConvPhase phase in Phases)
        {
            for (int block = 0; block < PaddedChannels; block += TileColumns)
            {
                foreach (int r in phase.TapRows)
                {
                    for (int step = 0; step < phase.TapColumns.Length * SourceChannels; step++)
                    {
                        (int column, int from) = Fused ? (step % phase.TapColumns.Length, step / phase.TapColumns.Length) : (step / SourceChannels, step % SourceChannels);
                        int tap = (r * kernelW) + phase.TapColumns[column];
                        for (int to = block; to < block + TileColumns; to++)
                        {
                            int pair = Transposed ? (from * Channels) + to : (to * SourceChannels) + from;
                            packed[at++] = to < Channels ? T.CreateTruncating(weights[(pair * Taps) + tap]) : T.Zero;
                        }
                    }
                }
            }
        }
    }

    /// <summary>One axis of a phase: pixels First, First + step, ... (Count of them); the first reads source positions from Source on.</summary>
    private sealed record Axis(int First, int Count, int Source, int[] Taps)
    {
        public int LastSource(int step) => Taps.Length == 0 ? 0 : Source + ((Count - 1) * step) + Taps.Length - 1;

        public static Axis Forward(int outputs, int kernel, int padding) => new(0, outputs, -padding, [.. Enumerable.Range(0, kernel)]);

        /// <summary>
        /// Input pixel i received output o through tap r where o stride + r - padding = i, so only r = (i + padding) mod stride, + stride, ... matter.
        /// A rising tap means a falling output, so the taps are reversed to meet rising source positions.
        /// </summary>
        public static Axis[] DataGradient(int inputs, int kernel, int stride, int padding)
        {
            var axes = new List<Axis>();
            for (int first = 0; first < Math.Min(stride, inputs); first++)
            {
                int r0 = (first + padding) % stride;
                int taps = r0 < kernel ? ((kernel - 1 - r0) / stride) + 1 : 0;
                int source = taps == 0 ? 0 : ((first + padding - r0) / stride) - (taps - 1);
                axes.Add(new(first, ((inputs - 1 - first) / stride) + 1, source, [.. Enumerable.Range(0, taps).Select(j => r0 + (stride * (taps - 1 - j)))]));
            }
            return [.. axes];
        }
    }
}
