using PannCore.Approximation;
using Xunit;

namespace PannCore.Tests.Approximation;

public class MinimaxFunctionTests
{
    [Theory]
    [InlineData("minimax:power-4,degree=3", 0.125)] // x^n from degree n - 1: 2^(1-n)
    [InlineData("minimax:power-6,degree=5", 0.03125)]
    [InlineData("minimax:abs,degree=2", 0.125)] // |x| of degree 2 is x^2 + 1/8
    [InlineData("minimax:relu,degree=2", 0.0625)]
    public void Known_answers(string spec, double error)
    {
        var function = MinimaxFunction.Parse(spec);
        Assert.Equal(spec, function.Spec);
        Assert.True(function.Certificate.Passed, function.Certificate.Objection);
        Assert.Equal(error, function.Certificate.LevelledError, 1e-5 * error);
        Assert.InRange(function.MaxError, error * (1 - 1e-9), 1.002 * error);
    }

    [Theory]
    [InlineData("minimax:gelu,degree=8,range=5")]
    [InlineData("minimax:tanh,degree=9,range=3")]
    [InlineData("minimax:sigmoid,degree=31,range=8")]
    [InlineData("minimax:silu,degree=20,range=8")]
    public void The_bound_holds_on_a_fine_grid_and_is_tight(string spec)
    {
        var function = MinimaxFunction.Parse(spec);
        Assert.Equal(spec, function.Spec);
        double largest = 0;
        for (int i = 0; i <= 200_000; i++)
        {
            double t = Math.Cos(Math.PI * i / 200_000);
            largest = Math.Max(largest, Math.Abs(function.Polynomial.Evaluate(t) - function.Target.Evaluate(t)));
        }

        Assert.InRange(function.MaxError, largest, 1.003 * largest);
        Assert.True(function.Certificate.Passed, function.Certificate.Objection);
    }

    [Fact]
    public void A_symmetrical_function_is_priced_as_one()
    {
        // Coefficients of the other parity are zero, not rounding, and cost nothing.
        var tanh = MinimaxFunction.Parse("minimax:tanh,degree=16,range=8");
        Assert.All(tanh.Polynomial.Coefficients.Where((_, k) => k % 2 == 0), c => Assert.Equal(0, c));
        Assert.Equal(EvaluationPlan.Of(new Polynomial(Parity.Odd, 1, [.. tanh.Polynomial.Coefficients.Where((_, k) => k % 2 == 1)])).Cost, tanh.Cost);
        var abs = MinimaxFunction.Parse("minimax:abs,degree=16");

        // Both exchanges end at 1e-9 of the error; what was dropped is 1e-6 of it, and rounding, taken off the second, far less.
        double level = Remez.AbsoluteValue(16).LevelledError;
        Assert.Equal(level, abs.Certificate.LevelledError, 1.01e-6 * level);
        Assert.Equal(EvaluationPlan.Of(Remez.AbsoluteValue(16).Polynomial).Cost, abs.Cost);
    }

    [Theory]
    [InlineData("minimax:tanh,degree=63,range=5", Parity.Odd)]
    [InlineData("minimax:power-5,degree=9", Parity.Odd)]
    [InlineData("minimax:power-6,degree=11", Parity.Even)]
    [InlineData("minimax:abs,degree=31", Parity.Even)]
    public void Rounding_does_not_count_as_a_coefficient_of_the_other_parity(string spec, Parity parity)
    {
        // Where the error is itself of rounding's size, no share of it tells rounding from coefficients.
        var function = MinimaxFunction.Parse(spec);
        int other = parity == Parity.Odd ? 0 : 1;
        Assert.All(function.Polynomial.Coefficients.Where((_, k) => k % 2 == other), c => Assert.Equal(0, c));
        double[] own = [.. function.Polynomial.Coefficients.Where((_, k) => k % 2 != other)];
        Assert.Equal(EvaluationPlan.Of(new Polynomial(parity, 1, own)).Cost, function.Cost);

        // The bound is still one.
        for (int i = -1000; i <= 1000; i++)
        {
            double t = i / 1000.0;
            Assert.InRange(Math.Abs(function.Polynomial.Evaluate(t) - function.Target.Evaluate(t)), 0, function.MaxError);
        }
    }

