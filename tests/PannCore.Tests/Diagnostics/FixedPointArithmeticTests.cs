using PannCore.Approximation;
using PannCore.Data;
using PannCore.Diagnostics;
using PannCore.Engine;
using PannCore.Nn;
using PannCore.Ops;
using PannCore.Training;
using Xunit;

namespace PannCore.Tests.Diagnostics;

/// <summary>Networks in fixed point, to the bit.</summary>
public sealed class FixedPointArithmeticTests : IDisposable
{
    private const int Side = 8;

    private readonly Workspace _workspace = new(2);

    public void Dispose() => _workspace.Dispose();

    // Both truncations; rings in which all values fit, and too small ones; 30 fraction bits, with which convolutions need inputs in pieces and polynomials 128 bits.
    [Theory]
    [InlineData("fixed:16,64", "composite:alpha=6", false)]
    [InlineData("fixed:16,64,stochastic", "direct:4", false)]
    [InlineData("fixed:16,64", "relu", false)]
    [InlineData("fixed:12,28", "composite:alpha=6", true)]
    [InlineData("fixed:12,28,stochastic", "composite:alpha=6", true)]
    [InlineData("fixed:30,64", "direct:4", false)]
    [InlineData("fixed:30,63,stochastic", "composite:alpha=6", true)]
    [InlineData("fixed:6,10", "direct:2", true)]
    public void Every_operation_is_bit_exact_against_unbounded_integers(string format, string spec, bool overflows)
    {
        ResNet network = spec == "relu" ? RandomNetwork.Backbone : RandomNetwork.Pann(spec);
        var tested = new FixedPointArithmetic(FixedPointFormat.Parse(format), _workspace, seed: 5);
        var reference = new BigFixedPoint(network, tested.Format, seed: 5);
        var both = new Both(tested, reference);
        var steps = new LockStep<Both.Value>(both);

        // Two batches, so that images and random bits are numbered across them.
        foreach (int images in new[] { 1, 1 }) Run(network, images, steps);
        Assert.Equal(2 * 70, both.Compared);

        Assert.Equal(
            reference.Wraps.GroupBy(w => w.Key.Path).ToDictionary(g => g.Key, g => g.Sum(w => w.Value)),
            tested.WrapArounds.ToDictionary(w => w.Path, w => w.Elements));
        Assert.Equal(reference.Wraps.Select(w => w.Key.Image).Distinct().Count(), tested.WrappedImages);
        Assert.Equal(tested.WrappedImages, tested.WrapArounds.Sum(w => w.RootImages));
        Assert.Equal(overflows, tested.WrappedImages > 0);
    }

    [Fact]
    public void Stochastic_truncation_depends_on_the_seed_alone()
    {
        ResNet network = RandomNetwork.Pann("direct:4");
        float[] first = Logits(1, 3, 4), second = Logits(3, 1, 4), third = Logits(2, 2, 5);
        Assert.Equal(first, second);
        Assert.NotEqual(first, third);

        float[] Logits(int threads, int batch, long seed)
        {
            using var workspace = new Workspace(threads);
            var steps = new LockStep<FixedPointTensor>(new FixedPointArithmetic(FixedPointFormat.Parse("fixed:14,64,stochastic"), workspace, seed));
            Evaluation.Of(network, RandomNetwork.Sample, [0, 1, 2], Normalization.Cifar10, workspace, batch, [steps]);
            return [.. steps.Logits];
        }
    }

    [Fact]
    public void Truncation_downwards_is_biased_by_half_a_unit_and_stochastic_truncation_is_not()
    {
        const int count = 100_000, bits = 10;
        var random = new CounterRandom(1, RandomStream.Truncation, 7);
        Ring floor = new(new(bits, 64)), stochastic = new(new(bits, 64, Truncation.Stochastic));
        double floorMean = 0, stochasticMean = 0, largest = 0;
        for (int i = 0; i < count; i++)
        {
            long value = (long)(new CounterRandom(2, RandomStream.Order, 0).Bits(i) >> 30) - (1L << 33);
            double exact = Math.ScaleB(value, -bits), error = stochastic.Truncate(value, bits, random, i) - exact;
            floorMean += (floor.Truncate(value, bits, random, i) - exact) / count;
            stochasticMean += error / count;
            largest = Math.Max(largest, Math.Abs(error));
        }

        // Fractions uniform over 1024 values: -(1 - 1/1024)/2 with deviation 0.29 / root(count); and 0 with deviation 0.41 / root(count) (variance 1/6): five of each.
        Assert.InRange(floorMean, -0.49951 - (5 * 0.29 / Math.Sqrt(count)), -0.49951 + (5 * 0.29 / Math.Sqrt(count)));
        Assert.InRange(stochasticMean, -5 * 0.41 / Math.Sqrt(count), 5 * 0.41 / Math.Sqrt(count));
        Assert.True(largest < 1, $"stochastic truncation is off by {largest} units");
    }

