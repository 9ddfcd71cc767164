using PannCore.Data;
using PannCore.Diagnostics;
using PannCore.Engine;
using PannCore.Nn;
using PannCore.Ops;
using PannCore.Training;
using Xunit;
using Tensor = PannCore.Engine.Tensor;

namespace PannCore.Tests.Diagnostics;

public sealed class MarginGradientTests : IDisposable
{
    private readonly Workspace _workspace = new(2, fillWithNaN: true);

    public void Dispose() => _workspace.Dispose();

    [Theory]
    [InlineData("composite:alpha=5", 20)]
    [InlineData("direct:8", 301)]
    public void Predictions_are_the_slope_of_the_margin_as_the_errors_are_scaled_up_from_nothing(string spec, int image)
    {
        ResNet pann = RandomNetwork.Pann(spec);
        var functions = pann.Activations.ToDictionary(a => a.Path, a => (ActivationFunction.Polynomial)a.Function);
        CauseRecord record = CauseStudy.Of(pann, pann.Ideal(), RandomNetwork.Sample, [image], Normalization.Cifar10, _workspace);
        var recorder = new Recorder();
        Evaluation ideal = Evaluation.Of(pann.Ideal(), RandomNetwork.Sample, [image], Normalization.Cifar10, _workspace, observers: [recorder]);
        var naive = new NaiveOps(RandomNetwork.Backbone);

        // Central differences in float64: rounding of 1e-14 over 2e-6, and as much again where a step crosses a kink of the ReLU. The study's float32 has 20 sums of up to 576 products
        // on the way there and as many on the way back, a relative error of at most 40 x 576 x 2^-24 of the sum of magnitudes, which rounding of either sign keeps far below.
        const double step = 1e-6, relative = 20 * 576 / (double)(1 << 24);
        foreach (string? only in new[] { null, "relu", "layer1.2.relu2", "layer2.0.relu1", "layer3.2.relu2" })
        {
            double slope = (Margin(only, step) - Margin(only, -step)) / (2 * step);
            double predicted = record.Layers.Where(layer => only is null || layer.Path == only).Sum(layer => layer.FirstOrder);
            Assert.True(Math.Abs(slope - predicted) <= (relative * record.Layers.Max(layer => Math.Abs(layer.FirstOrder))) + 1e-7, $"{only ?? "all"}: slope {slope}, predicted {predicted}");
        }
        Assert.True(record.Layers.Max(layer => Math.Abs(layer.FirstOrder)) > 0.01, "nothing to be seen");

        double Margin(string? only, double scale)
        {
            var results = new List<double[]>();
            foreach (RecordedOp op in recorder.Ops)
            {
                double[][] inputs = [.. op.From.Select((from, j) => from < 0 ? op.Inputs[j] : results[from])];
                double[] output = naive.Apply(op, inputs, ideal: true);
                if (op.Op is Relu && (only is null || op.Path == only))
                    output = [.. output.Zip(inputs[0], (y, x) => y + (scale * (NaiveOps.Polynomial(functions[op.Path], x) - y)))];
                results.Add(output);
            }
            double[] logits = results[^1];
            return logits[ideal.Predictions[0]] - logits.Where((_, k) => k != ideal.Predictions[0]).Max();
        }
    }

    [Fact]
    public void The_logits_are_those_of_the_ideal_network_and_its_weights_stay_as_they_are()
    {
        ResNet pann = RandomNetwork.Pann("composite:alpha=5"), network = pann.Ideal();
        int[] versions = [.. network.Parameters.All.Select(p => p.Version)];
        using var run = new Run(_workspace);
        Tensor pixels = new BatchLoader(RandomNetwork.Sample, Normalization.Cifar10).Load(run, new[] { 3, 4, 5 });
        (float[] logits, double[][] products) = new MarginGradient(pann, network).Of(_workspace, pixels.Shape, pixels.Values);
        Assert.Equal(Evaluation.Of(network, RandomNetwork.Sample, [3, 4, 5], Normalization.Cifar10, _workspace).Logits, logits);
        Assert.Equal((19, 3), (products.Length, products[0].Length));
        Assert.Equal(versions, network.Parameters.All.Select(p => p.Version));
    }

    [Fact]
    public void A_function_of_several_operations_counts_from_its_first_to_its_last()
    {
        ResNet one = RandomNetwork.Pann("composite:alpha=5"), several = one.With(path => new AndNothing(one.Activations.Single(a => a.Path == path).Function));
        using var run = new Run(_workspace);
        Tensor pixels = new BatchLoader(RandomNetwork.Sample, Normalization.Cifar10).Load(run, new[] { 3 });
        double[][] whole = new MarginGradient(one, one.Ideal()).Of(_workspace, pixels.Shape, pixels.Values).Products;
        double[][] parts = new MarginGradient(several, several.Ideal()).Of(_workspace, pixels.Shape, pixels.Values).Products;
        // Adding 0 is exact.
        Assert.Equal(whole, parts);
    }

    [Theory]
    [InlineData(new float[] { 3, 1, 2 }, 0, 2)]
    [InlineData(new float[] { 1, 3, 1 }, 1, 0)]
    [InlineData(new float[] { 1, 2, 3 }, 2, 1)]
    [InlineData(new float[] { 5, 5, 5 }, 0, 1)]
    public void The_runner_up_is_the_first_largest_of_the_others(float[] logits, int predicted, int expected)
        => Assert.Equal(expected, MarginGradient.RunnerUp(logits, predicted));

    /// <summary>A function, and 0 added to it.</summary>
    private sealed record AndNothing(ActivationFunction Function) : ActivationFunction
    {
        public override ActivationFunction Ideal => new AndNothing(Function.Ideal);

        public override Tensor Apply(Tensor x) => Function.Apply(x).Add(x.Run.Input(x.Shape, new float[x.Shape.Length]));
    }
}
