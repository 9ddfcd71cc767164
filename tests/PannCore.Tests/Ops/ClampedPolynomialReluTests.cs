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
    [InlineData("composite:alpha=12", 1.5, 1)] // In float64.
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
}
