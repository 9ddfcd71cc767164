using PannCore.Engine;
using PannCore.Kernels;

namespace PannCore.Ops;

/// <summary>
/// (Leaky) ReLU plus a <see cref="ReluPerturbation"/>. Random numbers depend on the image's number and the element's place in it only, so that neither the batch
/// nor the threads change a bit. A polynomial's own error at factor 1 on both sides gives the bits of <see cref="PolynomialRelu"/>.
/// </summary>
internal sealed class PerturbedRelu : Op
{
    private const int Block = 256;

    private static readonly ActivationTraits Traits = new(Range: null, ApproximationBound: double.PositiveInfinity, IdealLipschitz: 1);

    private readonly ReluPerturbation _perturbation;
    private readonly CounterRandom _random;
    private readonly ReadOnlyMemory<int> _images;
    private readonly PolynomialForm<float>? _single;
    private readonly PolynomialForm<double>? _exact;

    /// <summary>One application.</summary>
    /// <param name="perturbation">What is added.</param>
    /// <param name="random">The random numbers of this layer.</param>
    /// <param name="images">The number of each image of the batch.</param>
    public PerturbedRelu(ReluPerturbation perturbation, CounterRandom random, ReadOnlyMemory<int> images)
    {
        (_perturbation, _random, _images) = (perturbation, random, images);
        if (!ReluPerturbation.IsOwn(perturbation.Form)) return;
        var polynomial = new PolynomialRelu(perturbation.Polynomial ?? throw new ArgumentNullException(nameof(perturbation), $"{Name}: the form {perturbation.Form} needs a polynomial"), perturbation.Range);
        if (polynomial.Arithmetic == PolynomialArithmetic.Float32) _single = PolynomialRelu.Form<float>(polynomial.Polynomial, polynomial.Range);
        else _exact = PolynomialRelu.Form<double>(polynomial.Polynomial, polynomial.Range);
    }

    public override string Name => "perturbedRelu";

    public override ActivationTraits? Activation => Traits;

    public override Shape OutputShape(ReadOnlySpan<Shape> inputs)
        => inputs[0][0] == _images.Length ? inputs[0] : throw new ShapeException($"{Name}: input {inputs[0]} has {inputs[0][0]} images, the perturbation is one of {_images.Length}");

    protected internal override bool GradientInPlace => true;

    protected internal override bool ForwardInPlace => true;

    protected internal override bool BackwardReadsOutput => false;

    internal override bool IsElementwise(Statistics statistics) => true;

    protected internal override void Forward(Forwarding pass, IReadOnlyList<Tensor> inputs, Memory<float> y)
    {
        Memory<float> x = inputs[0].Memory;
        pass.PutOff(new Elementwise(this, slope: false, x, x, y), y);
    }

    protected internal override void Backward(Backpropagation pass, IReadOnlyList<Tensor> inputs, Tensor output, ReadOnlyMemory<float> dy)
        => pass.PutOff(new Elementwise(this, slope: true, inputs[0].Memory, dy, pass.InputGradient(0)), pass.InputGradient(0));

    public override void Reference(IReadOnlyList<DoubleTensor> inputs, IReadOnlyList<DoubleTensor> parameters, DoubleTensor output)
    {
        Ideal(inputs[0].Values, output.Values);
        int size = output.Values.Length / _images.Length;
        for (int i = 0; i < output.Values.Length; i++)
        {
            double x = inputs[0].Values[i], c = _perturbation.Size;
            if (!_perturbation.Hits(x)) continue;
            long index = ((long)_images.Span[i / size] * size) + (i % size);
            double own = _perturbation.Polynomial is { } polynomial ? (_perturbation.Range * polynomial.Evaluate(x / _perturbation.Range)) - output.Values[i] : 0;
            output.Values[i] += _perturbation.Form switch
            {
                PerturbationForm.Plus => c,
                PerturbationForm.Minus => -c,
                PerturbationForm.Uniform => c * ((2 * _random.Uniform(index)) - 1),
                PerturbationForm.Own => c * own,
                PerturbationForm.OwnReversed => -c * own,
                _ => _random.Uniform(index) < 0.5 ? -c * own : c * own,
            };
        }
    }

    /// <summary>The (leaky) ReLU that is perturbed.</summary>
    public override void Ideal(Workspace workspace, IReadOnlyList<DoubleTensor> inputs, DoubleTensor output)
        => LeakyRelu.Run(workspace, _perturbation.Slope, inputs[0].Values, output.Values);

    private void Ideal(double[] x, double[] y)
    {
        for (int i = 0; i < x.Length; i++) y[i] = x[i] <= 0 ? _perturbation.Slope * x[i] : x[i];
    }

    /// <summary>The polynomial's values (factor is x) or, times the factor, its slopes.</summary>
    private void Polynomial(bool slope, ReadOnlySpan<float> x, ReadOnlySpan<float> factor, Span<float> result)
    {
        if (_single is { } single && slope) PolynomialKernel.Gradient(single, x, factor, result);
        else if (_single is { } values) PolynomialKernel.Forward(values, x, result);
        else if (_exact is { } exact && slope) PolynomialKernel.Gradient(exact, x, factor, result);
        else if (_exact is { } exactValues) PolynomialKernel.Forward(exactValues, x, result);
    }

