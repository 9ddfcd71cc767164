using PannCore.Diagnostics;
using Xunit;

namespace PannCore.Tests.Diagnostics;

public sealed class MedianTests
{
    [Theory]
    [InlineData(3.0, new[] { 3.0 })]
    [InlineData(2.0, new[] { 3.0, 1.0 })]
    [InlineData(3.0, new[] { 9.0, 1.0, 3.0 })]
    [InlineData(2.5, new[] { 4.0, 1.0, 3.0, 2.0 })]
    [InlineData(double.PositiveInfinity, new[] { double.PositiveInfinity, 1.0, double.PositiveInfinity, double.PositiveInfinity })]
    public void It_is_in_the_middle(double expected, double[] values) => Assert.Equal(expected, Median.Of(values));

    [Fact]
    public void Of_nothing_there_is_none() => Assert.Equal("median: expected at least one number, found none", Assert.Throws<InvalidOperationException>(() => Median.Of([])).Message);
}
