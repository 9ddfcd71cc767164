using System.Numerics;
using System.Numerics.Tensors;
using PannCore.Approximation;
using PannCore.Engine;
using PannCore.Kernels;
using Tensor = PannCore.Engine.Tensor;

namespace PannCore.Ops;

/// <summary>
/// y = B r(x / B), r the polynomial that stands for ReLU on [-1, 1]. Nothing is clamped: outside [-B, B] it gives the polynomial's own value.
/// Evaluated by Clenshaw's recurrence in the Chebyshev basis, in float32 or float64. With a shift, y = B r(x / B) + s[c] for each channel c: on encrypted data
/// the addition of a known constant, which costs no level.
/// </summary>
public sealed class PolynomialRelu : Op
{
    private PolynomialForm<float>? _single;
    private PolynomialForm<double>? _exact;

    /// <summary>One application of a polynomial over a range.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The range is not a positive finite number, or the arithmetic is none.</exception>
    /// <exception cref="ArgumentException">The shift is trainable: it gets no gradient.</exception>
    public PolynomialRelu(ReluPolynomial polynomial, double range, PolynomialArithmetic arithmetic = PolynomialArithmetic.Automatic, Parameter? shift = null)
    {
        if (shift is { Trainable: true }) throw new ArgumentException($"polynomialRelu: {shift.Name}: expected a parameter that is not trainable, because a shift gets no gradient", nameof(shift));
        Shift = shift;
        Parameters = shift is null ? [] : [shift];
        Polynomial = polynomial;
        Range = range;
        Arithmetic = Choice(polynomial, range, arithmetic);
    }

    /// <summary>The polynomial on [-1, 1].</summary>
    public ReluPolynomial Polynomial { get; }

    /// <summary>B: inputs are expected in [-B, B].</summary>
    public double Range { get; }

    /// <summary>The arithmetic it is evaluated in: float32 or float64.</summary>
    public PolynomialArithmetic Arithmetic { get; }

