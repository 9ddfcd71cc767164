using PannCore.Approximation;
using Xunit;

namespace PannCore.Tests.Approximation;

public sealed class ReluPolynomialTests
{
    private static readonly int[][] AlphaDegrees =
        [[5], [13], [3, 7], [7, 7], [7, 15], [15, 15], [7, 7, 13], [7, 7, 27], [7, 15, 27], [15, 15, 27], [15, 27, 29]];

    public static TheoryData<int> Alphas() => new(Enumerable.Range(4, 11));

    private static double Leaky(double t, double leak) => t >= 0 ? t : leak * t;

    // Largest error on a naive grid of both signs, even in t and even in log t.
    private static double NaiveError(Func<double, double> r, double leak, int points = 20_000)
    {
        double largest = Math.Abs(r(0));
        for (int i = 1; i <= points; i++)
        {
            foreach (double t in (double[])[(double)i / points, Math.Pow(1e-6, 1 - (double)i / points)])
            {
                largest = Math.Max(largest, Math.Abs(r(t) - Leaky(t, leak)));
                largest = Math.Max(largest, Math.Abs(r(-t) - Leaky(-t, leak)));
            }
        }

        return largest;
    }

    [Theory]
    [InlineData(4, -4.64)]
    [InlineData(5, -5.72)]
    [InlineData(6, -6.06)]
    [InlineData(7, -7.05)]
    [InlineData(8, -8.04)]
    [InlineData(9, -9.01)]
    [InlineData(10, -10.12)]
    [InlineData(11, -11.14)]
    [InlineData(12, -12.15)]
    [InlineData(13, -13.16)]
    [InlineData(14, -14.06)]
    public void Composites_reach_the_known_error_of_their_degrees(int alpha, double log2Error)
    {
        // The reference figures have two decimals; a proved bound may cost 0.003 more.
        ReluPolynomial r = ActivationSpec.Parse($"composite:alpha={alpha}").Build();
        Assert.Equal(AlphaDegrees[alpha - 4], r.Degrees);
        Assert.InRange(Math.Log2(r.MaxError), log2Error - 0.02, log2Error + 0.01);
        Holds(r);
    }

    [Theory]
    [InlineData(2, -4.00)]
    [InlineData(4, -4.89)]
    [InlineData(8, -5.85)]
    [InlineData(16, -6.84)]
    [InlineData(32, -7.84)]
    [InlineData(64, -8.84)]
    [InlineData(128, -9.84)]
    [InlineData(256, -10.84)]
    public void Direct_polynomials_reach_the_known_error_of_their_degree(int degree, double log2Error)
    {
        ReluPolynomial r = ReluPolynomial.Direct(degree);
        Assert.Equal([degree], r.Degrees);
        Assert.InRange(Math.Log2(r.MaxError), log2Error - 0.01, log2Error + 0.01);
        Assert.InRange(Math.Abs(r.Certificate.ValueAtZero), r.MaxError / 1.002, r.MaxError);
        Holds(r);
    }

    [Fact]
    public void Two_stages_of_15_and_31_reach_minus_9_99()
    {
        ReluPolynomial r = ReluPolynomial.Composite([15, 31]);
        Assert.InRange(Math.Log2(r.MaxError), -10.0, -9.98);
        Assert.Equal("composite:15,31", r.Spec);
    }

    [Theory]
    [InlineData(0.1)]
    [InlineData(0.5)]
    public void A_leak_scales_the_error_by_one_minus_the_leak(double leak)
    {
        ReluPolynomial plain = ReluPolynomial.Composite([7, 7]), leaky = ReluPolynomial.Composite([7, 7], leak);
        Assert.Equal((1 - leak) * plain.MaxError, leaky.MaxError, 1e-11);
        Assert.Equal(0, leaky.Evaluate(0));
        Holds(leaky);
        Holds(ReluPolynomial.Direct(8, leak));
    }

    [Theory]
    [InlineData(4)]
    [InlineData(7)]
    [InlineData(10)]
    [InlineData(14)]
    public void No_other_gap_is_better(int alpha)
    {
        ReluPolynomial r = ActivationSpec.Parse($"composite:alpha={alpha}").Build();
        double tuned = r.Certificate.ScannedError;
        foreach (double factor in (double[])[0.8, 0.99, 1.01, 1.2])
        {
            double lo = r.Certificate.Stages[0].Lo * factor, hi = 1;
            List<Polynomial> stages = [];
            foreach (int degree in r.Degrees)
            {
                RemezResult result = Remez.Sign(degree, lo, hi);
                stages.Add(result.Polynomial);
                (lo, hi) = (1 - result.LevelledError, 1 + result.LevelledError);
            }

            double other = NaiveError(t => t * (1 + stages.Aggregate(t, (p, stage) => stage.Evaluate(p))) / 2, 0);
            Assert.True(other > tuned * 1.002, $"gap * {factor}: {other} against {tuned}");
        }
    }

