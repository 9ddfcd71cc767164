using PannCore.Approximation;
using PannCore.Checkpoints;
using PannCore.Data;
using PannCore.Diagnostics;
using PannCore.Engine;
using PannCore.Nn;
using PannCore.Tests.Checkpoints;
using PannCore.Training;
using Xunit;
using Tensor = PannCore.Engine.Tensor;

namespace PannCore.Tests.Diagnostics;

/// <summary>Repair of a network with random weights, against means that naive loops take over whole runs of the repaired network.</summary>
public sealed class RepairTests : IDisposable
{
    private const string Spec = "composite:alpha=6";
    private static readonly double Single = Math.ScaleB(1, -24);
    private static readonly int[] Images = [.. Enumerable.Range(0, 24)], HeldOut = [.. Enumerable.Range(500, 40)];
    private static readonly string[] Paths = [.. RandomNetwork.Backbone.Activations.Select(a => a.Path)];

    private readonly Workspace _workspace = new(2, fillWithNaN: true);
    private readonly TempFolder _folder = new();

    public void Dispose()
    {
        _workspace.Dispose();
        _folder.Dispose();
    }

    /// <summary>
    /// A mean is taken off as a float32 number s and added in float32 to values of at most M: each element, and so their mean, is then off by 2^-24 (|s| + M + |s|) at most.
    /// The sums themselves are taken in float64 in both places.
    /// </summary>
    [Theory]
    [InlineData(RepairShift.Injected, false)]
    [InlineData(RepairShift.Injected, true)]
    [InlineData(RepairShift.Accumulated, false)]
    [InlineData(RepairShift.Accumulated, true)]
    public void No_channel_has_a_mean_error_any_more(RepairShift shift, bool batchNorm)
    {
        (ResNet pann, IReadOnlyList<RepairedLayer> layers) = Repaired(shift, batchNorm, Ranges());
        Assert.Equal(Paths, layers.Select(layer => layer.Path));
        Assert.All(layers, layer => Assert.Equal(0, layer.ImagesLeftOut));

        Means unrepaired = Watch(RandomNetwork.Pann(Spec, margin: 2)), repaired = Watch(pann), ideal = Watch(RandomNetwork.Backbone);
        bool wasBiased = false;
        foreach (string path in Paths)
        {
            for (int c = 0; c < repaired.Injected[path].Length; c++)
            {
                double left = shift == RepairShift.Injected ? repaired.Injected[path][c] : repaired.Output[path][c] - ideal.Output[path][c];
                double s = Math.Abs(pann.Parameters.Find($"{path}.shift")!.Values[c]), tolerance = Single * (repaired.Largest[path] + (2 * s));
                Assert.True(Math.Abs(left) <= tolerance, $"{path}, channel {c}: mean error {left}, tolerance {tolerance}");
                wasBiased |= Math.Abs(unrepaired.Injected[path][c]) > 1000 * tolerance;
            }
        }
        Assert.True(wasBiased, "there was nothing to repair");
    }

    /// <summary>Running mean and variance have moved with the PANN's own, to float32's rounding of the new statistics.</summary>
    [Fact]
    public void Batch_norm_s_statistics_move_with_the_input_s()
    {
        (ResNet pann, _) = Repaired(RepairShift.Injected, batchNorm: true, Ranges());
        Means repaired = Watch(pann), ideal = Watch(RandomNetwork.Backbone);
        foreach (string path in repaired.Norm.Keys)
        {
            ReadOnlySpan<float> mean = Values(pann, "running_mean"), oldMean = Values(RandomNetwork.Backbone, "running_mean");
            ReadOnlySpan<float> variance = Values(pann, "running_var"), oldVariance = Values(RandomNetwork.Backbone, "running_var");
            for (int c = 0; c < mean.Length; c++)
            {
                ((double m, double v), (double idealM, double idealV)) = (repaired.Norm[path][c], ideal.Norm[path][c]);
                double expected = oldMean[c] + m - idealM, roundings = 2 * Single * (Math.Abs(expected) + Math.Abs(m - idealM));
                Assert.InRange(mean[c], expected - roundings, expected + roundings);
                // Variances are differences of means of squares: float64 leaves them 1e-12 and better here.
                Assert.InRange(variance[c] / (oldVariance[c] * v / idealV), 1 - (2 * Single), 1 + (2 * Single));
            }

            ReadOnlySpan<float> Values(ResNet model, string name) => model.Parameters.Find($"{path}.{name}")!.Values;
        }
        Assert.Equal(19, repaired.Norm.Count);
    }

