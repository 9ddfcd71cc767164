using PannCore.Engine;
using PannCore.Kernels;
using TensorPrimitives = System.Numerics.Tensors.TensorPrimitives;

namespace PannCore.Ops;

/// <summary>y = a + b, elementwise.</summary>
internal sealed class Add : Op
{
    public override string Name => "add";

    public override Shape OutputShape(ReadOnlySpan<Shape> inputs)
        => inputs[0] == inputs[1] ? inputs[0] : throw new ShapeException($"add: left {inputs[0]} and right {inputs[1]} must have the same shape");

    internal override bool GradientPassesOn => true;

    protected internal override bool ForwardInPlace => true;

    protected internal override bool BackwardReadsInputs => false;

    protected internal override bool BackwardReadsOutput => false;

    internal override bool IsElementwise => true;

    protected internal override void Forward(Forwarding pass, IReadOnlyList<Tensor> inputs, Memory<float> y)
        => pass.PutOff(new ElementwiseAdd(inputs[0].Memory, inputs[1].Memory, y), y);

    /// <summary>Nothing to compute: the gradient of both inputs is that of the output.</summary>
    protected internal override void Backward(Backpropagation pass, IReadOnlyList<Tensor> inputs, Tensor output, ReadOnlyMemory<float> dy)
    {
    }

    public override void Reference(IReadOnlyList<DoubleTensor> inputs, IReadOnlyList<DoubleTensor> parameters, DoubleTensor output)
    {
        for (int i = 0; i < output.Values.Length; i++) output.Values[i] = inputs[0].Values[i] + inputs[1].Values[i];
    }

    public override bool IsAffine => true;

    public override void Exact(Workspace workspace, IReadOnlyList<DoubleTensor> inputs, DoubleTensor output)
    {
        double[] a = inputs[0].Values, b = inputs[1].Values, y = output.Values;
        Parts.Run(workspace, y.Length, 1, part => TensorPrimitives.Add(a.AsSpan(part), b.AsSpan(part), y.AsSpan(part)));
    }

    /// <summary>One sum.</summary>
    public override void RoundingBound(Workspace workspace, IReadOnlyList<DoubleTensor> inputs, double unitRoundoff, DoubleTensor bound)
    {
        double[] a = inputs[0].Values, b = inputs[1].Values, result = bound.Values;
        Parts.Run(workspace, result.Length, 1, part =>
        {
            Span<double> sum = result.AsSpan(part);
            TensorPrimitives.Add(a.AsSpan(part), b.AsSpan(part), sum);
            TensorPrimitives.Abs(sum, sum);
            TensorPrimitives.Multiply(sum, unitRoundoff, sum);
        });
    }

    /// <summary>The sum of both bounds.</summary>
    public override void PropagateBound(Workspace workspace, IReadOnlyList<DoubleTensor>? inputs, IReadOnlyList<DoubleTensor> inputBounds, DoubleTensor bound)
    {
        TensorPrimitives.Add(inputBounds[0].Values, inputBounds[1].Values, bound.Values);
        TensorPrimitives.Multiply(bound.Values, Rounding.Outwards(1), bound.Values);
    }
}

/// <summary>Sum of tensors.</summary>
public static class AddExtensions
{
    /// <summary>a + b, elementwise, for equal shapes.</summary>
    /// <exception cref="ShapeException">The shapes differ.</exception>
    public static Tensor Add(this Tensor a, Tensor b) => new Add().Apply(a, b);
}
