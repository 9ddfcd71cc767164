using PannCore.Engine;
using PannCore.Ops;
using Xunit;

namespace PannCore.Tests.Ops;

/// <summary>Winograd's algorithm where it is at its worst, and what its bound says there.</summary>
public sealed class ConvAlgorithmTests
{
    private static readonly Shape Image = new(1, 4, 4, 32);

    /// <summary>One weight of a kernel is 1e8 times the others: the small ones drown, and the bound must say so.</summary>
    [Theory]
    [InlineData(ConvAlgorithm.Winograd2)]
    [InlineData(ConvAlgorithm.Winograd4)]
    public void TheBoundHoldsWhereWeightsDifferByOrdersOfMagnitude(ConvAlgorithm algorithm)
    {
        float[] x = new float[Image.Length], w = new float[32 * 32 * 9];
        x[(((1 * 4) + 1) * 32) + 3] = 1;
        for (int i = 0; i < w.Length; i++) w[i] = i % 9 == 0 ? 1e8f : 1;
        (float[] direct, _) = Convolve(ConvAlgorithm.Direct, x, w);
        (float[] winograd, double[] bound) = Convolve(algorithm, x, w);
        Assert.Contains(Enumerable.Range(0, direct.Length), i => Math.Abs(winograd[i] - direct[i]) > 0.5);
        // The direct result is exact here: one product of small integers each.
        for (int i = 0; i < direct.Length; i++) Assert.InRange(Math.Abs((double)winograd[i] - direct[i]), 0, bound[i]);
    }

    [Theory]
    [InlineData(ConvAlgorithm.Winograd2)]
    [InlineData(ConvAlgorithm.Winograd4)]
    public void NoBoundIsPromisedWhereTheTransformsOverflow(ConvAlgorithm algorithm)
    {
        float[] x = new float[Image.Length], w = new float[32 * 32 * 9];
        Array.Fill(x, 2e38f);
        Array.Fill(w, 1e-4f);
        (float[] direct, _) = Convolve(ConvAlgorithm.Direct, x, w);
        (float[] winograd, double[] bound) = Convolve(algorithm, x, w);
        Assert.All(direct, y => Assert.True(float.IsFinite(y)));
        Assert.Contains(winograd, y => !float.IsFinite(y));
        Assert.All(bound, b => Assert.Equal(double.PositiveInfinity, b));
    }

    /// <summary>Inputs that are multiples of the least number: transforms and fractional weights round where a relative bound allows nothing.</summary>
    [Theory]
    [InlineData(ConvAlgorithm.Direct)]
    [InlineData(ConvAlgorithm.Winograd2)]
    [InlineData(ConvAlgorithm.Winograd4)]
    public void TheBoundHoldsBelowTheNormalNumbers(ConvAlgorithm algorithm)
    {
        float[] x = new float[Image.Length], w = new float[32 * 32 * 9];
        for (int i = 0; i < x.Length; i++) x[i] = ((i * 7 % 11) - 5) * float.Epsilon;
        for (int i = 0; i < w.Length; i++) w[i] = ((i * 5 % 13) - 6) / 4f;
        (float[] y, double[] bound) = Convolve(algorithm, x, w);
        var exact = new DoubleTensor(Image);
        new Conv2d(new Parameter("w", new(32, 32, 3, 3)), 1, 1).Reference([DoubleTensor.From(Image, x)], [DoubleTensor.From(new(32, 32, 3, 3), w)], exact);
        for (int i = 0; i < y.Length; i++) Assert.InRange(Math.Abs(y[i] - exact.Values[i]), 0, bound[i]);
    }

    /// <summary>Direct sums, F(2x2, 3x3) and F(4x4, 3x3) round differently on these numbers, so that the bits tell which of them ran; 7 channels fill no registers, and there all are direct sums.</summary>
    [Theory]
    [InlineData(7)]
    [InlineData(16)]
    public void AutomaticIsF2WhereItApplies(int channels)
    {
        var image = new Shape(1, 4, 4, channels);
        var random = new CounterRandom(5, RandomStream.Weights, 0);
        float[] x = [.. Enumerable.Range(0, image.Length).Select(i => (float)random.Normal(i))], w = [.. Enumerable.Range(0, channels * channels * 9).Select(i => (float)random.Normal(1000 + i))];
        float[] Of(ConvAlgorithm algorithm) => Convolve(algorithm, x, w, channels).Output;
        float[] direct = Of(ConvAlgorithm.Direct), two = Of(ConvAlgorithm.Winograd2), four = Of(ConvAlgorithm.Winograd4);
        Assert.Equal(two, Of(ConvAlgorithm.Automatic));
        if (channels == 7)
        {
            Assert.Equal(direct, two);
            Assert.Equal(direct, four);
            return;
        }
        Assert.NotEqual(direct, two);
        Assert.NotEqual(direct, four);
        Assert.NotEqual(two, four);
        var exact = new DoubleTensor(image);
        var shape = new Shape(channels, channels, 3, 3);
        new Conv2d(new Parameter("w", shape), 1, 1).Reference([DoubleTensor.From(image, x)], [DoubleTensor.From(shape, w)], exact);
        double Rms(float[] y) => Math.Sqrt(y.Zip(exact.Values, (a, b) => (a - b) * (a - b)).Average());
        Assert.True(Rms(two) < Rms(four), $"error of F(2x2) {Rms(two)}, of F(4x4) {Rms(four)}");
    }

    [Fact]
    public void AWorkspaceComputesAutomaticallyUnlessToldOtherwise()
    {
        using var workspace = new Workspace(1);
        Assert.Equal(ConvAlgorithm.Automatic, workspace.Convolution);
    }

    private static (float[] Output, double[] Bound) Convolve(ConvAlgorithm algorithm, float[] x, float[] w, int channels = 32)
    {
        var image = new Shape(1, 4, 4, channels);
        var weight = new Parameter("w", new(channels, channels, 3, 3));
        weight.Set(w);
        using var workspace = new Workspace(1, algorithm);
        using var run = new Run(workspace);
        var op = new Conv2d(weight, 1, 1);
        Tensor y = op.Apply(run.Input(image, x));
        var bound = new DoubleTensor(y.Shape);
        op.RoundingBound(workspace, [DoubleTensor.From(image, x)], Math.ScaleB(1, -24), bound);
        return (y.Values.ToArray(), bound.Values);
    }
}
