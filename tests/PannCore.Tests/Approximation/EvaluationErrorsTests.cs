using System.Numerics;
using PannCore.Approximation;
using Xunit;

namespace PannCore.Tests.Approximation;

public sealed class EvaluationErrorsTests
{
    private static readonly string[] SpecNames = ["composite:alpha=4", "composite:alpha=7,leak=0.1", "composite:alpha=9", "composite:alpha=12", "direct:4", "direct:64,leak=0.2"];

    public static TheoryData<string, int, FixedPointRounding> FixedPointCases()
    {
        TheoryData<string, int, FixedPointRounding> cases = [];
        foreach (string spec in SpecNames)
        {
            foreach (int bits in (int[])[8, 16, 24, 32, 48])
            {
                cases.Add(spec, bits, FixedPointRounding.Nearest);
                cases.Add(spec, bits, FixedPointRounding.Truncate);
            }
        }

        return cases;
    }

    [Theory]
    [MemberData(nameof(FixedPointCases))]
    public void Fixed_point_evaluation_gives_the_integers_of_a_second_program(string spec, int bits, FixedPointRounding rounding)
    {
        ReluPolynomial r = ActivationSpec.Parse(spec).Build();
        var evaluation = new FixedPointEvaluation(r, bits, rounding);
        foreach (double x in (double[])[0, 1, 0.5, 0.3, 0.01, 1e-3, 0.9999, 0.123456789])
        {
            foreach (double t in (double[])[x, -x])
                Assert.Equal(Reference(r, evaluation.Hold(t), bits, rounding), evaluation.Evaluate(evaluation.Hold(t)));
        }
    }

    [Theory]
    [MemberData(nameof(FixedPointCases))]
    public void Fixed_point_errors_found_elsewhere_stay_below_the_bound(string spec, int bits, FixedPointRounding rounding)
    {
        ReluPolynomial r = ActivationSpec.Parse(spec).Build();
        FixedPointError stated = FixedPointEvaluation.ErrorOf(r, bits, rounding);
        Assert.Equal((bits, rounding), (stated.FractionBits, stated.Rounding));
        double one = Math.ScaleB(1, bits), largest = 0;
        for (int i = -300; i <= 300; i++)
        {
            var t = (long)Math.Round(one * i / 300);
            double error = ((double)Reference(r, t, bits, rounding) / one) - FixedPoint.Value(r, t / one);
            largest = Math.Max(largest, Math.Abs(error));
        }

        // Not the same points: what is found here need not be below what was found there, but it is of its size, and both are below what is proved.
        Assert.InRange(largest, stated.Found / 8, stated.Found * 2);

        // Few bits, steep stages: what is proved is more than 1, and nothing is said.
        bool silent = (spec, bits, rounding) is ("composite:alpha=9" or "composite:alpha=12" or "direct:64,leak=0.2", 8, _) or ("composite:alpha=12", 16, _) or ("composite:alpha=7,leak=0.1", 8, FixedPointRounding.Truncate);
        Assert.Equal(silent, stated.Bound is null);
        if (stated.Bound is not double bound) return;
        Assert.InRange(largest, 0, bound);
        Assert.InRange(stated.Found, 0, bound);
    }

    [Theory]
    [InlineData("composite:alpha=4")]
    [InlineData("composite:alpha=7")]
    [InlineData("composite:alpha=10")]
    [InlineData("direct:2")]
    [InlineData("direct:256")]
    public void Float32_errors_stay_below_the_bound(string spec)
    {
        ReluPolynomial r = ActivationSpec.Parse(spec).Build();
        var evaluation = new Float32Evaluation(r);
        EvaluationError stated = r.Certificate.Evaluation.Float32;
        Assert.Equal(r.Float32EvaluationError, stated.Found);
        double largest = 0;
        for (int i = -1500; i <= 1500; i++)
        {
            float t = i / 1500f;
            largest = Math.Max(largest, Math.Abs(evaluation.Evaluate(t) - FixedPoint.Value(r, t)));
        }

        Assert.InRange(stated.Found, largest / 2, stated.Bound!.Value);
        Assert.InRange(largest, 1e-8, stated.Bound.Value);
    }

    [Fact]
    public void Every_arithmetic_is_there_once()
    {
        ReluPolynomial r = ActivationSpec.Parse("composite:alpha=9").Build();
        Assert.Equal(
            [(16, "Nearest"), (16, "Truncate"), (24, "Nearest"), (24, "Truncate"), (32, "Nearest"), (32, "Truncate")], r.Certificate.Evaluation.FixedPoint.Select(f => (f.FractionBits, $"{f.Rounding}")));
    }

    [Fact]
    public void More_bits_are_more_precise_and_truncation_costs_precision()
    {
        ReluPolynomial r = ActivationSpec.Parse("composite:alpha=9").Build();
        double[] nearest = [.. new[] { 16, 20, 24, 28, 32 }.Select(bits => FixedPointEvaluation.ErrorOf(r, bits, FixedPointRounding.Nearest).Found)];
        for (int i = 1; i < nearest.Length; i++) Assert.InRange(nearest[i - 1] / nearest[i], 8, 32); // 2^4, give or take the luck of the roundings
        Assert.True(FixedPointEvaluation.ErrorOf(r, 24, FixedPointRounding.Truncate).Found > nearest[2]);
    }

