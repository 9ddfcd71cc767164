using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace PannCore.Kernels;

/// <summary>Convolves one image a chunk by a plan: the forward pass, or the data gradient by its plan. Work pending on the source is done image by image.</summary>
internal readonly struct ConvForwardJob<T>(ConvPlan<T> plan, ReadOnlyMemory<T> source, ReadOnlyMemory<T> weights, Memory<T> result, ElementwiseChain? pending = null) : IJob, IImages
    where T : unmanaged, IFloatingPointIeee754<T>
{
    public int Group => 1;

    public void Run(int first, int count, Scratch scratch)
    {
        for (int image = first; image < first + count; image++) Run(image, scratch);
    }

    public void Run(int chunk, Scratch scratch)
    {
        int sourceSize = plan.SourceH * plan.SourceW * plan.SourceChannels, size = plan.H * plan.W * plan.Channels;
        pending?.Run(chunk * sourceSize, sourceSize);
        ReadOnlySpan<T> image = source.Span.Slice(chunk * sourceSize, sourceSize);
        if (plan.Direct)
        {
            CacheLines.Touch(image);
        }
        else
        {
            Span<T> haloed = scratch.Take<T>(0, plan.HaloedLength);
            Halo.Copy(image, haloed, plan.SourceH, plan.SourceW, plan.SourceChannels, plan.Top, plan.Left, plan.HaloedH, plan.HaloedW);
            image = haloed;
        }
        Span<T> edge = scratch.Take<T>(1, plan.TileRows * plan.TileColumns);
        foreach (ConvPhase phase in plan.Phases) RunPhase(phase, image, weights.Span[..plan.PackedLength], result.Span.Slice(chunk * size, size), edge);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void RunPhase(ConvPhase phase, ReadOnlySpan<T> source, ReadOnlySpan<T> packed, Span<T> image, Span<T> edge)
    {
        int channels = plan.SourceChannels, columns = plan.TileColumns, rows = plan.TileRows, taps = phase.TapColumns.Length, step = plan.SourceStep, pixel = plan.GridStep * plan.Channels;
        int kernelRow = taps * channels * columns, blockLength = phase.TapRows.Length * kernelRow;
        var strides = new TileStrides
        {
            Steps = plan.Fused ? channels : taps * channels,
            ASegment = plan.HaloedW * channels,
            AStep = 1,
            ATile = step * channels,
            BStep = columns,
        };
        for (int block = 0; block < plan.PaddedChannels; block += columns)
        {
            int validChannels = Math.Min(columns, plan.Channels - block);
            for (int y = 0; y < phase.Rows; y++)
            {
                // Kernel rows beyond the image are left out. A phase without taps (stride above the kernel size) reads nothing and writes zeros.
                int sourceY = phase.SourceY + (y * step), first = Math.Max(0, -sourceY);
                strides.Segments = taps == 0 ? 0 : Math.Max(0, Math.Min(phase.TapRows.Length, plan.HaloedH - sourceY) - first);
                ReadOnlySpan<T> weight = packed, lines = source;
                if (strides.Segments > 0)
                {
                    weight = packed[(phase.WeightOffset + (block / columns * blockLength) + (first * kernelRow))..];
                    lines = source[((sourceY + first) * plan.HaloedW * channels)..];
                }
                int row = ((phase.Y + (y * plan.GridStep)) * plan.W) + phase.X;
                for (int x = 0; x < phase.Columns; x += rows)
                {
                    // The last tile of a row ends where the row ends, and computes pixels of the tile before it once more.
                    if (phase.Columns >= rows) x = Math.Min(x, phase.Columns - rows);
                    int sourceX = phase.SourceX + (x * step), beyond = sourceX + ((rows - 1) * step) + taps - plan.HaloedW;
                    Span<T> to = image[(((row + (x * plan.GridStep)) * plan.Channels) + block)..];
                    int validPixels = Math.Min(rows, phase.Columns - x);
                    bool whole = validPixels == rows && validChannels == columns;
                    strides.CTile = whole ? pixel : columns;
                    strides.SkippedFirst = plan.Direct && sourceX < 0 ? -sourceX * channels : 0;
                    strides.SkippedLast = plan.Direct && beyond > 0 ? beyond * channels : 0;
                    ref T a = ref MemoryMarshal.GetReference(strides.Segments == 0 ? lines : lines[((sourceX + step) * channels)..]);
                    ref T b = ref MemoryMarshal.GetReference(weight);
                    ref T c = ref MemoryMarshal.GetReference(whole ? to : edge);
                    if (plan.Fused) OuterProduct.Fused(rows, strides, ref a, ref b, ref c);
                    else OuterProduct.TileFromSecond(rows, strides, ref a, ref b, ref c, accumulate: false);
                    if (whole) continue;
                    // A tile that would write beyond the row or the channels goes through a full-tile temporary.
                    for (int i = 0; i < validPixels; i++) edge.Slice(i * columns, validChannels).CopyTo(to[(i * pixel)..]);
                }
            }
        }
    }
}
