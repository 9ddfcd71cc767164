using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace PannCore.Kernels;

/// <summary>
/// dw[k,c,r,s] = sum over images and output pixels of x[stride oy + r - padding, stride ox + s - padding, c] dy[oy, ox, k].
/// Images are shared out over at most <see cref="MaxPartials"/> partial sums that are added in index order, so the bits do not depend on the threads.
/// </summary>
internal sealed class ConvWeightGradient
{
    public const int MaxPartials = 8;

    /// <summary>Input channels of a tile that takes three kernel columns at once.</summary>
    private const int FusedChannels = 8;

    /// <summary>Pixels that a tile sums up at least before it stores its accumulators, as far as there are images: loading and storing them takes as long as four pixels.</summary>
    private const int PixelsOfGroup = 256;

    /// <summary>Input channels whose partial sums are added together.</summary>
    private const int FinishedChannels = 8;

    private readonly ConvGeometry _g;
    private readonly int _tileRows;
    private readonly int _tileColumns;
    private readonly int _rowsPadded;
    private readonly int _channelsPadded;

    public ConvWeightGradient(ConvGeometry geometry)
    {
        _g = geometry;
        (_tileRows, _tileColumns) = OuterProduct.TileSize<float>(geometry.K);
        _rowsPadded = (RowLength + _tileRows - 1) / _tileRows * _tileRows;
        _channelsPadded = (geometry.K + _tileColumns - 1) / _tileColumns * _tileColumns;
        Fused = OuterProduct.HasFused && geometry is { R: 3, S: 3, Stride: 1, Padding: 1 } && geometry.C % FusedChannels == 0 && _channelsPadded == geometry.K;
        Direct = Fused || geometry.C % _tileRows == 0;
    }

    /// <summary>Whether tiles read the images themselves: a tile then belongs to one kernel column.</summary>
    public bool Direct { get; }

    /// <summary>Whether tiles take the three kernel columns of 8 input channels at once.</summary>
    public bool Fused { get; }

    /// <summary>Whether tiles take the three columns and three channels of a kernel row, and no more.</summary>
    public bool NineRows => _g is { R: 3, S: 3, C: 3 };

    /// <summary>Elements of one partial sum: kernel row, then (kernel column, channel) and output channel, both padded to whole tiles.</summary>
    public int PartialLength => _g.R * _rowsPadded * _channelsPadded;

    private int RowLength => _g.S * _g.C;

    public static int Partials(int images) => Math.Min(MaxPartials, images);

    /// <param name="images">Batch size N.</param>
    /// <param name="x">Input, N x H x W x C.</param>
    /// <param name="dy">Gradient of the output, N x OutH x OutW x K.</param>
    /// <param name="partials">Room for <see cref="Partials"/> x <see cref="PartialLength"/> elements.</param>
    /// <param name="dw">Result, K x C x R x S.</param>
    /// <param name="workers">The threads to use.</param>
    /// <param name="before">What is done with each image first: the data gradient, which reads the same dy.</param>
    public void Run(int images, ReadOnlyMemory<float> x, ReadOnlyMemory<float> dy, Memory<float> partials, Memory<float> dw, Workers workers, IImages? before = null)
    {
        workers.Run(new PartialJob(this, images, x, dy, partials, before), Partials(images));
        workers.Run(new FinishJob(this, Partials(images), partials, dw), (_g.C + FinishedChannels - 1) / FinishedChannels, small: true);
    }

