using PannCore.Engine;
using PannCore.Nn;
using PannCore.Ops;
using PannCore.Tests.Support;
using PannCore.Training;
using Xunit;

namespace PannCore.Tests.Oracle;

/// <summary>The published network in training on one batch, against another framework's float64 results.</summary>
public sealed class TrainingOracleTests
{
    [NeedsOracleFact]
    public void OneStepAgrees() => OneStep(ConvAlgorithm.Direct, gradientTolerance: 1e-4);

    /// <summary>
    /// Another rounding may turn the sign of a ReLU's input that is nearly 0, and one such flip moves gradients by some 4e-2 of their largest:
    /// the tolerance is the direct one's where no sign differs from the direct run's, and 5e-2 where one does.
    /// </summary>
    [NeedsOracleFact]
    public void OneStepByF2Agrees() => OneStepByWinogradAgrees(ConvAlgorithm.Winograd2);

    /// <inheritdoc cref="OneStepByF2Agrees"/>
    [NeedsOracleFact]
    public void OneStepByF4Agrees() => OneStepByWinogradAgrees(ConvAlgorithm.Winograd4);

    private static void OneStepByWinogradAgrees(ConvAlgorithm winograd)
    {
        List<bool> direct = Signs(ConvAlgorithm.Direct), other = Signs(winograd);
        Assert.Equal(direct.Count, other.Count);
        int flips = direct.Zip(other).Count(pair => pair.First != pair.Second);
        Assert.InRange(flips, 0, direct.Count / 100_000);
        OneStep(winograd, flips == 0 ? 1e-4 : 5e-2);

        static List<bool> Signs(ConvAlgorithm algorithm)
        {
            var signs = new SignRecorder();
            using var workspace = new Workspace(2, algorithm);
            using var run = new Run(workspace, Statistics.Training, tape: false, [signs]);
            OracleData.Model().Call(new OracleData().Input(run));
            return signs.Positive;
        }
    }

    private static void OneStep(ConvAlgorithm algorithm, double gradientTolerance)
    {
        var oracle = new OracleData();
        ResNet model = OracleData.Model();
        using var workspace = new Workspace(2, algorithm, fillWithNaN: true);
        using var run = new Run(workspace, Statistics.Training, tape: true);
        Tensor logits = model.Call(oracle.Input(run));
        OracleData.AssertClose(oracle["train.logits"], logits.Values, 1e-4, "logits");
        Tensor loss = logits.SoftmaxCrossEntropy(oracle.Labels);
        double expected = oracle["train.loss"][0];
        Assert.True(Math.Abs(loss.Values[0] - expected) <= 1e-5 * expected, $"loss {loss.Values[0]} for {expected}");

        Gradients gradients = run.Backward(loss);
        Parameter[] trainable = [.. model.Parameters.All.Where(p => p.Trainable)];
        Assert.Equal(oracle.Names.Count(name => name.StartsWith("train.grad.", StringComparison.Ordinal)), trainable.Length);
        foreach (Parameter parameter in trainable)
        {
            double[] gradient = oracle["train.grad." + parameter.Name];
            OracleData.AssertClose(gradient, gradients[parameter], gradientTolerance * gradient.Max(Math.Abs), "gradient of " + parameter.Name);
        }

        Parameter[] running = [.. model.Parameters.All.Where(p => !p.Trainable)];
        Assert.Equal(oracle.Names.Count(name => name.StartsWith("train.after.", StringComparison.Ordinal)), running.Length);
        foreach (Parameter parameter in running)
        {
            double[] after = oracle["train.after." + parameter.Name];
            OracleData.AssertClose(after, parameter.Values, 1e-5 * after.Max(Math.Abs), parameter.Name);
        }
    }

    [NeedsOracleFact]
    public void LossesOfTenStepsAgree()
    {
        var oracle = new OracleData();
        ResNet model = OracleData.Model();
        var sgd = new Sgd(model.Parameters.All, momentum: 0.9, decay: 5e-4);
        using var workspace = new Workspace(2);
        double[] expected = oracle["sgd.losses"];
        Assert.Equal(10, expected.Length);
        for (int step = 0; step < expected.Length; step++)
        {
            using var run = new Run(workspace, Statistics.Training, tape: true);
            Tensor loss = model.Call(oracle.Input(run)).SoftmaxCrossEntropy(oracle.Labels);
            double found = loss.Values[0];

            // The losses fall from 0.6 to 1e-4, where float32 logits of 1e-6 relative error still fix them to a few percent, and rise again.
            Assert.True(Math.Abs(found - expected[step]) <= 0.05 * expected[step], $"step {step}: {found} for {expected[step]}");
            sgd.Step(run.Backward(loss), 0.01);
        }
    }

    private sealed class SignRecorder : IRunObserver
    {
        public List<bool> Positive { get; } = [];

        public void Forward(Op op, string path, IReadOnlyList<Tensor> inputs, Tensor output)
        {
            if (op.Activation is null) return;
            foreach (float value in inputs[0].Values) Positive.Add(value > 0);
        }
    }
}
