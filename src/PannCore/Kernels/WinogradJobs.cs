namespace PannCore.Kernels;

/// <summary>Convolves by Winograd's algorithm, a group of images at a time. Work pending on the source is done group by group.</summary>
internal readonly struct WinogradForward(WinogradPlan plan, int images, ReadOnlyMemory<float> x, ReadOnlyMemory<float> packed, Memory<float> y, ElementwiseChain? pending = null) : IImages
{
    public int Group => plan.ImagesPerChunk;

    public void Run(int first, int count, Scratch scratch)
    {
        int size = x.Length / images, resultSize = y.Length / images;
        if (pending is null) CacheLines.Touch(x.Span.Slice(first * size, count * size));
        else pending.Run(first * size, count * size);
        CacheLines.TouchResult(y.Span.Slice(first * resultSize, count * resultSize));
        plan.Forward(first, count, x.Span, packed.Span, y.Span, scratch);
    }
}

/// <summary>Transforms weights (order K, C, 3, 3), a few input channels of the plan a chunk: fewer would cost more in handing out than in doing.</summary>
internal readonly struct WinogradPackJob(WinogradPlan plan, ReadOnlyMemory<float> weights, Memory<float> packed) : IJob
{
    private const int Channels = 16;

    public int Chunks => (plan.InputChannels + Channels - 1) / Channels;

    public void Run(int chunk, Scratch scratch)
    {
        for (int from = chunk * Channels; from < Math.Min((chunk + 1) * Channels, plan.InputChannels); from++) plan.Pack(from, weights.Span, packed.Span, scratch);
    }
}
