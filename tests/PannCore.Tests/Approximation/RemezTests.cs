using MathNet.Numerics.LinearAlgebra.Double;
using PannCore.Approximation;
using Xunit;

namespace PannCore.Tests.Approximation;

public sealed class RemezTests
{
    [Fact]
    public void The_nearest_parabola_to_the_absolute_value_is_t_squared_plus_one_eighth()
    {
        RemezResult result = Remez.AbsoluteValue(2);
        Assert.Equal(0.125, result.LevelledError, 1e-14);
        // t^2 + 1/8 = T_2/2 + 5/8
        Assert.Equal(0.625, result.Polynomial.Coefficients[0], 1e-13);
        Assert.Equal(0.5, result.Polynomial.Coefficients[1], 1e-13);
        Assert.Equal(0, result.ReferencePoints[0], 1e-7);
        Assert.Equal(0.5, result.ReferencePoints[1], 1e-7);
        Assert.Equal(1, result.ReferencePoints[2], 1e-7);
    }

    [Fact]
    public void The_nearest_line_to_sgn_has_slope_two_over_a_plus_b()
    {
        // c a = 1 - E and c b = 1 + E
        RemezResult result = Remez.Sign(1, 0.5, 1.5);
        Assert.Equal(0.5, result.LevelledError, 1e-14);
        Assert.Equal(0.7, result.Polynomial.Evaluate(0.7), 1e-14);
    }

    [Fact]
    public void The_nearest_cubic_to_sgn_satisfies_its_three_alternation_conditions()
    {
        // p = x t - y t^3 on [a, 1]: errors -E, +E, -E at a, at the maximum m = sqrt(x / 3y), and at 1, so that p(a) = p(1) gives x = y (1 + a + a^2).
        const double a = 0.3;
        double m = Math.Sqrt((1 + a + a * a) / 3);
        double atEnd = a + a * a, atTop = (1 + a + a * a) * m - m * m * m;
        double error = (atTop - atEnd) / (atTop + atEnd);
        RemezResult result = Remez.Sign(3, a, 1);
        Assert.Equal(error, result.LevelledError, 1e-14);
        Assert.Equal(m, result.ReferencePoints[1], 1e-7);
    }

    [Theory]
    [InlineData(8)]
    [InlineData(16)]
    [InlineData(64)]
    [InlineData(128)]
    [InlineData(256)]
    public void Degree_times_error_of_the_absolute_value_tends_to_Bernsteins_constant(int degree)
    {
        // Varga and Carpenter 1985: 2n E_2n = 0.2801694990 - 0.0439675/n^2 + 0.0264072/n^4 - 0.031/n^6 + ...
        double n = degree / 2.0;
        double expansion = 0.2801694990238691 - 0.04396752888 / (n * n) + 0.02640716877 / Math.Pow(n, 4);
        Assert.Equal(expansion, degree * Remez.AbsoluteValue(degree).LevelledError, 0.04 / Math.Pow(n, 6) + 1e-11);
    }

    [Fact]
    public void A_wide_interval_gives_the_true_minimax_and_not_the_false_one()
    {
        RemezResult result = Remez.Sign(27, 0.0245, 1.975);
        Assert.Equal(0.58707, result.LevelledError, 1e-5);
        Assert.Equal(result.LevelledError, DualBound(result, Parity.Odd), 1e-11);
    }

    [Fact]
    public void Log_spaced_start_nodes_end_in_an_exception()
    {
        const double a = 0.0245, b = 1.975;
        double[] angles = new double[15];
        for (int j = 0; j < angles.Length; j++)
        {
            double t = a * Math.Pow(b / a, j / 14.0);
            angles[j] = 2 * Math.Asin(Math.Sqrt(Math.Clamp((t * t - a * a) / (b * b - a * a), 0, 1)));
        }

        // What must not happen is 0.25 returned as minimax.
        Assert.StartsWith(
            "minimax polynomial of sgn, degree 27 on [0.0245, 1.975]: no convergence in iteration ", Assert.Throws<RemezConvergenceException>(() => Remez.Sign(27, a, b, angles)).Message, StringComparison.Ordinal);
    }

