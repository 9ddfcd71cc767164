using PannCore.Approximation;
using Xunit;

namespace PannCore.Tests.Approximation;

public sealed class CertificateTests
{
    private static readonly string[] SpecNames =
        [.. Enumerable.Range(4, 11).Select(alpha => $"composite:alpha={alpha}"), "composite:alpha=8,leak=0.1", "direct:16,leak=0.1", "direct:128", "direct:256"];

    public static TheoryData<string> Specs() => new(SpecNames);

    [Theory]
    [MemberData(nameof(Specs))]
    public void No_error_in_exact_arithmetic_exceeds_the_bound(string spec)
    {
        ReluPolynomial r = ActivationSpec.Parse(spec).Build();
        double largest = 0;
        foreach (double t in Dense(r)) largest = Math.Max(largest, Math.Abs(Exact(r, t)));

        // The dense points find the maximum to 0.1 %: they step by 1/4000 of a region's width, or 0.2 % in log t, and the error turns over at most a few dozen times per region.
        Assert.InRange(largest, r.MaxError / 1.003, r.MaxError);
    }

    [Theory]
    [MemberData(nameof(Specs))]
    public void Rounding_of_double_stays_below_its_proved_bound(string spec)
    {
        ReluPolynomial r = ActivationSpec.Parse(spec).Build();
        double largest = 0;
        foreach (double t in Dense(r).Where((_, i) => i % 4 == 0))
            largest = Math.Max(largest, Math.Max(Math.Abs(FixedPoint.Rounding(r, t)), Math.Abs(FixedPoint.Rounding(r, -t))));

        // How far it is above what occurs is measured: 10 to 50 times for a direct polynomial and the coarsest composites, and each stage in a row multiplies it by its steepest slope: 2.4e5 times at alpha 14.
        double slack = r.Family == ReluFamily.Direct ? 100 : Math.Pow(10, 1 + (-Math.Log2(r.MaxError) / 3));
        Assert.InRange(largest, r.Certificate.Rounding / slack, r.Certificate.Rounding);
    }

