using PannCore.Engine;
using PannCore.Ops;
using PannCore.Training;
using Xunit;

namespace PannCore.Tests.Training;

public sealed class NoisyReluTests
{
    [Theory]
    [InlineData(PerturbedSide.Negative, NoiseUnit.Absolute, 0)]
    [InlineData(PerturbedSide.Negative, NoiseUnit.Rms, 0)]
    [InlineData(PerturbedSide.Both, NoiseUnit.Rms, 0.25f)]
    [InlineData(PerturbedSide.Positive, NoiseUnit.Rms, 0)]
    public void Noise_lies_on_its_side_and_fills_its_width(PerturbedSide side, NoiseUnit unit, float slope)
    {
        const int images = 3, size = 700;
        var random = new CounterRandom(1, RandomStream.Weights, 0);
        float[] x = [.. Enumerable.Range(0, images * size).Select(i => (float)random.Normal(i))];
        double rms = Math.Sqrt(x.Average(v => Math.Pow(v > 0 ? v : slope * v, 2))), size0 = unit == NoiseUnit.Rms ? 0.3 * rms : 0.3;
        using var workspace = new Workspace(2, fillWithNaN: true);
        using var run = new Run(workspace);
        var noisy = new NoisyRelu(new(0.3, side, unit), slope, new CounterRandom(7, RandomStream.Noise, 4), new[] { 11, 5, 11 });
        float[] y = noisy.Apply(run.Input(new(images, size), x)).Values.ToArray();
        double[] noise = [.. y.Select((value, i) => value - (x[i] > 0 ? x[i] : (double)(slope * x[i])))];
        bool Hit(int i) => side == PerturbedSide.Both || x[i] < 0 == (side == PerturbedSide.Negative);
        double[] hit = [.. noise.Where((_, i) => Hit(i))];
        // Outputs below 8 are rounded by at most 2^-22; the size itself carries float32 sums of squares of 256 numbers, 2^-16 of itself.
        double rounding = Math.ScaleB(1, -22) + (size0 * Math.ScaleB(1, -16));
        Assert.All(noise.Where((_, i) => !Hit(i)), e => Assert.Equal(0, e));
        Assert.All(hit, e => Assert.InRange(e, -size0 - rounding, size0 + rounding));
        // Of n uniform numbers in [-c, c), none above 0.97 c has probability 0.985^n, below 1e-6 from n = 914; the mean has deviation c / sqrt(3 n): five of them.
        Assert.True(hit.Length > 914);
        Assert.InRange(hit.Max(), 0.97 * size0, size0 + rounding);
        Assert.InRange(hit.Min(), -size0 - rounding, -0.97 * size0);
        Assert.Equal(0, hit.Average(), 5 * size0 / Math.Sqrt(3 * hit.Length));
        // The same image number has the same numbers; where both inputs are hit, the same noise.
        for (int i = 0; i < size; i++)
        {
            if (Hit(i) && Hit(i + (2 * size))) Assert.Equal(noise[i], noise[i + (2 * size)], 2 * Math.ScaleB(1, -22));
        }
    }
}
