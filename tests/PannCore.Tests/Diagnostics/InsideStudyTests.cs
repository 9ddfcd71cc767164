using System.Text.Json;
using PannCore.Approximation;
using PannCore.Data;
using PannCore.Diagnostics;
using PannCore.Engine;
using PannCore.Nn;
using PannCore.Ops;
using PannCore.Training;
using Xunit;

namespace PannCore.Tests.Diagnostics;

public sealed class InsideStudyTests : IDisposable
{
    private static readonly int[] Images = [1, 20, 300];

    private readonly Workspace _workspace = new(2, fillWithNaN: true);

    public void Dispose() => _workspace.Dispose();

    [Theory]
    [MemberData(nameof(VariedNetworks.Names), MemberType = typeof(VariedNetworks))]
    public void Every_figure_agrees_with_naive_loops(string name)
    {
        // The last range is a little below the largest input: at the others, too, the random network would soon explode.
        var probe = new RangeProbe();
        ResNet wide = VariedNetworks.Make(name);
        Evaluation.Of(wide, RandomNetwork.Sample, Images, Normalization.Cifar10, _workspace, observers: [probe]);
        ResNet pann = wide.With(path => path == wide.Activations[^1].Path ? (ActivationFunction.Polynomial)wide.FunctionAt(path) with { Range = 0.9 * probe.ByPath[path].Largest } : wide.FunctionAt(path));
        var recorder = new Recorder();
        Evaluation.Of(pann, RandomNetwork.Sample, Images, Normalization.Cifar10, _workspace, observers: [recorder]);
        RecordedOp[] activations = [.. recorder.Ops.Where(op => op.Op is PolynomialRelu)];
        IReadOnlyList<InsideRecord> records = Study(pann, Images);
        Assert.Equal(activations.Select(op => op.Path), records.Select(record => record.Path));
        Assert.Equal(name == VariedNetworks.OneRelu ? 18 : 19, records.Count);
        Assert.DoesNotContain(records, record => name == VariedNetworks.OneRelu && record.Path == VariedNetworks.ReluPath);
        foreach ((RecordedOp op, InsideRecord record) in activations.Zip(records))
        {
            var function = (ActivationFunction.Polynomial)pann.FunctionAt(op.Path);
            double leak = function.Approximation.Leak;
            double[] x = op.Inputs[0], errors = [.. x.Zip(op.Output, (input, output) => output - (input > 0 ? input : leak * input))];
            Assert.Equal((function.Approximation.Spec, function.Range, Images.Length), (record.Activation, record.Range, record.Images));
            AssertHistogram(record, x, errors);
            AssertChannels(record, errors, op.OutputShape[3]);
            AssertStages(record, x, function.Approximation);
        }
        Assert.True(records[^1].Below + records[^1].Above > 0, "no input outside");
    }

    [Fact]
    public void Inputs_beyond_either_end_are_counted_apart()
    {
        // One polynomial, over four fifths of its largest input: what comes after it cannot explode.
        const string path = "layer1.1.relu1";
        ResNet wide = RandomNetwork.Pann("direct:8").Scaled(0.8), pann = RandomNetwork.Backbone.With(p => p == path ? wide.FunctionAt(p) : new ActivationFunction.Relu());
        int[] images = [.. Enumerable.Range(0, 24)];
        var recorder = new Recorder();
        Evaluation.Of(pann, RandomNetwork.Sample, images, Normalization.Cifar10, _workspace, observers: [recorder]);
        RecordedOp op = recorder.Ops.Single(op => op.Path == path);
        InsideRecord record = Assert.Single(Study(pann, images));
        Assert.Equal((path, images.Length), (record.Path, record.Images));
        Assert.True(record.Below > 0 && record.Above > 0, $"{record.Below} below, {record.Above} above");
        AssertHistogram(record, op.Inputs[0], [.. op.Inputs[0].Zip(op.Output, (x, y) => y - Math.Max(x, 0))]);
    }

    [Fact]
    public void Activations_share_the_curve_of_their_polynomial()
    {
        IReadOnlyList<InsideRecord> records = Study(VariedNetworks.Make(VariedNetworks.Patched), [3]);
        foreach (InsideRecord record in records)
        {
            bool isFirst = record.Path.EndsWith("relu2", StringComparison.Ordinal);
            Assert.Equal(isFirst ? "direct:8" : "composite:alpha=4", record.Activation);
            Assert.Equal(ErrorCurve.Of(ActivationSpec.Parse(record.Activation).Build()), record.Curve);
            Assert.Same(records[isFirst ? 2 : 0].Curve, record.Curve);
            Assert.Equal(isFirst ? 0 : 1, record.StageImages);
        }
    }

