using PannCore.Approximation;
using PannCore.Data;
using PannCore.Diagnostics;
using PannCore.Engine;
using PannCore.Nn;
using PannCore.Ops;
using PannCore.Training;
using Xunit;

namespace PannCore.Tests.Diagnostics;

public sealed class InputHistogramTests : IDisposable
{
    private readonly Workspace _workspace = new(2, fillWithNaN: true);

    public void Dispose() => _workspace.Dispose();

    [Fact]
    public void Edges_are_symmetrical_and_eight_to_an_octave()
    {
        IReadOnlyList<double> edges = InputHistogram.Edges;
        Assert.Equal((195, -1, 0, 1), (edges.Count, edges[0], edges[97], edges[^1]));
        Assert.Equal(edges.Select(e => -e).Reverse(), edges);
        Assert.Equal(double.ScaleB(1, -12), edges[98]);
        Assert.Equal([0.5, 0.5625, 0.625, 0.6875, 0.75, 0.8125, 0.875, 0.9375, 1], edges.Where(e => e >= 0.5));
        for (int k = 1; k < edges.Count; k++) Assert.True(edges[k] > edges[k - 1]);
    }

    [Theory]
    [InlineData(0f, 97)]
    [InlineData(1e-30f, 97)]
    [InlineData(-1e-30f, 96)]
    [InlineData(0.5f, 186)]
    [InlineData(-0.5f, 7)]
    [InlineData(0.99999994f, 193)]
    [InlineData(1f, 193)]
    [InlineData(-1f, 0)]
    [InlineData(1.0000001f, -1)]
    [InlineData(-2f, -1)]
    [InlineData(float.NaN, -1)]
    [InlineData(float.NegativeInfinity, -1)]
    public void An_input_is_counted_once(float t, int bin)
    {
        var histogram = new InputHistogram();
        using var run = new Run(_workspace, observers: [histogram]);
        run.Input(new(1, 1), [4 * t]).PolynomialRelu(ActivationSpec.Parse("direct:2").Build(), 4);
        InputHistogram.Layer layer = Assert.Single(histogram.ByPath).Value;
        Assert.Equal(4, layer.Range);
        Assert.Equal(bin < 0 ? 1 : 0, layer.Outside);
        Assert.Equal(bin, layer.Counts.ToList().IndexOf(1));
        Assert.Equal(bin < 0 ? 0 : 1, layer.Counts.Sum());
    }

    /// <summary>Counts are of x/B: those of two ranges are not added up, seen in one run after the other or in parts.</summary>
    [Fact]
    public void Another_range_is_refused()
    {
        InputHistogram histogram = new(), other = new();
        Seen(histogram, 4);
        Assert.Equal("histogram: at polynomialRelu: expected the range 4 of before, found 2", Assert.Throws<InvalidOperationException>(() => Seen(histogram, 2)).Message);
        Seen(other, 2);
        Assert.Throws<InvalidOperationException>(() => histogram.Add(other));
        Assert.Throws<ArgumentException>("part", () => histogram.Add(new RangeProbe()));

        void Seen(InputHistogram observer, double range)
        {
            using var run = new Run(_workspace, observers: [observer]);
            run.Input(new(1, 1), [1]).PolynomialRelu(ActivationSpec.Parse("direct:2").Build(), range);
        }
    }

    [Fact]
    public void Both_zeros_are_counted_above() => An_input_is_counted_once(float.NegativeZero, 97);

    [Theory]
    [InlineData(2)]
    [InlineData(null)]
    public void Counts_agree_with_naive_loops_over_edges(int? batch)
    {
        // Half the measured ranges, so that some inputs lie outside; the ReLU network itself, so that the ranges must be those given.
        string[] paths = [.. RandomNetwork.Backbone.Activations.Select(a => a.Path)];
        ActivationRanges ranges = ActivationRanges.Parse("layer", paths, RandomNetwork.Largest.ToDictionary(p => p.Key, p => 0.5 * p.Value), 1);
        var histogram = new InputHistogram(ranges);
        var recorder = new Recorder();
        int[] images = [0, 7, 300];
        Evaluation.Of(RandomNetwork.Backbone, RandomNetwork.Sample, images, Normalization.Cifar10, _workspace, batch, [histogram]);
        Evaluation.Of(RandomNetwork.Backbone, RandomNetwork.Sample, images, Normalization.Cifar10, _workspace, 128, [recorder]);

        Assert.Equal(paths, histogram.ByPath.Keys);
        double[] edges = [.. InputHistogram.Edges];
        long[] all = new long[edges.Length - 1];
        foreach (RecordedOp op in recorder.Ops.Where(op => op.Op is Relu))
        {
            long[] expected = new long[edges.Length - 1];
            long outside = 0;
            foreach (double x in op.Inputs[0])
            {
                float t = (float)x / (float)ranges[op.Path];
                if (Math.Abs(t) > 1) { outside++; continue; }
                int bin = t >= 0 ? Array.FindLastIndex(edges, e => e <= t) : Array.FindIndex(edges, e => e >= t) - 1;
                expected[Math.Clamp(bin, 0, expected.Length - 1)]++;
            }

            InputHistogram.Layer layer = histogram.ByPath[op.Path];
            Assert.Equal(expected, layer.Counts);
            Assert.Equal((outside, ranges[op.Path]), (layer.Outside, layer.Range));
            for (int k = 0; k < all.Length; k++) all[k] += expected[k];
        }

        Assert.Equal(all, histogram.Counts);
        Assert.True(histogram.Outside > 0, "no input outside");
    }

    [Fact]
    public void An_activation_without_a_range_is_refused()
    {
        using var run = new Run(_workspace, observers: [new InputHistogram()]);
        var error = Assert.Throws<InvalidOperationException>(() => run.Input(new(1, 1), [1]).Relu());
        Assert.Equal("histogram: relu has no range, and none was given", error.Message);
    }
}
