using System.Buffers;
using System.Numerics;
using System.Numerics.Tensors;
using PannCore.Approximation;
using PannCore.Engine;
using PannCore.Kernels;
using Tensor = PannCore.Engine.Tensor;

namespace PannCore.Ops;

/// <summary>What training adds to the loss where inputs come near the end of a polynomial's range.</summary>
/// <param name="Weight">p: the loss of an image grows by p sum max(|x| / B - t, 0)^2 over the inputs of the activation; 0 for none.</param>
/// <param name="From">t, in units of the range.</param>
public sealed record RangePenalty(double Weight, double From = 0.9);

/// <summary>
/// y = u B r(clamp(x / B, -1, 1)) + (1 - u) ReLU(x), with the polynomial's share u, most often 1: a polynomial ReLU for training, whose inputs are clamped so that a step too far does not explode.
/// The gradient is that of the formula, with the polynomial's own derivative inside the range; to it the gradient of the <see cref="RangePenalty"/> is added, over the number of images as the mean loss has it, whatever the gradient of the output is.
/// The range may be learnt: B = e^l R with a parameter l of one element, whose gradient is that of the same formula and penalty: sum dy u B (r(c) - c r'(c)), the second term where |x| is at most B, less 2 p / N sum max(|x|/B - t, 0) |x|/B.
/// A trained network is evaluated with <see cref="PolynomialRelu"/>, which clamps nothing.
/// </summary>
internal sealed class ClampedPolynomialRelu : Op
{
    private const int Block = 256;

    private readonly ReluPolynomial _polynomial;
    private readonly double _range;
    private readonly RangePenalty _penalty;
    private readonly float _share;
    private readonly PolynomialLine _line;
    private readonly double _given;
    private readonly Parameter? _logarithm;

    /// <summary>One application of a polynomial over a range.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The range is not a positive finite number, or the share is not in [0, 1].</exception>
    /// <exception cref="ShapeException">The logarithm has not one element.</exception>
    public ClampedPolynomialRelu(ReluPolynomial polynomial, double range, RangePenalty penalty, double share, Parameter? logarithm = null)
    {
        _given = range;
        if (logarithm is not null)
        {
            if (logarithm.Shape.Length != 1) throw new ShapeException($"{Name}: parameter {logarithm.Name}: expected one element, found {logarithm.Shape}");
            range = Learnt(range, logarithm.Values[0]);
            (_logarithm, Parameters) = (logarithm, [logarithm]);
        }
        if (share is not (>= 0 and <= 1)) throw new ArgumentOutOfRangeException(nameof(share), share, "clampedPolynomialRelu: expected a share from 0 to 1");
        (_polynomial, _range, _penalty, _share) = (polynomial, range, penalty, (float)share);
        _line = new(polynomial, range);
    }

    /// <summary>The range that a logarithm makes of the one that was given: e^l R.</summary>
    public static double Learnt(double given, double logarithm) => given * Math.Exp(logarithm);

    public override string Name => "clampedPolynomialRelu";

    public override IReadOnlyList<Parameter> Parameters { get; } = [];

    public override ActivationTraits? Activation => new(Range: null, ApproximationBound: double.PositiveInfinity, IdealLipschitz: 1);

    public override Shape OutputShape(ReadOnlySpan<Shape> inputs) => inputs[0];

    protected internal override bool GradientInPlace => true;

    protected internal override bool ForwardInPlace => true;

    protected internal override bool BackwardReadsOutput => false;

    /// <summary>A learnt range needs a sum over all elements of the gradient of the output, whose values must be there then.</summary>
    internal override bool IsElementwise => _logarithm is not { Trainable: true };

    protected internal override void Forward(Forwarding pass, IReadOnlyList<Tensor> inputs, Memory<float> y)
    {
        Memory<float> x = inputs[0].Memory;
        pass.PutOff(new Elementwise(this, slope: false, images: 1, x, x, y), y);
    }

    protected internal override void Backward(Backpropagation pass, IReadOnlyList<Tensor> inputs, Tensor output, ReadOnlyMemory<float> dy)
    {
        // Before the gradient of the input is written: in place it takes the memory of dy.
        if (_logarithm is { Trainable: true }) pass.ParameterGradient(0).Span[0] = (float)OfLogarithm(inputs[0].Memory, dy, output.Shape[0], pass.Workers);
        if (pass.InputGradient(0).Length > 0) pass.PutOff(new Elementwise(this, slope: true, output.Shape[0], inputs[0].Memory, dy, pass.InputGradient(0)), pass.InputGradient(0));
    }

