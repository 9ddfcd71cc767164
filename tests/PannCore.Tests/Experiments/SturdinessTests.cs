using PannCore.Approximation;
using PannCore.Data;
using PannCore.Engine;
using PannCore.Experiments;
using PannCore.Nn;
using PannCore.Ops;
using PannCore.Tests.Diagnostics;
using PannCore.Training;
using Xunit;

namespace PannCore.Tests.Experiments;

public sealed class SturdinessTests : IDisposable
{
    private static readonly Cifar10 Training = RandomNetwork.Sample.Select([.. Enumerable.Range(0, 12)]), Judging = RandomNetwork.Sample.Select([.. Enumerable.Range(100, 20)]);
    private static readonly ReluPolynomial Polynomial = ActivationSpec.Parse("composite:alpha=6").Build();

    private readonly Workspace _workspace = new(2);
    private readonly ResNet _network = RandomNetwork.Backbone;
    private readonly ActivationRanges _ranges;
    private readonly SturdinessStudy _study;

    public SturdinessTests()
    {
        _ranges = ActivationRanges.Parse("layer", [.. _network.Activations.Select(a => a.Path)], RandomNetwork.Largest, 1.05);
        _study = new(_network, Polynomial, _ranges, Training, Judging, [.. Enumerable.Range(0, Judging.Count)], Normalization.Cifar10, _workspace);
    }

    public void Dispose() => _workspace.Dispose();

    [Fact]
    public void It_can_be_stopped_from_the_beginning()
    {
        var stop = new CancellationToken(canceled: true);
        Assert.ThrowsAny<OperationCanceledException>(() => new SturdinessStudy(_network, Polynomial, _ranges, Training, Judging, [0], Normalization.Cifar10, _workspace, stop));
        Assert.ThrowsAny<OperationCanceledException>(() => _study.Of(layer: null, stop));
    }

    [Fact]
    public void Growth_and_orders_are_those_of_a_network_with_shares_of_its_polynomial()
    {
        const string layer = "layer1.0.relu1";
        Sturdiness found = _study.Of(layer);
        double factor = found.Factor!.Value;

        // The same function put in by hand, its size from the factor alone.
        double Loss(double share) => MeanLoss(_network.With(path => path == layer ? new Blended(_ranges[path], share) : new ActivationFunction.Relu(0)));
        double at0 = MeanLoss(_network.Ideal()), above = Loss(factor / 4), below = Loss(-factor / 4);
        // Losses are means of 20 sums of float32 logits of size up to 10: each right to 1e-5; differences are divided by up to 1/8.
        Assert.Equal(at0, _study.Loss, 1e-5);
        Assert.Equal(Loss(factor) - at0, found.Growth, 2e-5);
        Assert.Equal((above - below) * 2, found.FirstOrder, 8e-5);
        Assert.Equal((above - (2 * at0) + below) * 8, found.SecondOrder, 64e-5);
        Assert.NotEqual(0, found.Growth, 1e-3);
    }

    [Fact]
    public void The_error_is_a_tenth_of_the_signal()
    {
        const string layer = "layer2.1.relu2";
        double factor = _study.Of(layer).Factor!.Value;
        var seen = new Inputs(layer);
        Evaluation.Of(_network.Ideal(), Training, [.. Enumerable.Range(0, Training.Count)], Normalization.Cifar10, _workspace, observers: [seen]);
        double error = seen.Values.Sum(x => Math.Pow(factor * ((_ranges[layer] * Polynomial.Evaluate(x / _ranges[layer])) - Math.Max(x, 0)), 2)), signal = seen.Values.Sum(x => Math.Pow(Math.Max(x, 0), 2));
        Assert.Equal(SturdinessStudy.Energy, Math.Sqrt(error / signal), 1e-5);
    }

    [Fact]
    public void All_activations_at_once_each_get_the_error_that_is_theirs()
    {
        Sturdiness found = _study.Of(layer: null);
        Assert.Null(found.Factor);
        Dictionary<string, double> factors = _network.Activations.ToDictionary(a => a.Path, a => _study.Of(a.Path).Factor!.Value);
        double at0 = MeanLoss(_network.Ideal()), Loss = MeanLoss(_network.With(path => new Blended(_ranges[path], factors[path])));
        Assert.Equal(Loss - at0, found.Growth, 2e-5);
    }

    private double MeanLoss(ResNet network)
    {
        float[] logits = Evaluation.Of(network, Judging, [.. Enumerable.Range(0, Judging.Count)], Normalization.Cifar10, _workspace, Judging.Count).Logits;
        return Enumerable.Range(0, Judging.Count).Average(n => -Math.Log(Math.Exp(logits[(n * 10) + Judging.Labels[n]]) / Enumerable.Range(0, 10).Sum(k => Math.Exp(logits[(n * 10) + k]))));
    }

    private sealed record Blended(double Range, double Share) : ActivationFunction
    {
        public override Tensor Apply(Tensor x) => x.PerturbedRelu(new(PerturbedSide.Both, Share < 0 ? PerturbationForm.OwnReversed : PerturbationForm.Own, Math.Abs(Share), SturdinessTests.Polynomial, Range), new CounterRandom(0, RandomStream.Perturbation, 0), Enumerable.Range(0, Judging.Count).ToArray());
    }

    private sealed class Inputs(string path) : IRunObserver
    {
        public List<double> Values { get; } = [];

        public void Forward(Op op, string at, IReadOnlyList<Tensor> inputs, Tensor output)
        {
            if (at != path) return;
            foreach (float x in inputs[0].Values) Values.Add(x);
        }
    }
}
