using PannCore.Approximation;
using Xunit;

namespace PannCore.Tests.Approximation;

public sealed class MaxPolynomialTests
{
    [Theory]
    [InlineData("composite:alpha=7")]
    [InlineData("direct:16")]
    [InlineData("direct:8,zero")]
    public void The_error_is_that_of_the_ReLU_and_is_attained(string spec)
    {
        var max = new MaxPolynomial(ActivationSpec.Parse(spec).Build());
        double largest = 0;
        for (double x = -0.5; x <= 0.5; x += 1.0 / 256)
        {
            for (double y = -0.5; y <= 0.5; y += 1.0 / 256)
            {
                double error = Math.Abs(max.Evaluate(x, y) - Math.Max(x, y));
                largest = Math.Max(largest, error);
                Assert.Equal(max.Evaluate(x, y), max.Evaluate(y, x), 1e-14);
            }
        }

        Assert.InRange(largest, 0.8 * max.MaxError, max.MaxError);
        double at = max.Relu.Certificate.At;
        Assert.Equal(max.Relu.Certificate.ScannedError, Math.Abs(max.Evaluate(at / 2, -at / 2) - at / 2), 1e-13);
    }

    [Fact]
    public void A_leaky_ReLU_gives_no_maximum()
        => Assert.Equal(
            "maximum of two numbers by 'direct:4,leak=0.1': expected a polynomial for ReLU without leak",
            Assert.Throws<BadInputException>(() => new MaxPolynomial(ReluPolynomial.Direct(4, 0.1))).Message);
}
