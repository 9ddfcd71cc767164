using PannCore.Approximation;
using Xunit;

namespace PannCore.Tests.Approximation;

public sealed class OutOfRangeTests
{
    private static OutOfRange Of(string spec) => ActivationSpec.Parse(spec).Build().Certificate.OutOfRange;

    [Theory]
    [InlineData("composite:alpha=7,leak=0.1")]
    [InlineData("composite:alpha=9")]
    [InlineData("direct:64")]
    public void Values_are_those_of_exact_arithmetic(string spec)
    {
        ReluPolynomial r = ActivationSpec.Parse(spec).Build();
        OutOfRange outside = r.Certificate.OutOfRange;
        Assert.Equal([-1.05, -1.01, -1.001, 1.001, 1.01, 1.05], outside.Samples.Select(sample => sample.T));
        Assert.All(outside.Samples, sample =>
        {
            // Outside, rounding grows as the polynomial does: 1e-15 times the slopes of the stages, a few thousand each at 5 %.
            double exact = FixedPoint.Value(r, sample.T), ideal = sample.T > 0 ? sample.T : r.Leak * sample.T;
            Assert.Equal(exact, sample.Value, 1e-8 * Math.Max(1, Math.Abs(exact)));
            Assert.Equal(ideal, sample.Ideal);
            Assert.Equal((sample.Value - ideal) / Math.Abs(sample.T), sample.RelativeError);
        });
    }

    [Fact]
    public void One_percent_outside_is_what_it_is_known_to_be()
    {
        // Known of other coefficients of the same degrees, the gap a little different: 0.89 and 0.65 of the right value at alpha 7 and 8, nothing at 9 to 12, some -1e164 at 13; of the same direct ones: -8 and -4e4.
        double At(string spec) => Of(spec).Samples.Single(sample => sample.T == 1.01).Value;
        Assert.Equal(0.89 * 1.01, At("composite:alpha=7"), 0.02);
        Assert.Equal(0.65 * 1.01, At("composite:alpha=8"), 0.03);
        foreach (int alpha in (int[])[9, 10, 11, 12]) Assert.InRange(At($"composite:alpha={alpha}"), -0.001, 0.001);
        Assert.InRange(Math.Log10(-At("composite:alpha=13")), 160, 170);
        Assert.Equal(-8, At("direct:64"), 0.5);
        Assert.Equal(-4e4, At("direct:128"), 0.1e4);
    }

    [Theory]
    [InlineData("composite:alpha=4")]
    [InlineData("composite:alpha=8,leak=0.1")]
    [InlineData("composite:alpha=12")]
    [InlineData("direct:2")]
    [InlineData("direct:16,leak=0.1")]
    [InlineData("direct:256")]
    public void The_cliff_is_the_first_point_that_a_naive_march_finds(string spec)
    {
        ReluPolynomial r = ActivationSpec.Parse(spec).Build();
        foreach ((int sign, double? cliff) in new[] { (1, r.Certificate.OutOfRange.CliffAbove), (-1, r.Certificate.OutOfRange.CliffBelow) })
        {
            bool Wrong(double d)
            {
                double t = sign * (1 + d), ideal = t > 0 ? t : r.Leak * t;
                return Math.Abs(r.Evaluate(t) - ideal) >= 0.1 * Math.Abs(t);
            }

            Assert.InRange(cliff!.Value, 0, 0.2);
            Assert.True(Wrong(cliff.Value * (1 + 1e-9)));
            for (int i = 0; i < 5000; i++) Assert.False(Wrong(cliff.Value * i / 5000), $"{spec}: already at {i}/5000 of {cliff}");
        }
    }

    [Fact]
    public void The_nearest_parabola_leaves_by_ten_percent_where_its_equation_says()
        // r(t) = (t + t^2 + 1/8)/2, error (t^2 - t + 1/8)/2 = t/10 for t = (1.2 + sqrt(1.44 - 0.5))/2.
        => Assert.Equal(((1.2 + Math.Sqrt(0.94)) / 2) - 1, Of("direct:2").CliffAbove!.Value, 1e-12);

    [Fact]
    public void Some_have_no_cliff_and_some_are_wrong_already_at_one()
    {
        // r = t: exact above; below, with a leak of 0.95, off by 5 % everywhere, with none by 100 %.
        ReluPolynomial Line(double leak) => ReluPolynomial.Of(ReluFamily.Series, leak, [new Polynomial(Parity.None, 1, [0, 1.0])], [], "series:1");
        Assert.Equal((null, null), (Line(0.95).Certificate.OutOfRange.CliffAbove, Line(0.95).Certificate.OutOfRange.CliffBelow));
        Assert.Equal((null, 0), (Line(0).Certificate.OutOfRange.CliffAbove, Line(0).Certificate.OutOfRange.CliffBelow));
    }
}
