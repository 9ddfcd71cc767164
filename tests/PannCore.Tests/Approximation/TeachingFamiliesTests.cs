using PannCore.Approximation;
using Xunit;

namespace PannCore.Tests.Approximation;

/// <summary>The methods of textbooks against closed forms found otherwise.</summary>
public sealed class TeachingFamiliesTests
{
    private static readonly double[] Points = [.. Enumerable.Range(-40, 81).Select(i => i / 40.0)];

    [Theory]
    [InlineData(2)]
    [InlineData(8)]
    [InlineData(64)]
    [InlineData(256)]
    public void Taylor_is_the_binomial_series(int degree)
    {
        // Term by term: binom(1/2, k) by its product.
        Polynomial q = TeachingFamilies.Taylor(degree);
        foreach (double t in Points)
        {
            double sum = 0, binomial = 1;
            for (int k = 0; k <= degree / 2; k++)
            {
                sum += binomial * Math.Pow(t * t - 1, k);
                binomial *= (0.5 - k) / (k + 1);
            }

            Assert.Equal(sum, q.Evaluate(t), 1e-13);
        }
    }

    [Fact]
    public void Taylor_of_degree_two_is_the_tangent_of_the_root()
        => Assert.All(Points, t => Assert.Equal((1 + t * t) / 2, TeachingFamilies.Taylor(2).Evaluate(t), 1e-15));

    [Theory]
    [InlineData(2)]
    [InlineData(16)]
    [InlineData(256)]
    public void Chebyshev_is_the_truncated_series_of_the_absolute_cosine(int degree)
    {
        // 4/π (-1)^(k+1) / (4k^2 - 1), and for c_0 half of it; and the integral behind it by a fine midpoint rule: |cos| cos(2kθ) over [0, π/2], error h^2/24 (2k+1)^2.
        Polynomial q = TeachingFamilies.Chebyshev(degree);
        Assert.Equal(degree, q.Degree);
        const int steps = 200_000;
        for (int k = 0; k <= degree / 2; k += Math.Max(1, degree / 8))
        {
            Assert.Equal((k == 0 ? 2 : 4) / Math.PI * Math.Pow(-1, k + 1) / (4.0 * k * k - 1), q.Coefficients[k], 1e-16);
            double sum = 0;
            for (int i = 0; i < steps; i++)
            {
                double angle = Math.PI / 2 * (i + 0.5) / steps;
                sum += Math.Cos(angle) * Math.Cos(2 * k * angle);
            }

            Assert.Equal((k == 0 ? 2 : 4) / Math.PI * sum * Math.PI / 2 / steps, q.Coefficients[k], 1e-11 * (2 * k + 1) * (2 * k + 1) + 1e-13);
        }

        // What is left out sums to 2 / (π (degree + 1)) at 0.
        Assert.Equal(2 / (Math.PI * (degree + 1)), q.Evaluate(0), 1e-14);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(16)]
    [InlineData(256)]
    public void Interpolation_agrees_at_the_zeros_of_a_Chebyshev_polynomial(int degree)
    {
        Polynomial q = TeachingFamilies.Interpolation(degree);
        Assert.Equal(degree, q.Degree);
        for (int j = 0; j <= degree; j++)
        {
            double t = Math.Sin(Math.PI * (2 * j - degree) / (2 * (degree + 1)));
            Assert.Equal(Math.Abs(t), q.Evaluate(t), 1e-13);
        }
    }