    [Theory]
    [InlineData(4, 0, true)]
    [InlineData(1, 0, false)] // 1 is not more than the root of 1.
    [InlineData(2, 0, true)]
    [InlineData(9, 4, true)] // 5 against 3.6.
    [InlineData(8, 5, false)] // 3 against 3.6.
    [InlineData(0, 9, false)]
    [InlineData(0, 0, false)]
    public void A_gain_must_be_more_than_one_standard_error(int won, int lost, bool clear) => Assert.Equal(clear, Repair.IsClear(won, lost));

    [Fact]
    public void What_is_chosen_is_what_the_held_out_images_say_and_the_backbone_stays_as_it_was()
    {
        string before = ModelFile.WeightHash(RandomNetwork.Backbone);
        var ranges = Ranges();
        (ResNet pann, ActivationRanges used, RepairRecord record) = Repair.Of(
            RandomNetwork.Backbone, ActivationSpec.Parse(Spec), ranges, RandomNetwork.Sample, Images, HeldOut, Normalization.Cifar10, _workspace, new("layer", Images, 1.05));
        Assert.Equal(before, ModelFile.WeightHash(RandomNetwork.Backbone));
        Assert.Equal(
            ["no repair", "injected mean", "accumulated mean", "injected mean, batch-norm", "accumulated mean, batch-norm"], record.Candidates.Take(5).Select(c => c.Name));
        Assert.Equal(6, record.Candidates.Count);
        Assert.EndsWith(", ranges", record.Candidates[5].Name, StringComparison.Ordinal);

        RepairCandidate chosen = Assert.Single(record.Candidates, c => c.Chosen);
        var probe = new RangeProbe();
        Evaluation again = Evaluation.Of(pann, RandomNetwork.Sample, HeldOut, Normalization.Cifar10, _workspace, observers: [probe]);
        Assert.Equal((again.Accuracy, probe.OutOfRange, probe.OutOfRangeImages, again.NonFinite), (chosen.Accuracy, chosen.OutOfRange, chosen.OutOfRangeImages, chosen.NonFiniteImages));
        Assert.Equal(Evaluate(RandomNetwork.Backbone).Accuracy, record.IdealAccuracy);
        Assert.Equal(Evaluate(RandomNetwork.Backbone.With(ActivationSpec.Parse(Spec), ranges)).Accuracy, record.Candidates[0].Accuracy);
        Assert.Equal((24, 40, record.RangesMeasuredAgain), (record.Images, record.HeldOut, !ReferenceEquals(used, ranges)));
        Assert.Equal(record.Layers.Select(layer => layer.Range), Paths.Select(path => used[path]));

        Evaluation Evaluate(ResNet model) => Evaluation.Of(model, RandomNetwork.Sample, HeldOut, Normalization.Cifar10, _workspace);
    }

    [Fact]
    public void A_repaired_network_is_written_and_read_back_to_the_same_bits()
    {
        var ranges = Ranges();
        (ResNet pann, _) = Repaired(RepairShift.Accumulated, batchNorm: true, ranges);
        string path = _folder.At("repaired.safetensors");
        var description = new ModelDescription(
            "resnet20", Normalization.Cifar10, ActivationSpec.Parse("relu"), null, 0, new Dictionary<string, string> { ["repair"] = "as told" }, new(ActivationSpec.Parse(Spec), ranges.ByPath));
        ModelFile.Save(path, pann, description);
        (ResNet read, ModelDescription said) = ModelFile.Load(path);
        Assert.Equal((ModelFile.WeightHash(pann), Spec, "as told"), (ModelFile.WeightHash(read), said.Pann!.Activation.ToString(), said.Notes["repair"]));
        Assert.Equal(ranges.ByPath, said.Pann.Ranges);
        ResNet converted = read.With(said.Pann.Activation, ActivationRanges.Of("stored", Paths, said.Pann.Ranges));
        Assert.Equal(Logits(pann), Logits(converted));
        Assert.NotEqual(Logits(pann), Logits(RandomNetwork.Pann(Spec, margin: 2)));

        float[] Logits(ResNet model) => Evaluation.Of(model, RandomNetwork.Sample, HeldOut, Normalization.Cifar10, _workspace).Logits;
    }

