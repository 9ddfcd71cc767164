using System.Numerics.Tensors;
using CommunityToolkit.HighPerformance.Buffers;
using PannCore.Approximation;
using PannCore.Engine;
using PannCore.Kernels;
using Tensor = PannCore.Engine.Tensor;

namespace PannCore.Ops;

/// <summary>
/// y = B r(x / B), r the polynomial that stands for ReLU on [-1, 1]. Nothing is clamped: outside [-B, B] it gives the polynomial's own value.
/// Evaluated by Clenshaw's recurrence in the Chebyshev basis, in float32 where its measured evaluation error is below an eighth of the
/// polynomial's own error, else in float64.
/// </summary>
public sealed class PolynomialRelu : Op
{
    private readonly PolynomialForm<double> _exact;
    private readonly PolynomialForm<float>? _single;

    /// <summary>One application of a polynomial over a range.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The range is not a positive finite number.</exception>
    public PolynomialRelu(ReluPolynomial polynomial, double range)
    {
        if (!IsUsable(range))
            throw new ArgumentOutOfRangeException(nameof(range), range, "polynomialRelu: the range must be a positive number that float32 can hold, and so must its inverse");
        Polynomial = polynomial;
        Range = range;
        bool odd = polynomial.Family == ReluFamily.Composite;
        _exact = new(
            odd, (1 + polynomial.Leak) / 2, (1 - polynomial.Leak) / 2, range,
            [.. polynomial.Stages.Select(stage => 1 / stage.HalfWidth)], [.. polynomial.Stages.Select(stage => stage.Coefficients.ToArray())]);
        if (polynomial.Float32EvaluationError < polynomial.MaxError / 8) _single = _exact.Convert<float>();
    }

    /// <summary>The polynomial on [-1, 1].</summary>
    public ReluPolynomial Polynomial { get; }

    /// <summary>B: inputs are expected in [-B, B].</summary>
    public double Range { get; }

    /// <summary>Whether a number can be a range: positive, and it and its inverse are normal float32 numbers.</summary>
    public static bool IsUsable(double range) => range > 0 && float.IsNormal((float)range) && float.IsNormal((float)(1 / range));

    /// <inheritdoc/>
    public override string Name => "polynomialRelu";

    /// <inheritdoc/>
    public override ActivationTraits? Activation => new(Range, Range * Polynomial.MaxError, IdealLipschitz: 1);

    /// <inheritdoc/>
    public override Shape OutputShape(ReadOnlySpan<Shape> inputs) => inputs[0];

    /// <inheritdoc/>
    protected internal override bool GradientInPlace => true;

    /// <inheritdoc/>
    protected internal override bool ForwardInPlace => true;

    /// <inheritdoc/>
    protected internal override bool BackwardReadsOutput => false;

    /// <inheritdoc/>
    protected internal override void Forward(Forwarding pass, IReadOnlyList<Tensor> inputs, Memory<float> y)
        => pass.Workers.Run(new Job(this, inputs[0].Memory, default, y), Chunks.Count(y.Length));

    /// <inheritdoc/>
    protected internal override void Backward(Backpropagation pass, IReadOnlyList<Tensor> inputs, Tensor output, ReadOnlyMemory<float> dy)
        => pass.Workers.Run(new Job(this, inputs[0].Memory, dy, pass.InputGradient(0)), Chunks.Count(dy.Length));

    /// <inheritdoc/>
    public override void Reference(IReadOnlyList<DoubleTensor> inputs, IReadOnlyList<DoubleTensor> parameters, DoubleTensor output)
    {
        for (int i = 0; i < output.Values.Length; i++) output.Values[i] = Range * Polynomial.Evaluate(inputs[0].Values[i] / Range);
    }

    /// <inheritdoc/>
    public override void Exact(Workspace workspace, IReadOnlyList<DoubleTensor> inputs, DoubleTensor output)
        => workspace.Workers.Run(new ExactJob(_exact, inputs[0].Values, output.Values), Chunks.Count(output.Values.Length));

    /// <summary>The (leaky) ReLU the polynomial stands for.</summary>
    public override void Ideal(Workspace workspace, IReadOnlyList<DoubleTensor> inputs, DoubleTensor output)
    {
        double[] x = inputs[0].Values;
        for (int i = 0; i < x.Length; i++) output.Values[i] = x[i] <= 0 ? Polynomial.Leak * x[i] : x[i];
    }

    /// <summary>
    /// Inside [-B, B], float32: t = x / B carries 3 roundings (B, 1 / B, the product), worth 3 u L for a slope of at most L; the recurrence at the
    /// rounded t errs by twice the scanned evaluation error, which allows for other points and other fusing but is measured, not proved; the outer factors B a and B g and their
    /// product and sum carry 4 roundings of |r|. Outside [-B, B], and for other arithmetics than float32, infinity: no bound is known.
    /// </summary>
    public override void RoundingBound(Workspace workspace, IReadOnlyList<DoubleTensor> inputs, double unitRoundoff, DoubleTensor bound)
    {
        double slope = Polynomial.LargestSlope, evaluation = 2 * Polynomial.Float32EvaluationError, single = Math.ScaleB(1, -24);
        for (int i = 0; i < bound.Values.Length; i++)
        {
            double t = Math.Abs(inputs[0].Values[i] / Range);
            bound.Values[i] = unitRoundoff == single && t <= 1 ? Range * (evaluation + (((3 * slope) + 4) * single)) : double.PositiveInfinity;
        }
    }

    private readonly struct Job(PolynomialRelu op, ReadOnlyMemory<float> x, ReadOnlyMemory<float> dy, Memory<float> result) : IJob
    {
        public void Run(int chunk, Scratch scratch)
        {
            System.Range range = Chunks.Of(chunk, x.Length);
            ReadOnlySpan<float> input = x.Span[range], gradient = dy.IsEmpty ? default : dy.Span[range];
            Span<float> to = result.Span[range];
            if (op._single is not null)
            {
                if (gradient.IsEmpty) PolynomialKernel.Forward(op._single, input, to);
                else PolynomialKernel.Gradient(op._single, input, gradient, to);
                return;
            }
            using SpanOwner<double> wideInput = SpanOwner<double>.Allocate(input.Length), wideGradient = SpanOwner<double>.Allocate(gradient.Length);
            TensorPrimitives.ConvertChecked(input, wideInput.Span);
            TensorPrimitives.ConvertChecked(gradient, wideGradient.Span);
            if (gradient.IsEmpty) PolynomialKernel.Forward(op._exact, wideInput.Span, wideInput.Span);
            else PolynomialKernel.Gradient(op._exact, wideInput.Span, wideGradient.Span, wideInput.Span);
            TensorPrimitives.ConvertTruncating(wideInput.Span, to);
        }
    }

    private readonly struct ExactJob(PolynomialForm<double> form, double[] x, double[] y) : IJob
    {
        public void Run(int chunk, Scratch scratch)
        {
            System.Range range = Chunks.Of(chunk, x.Length);
            PolynomialKernel.Forward(form, x.AsSpan(range), y.AsSpan(range));
        }
    }
}

/// <summary>Polynomial ReLU of a tensor.</summary>
public static class PolynomialReluExtensions
{
    /// <summary>B r(x / B), elementwise, for a polynomial r that stands for ReLU on [-1, 1]; not clamped outside [-B, B].</summary>
    public static Tensor PolynomialRelu(this Tensor x, ReluPolynomial polynomial, double range) => new PolynomialRelu(polynomial, range).Apply(x);
}
