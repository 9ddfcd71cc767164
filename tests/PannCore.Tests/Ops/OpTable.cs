using PannCore.Approximation;
using PannCore.Engine;
using PannCore.Ops;
using PannCore.Tests.Kernels;

namespace PannCore.Tests.Ops;

/// <summary>
/// One case of one operation. Every row is checked forward against Reference, backward against central differences of Reference,
/// in float64 (Exact) against Reference, and for equal bits on one and three threads.
/// </summary>
/// <param name="Case">Shown in the test's name.</param>
/// <param name="Make">Makes a fresh application of the operation over the given parameters.</param>
/// <param name="Inputs">Shapes of the inputs.</param>
/// <param name="Parameters">Shapes of the parameters; the last <paramref name="Frozen"/> get no gradient.</param>
/// <param name="Terms">
/// Roundings a result element can collect, n in the bound n 2^-24 sum |terms| (Higham, Accuracy and Stability, section 3.1).
/// The sum of magnitudes is the Reference itself on magnitudes if <paramref name="Multilinear"/>, else the largest result.
/// </param>
/// <param name="Multilinear">Whether the operation is linear in each argument with non-negative coefficients.</param>
/// <param name="Frozen">How many of the last parameters are running statistics.</param>
/// <param name="Statistics">Which statistics the run uses.</param>
/// <param name="Polynomial">For a polynomial activation: its tolerance for each element instead of <paramref name="Terms"/>.</param>
internal sealed record OpRow(
    string Case, Func<Parameter[], Op> Make, Shape[] Inputs, Shape[] Parameters, int Terms, bool Multilinear = true, int Frozen = 0,
    Statistics Statistics = Statistics.Evaluation, PolynomialTolerance? Polynomial = null)
{
    /// <summary>The smaller step of the central differences: where they are exact as large as the numbers' distance from 0 allows, and the smaller the more the function bends.</summary>
    public double Step => Polynomial is not null ? 1e-5 : Multilinear ? 1.0 / 32 : 3e-4;
}

/// <summary>Error bounds of B r(x / B) and its derivative at one input, derived by <see cref="ClenshawBound"/>; adding a shift below 1 rounds the sum once more.</summary>
internal sealed record PolynomialTolerance(ReluPolynomial Polynomial, double Range, bool HasShift = false, bool IsClamped = false)
{
    public (Bounded Value, Bounded Derivative) Bound(double x, double unitRoundoff)
    {
        if (IsClamped) x = Math.Clamp(x, -Range, Range);
        (Bounded value, Bounded derivative) = ClenshawBound.Of(Polynomial, Range, x, unitRoundoff);
        return (HasShift ? value with { Error = value.Error + (unitRoundoff * (Math.Abs(value.Value) + value.Error + 1)) } : value, derivative);
    }
}

