namespace PannCore.Kernels;

/// <summary>The weight gradient by Winograd's algorithm: partial sums over groups of images in the domain, added in index order and transformed back.</summary>
internal static class WinogradWeightGradient
{
    /// <param name="plan">The forward plan.</param>
    /// <param name="images">Batch size N.</param>
    /// <param name="x">Input, N x H x W x C.</param>
    /// <param name="dy">Gradient of the output, N x H x W x K.</param>
    /// <param name="partials">Room for <see cref="ConvWeightGradient.Partials"/> x <see cref="WinogradPlan.PackedLength"/> elements.</param>
    /// <param name="dw">Result, K x C x 3 x 3.</param>
    /// <param name="workers">The threads to use.</param>
    /// <param name="before">What is done with each group of images first: the data gradient, which reads the same dy.</param>
    public static void Run(
        WinogradPlan plan, int images, ReadOnlyMemory<float> x, ReadOnlyMemory<float> dy, Memory<float> partials, Memory<float> dw, Workers workers, IImages? before = null)
    {
        int count = ConvWeightGradient.Partials(images);
        workers.Run(new PartialJob(plan, images, count, x, dy, partials, before), count);
        workers.Run(new FinishJob(plan, count, partials, dw), plan.InputChannels, small: true);
    }

    private readonly struct PartialJob(WinogradPlan plan, int images, int count, ReadOnlyMemory<float> x, ReadOnlyMemory<float> dy, Memory<float> partials, IImages? before) : IJob
    {
        public void Run(int chunk, Scratch scratch)
        {
            int first = (int)((long)images * chunk / count), end = (int)((long)images * (chunk + 1) / count);
            Span<float> sum = partials.Span.Slice(chunk * plan.PackedLength, plan.PackedLength);
            sum.Clear();
            int size = x.Length / images, gradientSize = dy.Length / images;
            for (int from = first; from < end; from += plan.ImagesPerChunk)
            {
                int group = Math.Min(plan.ImagesPerChunk, end - from);
                CacheLines.Touch(x.Span.Slice(from * size, group * size));
                if (before is null) CacheLines.Touch(dy.Span.Slice(from * gradientSize, group * gradientSize));
                else before.Run(from, group, scratch); // In the same scratch: nothing is taken from it before.
                plan.AddWeightGradient(from, group, x.Span, dy.Span, sum, scratch);
            }
        }
    }

    private readonly struct FinishJob(WinogradPlan plan, int count, ReadOnlyMemory<float> partials, Memory<float> dw) : IJob
    {
        public void Run(int chunk, Scratch scratch) => plan.FinishWeightGradient(chunk, count, partials.Span, dw.Span, scratch);
    }
}
