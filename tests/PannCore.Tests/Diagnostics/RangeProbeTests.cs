using PannCore.Approximation;
using PannCore.Data;
using PannCore.Diagnostics;
using PannCore.Engine;
using PannCore.Nn;
using PannCore.Ops;
using PannCore.Training;
using Xunit;

namespace PannCore.Tests.Diagnostics;

public sealed class RangeProbeTests : IDisposable
{
    private static readonly int[] Images = [0, 7, 77, 300, 301, 555, 999];

    private readonly Workspace _workspace = new(2, fillWithNaN: true);

    public void Dispose() => _workspace.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(128)]
    [InlineData(null)]
    public void Counts_agree_with_naive_loops_for_any_batch_size(int? batch)
    {
        // Ranges of half the largest inputs, and a polynomial that stays modest outside: several images leave several ranges.
        ResNet pann = RandomNetwork.Pann("direct:2", "layer", 1);
        var tight = pann.Activations.ToDictionary(a => a.Path, a => (ActivationFunction.Polynomial)a.Function);
        pann = pann.With(path => tight[path] with { Range = 0.5 * tight[path].Range });
        var probe = new RangeProbe();
        var recorder = new Recorder();
        Evaluation.Of(pann, RandomNetwork.Sample, Images, Normalization.Cifar10, _workspace, batch, [probe]);
        Evaluation.Of(pann, RandomNetwork.Sample, Images, Normalization.Cifar10, _workspace, 128, [recorder]);

        var left = new HashSet<int>();
        var nearest = new (string Path, double Share)[Images.Length];
        long outside = 0, consequences = 0;
        RecordedOp[] activations = [.. recorder.Ops.Where(op => op.Op is PolynomialRelu)];
        Assert.Equal(activations.Select(op => op.Path), probe.ByPath.Keys);
        foreach (RecordedOp op in activations)
        {
            double[] x = op.Inputs[0];
            int size = x.Length / Images.Length, count = 0, roots = 0, worst = 0;
            double b = ((PolynomialRelu)op.Op).Range, largest = 0, rootLargest = 0, soundLargest = 0;
            int rootWorst = -1, soundWorst = -1, later = 0;
            for (int n = 0; n < Images.Length; n++)
            {
                bool outsideHere = false;
                for (int i = n * size; i < (n + 1) * size; i++)
                {
                    if (Math.Abs(x[i]) > largest) (largest, worst) = (Math.Abs(x[i]), n);
                    if (Math.Abs(x[i]) <= b) continue;
                    outsideHere = true;
                    count++;
                }
                double here = x[(n * size)..((n + 1) * size)].Max(Math.Abs);
                if (!left.Contains(n))
                {
                    if (here > soundLargest) (soundLargest, soundWorst) = (here, n);
                    if (here / b > nearest[n].Share) nearest[n] = (op.Path, here / b);
                }
                if (outsideHere && left.Contains(n)) later++;
                if (!outsideHere || !left.Add(n)) continue;
                roots++;
                if (here > rootLargest) (rootLargest, rootWorst) = (here, n);
            }
            outside += count;
            RangeProbe.Watch watch = probe.ByPath[op.Path];
            Assert.Equal((largest, worst, b, count, roots), (watch.Largest, watch.WorstImage, watch.Range, watch.OutOfRange, watch.RootImages));
            Assert.Equal((rootLargest, rootWorst), (watch.RootLargest, watch.RootWorstImage));
            Assert.Equal((soundLargest, soundWorst, later), (watch.SoundLargest, watch.SoundWorstImage, watch.ConsequenceImages));
            consequences += later;
        }
        Assert.Equal(nearest, probe.Nearest);
        Assert.True(consequences > 0);
        Assert.Equal((outside, left.Count), (probe.OutOfRange, probe.OutOfRangeImages));
        // The figures above would agree on an easy case too: here several layers are the first that an image leaves.
        Assert.True(probe.ByPath.Values.Count(w => w.RootImages > 0) >= 2 && left.Count >= 2, $"{outside} inputs of {left.Count} images outside");
    }

    /// <summary>
    /// More images than a wave of batches, each of them twice, so that the largest input is met twice; images that explode among them: parts of three threads, put together,
    /// say what one probe says that saw all images by 32, and so do parts of parts.
    /// </summary>
    [Fact]
    public void Parts_together_see_what_one_probe_sees()
    {
        int[] images = [.. Enumerable.Range(0, 550).Select(i => 7 * i % RandomNetwork.Sample.Count)];
        images = [.. images, .. images];
        ResNet pann = RandomNetwork.Pann("composite:alpha=6", "layer", 1);
        RangeProbe whole = new(), parts = new(), halves = new();
        using Workspace three = new(3, fillWithNaN: true);
        Evaluation.Of(pann, RandomNetwork.Sample, images, Normalization.Cifar10, _workspace, batch: 32, [whole]);
        Evaluation.Of(pann, RandomNetwork.Sample, images, Normalization.Cifar10, three, observers: [parts]);
        foreach (int[] some in (int[][])[images[..333], images[333..]])
        {
            IDivisibleObserver half = halves.Part();
            Evaluation.Of(pann, RandomNetwork.Sample, some, Normalization.Cifar10, _workspace, observers: [half]);
            halves.Add(half);
        }
        // Otherwise the comparison would say little.
        Assert.InRange(whole.Exploded.Count, 2, images.Length - 2);
        Assert.True(whole.ByPath.Values.Count(watch => watch.RootImages > 0) >= 2 && whole.ByPath.Values.Any(watch => watch.ConsequenceImages > 0));
        foreach (RangeProbe other in (RangeProbe[])[parts, halves])
        {
            Assert.Equal(whole.ByPath.Select(pair => (pair.Key, Figures(pair.Value))), other.ByPath.Select(pair => (pair.Key, Figures(pair.Value))));
            Assert.Equal(whole.Nearest, other.Nearest);
            Assert.Equal(whole.Exploded.Order(), other.Exploded.Order());
            Assert.Equal((whole.OutOfRange, whole.OutOfRangeImages), (other.OutOfRange, other.OutOfRangeImages));
        }
        Assert.Throws<ArgumentException>("part", () => whole.Add(whole));
        Assert.Throws<ArgumentException>("part", () => whole.Add(new InputHistogram()));
        Assert.Throws<ArgumentException>("observers", () => Evaluation.Of(pann, RandomNetwork.Sample, [0], Normalization.Cifar10, _workspace, observers: [whole, whole]));

        // Parts and whole batches after each other, and a probe beside an observer that cannot be divided: positions go on.
        RangeProbe mixed = new(), beside = new();
        Evaluation.Of(pann, RandomNetwork.Sample, images[..100], Normalization.Cifar10, three, observers: [mixed]);
        Evaluation.Of(pann, RandomNetwork.Sample, images[100..200], Normalization.Cifar10, _workspace, batch: 32, [mixed]);
        Evaluation.Of(pann, RandomNetwork.Sample, images[200..300], Normalization.Cifar10, three, observers: [mixed]);
        Evaluation.Of(pann, RandomNetwork.Sample, images[..300], Normalization.Cifar10, three, observers: [beside, new Recorder()]);
        Assert.Equal(whole.Nearest.Take(300), mixed.Nearest);
        Assert.Equal(whole.Nearest.Take(300), beside.Nearest);
        Assert.Equal(whole.Exploded.Where(image => image < 300).Order(), mixed.Exploded.Order());
        Assert.Equal(beside.ByPath.Select(pair => (pair.Key, Figures(pair.Value))), mixed.ByPath.Select(pair => (pair.Key, Figures(pair.Value))));

        static object Figures(RangeProbe.Watch watch) => (watch.Range, watch.Largest, watch.WorstImage, watch.OutOfRange, watch.RootImages, watch.ConsequenceImages, (watch.SoundLargest, watch.SoundWorstImage, watch.RootLargest, watch.RootWorstImage));
    }

    /// <summary>Of two images with an input that is no number the earlier one has the largest, whichever part saw it.</summary>
    [Fact]
    public void Of_two_infinite_inputs_the_earlier_counts()
    {
        var probe = new RangeProbe();
        foreach (float[] x in (float[][])[[0.5f, 1], [float.NaN, 2], [float.NegativeInfinity, 3]])
        {
            IDivisibleObserver part = probe.Part();
            using (var run = new Run(_workspace, observers: [part])) run.Input(new(1, 2), x).PolynomialRelu(ActivationSpec.Parse("direct:2").Build(), 1);
            probe.Add(part);
        }
        RangeProbe.Watch watch = Assert.Single(probe.ByPath).Value;
        Assert.Equal((double.PositiveInfinity, 1, 1), (watch.Largest, watch.WorstImage, watch.RootWorstImage));
        Assert.Equal((4L, 2, 2), (watch.OutOfRange, watch.RootImages, probe.OutOfRangeImages));
        Assert.Equal([1, 2], probe.Exploded.Order());
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.NegativeInfinity)]
    public void An_input_that_is_no_number_is_outside(float value)
    {
        var probe = new RangeProbe();
        using var run = new Run(_workspace, observers: [probe]);
        run.Input(new(3, 2), [0.5f, -1, 1, value, 2, 0]).PolynomialRelu(ActivationSpec.Parse("direct:2").Build(), 1);
        RangeProbe.Watch watch = Assert.Single(probe.ByPath).Value;
        // -1 and 1 are inside [-1, 1]; the second image has the value, the third a 2.
        Assert.Equal((double.PositiveInfinity, 1, 2, 2), (watch.Largest, watch.WorstImage, watch.OutOfRange, watch.RootImages));
        Assert.Equal(2, probe.OutOfRangeImages);
    }

    [Fact]
    public void A_relu_has_no_range()
    {
        var probe = new RangeProbe();
        using var run = new Run(_workspace, observers: [probe]);
        run.Input(new(2, 2), [0.5f, -3, 1, 2]).Relu().Add(run.Input(new(2, 2), [9, 9, 9, 9]));
        RangeProbe.Watch watch = Assert.Single(probe.ByPath).Value;
        Assert.Equal((3.0, 0, null, 0, 0), (watch.Largest, watch.WorstImage, watch.Range, watch.OutOfRange, watch.RootImages));
    }

    [Fact]
    public void Calibration_measures_the_ideal_network_whatever_polynomials_are_in_place()
    {
        ResNet pann = RandomNetwork.Pann("composite:alpha=4");
        Dictionary<string, double> measured = RangeProbe.Calibrate(pann, RandomNetwork.Sample, Images, Normalization.Cifar10, _workspace);

        var expected = new Dictionary<string, double>();
        foreach (int image in Images)
        {
            var recorder = new Recorder();
            Evaluation.Of(RandomNetwork.Backbone, RandomNetwork.Sample, [image], Normalization.Cifar10, _workspace, observers: [recorder]);
            foreach (RecordedOp op in recorder.Ops.Where(op => op.Op is Relu)) expected[op.Path] = Math.Max(expected.GetValueOrDefault(op.Path), op.Inputs[0].Max(Math.Abs));
        }
        // To the bit, image by image: it depends on which images, not on how they were batched or in which order.
        Assert.Equal(expected, measured);
        Assert.Equal(measured, RangeProbe.Calibrate(RandomNetwork.Backbone, RandomNetwork.Sample, [.. Images.Reverse()], Normalization.Cifar10, _workspace));
        Assert.NotEqual(measured, RangeProbe.Calibrate(RandomNetwork.Backbone, RandomNetwork.Sample, Images[1..3], Normalization.Cifar10, _workspace));
    }
}
