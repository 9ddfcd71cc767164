using System.Reflection;
using PannCore.Approximation;
using PannCore.Data;
using PannCore.Diagnostics;
using PannCore.Engine;
using PannCore.Nn;
using PannCore.Ops;
using PannCore.Training;
using Xunit;
using Conv2d = PannCore.Ops.Conv2d;
using Linear = PannCore.Ops.Linear;

namespace PannCore.Tests.Diagnostics;

/// <summary>The ledger's identity holds for any network, right or wrong; its checks must tell them apart.</summary>
public sealed class LedgerCheckTests : IDisposable
{
    private const string Identity = "identity: total = arithmetic + approximation + inherited, to 1e-12";
    private const string Approximation = "approximation: at most its certified bound inside the range: B E, and of a repaired one its largest shift";
    private const string Arithmetic = "arithmetic: at most the rounding bound of the operation (polynomials: twice the scanned evaluation error)";
    private const string Affine = "inherited, affine operations: the map without its constant, applied to the input error";
    private const string Activation = "inherited, activations: at most the input error, times the ideal function's Lipschitz constant";

    private readonly Workspace _workspace = new(1, fillWithNaN: true);

    public void Dispose() => _workspace.Dispose();

    [Theory]
    [InlineData("composite:alpha=8", 2e-2)]
    [InlineData("direct:16", 1e-2)]
    public void A_doctored_coefficient_keeps_the_identity_and_is_found(string spec, double change)
    {
        int[] images = [10, 20];
        ReluPolynomial doctored = Doctored(spec, change);
        double certified = doctored.MaxError;
        ResNet pann = RandomNetwork.Backbone.With(path => new ActivationFunction.Polynomial(doctored, 1.05 * RandomNetwork.Largest[path]));
        ErrorLedger ledger = ErrorLedger.Of(pann, RandomNetwork.Sample, images, Normalization.Cifar10, _workspace);

        // The same search over what arrived at every activation, with the doctored polynomial evaluated by its own method.
        var recorder = new Recorder();
        Evaluation.Of(pann, RandomNetwork.Sample, images, Normalization.Cifar10, _workspace, observers: [recorder]);
        double worst = 0;
        (string path, int image, int element) = ("", -1, -1);
        long failures = 0, compared = 0;
        foreach (RecordedOp op in recorder.Ops.Where(op => op.Op is PolynomialRelu))
        {
            double b = ((PolynomialRelu)op.Op).Range;
            for (int i = 0; i < op.Inputs[0].Length; i++)
            {
                double x = op.Inputs[0][i];
                if (Math.Abs(x) > b) continue;
                compared++;
                double ratio = Math.Abs((b * doctored.Evaluate(x / b)) - Math.Max(0, x)) / (b * certified);
                if (ratio > 1 + 1e-9) failures++;
                if (ratio > worst) (worst, path, image, element) = (ratio, op.Path, images[i / (op.Inputs[0].Length / images.Length)], i % (op.Inputs[0].Length / images.Length));
            }
        }
        Assert.True(worst > 1.1, $"the doctored polynomial is too good to be found out: {worst}");

        Assert.InRange(ledger.IdentityResidual, 0, 1e-12);
        Assert.True(Find(ledger, Identity).Passed);
        CheckRecord check = Find(ledger, Approximation);
        Assert.False(check.Passed);
        Assert.StartsWith($"FAILED at {failures} of {compared} elements, worst: {path}, image {image}, element {element}: ", check.Detail, StringComparison.Ordinal);
        Assert.All(ledger.Checks.Where(c => c.Name != Approximation), c => Assert.True(c.Passed, $"{c.Name}: {c.Detail}"));

        // The genuine polynomial over the same ranges passes.
        ReluPolynomial genuine = ActivationSpec.Parse(spec).Build();
        ResNet honest = RandomNetwork.Backbone.With(p => new ActivationFunction.Polynomial(genuine, 1.05 * RandomNetwork.Largest[p]));
        Assert.All(ErrorLedger.Of(honest, RandomNetwork.Sample, images, Normalization.Cifar10, _workspace).Checks, c => Assert.True(c.Passed, $"{c.Name}: {c.Detail}"));
    }

