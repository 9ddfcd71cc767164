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
        ReadOnlySpan<T> image = source.Span.Slice(chunk * sourceSize, sourceSize), packed = weights.Span[..plan.PackedLength];
        if (!plan.Direct)
        {
            Span<T> haloed = scratch.Take<T>(0, plan.HaloedLength);
            Halo.Copy(image, haloed, plan.SourceH, plan.SourceW, plan.SourceChannels, plan.Top, plan.Left, plan.HaloedH, plan.HaloedW);
            image = haloed;
        }
        else if (pending is null)
        {
            // Pending work has just read it.
            int line = plan.SourceW * plan.SourceChannels, together = plan.RowsRead == 1 ? plan.SourceH : 1;
            for (int y = 0; y < plan.SourceH; y += Math.Max(together, plan.RowsRead)) CacheLines.Touch(image.Slice(y * line, together * line));
        }
        Span<T> to = result.Span.Slice(chunk * size, size);
        if (plan.LeavesOut) to.Clear();
        Convolve(image, packed, to, scratch.Take<T>(1, plan.TilePixels * plan.TileColumns));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Convolve(ReadOnlySpan<T> source, ReadOnlySpan<T> packed, Span<T> image, Span<T> edge)
    {
        int channels = plan.SourceChannels, columns = plan.TileColumns, rows = plan.TileRows, step = plan.SourceStep, gridStep = plan.GridStep, line = plan.HaloedW * channels;
        int tilePixels = plan.TilePixels, pixel = (plan.Paired ? 1 : gridStep) * plan.Channels;
        bool direct = plan.Direct, fused = plan.Fused, paired = plan.Paired;
        int together = plan.IsGrid ? plan.Phases[0].Rows : 1, across = 1;
        var strides = new TileStrides
        {
            ASegment = line,
            AStep = 1,
            ATile = step * channels,
            BStep = columns,
            AAcross = rows * step * channels,
            CAcross = rows * pixel,
            Down = together,
            ADown = step * line,
            CDown = gridStep * plan.W * plan.Channels,
        };
        for (int block = 0; block < plan.PaddedChannels; block += columns)
        {
            int validChannels = Math.Min(columns, plan.Channels - block);
            // Row by row through all phases, so that the result is written from end to end.
            for (int y = 0; y < plan.Phases[0].Rows; y += together)
            {
                foreach (ConvPhase phase in plan.Phases)
                {
                    if (y >= phase.Rows || phase.TapRows.Length * phase.TapColumns.Length == 0) continue;
                    // Kernel rows beyond the image are left out; a row that meets none becomes zeros.
                    int taps = phase.TapColumns.Length, kernelRow = taps * channels * columns, sourceY = phase.SourceY + (y * step), first = Math.Max(0, -sourceY);
                    int segments = Math.Max(0, Math.Min(phase.TapRows.Length, plan.HaloedH - sourceY) - first);
                    int weight = segments == 0 ? 0 : phase.WeightOffset + (((block / columns * phase.TapRows.Length) + first) * kernelRow), row = segments == 0 ? 0 : (sourceY + first) * line;
                    strides.Segments = segments;
                    strides.Steps = fused ? channels : taps * channels;
                    for (int x = 0; x < phase.Columns; x += across * rows)
                    {
                        // The last tile of a row ends where the row ends, and computes pixels of the tile before it once more.
                        if (phase.Columns >= rows) x = Math.Min(x, phase.Columns - rows);
                        int sourceX = phase.SourceX + (x * step), beyond = sourceX + ((rows - 1) * step) + taps - plan.HaloedW;
                        Span<T> to = image[(((((phase.Y + (y * gridStep)) * plan.W) + phase.X + (x * gridStep)) * plan.Channels) + block)..];
                        int validPixels = phase.Columns >= rows ? tilePixels : phase.Columns;
                        bool whole = validPixels == tilePixels && validChannels == columns;
                        strides.CTile = whole ? pixel : columns;
                        strides.SkippedFirst = direct && sourceX < 0 ? -sourceX * channels : 0;
                        strides.SkippedLast = direct && beyond > 0 ? beyond * channels : 0;
                        // Tiles that leave nothing out are done in one call as far as the row has them.
                        bool inside = whole && !fused && sourceX >= 0 && beyond <= 0;
                        strides.Across = across = inside ? Math.Min((phase.Columns - x) / rows, 1 - (beyond / (rows * step))) : 1;
                        ref T a = ref MemoryMarshal.GetReference(source[(segments == 0 ? 0 : row + ((sourceX + step) * channels))..]);
                        ref T b = ref MemoryMarshal.GetReference(packed[weight..]);
                        ref T c = ref MemoryMarshal.GetReference(whole ? to : edge);
                        if (paired) OuterProduct.Paired(strides, ref a, ref b, ref c);
                        else if (fused) OuterProduct.Fused(rows, strides, ref a, ref b, ref c);
                        else OuterProduct.TileFromSecond(rows, strides, ref a, ref b, ref c, accumulate: false);
                        if (whole) continue;
                        // A tile that would write beyond the row or the channels goes through a full-tile temporary.
                        for (int i = 0; i < validPixels; i++) edge.Slice(i * columns, validChannels).CopyTo(to[(i * pixel)..]);
                    }
                }
            }
        }
    }
}