    /// <summary>With so many images that memory is used again from batch to batch.</summary>
    [Fact]
    public void Threads_change_no_bit_of_a_repair()
    {
        using var other = new Workspace(6); // 24 images at a time instead of 16.
        (ResNet pann, IReadOnlyList<RepairedLayer> layers) = Of(_workspace);
        (ResNet again, IReadOnlyList<RepairedLayer> same) = Of(other);
        Assert.Equal(ModelFile.WeightHash(pann), ModelFile.WeightHash(again));
        Assert.Equal(layers, same);

        static (ResNet, IReadOnlyList<RepairedLayer>) Of(Workspace workspace) => Repair.InOneWay(
            RandomNetwork.Backbone, ActivationSpec.Parse(Spec), Ranges(), RepairShift.Accumulated, true, RandomNetwork.Sample, [.. Enumerable.Range(0, 40)], Normalization.Cifar10, workspace);
    }

    /// <summary>The ledger runs a repaired network as any other: the shift is part of the polynomial's error, which its bound allows for.</summary>
    [Fact]
    public void The_ledger_s_checks_hold_and_it_shows_no_bias_where_it_was_taken_off()
    {
        (ResNet pann, _) = Repaired(RepairShift.Injected, batchNorm: false, Ranges());
        ErrorLedger ledger = ErrorLedger.Of(pann, RandomNetwork.Sample, Images, Normalization.Cifar10, _workspace);
        Assert.All(ledger.Checks, check => Assert.True(check.Passed, $"{check.Name}: {check.Detail}"));
        OperationRecord[] activations = [.. ledger.Operations.Where(o => Paths.Contains(o.Path))];
        Assert.Equal(19, activations.Length);
        // The mean of channel means, each within float32's rounding of 0 (see above), plus the mean of the arithmetic term, which the repair does not tell from the approximation.
        Assert.All(activations, o => Assert.InRange(Math.Abs(o.Approximation.Mean + o.Arithmetic.Mean), 0, 4 * Single * o.LargestInput!.Value));
    }

    [Fact]
    public void Images_in_which_a_polynomial_explodes_are_left_out()
    {
        // Below the largest inputs: some images explode, others do not.
        (ResNet pann, IReadOnlyList<RepairedLayer> layers) = Repair.InOneWay(
            RandomNetwork.Backbone, ActivationSpec.Parse("composite:alpha=12"), ActivationRanges.Parse("layer", Paths, RandomNetwork.Largest.ToDictionary(p => p.Key, p => p.Value * (p.Key == "relu" ? 0.8 : 3)), 1),
            RepairShift.Injected, batchNorm: true, RandomNetwork.Sample, Images, Normalization.Cifar10, _workspace);
        Assert.InRange(layers[0].ImagesLeftOut, 1, Images.Length - 1);
        Assert.All(layers, layer => Assert.InRange(layer.ImagesLeftOut, layers[0].ImagesLeftOut, Images.Length - 1));
        Assert.All(pann.Parameters.All, p => Assert.DoesNotContain(p.Values.ToArray(), v => !float.IsFinite(v)));
        Assert.All(layers, layer => Assert.InRange(Math.Abs(layer.LargestError), 0, layer.Range * Math.ScaleB(1, -11)));

        Assert.Equal(
            "repair: at relu, composite:alpha=12 over ranges 'global:0.01' has answered beyond twice its range in every one of the 24 images; give a wider range",
            Assert.Throws<ExplodedException>(() => Repair.InOneWay(
                RandomNetwork.Backbone, ActivationSpec.Parse("composite:alpha=12"), ActivationRanges.Parse("global:0.01", Paths, null, 1), RepairShift.Injected, false,
                RandomNetwork.Sample, Images, Normalization.Cifar10, _workspace)).Message);
    }

