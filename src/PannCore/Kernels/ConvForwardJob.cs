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
        if (plan.Fused)
        {
            RunFused(source.Span.Slice(chunk * sourceSize, sourceSize), weights.Span[..plan.PackedLength], result.Span.Slice(chunk * size, size), scratch);
            return;
        }
        Span<T> haloed = scratch.Take<T>(0, plan.HaloedLength);
        Halo.Copy(source.Span.Slice(chunk * sourceSize, sourceSize), haloed, plan.SourceH, plan.SourceW, plan.SourceChannels, plan.Top, plan.Left, plan.HaloedH, plan.HaloedW);
        Span<T> edge = scratch.Take<T>(1, plan.TileRows * plan.TileColumns);
        Span<T> image = result.Span.Slice(chunk * size, size);
        ReadOnlySpan<T> packed = weights.Span[..plan.PackedLength];
        foreach (ConvPhase phase in plan.Phases) RunPhase(phase, haloed, packed, image, edge);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void RunPhase(ConvPhase phase, Span<T> haloed, ReadOnlySpan<T> packed, Span<T> image, Span<T> edge)
    {
        int channels = plan.SourceChannels, columns = plan.TileColumns, rows = plan.TileRows;
        var strides = new TileStrides
        {
            Segments = phase.TapRows.Length,
            Steps = phase.TapColumns.Length * channels,
            ASegment = plan.HaloedW * channels,
            AStep = 1,
            ATile = plan.SourceStep * channels,
            BStep = columns,
        };
        int blockLength = strides.Segments * phase.TapColumns.Length * channels * columns;
        for (int block = 0; block < plan.PaddedChannels; block += columns)
        {
            // A phase without taps (stride above the kernel size) reads no weights and writes zeros.
            ref T weight = ref Unsafe.Add(ref MemoryMarshal.GetReference(packed), blockLength == 0 ? 0 : phase.WeightOffset + (block / columns * blockLength));
            int validChannels = Math.Min(columns, plan.Channels - block);
            for (int y = 0; y < phase.Rows; y++)
            {
                int sourceRow = ((phase.SourceY + (y * plan.SourceStep)) * plan.HaloedW) + phase.SourceX;
                int resultRow = ((phase.Y + (y * plan.GridStep)) * plan.W) + phase.X;
                for (int x = 0; x < phase.Columns; x += rows)
                {
                    ref T a = ref haloed[(sourceRow + (x * plan.SourceStep)) * channels];
                    int at = ((resultRow + (x * plan.GridStep)) * plan.Channels) + block;
                    int validPixels = Math.Min(rows, phase.Columns - x);
                    if (validPixels == rows && validChannels == columns)
                    {
                        strides.CTile = plan.GridStep * plan.Channels;
                        OuterProduct.Tile(rows, strides, ref a, ref weight, ref image[at], accumulate: false);
                        continue;
                    }
                    // A tile that would write beyond the row or the channels goes through a full-tile temporary.
                    strides.CTile = columns;
                    OuterProduct.Tile(rows, strides, ref a, ref weight, ref edge[0], accumulate: false);
                    for (int i = 0; i < validPixels; i++)
                        edge.Slice(i * columns, validChannels).CopyTo(image[(at + (i * plan.GridStep * plan.Channels))..]);
                }
            }
        }
    }

    /// <summary>
    /// A 3 x 3 convolution of stride 1 straight from the image: kernel rows above and below it are left out, tiles at its sides leave out a column. The last tile of a
    /// row ends where the row ends, and computes pixels of the tile before it once more.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void RunFused(ReadOnlySpan<T> image, ReadOnlySpan<T> packed, Span<T> to, Scratch scratch)
    {
        int channels = plan.SourceChannels, columns = plan.TileColumns, rows = plan.TileRows, line = plan.W * channels, kernelRow = 3 * channels * columns;
        Span<T> edge = scratch.Take<T>(1, rows * columns);
        CacheLines.Touch(image);
        var strides = new TileStrides { Steps = channels, ASegment = line, ATile = channels };
        for (int block = 0; block < plan.PaddedChannels; block += columns)
        {
            int validChannels = Math.Min(columns, plan.Channels - block);
            bool whole = validChannels == columns;
            strides.CTile = whole ? plan.Channels : columns;
            for (int y = 0; y < plan.H; y++)
            {
                int first = Math.Max(0, 1 - y);
                strides.Segments = Math.Min(3, plan.H + 1 - y) - first;
                ReadOnlySpan<T> weight = packed[((block / columns * 3 * kernelRow) + (first * kernelRow))..], source = image[((y + first - 1) * line)..];
                for (int x = 0; x < plan.W; x += rows)
                {
                    x = Math.Min(x, plan.W - rows);
                    Span<T> pixels = to[((((y * plan.W) + x) * plan.Channels) + block)..];
                    OuterProduct.Fused(
                        rows, strides, ref MemoryMarshal.GetReference(source[(x * channels)..]), ref MemoryMarshal.GetReference(weight),
                        ref MemoryMarshal.GetReference(whole ? pixels : edge), left: x > 0, right: x + rows < plan.W);
                    if (whole) continue;
                    for (int i = 0; i < rows; i++) edge.Slice(i * columns, validChannels).CopyTo(pixels[(i * plan.Channels)..]);
                }
            }
        }
    }
}
