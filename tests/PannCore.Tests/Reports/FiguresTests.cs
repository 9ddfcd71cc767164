using PannCore.Reports;
using Xunit;

namespace PannCore.Tests.Reports;

public class FiguresTests
{
    [Theory]
    [InlineData(0.0, "0")]
    [InlineData(-double.Epsilon, "-4.94e-324")]
    [InlineData(1.0, "1.00")]
    [InlineData(9.999, "10.0")]
    [InlineData(0.0012345, "0.00123")]
    [InlineData(0.0009996, "0.00100")] // rounds into the next decade, and into the other form
    [InlineData(0.00012345, "1.23e-4")]
    [InlineData(-123.456, "-123")]
    [InlineData(1234.5, "1230")]
    [InlineData(9996.0, "1.00e4")]
    [InlineData(-4e163, "-4.00e163")]
    [InlineData(double.NaN, "not a number")]
    [InlineData(double.PositiveInfinity, "infinity")]
    [InlineData(double.NegativeInfinity, "-infinity")]
    public void Numbers_have_three_digits(double value, string expected) => Assert.Equal(expected, Figures.Number(value));

    [Theory]
    [InlineData(0.0, "0 %")]
    [InlineData(0.1234, "12.3 %")]
    [InlineData(9.99, "999 %")]
    [InlineData(40.0, "40.0 times")]
    [InlineData(9e-6, "9.00e-6")]
    [InlineData(double.NaN, "not a number")]
    public void Ratios_are_percentages_while_that_helps(double ratio, string expected) => Assert.Equal(expected, Figures.Ratio(ratio));

    [Fact]
    public void Missing_figures_are_a_dash()
    {
        Assert.Equal("–", Figures.Number((double?)null));
        Assert.Equal("–", Figures.Ratio((double?)null));
    }

    [Theory]
    [InlineData(92.0, "92.0 %")]
    [InlineData(91.73, "91.73 %")]
    [InlineData(double.NaN, "not a number")]
    public void Accuracies_keep_two_decimals(double percent, string expected) => Assert.Equal(expected, Figures.Accuracy(percent));

    [Theory]
    [InlineData(428_900, "429,000")]
    [InlineData(12.3, "12.3")]
    [InlineData(5.1e166, "5.10e166")]
    public void Multiples_are_readable(double factor, string expected) => Assert.Equal(expected, Figures.Multiple(factor));

    [Theory]
    [InlineData(0.0, "0")]
    [InlineData(0.002, "0.002")]
    [InlineData(-0.5, "-0.5")]
    [InlineData(200.0, "200")]
    [InlineData(1e-6, "1e-6")]
    public void Ticks_are_short(double value, string expected) => Assert.Equal(expected, Figures.Tick(value));

    [Theory]
    [InlineData(1.0, "100 %")]
    [InlineData(1e-4, "0.01 %")]
    [InlineData(1e-5, "1e-5")]
    [InlineData(2.0, "200 %")]
    [InlineData(100.0, "100×")]
    public void Ratio_ticks_turn_into_powers_of_ten(double ratio, string expected) => Assert.Equal(expected, Figures.RatioTick(ratio));

    [Fact]
    public void Other_forms()
    {
        Assert.Equal("0", Figures.Number(-0.0));
        Assert.Equal("1 image", Figures.Count(1, "image"));
        Assert.Equal("10,000 images", Figures.Count(10_000, "image"));
        Assert.Equal("2^-8.04", Figures.PowerOfTwo(-8.04));
        // What is proved is not proved of less.
        Assert.Equal(["2^-8.04", "2^-8.04", "2^-9", "2^0.01", "0"], new[] { -8.047, -8.0401, -9, 0.0001, double.NegativeInfinity }.Select(Figures.Bound));
        Assert.Equal(["0.00379", "0.00379", "0.00100", "1.01e-5", "123", "0", "infinity"], new[] { 0.003781, 0.003785, 0.0009991, 1.001e-5, 122.1, 0, double.PositiveInfinity }.Select(bound => Figures.NumberAbove(bound)));
        Assert.Equal(("0.003782", "0.003781", "0.00378"), (Figures.NumberAbove(0.0037811, 4), Figures.NumberBelow(0.0037819, 4), Figures.NumberBelow(0.0037899)));
        Assert.Equal("40.0 times the signal", Figures.OfSignal(40));
        Assert.Equal("12.3 % of the signal", Figures.OfSignal(0.1234));
        Assert.Equal(91, Figures.Name(new string('x', 10_000)).Length); // 60 + the ellipsis + 30
        Assert.Equal("a\uFFFDb\uFFFD😀 ", PlainText.OneLine("a\u001bb\u202E😀\n"));
    }
}