    [Theory]
    [InlineData("minimax:power-4,degree=5")]
    [InlineData("minimax:power-4,degree=8")]
    [InlineData("minimax:power-0,degree=1")]
    [InlineData("minimax:sigmoid,degree=30,range=1")]
    [InlineData("minimax:sigmoid,degree=40")]
    [InlineData("minimax:tanh,degree=48,range=2")]
    public void An_error_below_rounding_claims_nothing_but_its_bound(string spec)
    {
        var function = MinimaxFunction.Parse(spec);
        Assert.False(function.Certificate.Passed);
        Assert.True(function.IsAtRounding);
        Assert.InRange(function.MaxError, 0, 1e-13);
    }

    /// <summary>The rounding of an evaluation grows with the degree, and an exchange that meets it says so.</summary>
    [Theory]
    [InlineData("minimax:power-256,degree=256")]
    [InlineData("minimax:power-512,degree=100")]
    [InlineData("minimax:power-512,degree=256")]
    public void An_exchange_of_high_degree_ends_in_a_polynomial(string spec)
    {
        var function = MinimaxFunction.Parse(spec);
        Assert.True(function.Certificate.Passed || function.IsAtRounding, function.Certificate.Objection);
        for (int i = 0; i <= 2000; i++)
        {
            double t = Math.Cos(Math.PI * i / 2000);
            Assert.InRange(Math.Abs(function.Polynomial.Evaluate(t) - function.Target.Evaluate(t)), 0, function.MaxError);
        }
    }

    [Theory]
    [InlineData("minimax:gelu", "polynomial 'minimax:gelu': no degree given; expected minimax:FUNCTION,degree=N[,range=B]")]
    [InlineData("minimax:gelu,degree=8.5", "polynomial 'minimax:gelu,degree=8.5': degree '8.5' is not a whole number; expected minimax:FUNCTION,degree=N[,range=B]")]
    [InlineData("minimax:gelu,degree=8,range=wide", "polynomial 'minimax:gelu,degree=8,range=wide': range 'wide' is not a number; expected minimax:FUNCTION,degree=N[,range=B]")]
    [InlineData("minimax:gelu,order=8", "polynomial 'minimax:gelu,order=8': unexpected 'order=8'; expected minimax:FUNCTION,degree=N[,range=B]")]
    [InlineData("minimax:abs,degree=8,range=5", "polynomial 'minimax:abs,degree=8,range=5': range 5 given, but abs has no scale of its own: its polynomial on [-1, 1] serves any range; expected minimax:FUNCTION,degree=N[,range=B]")]
    [InlineData("minimax:power-3,degree=2,range=-3", "polynomial 'minimax:power-3,degree=2,range=-3': range -3 given, but power-3 has no scale of its own: its polynomial on [-1, 1] serves any range; expected minimax:FUNCTION,degree=N[,range=B]")]
    [InlineData("minimax:sigmoid,degree=3,degree=5,range=2", "polynomial 'minimax:sigmoid,degree=3,degree=5,range=2': degree given twice; expected minimax:FUNCTION,degree=N[,range=B]")]
    [InlineData("minimax:sigmoid,degree=3,range=1,range=1", "polynomial 'minimax:sigmoid,degree=3,range=1,range=1': range given twice; expected minimax:FUNCTION,degree=N[,range=B]")]
    [InlineData("minimax:", "polynomial 'minimax:': no function given, one of sign, abs, relu, leaky-A, sigmoid, silu, gelu, tanh, power-N; expected minimax:FUNCTION,degree=N[,range=B]")]
    [InlineData("minimax:power-,degree=3", "target power: exponent '', expected a whole number from 0 to 1024")]
    [InlineData("direct:4", "polynomial 'direct:4': it begins otherwise; expected minimax:FUNCTION,degree=N[,range=B]")]
    [InlineData("minimax:swish,degree=8", "unknown function 'swish'; known: sign, abs, relu, leaky-A, sigmoid, silu, gelu, tanh, power-N")]
    public void Bad_input_gets_one_clear_error(string spec, string message)
        => Assert.Equal(message, Assert.Throws<BadInputException>(() => MinimaxFunction.Parse(spec)).Message);
}