    [Theory]
    [InlineData(15, 15, 0.004)]
    [InlineData(7, 7, 0.1)]
    public void A_given_gap_is_kept_and_its_error_is_that_of_the_last_stage_or_of_the_hump(int first, int second, double gap)
    {
        ReluPolynomial r = ActivationSpec.Parse(FormattableString.Invariant($"composite:{first},{second},gap={gap}")).Build();
        Assert.Equal(gap, r.Certificate.Stages[0].Lo);
        Assert.True(r.ClaimsMinimax);
        Holds(r);
        double beyond = r.Certificate.Stages[1].LevelledError / 2, hump = 0;
        for (int i = 0; i <= 10_000; i++) hump = Math.Max(hump, Math.Abs(r.Evaluate(gap * i / 10_000) - gap * i / 10_000));
        Assert.Equal(Math.Max(beyond, hump), r.MaxError, 2e-3 * r.MaxError);
        Assert.True(r.MaxError > ReluPolynomial.Composite([first, second]).MaxError);
    }

    [Fact]
    public void The_tuned_gap_given_back_gives_the_tuned_polynomial()
    {
        ReluPolynomial tuned = ReluPolynomial.Composite([7, 15]), given = ActivationSpec.Parse(FormattableString.Invariant($"composite:7,15,gap={tuned.Certificate.Stages[0].Lo:r}")).Build();
        Assert.Equal(tuned.MaxError, given.MaxError, 1e-9);
    }

    [Fact]
    public void A_gap_so_wide_that_nothing_is_left_to_do_is_refused()
        => Assert.Equal(
            "composite with gap 0.9: stage 1 leaves no interval for stage 2: its error is 0",
            Assert.Throws<BadInputException>(() => ActivationSpec.Parse("composite:63,3,gap=0.9").Build()).Message);

    [Theory]
    [InlineData("composite:7,7,7,gap=0.7", "composite with gap 0.7: stage 2 leaves no interval for stage 3: its error is ")]
    [InlineData("composite:63,63,gap=0.5", "composite with gap 0.5: stage 1 leaves no interval for stage 2: its error is ")]
    [InlineData("composite:3,gap=0.9999999999999999", "composite with gap 0.9999999999999999: it leaves no interval for stage 1")]
    public void Intervals_of_a_few_numbers_of_double_are_refused(string spec, string message)
        => Assert.StartsWith(message, Assert.Throws<BadInputException>(() => ActivationSpec.Parse(spec).Build()).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("composite:3,7,11", 232)]
    [InlineData("direct:16", 16)]
    [InlineData("square", 2)]
    public void The_degree_is_that_of_the_whole(string spec, int degree)
        => Assert.Equal(degree, ActivationSpec.Parse(spec).Build().Degree);

    [Theory]
    [InlineData("direct:8,zero", 0)]
    [InlineData("direct:8,zero,leak=0.1", 0)]
    [InlineData("direct:8,unbiased=8,leak=0.1", double.NaN)]
    public void Variants_of_direct_keep_their_conditions_with_a_leak(string text, double valueAtZero)
    {
        ActivationSpec spec = ActivationSpec.Parse(text);
        ReluPolynomial r = spec.Build();
        if (!double.IsNaN(valueAtZero)) Assert.Equal(valueAtZero, r.Certificate.ValueAtZero, 1e-16);
        if (spec.Density is not null) Assert.Equal(0, InputDensity.Parse(spec.Density).Integrate(t => r.Evaluate(t) - Leaky(t, r.Leak), 8), 1e-12);
        Assert.InRange(NaiveError(r.Evaluate, r.Leak), r.MaxError / 1.002, r.MaxError);
    }

    [Theory]
    [MemberData(nameof(Alphas))]
    public void Stages_are_chained_by_their_levelled_errors(int alpha)
    {
        IReadOnlyList<StageCertificate> stages = ActivationSpec.Parse($"composite:alpha={alpha}").Build().Certificate.Stages;
        Assert.Equal(1, stages[0].Hi);
        for (int i = 1; i < stages.Count; i++)
        {
            Assert.Equal(1 - stages[i - 1].LevelledError, stages[i].Lo, 1e-12);
            Assert.Equal(1 + stages[i - 1].LevelledError, stages[i].Hi, 1e-12);
        }
    }

    [Theory]
    [MemberData(nameof(Alphas))]
    public void Rounding_of_double_stays_below_the_certificates_allowance(int alpha)
    {
        ReluPolynomial r = ActivationSpec.Parse($"composite:alpha={alpha}").Build();
        double gap = r.Certificate.Stages[0].Lo;
        for (int i = 0; i <= 500; i++)
        {
            foreach (double t in (double[])[i / 500.0, 2 * gap * i / 500])
                Assert.Equal(FixedPoint.ErrorOnPositive(r, t), r.Evaluate(t) - t, r.Certificate.Rounding);
        }
    }

    [Theory]
    [InlineData(16)]
    [InlineData(256)]
    public void Rounding_of_double_stays_below_the_certificates_allowance_for_direct(int degree)
    {
        ReluPolynomial r = ReluPolynomial.Direct(degree, 0.1);
        for (int i = 0; i <= 300; i++)
            Assert.Equal(FixedPoint.ErrorOnPositive(r, i / 300.0), r.Evaluate(i / 300.0) - i / 300.0, r.Certificate.Rounding);
    }

