using CommunityToolkit.HighPerformance.Buffers;
using PannCore.Engine;
using PannCore.Kernels;

namespace PannCore.Ops;

/// <summary>What training adds to the loss where a channel's largest inputs stand out: its crest factor, largest |x| over RMS, decides how much of a polynomial's precision the usual inputs get.</summary>
/// <param name="Weight">p: the loss of an image grows by p sum max(|x| / r - t, 0)^2 over the inputs of an activation, r the RMS of their channel over the batch.</param>
/// <param name="From">t, in units of the channel's RMS.</param>
public sealed record CrestPenalty(double Weight, double From);

/// <summary>
/// y = x. To the gradient that of a <see cref="CrestPenalty"/> is added, over the number N of images as the mean loss has it, whatever the gradient of the output is:
/// dx = dy + 2 p / (N r^2) (x - clamp(x, -t r, t r) - x S / n), r^2 the mean of x^2 over the n values of the channel in the batch, S the sum of max(|x| / r - t, 0) |x| / r over them.
/// The last term is the RMS's own part: the penalty does not change when a channel is scaled, so its gradient is orthogonal to x, and it grows as 1 / r; a channel of zeros, or one of r below about 1e-21, gets none.
/// </summary>
internal sealed class PenalisedCrest(CrestPenalty penalty) : Op
{
    public override string Name => "penalisedCrest";

    public override Shape OutputShape(ReadOnlySpan<Shape> inputs)
        => inputs[0].Rank >= 2 ? inputs[0] : throw new ShapeException($"{Name}: input {inputs[0]} must have images first and channels last");

    protected internal override bool GradientInPlace => true;

    protected internal override bool ForwardInPlace => true;

    protected internal override bool BackwardReadsInputs => false;

    internal override bool IsElementwise => true;

    protected internal override void Forward(Forwarding pass, IReadOnlyList<Tensor> inputs, Memory<float> y)
    {
        // In place nothing is to be done: what is pending on the input is handed on. Else it has been done when the input is read.
        Memory<float> x = inputs[0].Memory;
        if (!x.Equals(y)) x.CopyTo(y);
    }

    protected internal override void Backward(Backpropagation pass, IReadOnlyList<Tensor> inputs, Tensor output, ReadOnlyMemory<float> dy)
    {
        Memory<float> dx = pass.InputGradient(0), x = output.Memory;
        if (dx.IsEmpty) return;
        int channels = output.Shape[output.Shape.Rank - 1], count = output.Shape.Length / channels;
        Memory<float> inverse = pass.Temporary(channels), near = pass.Temporary(channels), push = pass.Temporary(channels), pull = pass.Temporary(channels);
        using SpanOwner<double> owner = SpanOwner<double>.Allocate(3 * channels);
        Span<double> squares = owner.Span.Slice(channels, channels), sums = owner.Span[(2 * channels)..];
        near.Span.Clear();
        ChannelSums.Run(x, near, x, near, owner.Span[..(2 * channels)], pass.Workers);
        for (int c = 0; c < channels; c++)
        {
            double rms = Math.Sqrt(squares[c] / count);
            // A channel of zeros has no crest.
            inverse.Span[c] = rms > 0 ? (float)(1 / rms) : 0;
            near.Span[c] = (float)(penalty.From * rms);
        }
        CrestSums.Run(x, inverse, (float)penalty.From, sums, pass.Workers);
        for (int c = 0; c < channels; c++)
        {
            double factor = 2 * penalty.Weight / output.Shape[0] * inverse.Span[c] * inverse.Span[c];
            // The gradient grows as 1 / r: where r is so tiny that it would not fit into float32, there is none.
            bool fits = float.IsFinite((float)factor) && double.IsFinite(sums[c]);
            push.Span[c] = fits ? (float)factor : 0;
            pull.Span[c] = fits ? (float)(factor * sums[c] / count) : 0;
        }
        pass.PutOff(new CrestGradient(x, dy, near, push, pull, dx), dx);
    }

    public override void Reference(IReadOnlyList<DoubleTensor> inputs, IReadOnlyList<DoubleTensor> parameters, DoubleTensor output)
        => inputs[0].Values.CopyTo(output.Values, 0);
}

/// <summary>A penalty on the crest factor of a tensor's channels, for training.</summary>
public static class PenalisedCrestExtensions
{
    /// <summary>x itself; a <see cref="CrestPenalty"/> acts on its gradient.</summary>
    /// <param name="x">Images first, channels last.</param>
    /// <param name="penalty">The penalty.</param>
    /// <exception cref="ShapeException">A tensor of less than two axes.</exception>
    public static Tensor PenaliseCrest(this Tensor x, CrestPenalty penalty) => new PenalisedCrest(penalty).Apply(x);
}