    /// <summary>s, one number a channel, added to the polynomial's value; null for none. It gets no gradient.</summary>
    public Parameter? Shift { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<Parameter> Parameters { get; }

    /// <summary>The arithmetic that a polynomial over a range is evaluated in: float32 or float64, the one that is asked for if one is.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The range is not a positive finite number, or the arithmetic is none.</exception>
    internal static PolynomialArithmetic Choice(ReluPolynomial polynomial, double range, PolynomialArithmetic arithmetic = PolynomialArithmetic.Automatic)
    {
        if (!IsUsable(range))
            throw new ArgumentOutOfRangeException(nameof(range), range, "polynomialRelu: the range must be a positive number that float32 can hold, and so must its inverse");
        return arithmetic switch
        {
            PolynomialArithmetic.Float32 or PolynomialArithmetic.Float64 => arithmetic,
            PolynomialArithmetic.Automatic when polynomial.Float32EvaluationError < polynomial.MaxError / 8 => PolynomialArithmetic.Float32,
            PolynomialArithmetic.Automatic => PolynomialArithmetic.Float64,
            _ => throw new ArgumentOutOfRangeException(nameof(arithmetic), arithmetic, "polynomialRelu: the arithmetic must be Automatic, Float32 or Float64"),
        };
    }

    /// <summary>Whether a number can be a range: positive, and it and its inverse are normal float32 numbers.</summary>
    public static bool IsUsable(double range) => range > 0 && float.IsNormal((float)range) && float.IsNormal((float)(1 / range));

    /// <inheritdoc/>
    public override string Name => "polynomialRelu";

    /// <inheritdoc/>
    public override ActivationTraits? Activation => new(Range, (Range * Polynomial.MaxError) + (Shift is null ? 0 : Math.Abs(TensorPrimitives.MaxMagnitude(Shift.Values))), IdealLipschitz: 1);

    /// <inheritdoc/>
    public override Shape OutputShape(ReadOnlySpan<Shape> inputs)
    {
        Shape x = inputs[0];
        if (Shift is not null && Shift.Shape.Length != x[x.Rank - 1])
            throw new ShapeException($"polynomialRelu: {Shift.Name} {Shift.Shape} has {Shift.Shape.Length} channels, input {x} has {x[x.Rank - 1]}");
        return x;
    }

    /// <inheritdoc/>
    protected internal override bool GradientInPlace => true;

    /// <inheritdoc/>
    protected internal override bool ForwardInPlace => true;

    /// <inheritdoc/>
    protected internal override bool BackwardReadsOutput => false;

    internal override bool IsElementwise => true;

    /// <inheritdoc/>
    protected internal override void Forward(Forwarding pass, IReadOnlyList<Tensor> inputs, Memory<float> y)
    {
        Memory<float> x = inputs[0].Memory;
        if (Arithmetic == PolynomialArithmetic.Float32) pass.PutOff(new Elementwise<float>(_single ??= Form<float>(), slope: false, x, x, y), y);
        else pass.PutOff(new Elementwise<double>(_exact ??= Form<double>(), slope: false, x, x, y), y);
        if (Shift is null) return;
        Memory<float> ones = pass.Saved(Shift.Shape.Length), shift = pass.Saved(Shift.Shape.Length);
        ones.Span.Fill(1);
        Shift.Values.CopyTo(shift.Span);
        pass.PutOff(new ChannelAffine(y, ones, default, default, shift, y), y);
    }

    /// <inheritdoc/>
    protected internal override void Backward(Backpropagation pass, IReadOnlyList<Tensor> inputs, Tensor output, ReadOnlyMemory<float> dy)
    {
        Memory<float> x = inputs[0].Memory, dx = pass.InputGradient(0);
        if (Arithmetic == PolynomialArithmetic.Float32) pass.PutOff(new Elementwise<float>(_single ??= Form<float>(), slope: true, x, dy, dx), dx);
        else pass.PutOff(new Elementwise<double>(_exact ??= Form<double>(), slope: true, x, dy, dx), dx);
    }

    /// <inheritdoc/>
    public override void Reference(IReadOnlyList<DoubleTensor> inputs, IReadOnlyList<DoubleTensor> parameters, DoubleTensor output)
    {
        for (int i = 0; i < output.Values.Length; i++)
            output.Values[i] = (Range * Polynomial.Evaluate(inputs[0].Values[i] / Range)) + (Shift is null ? 0 : parameters[0].Values[i % Shift.Shape.Length]);
    }

    /// <inheritdoc/>
    public override void Exact(Workspace workspace, IReadOnlyList<DoubleTensor> inputs, DoubleTensor output)
    {
        double[] x = inputs[0].Values, y = output.Values;
        PolynomialForm<double> form = _exact ??= Form<double>();
        Parts.Run(workspace, x.Length, 1, part => PolynomialKernel.Forward(form, x.AsSpan(part), y.AsSpan(part)));
        if (Shift is null) return;
        double[] shift = Parts.Line(Shift.Shape.Length, c => Shift.Values[c]);
        Parts.Run(workspace, y.Length, Shift.Shape.Length, part =>
        {
            Span<double> to = y.AsSpan(part);
            for (int i = 0; i < to.Length; i += shift.Length)
            {
                Span<double> line = to.Slice(i, Math.Min(shift.Length, to.Length - i));
                TensorPrimitives.Add(line, shift.AsSpan(0, line.Length), line);
            }
        });
    }

    /// <summary>The (leaky) ReLU the polynomial stands for: a shift corrects the polynomial and is part of its error.</summary>
    public override void Ideal(Workspace workspace, IReadOnlyList<DoubleTensor> inputs, DoubleTensor output)
        => LeakyRelu.Run(workspace, Polynomial.Leak, inputs[0].Values, output.Values);

    /// <summary>
    /// Inside [-B, B]. Evaluated with unit roundoff u: x / B carries 3 roundings (B, its inverse, the product), worth 3 u L for a slope of at most L; the recurrence at the
    /// rounded argument errs by twice the scanned evaluation error of float32, which allows for other points and other fusing but is measured, not proved; the outer constants,
    /// their product and sum carry 4 roundings of |r| &lt;= 1 + E. In float64 these errors are 2^-29 times as large, to first order in u; 16 times that is allowed. An evaluation in
    /// float64 then rounds once to float32: at most 2^-24 |y|, or half of the least subnormal number. Adding a shift s rounds once more, a value of at most
    /// (1 + E) B + |s| and the errors so far. Outside [-B, B] and for other arithmetics, infinity: no bound is known.
    /// </summary>
    public override void RoundingBound(Workspace workspace, IReadOnlyList<DoubleTensor> inputs, double unitRoundoff, DoubleTensor bound)
    {
        double single = Math.ScaleB(1, -24), evaluation = Range * ((2 * Polynomial.Float32EvaluationError) + (((3 * Polynomial.LargestSlope) + (4 * (1 + Polynomial.MaxError))) * single));
        bool isSingle = unitRoundoff == single, isDouble = unitRoundoff == Math.ScaleB(1, -53), narrowed = isSingle && Arithmetic == PolynomialArithmetic.Float64;
        if (!isSingle && !isDouble) evaluation = double.PositiveInfinity;
        if (isDouble || narrowed) evaluation = 16 * Math.ScaleB(evaluation, -29);
        if (narrowed) Exact(workspace, inputs, bound);
        double[] x = inputs[0].Values, result = bound.Values;
        int channels = Shift?.Shape.Length ?? 1;
        double addition = Shift is null ? 0 : unitRoundoff;
        double[] shift = Parts.Line(channels, c => Shift is null ? 0 : Math.Abs((double)Shift.Values[c]));
        double[] beside = Parts.Line(channels, c => evaluation + (addition * (((1 + Polynomial.MaxError) * Range) + shift[c] + evaluation)));
        Parts.Run(workspace, x.Length, channels, part =>
        {
            Span<double> to = result.AsSpan(part);
            ReadOnlySpan<double> from = x.AsSpan(part);
            for (int i = 0; i < to.Length; i += beside.Length)
            {
                int count = Math.Min(beside.Length, to.Length - i);
                Bound(from.Slice(i, count), shift, beside, to.Slice(i, count));
            }
        });

        void Bound(ReadOnlySpan<double> from, ReadOnlySpan<double> shifts, ReadOnlySpan<double> others, Span<double> to)
        {
            if (narrowed)
            {
                TensorPrimitives.Abs(to, to);
                TensorPrimitives.Add(to, shifts[..to.Length], to);
                TensorPrimitives.Add(to, evaluation, to);
                TensorPrimitives.Multiply(to, single, to);
                TensorPrimitives.Max(to, Math.ScaleB(1, -150), to);
                TensorPrimitives.MultiplyAdd(to, 1 + addition, others[..to.Length], to);
            }
            else
            {
                others[..to.Length].CopyTo(to);
            }
            // A branch that is hardly ever taken, and NaN takes it.
            for (int i = 0; i < to.Length; i++)
            {
                if (!(Math.Abs(from[i]) <= Range)) to[i] = double.PositiveInfinity;
            }
        }
    }

    private PolynomialForm<T> Form<T>() where T : unmanaged, IFloatingPointIeee754<T> => Form<T>(Polynomial, Range);

    /// <summary>A polynomial over [-range, range] as the kernel reads it.</summary>
    internal static PolynomialForm<T> Form<T>(ReluPolynomial polynomial, double range) where T : unmanaged, IFloatingPointIeee754<T>
    {
        var form = ClenshawForm.Of(polynomial);
        SeriesParity parity = form.Family switch { ReluFamily.Composite => SeriesParity.Odd, ReluFamily.Direct => SeriesParity.Even, _ => SeriesParity.Both };
        return PolynomialForm<T>.Round(parity, form.Scale / range, form.Linear, range, form.Values, form.Slopes);
    }

    /// <summary>Values (factor is x) or, times the factor, slopes.</summary>
    private readonly struct Elementwise<T>(PolynomialForm<T> form, bool slope, ReadOnlyMemory<float> x, ReadOnlyMemory<float> factor, Memory<float> result) : IElementwise
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        public int Length => result.Length;

        public int Granule => 1;

        public bool Reads(ReadOnlyMemory<float> array) => array.Equals(x) || array.Equals(factor);

        public void Run(System.Range range)
        {
            if (slope) PolynomialKernel.Gradient(form, x.Span[range], factor.Span[range], result.Span[range]);
            else PolynomialKernel.Forward(form, x.Span[range], result.Span[range]);
        }
    }

