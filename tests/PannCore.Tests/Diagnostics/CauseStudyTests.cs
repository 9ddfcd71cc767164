using PannCore.Data;
using PannCore.Diagnostics;
using PannCore.Engine;
using PannCore.Nn;
using PannCore.Ops;
using PannCore.Training;
using Xunit;

namespace PannCore.Tests.Diagnostics;

public sealed class CauseStudyTests : IDisposable
{
    private static readonly int[] Images = [1, 20, 300, 301, 999];

    private readonly Workspace _workspace = new(2, fillWithNaN: true);

    public void Dispose() => _workspace.Dispose();

    [Theory]
    [MemberData(nameof(VariedNetworks.Names), MemberType = typeof(VariedNetworks))]
    public void Shares_agree_with_whole_networks_of_every_setting(string name)
    {
        ResNet pann = VariedNetworks.Make(name), ideal = pann.Ideal();
        CauseRecord record = Study(pann, Images);
        string[] paths = [.. RandomNetwork.Backbone.Activations.Select(a => a.Path)];
        Assert.Equal(paths, record.Layers.Select(layer => layer.Path));
        Assert.Equal(Images.Length, record.Images);
        Evaluation none = Of(ideal), all = Of(pann);

        // The activations at both ends, in both places of a block, before and after a change of size.
        foreach (int k in new[] { 0, 1, 2, 6, 7, 17, 18 })
        {
            LayerCause layer = record.Layers[k];
            AssertShare(layer.Forward, Switched(j => j < k), Switched(j => j <= k), after: true);
            AssertShare(layer.Backward, Switched(j => j > k), Switched(j => j >= k), after: true);
            AssertShare(layer.Alone, none, Switched(j => j == k), after: true);
            AssertShare(layer.LeaveOneOut, Switched(j => j != k), all, after: false);
        }

        // Accuracies are of images whose logits differ between settings; the shares are not all alike.
        Assert.True(record.Layers.Count(layer => layer.Forward.LogitRms > 1e-4) >= 18, "no difference that would show a mistake");

        Evaluation Switched(Func<int, bool> polynomial)
        {
            var functions = pann.Activations.Zip(ideal.Activations, (p, i) => (p.Path, P: p.Function, I: i.Function)).Select((f, j) => (f.Path, Function: polynomial(j) ? f.P : f.I)).ToDictionary(f => f.Path, f => f.Function);
            return Of(pann.With(path => functions[path]));
        }

        void AssertShare(SwitchShare share, Evaluation from, Evaluation to, bool after)
        {
            // Five images: a mean of float64 differences of float32 numbers of size 10 or so.
            Assert.Equal(Margin(to, none.Predictions) - Margin(from, none.Predictions), share.Margin, 1e-12);
            Assert.Equal(Math.Sqrt(to.Logits.Zip(from.Logits, (a, b) => ((double)a - b) * ((double)a - b)).Average()), share.LogitRms, 1e-12);
            Assert.Equal((after ? to : from).Accuracy, share.Accuracy, 1e-12);
        }
    }

    [Theory]
    [MemberData(nameof(VariedNetworks.Names), MemberType = typeof(VariedNetworks))]
    public void Shares_of_each_order_sum_to_the_change_of_the_logits(string name)
    {
        ResNet pann = VariedNetworks.Make(name);
        CauseRecord record = Study(pann, Images);
        Evaluation ideal = Of(pann.Ideal()), all = Of(pann);
        double change = Margin(all, ideal.Predictions) - Margin(ideal, ideal.Predictions);
        Assert.True(Math.Abs(change) > 0.01, $"a change of {change} shows nothing");
        Assert.InRange(record.ForwardResidual, 0, 1e-9);
        Assert.InRange(record.BackwardResidual, 0, 1e-9);
        Assert.Equal(change, record.Margin, 1e-9);
        Assert.Equal(change, record.Layers.Sum(layer => layer.Forward.Margin), 1e-9);
        Assert.Equal(change, record.Layers.Sum(layer => layer.Backward.Margin), 1e-9);
        Assert.All(record.Layers, layer =>
        {
            double[] margins = [layer.Forward.Margin, layer.Backward.Margin, layer.Alone.Margin, layer.LeaveOneOut.Margin];
            Assert.Equal(margins.Max() - margins.Min(), layer.Interaction);
        });
        Assert.Equal(record.Layers.Select(layer => new LayerShare(layer.Path, layer.Forward.Margin, layer.Forward.LogitRms, layer.Forward.Accuracy)), record.FirstToLast);
    }

