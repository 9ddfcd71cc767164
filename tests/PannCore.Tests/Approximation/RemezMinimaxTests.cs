using PannCore.Approximation;
using Xunit;

namespace PannCore.Tests.Approximation;

/// <summary>The exchange without symmetry, for any function on any interval.</summary>
public sealed class RemezMinimaxTests
{
    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(10)]
    [InlineData(25)]
    [InlineData(39)]
    public void The_nearest_polynomial_to_a_power_leaves_a_Chebyshev_polynomial(int power)
    {
        // t^n - p = 2^(1-n) T_n. The exchange ends at 1e-9 of the error or at 1e-14, the rounding of values near 1.
        double error = Math.ScaleB(1, 1 - power);
        RemezResult result = Remez.Minimax(Target.Monomial(power), power - 1);
        Assert.Equal(RemezStatus.Levelled, result.Status);
        Assert.Equal(error, result.LevelledError, 1e-9 * error + 1e-14);
        Assert.Equal(power + 1, result.ReferencePoints.Count);
        for (int j = 0; j <= power; j++) // a maximum is flat: its place is right to the root of that
            Assert.Equal(-Math.Cos(Math.PI * j / power), result.ReferencePoints[j], 2 * Math.Sqrt(1e-9 + 1e-14 / error) / power);
    }

    [Theory]
    [InlineData(2, 0.125)]
    [InlineData(3, 0.125)]
    public void The_nearest_parabola_to_the_absolute_value_is_found_without_its_symmetry(int degree, double error)
    {
        RemezResult result = Remez.Minimax(Target.Absolute, degree);
        Assert.Equal(error, result.LevelledError, 1e-9 * error);
        for (double t = -1; t <= 1; t += 0.125)
            Assert.Equal(t * t + 0.125, result.Polynomial.Evaluate(t), 1e-9);
    }

    [Theory]
    [InlineData(4)]
    [InlineData(15)]
    [InlineData(64)]
    [InlineData(256)]
    public void The_nearest_polynomial_to_ReLU_is_half_of_t_and_that_of_the_absolute_value(int degree)
    {
        RemezResult general = Remez.Minimax(Target.Relu, degree), even = Remez.AbsoluteValue(degree - degree % 2);
        Assert.Equal(even.LevelledError / 2, general.LevelledError, 1e-13);
        for (double t = -1; t <= 1; t += 0.01)
            Assert.Equal((t + even.Polynomial.Evaluate(t)) / 2, general.Polynomial.Evaluate(t), 1e-11);
    }

    [Fact]
    public void The_nearest_lines_to_the_exponential_have_their_closed_forms()
    {
        // On [lo, hi]: slope m = (e^hi - e^lo)/(hi - lo), errors h, -h, h at lo, log m, hi.
        const double lo = -0.5, hi = 1;
        double m = (Math.Exp(hi) - Math.Exp(lo)) / (hi - lo), middle = Math.Log(m);
        double error = (Math.Exp(lo) - m + m * (middle - lo)) / 2;
        RemezResult result = Remez.Minimax(new Target("exp", Math.Exp, Parity.None, null, _ => 20), 1, lo, hi);
        Assert.Equal(error, result.LevelledError, 1e-14);
        Assert.Equal(middle, result.ReferencePoints[1], 1e-7);
        Assert.InRange(result.ProvedError, result.ScannedError, 1.0005 * error);
    }

    public static TheoryData<string, double, int> Functions() => new()
    {
        { "sigmoid", 8, 1 }, { "sigmoid", 8, 2 }, { "sigmoid", 8, 9 }, { "sigmoid", 8, 10 }, { "sigmoid", 64, 63 },
        { "tanh", 4, 3 }, { "tanh", 4, 4 }, { "tanh", 50, 256 }, { "silu", 8, 7 }, { "silu", 8, 16 }, { "silu", 50, 255 },
        { "gelu", 8, 7 }, { "gelu", 8, 16 }, { "gelu", 50, 128 }, { "leaky-0.1", 1, 9 }, { "abs", 1, 17 }, { "relu", 1, 8 },
    };

    [Theory]
    [MemberData(nameof(Functions))]
    public void Functions_of_the_field_equioscillate(string name, double range, int degree)
    {
        var target = Target.Parse(name, range);
        RemezResult result = Remez.Minimax(target, degree);
        Assert.Equal(RemezStatus.Levelled, result.Status);
        double[] errors = [.. result.ReferencePoints.Select(t => result.Polynomial.Evaluate(t) - target.Evaluate(t))];
        Assert.Equal(degree + 2, errors.Length);

        // Clenshaw's sum of up to 256 terms and the function round by some 1e-16 of the largest value.
        double rounding = 2e-14 * result.ReferencePoints.Max(t => Math.Abs(target.Evaluate(t)));
        for (int j = 1; j < errors.Length; j++)
        {
            Assert.True(result.ReferencePoints[j] > result.ReferencePoints[j - 1]);
            Assert.True(errors[j] > 0 != errors[j - 1] > 0, $"no alternation between points {j - 1} and {j}");
        }

        Assert.All(errors, error => Assert.Equal(result.LevelledError, Math.Abs(error), 1e-8 * result.LevelledError + rounding));
        double tallest = 0;
        for (int i = 0; i <= 40_000; i++)
        {
            double t = Math.Cos(Math.PI * i / 40_000);
            tallest = Math.Max(tallest, Math.Abs(result.Polynomial.Evaluate(t) - target.Evaluate(t)));
        }

        Assert.InRange(tallest, result.LevelledError * (1 - 1e-3), result.LevelledError * (1 + 1e-8) + rounding);
        Assert.InRange(result.ProvedError, result.ScannedError, result.LevelledError * 1.0005 + rounding);
        Assert.InRange(result.ScannedError, result.LevelledError * (1 - 1e-6), result.LevelledError * (1 + 1e-8) + rounding);
    }

    [Theory]
    [InlineData(8, 120)]
    [InlineData(1, 40)]
    [InlineData(1, 255)]
    public void A_function_that_double_can_hit_is_returned_as_such(double range, int degree)
    {
        RemezResult result = Remez.Minimax(Target.Sigmoid(range), degree);
        Assert.Equal(RemezStatus.AtRounding, result.Status);
        Assert.InRange(result.ScannedError, 0, 1e-14);
    }

    [Theory]
    [InlineData(1e-100)]
    [InlineData(1e100)]
    public void Neither_the_size_of_the_interval_nor_that_of_the_values_matters(double width)
    {
        // t^3 - p on [w, 3w] is w^3 T_3 / 4 of what runs over [-1, 1] there; 2e-14: roundings of values of up to 27, in units of w^3.
        double height = Math.Pow(width, 3);
        RemezResult result = Remez.Minimax(Target.Monomial(3), 2, width, 3 * width);
        Assert.Equal(RemezStatus.Levelled, result.Status);
        Assert.Equal(0.25, result.LevelledError / height, 2e-14 * 27);
        Assert.InRange(result.ProvedError / height, 0.25 * (1 - 1e-9), 0.25 * 1.0005);
        RemezResult one = Remez.Minimax(Target.Monomial(3), 2, 1, 3);
        for (int k = 0; k <= 2; k++)
            Assert.Equal(one.Polynomial.Coefficients[k], result.Polynomial.Coefficients[k] / height, 1e-12 * 27);
    }

    [Fact]
    public void A_polynomial_is_bounded_on_any_interval()
    {
        // t^8 on [-10, 10] from degree 3, against a fine grid: at most 1.0005 times the levelled error, which is at most the true one.
        RemezResult result = Remez.Minimax(Target.Monomial(8), 3, -10, 10);
        double largest = Enumerable.Range(0, 200_001).Select(i => (i / 10_000.0) - 10).Max(t => Math.Abs(result.Polynomial.Evaluate(t) - Math.Pow(t, 8)));
        Assert.InRange(result.ProvedError, largest * (1 - 1e-12), 1.0005 * largest);
    }

    [Theory]
    [InlineData("sigmoid", 4, 7)]
    [InlineData("silu", 4, 8)]
    [InlineData("gelu", 4, 8)]
    [InlineData("tanh", 4, 6)]
    public void A_second_algorithm_gives_the_same_polynomial(string name, double range, int degree)
    {
        var target = Target.Parse(name, range);
        (double error, double[] coefficients) = SecondAlgorithm.Minimax(target.Evaluate, degree);
        RemezResult result = Remez.Minimax(target, degree);
        Assert.Equal(error, result.LevelledError, 1e-9);
        double largest = coefficients.Max(Math.Abs);
        for (int k = 0; k <= degree; k++)
            Assert.Equal(coefficients[k], result.Polynomial.Coefficients[k], 1e-9 * largest);
    }

    [Fact]
    public void Bad_problems_are_refused()
    {
        Refused("minimax polynomial of tanh: degree 0, expected 1 to 256", Target.Tanh(4), 0);
        Refused("minimax polynomial of tanh: degree 257, expected 1 to 256", Target.Tanh(4), 257);
        Refused("minimax polynomial of tanh: interval [NaN, 1], expected lo < hi", Target.Tanh(4), 3, double.NaN);
        Refused("minimax polynomial of tanh: interval [1, 1], expected lo < hi", Target.Tanh(4), 3, 1);
        Refused("minimax polynomial of tanh: interval [-Infinity, 1], expected lo < hi", Target.Tanh(4), 3, double.NegativeInfinity);
        Refused("minimax polynomial of sign: interval [-1, 1] contains 0, where sign jumps: no polynomial is nearer than 1", Target.Sign, 3);
        Refused("minimax polynomial of log: log is -Infinity at 0, expected a finite number", new Target("log", Math.Log, Parity.None, null, _ => 1), 3, 0);
        Refused("minimax polynomial of tanh: interval [-2, 1], expected one within [-1, 1], which stands for its range", Target.Tanh(4), 3, -2);

        static void Refused(string message, Target target, int degree, double lo = -1)
            => Assert.Equal(message, Assert.Throws<BadInputException>(() => Remez.Minimax(target, degree, lo, 1)).Message);
    }

    [Fact]
    public void What_the_exchange_overlooks_the_independent_scan_finds()
    {
        // A spike narrower than the steps of the exchange. With an honest degree (8 / width and more) the independent scan looks closer and finds it.
        Target honest = new("spike", t => Math.Sin(3 * t) + (1e-2 * Math.Exp(-Math.Pow((t - 0.1234) / 1e-4, 2))), Parity.None, null, _ => 80_000);
        Assert.Contains("an independent scan disagrees", Assert.Throws<RemezConvergenceException>(() => Remez.Minimax(honest, 5)).Message, StringComparison.Ordinal);
    }
}
