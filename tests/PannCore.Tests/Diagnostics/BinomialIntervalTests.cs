using PannCore.Diagnostics;
using Xunit;

namespace PannCore.Tests.Diagnostics;

public sealed class BinomialIntervalTests
{
    /// <summary>The examples of R. G. Newcombe (1998), "Two-sided confidence intervals for the single proportion", method 3, printed to four digits of a proportion.</summary>
    [Theory]
    [InlineData(81, 263, 25.53, 36.62)]
    [InlineData(15, 148, 6.24, 16.05)]
    [InlineData(0, 20, 0, 16.11)]
    [InlineData(1, 29, 0.61, 17.18)]
    public void Agrees_with_published_examples(int k, int n, double low, double high)
    {
        BinomialInterval interval = BinomialInterval.Of(k, n);
        Assert.Equal(low, interval.Low, 0.005);
        Assert.Equal(high, interval.High, 0.005);
    }

    [Fact]
    public void Ends_stay_between_0_and_100()
    {
        Assert.Equal(new BinomialInterval(0, 100), BinomialInterval.Of(0, 0));
        Assert.Equal(0, BinomialInterval.Of(0, 7).Low);
        Assert.Equal(100, BinomialInterval.Of(7, 7).High);
        Assert.Throws<ArgumentOutOfRangeException>(() => BinomialInterval.Of(8, 7));
    }
}