    public override void Reference(IReadOnlyList<DoubleTensor> inputs, IReadOnlyList<DoubleTensor> parameters, DoubleTensor output)
    {
        double range = _logarithm is null ? _range : Learnt(_given, parameters[0].Values[0]);
        for (int i = 0; i < output.Values.Length; i++)
        {
            double x = inputs[0].Values[i];
            output.Values[i] = (_share * range * _polynomial.Evaluate(Math.Clamp(x / range, -1, 1))) + ((1 - _share) * IdealAt(x));
        }
    }

    /// <summary>The (leaky) ReLU the polynomial stands for.</summary>
    public override void Ideal(Workspace workspace, IReadOnlyList<DoubleTensor> inputs, DoubleTensor output)
        => LeakyRelu.Run(workspace, _polynomial.Leak, inputs[0].Values, output.Values);

    private double IdealAt(double x) => x <= 0 ? _polynomial.Leak * x : x;

    /// <summary>Values (factor is x) or, times the factor, slopes, plus the penalty's.</summary>
    private readonly struct Elementwise(ClampedPolynomialRelu op, bool slope, int images, ReadOnlyMemory<float> x, ReadOnlyMemory<float> factor, Memory<float> result) : IElementwise
    {
        public int Length => result.Length;

        public int Granule => 1;

        public bool Reads(ReadOnlyMemory<float> array) => array.Equals(x) || array.Equals(factor);

        public void Run(Range range)
        {
            ReadOnlySpan<float> from = x.Span[range], factors = factor.Span[range];
            Span<float> to = result.Span[range], inside = stackalloc float[Block], slopes = stackalloc float[Block];
            float b = (float)op._range, near = (float)(op._penalty.From * op._range), push = (float)(2 * op._penalty.Weight / (op._range * op._range * images));
            for (int first = 0; first < to.Length; first += Block)
            {
                int length = Math.Min(Block, to.Length - first);
                ReadOnlySpan<float> block = from.Slice(first, length);
                TensorPrimitives.Clamp(block, -b, b, inside[..length]);
                if (!slope)
                {
                    // In place to is the input's memory, so the ideal part is taken before it is overwritten.
                    if (op._share < 1) op.OneMinusShareOfIdeal(block, slopes[..length]);
                    op._line.Values(inside[..length], to.Slice(first, length));
                    if (op._share < 1) TensorPrimitives.MultiplyAdd(to.Slice(first, length), op._share, slopes[..length], to.Slice(first, length));
                    continue;
                }
                op._line.Slopes(inside[..length], factors.Slice(first, length), slopes[..length]);
                ClearBeyond(block, b, slopes[..length]);
                op.AddPenalty(block, factors.Slice(first, length), slopes[..length], near, push, to.Slice(first, length));
            }
        }
    }

    /// <summary>dL/dl. Float32 within blocks, float64 across them, chunks in index order: the same bits for any number of threads.</summary>
    private double OfLogarithm(ReadOnlyMemory<float> x, ReadOnlyMemory<float> dy, int images, Workers workers)
    {
        int chunks = Chunks.Count(x.Length);
        double[] partials = ArrayPool<double>.Shared.Rent(chunks);
        workers.Run(new LogarithmJob(this, x, dy, images, partials), chunks, small: x.Length <= Chunks.SmallLength);
        double sum = 0;
        foreach (double partial in partials.AsSpan(0, chunks)) sum += partial;
        ArrayPool<double>.Shared.Return(partials);
        return sum;
    }

    private readonly struct LogarithmJob(ClampedPolynomialRelu op, ReadOnlyMemory<float> x, ReadOnlyMemory<float> dy, int images, double[] partials) : IJob
    {
        public void Run(int chunk, Scratch scratch)
        {
            Range range = Chunks.Of(chunk, x.Length);
            ReadOnlySpan<float> from = x.Span[range], factors = dy.Span[range];
            Span<float> inside = stackalloc float[Block], values = stackalloc float[Block], slopes = stackalloc float[Block], over = stackalloc float[Block];
            float b = (float)op._range, near = (float)op._penalty.From;
            double polynomial = 0, penalty = 0;
            for (int first = 0; first < from.Length; first += Block)
            {
                int length = Math.Min(Block, from.Length - first);
                ReadOnlySpan<float> block = from.Slice(first, length), factor = factors.Slice(first, length);
                Span<float> at = inside[..length], value = values[..length], slope = slopes[..length], excess = over[..length];
                TensorPrimitives.Clamp(block, -b, b, at);
                op._line.Values(at, value);
                op._line.Slopes(at, factor, slope);

                // Beyond the range the value is B r(+-1): what depends on x/B is gone.
                ClearBeyond(block, b, slope);
                polynomial += (double)TensorPrimitives.Dot(factor, value) - TensorPrimitives.Dot(at, slope);
                if (op._penalty.Weight == 0) continue;
                TensorPrimitives.Abs(block, at);
                TensorPrimitives.Divide(at, b, at);
                TensorPrimitives.Subtract(at, near, excess);
                TensorPrimitives.Max(excess, 0f, excess);
                penalty += TensorPrimitives.Dot(excess, at);
            }
            partials[chunk] = (op._share * polynomial) - (2 * op._penalty.Weight / images * penalty);
        }
    }