    [Theory]
    [InlineData(2, 8)]
    [InlineData(8, 4)]
    [InlineData(6, 1)]
    public void Hermite_is_the_projection_under_a_normal_density_on_the_whole_line(int degree, double ratio)
    {
        // <(|t| - q) t^j> = 0 for even j: moments of N(0, s), E t^2i = s^2i (2i-1)!!, E |t|^(2i+1) = s^(2i+1) 2^i i! sqrt(2/π). q in powers of x = t/s by a solve of its own.
        int n = degree / 2 + 1;
        var gram = MathNet.Numerics.LinearAlgebra.Double.DenseMatrix.Create(n, n, (i, j) => DoubleFactorial(2 * (i + j) - 1));
        var right = MathNet.Numerics.LinearAlgebra.Double.DenseVector.Create(n, i => Math.Pow(2, i) * Factorial(i) * Math.Sqrt(2 / Math.PI));
        var powers = gram.LU().Solve(right);
        Polynomial q = TeachingFamilies.Hermite(degree, ratio);
        foreach (double t in Points)
        {
            double expected = powers.Select((c, i) => c * Math.Pow(t * ratio, 2 * i)).Sum() / ratio, size = powers.Select((c, i) => Math.Abs(c) * Math.Pow(ratio, 2 * i)).Sum() / ratio;
            Assert.Equal(expected, q.Evaluate(t), 1e-9 * size); // the matrix of moments is ill-conditioned: 1e6 at degree 8
        }

        static double DoubleFactorial(int k) => k <= 1 ? 1 : k * DoubleFactorial(k - 2);
        static double Factorial(int k) => k <= 1 ? 1 : k * Factorial(k - 1);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(16)]
    [InlineData(128)]
    [InlineData(256)]
    public void Even_least_squares_is_the_truncated_Legendre_series(int degree)
    {
        // |t| = 1/2 + sum of a_2k P_2k, a_2k = (-1)^(k+1) (4k+1) (2k-2)! / (4^k (k-1)! (k+1)!), here by the ratio of consecutive ones: a_2 = 5/8.
        Polynomial q = TeachingFamilies.LeastSquares(Math.Abs, degree, InputDensity.Uniform);
        foreach (double t in Points)
        {
            double expected = 0.5, a = 0.625;
            for (int k = 1; k <= degree / 2; k++)
            {
                expected += a * Legendre(2 * k, t);
                a *= -(4 * k + 5.0) / (4 * k + 1) * (2 * k - 1) / (2 * k + 4);
            }

            Assert.Equal(expected, q.Evaluate(t), 1e-11);
        }

        static double Legendre(int n, double t)
        {
            (double before, double now) = (1, t);
            for (int k = 1; k < n; k++) (before, now) = (now, ((2 * k + 1) * t * now - k * before) / (k + 1));
            return now;
        }
    }

    [Theory]
    [InlineData("lsq:8,density=8")]
    [InlineData("lsq:4,density=64")]
    [InlineData("lsq:2")]
    public void Least_squares_leaves_an_error_orthogonal_to_every_polynomial(string text)
    {
        ActivationSpec spec = ActivationSpec.Parse(text);
        ReluPolynomial r = spec.Build();
        Assert.Equal(ReluFamily.Direct, r.Family);
        Orthogonal(r, spec.Density is null ? InputDensity.Uniform : InputDensity.Parse(spec.Density), 0);
    }

    [Fact]
    public void Least_squares_by_a_lopsided_histogram_is_a_series_of_both_parities()
    {
        string file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, """{ "edges": [-1, -0.5, -0.1, 0, 0.25, 1], "counts": [1, 40, 200, 30, 2] }""");
            ReluPolynomial r = ActivationSpec.Parse($"lsq:6,density={file},leak=0.1").Build();
            Assert.Equal(ReluFamily.Series, r.Family);
            Assert.Equal(7, r.Stages[0].Coefficients.Count);
            Assert.NotEqual(0.5, r.Stages[0].Coefficients[1], 1e-3);
            Orthogonal(r, InputDensity.Parse(file), 0.1);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public void Least_squares_whose_values_overflow_is_one_clear_error()
        => Assert.Equal(
            "least squares of degree 256 for density '300': double cannot hold its values at 1, so far from the inputs; lower the degree or the ratio",
            Assert.Throws<BadInputException>(() => ActivationSpec.Parse("lsq:256,density=300").Build()).Message);