    [Fact]
    public void A_polynomial_evaluated_in_the_power_basis_is_found()
    {
        // Power-basis coefficients of alpha 9 reach 1e5, and float32 Horner errs by 2^-9.7; Clenshaw's recurrence errs by about 2^-19.
        const double b = 3;
        ReluPolynomial polynomial = ActivationSpec.Parse("composite:alpha=9").Build();
        float[] x = [.. Enumerable.Range(0, 4001).Select(i => (float)(b * ((i / 2000.0) - 1)))];
        double[][] power = [.. polynomial.Stages.Select(PowerBasis.Of)];
        float Horner(float t)
        {
            float p = t;
            for (int stage = 0; stage < power.Length; stage++)
            {
                float s = p / (float)polynomial.Stages[stage].HalfWidth, sum = 0;
                for (int k = power[stage].Length - 1; k >= 0; k--) sum = (sum * s) + (float)power[stage][k];
                p = sum;
            }
            return t * (1 + p) / 2;
        }
        var bad = new TamperedOp(new PolynomialRelu(polynomial, b), (inputs, y) =>
        {
            for (int i = 0; i < y.Length; i++) y.Span[i] = (float)b * Horner(inputs[0].Values[i] / (float)b);
        });

        // In float64 the same coefficients are right, so the error that is found is that of the evaluation.
        foreach (double t in new[] { -1, -0.3, 0.01, 0.7, 1 })
        {
            double p = t;
            for (int stage = 0; stage < power.Length; stage++)
            {
                double s = p / polynomial.Stages[stage].HalfWidth, sum = 0;
                for (int k = power[stage].Length - 1; k >= 0; k--) sum = (sum * s) + power[stage][k];
                p = sum;
            }
            Assert.Equal(polynomial.Evaluate(t), t * (1 + p) / 2, 1e-9);
        }

        Assert.True(Find(Observe(x, new PolynomialRelu(polynomial, b)), Arithmetic).Passed);
        ErrorLedger ledger = Observe(x, bad);
        Assert.InRange(ledger.IdentityResidual, 0, 1e-12);
        Assert.False(Find(ledger, Arithmetic).Passed);
        Assert.Matches("^FAILED at [0-9]+ of 4001 elements, worst: polynomialRelu, element [0-9]+: ", Find(ledger, Arithmetic).Detail);
    }

    public static TheoryData<string> Operations => ["conv2d", "batchNorm", "relu", "leaky", "polynomialRelu", "add", "shortcut", "pool", "linear"];

    [Theory]
    [MemberData(nameof(Operations))]
    public void A_kernel_that_is_off_by_a_thousandth_at_one_element_is_found(string name)
    {
        (Op genuine, Shape[] shapes) = Operation(name);
        const int at = 5;
        ErrorLedger wrong = Observe(shapes, new TamperedOp(genuine, (_, y) => y.Span[at] += 1e-3f));
        CheckRecord check = Find(wrong, Arithmetic);
        Assert.False(check.Passed);
        Assert.StartsWith($"FAILED at 1 of {Output(genuine, shapes).Length} elements, worst: {genuine.Name}, element {at}: 0.001 against the bound ", check.Detail, StringComparison.Ordinal);
        Assert.True(Find(wrong, Identity).Passed);

        Assert.All(Observe(shapes, genuine).Checks, c => Assert.True(c.Passed, $"{c.Name}: {c.Detail}"));
    }