    /// <summary>That of the (leaky) ReLU it stands for.</summary>
    public override void PropagateBound(Workspace workspace, IReadOnlyList<DoubleTensor>? inputs, IReadOnlyList<DoubleTensor> inputBounds, DoubleTensor bound)
    {
        if (inputs is null) base.PropagateBound(workspace, inputs, inputBounds, bound);
        else Relu.LeakyBound(Polynomial.Leak, inputs[0].Values, inputBounds[0].Values, bound.Values);
    }
}

/// <summary>Polynomial ReLU of a tensor.</summary>
public static class PolynomialReluExtensions
{
    /// <summary>B r(x / B), elementwise, plus a shift of each channel where one is given, for a polynomial r that stands for ReLU on [-1, 1]; not clamped outside [-B, B].</summary>
    /// <exception cref="ArgumentOutOfRangeException">The range is not a positive finite number, or the arithmetic is none.</exception>
    /// <exception cref="ArgumentException">The shift is trainable.</exception>
    /// <exception cref="ShapeException">A shift of another number of channels than x has.</exception>
    public static Tensor PolynomialRelu(this Tensor x, ReluPolynomial polynomial, double range, PolynomialArithmetic arithmetic = PolynomialArithmetic.Automatic, Parameter? shift = null)
        => new PolynomialRelu(polynomial, range, arithmetic, shift).Apply(x);
}
