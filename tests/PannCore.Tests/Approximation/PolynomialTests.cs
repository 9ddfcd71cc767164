using PannCore.Approximation;
using Xunit;

namespace PannCore.Tests.Approximation;

public sealed class PolynomialTests
{
    private static readonly double[] Coefficients = [0.7, -1.1, 0.25, 0.125, -0.5];

    // T_n by its definition, cos(n arccos s) inside [-1, 1] and the hyperbolic form outside.
    private static double Chebyshev(int n, double s)
        => Math.Abs(s) <= 1 ? Math.Cos(n * Math.Acos(s)) : Math.Pow(Math.Sign(s), n) * Math.Cosh(n * Math.Acosh(Math.Abs(s)));

    [Theory]
    [InlineData(Parity.Odd)]
    [InlineData(Parity.Even)]
    [InlineData(Parity.None)]
    [InlineData(Parity.None, -0.6)]
    public void Clenshaw_agrees_with_the_definition_inside_and_outside_the_basis_interval(Parity parity, double centre = 0)
    {
        const double b = 1.7;
        var p = new Polynomial(parity, b, Coefficients, centre);
        Assert.Equal(centre, p.Centre);
        for (double t = -2.5; t <= 2.5; t += 0.0173)
        {
            double expected = 0, magnitude = 0;
            for (int k = 0; k < Coefficients.Length; k++)
            {
                double term = Coefficients[k] * Chebyshev(parity switch { Parity.Odd => 2 * k + 1, Parity.Even => 2 * k, _ => k }, (t - centre) / b);
                expected += term;
                magnitude += Math.Abs(term);
            }

            // Clenshaw rounds about 50 operations of the size of the terms; arccos near the ends loses up to n/sqrt(eps) ulps of angle: 1e-12 covers both.
            Assert.Equal(expected, p.Evaluate(t), 1e-12 * Math.Max(1, magnitude));
        }
    }

    [Theory]
    [InlineData(Parity.Odd)]
    [InlineData(Parity.Even)]
    [InlineData(Parity.None)]
    [InlineData(Parity.None, 0.3)]
    public void Derivative_agrees_with_central_differences(Parity parity, double centre = 0)
    {
        var p = new Polynomial(parity, 0.8, Coefficients, centre);
        for (double t = -1; t <= 1; t += 0.0719)
        {
            // Fourth-order difference: truncation h^4 |p^(5)| / 30 with |p^(5)| < 5e5 here, rounding 1e-15 * 50 / h.
            const double h = 1e-4;
            double difference = (8 * (p.Evaluate(t + h) - p.Evaluate(t - h)) - (p.Evaluate(t + 2 * h) - p.Evaluate(t - 2 * h))) / (12 * h);
            Assert.Equal(difference, p.Derivative(t), 1e-8);
        }
    }

    [Fact]
    public void Symmetry_is_exact_and_degree_counts_the_last_term()
    {
        var odd = new Polynomial(Parity.Odd, 1, Coefficients);
        var even = new Polynomial(Parity.Even, 1, Coefficients);
        Assert.Equal(9, odd.Degree);
        Assert.Equal(8, even.Degree);
        Assert.Equal(4, new Polynomial(Parity.None, 1, Coefficients).Degree);
        Assert.Equal(0, odd.Evaluate(0));
        Assert.Equal(odd.Evaluate(0.37), -odd.Evaluate(-0.37));
        Assert.Equal(even.Evaluate(0.37), even.Evaluate(-0.37));
        Assert.Equal(odd.Derivative(0.37), odd.Derivative(-0.37));
        Assert.Equal(even.Derivative(0.37), -even.Derivative(-0.37));
    }

    [Fact]
    public void Coefficients_are_copied_and_cannot_be_written()
    {
        double[] mine = [1, 2];
        var p = new Polynomial(Parity.Odd, 1, mine);
        mine[0] = 5;
        Assert.Equal([1.0, 2.0], p.Coefficients);
        Assert.Throws<NotSupportedException>(() => ((IList<double>)p.Coefficients)[0] = 3);
    }

    [Fact]
    public void Bad_parts_have_one_message_each()
    {
        Assert.Equal(
            "polynomial: half-width 0, expected a positive finite number whose inverse is finite",
            Assert.Throws<BadInputException>(() => new Polynomial(Parity.Odd, 0, [1.0])).Message);
        Assert.Equal(
            "polynomial: half-width NaN, expected a positive finite number whose inverse is finite",
            Assert.Throws<BadInputException>(() => new Polynomial(Parity.Odd, double.NaN, [1.0])).Message);
        Assert.Equal(
            "polynomial: centre 1, expected 0 for an odd or even polynomial",
            Assert.Throws<BadInputException>(() => new Polynomial(Parity.Even, 1, [1.0], 1)).Message);
        Assert.Equal(
            "polynomial: centre Infinity, expected a finite number",
            Assert.Throws<BadInputException>(() => new Polynomial(Parity.None, 1, [1.0], double.PositiveInfinity)).Message);
        Assert.Equal(
            "polynomial: parity 7, expected odd, even or none",
            Assert.Throws<BadInputException>(() => new Polynomial((Parity)7, 1, [1.0])).Message);
        Assert.Equal(
            "polynomial: no coefficients, expected at least one",
            Assert.Throws<BadInputException>(() => new Polynomial(Parity.Odd, 1, [])).Message);
        Assert.Equal(
            "polynomial: coefficient 1 is Infinity, expected a finite number",
            Assert.Throws<BadInputException>(() => new Polynomial(Parity.Even, 1, [1.0, double.PositiveInfinity])).Message);
    }
}
