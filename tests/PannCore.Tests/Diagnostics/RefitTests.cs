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
        => Assert.Equal(PannCore.Checkpoints.ModelFile.WeightHash(Of(1).Pann), PannCore.Checkpoints.ModelFile.WeightHash(Of(3).Pann));

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

    private static ActivationRanges Ranges() => ActivationRanges.Parse("layer", [.. RandomNetwork.Backbone.Activations.Select(a => a.Path)], RandomNetwork.Largest, 1.5);

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
