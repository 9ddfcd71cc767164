using PannCore.Approximation;
using PannCore.Data;
using PannCore.Diagnostics;
using PannCore.Engine;
using PannCore.Nn;
using PannCore.Training;
using Xunit;

namespace PannCore.Tests.Diagnostics;

public sealed class RefitTests : IDisposable
{
    private static readonly int[] Images = [.. Enumerable.Range(0, 20)];
    private static readonly ActivationSpec Spec = ActivationSpec.Parse("composite:alpha=4");

    private readonly Workspace _workspace = new(2);

    public void Dispose() => _workspace.Dispose();

    /// <summary>
    /// At the least squares solution D the residual x D - e/s is orthogonal to every input but for the ridge. Checked by naive sums in double for the first layer behind an activation, whose inputs no other fit changes.
    /// </summary>
    [Fact]
    public void The_first_layer_solves_its_normal_equations()
    {
        const double ridge = 0.01;
        ActivationRanges ranges = Ranges();
        (ResNet pann, IReadOnlyList<RefitLayer> lines) = Refit.Of(RandomNetwork.Backbone, Spec, ranges, RandomNetwork.Sample, Images, Normalization.Cifar10, _workspace, ridge);
        var old = new Watch();
        Evaluation.Of(RandomNetwork.Backbone.With(Spec, ranges), RandomNetwork.Sample, Images, Normalization.Cifar10, _workspace, observers: [old]);
        var ideal = new Watch();
        Evaluation.Of(RandomNetwork.Backbone, RandomNetwork.Sample, Images, Normalization.Cifar10, _workspace, observers: [ideal]);
        var fitted = new Watch();
        Evaluation.Of(pann, RandomNetwork.Sample, Images, Normalization.Cifar10, _workspace, observers: [fitted]);

        ParameterSet before = RandomNetwork.Backbone.Parameters, after = pann.Parameters;
        const int channels = 16, inputs = 16, side = 32;
        int places = Images.Length * side * side;
        double Value(int place, int k)
        {
            if (k == 9 * inputs) return 1;
            int image = place / (side * side), y = (place / side % side) + (k / 3 % 3) - 1, x = (place % side) + (k % 3) - 1;
            return y is < 0 or >= side || x is < 0 or >= side ? 0 : old.Input[(((((image * side) + y) * side) + x) * inputs) + (k / 9)];
        }
        double meanSquare = Enumerable.Range(0, 9 * inputs).Average(k => Enumerable.Range(0, places).Average(p => Value(p, k) * Value(p, k)));
        foreach (int c in (int[])[0, 7, 15])
        {
            double scale = before.Find("layer1.0.bn1.weight")!.Values[c] / Math.Sqrt(before.Find("layer1.0.bn1.running_var")!.Values[c] + 1e-5);
            double[] change =
            [
                .. Enumerable.Range(0, 9 * inputs).Select(k => (double)after.Find("layer1.0.conv1.weight")!.Values[(c * 9 * inputs) + k] - before.Find("layer1.0.conv1.weight")!.Values[(c * 9 * inputs) + k]),
                (double)before.Find("layer1.0.bn1.running_mean")!.Values[c] - after.Find("layer1.0.bn1.running_mean")!.Values[c],
            ];
            double[] residual = [.. Enumerable.Range(0, places).Select(p => Enumerable.Range(0, change.Length).Sum(k => change[k] * Value(p, k)) - (((double)ideal.Output[(p * channels) + c] - old.Output[(p * channels) + c]) / scale))];
            for (int k = 0; k < change.Length; k++)
            {
                double sum = 0, size = 0;
                for (int p = 0; p < places; p++)
                {
                    sum += Value(p, k) * residual[p];
                    size += Math.Abs(Value(p, k) * residual[p]);
                }
                // Products are summed in float32 over 256 places, and weights stored in float32: 1e-5 of the sum of sizes is ten times that.
                Assert.Equal(0, sum + (k < 9 * inputs ? places * ridge * meanSquare * change[k] : 0), 1e-5 * (size + (places * meanSquare)));
            }
        }

        // What the fit promises for its own images is what the network then does.
        double error = 0, signal = 0;
        for (int i = 0; i < ideal.Output.Length; i++) (error, signal) = (error + Math.Pow((double)ideal.Output[i] - fitted.Output[i], 2), signal + Math.Pow(ideal.Output[i], 2));
        Assert.Equal(lines[0].After, Math.Sqrt(error / signal), 1e-4);
        Assert.True(lines[0].After < lines[0].Before / 2);
    }

