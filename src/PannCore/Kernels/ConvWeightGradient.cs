using System.Numerics.Tensors;
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

    /// <summary>Pixels that a fused tile sums up at least before it stores its accumulators, as far as there are images: loading and storing them takes as long as four pixels.</summary>
    private const int FusedPixels = 256;

    private readonly ConvGeometry _g;
    private readonly ConvPlan<float> _forward;
    private readonly int _tileRows;
    private readonly int _tileColumns;
    private readonly int _rowsPadded;
    private readonly int _channelsPadded;

    public ConvWeightGradient(ConvGeometry geometry, ConvPlan<float> forward)
    {
        _g = geometry;
        _forward = forward;
        (_tileRows, _tileColumns) = OuterProduct.TileSize<float>(geometry.K);
        _rowsPadded = (RowLength + _tileRows - 1) / _tileRows * _tileRows;
        _channelsPadded = (geometry.K + _tileColumns - 1) / _tileColumns * _tileColumns;
        Fused = OuterProduct.HasFusedGradient && geometry is { R: 3, S: 3, Stride: 1, Padding: 1 } && geometry.C % FusedChannels == 0 && _channelsPadded == geometry.K;
    }

    /// <summary>Whether tiles take the three kernel columns of 8 input channels at once.</summary>
    public bool Fused { get; }

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
        workers.Run(new FinishJob(this, Partials(images), partials, dw), _g.C, small: true);
    }

    /// <summary>Adds the partial sums of one input channel in index order and puts them into PyTorch's order.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Finish(int c, int count, ReadOnlySpan<float> partials, Span<float> dw, Scratch scratch)
    {
        Span<float> sum = scratch.Take<float>(0, _g.K);
        for (int tap = 0; tap < _g.R * _g.S; tap++)
        {
            int row = ((tap / _g.S * _rowsPadded) + (tap % _g.S * _g.C) + c) * _channelsPadded;
            sum.Clear();
            for (int partial = 0; partial < count; partial++)
                TensorPrimitives.Add(sum, partials.Slice((partial * PartialLength) + row, _g.K), sum);
            for (int k = 0; k < sum.Length; k++) dw[(((k * _g.C) + c) * _g.R * _g.S) + tap] = sum[k];
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Accumulate(int images, int partial, ReadOnlySpan<float> x, ReadOnlySpan<float> dy, Span<float> sum, IImages? before, Scratch scratch)
    {
        int partialCount = Partials(images);
        int first = (int)((long)images * partial / partialCount), end = (int)((long)images * (partial + 1) / partialCount);
        int imageSize = _g.H * _g.W * _g.C, pixels = _g.OutH * _g.OutW;
        sum.Clear();
        if (Fused)
        {
            int group = Math.Max(1, FusedPixels / pixels);
            for (int n = first; n < end; n += group)
            {
                int count = Math.Min(group, end - n);
                before?.Run(n, count, scratch);
                AccumulateFused(count, x[(n * imageSize)..], dy[(n * pixels * _g.K)..], sum);
            }
            return;
        }

        // A tile may read past the end of the last kernel row; what it reads there lands in rows that are thrown away.
        Span<float> haloed = scratch.Take<float>(0, _forward.HaloedLength + _tileRows);
        bool whole = _channelsPadded == _g.K;
        Span<float> padded = whole ? default : scratch.Take<float>(1, pixels * _channelsPadded);
        var strides = new TileStrides
        {
            Segments = _g.OutH,
            Steps = _g.OutW,
            ASegment = _g.Stride * _forward.HaloedW * _g.C,
            AStep = _g.Stride * _g.C,
            ATile = 1,
            BStep = _channelsPadded,
            CTile = _channelsPadded,
        };
        for (int n = first; n < end; n++)
        {
            before?.Run(n, 1, scratch);
            Halo.Copy(x.Slice(n * imageSize, imageSize), haloed, _g.H, _g.W, _g.C, _forward.Top, _forward.Left, _forward.HaloedH, _forward.HaloedW);
            ReadOnlySpan<float> gradient = dy.Slice(n * pixels * _g.K, pixels * _g.K);
            if (!whole)
            {
                Halo.Copy(gradient, padded, pixels, _g.K, 1, 0, 0, pixels, _channelsPadded);
                gradient = padded;
            }
            for (int r = 0; r < _g.R; r++)
            {
                for (int j = 0; j < _rowsPadded; j += _tileRows)
                {
                    for (int k = 0; k < _channelsPadded; k += _tileColumns)
                    {
                        OuterProduct.Tile(
                            _tileRows, strides, ref haloed[(r * _forward.HaloedW * _g.C) + j],
                            ref MemoryMarshal.GetReference(gradient[k..]), ref sum[(((r * _rowsPadded) + j) * _channelsPadded) + k], accumulate: true);
                    }
                }
            }
        }
    }

    /// <summary>A few images of a 3 x 3 convolution of stride 1, as they are: rows and columns that meet no gradient are left out.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void AccumulateFused(int images, ReadOnlySpan<float> x, ReadOnlySpan<float> dy, Span<float> sum)
    {
        // Tiles that take every pixel's whole cache line are followed by the hardware's prefetcher.
        if (_g.C > CacheLines.Floats) CacheLines.Touch(x[..(images * _g.H * _g.W * _g.C)]);
        if (_g.K > CacheLines.Floats) CacheLines.Touch(dy[..(images * _g.H * _g.W * _g.K)]);
        var strides = new TileStrides { Down = images, Steps = _g.W, AStep = _g.C, ADown = _g.H * _g.W * _g.C, BStep = _g.K, BDown = _g.H * _g.W * _g.K, CTile = _g.K };
        for (int r = 0; r < 3; r++)
        {
            // Output row oy meets input row oy + r - 1.
            int firstInput = Math.Max(0, r - 1), firstOutput = Math.Max(0, 1 - r);
            strides.Segments = _g.H - firstInput - firstOutput;
            if (strides.Segments <= 0) continue;
            for (int c = 0; c < _g.C; c += FusedChannels)
            {
                for (int k = 0; k < _g.K; k += OuterProduct.VectorBits / 32)
                {
                    OuterProduct.FusedGradient(
                        strides, ref MemoryMarshal.GetReference(x[((firstInput * _g.W * _g.C) + c)..]), ref MemoryMarshal.GetReference(dy[((firstOutput * _g.W * _g.K) + k)..]),
                        ref sum[(((r * _rowsPadded) + c) * _g.K) + k], _g.C * _g.K);
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