    [Fact]
    public void Images_that_measure_do_not_judge()
        => Assert.StartsWith(
            "repair: expected two sets of images without a common one, none of them empty",
            Assert.Throws<ArgumentException>(() => Repair.Of(
                RandomNetwork.Backbone, ActivationSpec.Parse(Spec), Ranges(), RandomNetwork.Sample, Images, [3, 700], Normalization.Cifar10, _workspace)).Message, StringComparison.Ordinal);

    [Fact]
    public void Progress_counts_activations_and_cancellation_stops()
    {
        using var source = new CancellationTokenSource();
        var seen = new Counting(done =>
        {
            if (done == 3) source.Cancel();
        });
        Assert.Throws<OperationCanceledException>(() => Repair.InOneWay(
            RandomNetwork.Backbone, ActivationSpec.Parse(Spec), Ranges(), RepairShift.Injected, false, RandomNetwork.Sample, Images, Normalization.Cifar10, _workspace, seen, source.Token));
        Assert.Equal([1, 2, 3], seen.Values);
    }

    private static ActivationRanges Ranges() => ActivationRanges.Parse("layer", Paths, RandomNetwork.Largest, 2);

    private (ResNet Pann, IReadOnlyList<RepairedLayer> Layers) Repaired(RepairShift shift, bool batchNorm, ActivationRanges ranges)
        => Repair.InOneWay(RandomNetwork.Backbone, ActivationSpec.Parse(Spec), ranges, shift, batchNorm, RandomNetwork.Sample, Images, Normalization.Cifar10, _workspace);

    private Means Watch(ResNet model)
    {
        var means = new Means();
        Evaluation.Of(model, RandomNetwork.Sample, Images, Normalization.Cifar10, _workspace, batch: Images.Length, observers: [means]);
        return means;
    }

    /// <summary>One batch: means over images and pixels of each channel.</summary>
    private sealed class Means : IRunObserver
    {
        public Dictionary<string, double[]> Injected { get; } = [];

        public Dictionary<string, double[]> Output { get; } = [];

        public Dictionary<string, double> Largest { get; } = [];

        public Dictionary<string, (double Mean, double Variance)[]> Norm { get; } = [];

        public void Forward(Op op, string path, IReadOnlyList<Tensor> inputs, Tensor output)
        {
            float[] x = inputs[0].Values.ToArray(), y = output.Values.ToArray();
            int channels = output.Shape[output.Shape.Rank - 1];
            if (op.Name == "batchNorm")
            {
                Norm.Add(path, [.. Enumerable.Range(0, channels).Select(c =>
                {
                    double mean = Channel(x, c, channels).Average(v => (double)v);
                    return (mean, Channel(x, c, channels).Average(v => (v - mean) * (v - mean)));
                })]);
            }
            if (op.Activation is null) return;
            Output.Add(path, [.. Enumerable.Range(0, channels).Select(c => Channel(y, c, channels).Average(v => (double)v))]);
            Injected.Add(path, [.. Enumerable.Range(0, channels).Select(c => Channel(y, c, channels).Zip(Channel(x, c, channels), (v, u) => v - (double)Math.Max(0, u)).Average())]);
            Largest.Add(path, y.Max(v => Math.Abs((double)v)));
        }

        private static IEnumerable<float> Channel(float[] values, int c, int channels) => Enumerable.Range(0, values.Length / channels).Select(i => values[(i * channels) + c]);
    }

    private sealed class Counting(Action<int> then) : IProgress<int>
    {
        public List<int> Values { get; } = [];

        public void Report(int value)
        {
            Values.Add(value);
            then(value);
        }
    }
}