    [Fact]
    public void Flips_are_named_where_the_prediction_changes_for_good()
    {
        // Alpha 4 over ranges of four times the inputs flips a good part of the images, some of them there and back.
        ResNet pann = RandomNetwork.Pann("composite:alpha=4", margin: 4);
        int[] images = [.. Enumerable.Range(100, 40)];
        CauseRecord record = Study(pann, images);
        Evaluation[] steps = [.. Enumerable.Range(0, 20).Select(count => Evaluation.Of(First(pann, count), RandomNetwork.Sample, images, Normalization.Cifar10, _workspace))];
        var expected = new Dictionary<int, string>();
        int back = 0;
        for (int n = 0; n < images.Length; n++)
        {
            bool[] changed = [.. steps.Select(step => step.Predictions[n] != steps[0].Predictions[n])];
            if (!changed[^1]) continue;
            int last = Array.LastIndexOf(changed, false);
            expected.Add(images[n], pann.Activations[last].Path);
            if (Array.IndexOf(changed, true) < last) back++;
        }
        Assert.True(expected.Count >= 5 && back >= 1, $"{expected.Count} flips, {back} of them there and back: too few to show a mistake");
        Assert.Equal(expected.OrderBy(p => p.Key), record.FlippedAt.OrderBy(p => p.Key));
        Assert.All(record.Layers, layer => Assert.Equal(expected.Values.Count(path => path == layer.Path), layer.FirstFlips));
    }

    [Fact]
    public void Logits_that_are_no_numbers_are_a_changed_prediction_and_enter_no_mean()
    {
        // The third image of a batch is no number from layer2.0.relu1 on, nothing else is changed. On one thread the three are one batch.
        using var one = new Workspace(1, fillWithNaN: true);
        ResNet sound = RandomNetwork.Pann("composite:alpha=5");
        const string root = "layer2.0.relu1";
        ResNet broken = sound.With(path => path == root ? new NoNumberFrom(2, sound.FunctionAt(path)) : sound.FunctionAt(path));
        CauseRecord without = Study(sound, [1, 20]), with = CauseStudy.Of(broken, sound.Ideal(), RandomNetwork.Sample, [1, 20, 300], Normalization.Cifar10, one);

        Assert.Equal(2, with.Images);
        Assert.Equal(without.Layers.Select(Others), with.Layers.Select(Others));
        Assert.Equal((without.Margin, without.ForwardResidual, without.BackwardResidual), (with.Margin, with.ForwardResidual, with.BackwardResidual));
        Assert.Equal(root, with.FlippedAt[300]);
        Assert.Equal(without.FlippedAt.Count + 1, with.FlippedAt.Count);

        static LayerCause Others(LayerCause layer) => layer with { FirstFlips = 0 };
    }

    [Fact]
    public void An_image_in_which_a_polynomial_explodes_enters_no_mean()
    {
        // Degree 8 grows slowly: the answers stay finite, far outside.
        ResNet pann = RandomNetwork.Pann("direct:8").Scaled(0.6);
        var probe = new RangeProbe();
        Evaluation.Of(pann, RandomNetwork.Sample, Images, Normalization.Cifar10, _workspace, observers: [probe]);
        Assert.InRange(probe.Exploded.Count, 1, Images.Length);
        Assert.Equal(Images.Length - probe.Exploded.Count, Study(pann, Images).Images);
    }

