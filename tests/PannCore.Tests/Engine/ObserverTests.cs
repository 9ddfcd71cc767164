using PannCore.Approximation;
using PannCore.Engine;
using PannCore.Nn;
using PannCore.Ops;
using PannCore.Tests.Support;
using Xunit;

namespace PannCore.Tests.Engine;

/// <summary>What observers see of a ResNet-20: every operation once, in order, under its path.</summary>
public sealed class ObserverTests
{
    /// <summary>The operations of ResNet-20 in the order of execution: He et al. 2015, section 4.2.</summary>
    private static readonly (string Op, string Path)[] Operations = [.. Expected()];

    [Fact]
    public void EveryOperationIsSeenUnderItsPath()
    {
        var seen = new Recorder();
        using var workspace = new Workspace(2);
        using var run = new Run(workspace, observers: [seen]);
        new ResNet(20).Call(Input(run));
        Assert.Equal(Operations, seen.Outputs.Select(output => (output.Op.Name, output.Path)));
    }

    [Fact]
    public void GradientsAreSeenOnceInReverseOrder()
    {
        var seen = new Recorder();
        var model = new ResNet(20);
        model.Initialise(1);
        using var workspace = new Workspace(2);
        using var run = new Run(workspace, Statistics.Training, tape: true, [seen]);
        Tensor loss = model.Call(Input(run)).SoftmaxCrossEntropy([3, 4]);
        run.Backward(loss);
        Assert.Equal([.. Operations, ("softmaxCrossEntropy", "softmaxCrossEntropy")], seen.Outputs.Select(output => (output.Op.Name, output.Path)));
        Assert.Equal(seen.Outputs.Select(output => (output.Op, output.Path, output.Shape.Length)).Reverse(), seen.Gradients.Select(g => (g.Op, g.Path, g.Values.Length)));
        Assert.Equal([1f], seen.Gradients[0].Values);
        Assert.All(seen.Gradients, gradient => Assert.DoesNotContain(float.NaN, gradient.Values));
    }

    [Fact]
    public void ThereAreNineteenActivations()
    {
        string[] activations =
        [
            "relu", "layer1.0.relu1", "layer1.0.relu2", "layer1.1.relu1", "layer1.1.relu2", "layer1.2.relu1", "layer1.2.relu2",
            "layer2.0.relu1", "layer2.0.relu2", "layer2.1.relu1", "layer2.1.relu2", "layer2.2.relu1", "layer2.2.relu2",
            "layer3.0.relu1", "layer3.0.relu2", "layer3.1.relu1", "layer3.1.relu2", "layer3.2.relu1", "layer3.2.relu2",
        ];
        var model = new ResNet(20);
        Assert.Equal(activations, model.Activations.Select(activation => activation.Path));
        Assert.Equal(activations, Operations.Where(operation => operation.Op == "relu").Select(operation => operation.Path));

        // Converting a network puts another operation under the same paths.
        var seen = new Recorder();
        ReluPolynomial polynomial = ActivationSpec.Parse("direct:4").Build();
        using var workspace = new Workspace(1);
        using var run = new Run(workspace, observers: [seen]);
        model.With(_ => new ActivationFunction.Polynomial(polynomial, 5)).Call(Input(run));
        Assert.Equal(activations, seen.Outputs.Where(output => output.Op is PolynomialRelu).Select(output => output.Path));
        Assert.Equal(Operations.Select(operation => operation.Path), seen.Outputs.Select(output => output.Path));
    }

    private static IEnumerable<(string Op, string Path)> Expected()
    {
        yield return ("conv2d", "conv1");
        yield return ("batchNorm", "bn1");
        yield return ("relu", "relu");
        for (int stage = 1; stage <= 3; stage++)
        {
            for (int block = 0; block < 3; block++)
            {
                string path = $"layer{stage}.{block}.";
                yield return ("conv2d", path + "conv1");
                yield return ("batchNorm", path + "bn1");
                yield return ("relu", path + "relu1");
                yield return ("conv2d", path + "conv2");
                yield return ("batchNorm", path + "bn2");
                if (stage > 1 && block == 0) yield return ("shortcut", path + "shortcut");
                yield return ("add", path + "add");
                yield return ("relu", path + "relu2");
            }
        }
        yield return ("pool", "pool");
        yield return ("linear", "linear");
    }

    private static Tensor Input(Run run) => run.Input(new(2, 8, 8, 3), [.. Enumerable.Range(0, 384).Select(i => i % 7 - 3f)]);
}