    [Fact]
    public void A_shift_is_part_of_the_injected_error()
    {
        ResNet pann = RandomNetwork.Pann("composite:alpha=5", margin: 2);
        var shift = new Parameter("relu.shift", new(16), trainable: false);
        // Multiples of 2^-6: small enough to be added with little rounding.
        shift.Set([.. Enumerable.Range(0, 16).Select(c => (c - 4) / 64f)]);
        ResNet repaired = pann.With(path => path == "relu" ? (ActivationFunction.Polynomial)pann.FunctionAt(path) with { Shift = shift } : pann.FunctionAt(path));
        InsideRecord without = Study(pann, Images)[0], with = Study(repaired, Images)[0];
        Assert.Equal(without.Counts, with.Counts);
        for (int c = 0; c < 16; c++)
        {
            // One rounding of float32 an element, of numbers below 2 B.
            double rounding = 2 * with.Range * Math.ScaleB(1, -24);
            Assert.Equal(without.Channels[c].Mean + ((c - 4) / 64.0), with.Channels[c].Mean, rounding);
            Assert.Equal(without.Channels[c].Fluctuation, with.Channels[c].Fluctuation, rounding);
        }
    }

    [Fact]
    public void Images_that_explode_change_nothing()
    {
        ResNet pann = RandomNetwork.Pann("direct:8").Scaled(0.6);
        int[] images = [.. Enumerable.Range(0, 12)];
        var probe = new RangeProbe();
        Evaluation.Of(pann, RandomNetwork.Sample, images, Normalization.Cifar10, _workspace, observers: [probe]);
        int[] sound = [.. images.Where(n => !probe.Exploded.Contains(n))];
        Assert.InRange(sound.Length, 1, images.Length - 1);
        Assert.Equal(Text(Study(pann, sound)), Text(Study(pann, images)));
    }

    [Fact]
    public void Batches_do_not_show_and_stages_are_those_of_the_first_images()
    {
        ResNet pann = RandomNetwork.Pann("composite:alpha=4", "global:32");
        int[] images = [.. Enumerable.Range(0, 70)];
        var told = new List<int>();
        IReadOnlyList<InsideRecord> whole = InsideStudy.Of(pann, RandomNetwork.Sample, images, Normalization.Cifar10, _workspace, new Told(told));
        IReadOnlyList<InsideRecord> first = Study(pann, images[..64]), last = Study(pann, images[64..]);
        Assert.Equal([64, 70], told);
        Assert.Equal((70, 64, 64, 64, 6, 6), (whole[0].Images, whole[0].StageImages, first[0].Images, first[0].StageImages, last[0].Images, last[0].StageImages));
        for (int layer = 0; layer < whole.Count; layer++)
        {
            Assert.Equal(first[layer].Stages, whole[layer].Stages);
            Assert.Equal(first[layer].Counts.Zip(last[layer].Counts, (a, b) => a + b), whole[layer].Counts);
            // A mean of 70 means of the size of the error, added in another order.
            foreach ((ChannelError a, ChannelError b, ChannelError all) in first[layer].Channels.Zip(last[layer].Channels, whole[layer].Channels))
                Assert.Equal(((64 * a.Mean) + (6 * b.Mean)) / 70, all.Mean, 1e-12);
        }
    }

    [Fact]
    public void Threads_do_not_show()
    {
        using var one = new Workspace(1);
        ResNet pann = RandomNetwork.Pann("composite:alpha=5");
        Assert.Equal(Text(Study(pann, Images)), Text(InsideStudy.Of(pann, RandomNetwork.Sample, Images, Normalization.Cifar10, one)));
    }

    [Fact]
    public void Without_a_sound_image_there_are_records_without_figures()
    {
        ResNet pann = RandomNetwork.Pann("composite:alpha=12", "global:0.001");
        IReadOnlyList<InsideRecord> records = Study(pann, [0, 1]);
        Assert.Equal(19, records.Count);
        Assert.All(records, record =>
        {
            Assert.Equal((0, 0, 0.0), (record.Images, record.StageImages, record.BiasShare));
            Assert.All(record.Counts, count => Assert.Equal(0, count));
            Assert.All(record.Channels, channel => Assert.Equal(new ChannelError(0, 0), channel));
            Assert.Equal([0.0, 0, 0], record.Stages.Select(stage => stage.EnteringRms + stage.LeavingRms + stage.LeavingMax + stage.ReluRms));
        });
        // JSON has no NaN.
        Assert.NotEmpty(Text(records));
    }

    [Fact]
    public void A_network_without_polynomials_has_no_record() => Assert.Empty(Study(RandomNetwork.Backbone, [0]));

