using PannCore.Approximation;
using Xunit;

namespace PannCore.Tests.Approximation;

public class ErrorStatisticsTests
{
    [Fact]
    public void Degree_two_under_a_uniform_density_is_known_in_closed_form()
    {
        // The even minimax polynomial of |t| of degree 2 is t^2 + 1/8: r - ReLU = (t^2 - |t| + 1/8) / 2, of mean -1/48 and mean square 7/3840.
        ErrorStatistics errors = ErrorStatistics.Of(ReluPolynomial.Direct(2), InputDensity.Histogram([-1, 1], [1]));
        Assert.Equal(-1.0 / 48, errors.Mean, 1e-12);
        Assert.Equal(Math.Sqrt(7.0 / 3840), errors.Rms, 1e-12);
        Assert.Equal(Math.Sqrt(7.0 / 3840 - 1.0 / (48 * 48)), errors.Spread, 1e-11);
        Assert.Equal("histogram", errors.Density);
    }

    [Theory]
    [InlineData("direct:64", 16)]
    [InlineData("composite:alpha=9", 64)]
    [InlineData("composite:7,7,13,leak=0.25", 8)]
    public void Agree_with_a_sum_over_many_points(string spec, double ratio)
    {
        ReluPolynomial polynomial = ActivationSpec.Parse(spec).Build();
        const int n = 400_000;
        double weights = 0, mean = 0, square = 0;
        for (int i = 0; i < n; i++)
        {
            double t = -1 + (2 * i + 1.0) / n, weight = Math.Exp(-t * t * ratio * ratio / 2);
            double error = polynomial.Evaluate(t) - Math.Max(t, polynomial.Leak * t);
            weights += weight;
            mean += weight * error;
            square += weight * error * error;
        }

        // The midpoint rule with h = 5e-6 is off by h^2/24 times the change of slope of error x weight over [-1, 1], here at most a few hundred times the error: under 1e-6 of it.
        ErrorStatistics errors = ErrorStatistics.Of(polynomial, InputDensity.Gaussian(ratio));
        Assert.Equal(mean / weights, errors.Mean, 1e-6 * polynomial.MaxError);
        Assert.Equal(Math.Sqrt(square / weights), errors.Rms, 1e-6 * polynomial.MaxError);
    }

    [Fact]
    public void A_steep_function_agrees_with_a_sum_over_many_points()
    {
        // tanh turns within 1/1000 of [-1, 1]. Midpoints 5e-6 apart: 1e-10 from the slope of the square at the ends, nothing from what turns 200 times more slowly.
        const int points = 400_000;
        var tanh = MinimaxFunction.Parse("minimax:tanh,degree=16,range=1000");
        double sum = 0;
        for (int i = 0; i < points; i++)
        {
            double t = -1 + (((2 * i) + 1.0) / points), error = tanh.Polynomial.Evaluate(t) - tanh.Target.Evaluate(t);
            sum += error * error;
        }

        double rms = Math.Sqrt(sum / points);
        Assert.Equal(rms, ErrorStatistics.Of(tanh, InputDensity.Uniform).Rms, 1e-8 * rms);
    }

    [Fact]
    public void A_leak_scales_the_error()
    {
        // r with leak a is a t + (1 - a) r without: the error is 1 - a times as large.
        var density = InputDensity.Gaussian(16);
        ErrorStatistics plain = ErrorStatistics.Of(ReluPolynomial.Composite([7, 7]), density), leaky = ErrorStatistics.Of(ReluPolynomial.Composite([7, 7], 0.25), density);
        Assert.Equal(0.75 * plain.Mean, leaky.Mean, 1e-14);
        Assert.Equal(0.75 * plain.Rms, leaky.Rms, 1e-14);
        Assert.True(plain.Mean < 0, "a composite is biased downwards");
    }
}
