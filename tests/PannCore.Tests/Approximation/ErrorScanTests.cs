using PannCore.Approximation;
using Xunit;

namespace PannCore.Tests.Approximation;

public sealed class ErrorScanTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    [InlineData(63)]
    [InlineData(1000)]
    public void The_bound_of_a_Chebyshev_polynomial_is_one_and_no_looser_than_it_says(int degree)
    {
        ErrorBound scan = ErrorScan.Polynomial(t => Math.Cos(degree * Math.Acos(Math.Clamp(2 * t - 1, -1, 1))), degree, 0, 0, 1)[0];
        Assert.InRange(scan.Bound, 1, 1.0003 + 1e-12);
        Assert.Equal(1, scan.Found, 1e-12);
    }

    [Fact]
    public void The_bound_of_a_sum_of_Chebyshev_polynomials_holds_on_a_grid_a_hundred_times_as_fine()
    {
        const int degree = 12;
        for (int trial = 0; trial < 100; trial++)
        {
            double E(double t) => Enumerable.Range(0, degree + 1).Sum(k => Math.Sin(1 + 12.9898 * k + 78.233 * trial) * Math.Cos(k * Math.Acos(Math.Clamp((t - 2.5) / 0.5, -1, 1))));

            // Between the 4,800 nodes of the grid |E| rises by at most (12 π / 4800)^2 / 8 = 8e-6 of itself, so that the truth is known to that.
            double truth = Enumerable.Range(0, 4801).Max(i => Math.Abs(E(2.5 - 0.5 * Math.Cos(Math.PI * i / 4800))));
            ErrorBound scan = ErrorScan.Polynomial(E, degree, 0, 2, 3)[0];
            Assert.InRange(scan.Bound, truth, truth * 1.00035);
            Assert.InRange(scan.Found, truth * (1 - 1e-5), truth * (1 + 1e-5));
            Assert.Equal(scan.Found, Math.Abs(E(scan.At)), 1e-12 * scan.Found);
        }
    }

    [Fact]
    public void Parts_have_bounds_of_their_own()
    {
        // The maximum of |t - 1/2|^3 on each part is at an end.
        ErrorBound[] parts = ErrorScan.Polynomial(t => Math.Pow(t - 0.5, 3), 3, 0, 0, 0.6, 0.9, 1);
        Assert.Equal([(0, 0.6), (0.6, 0.9), (0.9, 1)], parts.Select(part => (part.Lo, part.Hi)));
        Assert.Equal([0, 0.9, 1], parts.Select(part => part.At));
        double[] truth = [0.125, Math.Pow(0.4, 3), 0.125];
        for (int i = 0; i < 3; i++)
        {
            Assert.Equal(truth[i], parts[i].Found, 1e-15);
            Assert.InRange(parts[i].Bound, truth[i], truth[i] * 1.0004);
        }
    }

    [Fact]
    public void Rounding_is_added_and_values_that_are_not_finite_have_no_bound()
    {
        Assert.InRange(ErrorScan.Polynomial(t => t, 1, 0.5, 0, 1)[0].Bound, 1.5, 1.5004);
        Assert.Equal(double.PositiveInfinity, ErrorScan.Polynomial(t => t > 0.5 ? double.NaN : t, 1, 0, 0, 1)[0].Bound);
        Assert.Equal(double.PositiveInfinity, ErrorScan.Polynomial(t => 1 / t, 1, 0, 0, 1)[0].Bound);
        Assert.Equal(0, ErrorScan.Polynomial(_ => 0, 3, 0, 0, 1)[0].Bound);
    }

    [Fact]
    public void An_interval_too_narrow_for_its_nodes_has_no_bound()
        // Its width is two units in the last place of its ends: no angle can be told from another.
        => Assert.Equal(double.PositiveInfinity, ErrorScan.Polynomial(t => t - 1, 63, 0, 1, 1 + Math.ScaleB(1, -51))[0].Bound);
}