    /// <summary>Values (factor is x) or, times the factor, slopes: those of an added constant are 0.</summary>
    private readonly struct Elementwise(PerturbedRelu op, bool slope, ReadOnlyMemory<float> x, ReadOnlyMemory<float> factor, Memory<float> result) : IElementwise
    {
        public int Length => result.Length;

        public int Granule => 1;

        public bool Reads(ReadOnlyMemory<float> array) => array.Equals(x) || array.Equals(factor);

        public void Run(Range range)
        {
            (int start, int length) = range.GetOffsetAndLength(result.Length);
            int size = result.Length / op._images.Length;
            Span<float> polynomial = stackalloc float[Block];
            for (int end = start + length; start < end; start += length)
            {
                int place = start % size;
                length = Math.Min(Block, Math.Min(end - start, size - place));
                ReadOnlySpan<float> block = x.Span.Slice(start, length), factors = factor.Span.Slice(start, length);
                op.Polynomial(slope, block, factors, polynomial[..length]);
                long index = ((long)op._images.Span[start / size] * size) + place;
                if (slope) Slopes(block, factors, polynomial, result.Span.Slice(start, length), index);
                else Values(block, polynomial, result.Span.Slice(start, length), index);
            }
        }

        private void Values(ReadOnlySpan<float> from, Span<float> perturbed, Span<float> to, long index)
        {
            ReluPerturbation what = op._perturbation;
            CounterRandom random = op._random;
            float leak = what.Slope, c = (float)(what.Form is PerturbationForm.Minus or PerturbationForm.OwnReversed ? -what.Size : what.Size);

            // -1 for the side that is perturbed, else 0. The inputs' signs are taken as numbers: as branches they would be mispredicted every second time.
            int negative = what.Side == PerturbedSide.Positive ? 0 : -1, positive = what.Side == PerturbedSide.Negative ? 0 : -1;
            if (what.Form == PerturbationForm.Uniform)
            {
                for (int i = 0; i < to.Length; i++) perturbed[i] = (float)(what.Size * ((2 * random.Uniform(index + i)) - 1));
            }
            for (int i = 0; i < to.Length; i++)
            {
                float v = from[i], ideal = MathF.Max(v, 0);
                if (leak != 0) ideal += leak * MathF.Min(v, 0);
                float value = what.Form switch
                {
                    PerturbationForm.Plus or PerturbationForm.Minus => ideal + c,
                    PerturbationForm.Uniform => ideal + perturbed[i],
                    PerturbationForm.OwnRandomSign => Mix(ideal, perturbed[i], BitConverter.UInt32BitsToSingle(BitConverter.SingleToUInt32Bits(c) ^ (uint)(~random.Bits(index + i) >> 63 << 31))),
                    _ => Mix(ideal, perturbed[i], c),
                };

                // + 0 turns -0 into 0; NaN gives NaN on either side.
                int below = BitConverter.SingleToInt32Bits(v + 0f) >> 31, hit = (below & negative) | (~below & positive);
                to[i] = BitConverter.Int32BitsToSingle((BitConverter.SingleToInt32Bits(value) & hit) | (BitConverter.SingleToInt32Bits(ideal) & ~hit));
            }
        }

        private void Slopes(ReadOnlySpan<float> from, ReadOnlySpan<float> dy, ReadOnlySpan<float> polynomial, Span<float> to, long index)
        {
            ReluPerturbation what = op._perturbation;
            float c = (float)what.Size;
            for (int i = 0; i < to.Length; i++)
            {
                float ideal = from[i] > 0 ? dy[i] : dy[i] * what.Slope;
                float value = what.Form switch
                {
                    PerturbationForm.Own => Mix(ideal, polynomial[i], c),
                    PerturbationForm.OwnReversed => Mix(ideal, polynomial[i], -c),
                    PerturbationForm.OwnRandomSign => Mix(ideal, polynomial[i], op._random.Uniform(index + i) < 0.5 ? -c : c),
                    _ => ideal,
                };
                to[i] = what.Hits(from[i]) ? value : ideal;
            }
        }

        /// <summary>ideal + c (polynomial - ideal), the polynomial itself at c = 1.</summary>
        private static float Mix(float ideal, float polynomial, float c) => c == 1 ? polynomial : ideal + (c * (polynomial - ideal));
    }
}

/// <summary>Perturbed ReLU of a tensor.</summary>
public static class PerturbedReluExtensions
{
    /// <summary>f(x) + e(x), elementwise: see <see cref="ReluPerturbation"/>.</summary>
    /// <param name="x">[N, ...].</param>
    /// <param name="perturbation">What is added, and where.</param>
    /// <param name="random">Random numbers; another layer needs others.</param>
    /// <param name="images">The number of each of the N images, from which its random numbers follow.</param>
    /// <exception cref="ShapeException">Another number of images than N.</exception>
    public static Tensor PerturbedRelu(this Tensor x, ReluPerturbation perturbation, CounterRandom random, ReadOnlyMemory<int> images)
        => new PerturbedRelu(perturbation, random, images).Apply(x);
}