    [Fact]
    public void A_series_is_evaluated_too()
    {
        var series = ReluPolynomial.Of(ReluFamily.Series, 0, [new Polynomial(Parity.None, 1, [0.3125, 0.5, 0.0625])], [], "series:2");

        // t^2/8 + t/2 + 1/4 at multiples of 2^-4 has denominators of 2^11 at most: exact in float32 and with 24 bits; with 8 bits the sum of two halved products is not.
        FixedPointError coarse = FixedPointEvaluation.ErrorOf(series, 8, FixedPointRounding.Nearest), fine = FixedPointEvaluation.ErrorOf(series, 24, FixedPointRounding.Nearest);
        Assert.Equal((0.25, 0.875), (new Float32Evaluation(series).Evaluate(0), new Float32Evaluation(series).Evaluate(1)));
        var exact = new FixedPointEvaluation(series, 24, FixedPointRounding.Nearest);
        for (int i = -16; i <= 16; i++) Assert.Equal((i * i / 2048.0) + (i / 32.0) + 0.25, Math.ScaleB(exact.Evaluate(exact.Hold(i / 16.0)), -24));
        Assert.InRange(coarse.Found, Math.ScaleB(1, -10), Math.ScaleB(1, -7));
        Assert.InRange(fine.Found, Math.ScaleB(1, -26), Math.ScaleB(1, -23));
    }

    [Fact]
    public void Integers_that_are_too_large_are_an_infinite_error()
    {
        // 1e6 T_30 with 48 bits needs 68 bits.
        double[] c = new double[16];
        c[^1] = 1e6;
        var r = ReluPolynomial.Of(ReluFamily.Direct, 0, [new Polynomial(Parity.Even, 1, c)], [], "series:30");
        Assert.Equal(new FixedPointError(48, FixedPointRounding.Nearest, double.PositiveInfinity, null), FixedPointEvaluation.ErrorOf(r, 48, FixedPointRounding.Nearest));
        Assert.True(double.IsFinite(FixedPointEvaluation.ErrorOf(r, 16, FixedPointRounding.Nearest).Found));
    }

    [Fact]
    public void A_bound_is_stated_only_where_no_value_can_overflow()
    {
        // A constant m is held as m / 2. Of t / 2 + m / 2 with 48 bits, 63 bits hold 2^15; the bound asks for half of that, and for room for the sum.
        foreach ((double constant, bool fits) in new[] { (1000.0, true), (30000.0, true), (60000.0, false) })
        {
            var r = ReluPolynomial.Of(ReluFamily.Direct, 0, [new Polynomial(Parity.Even, 1, [constant, 0])], [], "series:2");
            FixedPointError stated = FixedPointEvaluation.ErrorOf(r, 48, FixedPointRounding.Nearest);
            Assert.True(double.IsFinite(stated.Found));
            Assert.Equal(fits, stated.Bound is not null);
            Assert.NotNull(FixedPointEvaluation.ErrorOf(r, 32, FixedPointRounding.Nearest).Bound);
        }
    }

    [Theory]
    [InlineData(3)]
    [InlineData(49)]
    public void Other_numbers_of_bits_are_refused(int bits)
        => Assert.Equal(
            $"fixed point: {bits} fraction bits, expected 4 to 48",
            Assert.Throws<BadInputException>(() => FixedPointEvaluation.ErrorOf(ReluPolynomial.Direct(2), bits, FixedPointRounding.Nearest)).Message);

    /// <summary>The definition in integers without limit, from the stages' own coefficients: constants folded in double and rounded once, division by a power of two towards minus infinity.</summary>
    private static BigInteger Reference(ReluPolynomial r, long t, int bits, FixedPointRounding rounding)
    {
        BigInteger one = BigInteger.One << bits;
        BigInteger Constant(double value) => new(Math.Round(value * Math.Pow(2, bits), MidpointRounding.AwayFromZero));
        BigInteger Divided(BigInteger product, int places) => Floor(product + (rounding == FixedPointRounding.Nearest ? BigInteger.One << (places - 1) : 0), places);
        BigInteger Times(BigInteger x, BigInteger y) => Divided(x * y, bits);

        bool composite = r.Family == ReluFamily.Composite;
        double gain = (1 - r.Leak) / 2;
        BigInteger w = Times(t, Constant(2 / r.Stages[0].HalfWidth)), result = 0, linear = Constant((1 + r.Leak) / 2);
        for (int i = 0; i < r.Stages.Count; i++)
        {
            bool last = i == r.Stages.Count - 1;
            double factor = !last ? 1 / r.Stages[i + 1].HalfWidth : composite ? gain / 2 : gain;
            BigInteger v = Times(w, w) - (2 * one);
            BigInteger[] b = new BigInteger[r.Stages[i].Coefficients.Count + 2];
            for (int k = b.Length - 3; k >= 0; k--) b[k] = Constant(factor * r.Stages[i].Coefficients[k]) - b[k + 2] + Times(v, b[k + 1]);
            if (!composite) return Times(linear, t) + b[0] - Divided(v * b[1], bits + 1);
            w = Times(w, b[0] - b[1]);
            if (last) result = Times(t, linear + w);
        }

        return result;

        static BigInteger Floor(BigInteger value, int places)
        {
            BigInteger quotient = BigInteger.DivRem(value, BigInteger.One << places, out BigInteger rest);
            return rest.Sign < 0 ? quotient - 1 : quotient;
        }
    }
}
