using PannCore.Engine;
using PannCore.Kernels;

namespace PannCore.Ops;

/// <summary>
/// The parameter-free shortcut of CIFAR ResNets (He et al. 2015, option A): y[n, oy, ox, before + c] = x[n, stride oy, stride ox, c],
/// zero in the (K - C) / 2 channels before and after.
/// </summary>
internal sealed class Shortcut(int channels, int stride) : Op
{
    public override string Name => "shortcut";

    internal int Stride => stride;

    protected internal override bool BackwardReadsInputs => false;

    protected internal override bool BackwardReadsOutput => false;

    public override Shape OutputShape(ReadOnlySpan<Shape> inputs)
    {
        Shape x = inputs[0];
        if (x.Rank != 4) throw new ShapeException($"shortcut: input {x} must be [N,H,W,C]");
        if (stride < 1) throw new ShapeException($"shortcut: stride must be at least 1, is {stride}");
        if (channels < x[3] || (channels - x[3]) % 2 != 0)
            throw new ShapeException($"shortcut: {channels} output channels must be as many as the {x[3]} of input {x}, or more by an even number");
        return new(x[0], ((x[1] - 1) / stride) + 1, ((x[2] - 1) / stride) + 1, channels);
    }

    protected internal override void Forward(Forwarding pass, IReadOnlyList<Tensor> inputs, Memory<float> y)
        => pass.Workers.Run(new Job(Kernel(inputs[0].Shape), inputs[0].Memory, y, ToOutput: true), inputs[0].Shape[0], small: inputs[0].Shape.Length <= Chunks.SmallLength);

    protected internal override void Backward(Backpropagation pass, IReadOnlyList<Tensor> inputs, Tensor output, ReadOnlyMemory<float> dy)
        => pass.Workers.Run(new Job(Kernel(inputs[0].Shape), dy, pass.InputGradient(0), ToOutput: false), inputs[0].Shape[0], small: inputs[0].Shape.Length <= Chunks.SmallLength);

    public override void Reference(IReadOnlyList<DoubleTensor> inputs, IReadOnlyList<DoubleTensor> parameters, DoubleTensor output)
    {
        Shape x = inputs[0].Shape, y = output.Shape;
        int before = (channels - x[3]) / 2;
        for (int i = 0; i < output.Values.Length; i++)
        {
            int k = i % y[3], ox = i / y[3] % y[2], oy = i / y[3] / y[2] % y[1], n = i / y[3] / y[2] / y[1], c = k - before;
            output.Values[i] = c < 0 || c >= x[3] ? 0 : inputs[0].Values[(((((n * x[1]) + (oy * stride)) * x[2]) + (ox * stride)) * x[3]) + c];
        }
    }

    public override void Exact(Workspace workspace, IReadOnlyList<DoubleTensor> inputs, DoubleTensor output)
    {
        Shape x = inputs[0].Shape, y = output.Shape;
        double[] from = inputs[0].Values, to = output.Values;
        int before = (channels - x[3]) / 2;
        Parts.Each(workspace, x[0], n =>
        {
            Array.Clear(to, n * (y.Length / y[0]), y.Length / y[0]);
            for (int oy = 0; oy < y[1]; oy++)
            {
                for (int ox = 0; ox < y[2]; ox++)
                    from.AsSpan(((((n * x[1]) + (oy * stride)) * x[2]) + (ox * stride)) * x[3], x[3]).CopyTo(to.AsSpan((((((n * y[1]) + oy) * y[2]) + ox) * y[3]) + before));
            }
        });
    }

    public override bool IsAffine => true;

    /// <summary>Nothing is computed.</summary>
    public override void RoundingBound(Workspace workspace, IReadOnlyList<DoubleTensor> inputs, double unitRoundoff, DoubleTensor bound)
        => Array.Clear(bound.Values);

    private ChannelPadding Kernel(Shape x) => new(x[1], x[2], x[3], stride, channels);

    private readonly record struct Job(ChannelPadding Kernel, ReadOnlyMemory<float> From, Memory<float> To, bool ToOutput) : IJob
    {
        public void Run(int chunk, Scratch scratch)
        {
            int from = ToOutput ? Kernel.InputLength : Kernel.OutputLength, to = ToOutput ? Kernel.OutputLength : Kernel.InputLength;
            Kernel.Run(ToOutput, From.Span.Slice(chunk * from, from), To.Span.Slice(chunk * to, to));
        }
    }

    /// <summary>The same pixels of the input's bound.</summary>
    public override void PropagateBound(Workspace workspace, IReadOnlyList<DoubleTensor>? inputs, IReadOnlyList<DoubleTensor> inputBounds, DoubleTensor bound)
        => Reference(inputBounds, [], bound);
}

/// <summary>The parameter-free shortcut.</summary>
public static class ShortcutExtensions
{
    /// <summary>Takes every stride-th pixel of x [N,H,W,C] and pads zero channels equally on both sides up to <paramref name="channels"/>.</summary>
    /// <exception cref="ShapeException">x is not [N,H,W,C], the stride is below 1, or there are fewer channels than the input has, or an odd difference.</exception>
    public static Tensor Shortcut(this Tensor x, int channels, int stride) => new Shortcut(channels, stride).Apply(x);
}
