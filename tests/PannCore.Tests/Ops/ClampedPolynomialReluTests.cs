using PannCore.Approximation;
using PannCore.Engine;
using PannCore.Ops;
using PannCore.Tests.Kernels;
using Xunit;

namespace PannCore.Tests.Ops;

public sealed class ClampedPolynomialReluTests
{
    private const double Unit = 1.0 / (1 << 24);

    [Theory]
    [InlineData("direct:4", 1.5, 1)]
    [InlineData("direct:4", 1.5, 0.375)]
    [InlineData("composite:3,7,leak=0.125", 0.8, 0.625)]
    [InlineData("composite:3,7", 0.8, 0)]
    [InlineData("composite:3,7", 0.8, 1)]
    [InlineData("composite:alpha=12", 1.5, 1)]
    [InlineData("composite:alpha=12", 1.5, 0.5)]
    public void Inputs_are_clamped_and_the_penalty_is_in_the_gradient(string spec, double range, double share)
    {
        const int images = 3, size = 301;
        const double weight = 0.3, from = 0.75;
        ReluPolynomial polynomial = ActivationSpec.Parse(spec).Build();
        var random = new CounterRandom(2, RandomStream.Weights, 0);
        float[] x = [.. Enumerable.Range(0, images * size).Select(i => (float)(2.5 * range * ((2 * random.Uniform(i)) - 1)))];
        float[] seed = OpTable.Values(x.Length, 4);
        using var workspace = new Workspace(2, fillWithNaN: true);
        using var run = new Run(workspace, tape: true);
        var source = new Source(x, new(images, size));
        Tensor y = source.In(run).ClampedPolynomialRelu(polynomial, range, new(weight, from), share);
        float[] values = y.Values.ToArray();
        ReadOnlySpan<float> gradient = run.Backward(y, seed)[source.Parameters[0]];

        bool outside = false, near = false;
        for (int i = 0; i < x.Length; i++)
        {
            double t = x[i] / range, inside = Math.Clamp(t, -1, 1);
            (Bounded value, Bounded slope) = ClenshawBound.Of(polynomial, range, range * inside, Unit);
            // The shares are exact in binary. Beside the polynomial's roundings: three products and a sum.
            double relu = x[i] > 0 ? x[i] : polynomial.Leak * x[i], rest = (1 - share) * relu;
            double expected = (share * range * polynomial.Evaluate(inside)) + rest;
            Assert.Equal(expected, values[i], share == 1 ? value.Error : (share * value.Error) + (3 * Unit * (Math.Abs(share * value.Value) + Math.Abs(rest) + Math.Abs(expected))));

            // d/dx of seed y + (weight / images) max(|x| / B - from, 0)^2, of which the second part carries a few roundings.
            double over = Math.Max(Math.Abs(t) - from, 0), penalty = 2 * weight * over * Math.Sign(t) / (range * images);
            double own = seed[i] * ((Math.Abs(t) <= 1 ? share * polynomial.Derivative(t) : 0) + ((1 - share) * (x[i] > 0 ? 1 : polynomial.Leak)));
            double tolerance = (Math.Abs(seed[i]) * (slope.Error + (2 * Unit * Math.Abs(slope.Value)))) + (8 * Unit * ((Math.Abs(penalty) * (1 + (from / Math.Max(over, Unit)))) + Math.Abs(own) + Math.Abs((1 - share) * seed[i])));
            Assert.Equal(own + penalty, gradient[i], tolerance);
            outside |= Math.Abs(t) > 1;
            near |= over > 0 && Math.Abs(t) <= 1;
        }
        Assert.True(outside && near);
    }