    public static TheoryData<int, double, double> Intervals() => new()
    {
        { 3, 0.1, 1 }, { 5, 0.34, 1 }, { 7, 0.6, 1.4 }, { 13, 0.0017, 1 }, { 15, 0.001, 1 }, { 27, 0.0245, 1.975 },
        { 31, 0.28, 1.72 }, { 63, 0.00001, 1 }, { 63, 0.05, 1 }, { 63, 0.4, 1.6 }, { 9, 1e-9, 2e-9 }, { 9, 1e9, 2e9 }, { 9, 1e-100, 2e-100 }, { 9, 1e100, 2e100 },
    };

    [Theory]
    [MemberData(nameof(Intervals))]
    public void Sign_stages_equioscillate(int degree, double a, double b)
        => Equioscillates(Remez.Sign(degree, a, b), Parity.Odd, (degree + 1) / 2 + 1);

    [Theory]
    [InlineData(2)]
    [InlineData(4)]
    [InlineData(10)]
    [InlineData(62)]
    [InlineData(254)]
    [InlineData(256)]
    public void Absolute_value_polynomials_equioscillate(int degree)
        => Equioscillates(Remez.AbsoluteValue(degree), Parity.Even, degree / 2 + 2);

    [Fact]
    public void Scaling_the_interval_changes_nothing_but_the_half_width()
    {
        RemezResult one = Remez.Sign(9, 0.2, 1), scaled = Remez.Sign(9, 0.2e100, 1e100);
        Assert.Equal(one.LevelledError, scaled.LevelledError, 1e-13);
        for (int k = 0; k < 5; k++)
            Assert.Equal(one.Polynomial.Coefficients[k], scaled.Polynomial.Coefficients[k], 1e-12);
    }

    [Theory]
    [InlineData(3, 0.2, 1.0)]
    [InlineData(7, 0.1, 1.0)]
    [InlineData(13, 0.187, 1.0)]
    [InlineData(15, 0.449, 1.551)]
    public void A_second_algorithm_gives_the_same_sign_stage(int degree, double a, double b)
        => Same(SecondAlgorithm.Sign(degree, a, b), Remez.Sign(degree, a, b));

    [Theory]
    [InlineData(4)]
    [InlineData(8)]
    [InlineData(16)]
    public void A_second_algorithm_gives_the_same_absolute_value_polynomial(int degree)
        => Same(SecondAlgorithm.AbsoluteValue(degree), Remez.AbsoluteValue(degree));

    [Fact]
    public void An_error_below_rounding_is_returned_as_such()
    {
        // The true error is far below 1e-16: what is left is the rounding of the evaluation.
        RemezResult result = Remez.Sign(63, 0.9, 1.1);
        Assert.InRange(result.ScannedError, 0, 1e-14);
    }

    [Theory]
    [InlineData(4, 0.1, 1, "minimax polynomial of sgn: degree 4, expected an odd degree from 1 to 63")]
    [InlineData(0, 0.1, 1, "minimax polynomial of sgn: degree 0, expected an odd degree from 1 to 63")]
    [InlineData(-1, 0.1, 1, "minimax polynomial of sgn: degree -1, expected an odd degree from 1 to 63")]
    [InlineData(65, 0.1, 1, "minimax polynomial of sgn: degree 65, expected an odd degree from 1 to 63")]
    [InlineData(3, 1, 1, "minimax polynomial of sgn: interval [1, 1], expected 0 < a < b")]
    [InlineData(3, 1, 0.5, "minimax polynomial of sgn: interval [1, 0.5], expected 0 < a < b")]
    [InlineData(3, 0, 1, "minimax polynomial of sgn: interval [0, 1], expected 0 < a < b")]
    [InlineData(3, double.NaN, 1, "minimax polynomial of sgn: interval [NaN, 1], expected 0 < a < b")]
    [InlineData(3, 0.1, double.NaN, "minimax polynomial of sgn: interval [0.1, NaN], expected 0 < a < b")]
    [InlineData(3, 0.1, double.PositiveInfinity, "minimax polynomial of sgn: interval [0.1, Infinity], expected 0 < a < b")]
    public void Bad_sign_stages_are_refused(int degree, double a, double b, string message)
        => Assert.Equal(message, Assert.Throws<BadInputException>(() => Remez.Sign(degree, a, b)).Message);

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    [InlineData(-2)]
    [InlineData(258)]
    public void Bad_absolute_value_degrees_are_refused(int degree)
        => Assert.Equal(
            $"minimax polynomial of |t|: degree {degree}, expected an even degree from 2 to 256",
            Assert.Throws<BadInputException>(() => Remez.AbsoluteValue(degree)).Message);

