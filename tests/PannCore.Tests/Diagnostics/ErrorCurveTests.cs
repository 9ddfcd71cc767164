using PannCore.Approximation;
using PannCore.Diagnostics;
using Xunit;

namespace PannCore.Tests.Diagnostics;

public sealed class ErrorCurveTests
{
    public static TheoryData<string> Specs
    {
        get
        {
            var specs = new TheoryData<string>("direct:8", "direct:64", "composite:alpha=7,leak=0.1", "lsq:6", "square");
            for (int alpha = 4; alpha <= 14; alpha++) specs.Add(FormattableString.Invariant($"composite:alpha={alpha}"));
            return specs;
        }
    }

    [Theory]
    [MemberData(nameof(Specs))]
    public void The_curve_is_the_error_and_its_largest_magnitude_is_the_certified_one(string spec)
    {
        ReluPolynomial polynomial = ActivationSpec.Parse(spec).Build();
        IReadOnlyList<CurvePoint> curve = ErrorCurve.Of(polynomial);
        Assert.InRange(curve.Count, 300, 1200);
        Assert.Equal((-1, 1), (curve[0].X, curve[^1].X));
        Assert.Single(curve, point => point.X == 0);
        for (int i = 1; i < curve.Count; i++) Assert.True(curve[i - 1].X < curve[i].X);
        Assert.All(curve, point => Assert.Equal(polynomial.Evaluate(point.X) - (point.X <= 0 ? polynomial.Leak * point.X : point.X), point.Error));
        // 0.5 % may be missed between the samples, and the certificate is a bound at most 0.2 % above the error.
        Assert.InRange(curve.Max(point => Math.Abs(point.Error)), 0.99 * polynomial.MaxError, polynomial.MaxError);
    }

    [Theory]
    [InlineData("composite:alpha=4")]
    [InlineData("composite:alpha=8")]
    [InlineData("composite:alpha=14")]
    [InlineData("direct:64")]
    [InlineData("lsq:6")]
    public void No_extremum_of_a_dense_scan_lies_outside_the_curve(string spec)
    {
        ReluPolynomial polynomial = ActivationSpec.Parse(spec).Build();
        IReadOnlyList<CurvePoint> curve = ErrorCurve.Of(polynomial);
        const int parts = 60;
        for (int octave = 0; octave > -15; octave--)
        {
            for (int part = 16; part < 32; part++)
            {
                foreach (int sign in new[] { -1, 1 })
                {
                    double from = Math.ScaleB(part / 32.0, octave), to = Math.ScaleB((part + 1) / 32.0, octave);
                    double[] inside = [.. curve.Where(point => sign * point.X >= from && sign * point.X <= to).Select(point => point.Error)];
                    double[] scan = [.. Enumerable.Range(0, parts + 1).Select(i => sign * (from + ((to - from) * i / parts))).Select(t => polynomial.Evaluate(t) - (t <= 0 ? polynomial.Leak * t : t))];
                    // Samples miss at most 0.5 % of the largest error on the whole interval.
                    Assert.True(inside.Max() >= scan.Max() - (0.005 * polynomial.MaxError), $"[{from}, {to}] x {sign}: {inside.Max()} is below {scan.Max()}");
                    Assert.True(inside.Min() <= scan.Min() + (0.005 * polynomial.MaxError), $"[{from}, {to}] x {sign}: {inside.Min()} is above {scan.Min()}");
                }
            }
        }
    }
}