    /// <summary>
    /// The gradient of the logarithm l of a learnt range against the formula in float64: its terms dy u (v - x s) and penalty, v value and s slope, with the errors of both.
    /// Float32 sums of up to 256 terms, each a product of rounded factors, add less than gamma_262 of the sum of their magnitudes.
    /// </summary>
    [Theory]
    [InlineData("direct:2", 0.7, 1, 0.3)]
    [InlineData("direct:4", 1.5, 0.375, 0)]
    [InlineData("composite:3,7,leak=0.125", 0.8, 1, 0.3)]
    [InlineData("direct:16", 1.5, 0.5, 4)]
    public void A_learnt_range_gets_the_gradient_of_the_formula(string spec, double given, double share, double weight)
    {
        const int images = 3, size = 20_011; // Several chunks, and a remainder.
        const double from = 0.75;
        ReluPolynomial polynomial = ActivationSpec.Parse(spec).Build();
        var logarithm = new Parameter("l", new(1));
        logarithm.Set([-0.21f]);
        double range = given * Math.Exp(-0.21f);
        var random = new CounterRandom(3, RandomStream.Weights, 0);
        float[] x = [.. Enumerable.Range(0, images * size).Select(i => (float)(1.5 * range * ((2 * random.Uniform(i)) - 1)))];
        float[] dy = OpTable.Values(x.Length, 4, positive: true);

        double expected = 0, within = 0, beyond = 0, penalties = 0, tolerance = 0, limit = 256 + 6, gamma = limit * Unit / (1 - (limit * Unit));
        for (int i = 0; i < x.Length; i++)
        {
            double t = x[i] / range, inside = Math.Clamp(t, -1, 1), over = Math.Max(Math.Abs(t) - from, 0), penalty = 2 * weight / images * over * Math.Abs(t);
            (Bounded value, Bounded slope) = ClenshawBound.Of(polynomial, range, range * inside, Unit);
            double own = Math.Abs(t) <= 1 ? range * inside * polynomial.Derivative(inside) : 0;
            double term = dy[i] * share * ((range * polynomial.Evaluate(inside)) - own);
            expected += term - penalty;
            penalties += penalty;
            if (Math.Abs(t) <= 1) within += term;
            else beyond += term;
            double magnitude = Math.Abs(dy[i]) * share * (Math.Abs(value.Value) + Math.Abs(own));
            tolerance += (Math.Abs(dy[i]) * share * (value.Error + (range * slope.Error))) + (gamma * (magnitude + penalty + (2 * weight / images * from * Math.Abs(t) * (over > 0 ? 1 : 0))));
        }

        float single = Gradient(1);
        Assert.Equal(expected, single, tolerance);
        Assert.Equal(single, Gradient(3));
        // A tolerance that would pass anything is no test: what inputs inside, inputs beyond, and the penalty contribute is each larger.
        Assert.True(Math.Abs(within) > 3 * tolerance && Math.Abs(beyond) > 3 * tolerance && (weight == 0 || penalties > 3 * tolerance), $"{within}, {beyond}, {penalties}: within {tolerance}");

        // Fixed or learnt, the gradient of the inputs has the same bits.
        Assert.Equal(OfInputs(null, range), OfInputs(logarithm, given));

        float Gradient(int threads)
        {
            using var workspace = new Workspace(threads, fillWithNaN: true);
            using var run = new Run(workspace, tape: true);
            Tensor y = new Source(x, new(images, size)).In(run).ClampedPolynomialRelu(polynomial, given, new(weight, from), share, logarithm);
            return run.Backward(y, dy)[logarithm][0];
        }

        float[] OfInputs(Parameter? learnt, double b)
        {
            using var workspace = new Workspace(2, fillWithNaN: true);
            using var run = new Run(workspace, tape: true);
            var source = new Source(x, new(images, size));
            Tensor y = source.In(run).ClampedPolynomialRelu(polynomial, b, new(weight, from), share, learnt);
            return run.Backward(y, dy)[source.Parameters[0]].ToArray();
        }
    }

    [Fact]
    public void A_learnt_range_has_one_logarithm()
    {
        using var workspace = new Workspace(1);
        using var run = new Run(workspace, tape: true);
        Tensor x = run.Input(new(1, 2), [1, 2]);
        Assert.Equal(
            "clampedPolynomialRelu: parameter l: expected one element, found [2]",
            Assert.Throws<ShapeException>(() => x.ClampedPolynomialRelu(ActivationSpec.Parse("direct:2").Build(), 1, new(0), logarithm: new Parameter("l", new(2)))).Message);
    }
}