    [Fact]
    public void No_convergence_is_an_exception_that_says_why()
    {
        string message = Assert.Throws<RemezConvergenceException>(() => Remez.Sign(27, 0.0245, 1.975, null, mostIterations: 1)).Message;
        Assert.Equal("minimax polynomial of sgn, degree 27 on [0.0245, 1.975]: no convergence in iteration 1: the limit of iterations; levelled error 0.480894, largest error 0.968818", message);
    }

    [Fact]
    public void Coinciding_start_points_are_an_exception()
        => Assert.Equal(
            "minimax polynomial of sgn, degree 3 on [0.1, 1]: no convergence in iteration 1: two reference points coincide; levelled error NaN, largest error NaN",
            Assert.Throws<RemezConvergenceException>(() => Remez.Sign(3, 0.1, 1, [0, 0, 0])).Message);

    private static void Same((double Error, double[] Coefficients) second, RemezResult result)
    {
        // The grid displaces the reference by at most half its step of 3e-5 in angle; the effect is of second order, below 1e-9 for these degrees.
        Assert.Equal(second.Error, result.LevelledError, 1e-9);
        double largest = second.Coefficients.Max(Math.Abs);
        for (int k = 0; k < second.Coefficients.Length; k++)
            Assert.Equal(second.Coefficients[k], result.Polynomial.Coefficients[k], 1e-9 * largest);
    }

    private static void Equioscillates(RemezResult result, Parity parity, int points)
    {
        Assert.Equal(points, result.ReferencePoints.Count);
        double[] errors = result.ReferencePoints.Select(t => result.Polynomial.Evaluate(t) - (parity == Parity.Odd ? 1 : t)).ToArray();
        for (int j = 0; j < points; j++)
        {
            Assert.Equal(result.LevelledError, Math.Abs(errors[j]), 1e-8 * result.LevelledError + 1e-14);
            if (j > 0) Assert.True(errors[j] > 0 != errors[j - 1] > 0, $"no alternation between points {j - 1} and {j}");
            if (j > 0) Assert.True(result.ReferencePoints[j] > result.ReferencePoints[j - 1]);
        }

        // Nothing on a naive grid, even in t and even in log t, may exceed the levelled error.
        double tallest = 0, logLo = Math.Max(result.Lo, 1e-9 * result.Hi);
        for (int i = 0; i <= 20_000; i++)
        {
            foreach (double t in (double[])[result.Lo + (result.Hi - result.Lo) * i / 20_000, Math.Min(result.Hi, logLo * Math.Pow(result.Hi / logLo, i / 20_000.0))])
                tallest = Math.Max(tallest, Math.Abs(result.Polynomial.Evaluate(t) - (parity == Parity.Odd ? 1 : t)));
        }

        Assert.InRange(tallest, 0, result.LevelledError * (1 + 1e-8) + 1e-14);
        Assert.InRange(result.ScannedError, result.LevelledError * (1 - 1e-6), result.LevelledError * (1 + 1e-8) + 1e-14);
        Assert.InRange(result.ProvedError, result.ScannedError, result.LevelledError * 1.0005 + 1e-14);
        Assert.Equal(result.LevelledError, DualBound(result, parity), 1e-10 * Math.Max(1, points) * result.LevelledError + 1e-13);
    }

    /// <summary>
    /// The dual of the minimax problem as a linear programme: a functional on the reference that annihilates every polynomial of the degree.
    /// |sum w_j f(t_j)| / sum |w_j| bounds the error of every polynomial from below, whoever found the points.
    /// </summary>
    private static double DualBound(RemezResult result, Parity parity)
    {
        int unknowns = result.Polynomial.Coefficients.Count;
        var matrix = DenseMatrix.Create(unknowns, unknowns + 1, (k, j) =>
            Math.Cos((2 * k + (parity == Parity.Odd ? 1 : 0)) * Math.Acos(Math.Min(1, result.ReferencePoints[j] / result.Hi))));
        var weights = matrix.Svd().VT.Row(unknowns);
        double sum = 0, norm = 0;
        for (int j = 0; j <= unknowns; j++)
        {
            sum += weights[j] * (parity == Parity.Odd ? 1 : result.ReferencePoints[j]);
            norm += Math.Abs(weights[j]);
            if (j > 0) Assert.True(weights[j] * weights[j - 1] < 0, "the functional does not alternate");
        }

        return Math.Abs(sum) / norm;
    }
}