internal static class OpTable
{
    public static readonly OpRow[] Rows =
    [
        Conv("3x3 16 to 16", n: 1, h: 3, w: 17, c: 16, k: 16),
        Conv("3x3 8 to 32", n: 1, h: 3, w: 9, c: 8, k: 32),
        Conv("3x3 32 to 32, Winograd", n: 1, h: 3, w: 5, c: 32, k: 32),
        Conv("3x3 stem, odd sizes", n: 3, h: 7, w: 5, c: 3, k: 16),
        Conv("3x3 stride 2", n: 2, h: 4, w: 6, c: 8, k: 32, stride: 2),
        Conv("3x3 stride 2, odd sizes", n: 2, h: 7, w: 9, c: 5, k: 10, stride: 2),
        Conv("3x3 stride 3, no padding", n: 1, h: 10, w: 8, c: 2, k: 3, stride: 3, padding: 0),
        Conv("1x1", n: 2, h: 5, w: 3, c: 7, k: 17, r: 1, s: 1, padding: 0),
        Conv("1x1 stride 2: taps miss most pixels", n: 2, h: 5, w: 6, c: 4, k: 4, r: 1, s: 1, stride: 2, padding: 0),
        Conv("5x3 with padding 2", n: 1, h: 6, w: 7, c: 3, k: 6, r: 5, s: 3, padding: 2),
        Conv("1x1 with padding beyond the kernel", n: 1, h: 3, w: 3, c: 2, k: 2, r: 1, s: 1, padding: 2),
        Conv("7x7 on a smaller image", n: 1, h: 5, w: 4, c: 2, k: 3, r: 7, s: 7, padding: 3),
        Conv("one pixel", n: 1, h: 1, w: 1, c: 1, k: 1),
        new("training", Norm(Statistics.Training), [new(4, 3, 5, 19)], Channels(19), Terms: 64, Multilinear: false, Frozen: 2, Statistics.Training),
        new("training, 16 channels", Norm(Statistics.Training), [new(2, 8, 8, 16)], Channels(16), Terms: 128, Multilinear: false, Frozen: 2, Statistics.Training),
        new("evaluation", Norm(Statistics.Evaluation), [new(4, 3, 5, 19)], Channels(19), Terms: 8, Multilinear: false, Frozen: 2),
        new("evaluation, trainable statistics", Norm(Statistics.Evaluation), [new(4, 3, 5, 19)], Channels(19), Terms: 8, Multilinear: false),
        new("training, trainable statistics", Norm(Statistics.Training), [new(2, 3, 5, 19)], Channels(19), Terms: 64, Multilinear: false, Statistics: Statistics.Training),
        new("plain", _ => new Relu(0), [new(3, 5, 7, 2)], [], Terms: 1),
        new("leaky", _ => new Relu(0.1f), [new(3, 5, 7, 2)], [], Terms: 2),
        Activation("composite:alpha=5", range: 1.5),
        Activation("composite:7,7,leak=0.1", range: 2),
        Activation("direct:4", range: 0.9), // Some inputs lie outside the range.
        Activation("direct:64", range: 2),
        Activation("composite:7,7,leak=0.1", range: 2, PolynomialArithmetic.Float64),
        Perturbed("constant on negatives", new(PerturbedSide.Negative, PerturbationForm.Plus, 0.3)),
        Perturbed("noise, leaky", new(PerturbedSide.Both, PerturbationForm.Uniform, 0.5, Slope: 0.1f)),
        Perturbed("half of the own error reversed", new(PerturbedSide.Both, PerturbationForm.OwnReversed, 0.5, ActivationSpec.Parse("composite:7,7").Build(), Range: 1.5)),
        Perturbed("own error with tossed signs", new(PerturbedSide.Negative, PerturbationForm.OwnRandomSign, 0.7, ActivationSpec.Parse("composite:7,7").Build(), Range: 1.5)),
        Perturbed("own error on positives", new(PerturbedSide.Positive, PerturbationForm.Own, 1, ActivationSpec.Parse("composite:7,7").Build(), Range: 1.5)),
        Clamped("composite:7,7", range: 2),
        Clamped("composite:7,7", range: 2, share: 0.375),
        Clamped("direct:4", range: 0.55), // Inputs lie on both sides of the range's ends.
        Activation("composite:7,7", range: 2, shift: true),
        Activation("direct:4", range: 0.9, PolynomialArithmetic.Float64, shift: true),
        new("without weight", _ => new PenalisedCrest(new(0, 1)), [new(3, 5, 7, 2)], [], Terms: 1),
        new("images", _ => new Add(), [new(2, 3, 4, 5), new(2, 3, 4, 5)], [], Terms: 1),
        new("stride 2, 16 to 32", _ => new Shortcut(32, 2), [new(2, 4, 4, 16)], [], Terms: 1),
        new("odd sizes, 3 to 7", _ => new Shortcut(7, 2), [new(2, 5, 7, 3)], [], Terms: 1),
        new("8x8", _ => new GlobalAveragePool(), [new(3, 8, 8, 64)], [], Terms: 66),
        new("odd", _ => new GlobalAveragePool(), [new(2, 3, 5, 7)], [], Terms: 17),
        new("64 to 10", p => new Linear(p[0], p[1]), [new(5, 64)], [new(10, 64), new(10)], Terms: 66),
        new("odd", p => new Linear(p[0], p[1]), [new(3, 7)], [new(5, 7), new(5)], Terms: 9),
        new("hard labels", _ => new SoftmaxCrossEntropy(Targets(4, 10, hard: true)), [new(4, 10)], [], Terms: 16, Multilinear: false),
        new("a teacher's share", _ => new DistillationLoss(Values(40, 9), weight: 0.7, temperature: 3), [new(1), new(4, 10)], [], Terms: 3, Multilinear: false),
        new("a teacher alone, cold", _ => new DistillationLoss(Values(21, 9), weight: 1, temperature: 0.5), [new(1), new(3, 7)], [], Terms: 3, Multilinear: false),
        new("soft labels", _ => new SoftmaxCrossEntropy(Targets(3, 7, hard: false)), [new(3, 7)], [], Terms: 16, Multilinear: false),
    ];

