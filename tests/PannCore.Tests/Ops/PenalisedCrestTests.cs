using PannCore.Engine;
using PannCore.Ops;
using Xunit;

namespace PannCore.Tests.Ops;

public sealed class PenalisedCrestTests
{
    private const double Unit = 1.0 / (1 << 24);

    /// <summary>
    /// Against central differences of the penalty in float64, which knows nothing of the formula of the gradient. The penalty's derivative has kinks, at which its slope changes by 2 p / (N r^2), so a
    /// difference over a step h is off by at most that times h. In float32 an element's two terms are off by a few roundings of each factor (8); S, and r^2 in all of them, by those of sums of up to 128 terms, of which 200 u (S / n + t) takes account, since u is at most u (S / n + t) / 0.8 here. Rounding of the differences themselves is 300 times less.
    /// </summary>
    [Theory]
    [InlineData(3, 5, 16, 0.3, 1.5)]
    [InlineData(2, 7, 19, 2, 0.8)]
    [InlineData(4, 3, 1, 0.01, 1.2)]
    [InlineData(3, 11, 64, 0.3, 1.9)]
    public void The_gradient_is_that_of_the_penalty(int images, int side, int channels, double weight, double from)
    {
        var shape = new Shape(images, side, side, channels);
        float[] x = Inputs(shape, seed: 5), seed = OpTable.Values(x.Length, 4);
        float[] gradient = Gradient(x, shape, seed, new(weight, from), threads: 2);
        double[] at = [.. x.Select(value => (double)value)];
        int rows = x.Length / channels;
        bool beyond = false;
        for (int i = 0; i < x.Length; i += 1 + (i % 7)) // Some of all channels: each takes two passes over a channel.
        {
            int c = i % channels;
            double rms = Rms(at, c, channels), u = Math.Abs(at[i]) / rms, step = 1e-6 * rms, curvature = 2 * weight / (images * rms * rms);
            double difference = (Penalty(at, i, step, channels, from) - Penalty(at, i, -step, channels, from)) * weight / images / (2 * step);
            double share = Enumerable.Range(0, rows).Sum(row => Math.Max((Math.Abs(at[(row * channels) + c]) / rms) - from, 0) * Math.Abs(at[(row * channels) + c]) / rms) / rows;
            double tolerance = (curvature * step) + (curvature * rms * Unit * ((8 * (u + from)) + (200 * u * (share + from)))) + (4 * Unit * Math.Abs(seed[i]));
            Assert.Equal(seed[i] + difference, gradient[i], tolerance);
            beyond |= u > from;
        }
        Assert.True(beyond);
    }

    /// <summary>Of zeros nothing stands out. Of a flat channel everything does beyond t below 1, and nothing could be done about it: the RMS's part takes the rest off. So tiny a channel that 1 / r^2 is no float32 is left alone.</summary>
    [Theory]
    [InlineData(0, 0)]
    [InlineData(-0.5, 1e-5)]
    [InlineData(1e-22, 0)]
    public void A_channel_of_zeros_a_flat_and_a_tiny_one_get_no_penalty(double value, double tolerance)
    {
        var shape = new Shape(2, 3, 3, 17);
        float[] x = new float[shape.Length], seed = OpTable.Values(x.Length, 4);
        for (int i = 0; i < x.Length; i++) x[i] = i % 17 == 3 ? (float)value : 0;
        if (tolerance == 0) x[3] *= 8; // One that stands out.
        float[] found = Gradient(x, shape, seed, new(0.5, 0.75), threads: 1);
        // A flat channel's two terms are 2 p / (N r) (1 - t) = 0.25 each, with some 64 roundings of 2^-24 between them.
        for (int i = 0; i < x.Length; i++) Assert.Equal(seed[i], found[i], tolerance);
    }

    [Fact]
    public void Values_stay_and_scale_does_not_matter()
    {
        var shape = new Shape(3, 5, 5, 16);
        float[] x = Inputs(shape, seed: 6), seed = new float[x.Length];
        using var workspace = new Workspace(2, fillWithNaN: true);
        using (var run = new Run(workspace)) Assert.Equal(x, run.Input(shape, x).LastUse().PenaliseCrest(new(1, 2)).Values.ToArray());

        // A power of two rounds nothing: the gradient of a channel four times as large is a quarter, to the bit.
        float[] once = Gradient(x, shape, seed, new(0.25, 1.5), threads: 2), larger = Gradient([.. x.Select(value => 4 * value)], shape, seed, new(0.25, 1.5), threads: 2);
        Assert.Contains(once, value => value != 0);
        Assert.Equal(once, larger.Select(value => 4 * value));
    }

    [Fact]
    public void Threads_do_not_matter()
    {
        var shape = new Shape(40, 16, 16, 16); // Several chunks.
        float[] x = Inputs(shape, seed: 7), seed = OpTable.Values(x.Length, 4);
        Assert.Equal(Gradient(x, shape, seed, new(0.3, 1.5), threads: 1), Gradient(x, shape, seed, new(0.3, 1.5), threads: 3));
    }

    private static float[] Gradient(float[] x, Shape shape, float[] seed, CrestPenalty penalty, int threads)
    {
        using var workspace = new Workspace(threads, fillWithNaN: true);
        using var run = new Run(workspace, tape: true);
        var source = new Source(x, shape);
        Tensor y = source.In(run).PenaliseCrest(penalty);
        return run.Backward(y, seed)[source.Parameters[0]].ToArray();
    }

    /// <summary>Normal numbers, each channel of a scale of its own.</summary>
    private static float[] Inputs(Shape shape, int seed)
    {
        var random = new CounterRandom(seed, RandomStream.Weights, 0);
        int channels = shape[shape.Rank - 1];
        return [.. Enumerable.Range(0, shape.Length).Select(i => (float)(random.Normal(i) * (0.5 + (i % channels))))];
    }

    private static double Rms(double[] x, int channel, int channels)
    {
        double sum = 0;
        for (int i = channel; i < x.Length; i += channels) sum += x[i] * x[i];
        return Math.Sqrt(sum / (x.Length / channels));
    }

    /// <summary>Sum over the channel of element i of max(|x| / r - t, 0)^2, with that element moved.</summary>
    private static double Penalty(double[] x, int i, double move, int channels, double from)
    {
        double kept = x[i], sum = 0;
        x[i] += move;
        double rms = Rms(x, i % channels, channels);
        for (int j = i % channels; j < x.Length; j += channels)
        {
            double over = Math.Max((Math.Abs(x[j]) / rms) - from, 0);
            sum += over * over;
        }
        x[i] = kept;
        return sum;
    }
}
