using System.Numerics;
using PannCore.Engine;
using PannCore.Kernels;

namespace PannCore.Ops;

/// <summary>
/// (Leaky) ReLU plus a <see cref="ReluPerturbation"/>. Random numbers depend on the image's number and the element's place in it only, so that neither the batch
/// nor the threads change a bit. A polynomial's own error at factor 1 on both sides gives the bits of <see cref="PolynomialRelu"/>.
/// </summary>
internal sealed class PerturbedRelu : Op
{
    /// <summary>Elements worked on at a time, a multiple of every register's.</summary>
    private const int Block = 256;

    private static readonly ActivationTraits Traits = new(Range: null, ApproximationBound: double.PositiveInfinity, IdealLipschitz: 1);

    private readonly ReluPerturbation _perturbation;
    private readonly CounterRandom _random;
    private readonly ReadOnlyMemory<int> _images;
    private readonly PolynomialLine? _line;

    /// <summary>One application.</summary>
    /// <param name="perturbation">What is added.</param>
    /// <param name="random">The random numbers of this layer.</param>
    /// <param name="images">The number of each image of the batch.</param>
    public PerturbedRelu(ReluPerturbation perturbation, CounterRandom random, ReadOnlyMemory<int> images)
    {
        (_perturbation, _random, _images) = (perturbation, random, images.ToArray()); // Read when somebody reads the result.
        if (!ReluPerturbation.IsOwn(perturbation.Form)) return;
        _line = new(perturbation.Polynomial ?? throw new ArgumentNullException(nameof(perturbation), $"{Name}: the form {perturbation.Form} needs a polynomial"), perturbation.Range);
    }

    public override string Name => "perturbedRelu";

    public override ActivationTraits? Activation => Traits;

    public override Shape OutputShape(ReadOnlySpan<Shape> inputs)
        => inputs[0][0] == _images.Length ? inputs[0] : throw new ShapeException($"{Name}: input {inputs[0]} has {inputs[0][0]} images, the perturbation is one of {_images.Length}");

    protected internal override bool GradientInPlace => true;

    protected internal override bool ForwardInPlace => true;

    protected internal override bool BackwardReadsOutput => false;

    internal override bool IsElementwise => true;

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
        for (int i = 0; i < x.Length; i++) y[i] = !(x[i] <= 0) ? x[i] : _perturbation.Slope == 0 ? 0 : _perturbation.Slope * x[i];
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
            ReluPerturbation what = op._perturbation;

            // Copies, so that whole registers may be read and written beyond the end of a part, and in place.
            Span<float> at = stackalloc float[Block], given = stackalloc float[Block], other = stackalloc float[Block], factors = stackalloc float[Block];
            Span<ulong> bits = stackalloc ulong[Block];
            factors.Fill((float)(what.Form is PerturbationForm.Minus or PerturbationForm.OwnReversed ? -what.Size : what.Size));
            for (int end = start + length; start < end; start += length)
            {
                int place = start % size;
                length = Math.Min(Block, Math.Min(end - start, size - place));
                x.Span.Slice(start, length).CopyTo(at);
                if (slope) factor.Span.Slice(start, length).CopyTo(given);
                if (slope) op._line?.Slopes(at[..length], given[..length], other[..length]);
                else op._line?.Values(at[..length], other[..length]);
                if (what.Form == PerturbationForm.OwnRandomSign || (what.Form == PerturbationForm.Uniform && !slope))
                {
                    op._random.Bits(((long)op._images.Span[start / size] * size) + place, bits[..length]);
                    if (what.Form == PerturbationForm.Uniform) Noise(bits, what.Size, other);
                    else Signs(bits, (float)what.Size, factors);
                }
                Perturb(at, given, other, factors, length);
                at[..length].CopyTo(result.Span[start..]);
            }
        }

        /// <summary>c (2 u - 1), u in [0, 1) from the upper 53 bits, as <see cref="CounterRandom.Uniform"/>.</summary>
        private static void Noise(ReadOnlySpan<ulong> bits, double c, Span<float> noise)
        {
            int half = Vector<ulong>.Count;
            for (int i = 0; i < noise.Length; i += 2 * half) Vector.Narrow(Noise(new(bits[i..]), c), Noise(new(bits[(i + half)..]), c)).CopyTo(noise[i..]);
        }

        private static Vector<double> Noise(Vector<ulong> bits, double c) => ((Vector.ConvertToDouble(bits >>> 11) * (2.0 / (1L << 53))) - Vector<double>.One) * c;

        /// <summary>-c where u is below 1/2, else c.</summary>
        private static void Signs(ReadOnlySpan<ulong> bits, float c, Span<float> signed)
        {
            for (int i = 0; i < signed.Length; i++) signed[i] = BitConverter.UInt32BitsToSingle(BitConverter.SingleToUInt32Bits(c) ^ (uint)(~bits[i] >> 63 << 31));
        }

        /// <summary>
        /// Puts values, or slopes times what is given, in the place of the inputs. The inputs' signs are masks: as branches they would be mispredicted every second time.
        /// NaN counts as positive; its value is NaN on either side.
        /// </summary>
        private void Perturb(Span<float> at, ReadOnlySpan<float> given, ReadOnlySpan<float> other, ReadOnlySpan<float> factors, int length)
        {
            ReluPerturbation what = op._perturbation;
            Vector<int> negative = what.Side == PerturbedSide.Positive ? Vector<int>.Zero : Vector<int>.AllBitsSet, positive = what.Side == PerturbedSide.Negative ? Vector<int>.Zero : Vector<int>.AllBitsSet;
            var leak = new Vector<float>(what.Slope);
            for (int i = 0; i < length; i += Vector<float>.Count)
            {
                Vector<float> v = new(at[i..]), ideal, value, e = new(other[i..]), c = new(factors[i..]);
                if (slope)
                {
                    Vector<float> dy = new(given[i..]);
                    ideal = Vector.ConditionalSelect(Vector.GreaterThan(v, Vector<float>.Zero), dy, dy * leak);
                }
                else
                {
                    ideal = Vector.Max(v, Vector<float>.Zero);
                    if (what.Slope != 0) ideal += leak * Vector.Min(v, Vector<float>.Zero);
                }
                if (ReluPerturbation.IsOwn(what.Form)) value = Vector.ConditionalSelect(Vector.Equals(c, Vector<float>.One), e, ideal + (c * (e - ideal))); // At factor 1 the polynomial itself, to the bit.
                else if (slope) value = ideal;
                else value = ideal + (what.Form == PerturbationForm.Uniform ? e : c);
                Vector<int> below = Vector.LessThan(v, Vector<float>.Zero);
                Vector.ConditionalSelect((below & negative) | Vector.AndNot(positive, below), value, ideal).CopyTo(at[i..]);
            }
        }
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
    /// <exception cref="ArgumentNullException">The form needs a polynomial, and there is none.</exception>
    /// <exception cref="ArgumentOutOfRangeException">Its range is not a positive finite number.</exception>
    /// <exception cref="ShapeException">Another number of images than N.</exception>
    public static Tensor PerturbedRelu(this Tensor x, ReluPerturbation perturbation, CounterRandom random, ReadOnlyMemory<int> images)
        => new PerturbedRelu(perturbation, random, images).Apply(x);
}