    /// <summary>The limit is the bound itself: half of it passes, twice is found.</summary>
    [Theory]
    [InlineData("conv2d")]
    [InlineData("batchNorm")]
    [InlineData("polynomialRelu")]
    [InlineData("pool")]
    [InlineData("linear")]
    public void A_kernel_may_be_off_by_its_bound_and_no_more(string name)
    {
        (Op genuine, Shape[] shapes) = Operation(name);
        DoubleTensor[] inputs = [.. shapes.Select((shape, i) => new DoubleTensor(shape, [.. Values(shape.Length, 40 + i).Select(x => (double)x)]))];
        DoubleTensor bound = new(Output(genuine, shapes)), exact = new(bound.Shape);
        genuine.RoundingBound(_workspace, inputs, Math.ScaleB(1, -24), bound);
        genuine.Exact(_workspace, inputs, exact);
        // An element near 0, so that its float32 neighbours lie far closer than the bound.
        int at = Enumerable.Range(0, exact.Values.Length).MinBy(i => Math.Abs(exact.Values[i]) / bound.Values[i]);
        bool Passes(double share) => Find(Observe(shapes, new TamperedOp(genuine, (_, y) => y.Span[at] = (float)(exact.Values[at] + (share * bound.Values[at])))), Arithmetic).Passed;
        Assert.Equal((true, false, true, false), (Passes(0.5), Passes(2), Passes(-0.5), Passes(-2)));
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void A_value_that_is_no_number_is_named(float value)
    {
        (Op genuine, Shape[] shapes) = Operation("add");
        CheckRecord check = Find(Observe(shapes, new TamperedOp(genuine, (_, y) => y.Span[7] = value)), Arithmetic);
        Assert.False(check.Passed);
        Assert.StartsWith($"FAILED at 1 of {Output(genuine, shapes).Length} elements, worst: add, element 7: ", check.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void An_operation_that_only_claims_to_be_affine_is_found()
    {
        var shape = new Shape(1, 4, 4, 3);
        float[] x = Values(shape.Length, 3);
        // First an error of 1e-3 everywhere, with a tolerance that hides it; then ReLU under a false name.
        ErrorLedger Chain(Op second)
        {
            var ledger = new ErrorLedger(_workspace);
            using var run = new Run(_workspace, observers: [ledger]);
            second.Apply(new Loose(1e-3f).Apply(run.Input(shape, x)));
            return ledger;
        }
        Assert.True(Find(Chain(new Shortcut(3, 1)), Affine).Passed);
        CheckRecord check = Find(Chain(new TamperedOp(new Relu(0), (_, _) => { }, affine: true)), Affine);
        Assert.False(check.Passed);
        Assert.Contains("worst: relu, element ", check.Detail, StringComparison.Ordinal);

        // x + 1e-9 x^2 passes 2e-12 of the error of 1e-3 on that no affine map would; float64 rounds at 1e-16.
        check = Find(Chain(new Bent(1e-9)), Affine);
        Assert.False(check.Passed);
        Assert.Contains("worst: bent, element ", check.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void An_activation_that_enlarges_errors_is_found()
    {
        // No ReLU does, so the ideal of a polynomial is given a slope of 1.01 on negative inputs.
        ReluPolynomial steep = ActivationSpec.Parse("direct:4").Build();
        SetBackingField(steep, nameof(ReluPolynomial.Leak), 1.01);
        var shape = new Shape(1, 4, 4, 3);
        float[] x = Values(shape.Length, 3);
        ErrorLedger Chain(Op second)
        {
            var ledger = new ErrorLedger(_workspace);
            using var run = new Run(_workspace, observers: [ledger]);
            second.Apply(new Loose(1e-3f).Apply(run.Input(shape, x)));
            return ledger;
        }
        Assert.True(Find(Chain(new Relu(0.5f)), Activation).Passed);
        Assert.False(Find(Chain(new PolynomialRelu(steep, 2)), Activation).Passed);
    }

    [Fact]
    public void What_is_not_checked_is_not_said_to_have_passed()
    {
        var shape = new Shape(2, 10);
        var logits = new ErrorLedger(_workspace);
        using var run = new Run(_workspace, observers: [logits]);
        run.Input(shape, Values(20, 1)).SoftmaxCrossEntropy([1, 2]);
        Assert.Single(logits.Operations);
        Assert.Empty(logits.Checks);
    }

    private static CheckRecord Find(ErrorLedger ledger, string name) => Assert.Single(ledger.Checks, check => check.Name == name);

    private ErrorLedger Observe(float[] x, Op op) => Observe(op, run => [run.Input(new(x.Length), x)]);

    private ErrorLedger Observe(Shape[] shapes, Op op) => Observe(op, run => [.. shapes.Select((shape, i) => run.Input(shape, Values(shape.Length, 40 + i)))]);

    private ErrorLedger Observe(Op op, Func<Run, Tensor[]> inputs)
    {
        var ledger = new ErrorLedger(_workspace);
        using var run = new Run(_workspace, observers: [ledger]);
        op.Apply(inputs(run));
        return ledger;
    }

    private static Shape Output(Op op, Shape[] shapes) => op.OutputShape(shapes);

    /// <summary>Operations whose rounding bounds, at most 40 roundings of sums below 40, stay below 1e-4.</summary>
    private static (Op Op, Shape[] Inputs) Operation(string name)
    {
        var image = new Shape(2, 4, 4, 4);
        Parameter Of(Shape shape, int seed, bool positive = false)
        {
            var parameter = new Parameter($"p{seed}", shape);
            float[] values = Values(shape.Length, seed);
            parameter.Set(positive ? [.. values.Select(Math.Abs)] : values);
            return parameter;
        }
        return name switch
        {
            "conv2d" => (new Conv2d(Of(new(5, 4, 3, 3), 1), 1, 1), [image]),
            "batchNorm" => (new BatchNorm(Of(new(4), 1), Of(new(4), 2), Of(new(4), 3), Of(new(4), 4, positive: true), 0.1, 1e-5, Statistics.Evaluation), [image]),
            "relu" => (new Relu(0), [image]),
            "leaky" => (new Relu(0.25f), [image]),
            "polynomialRelu" => (new PolynomialRelu(ActivationSpec.Parse("composite:alpha=7").Build(), 1.5), [image]),
            "add" => (new Add(), [image, image]),
            "shortcut" => (new Shortcut(8, 2), [image]),
            "pool" => (new GlobalAveragePool(), [image]),
            "linear" => (new Linear(Of(new(10, 8), 1), Of(new(10), 2)), [new(3, 8)]),
            _ => throw new ArgumentOutOfRangeException(nameof(name)),
        };
    }

    private static float[] Values(int length, int seed)
    {
        var random = new CounterRandom(seed, RandomStream.Weights, 9);
        return [.. Enumerable.Range(0, length).Select(i => (float)((2 * random.Uniform(i)) - 1))];
    }

    /// <summary>A polynomial with its certificate, and one coefficient that is no longer the certified one.</summary>
    internal static ReluPolynomial Doctored(string spec, double change)
    {
        ReluPolynomial polynomial = ActivationSpec.Parse(spec).Build();
        var stages = (Polynomial[])typeof(ReluPolynomial).GetField("_stages", BindingFlags.NonPublic | BindingFlags.Instance)!.GetValue(polynomial)!;
        double[] coefficients = [.. stages[^1].Coefficients];
        coefficients[1] += change;
        stages[^1] = new Polynomial(stages[^1].Parity, stages[^1].HalfWidth, coefficients);
        Assert.Equal(coefficients[1], polynomial.Stages[^1].Coefficients[1]);
        return polynomial;
    }

    private static void SetBackingField(ReluPolynomial polynomial, string property, double value)
        => typeof(ReluPolynomial).GetField($"<{property}>k__BackingField", BindingFlags.NonPublic | BindingFlags.Instance)!.SetValue(polynomial, value);

    /// <summary>y = x + bend x^2, said to be affine.</summary>
    private sealed class Bent(double bend) : Op
    {
        public override string Name => "bent";

        public override bool IsAffine => true;

        public override Shape OutputShape(ReadOnlySpan<Shape> inputs) => inputs[0];

        public override void Reference(IReadOnlyList<DoubleTensor> inputs, IReadOnlyList<DoubleTensor> parameters, DoubleTensor output)
        {
            for (int i = 0; i < output.Values.Length; i++) output.Values[i] = inputs[0].Values[i] + (bend * inputs[0].Values[i] * inputs[0].Values[i]);
        }

        public override void RoundingBound(Workspace workspace, IReadOnlyList<DoubleTensor> inputs, double unitRoundoff, DoubleTensor bound)
        {
            for (int i = 0; i < bound.Values.Length; i++) bound.Values[i] = 2 * unitRoundoff * Math.Abs(inputs[0].Values[i]);
        }

        protected internal override void Forward(Forwarding pass, IReadOnlyList<Tensor> inputs, Memory<float> y)
        {
            for (int i = 0; i < y.Length; i++) y.Span[i] = (float)(inputs[0].Values[i] + (bend * inputs[0].Values[i] * inputs[0].Values[i]));
        }

        protected internal override void Backward(Backpropagation pass, IReadOnlyList<Tensor> inputs, Tensor output, ReadOnlyMemory<float> dy) => throw new NotSupportedException();
    }

    /// <summary>y = x, plus an error in float32 that its rounding bound allows.</summary>
    private sealed class Loose(float error) : Op
    {
        public override string Name => "loose";

        public override Shape OutputShape(ReadOnlySpan<Shape> inputs) => inputs[0];

        public override void Reference(IReadOnlyList<DoubleTensor> inputs, IReadOnlyList<DoubleTensor> parameters, DoubleTensor output)
            => inputs[0].Values.CopyTo(output.Values, 0);

        protected internal override void Forward(Forwarding pass, IReadOnlyList<Tensor> inputs, Memory<float> y)
        {
            for (int i = 0; i < y.Length; i++) y.Span[i] = inputs[0].Values[i] + error;
        }

        protected internal override void Backward(Backpropagation pass, IReadOnlyList<Tensor> inputs, Tensor output, ReadOnlyMemory<float> dy)
            => throw new NotSupportedException();
    }
}
