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
            Steps = plan.Fused ? channels : phase.TapColumns.Length * channels,
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
                        Tile(strides, ref a, ref weight, ref image[at]);
                        continue;
                    }
                    // A tile that would write beyond the row or the channels goes through a full-tile temporary.
                    strides.CTile = columns;
                    Tile(strides, ref a, ref weight, ref edge[0]);
                    for (int i = 0; i < validPixels; i++)
                        edge.Slice(i * columns, validChannels).CopyTo(image[(at + (i * plan.GridStep * plan.Channels))..]);
                }
            }
        }
    }

    private void Tile(in TileStrides strides, ref T a, ref T b, ref T c)
    {
        if (plan.Fused) OuterProduct.Fused(plan.TileRows, strides, ref a, ref b, ref c);
        else OuterProduct.Tile(plan.TileRows, strides, ref a, ref b, ref c, accumulate: false);
    }
}