    [Fact]
    public void A_Hermite_expansion_whose_values_overflow_is_one_clear_error()
        => Assert.Equal(
            "Hermite expansion of degree 256 for density '10000': double cannot hold its values at 1, so far from the inputs; lower the degree or the ratio",
            Assert.Throws<BadInputException>(() => ActivationSpec.Parse("hermite:256,density=10000").Build()).Message);

    [Fact]
    public void Square_and_quadratic_are_what_they_say()
    {
        ReluPolynomial square = ActivationSpec.Parse("square").Build(), quadratic = ActivationSpec.Parse("quadratic").Build(), leaky = ActivationSpec.Parse("square,leak=0.25").Build();
        Assert.All(Points, t => Assert.Equal(t * t, square.Evaluate(t), 1e-15));
        Assert.All(Points, t => Assert.Equal(2 * t, square.Derivative(t), 1e-15));
        Assert.All(Points, t => Assert.Equal(t * t / 8 + t / 2 + 0.25, quadratic.Evaluate(t), 1e-15));
        Assert.All(Points, t => Assert.Equal(0.25 * t + 0.75 * t * t, leaky.Evaluate(t), 1e-15));

        // |t^2 - t| is 1/4 at 1/2, t^2 is 1 at -1.
        Assert.Equal(1, square.MaxError, 2e-3);
        Assert.Equal(-1, square.Certificate.At, 1e-6);
        Assert.Equal(0.25, quadratic.MaxError, 1e-3);
    }

    [Theory]
    [InlineData("taylor:8")]
    [InlineData("lsq:8")]
    [InlineData("lsq:8,density=16")]
    [InlineData("chebyshev:8")]
    [InlineData("interpolation:8")]
    [InlineData("hermite:8,density=4")]
    [InlineData("square")]
    [InlineData("quadratic")]
    [InlineData("direct:8,zero")]
    [InlineData("direct:8,unbiased=8")]
    public void Nothing_claims_to_be_minimax_and_none_is_nearer_than_what_is(string text)
    {
        ReluPolynomial r = ActivationSpec.Parse(text).Build(), leaky = ActivationSpec.Parse(text + ",leak=0.1").Build(), minimax = ReluPolynomial.Direct(r.Degrees[0]);
        Assert.False(r.ClaimsMinimax);
        Assert.True(r.Certificate.Passed);
        Assert.Equal(text, r.Spec);
        Assert.True(r.Certificate.ScannedError > 1.01 * minimax.MaxError);
        double tallest = 0;
        foreach (double t in Points)
        {
            tallest = Math.Max(tallest, Math.Abs(r.Evaluate(t) - Math.Max(t, 0)));
            Assert.Equal(0.1 * t + 0.9 * r.Evaluate(t), leaky.Evaluate(t), 1e-14 * Math.Max(1, r.MaxError));
        }

        Assert.InRange(tallest, 0, r.MaxError);
    }

    [Theory]
    [InlineData("lsq:16,density=64", "6.2e+18")]
    [InlineData("hermite:16,density=64", "6.2e+18")]
    public void What_double_cannot_evaluate_is_refused(string text, string sum)
        => Assert.Equal(
            $"activation '{text}': its coefficients sum to {sum} in magnitude, expected at most 1e+08: double cannot evaluate it near 0; lower the degree or the ratio",
            Assert.Throws<BadInputException>(() => ActivationSpec.Parse(text).Build()).Message);

    // The residual is orthogonal to T_k, up to roundings of values near 1.
    private static void Orthogonal(ReluPolynomial r, InputDensity density, double leak)
    {
        int degree = r.Stages[0].Degree;
        for (int k = 0; k <= degree; k++)
        {
            double product = density.Integrate(t => (r.Evaluate(t) - (t > 0 ? t : leak * t)) * Math.Cos(k * Math.Acos(t)), 2 * degree);
            Assert.Equal(0, product, 1e-14 * r.Stages[0].Coefficients.Sum(Math.Abs));
        }
    }
}
