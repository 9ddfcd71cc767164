using PannCore.Approximation;
using Xunit;

namespace PannCore.Tests.Approximation;

public sealed class ChebyshevScanTests
{
    [Theory]
    [InlineData(5, 2)]
    [InlineData(40, 28)]
    [InlineData(63, 64)]
    public void The_bound_is_sharp_for_a_Chebyshev_polynomial(int degree, int pointsPerDegree)
    {
        // |T_n| = cos(π / (2 pointsPerDegree)) at its best samples, so that the bound is 1 and cannot be improved.
        ChebyshevScan scan = ChebyshevScan.Of(t => Math.Cos(degree * Math.Acos(Math.Clamp(2 * t - 1, -1, 1))), degree, 0, 1, pointsPerDegree);
        Assert.Equal(1, scan.Bound, 1e-10);
        Assert.Equal(1, scan.Largest, 1e-10);
        Assert.Equal(degree * pointsPerDegree, scan.Points);
    }

    [Fact]
    public void The_bound_holds_between_the_samples_of_coarse_scans()
    {
        // Two samples per degree miss the top by up to a factor 0.71, and often stand next to a lower peak.
        const int degree = 12;
        int missed = 0;
        for (int trial = 0; trial < 200; trial++)
        {
            double[] c = Enumerable.Range(0, degree + 1).Select(k => Math.Sin(1 + 12.9898 * k + 78.233 * trial)).ToArray();
            double E(double t)
            {
                double theta = Math.Acos(Math.Clamp((t - 2.5) / 0.5, -1, 1));
                return c.Select((value, k) => value * Math.Cos(k * theta)).Sum();
            }

            double truth = Enumerable.Range(0, 4001).Max(i => Math.Abs(E(2.5 - 0.5 * Math.Cos(Math.PI * i / 4000))));
            ChebyshevScan scan = ChebyshevScan.Of(E, degree, 2, 3, 2);
            Assert.InRange(truth, 0, scan.Bound * (1 + 1e-12));
            Assert.InRange(scan.At, 2, 3);
            Assert.Equal(scan.Largest, Math.Abs(E(scan.At)), 1e-12 * scan.Largest);
            if (scan.Largest < truth * 0.999) missed++;
        }

        Assert.True(missed > 0, "the trials never miss the top, so they do not test the bound");
    }
}