    [Fact]
    public void Rounding_of_one_stage_stays_below_its_proved_bound()
    {
        // Coefficients of both signs, sizes and parities, on both sides of the basis interval's end.
        foreach (Parity parity in (Parity[])[Parity.Odd, Parity.Even, Parity.None])
        {
            foreach (int count in (int[])[1, 2, 7, 33])
            {
                var p = new Polynomial(parity, 0.7, [.. Enumerable.Range(0, count).Select(k => Math.Sin(1 + (12.9898 * k)) * Math.Pow(10, k % 3))], parity == Parity.None ? 0.2 : 0);
                foreach (double radius in (double[])[0.5, 0.7, 0.75])
                {
                    double bound = ClenshawRounding.OfStage(p, radius), largest = Enumerable.Range(0, 501).Max(i => Math.Abs(FixedPoint.Rounding(p, p.Centre + (radius * ((i / 250.0) - 1)))));
                    Assert.InRange(largest, 0, bound);
                    // Measured: 4 to 390 times what occurs, the most where many coefficients meet a short interval; a constant is not rounded at all.
                    Assert.True(bound < (1e3 * largest) + 1e-15, $"{parity} {count} {radius}: {bound} says nothing of {largest}");
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Specs))]
    public void The_bound_is_tight_and_the_evidence_is_complete(string spec)
    {
        ReluPolynomial r = ActivationSpec.Parse(spec).Build();
        Certificate c = r.Certificate;
        Assert.Null(c.Objection);
        Assert.True(c.Passed && c.ClaimsMinimax);
        Assert.Equal((-1, 1), (c.Lo, c.Hi));
        Assert.InRange(c.MaxError, c.ScannedError, 1.002 * c.ScannedError);
        Assert.All(c.Stages, stage =>
        {
            Assert.InRange(stage.ProvedError, stage.LevelledError, 1.002 * stage.LevelledError);
            Assert.Equal((stage.Degree / 2) + 2, stage.ReferencePoints.Count);
        });
        if (r.Family == ReluFamily.Direct)
        {
            Assert.Null(c.WithinGap);
            Assert.Null(c.BeyondGap);
            return;
        }

        // The tuned gap makes the hump within it as high as what is left beyond it; both together are [0, 1].
        double gap = c.Stages[0].Lo;
        Assert.Equal((0, gap, gap, 1), (c.WithinGap!.Lo, c.WithinGap.Hi, c.BeyondGap!.Lo, c.BeyondGap.Hi));
        Assert.Equal(c.BeyondGap.Found, c.WithinGap.Found, 1e-7 * c.ScannedError);
        Assert.Equal((1 - r.Leak) / 2 * c.Stages[^1].ScannedError, c.BeyondGap.Found, 1e-9 * c.ScannedError);
        Assert.InRange(c.WithinGap.At, 0, gap);
        Assert.Equal(c.WithinGap.Found, Math.Abs(r.Evaluate(c.WithinGap.At) - c.WithinGap.At), 1e-12);
        Assert.Equal(Math.Max(c.WithinGap.Bound, c.BeyondGap.Bound), c.MaxError);
    }

    public static TheoryData<int> FirstDegrees() => new(Enumerable.Range(1, 31).Select(k => (2 * k) + 1));

    [Theory]
    [MemberData(nameof(FirstDegrees))]
    public void Two_stages_of_whatever_degrees_are_proved(int first)
    {
        // Where the ratio of the ends of an interval rounds, its end may come back a place off: at one in forty of the 961 pairs. A sixth of them here, another residue for each first degree.
        for (int second = 3 + (2 * (first / 2 % 6)); second <= Remez.LargestSignDegree; second += 12)
            Assert.Null(ReluPolynomial.Composite([first, second]).Certificate.Objection);
    }

    [Theory]
    [InlineData(13, 15)]
    [InlineData(15, 41)]
    [InlineData(19, 5)]
    [InlineData(3, 9)]
    [InlineData(15, 37)]
    [InlineData(3, 37, 63)]
    [InlineData(9, 53, 57)]
    public void Stages_that_differ_much_are_proved_and_their_rounding_stays_small(params int[] degrees)
    {
        // Ranges overestimated by 2e-4 would give the last two 0.04 and 86: the last stage grows by its degree's square and faster beyond its interval. 1e-4: below half of 2^-12, the error.
        Certificate c = ReluPolynomial.Composite(degrees).Certificate;
        Assert.Null(c.Objection);
        Assert.InRange(c.Rounding, 0, 1e-4);
    }

    [Fact]
    public void The_false_minimax_of_log_spaced_nodes_is_refused()
    {
        (Polynomial p, double level, double[] points) = FalseMinimax.Sign(27, 0.0245, 1.975);
        Assert.InRange(level, 0.4, 0.5);
        Assert.Equal(0.58707, Remez.Sign(27, 0.0245, 1.975).LevelledError, 1e-5);

        // Its error does alternate at the points, with this level: only the scan tells.
        var stage = StageCertificate.Of(p, 0.0245, 1.975, points);
        Assert.Equal(level, stage.LevelledError, 1e-6);
        Assert.True(stage.ProvedError > 0.58707);
        Assert.False(stage.Passed);
        Assert.StartsWith("degree 27 on [0.0245, 1.975]: proved error ", stage.Objection, StringComparison.Ordinal);
    }

    [Fact]
    public void Reference_points_that_prove_nothing_are_no_evidence()
    {
        RemezResult q = Remez.AbsoluteValue(16);
        double[] points = [.. q.ReferencePoints];
        Assert.True(StageCertificate.Of(q.Polynomial, 0, 1, points).Passed);
        Assert.Equal(0, StageCertificate.Of(q.Polynomial, 0, 1, points[1..]).LevelledError);
        Assert.Equal(0, StageCertificate.Of(q.Polynomial, 0, 1, [.. points.Reverse()]).LevelledError);
        Assert.Equal(0, StageCertificate.Of(q.Polynomial, 0, 0.9, points).LevelledError);
        points[4] = (points[3] + points[5]) / 2;
        Assert.False(StageCertificate.Of(q.Polynomial, 0, 1, points).Passed);
    }

    [Fact]
    public void A_stage_whose_rounding_hides_its_error_is_generated_bounded_and_not_said_to_be_proved()
    {
        // Degree 49 on [0.8, 1]: the error is of the size of rounding, but within the gap the polynomial is large, and so is the bound of that rounding.
        ReluPolynomial r = ActivationSpec.Parse("composite:49,gap=0.8").Build();
        StageCertificate stage = r.Certificate.Stages[0];
        Assert.Equal((false, false, false), (r.Certificate.Passed, stage.Passed, stage.IsAtRounding));
        Assert.StartsWith("stage 1: degree 49 on [0.8, 1]: proved error ", r.Certificate.Objection, StringComparison.Ordinal);
        Assert.InRange(stage.ProvedError, stage.ScannedError, stage.ScannedError + (2 * stage.Rounding));
        for (int i = 0; i <= 200; i++) Assert.InRange(Math.Abs(r.Stages[0].Evaluate(0.8 + (i / 1000.0)) - 1), 0, stage.ProvedError);
    }

    [Fact]
    public void Coefficients_that_double_cannot_bound_have_no_bound_and_that_is_said()
    {
        var r = ReluPolynomial.Of(ReluFamily.Direct, 0, [new Polynomial(Parity.Even, 1, [0, 0, 1e308])], [], "series:4");
        Assert.Equal("no finite bound can be computed on [-1, 1]", r.Certificate.Objection);
        Assert.Equal((double.PositiveInfinity, double.PositiveInfinity), (r.MaxError, r.Certificate.Rounding));
    }

    [Fact]
    public void A_stage_below_rounding_is_said_to_be_no_more()
    {
        // The nearest to sgn on [0.5, 1] of degree 63 errs by less than 1e-15: there is nothing to level. The whole errs within the gap, which is bounded as ever.
        Certificate c = ActivationSpec.Parse("composite:63,gap=0.5").Build().Certificate;
        Assert.Equal((false, true), (c.Stages[0].Passed, c.Stages[0].IsAtRounding));
        Assert.True(c.IsAtRounding && c.Passed && c.Stages[0].Objection is null);
        Assert.False(ActivationSpec.Parse("composite:alpha=14").Build().Certificate.IsAtRounding);
    }

    [Fact]
    public void A_stage_whose_interval_misses_the_values_of_the_one_before_is_refused()
    {
        RemezResult first = Remez.Sign(7, 0.1, 1), second = Remez.Sign(7, 0.7, 1.3);
        var r = ReluPolynomial.Of(ReluFamily.Composite, 0, [first.Polynomial, second.Polynomial], [Claim(first), Claim(second)], "composite:7,7");
        Assert.All(r.Certificate.Stages, stage => Assert.True(stage.Passed));
        Assert.StartsWith("stage 2: its interval [0.7, 1.3] does not hold the values of stage 1, which reach 1 -/+ ", r.Certificate.Objection, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_a_claim_the_error_is_bounded_and_nothing_else_is_said()
    {
        var series = ReluPolynomial.Of(ReluFamily.Series, 0, [new Polynomial(Parity.None, 1, [0.3125, 0.5, 0.0625])], [], "series:2");
        // This is t^2/8 + t/2 + 1/4: at 0 the error is 1/4; for t > 0 it is t^2/8 - t/2 + 1/4, from 1/4 down to -1/8; for t < 0 it is t^2/8 + t/2 + 1/4, the same at -t.
        Assert.Equal(0.25, series.Certificate.ScannedError, 1e-12);
        Assert.Equal(0, series.Certificate.At, 1e-12);
        Assert.InRange(series.MaxError, 0.25, 0.25 * 1.0005);
        Assert.False(series.Certificate.ClaimsMinimax);
        Assert.Empty(series.Certificate.Stages);
        Assert.True(series.Certificate.Passed);
    }

    [Fact]
    public void Both_sides_of_a_series_are_scanned()
    {
        // r(t) = t is exact for t > 0 and off by (1 - a) |t| for t < 0.
        var line = ReluPolynomial.Of(ReluFamily.Series, 0, [new Polynomial(Parity.None, 1, [0, 1.0])], [], "series:1");
        Assert.Equal((1, -1), (line.Certificate.ScannedError, line.Certificate.At));
        var leaky = ReluPolynomial.Of(ReluFamily.Series, 0.25, [new Polynomial(Parity.None, 1, [0, 1.0])], [], "series:1");
        Assert.Equal((0.75, -1), (leaky.Certificate.ScannedError, leaky.Certificate.At));
    }

    [Theory]
    [InlineData("sigmoid", 8, 9)]
    [InlineData("tanh", 4, 11)]
    [InlineData("silu", 8, 12)]
    [InlineData("gelu", 6, 12)]
    public void Other_functions_have_certificates_too(string function, double range, int degree)
    {
        // Truncated Chebyshev series: sound bounds are asked for, not minimax.
        var target = Target.Parse(function, range);
        const int nodes = 400;
        double[] c = [.. Enumerable.Range(0, degree + 1).Select(k => (k == 0 ? 1.0 : 2.0) / nodes * Enumerable.Range(0, nodes).Sum(j => target.Evaluate(Math.Cos(Math.PI * (j + 0.5) / nodes)) * Math.Cos(k * Math.PI * (j + 0.5) / nodes)))];
        var p = new Polynomial(Parity.None, 1, c);
        var certificate = StageCertificate.Of(p, target, -1, 1, []);
        double truth = Enumerable.Range(0, 100_001).Max(i => Math.Abs(p.Evaluate((i / 50_000.0) - 1) - target.Evaluate((i / 50_000.0) - 1)));
        Assert.InRange(certificate.ProvedError, truth, 1.002 * truth);
        Assert.Equal(truth, certificate.ScannedError, 1e-6 * truth);
        Assert.Equal(0, certificate.LevelledError);
        Assert.False(certificate.Passed);
    }

    [Fact]
    public void The_kink_of_ReLU_divides_its_interval()
    {
        // The best line for ReLU on [-1, 1] is t/2 + 1/4: error 1/4 at -1, 0 and 1, with alternating signs.
        var certificate = StageCertificate.Of(new Polynomial(Parity.None, 1, [0.25, 0.5]), Target.Relu, -1, 1, [-1, 0, 1]);
        Assert.Equal(0.25, certificate.LevelledError, 1e-14);
        Assert.True(certificate.Passed);
    }

    [Theory]
    [MemberData(nameof(Specs))]
    public void Examining_takes_few_evaluations(string spec)
    {
        // Evaluations rather than seconds, which say more of the machine: 4 per degree to begin with and 5 halvings of the quarter of the cells next to a peak make 4 + 5, and the bound is twice that.
        // At 28 multiplications and fewer than 50 ns each, this is 17 ms for the largest degree here, 11,746.
        ReluPolynomial r = ActivationSpec.Parse(spec).Build();
        int degree = r.Degree, evaluations = 0;
        double[] ends = r.Certificate.WithinGap is { } within ? [0, within.Hi, 1] : [0, 1];
        ErrorBound[] parts = ErrorScan.Polynomial(Counted, degree, r.Certificate.Rounding, ends);
        Assert.Equal(r.MaxError, parts.Max(part => part.Bound));
        Assert.InRange(evaluations, 4 * degree, (18 * degree) + 200);

        double Counted(double t)
        {
            evaluations++;
            return r.Evaluate(t) - t;
        }
    }

    private static StageClaim Claim(RemezResult result) => new(result.Lo, result.Hi, result.ReferencePoints);

    private static double Exact(ReluPolynomial r, double t) => FixedPoint.ErrorOnPositive(r, t);

    // Even in t, even in t within the gap and around the top of its hump, and even in log t.
    private static IEnumerable<double> Dense(ReluPolynomial r)
    {
        double gap = r.Certificate.WithinGap?.Hi ?? 0.01;
        for (int i = 0; i <= 2000; i++)
        {
            yield return i / 2000.0;
            yield return gap * i / 2000;
            yield return Math.Pow(gap / 10, 1 - (i / 2000.0));
        }
    }
}
