using PannCore.Data;
using PannCore.Engine;
using PannCore.Ops;
using PannCore.Tests.Support;
using PannCore.Training;
using Xunit;

namespace PannCore.Tests.Oracle;

/// <summary>The published network in evaluation, against another framework's float64 results.</summary>
public sealed class EvaluationOracleTests
{
    // Values are of order 1 to 30 and pass 20 convolutions of at most 577 roundings each, which mostly cancel: 1e-4 is some 20 float32 roundings of the largest.
    private const double Tolerance = 1e-4;

    [NeedsOracleFact]
    public void LogitsAgree()
    {
        var oracle = new OracleData();
        using var workspace = new Workspace(2, fillWithNaN: true);
        using var run = new Run(workspace);
        Tensor logits = OracleData.Model().Call(oracle.Input(run));
        OracleData.AssertClose(oracle["eval.logits"], logits.Values, Tolerance, "logits");
    }

    [NeedsOracleFact]
    public void EveryActivationAgrees()
    {
        var oracle = new OracleData();
        var seen = new Recorder();
        using var workspace = new Workspace(2);
        using var run = new Run(workspace, observers: [seen]);
        OracleData.Model().Call(oracle.Input(run));
        Seen[] activations = [.. seen.Outputs.Where(output => output.Op is Relu)];
        Assert.Equal(19, activations.Length);
        for (int i = 0; i < activations.Length; i++)
        {
            double[] expected = oracle.Nhwc($"relu.act.{i:00}");
            OracleData.AssertClose(expected, activations[i].Values.AsSpan(0, expected.Length), Tolerance, activations[i].Path);
        }
    }

    [NeedsEverythingFact]
    public void PredictionsOfAllTestImagesAgree()
    {
        double[] expected = new OracleData()["eval.test_predictions"];
        Cifar10 test = Cifar10.ReadTest(External.Data!);
        using var workspace = new Workspace(2);
        Evaluation found = Evaluation.Of(OracleData.Model(), test, [.. Enumerable.Range(0, test.Count)], Normalization.ImageNet, workspace);

        // Two logits closer than float32's error may change places: 2 images in 10,000 and 1 right answer are allowed.
        Assert.InRange(found.Predictions.Zip(expected).Count(pair => pair.First == (int)pair.Second), 9998, 10000);
        Assert.InRange(found.Correct, 9172, 9174);
        Assert.Equal(0, found.NonFinite);
    }
}