    /// <summary>The line's promise, from the normal equations alone, is what the network does: through a stride, behind a block's sum, at the logits. Later fits change none of these outputs.</summary>
    [Theory]
    [InlineData("layer1.1.conv2", "layer1.1.add")]
    [InlineData("layer2.0.conv1", "layer2.0.bn1")]
    [InlineData("layer2.0.conv2", "layer2.0.add")]
    [InlineData("linear", "linear")]
    public void What_a_line_promises_the_network_keeps(string layer, string target)
    {
        (ResNet pann, IReadOnlyList<RefitLayer> lines) = Of(2);
        RefitLayer line = lines.Single(l => l.Path == layer);
        Assert.Equal((target, 0), (line.Target, line.ImagesLeftOut));
        float[] Output(ResNet network)
        {
            var watch = new Watch(target);
            Evaluation.Of(network, RandomNetwork.Sample, Images, Normalization.Cifar10, _workspace, observers: [watch]);
            return watch.Output;
        }
        float[] ideal = Output(RandomNetwork.Backbone), fitted = Output(pann);
        double error = 0, signal = 0;
        for (int i = 0; i < ideal.Length; i++) (error, signal) = (error + Math.Pow((double)ideal[i] - fitted[i], 2), signal + Math.Pow(ideal[i], 2));
        // Sums in float32, and weights rounded to float32, which many cancelling changes magnify: a thousandth of the error.
        Assert.Equal(line.After, Math.Sqrt(error / signal), 1e-3 * line.Before);
    }

    [Fact]
    public void Too_few_images_for_a_small_ridge_are_refused()
        => Assert.StartsWith(
            "refit: at layer", Assert.Throws<BadInputException>(() => Refit.Of(RandomNetwork.Backbone, Spec, Ranges(), RandomNetwork.Sample, [0], Normalization.Cifar10, _workspace, ridge: 1e-12)).Message, StringComparison.Ordinal);