    /// <summary>Adds the partial sums of a few input channels in index order and puts them into PyTorch's order.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Finish(int chunk, int count, ReadOnlySpan<float> partials, Span<float> dw, Scratch scratch)
    {
        int first = chunk * FinishedChannels, channels = Math.Min(FinishedChannels, _g.C - first);
        Span<float> sum = scratch.Take<float>(0, channels * _channelsPadded);
        for (int tap = 0; tap < _g.R * _g.S; tap++)
        {
            int row = ((tap / _g.S * _rowsPadded) + (tap % _g.S * _g.C) + first) * _channelsPadded;
            partials.Slice(row, sum.Length).CopyTo(sum);
            for (int partial = 1; partial < count; partial++)
                FloatLines.Add(sum, partials.Slice((partial * PartialLength) + row, sum.Length), sum);
            for (int k = 0; k < _g.K; k++)
            {
                for (int c = 0; c < channels; c++) dw[(((k * _g.C) + first + c) * _g.R * _g.S) + tap] = sum[(c * _channelsPadded) + k];
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Accumulate(int images, int partial, ReadOnlySpan<float> x, ReadOnlySpan<float> dy, Span<float> sum, IImages? before, Scratch scratch)
    {
        int partialCount = Partials(images);
        int first = (int)((long)images * partial / partialCount), end = (int)((long)images * (partial + 1) / partialCount);
        int imageSize = _g.H * _g.W * _g.C, pixels = _g.OutH * _g.OutW;
        sum.Clear();
        int group = Direct ? Math.Max(1, PixelsOfGroup / pixels) : 1;
        for (int n = first; n < end; n += group)
        {
            int count = Math.Min(group, end - n);
            before?.Run(n, count, scratch); // In the same scratch: nothing is taken from it before.
            ReadOnlySpan<float> inputs = x.Slice(n * imageSize, count * imageSize), gradients = dy.Slice(n * pixels * _g.K, count * pixels * _g.K);
            if (_channelsPadded != _g.K)
            {
                Span<float> padded = scratch.Take<float>(1, count * pixels * _channelsPadded);
                Halo.Copy(gradients, padded, count * pixels, _g.K, 1, 0, 0, count * pixels, _channelsPadded);
                gradients = padded;
            }
            if (Direct) AccumulateDirect(count, inputs, gradients, sum);
            else AccumulateHaloed(inputs, gradients, sum, scratch);
        }
    }

    /// <summary>A few images as they are: kernel row by kernel row, and column by column where the tiles do not take all three of them, the output pixels that meet input.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void AccumulateDirect(int images, ReadOnlySpan<float> x, ReadOnlySpan<float> dy, Span<float> sum)
    {
        int line = _g.W * _g.C, gradientLine = _g.OutW * _channelsPadded, tileRows = Fused ? FusedChannels : _tileRows, tileColumns = Fused ? OuterProduct.VectorBits / 32 : _tileColumns;
        // Where a tile's steps take line after line the hardware reads ahead by itself, and better; a single tap is too little work for it.
        if (_g.R * _g.S > 1 && _g.C * _g.Stride > CacheLines.Floats) CacheLines.Touch(x);
        if (_g.R * _g.S > 1 && _channelsPadded > tileColumns) CacheLines.Touch(dy);
        var strides = new TileStrides
        {
            Groups = images,
            AGroup = _g.H * line,
            BGroup = _g.OutH * gradientLine,
            ASegment = _g.Stride * line,
            AStep = _g.Stride * _g.C,
            ATile = 1,
            BStep = _channelsPadded,
            CTile = _channelsPadded,
        };
        for (int r = 0; r < _g.R; r++)
        {
            (int y, int endY) = Meeting(r, _g.H, _g.OutH);
            for (int s = 0; s < (Fused ? 1 : _g.S); s++)
            {
                (int firstX, int endX) = Fused ? (0, _g.W) : Meeting(s, _g.W, _g.OutW);
                if (y >= endY || firstX >= endX) continue;
                strides.Segments = endY - y;
                strides.Steps = endX - firstX;
                strides.BSegment = gradientLine - (strides.Steps * _channelsPadded);
                int from = (((y * _g.Stride) + r - _g.Padding) * line) + (Fused ? 0 : ((firstX * _g.Stride) + s - _g.Padding) * _g.C), with = (y * gradientLine) + (firstX * _channelsPadded);
                for (int c = 0; c < _g.C; c += tileRows)
                {
                    for (int k = 0; k < _channelsPadded; k += tileColumns)
                    {
                        ref float a = ref MemoryMarshal.GetReference(x[(from + c)..]), b = ref MemoryMarshal.GetReference(dy[(with + k)..]);
                        ref float to = ref sum[(((r * _rowsPadded) + (s * _g.C) + c) * _channelsPadded) + k];
                        if (Fused) OuterProduct.FusedGradient(strides, ref a, ref b, ref to, _g.C * _channelsPadded);
                        else OuterProduct.Tile(_tileRows, strides, ref a, ref b, ref to, accumulate: true);
                    }
                }
            }
        }
    }

    /// <summary>Along one axis, the outputs [First, End) whose tap of this number lies in the image.</summary>
    private (int First, int End) Meeting(int tap, int inputs, int outputs)
    {
        int beyond = _g.Padding - tap, end = inputs + beyond;
        return (Math.Max(0, (beyond + _g.Stride - 1) / _g.Stride), end <= 0 ? 0 : Math.Min(outputs, (end + _g.Stride - 1) / _g.Stride));
    }

    /// <summary>One image with a halo, for channel counts that are no multiple of a tile's rows: a row of the tile is a kernel column and a channel.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void AccumulateHaloed(ReadOnlySpan<float> x, ReadOnlySpan<float> dy, Span<float> sum, Scratch scratch)
    {
        int haloedW = _g.W + (2 * _g.Padding), haloedH = _g.H + (2 * _g.Padding);
        // A tile may read past the end of the last kernel row; what it reads there lands in rows that are thrown away.
        Span<float> haloed = scratch.Take<float>(0, (haloedH * haloedW * _g.C) + _tileRows);
        Halo.Copy(x, haloed, _g.H, _g.W, _g.C, _g.Padding, _g.Padding, haloedH, haloedW);
        var strides = new TileStrides
        {
            Segments = _g.OutH,
            Steps = _g.OutW,
            ASegment = _g.Stride * haloedW * _g.C,
            AStep = _g.Stride * _g.C,
            ATile = 1,
            BStep = _channelsPadded,
            CTile = _channelsPadded,
        };
        if (NineRows)
        {
            for (int k = 0; k < _channelsPadded; k += Math.Max(1, OuterProduct.VectorBits / 32))
                OuterProduct.NineRowGradient(strides, haloedW * _g.C, ref haloed[0], ref MemoryMarshal.GetReference(dy[k..]), ref sum[k], _rowsPadded * _channelsPadded);
            return;
        }
        for (int r = 0; r < _g.R; r++)
        {
            for (int j = 0; j < _rowsPadded; j += _tileRows)
            {
                for (int k = 0; k < _channelsPadded; k += _tileColumns)
                {
                    OuterProduct.Tile(
                        _tileRows, strides, ref haloed[(r * haloedW * _g.C) + j], ref MemoryMarshal.GetReference(dy[k..]), ref sum[(((r * _rowsPadded) + j) * _channelsPadded) + k], accumulate: true);
                }
            }
        }
    }

    private readonly struct PartialJob(ConvWeightGradient owner, int images, ReadOnlyMemory<float> x, ReadOnlyMemory<float> dy, Memory<float> partials, IImages? before) : IJob
    {
        public void Run(int chunk, Scratch scratch)
            => owner.Accumulate(images, chunk, x.Span, dy.Span, partials.Span.Slice(chunk * owner.PartialLength, owner.PartialLength), before, scratch);
    }

    private readonly struct FinishJob(ConvWeightGradient owner, int count, ReadOnlyMemory<float> partials, Memory<float> dw) : IJob
    {
        public void Run(int chunk, Scratch scratch) => owner.Finish(chunk, count, partials.Span, dw.Span, scratch);
    }
}