    [Theory]
    [MemberData(nameof(Alphas))]
    public void Float32_evaluation_is_far_more_precise_than_the_approximation(int alpha)
    {
        ReluPolynomial r = ActivationSpec.Parse($"composite:alpha={alpha}").Build();
        Assert.InRange(r.Float32EvaluationError, 1e-8, r.MaxError / 8);
    }

    [Theory]
    [InlineData("composite:alpha=7,leak=0.1")]
    [InlineData("composite:alpha=14")]
    [InlineData("direct:16,leak=0.1")]
    public void Derivative_agrees_with_central_differences(string spec)
    {
        ReluPolynomial r = ActivationSpec.Parse(spec).Build();
        for (int i = -200; i <= 200; i++)
        {
            // The truncation of the 160-bit difference is below 2^-120 degree^6 = 1e-12; the derivative itself rounds like its stages, each with slope
            // up to degree^2 at the ends of the range: 1e-16 times a few hundred terms times that.
            double t = i / 200.0, difference = FixedPoint.Slope(r, t);
            Assert.Equal(difference, r.Derivative(t), 1e-9 * Math.Max(1, Math.Abs(difference)));
        }
    }

    [Theory]
    [InlineData("composite:alpha=5")]
    [InlineData("composite:alpha=9,leak=0.1")]
    [InlineData("direct:2")]
    [InlineData("direct:16")]
    public void The_largest_slope_is_a_bound_and_a_close_one(string spec)
    {
        ReluPolynomial r = ActivationSpec.Parse(spec).Build();
        double found = 0;
        // A step of 1e-5, and the ends themselves: between two points a slope of degree n grows by n^2 1e-5 of itself at most, for these below a hundredth.
        for (int i = -100_000; i <= 100_000; i++) found = Math.Max(found, Math.Abs(r.Derivative(i / 100_000.0)));
        Assert.InRange(r.LargestSlope, found, 1.02 * 1.01 * found);
    }

    [Fact]
    public void Nothing_is_clamped_outside_the_range()
    {
        // Degree 2 is (t + t^2 + 1/8) / 2 everywhere.
        ReluPolynomial two = ReluPolynomial.Direct(2);
        Assert.Equal((3 + 9 + 0.125) / 2, two.Evaluate(3), 1e-12);
        Assert.Equal((-3 + 9 + 0.125) / 2, two.Evaluate(-3), 1e-12);
        Assert.True(Math.Abs(ActivationSpec.Parse("composite:alpha=9").Build().Evaluate(1.2)) > 1e3);
        Assert.True(double.IsNaN(two.Evaluate(double.NaN)));
    }

    [Fact]
    public void Bad_arguments_are_refused()
    {
        Assert.Equal(
            "activation 'composite:7,8': degree '8' of stage 2 is not an odd number from 3 to 63; known: relu, leaky:A, composite:alpha=N, composite:D,D,..., direct:N, taylor:N, lsq:N, chebyshev:N, interpolation:N, hermite:N, square, quadratic, file:PATH",
            Assert.Throws<BadInputException>(() => ReluPolynomial.Composite([7, 8])).Message);
        Assert.Equal(
            "activation 'direct:0': degree '0' is not an even number from 2 to 256; known: relu, leaky:A, composite:alpha=N, composite:D,D,..., direct:N, taylor:N, lsq:N, chebyshev:N, interpolation:N, hermite:N, square, quadratic, file:PATH",
            Assert.Throws<BadInputException>(() => ReluPolynomial.Direct(0)).Message);
        Assert.Equal(
            "activation 'composite:7,leak=NaN': slope 'NaN' is not a number from 0 to below 1 in float32; known: relu, leaky:A, composite:alpha=N, composite:D,D,..., direct:N, taylor:N, lsq:N, chebyshev:N, interpolation:N, hermite:N, square, quadratic, file:PATH",
            Assert.Throws<BadInputException>(() => ReluPolynomial.Composite([7], double.NaN)).Message);
    }

    private static void Holds(ReluPolynomial r)
    {
        Assert.True(r.Certificate.Passed);
        Assert.All(r.Certificate.Stages, stage => Assert.True(stage.Passed));
        Assert.InRange(r.MaxError, r.Certificate.ScannedError, 1.002 * r.Certificate.ScannedError);
        double at = r.Certificate.At;
        Assert.Equal(r.Certificate.ScannedError, Math.Abs(r.Evaluate(at) - at), 1e-14);
        Assert.Equal(r.Certificate.ScannedError, Math.Abs(r.Evaluate(-at) - Leaky(-at, r.Leak)), 1e-14);

        // An independent grid of 40,000 points per sign must come close and must not exceed the bound.
        Assert.InRange(NaiveError(r.Evaluate, r.Leak), r.MaxError / 1.002, r.MaxError);
    }
}
