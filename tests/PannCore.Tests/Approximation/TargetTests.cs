using PannCore.Approximation;
using Xunit;

namespace PannCore.Tests.Approximation;

public sealed class TargetTests
{
    public static TheoryData<string, double> Smooth() => new()
    {
        { "sigmoid", 1 }, { "sigmoid", 8 }, { "silu", 1 }, { "silu", 8 }, { "gelu", 1 }, { "gelu", 8 }, { "tanh", 1 }, { "tanh", 8 }, { "power-7", 1 }, { "power-12", 1 },
    };

    [Theory]
    [MemberData(nameof(Smooth))]
    public void Names_ranges_and_symmetries_are_right(string name, double range)
    {
        var target = Target.Parse(name, range);
        Parity parity = name switch { "tanh" or "power-7" => Parity.Odd, "power-12" => Parity.Even, _ => Parity.None };
        Assert.Equal((name, range, parity), (target.Name, target.Range, target.Parity));
        Assert.Null(target.Kink);
        for (int i = -1000; i <= 1000; i++)
        {
            double t = i / 1000.0, value = target.Evaluate(t);
            if (parity == Parity.Odd) Assert.Equal(-target.Evaluate(-t), value);
            if (parity == Parity.Even) Assert.Equal(target.Evaluate(-t), value);
        }
    }

    [Theory]
    [MemberData(nameof(Smooth))]
    public void A_polynomial_of_the_degree_stated_is_as_near_as_stated(string name, double range)
    {
        // The interpolant at Chebyshev points of degree n is at most 2 + 2/π log(n + 1) times as far as the nearest polynomial: below 6 for n up to 500.
        var target = Target.Parse(name, range);
        foreach (double tolerance in (double[])[1e-2, 1e-6, 1e-10])
        {
            int degree = target.DegreeWithin(tolerance);
            Assert.InRange(degree, 1, 500);
            var p = new Polynomial(Parity.None, 1, ChebyshevSeries.Sample(target.Evaluate, degree, degree + 1));
            for (int i = 0; i <= 2000; i++) Assert.Equal(target.Evaluate(Math.Cos(Math.PI * i / 2000)), p.Evaluate(Math.Cos(Math.PI * i / 2000)), 6 * tolerance);
        }
    }

    [Theory]
    [InlineData("sigmoid", 0.7310585786300049)] // e / (1 + e)
    [InlineData("silu", 0.7310585786300049)]
    [InlineData("tanh", 0.7615941559557649)]
    [InlineData("gelu", 0.8413447460685429)] // Φ(1)
    public void Values_at_one_are_known(string name, double value)
    {
        Assert.Equal(value, Target.Parse(name, 1).Evaluate(1), 1e-15);
        Assert.Equal(value, Target.Parse(name, 4).Evaluate(0.25), 1e-15);
    }

    [Fact]
    public void Functions_with_a_kink_know_it()
    {
        foreach (string name in (string[])["sign", "abs", "relu", "leaky-0.1"]) Assert.Equal(0, Target.Parse(name).Kink);
        Assert.Equal((-1, 0, 1), (Target.Sign.Evaluate(-2), Target.Sign.Evaluate(0), Target.Sign.Evaluate(2)));
        Assert.Equal((2, 0), (Target.Relu.Evaluate(2), Target.Relu.Evaluate(-2)));
        Assert.Equal((2, -0.5), (Target.Leaky(0.25).Evaluate(2), Target.Leaky(0.25).Evaluate(-2)));
    }

    public static TheoryData<string, double, int> Scans() => new()
    {
        { "sigmoid", 8, 9 }, { "silu", 8, 9 }, { "gelu", 8, 9 }, { "tanh", 30, 20 }, { "relu", 1, 9 }, { "power-50", 1, 9 }, { "sigmoid", 1, 24 },
    };

    [Theory]
    [MemberData(nameof(Scans))]
    public void The_scan_bounds_the_error_whatever_the_polynomial(string name, double range, int degree)
    {
        // Not a minimax polynomial, and peaks that no grid of mine hits: the bound must hold on a grid a hundred times as fine, and be near.
        var target = Target.Parse(name, range);
        var p = new Polynomial(Parity.None, 1, [.. Enumerable.Range(0, degree + 1).Select(k => 0.3 * Math.Sin(1 + 12.9898 * k) / (1 + k))]);
        ErrorBound scan = target.Scan(p, -1, 1, 1e-6);
        double largest = 0;
        for (int i = 0; i <= 200_000; i++)
        {
            double t = Math.Cos(Math.PI * i / 200_000);
            largest = Math.Max(largest, Math.Abs(p.Evaluate(t) - target.Evaluate(t)));
        }

        Assert.InRange(largest, scan.Found * (1 - 1e-6), scan.Bound);
        Assert.InRange(scan.Bound, scan.Found, 1.0005 * scan.Found + 2e-6);
    }

    [Theory]
    [InlineData("swish", 1, "unknown function 'swish'; known: sign, abs, relu, leaky-A, sigmoid, silu, gelu, tanh, power-N")]
    [InlineData("sigmoid", 0, "target sigmoid: range 0, expected 0.001 to 1000")]
    [InlineData("gelu", double.NaN, "target gelu: range NaN, expected 0.001 to 1000")]
    [InlineData("leaky-1", 1, "target leaky: slope 1, expected a number from 0 to below 1 in float32")]
    [InlineData("leaky-0.99999999", 1, "target leaky: slope 0.99999999, expected a number from 0 to below 1 in float32")]
    [InlineData("leaky-x", 1, "target leaky: slope 'x', expected a number from 0 to below 1 in float32")]
    [InlineData("power-2000", 1, "target power: exponent 2000, expected 0 to 1024")]
    [InlineData("power--1", 1, "target power: exponent '-1', expected a whole number from 0 to 1024")]
    [InlineData("power-", 1, "target power: exponent '', expected a whole number from 0 to 1024")]
    public void Bad_functions_are_refused(string name, double range, string message)
        => Assert.Equal(message, Assert.Throws<BadInputException>(() => Target.Parse(name, range)).Message);
}