    [Fact]
    public void An_image_in_which_a_polynomial_explodes_in_one_setting_only_enters_no_mean()
    {
        // The bundled network, one range: image 93 stays in it with polynomials everywhere, and leaves it far behind with some of them.
        PannModel model = PannModel.Load(Path.Combine(Path.GetDirectoryName(RandomNetwork.SamplePath)!, "models", "resnet20.safetensors"));
        ResNet pann = model.Convert("composite:alpha=8", "global"), ideal = pann.Ideal();
        var whole = new RangeProbe();
        Evaluation.Of(pann, RandomNetwork.Sample, [93], model.Description.Normalization, _workspace, observers: [whole]);
        Assert.Empty(whole.Exploded);
        string[] paths = [.. pann.Activations.Select(a => a.Path)];
        bool explodes = Enumerable.Range(0, paths.Length).Any(k =>
        {
            var probe = new RangeProbe();
            ResNet backward = pann.With(path => Array.IndexOf(paths, path) >= k ? pann.FunctionAt(path) : ideal.FunctionAt(path));
            Evaluation.Of(backward, RandomNetwork.Sample, [93], model.Description.Normalization, _workspace, observers: [probe]);
            return probe.Exploded.Count > 0;
        });
        Assert.True(explodes);

        // In a later batch: a place in a batch is not one in the list.
        int[] sound = [.. Enumerable.Range(1, 17)];
        CauseRecord with = CauseStudy.Of(pann, ideal, RandomNetwork.Sample, [.. sound[..16], 93, sound[16]], model.Description.Normalization, _workspace);
        Assert.Equal(17, with.Images);
        Assert.InRange(Math.Max(with.ForwardResidual, with.BackwardResidual), 0, 1e-9);
        CauseRecord without = CauseStudy.Of(pann, ideal, RandomNetwork.Sample, sound, model.Description.Normalization, _workspace);
        Assert.Equal(without.Layers.Select(layer => layer with { FirstFlips = 0 }), with.Layers.Select(layer => layer with { FirstFlips = 0 }));
    }

    [Fact]
    public void Batches_do_not_show()
    {
        ResNet pann = RandomNetwork.Pann("composite:alpha=5");
        int[] images = [.. Enumerable.Range(0, 35)];
        var told = new List<int>();
        using Workspace one = new(1, fillWithNaN: true), three = new(3, fillWithNaN: true);
        CauseRecord whole = CauseStudy.Of(pann, pann.Ideal(), RandomNetwork.Sample, images, Normalization.Cifar10, one, new Told(told));
        CauseRecord first = Study(pann, images[..18]), second = Study(pann, images[18..]);
        Assert.Equal([8, 16, 24, 32, 35], told); // A batch of its thread at a time.
        Same(whole, CauseStudy.Of(pann, pann.Ideal(), RandomNetwork.Sample, images, Normalization.Cifar10, three));
        // Two images for three threads.
        Same(CauseStudy.Of(pann, pann.Ideal(), RandomNetwork.Sample, images[..2], Normalization.Cifar10, one), CauseStudy.Of(pann, pann.Ideal(), RandomNetwork.Sample, images[..2], Normalization.Cifar10, three));
        Assert.Equal(first.Images + second.Images, whole.Images);
        for (int k = 0; k < whole.Layers.Count; k++)
        {
            // Means of 35 numbers of size 1, added in another order.
            Assert.Equal(Mean(k, layer => layer.Backward.Margin), whole.Layers[k].Backward.Margin, 1e-12);
            Assert.Equal(Mean(k, layer => layer.LeaveOneOut.Accuracy), whole.Layers[k].LeaveOneOut.Accuracy, 1e-12);
            Assert.Equal(Mean(k, layer => layer.FirstOrder), whole.Layers[k].FirstOrder, 1e-12);
        }

        static void Same(CauseRecord expected, CauseRecord found)
        {
            Assert.Equal(expected.Layers, found.Layers);
            Assert.Equal((expected.Images, expected.Margin, expected.ForwardResidual, expected.BackwardResidual), (found.Images, found.Margin, found.ForwardResidual, found.BackwardResidual));
            Assert.Equal(expected.FlippedAt, found.FlippedAt);
        }

        double Mean(int k, Func<LayerCause, double> figure) => ((first.Images * figure(first.Layers[k])) + (second.Images * figure(second.Layers[k]))) / whole.Images;
    }

    /// <summary>What fails or is cancelled on a thread reaches the caller, whose workspace works on.</summary>
    [Fact]
    public void What_fails_on_a_thread_reaches_the_caller()
    {
        ResNet pann = RandomNetwork.Pann("composite:alpha=5");
        int[] images = [.. Enumerable.Range(0, 20)];
        using Workspace three = new(3, fillWithNaN: true), fresh = new(1, fillWithNaN: true);
        ResNet broken = pann.With(path => path == "layer2.0.relu1" ? new Doing(() => throw new NotSupportedException("as it should")) : pann.FunctionAt(path));
        Assert.Equal("as it should", Assert.Throws<NotSupportedException>(() => CauseStudy.Of(broken, pann.Ideal(), RandomNetwork.Sample, images, Normalization.Cifar10, three)).Message);
        using var stop = new CancellationTokenSource();
        ResNet stopping = pann.With(path => path == "layer2.0.relu1" ? new Doing(stop.Cancel) : pann.FunctionAt(path));
        Assert.ThrowsAny<OperationCanceledException>(() => CauseStudy.Of(stopping, pann.Ideal(), RandomNetwork.Sample, images, Normalization.Cifar10, three, cancellation: stop.Token));
        CauseRecord expected = CauseStudy.Of(pann, pann.Ideal(), RandomNetwork.Sample, images[..3], Normalization.Cifar10, fresh);
        Assert.Equal(expected.Layers, CauseStudy.Of(pann, pann.Ideal(), RandomNetwork.Sample, images[..3], Normalization.Cifar10, three).Layers);
    }