    [Fact]
    public void Every_layer_behind_an_activation_is_fitted_and_nothing_else_changes()
    {
        (ResNet pann, IReadOnlyList<RefitLayer> lines) = Of(2);
        Assert.Equal(Refit.Steps(RandomNetwork.Backbone), lines.Count);
        Assert.Equal(["layer1.0.conv1", "layer1.0.conv2"], lines.Take(2).Select(line => line.Path));
        Assert.Equal(("linear", "linear"), (lines[^1].Path, lines[^1].Target));
        string[] changed = [.. pann.Parameters.All.Where(p => !p.Values.SequenceEqual(RandomNetwork.Backbone.Parameters.Find(p.Name)!.Values)).Select(p => p.Name)];
        string[] expected = [.. from path in lines.Select(line => line.Path) from name in path == "linear" ? (string[])["linear.weight", "linear.bias"] : [$"{path}.weight", $"{path.Replace("conv", "bn", StringComparison.Ordinal)}.running_mean"] select name];
        Assert.Equal(expected.Order(StringComparer.Ordinal), changed.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Threads_change_no_bit()
    {
        (ResNet pann, IReadOnlyList<RefitLayer> lines) = Of(1);
        (ResNet other, IReadOnlyList<RefitLayer> others) = Of(3);
        Assert.Equal(PannCore.Checkpoints.ModelFile.WeightHash(pann), PannCore.Checkpoints.ModelFile.WeightHash(other));
        Assert.Equal(lines, others);
    }

    /// <summary>An image in which a polynomial explodes has no part in the fit: without it the first layer comes out the same.</summary>
    [Fact]
    public void Images_that_explode_have_no_part_in_the_fit()
    {
        // The widest image of the batch alone leaves its range at the first activation, by enough for a polynomial of high degree to explode.
        string[] paths = [.. RandomNetwork.Backbone.Activations.Select(a => a.Path)];
        float[] largest = [.. Images.Select(image =>
        {
            var probe = new RangeProbe();
            Evaluation.Of(RandomNetwork.Backbone, RandomNetwork.Sample, [image], Normalization.Cifar10, _workspace, observers: [probe]);
            return (float)probe.ByPath["relu"].Largest;
        })];
        int widest = Array.IndexOf(largest, largest.Max());
        double second = largest.Order().TakeLast(2).First();
        Assert.True(largest.Max() > 1.05 * second, $"{largest.Max()} beside {second}");
        var ranges = ActivationRanges.Of("here", paths, paths.ToDictionary(path => path, path => path == "relu" ? 1.001 * second : 100));
        var deep = ActivationSpec.Parse("composite:alpha=12");
        (ResNet Pann, IReadOnlyList<RefitLayer> Lines) On(int[] images) => Refit.Of(RandomNetwork.Backbone, deep, ranges, RandomNetwork.Sample, images, Normalization.Cifar10, _workspace);
        (ResNet all, IReadOnlyList<RefitLayer> lines) = On(Images);
        Assert.All(lines, line => Assert.Equal(1, line.ImagesLeftOut));
        ReadOnlySpan<float> with = all.Parameters.Find("layer1.0.conv1.weight")!.Values, without = On([.. Images.Where(image => image != Images[widest])]).Pann.Parameters.Find("layer1.0.conv1.weight")!.Values;
        // Only the order of float32 sums differs; with the image its inputs of thousands of times the others' would rule the fit.
        float size = 0;
        foreach (float value in without) size = Math.Max(size, Math.Abs(value));
        for (int i = 0; i < with.Length; i++) Assert.Equal(without[i], with[i], 1e-3f * size);
    }

    /// <summary>What is fitted to is the network with the slope that the polynomial stands for.</summary>
    [Fact]
    public void A_leak_is_part_of_what_is_fitted_to()
    {
        // The slope makes inputs larger than those that ranges were measured on.
        var leaky = ActivationSpec.Parse("composite:alpha=10,leak=0.3");
        (ResNet pann, IReadOnlyList<RefitLayer> lines) = Refit.Of(RandomNetwork.Backbone, leaky, Ranges(margin: 6), RandomNetwork.Sample, Images, Normalization.Cifar10, _workspace);
        float[] Logits(ResNet network) => Evaluation.Of(network, RandomNetwork.Sample, Images, Normalization.Cifar10, _workspace).Logits;
        float[] fitted = Logits(pann), sloped = Logits(RandomNetwork.Backbone.With(_ => new ActivationFunction.Relu(0.3f))), plain = Logits(RandomNetwork.Backbone);
        double Distance(float[] other) => Math.Sqrt(fitted.Zip(other, (a, b) => Math.Pow(a - b, 2)).Sum());
        Assert.True(Distance(sloped) < 0.1 * Distance(plain), $"{Distance(sloped)} from the leaky network, {Distance(plain)} from the other");
        Assert.All(lines, line => Assert.True(line.Before < 0.2, $"{line.Path}: {line.Before}"));
    }

    /// <summary>Weight decay leaves channels whose scale and shift are 0.</summary>
    [Fact]
    public void A_channel_that_batch_norm_shuts_off_is_left_alone()
    {
        ResNet network = RandomNetwork.Make(1);
        foreach (string name in (string[])["layer1.0.bn1.weight", "layer1.0.bn1.bias"]) network.Parameters.Find(name)!.Update(values => values[3] = 0);
        (ResNet pann, _) = Refit.Of(network, Spec, Ranges(), RandomNetwork.Sample, Images, Normalization.Cifar10, _workspace);
        Assert.All(pann.Parameters.All, parameter => Assert.All(parameter.Values.ToArray(), value => Assert.True(float.IsFinite(value), parameter.Name)));
        Assert.Equal(network.Parameters.Find("layer1.0.conv1.weight")!.Values.Slice(3 * 144, 144), pann.Parameters.Find("layer1.0.conv1.weight")!.Values.Slice(3 * 144, 144));
    }

    [Fact]
    public void It_is_refused_where_every_image_explodes()
    {
        string[] paths = [.. RandomNetwork.Backbone.Activations.Select(a => a.Path)];
        var narrow = ActivationRanges.Parse("global:0.01", paths, null, 1);
        var deep = ActivationSpec.Parse("composite:alpha=13");
        Assert.Equal(
            "refit: at layer1.0.conv1, composite:alpha=13 over ranges 'global:0.01' has answered beyond twice its range in every one of the 20 images; give a wider range",
            Assert.Throws<ExplodedException>(() => Refit.Of(RandomNetwork.Backbone, deep, narrow, RandomNetwork.Sample, Images, Normalization.Cifar10, _workspace)).Message);
        Assert.Equal(
            "refit: expected a polynomial activation, found relu",
            Assert.Throws<BadInputException>(() => Refit.Of(RandomNetwork.Backbone, ActivationSpec.Parse("relu"), narrow, RandomNetwork.Sample, Images, Normalization.Cifar10, _workspace)).Message);
    }

    private static ActivationRanges Ranges(double margin = 1.5) => ActivationRanges.Parse("layer", [.. RandomNetwork.Backbone.Activations.Select(a => a.Path)], RandomNetwork.Largest, margin);

    private static (ResNet Pann, IReadOnlyList<RefitLayer> Lines) Of(int threads)
    {
        using var workspace = new Workspace(threads);
        return Refit.Of(RandomNetwork.Backbone, Spec, Ranges(), RandomNetwork.Sample, Images, Normalization.Cifar10, workspace);
    }

    private sealed class Watch(string target = "layer1.0.bn1") : IRunObserver
    {
        public float[] Input { get; private set; } = [];

        public float[] Output { get; private set; } = [];

        public void Forward(Op op, string path, IReadOnlyList<Tensor> inputs, Tensor output)
        {
            if (path == "layer1.0.conv1") Input = inputs[0].Values.ToArray();
            if (path == target) Output = output.Values.ToArray();
        }
    }
}