    /// <summary>A clamped input's slope is 0.</summary>
    private static void ClearBeyond(ReadOnlySpan<float> x, float b, Span<float> slopes)
    {
        int i = 0;
        for (; i <= x.Length - Vector<float>.Count; i += Vector<float>.Count)
            Vector.ConditionalSelect(Vector.LessThanOrEqual(Vector.Abs(new Vector<float>(x[i..])), new Vector<float>(b)), new(slopes[i..]), Vector<float>.Zero).CopyTo(slopes[i..]);
        for (; i < x.Length; i++)
        {
            if (!(MathF.Abs(x[i]) <= b)) slopes[i] = 0;
        }
    }

    /// <summary>
    /// result = u slopes + (1 - u) ReLU'(x) factor + push (x - clamp(x, -near, near)); slopes are the clamped polynomial's, times the factor. No product is fused with a sum, so that lanes and the rest round alike.
    /// </summary>
    private void AddPenalty(ReadOnlySpan<float> x, ReadOnlySpan<float> factor, ReadOnlySpan<float> slopes, float near, float push, Span<float> result)
    {
        float leak = (float)_polynomial.Leak, share = _share, rest = 1 - _share;
        int i = 0;
        for (; i <= x.Length - Vector<float>.Count; i += Vector<float>.Count)
        {
            Vector<float> at = new(x[i..]), own = new(slopes[i..]);
            if (share < 1) own = (own * share) + (Vector.ConditionalSelect(Vector.GreaterThan(at, Vector<float>.Zero), new Vector<float>(rest), new Vector<float>(rest * leak)) * new Vector<float>(factor[i..]));
            (own + ((at - Vector.Min(Vector.Max(at, new Vector<float>(-near)), new Vector<float>(near))) * push)).CopyTo(result[i..]);
        }
        for (; i < x.Length; i++)
        {
            float own = slopes[i];
            if (share < 1) own = (own * share) + ((x[i] > 0 ? rest : rest * leak) * factor[i]);
            result[i] = own + ((x[i] - Math.Min(Math.Max(x[i], -near), near)) * push);
        }
    }

    private void OneMinusShareOfIdeal(ReadOnlySpan<float> x, Span<float> result)
    {
        float leak = (float)_polynomial.Leak;
        TensorPrimitives.Multiply(x, leak, result);
        TensorPrimitives.Max(x, result, result); // The slope for negative inputs is below 1.
        TensorPrimitives.Multiply(result, 1 - _share, result);
    }
}

/// <summary>Polynomial ReLU of a tensor, for training.</summary>
public static class ClampedPolynomialReluExtensions
{
    /// <summary>u B r(clamp(x / B, -1, 1)) + (1 - u) ReLU(x), elementwise, with a penalty on inputs near the end of the range in the gradient.</summary>
    /// <param name="x">Inputs, the images first.</param>
    /// <param name="polynomial">r, a polynomial for (leaky) ReLU on [-1, 1].</param>
    /// <param name="range">B; where it is learnt, what its parameter's exponential multiplies.</param>
    /// <param name="penalty">On inputs near the end of the range.</param>
    /// <param name="share">u.</param>
    /// <param name="logarithm">One element l, which gets a gradient: B = e^l <paramref name="range"/>. Null for a fixed range.</param>
    /// <exception cref="ArgumentOutOfRangeException">The range is not a positive finite number, or the share u is not in [0, 1].</exception>
    /// <exception cref="ShapeException">The logarithm has not one element.</exception>
    public static Tensor ClampedPolynomialRelu(this Tensor x, ReluPolynomial polynomial, double range, RangePenalty penalty, double share = 1, Parameter? logarithm = null)
        => new ClampedPolynomialRelu(polynomial, range, penalty, share, logarithm).Apply(x);
}
