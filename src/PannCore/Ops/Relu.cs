using PannCore.Engine;
using PannCore.Kernels;
using TensorPrimitives = System.Numerics.Tensors.TensorPrimitives;

namespace PannCore.Ops;

/// <summary>y = x for x &gt; 0, else slope x. Derivative at 0: slope. NaN stays NaN. The backward pass needs the sign of x only, which is that of y.</summary>
internal sealed class Relu(float slope) : Op
{
    private static readonly ActivationTraits Traits = new(Range: null, ApproximationBound: 0, IdealLipschitz: 1);

    public override string Name => "relu";

    internal float Slope => slope;

    public override ActivationTraits? Activation => Traits;

    public override Shape OutputShape(ReadOnlySpan<Shape> inputs) => inputs[0];

    protected internal override bool GradientInPlace => true;

    protected internal override bool ForwardInPlace => true;

    protected internal override bool BackwardReadsInputs => false;

    internal override bool IsElementwise => true;

    protected internal override void Forward(Forwarding pass, IReadOnlyList<Tensor> inputs, Memory<float> y)
        => pass.PutOff(new ElementwiseRelu(inputs[0].Memory, slope, y), y);

    protected internal override void Backward(Backpropagation pass, IReadOnlyList<Tensor> inputs, Tensor output, ReadOnlyMemory<float> dy)
        => pass.PutOff(new ElementwiseReluGradient(output.Memory, dy, slope, pass.InputGradient(0)), pass.InputGradient(0));

    public override void Reference(IReadOnlyList<DoubleTensor> inputs, IReadOnlyList<DoubleTensor> parameters, DoubleTensor output)
    {
        double[] x = inputs[0].Values;
        for (int i = 0; i < x.Length; i++) output.Values[i] = !(x[i] <= 0) ? x[i] : slope == 0 ? 0 : slope * x[i];
    }

    public override void Exact(Workspace workspace, IReadOnlyList<DoubleTensor> inputs, DoubleTensor output)
        => LeakyRelu.Run(workspace, slope, inputs[0].Values, output.Values);

    /// <summary>Nothing is rounded for slope 0; else one product, which below the normal numbers loses more.</summary>
    public override void RoundingBound(Workspace workspace, IReadOnlyList<DoubleTensor> inputs, double unitRoundoff, DoubleTensor bound)
    {
        double[] x = inputs[0].Values, result = bound.Values;
        if (slope == 0)
        {
            Array.Clear(result);
            return;
        }
        Parts.Run(workspace, x.Length, 1, part =>
        {
            TensorPrimitives.Min(x.AsSpan(part), 0, result.AsSpan(part));
            TensorPrimitives.Multiply(result.AsSpan(part), -unitRoundoff * slope, result.AsSpan(part));
            TensorPrimitives.Add(result.AsSpan(part), Rounding.Underflow(unitRoundoff), result.AsSpan(part));
        });
    }

    /// <summary>See <see cref="LeakyBound"/>.</summary>
    public override void PropagateBound(Workspace workspace, IReadOnlyList<DoubleTensor>? inputs, IReadOnlyList<DoubleTensor> inputBounds, DoubleTensor bound)
    {
        if (inputs is null) base.PropagateBound(workspace, inputs, inputBounds, bound);
        else LeakyBound(slope, inputs[0].Values, inputBounds[0].Values, bound.Values);
    }

    /// <summary>
    /// How far (leaky) ReLU of slope a moves when its input x moves by at most d: d for x &gt; 0; for x &lt;= 0 the larger of a d, if the input stays negative, and
    /// of d + (1 - a) x, if it becomes positive, where |x| &lt; d. That takes four roundings of numbers up to 2 d, and 16 2^-53 d is added.
    /// </summary>
    internal static void LeakyBound(double slope, double[] x, double[] d, double[] bound)
    {
        double outwards = 16 * Math.ScaleB(1, -53);
        for (int i = 0; i < bound.Length; i++) bound[i] = Math.Max(slope * d[i], d[i] + ((1 - slope) * Math.Min(x[i], 0))) + (outwards * d[i]);
    }
}

/// <summary>ReLU of a tensor.</summary>
public static class ReluExtensions
{
    /// <summary>max(x, 0) + slope min(x, 0), elementwise.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A slope outside [0, 1).</exception>
    public static Tensor Relu(this Tensor x, float slope = 0)
        => slope is >= 0 and < 1 ? new Relu(slope).Apply(x) : throw new ArgumentOutOfRangeException(nameof(slope), slope, "relu: the slope must be at least 0 and below 1");
}
