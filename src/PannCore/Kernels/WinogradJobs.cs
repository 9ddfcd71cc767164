namespace PannCore.Kernels;

/// <summary>Convolves by Winograd's algorithm, one group of images a chunk. Work pending on the source is done group by group.</summary>
internal readonly struct WinogradForwardJob(WinogradPlan plan, int images, ReadOnlyMemory<float> x, ReadOnlyMemory<float> packed, Memory<float> y, ElementwiseChain? pending = null) : IJob
{
    public void Run(int chunk, Scratch scratch)
    {
        int first = chunk * plan.ImagesPerChunk, count = Math.Min(plan.ImagesPerChunk, images - first), size = x.Length / images;
        pending?.Run(first * size, count * size);
        plan.Forward(first, count, x.Span, packed.Span, y.Span, scratch);
    }
}

/// <summary>Transforms weights (order K, C, 3, 3), one input channel of the plan a chunk.</summary>
internal readonly struct WinogradPackJob(WinogradPlan plan, ReadOnlyMemory<float> weights, Memory<float> packed) : IJob
{
    public void Run(int chunk, Scratch scratch) => plan.Pack(chunk, weights.Span, packed.Span, scratch);
}
