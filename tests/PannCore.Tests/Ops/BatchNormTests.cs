using PannCore.Engine;
using PannCore.Ops;
using Xunit;

namespace PannCore.Tests.Ops;

/// <summary>What batch-norm does to its running statistics.</summary>
public sealed class BatchNormTests
{
    [Theory]
    [InlineData(0.1)]
    [InlineData(0.25)]
    [InlineData(1.0)]
    public void RunningStatisticsMoveTowardsTheBatchs(double momentum)
    {
        const int rows = 2 * 2 * 3, channels = 5;
        float[] x = OpTable.Values(rows * channels, 1);
        Parameter[] p = Parameters(channels);
        float[] mean = p[2].Values.ToArray(), variance = p[3].Values.ToArray();
        using var workspace = new Workspace(1);
        using var run = new Run(workspace, Statistics.Training);
        run.Input(new(2, 2, 3, channels), x).BatchNorm(p[0], p[1], p[2], p[3], momentum);
        for (int c = 0; c < channels; c++)
        {
            double[] column = [.. Enumerable.Range(0, rows).Select(row => (double)x[(row * channels) + c])];
            double average = column.Average(), unbiased = column.Sum(v => (v - average) * (v - average)) / (rows - 1);

            // Values below 1, twelve rows: some twenty roundings.
            Assert.Equal(((1 - momentum) * mean[c]) + (momentum * average), p[2].Values[c], tolerance: 20 * Math.ScaleB(1, -24));
            Assert.Equal(((1 - momentum) * variance[c]) + (momentum * unbiased), p[3].Values[c], tolerance: 20 * Math.ScaleB(1, -24));
        }
    }

    [Fact]
    public void EvaluationLeavesThemAlone()
    {
        Parameter[] p = Parameters(4);
        int[] versions = [.. p.Select(parameter => parameter.Version)];
        using var workspace = new Workspace(1);
        using var run = new Run(workspace, Statistics.Evaluation);
        run.Input(new(2, 2, 3, 4), OpTable.Values(48, 1)).BatchNorm(p[0], p[1], p[2], p[3]);
        Assert.Equal(versions, p.Select(parameter => parameter.Version));
    }

    /// <summary>Before it is applied as well as after; and it is not applied where it would not be what it says.</summary>
    [Theory]
    [InlineData(Statistics.Evaluation)]
    [InlineData(Statistics.Training)]
    public void WhatItSaysOfItselfIsOfTheStatisticsItWasMadeFor(Statistics statistics)
    {
        Parameter[] p = Parameters(1);
        using var workspace = new Workspace(1);
        var op = new BatchNorm(p[0], p[1], p[2], p[3], 0.1, 0, statistics);
        bool trains = statistics == Statistics.Training;
        DoubleTensor x = new(new(1, 1, 2, 1), [1, 5]), d = new(x.Shape, [1, 1]), exact = new(x.Shape), rounding = new(x.Shape), bound = new(x.Shape);
        op.Exact(workspace, [x], exact);
        op.RoundingBound(workspace, [x], Math.ScaleB(1, -53), rounding);
        op.PropagateBound(workspace, [x], [d], bound);
        double mean = trains ? 3 : p[2].Values[0], deviation = trains ? 2 : Math.Sqrt(p[3].Values[0]);
        Assert.All(x.Values.Zip(exact.Values), pair => Assert.Equal((p[0].Values[0] * (pair.First - mean) / deviation) + p[1].Values[0], pair.Second, tolerance: 1e-12));
        Assert.All(rounding.Values.Concat(bound.Values), value => Assert.Equal(trains, double.IsPositiveInfinity(value)));

        using var other = new Run(workspace, trains ? Statistics.Evaluation : Statistics.Training);
        Assert.Equal(
            $"batchNorm: made for the statistics of {statistics}, applied in a run of the other ones",
            Assert.Throws<InvalidOperationException>(() => op.Apply(other.Input(x.Shape, [1, 5]))).Message);
    }

    [Fact]
    public void ALargeMeanDoesNotSpoilTheVariance()
    {
        // Variance 1/4 around 4,096: in float32 the difference of mean square and squared mean would be off by whole units.
        float[] x = [.. Enumerable.Range(0, 64).Select(i => 4096 + (i % 2 == 0 ? 0.5f : -0.5f))];
        Parameter[] p = Parameters(1);
        using var workspace = new Workspace(1);
        using var run = new Run(workspace, Statistics.Training);
        run.Input(new(1, 8, 8, 1), x).BatchNorm(p[0], p[1], p[2], p[3], momentum: 1);
        Assert.Equal(4096, p[2].Values[0]);
        Assert.Equal(0.25 * 64 / 63, p[3].Values[0], tolerance: 1e-6);
    }

    private static Parameter[] Parameters(int channels)
    {
        Parameter[] made = [new("gamma", new(channels)), new("beta", new(channels)), new("mean", new(channels), trainable: false), new("variance", new(channels), trainable: false)];
        for (int i = 0; i < made.Length; i++) made[i].Set(OpTable.Values(channels, 10 + i, positive: i == 3));
        return made;
    }
}