    private static void AssertHistogram(InsideRecord record, double[] x, double[] errors)
    {
        double[] edges = [.. record.Edges];
        Assert.Equal((123, -1, Math.ScaleB(1, -15), 1), (edges.Length, edges[0], edges[62], edges[^1]));
        long[] counts = new long[edges.Length - 1];
        double[] sums = new double[counts.Length], magnitudes = new double[counts.Length];
        for (int i = 0; i < x.Length; i++)
        {
            if (Math.Abs(x[i]) > record.Range) continue;
            float t = (float)(x[i] * (1 / record.Range));
            int bin = Math.Clamp(t >= 0 ? Array.FindLastIndex(edges, edge => edge <= t) : Array.FindIndex(edges, edge => edge >= t) - 1, 0, counts.Length - 1);
            counts[bin]++;
            sums[bin] += errors[i];
            magnitudes[bin] += Math.Abs(errors[i]);
        }
        Assert.Equal(counts, record.Counts);
        Assert.Equal((x.Count(v => v < -record.Range), x.Count(v => v > record.Range)), (record.Below, record.Above));
        for (int bin = 0; bin < counts.Length; bin++)
        {
            // Two sums of n numbers, each right to n roundings of the sum of magnitudes.
            double tolerance = counts[bin] == 0 ? 0 : 2 * Math.ScaleB(magnitudes[bin], -53) / record.Range;
            Assert.Equal(counts[bin] == 0 ? 0 : sums[bin] / counts[bin] / record.Range, record.MeanErrors[bin], tolerance + 1e-18);
        }
    }

    private static void AssertChannels(InsideRecord record, double[] errors, int channels)
    {
        double bias = 0;
        Assert.Equal(channels, record.Channels.Count);
        for (int c = 0; c < channels; c++)
        {
            double[] own = [.. errors.Where((_, i) => i % channels == c)];
            double mean = own.Average(), deviation = Math.Sqrt(own.Average(e => (e - mean) * (e - mean)));
            // Sums of 3 x 1024 numbers at most; the deviation is a root of a difference of squares, of which it is no small part here.
            Assert.Equal(mean, record.Channels[c].Mean, 1e-12 * deviation);
            Assert.Equal(deviation, record.Channels[c].Fluctuation, 1e-9 * deviation);
            bias += own.Length * mean * mean;
        }
        Assert.Equal(bias / errors.Sum(e => e * e), record.BiasShare, 1e-10);
        Assert.InRange(record.BiasShare, 0, 1);
    }

    private static void AssertStages(InsideRecord record, double[] x, ReluPolynomial polynomial)
    {
        if (polynomial.Family != ReluFamily.Composite)
        {
            Assert.Empty(record.Stages);
            Assert.Equal(0, record.StageImages);
            return;
        }
        Assert.Equal(Images.Length, record.StageImages);
        Assert.Equal(polynomial.Degrees.Index().Select(pair => (pair.Index + 1, pair.Item)), record.Stages.Select(stage => (stage.Stage, stage.Degree)));
        double[] inside = [.. x.Where(v => Math.Abs(v) <= record.Range)], values = [.. inside.Select(v => v / record.Range)];
        double signal = inside.Sum(v => Math.Pow(v > 0 ? v : polynomial.Leak * v, 2));
        for (int k = 0; k < record.Stages.Count; k++)
        {
            // Chebyshev polynomials as cosines agree with the recurrence to some 1e-13: see NaiveOps.
            Assert.Equal(Rms(Errors()), record.Stages[k].EnteringRms, 1e-10);
            values = [.. values.Select(v => NaiveOps.Series(polynomial.Stages[k], v))];
            Assert.Equal(Rms(Errors()), record.Stages[k].LeavingRms, 1e-10);
            Assert.Equal(Errors().Max(Math.Abs), record.Stages[k].LeavingMax, 1e-10);
            double relu = inside.Zip(values, (v, p) => (v > 0 ? (1 - polynomial.Leak) * v * (p - 1) : (1 - polynomial.Leak) * v * (p + 1)) / 2).Sum(e => e * e);
            Assert.Equal(Math.Sqrt(relu / signal), record.Stages[k].ReluRms, 1e-10);
        }

        double[] Errors() => [.. inside.Zip(values, (v, p) => p - Math.Sign(v))];
        static double Rms(double[] errors) => Math.Sqrt(errors.Average(e => e * e));
    }

    private IReadOnlyList<InsideRecord> Study(ResNet pann, int[] images) => InsideStudy.Of(pann, RandomNetwork.Sample, images, Normalization.Cifar10, _workspace);

    private static string Text(IReadOnlyList<InsideRecord> records) => JsonSerializer.Serialize(records);

    private sealed class Told(List<int> told) : IProgress<int>
    {
        public void Report(int value) => told.Add(value);
    }
}