    [Fact]
    public void A_thousand_times_finer_numbers_are_nearer_to_float64_and_float32_is_not_disturbed()
    {
        ResNet network = RandomNetwork.Pann("composite:alpha=6");
        int[] images = [3, 4];
        var exact = new LockStep<DoubleTensor>(new Float64Arithmetic(_workspace));
        LockStep<FixedPointTensor> coarse = new(new FixedPointArithmetic(new(14, 64), _workspace)), fine = new(new FixedPointArithmetic(new(24, 64), _workspace));
        Evaluation observed = Evaluation.Of(network, RandomNetwork.Sample, images, Normalization.Cifar10, _workspace, observers: [exact, coarse, fine]);
        Evaluation alone = Evaluation.Of(network, RandomNetwork.Sample, images, Normalization.Cifar10, _workspace);
        Assert.Equal(alone.Logits, observed.Logits);

        // float32 rounds at 2^-24 relatively, fixed:24 at 2^-24 absolutely with signals of order 1; a thousandth is far above what either adds up to, and ten bits more is worth 1024.
        Assert.InRange(Distance(observed.Logits, [.. exact.Logits]), 1e-9, 1e-3);
        double far = Distance([.. coarse.Logits], [.. exact.Logits]), near = Distance([.. fine.Logits], [.. exact.Logits]);
        Assert.InRange(near, far / 16384, far / 64);
        Assert.Equal(observed.Correct, exact.Answers([.. images.Select(i => RandomNetwork.Sample.Labels[i])]).Correct);
        foreach (int labels in new[] { 0, images.Length - 1, 2 * images.Length })
            Assert.StartsWith($"arithmetic: expected a label for each of the images evaluated, {images.Length}, found {labels}", Assert.Throws<ArgumentException>(() => exact.Answers(new byte[labels])).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("fixed:16", "arithmetic 'fixed:16': expected float32, double, fixed:F,L or fixed:F,L,stochastic with F fraction bits in a ring of 2^L")]
    [InlineData("fixed:16,64,nearest", "arithmetic 'fixed:16,64,nearest': expected float32, double, fixed:F,L or fixed:F,L,stochastic with F fraction bits in a ring of 2^L")]
    [InlineData("fixed:-1,64", "arithmetic 'fixed:-1,64': expected float32, double, fixed:F,L or fixed:F,L,stochastic with F fraction bits in a ring of 2^L")]
    [InlineData("bfloat16", "arithmetic 'bfloat16': expected float32, double, fixed:F,L or fixed:F,L,stochastic with F fraction bits in a ring of 2^L")]
    [InlineData("fixed:16,65", "fixed point: a ring of 65 bits, expected 8 to 64")]
    [InlineData("fixed:31,64", "fixed point: 31 fraction bits in a ring of 64, expected 1 to 30")]
    [InlineData("fixed:15,16", "fixed point: 15 fraction bits in a ring of 16, expected 1 to 14")]
    [InlineData("fixed:0,16", "fixed point: 0 fraction bits in a ring of 16, expected 1 to 14")]
    public void A_format_that_is_none_is_refused(string text, string message)
        => Assert.Equal(message, Assert.Throws<BadInputException>(() => FixedPointFormat.Parse(text)).Message);

    [Theory]
    [InlineData("fixed:16,64")]
    [InlineData("fixed:30,32,stochastic")]
    public void A_format_prints_as_it_is_read(string text) => Assert.Equal(text, FixedPointFormat.Parse(text).ToString());

    [Fact]
    public void What_cannot_be_held_is_refused_by_name()
    {
        var arithmetic = new FixedPointArithmetic(new(16, 64), _workspace);
        var steps = new LockStep<FixedPointTensor>(arithmetic);
        using var run = new Run(_workspace, observers: [steps]);
        Tensor x = run.Input(new(1, 2, 2, 1), [1, 2, 3, 4]);
        Assert.Equal(
            "fixed point: add is add, an operation that it does not know",
            Assert.Throws<BadInputException>(() => new TamperedOp(new Add(), (_, _) => { }).Apply(x, x)).Message);

        var weight = new Parameter("weight", new(1, 1, 1, 1));
        weight.Set([1L << 45]);
        Assert.Equal(
            "fixed point: conv2d: the weights of one output sum to 2^45 or more, expected less than 2^36 with 16 fraction bits",
            Assert.Throws<BadInputException>(() => x.Conv2d(weight, 1, 0)).Message);
        Assert.Equal(
            "fixed point: input: expected finite numbers, found one that is not",
            Assert.Throws<BadInputException>(() => run.Input(new(1, 1, 1, 1), [float.NaN]).Relu()).Message);

        using var training = new Run(_workspace, Statistics.Training, observers: [steps]);
        Assert.Equal(
            "arithmetic: relu: batch-norm must use evaluation statistics, the run uses training statistics",
            Assert.Throws<InvalidOperationException>(() => training.Input(new(1, 1, 1, 1), [1]).Relu()).Message);
    }

    /// <summary>With 16 fraction bits, 64 hold magnitudes below 2^47; one that does not fit must not become the largest that does.</summary>
    [Theory]
    [InlineData(1.40737488e14f, "140737488355328")]
    [InlineData(-1e30f, "-1.0000000150474662E+30")]
    [InlineData(float.NaN, "NaN")]
    [InlineData(float.NegativeInfinity, "-Infinity")]
    public void A_constant_that_64_bits_do_not_hold_is_refused_by_operation(float constant, string found)
    {
        using var run = new Run(_workspace, observers: [new LockStep<FixedPointTensor>(new FixedPointArithmetic(new(16, 64), _workspace))]);
        Tensor x = run.Input(new(1, 1, 1, 1), [1]), flat = run.Input(new(1, 1), [1]);
        Parameter bad = Of(constant, new(1)), one = Of(1, new(1));
        Refused("conv2d", () => x.Conv2d(Of(constant, new(1, 1, 1, 1)), 1, 0));
        Refused("batchNorm", () => x.BatchNorm(one, bad, Of(0, new(1)), one));
        Refused("linear", () => flat.Linear(Of(constant, new(1, 1)), one));
        Refused("linear#2", () => flat.Linear(Of(1, new(1, 1)), bad));
        Refused("polynomialRelu", () => x.PolynomialRelu(ActivationSpec.Parse("direct:4").Build(), 1, shift: bad));

        void Refused(string operation, Func<Tensor> apply) => Assert.Equal(
            $"fixed point: {operation}: expected constants of magnitude below 2^47 with 16 fraction bits, found {found}",
            Assert.Throws<BadInputException>(() => apply().Values.Length).Message);
        static Parameter Of(float value, Shape shape)
        {
            var parameter = new Parameter("p", shape, trainable: false);
            parameter.Set([value]);
            return parameter;
        }
    }

    [Fact]
    public void The_largest_constants_that_64_bits_hold_are_held()
    {
        float below = MathF.BitDecrement(MathF.ScaleB(1, 47));
        Assert.Equal((long)below << 16, new Ring(new(16, 64)).Hold(below, "x"));
        Assert.Equal(-(long)below << 16, new Ring(new(16, 64)).Hold(-below, "x"));
    }

    [Fact]
    public void A_leaky_slope_is_one_truncated_product()
    {
        var arithmetic = new FixedPointArithmetic(new(4, 16), _workspace);
        using var run = new Run(_workspace);

        // 0.1 is 2/16; -0.3125 is -5/16: -10/256 becomes -1/16 downwards.
        Tensor x = run.Input(new(1, 3), [-0.3125f, 0, 0.3125f]);
        FixedPointTensor encoded = arithmetic.Encode(x);
        Assert.Equal([-5, 0, 5], encoded.Values);
        var recorder = new OpRecorder();
        using var observed = new Run(_workspace, observers: [recorder]);
        observed.Input(new(1, 3), [1, 2, 3]).Relu(0.1f);
        Assert.Equal([-1, 0, 5], arithmetic.Evaluate(recorder.Last!, "relu", [encoded], new(1, 3)).Values);
    }

    private void Run(ResNet network, int images, IRunObserver observer)
    {
        // Corners of real images, so that pixels have their usual size.
        float[] pixels = new float[images * Side * Side * 3];
        for (int i = 0; i < pixels.Length; i++)
        {
            int c = i % 3, column = i / 3 % Side, row = i / 3 / Side % Side, image = i / 3 / Side / Side;
            pixels[i] = (RandomNetwork.Sample.Image(image)[(((c * 32) + row) * 32) + column] - 120f) / 64;
        }
        using var run = new Run(_workspace, observers: [observer]);
        network.Call(run.Input(new(images, Side, Side, 3), pixels));
    }

    private static double Distance(IReadOnlyList<float> x, IReadOnlyList<float> y) => x.Zip(y, (a, b) => Math.Abs((double)a - b)).Max();

    private sealed class OpRecorder : IRunObserver
    {
        public Op? Last { get; private set; }

        public void Forward(Op op, string path, IReadOnlyList<Tensor> inputs, Tensor output) => Last = op;
    }

    /// <summary>Two implementations side by side, compared after every operation.</summary>
    private sealed class Both(FixedPointArithmetic tested, BigFixedPoint reference) : IArithmetic<Both.Value>
    {
        public int Compared { get; private set; }

        public Value Encode(Tensor x) => Same("input", tested.Encode(x), reference.Encode(x));

        public DoubleTensor Decode(Value x)
        {
            DoubleTensor decoded = tested.Decode(x.Tested);
            Assert.Equal(reference.Decode(x.Reference).Values, decoded.Values);
            return decoded;
        }

        public Value Evaluate(Op op, string path, IReadOnlyList<Value> inputs, Shape output)
        {
            Compared++;
            return Same(path, tested.Evaluate(op, path, [.. inputs.Select(x => x.Tested)], output), reference.Evaluate(op, path, [.. inputs.Select(x => x.Reference)], output));
        }

        private static Value Same(string path, FixedPointTensor tested, BigTensor reference)
        {
            Assert.Equal(reference.Shape, tested.Shape);
            for (int i = 0; i < tested.Values.Length; i++)
                Assert.True(reference.Values[i] == tested.Values[i], $"{path}: element {i} is {tested.Values[i]}, expected {reference.Values[i]}");
            return new(tested, reference);
        }

        public sealed record Value(FixedPointTensor Tested, BigTensor Reference);
    }
}