    private sealed record Doing(Action What) : ActivationFunction
    {
        public override PannCore.Engine.Tensor Apply(PannCore.Engine.Tensor x)
        {
            What();
            return x.Relu();
        }
    }

    [Fact]
    public void A_network_without_approximations_changes_nothing()
    {
        CauseRecord record = Study(RandomNetwork.Backbone, Images[..1]);
        Assert.Empty(record.FlippedAt);
        Assert.All(record.Layers, layer =>
        {
            Assert.All([layer.Forward, layer.Backward, layer.Alone, layer.LeaveOneOut], share => Assert.Equal((0.0, 0.0), (share.Margin, share.LogitRms)));
            Assert.Equal((0.0, 0.0, 0), (layer.Interaction, layer.FirstOrder, layer.FirstFlips));
        });
    }

    [Fact]
    public void Without_an_image_all_figures_are_zero()
    {
        ResNet pann = RandomNetwork.Pann("composite:alpha=5");
        ResNet broken = pann.With(path => new NoNumberFrom(0, pann.FunctionAt(path)));
        CauseRecord record = CauseStudy.Of(broken, pann.Ideal(), RandomNetwork.Sample, [0], Normalization.Cifar10, _workspace);
        Assert.Equal((0, 0.0, 0.0, 0.0), (record.Images, record.Margin, record.ForwardResidual, record.BackwardResidual));
        Assert.All(record.Layers, layer => Assert.Equal((new SwitchShare(0, 0, 0), 0.0, 0.0), (layer.Backward, layer.Interaction, layer.FirstOrder)));
        Assert.Equal("relu", record.FlippedAt[0]);
    }

    [Fact]
    public void An_ideal_network_over_other_weights_is_refused()
    {
        var error = Assert.Throws<ArgumentException>(() => CauseStudy.Of(RandomNetwork.Backbone, new ResNet(20), RandomNetwork.Sample, [0], Normalization.Cifar10, _workspace));
        Assert.Equal("causes: expected an ideal network over the parameters of the PANN (Parameter 'ideal')", error.Message);
    }

    private static ResNet First(ResNet pann, int count)
    {
        var polynomials = pann.Activations.Take(count).ToDictionary(a => a.Path, a => a.Function);
        return pann.With(path => polynomials.TryGetValue(path, out ActivationFunction? function) ? function : new ActivationFunction.Relu());
    }

    private CauseRecord Study(ResNet pann, int[] images) => CauseStudy.Of(pann, pann.Ideal(), RandomNetwork.Sample, images, Normalization.Cifar10, _workspace);

    private Evaluation Of(ResNet model) => Evaluation.Of(model, RandomNetwork.Sample, Images, Normalization.Cifar10, _workspace);

    private static double Margin(Evaluation evaluation, int[] classes)
        => classes.Select((chosen, n) =>
        {
            float[] logits = evaluation.Logits[(n * 10)..((n + 1) * 10)];
            return logits[chosen] - logits.Where((_, k) => k != chosen).Max(v => (double)v);
        }).Average();

    /// <summary>A polynomial that gives no number for the images of a batch from one on.</summary>
    private sealed record NoNumberFrom(int First, ActivationFunction Function) : ActivationFunction
    {
        public override ActivationFunction Ideal => Function.Ideal;

        public override Tensor Apply(Tensor x)
        {
            var polynomial = (Polynomial)Function;
            return new TamperedOp(new PolynomialRelu(polynomial.Approximation, polynomial.Range), (inputs, y) => y.Span[(y.Length / inputs[0].Shape[0] * Math.Min(First, inputs[0].Shape[0]))..].Fill(float.NaN)).Apply(x);
        }
    }

    private sealed class Told(List<int> told) : IProgress<int>
    {
        public void Report(int value) => told.Add(value);
    }
}
