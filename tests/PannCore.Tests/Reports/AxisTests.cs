using PannCore.Reports;
using Xunit;

namespace PannCore.Tests.Reports;

public class AxisTests
{
    [Fact]
    public void Linear_axis_covers_its_values_with_round_ticks()
    {
        Axis axis = Axis.Linear(-0.3, 1.1, 0, 100);
        Assert.Equal([-0.5, 0, 0.5, 1, 1.5], axis.Ticks);
        Assert.Equal(0, axis.At(-0.5));
        Assert.Equal(25, axis.At(0));
        Assert.Equal(100, axis.At(1.5));
    }

    [Fact]
    public void What_lies_beyond_an_end_is_drawn_there()
    {
        Axis axis = Axis.Linear(0, 1, 10, 20);
        Assert.Equal(10, axis.At(-5));
        Assert.Equal(20, axis.At(double.PositiveInfinity));
        Assert.Equal(10, axis.At(double.NaN));
    }

    [Theory]
    [InlineData(0.0, 0.0)]
    [InlineData(double.NaN, 1.0)]
    [InlineData(0.0, double.PositiveInfinity)]
    public void Linear_axis_of_nothing_is_the_unit_interval(double low, double high)
    {
        Axis axis = Axis.Linear(low, high, 0, 1);
        Assert.Equal((0, 1), (axis.Low, axis.High));
    }

    [Fact]
    public void One_value_stands_in_the_middle()
    {
        Axis axis = Axis.Between(9, 9, 0, 100);
        Assert.Equal(50, axis.At(9), 1e-9);
        Assert.Contains(axis.Ticks, tick => Math.Abs(tick - 9) < 1e-9);
    }

    [Fact]
    public void Decades_are_whole_and_within_their_limits()
    {
        Axis axis = Axis.Decades([0.02, 0.5, 0, -1, double.NaN, double.PositiveInfinity], -4, 2, 0, 100);
        Assert.Equal([0.01, 0.1, 1], axis.Ticks, (a, b) => Math.Abs(a - b) < 1e-15);
        Assert.Equal(50, axis.At(0.1), 1e-9); // one of two decades, from above and from below

        Axis limited = Axis.Decades([1e-12, 1e12], -4, 2, 0, 100);
        Assert.Equal(1e-4, limited.Low, 1e-18);
        Assert.Equal(100, limited.High, 1e-12);
        Assert.Equal(0, limited.At(0));
    }

    [Fact]
    public void Interval_without_zero_is_covered_as_it_is()
    {
        Axis axis = Axis.Between(0.93, 1.08, 0, 100);
        Assert.Equal([0.9, 0.95, 1, 1.05, 1.1], axis.Ticks, (a, b) => Math.Abs(a - b) < 1e-12);
        Assert.Equal(50, axis.At(1), 1e-9);
    }

    [Fact]
    public void Signed_logarithm_is_odd_and_spreads_decades_evenly()
    {
        Axis axis = Axis.SignedLog(1e-3, -100, 100);
        Assert.Equal([-1, -0.1, -0.01, -0.001, 0, 0.001, 0.01, 0.1, 1], axis.Ticks, (a, b) => Math.Abs(a - b) < 1e-15);
        Assert.Equal(0, axis.At(0), 1e-12);
        Assert.Equal(100, axis.At(1), 1e-12);
        Assert.All(axis.Ticks, t => Assert.Equal(-axis.At(t), axis.At(-t), 1e-9));

        // asinh(v / s) is log(2 v / s) up to (s / 2 v)^2: from 10 s on, decades are equal within 0.25 %.
        double decade = axis.At(1) - axis.At(0.1);
        Assert.Equal(decade, axis.At(0.1) - axis.At(0.01), 0.0025 * decade);
    }

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(0.0)]
    [InlineData(double.PositiveInfinity)]
    public void Signed_logarithm_of_a_useless_scale_is_still_an_axis(double smallest)
    {
        Axis axis = Axis.SignedLog(smallest, 0, 1);
        Assert.InRange(axis.Ticks.Count, 3, 30);
        Assert.Equal(0.5, axis.At(0), 1e-12);
    }
}
