using PannCore.Approximation;
using Xunit;

namespace PannCore.Tests.Approximation;

/// <summary>Polynomials near |t| with q(0) = 0, or with no mean error.</summary>
public sealed class ConstrainedRemezTests
{
    [Fact]
    public void The_nearest_multiple_of_t_squared_has_its_closed_form()
    {
        // c t^2 - t: -1/(4c) at 1/(2c) and c - 1 at 1 are equal in magnitude for 4 c^2 - 4 c - 1 = 0: c = (1 + sqrt 2) / 2.
        RemezResult result = Remez.AbsoluteValue(2, vanishing: true);
        Assert.Equal((Math.Sqrt(2) - 1) / 2, result.LevelledError, 1e-10);
        Assert.Equal((1 + Math.Sqrt(2)) / 4, result.Polynomial.Coefficients[1], 1e-9);
        Assert.Equal(0, result.Polynomial.Evaluate(0), 1e-16);
        Assert.Equal(Math.Sqrt(2) - 1, result.ReferencePoints[0], 1e-5);
    }

    [Theory]
    [InlineData(4)]
    [InlineData(16)]
    [InlineData(64)]
    [InlineData(256)]
    public void Vanishing_polynomials_alternate_at_one_point_less_and_no_other_is_nearer(int degree)
    {
        RemezResult result = Remez.AbsoluteValue(degree, vanishing: true), free = Remez.AbsoluteValue(degree);
        Assert.Equal(0, result.Polynomial.Evaluate(0), 1e-15);
        double[] errors = [.. result.ReferencePoints.Select(t => result.Polynomial.Evaluate(t) - t)];

        // degree/2 free coefficients, and t^2 ... t^degree are a Haar space on (0, 1]: this many alternations prove the levelled error a lower bound.
        Assert.Equal(degree / 2 + 1, errors.Length);
        Assert.True(result.ReferencePoints[0] > 0);
        for (int j = 0; j < errors.Length; j++)
        {
            Assert.Equal(result.LevelledError, Math.Abs(errors[j]), 1e-8 * result.LevelledError);
            if (j > 0) Assert.True(errors[j] > 0 != errors[j - 1] > 0);
        }

        Assert.InRange(result.ProvedError, result.LevelledError, 1.0005 * result.LevelledError);

        // Not nearer than without the condition, and nearer than the free one moved to 0 at 0.
        Assert.InRange(result.LevelledError, free.LevelledError, 2 * free.LevelledError);
    }

    public static TheoryData<int, string, bool> Unbiased()
    {
        TheoryData<int, string, bool> data = new() { { 256, "1", false }, { 256, "16", false } };
        foreach (int degree in (int[])[2, 4, 8, 16, 64])
        {
            foreach (string ratio in (string[])["1", "8", "16", "64"])
            {
                data.Add(degree, ratio, false);
                data.Add(degree, ratio, true);
            }
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Unbiased))]
    public void Unbiased_polynomials_have_no_mean_error_and_none_is_nearer(int degree, string ratio, bool vanishing)
    {
        InputDensity density = InputDensity.Parse(ratio);
        RemezResult result = Remez.UnbiasedAbsoluteValue(degree, density, vanishing);
        Polynomial q = result.Polynomial;
        Assert.Equal(0, density.Integrate(t => q.Evaluate(t) - Math.Abs(t), degree), 1e-12);
        if (vanishing) Assert.Equal(0, q.Evaluate(0), 1e-14);
        Assert.InRange(result.ProvedError, result.LevelledError, 1.0005 * result.LevelledError + 1e-14);

        // The dual problem, solved anew from the points alone: a functional sum w_j v(t_j) + k M(v) that annihilates every even polynomial (that vanishes at 0)
        // bounds every unbiased error from below by |sum w_j t_j + k M(|t|)| / sum |w_j|.
        int unknowns = degree / 2 + (vanishing ? 0 : 1);
        Assert.Equal(unknowns, result.ReferencePoints.Count);
        var matrix = MathNet.Numerics.LinearAlgebra.Double.DenseMatrix.Create(unknowns, unknowns + 1, (k, j) =>
        {
            Func<double, double> v = vanishing
                ? t => Math.Cos((2 * k + 2) * Math.Acos(Math.Abs(t))) + (k % 2 == 0 ? 1 : -1)
                : t => Math.Cos(2 * k * Math.Acos(Math.Abs(t)));
            return j < unknowns ? v(result.ReferencePoints[j]) : density.Integrate(v, degree);
        });
        var weights = matrix.Svd().VT.Row(unknowns);
        double sum = weights[unknowns] * density.Integrate(Math.Abs, 1), norm = 0;
        for (int j = 0; j < unknowns; j++)
        {
            sum += weights[j] * result.ReferencePoints[j];
            norm += Math.Abs(weights[j]);
        }

        Assert.Equal(result.LevelledError, Math.Abs(sum) / norm, 1e-8 * result.LevelledError + 1e-13);
    }

    [Fact]
    public void Only_the_even_part_of_the_density_matters()
    {
        RemezResult one = Remez.UnbiasedAbsoluteValue(8, InputDensity.Histogram([-1, -0.5, 0, 0.25, 1], [1, 2, 3, 4]));
        RemezResult mirrored = Remez.UnbiasedAbsoluteValue(8, InputDensity.Histogram([-1, -0.25, 0, 0.5, 1], [4, 3, 2, 1]));

        // The exchange ends within 1e-4 of the least error.
        Assert.Equal(one.LevelledError, mirrored.LevelledError, 1e-4 * one.LevelledError);
    }

    [Fact]
    public void Bad_degrees_are_refused()
    {
        Assert.Equal(
            "minimax polynomial of |t|: degree 3, expected an even degree from 2 to 256",
            Assert.Throws<BadInputException>(() => Remez.AbsoluteValue(3, vanishing: true)).Message);
        Assert.Equal(
            "minimax polynomial of |t|: degree 0, expected an even degree from 2 to 256",
            Assert.Throws<BadInputException>(() => Remez.UnbiasedAbsoluteValue(0, InputDensity.Gaussian(8))).Message);
    }
}
