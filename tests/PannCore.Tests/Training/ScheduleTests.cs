using PannCore.Training;
using Xunit;

namespace PannCore.Tests.Training;

public sealed class ScheduleTests
{
    [Fact]
    public void WarmUpRisesInEqualStepsToThePeak()
    {
        var schedule = new Schedule(Peak: 0.4, WarmupSteps: 3, TotalSteps: 11);
        Assert.Equal([0.1, 0.2, 0.3, 0.4], Enumerable.Range(0, 4).Select(step => schedule.Rate(step)), Near);
    }

    [Fact]
    public void ThenHalfACosineFallsToZero()
    {
        var schedule = new Schedule(Peak: 0.4, WarmupSteps: 3, TotalSteps: 11);
        Assert.Equal(0.2, schedule.Rate(7), tolerance: 1e-15); // Half-way.
        Assert.Equal(0.4 * (1 + Math.Sqrt(0.5)) / 2, schedule.Rate(5), tolerance: 1e-15); // A quarter of the way: cos(pi / 4).
        Assert.Equal(0, schedule.Rate(11), tolerance: 1e-15);
        Assert.True(schedule.Rate(10) > 0); // The last step still moves.
        Assert.Equal(Enumerable.Range(3, 9).Select(step => schedule.Rate(step)).OrderDescending(), Enumerable.Range(3, 9).Select(step => schedule.Rate(step)));
    }

    [Fact]
    public void MoreStepsThanAnIntegerHoldsAreNoOverflow()
        => Assert.Equal(0.05, new Schedule(0.1, 0, 3_000_000_000).Rate(1_500_000_000), 1e-15);

    [Fact]
    public void NoWarmUpBeginsAtThePeak() => Assert.Equal(0.1, new Schedule(0.1, 0, 100).Rate(0));

    [Fact]
    public void WarmUpOverAllStepsIsFinite()
        => Assert.All(Enumerable.Range(0, 6), step => Assert.InRange(new Schedule(1, 5, 5).Rate(step), 0, 1));

    private static bool Near(double a, double b) => Math.Abs(a - b) <= 1e-15;
}