    public static OpRow Find(string operation, string name) => Rows.Single(row => Name(row) == operation && row.Case == name);

    public static string Name(OpRow row) => Application(row, seed: 1).Name;

    public static Op Application(OpRow row, int seed, bool magnitudes = false) => row.Make(MakeParameters(row, seed, magnitudes));

    public static Parameter[] MakeParameters(OpRow row, int seed, bool magnitudes = false)
    {
        var parameters = new Parameter[row.Parameters.Length];
        for (int i = 0; i < parameters.Length; i++)
        {
            parameters[i] = new Parameter($"p{i}", row.Parameters[i], trainable: i < parameters.Length - row.Frozen);
            // Only batch-norm has four parameters, and the last is a variance.
            bool positive = magnitudes || i == 3;
            parameters[i].Set(Values(row.Parameters[i].Length, seed + 100 + i, positive));
        }
        return parameters;
    }

    /// <summary>Numbers in +-[0.1, 1): away from 0, where ReLU has no derivative.</summary>
    public static float[] Values(int length, int seed, bool positive = false)
    {
        var random = new CounterRandom(seed, RandomStream.Weights, 0);
        float[] values = new float[length];
        for (int i = 0; i < length; i++)
        {
            double magnitude = 0.1 + (0.9 * random.Uniform(2 * i));
            values[i] = (float)(positive || random.Uniform((2 * i) + 1) < 0.5 ? magnitude : -magnitude);
        }
        return values;
    }

    private static OpRow Conv(string name, int n, int h, int w, int c, int k, int r = 3, int s = 3, int stride = 1, int padding = 1)
        => new(name, p => new Conv2d(p[0], stride, padding), [new(n, h, w, c)], [new(k, c, r, s)], Terms: Math.Max(r * s * Math.Max(c, k), n * h * w) + 1);

    private static OpRow Activation(string spec, double range, PolynomialArithmetic arithmetic = PolynomialArithmetic.Float32, bool shift = false)
    {
        ReluPolynomial polynomial = ActivationSpec.Parse(spec).Build();
        return new(
            $"{spec} in {arithmetic}{(shift ? " with a shift" : "")}", p => new PolynomialRelu(polynomial, range, arithmetic, shift ? p[0] : null), [new(3, 5, 7, 2)], shift ? [new(2)] : [], Terms: 0,
            Frozen: shift ? 1 : 0, Polynomial: new(polynomial, range, shift));
    }

    private static OpRow Clamped(string spec, double range, double share = 1)
    {
        ReluPolynomial polynomial = ActivationSpec.Parse(spec).Build();
        return new($"{spec}, range {range}, share {share}", _ => new ClampedPolynomialRelu(polynomial, range, new(0), share), [new(3, 5, 7, 2)], [], Terms: share < 1 ? 3 : 0, Polynomial: new(polynomial, range, IsClamped: true));
    }

    /// <summary>A product and two sums at most, or the tolerance of the polynomial, which is the result itself or ReLU.</summary>
    private static OpRow Perturbed(string name, ReluPerturbation perturbation) => new(
        name, _ => new PerturbedRelu(perturbation, new CounterRandom(3, RandomStream.Perturbation, 1), new[] { 5, 2, 900 }), [new(3, 5, 7, 2)], [], Terms: 3, Multilinear: false,
        Polynomial: perturbation.Polynomial is { } polynomial ? new(polynomial, perturbation.Range) : null);

    private static Func<Parameter[], Op> Norm(Statistics statistics) => p => new BatchNorm(p[0], p[1], p[2], p[3], 0.1, 1e-5, statistics);

    private static Shape[] Channels(int count) => [new(count), new(count), new(count), new(count)];

    private static float[] Targets(int images, int classes, bool hard)
    {
        float[] targets = new float[images * classes];
        for (int n = 0; n < images; n++)
        {
            targets[(n * classes) + (n * 3 % classes)] = hard ? 1 : 0.7f;
            if (!hard) targets[(n * classes) + (((n * 3) + 1) % classes)] = 0.3f;
        }
        return targets;
    }
}
