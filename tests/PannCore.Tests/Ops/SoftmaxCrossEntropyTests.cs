using PannCore.Engine;
using PannCore.Ops;
using Xunit;

namespace PannCore.Tests.Ops;

/// <summary>What the table of operations does not ask: targets that are no probabilities, and logits that make a class impossible.</summary>
public sealed class SoftmaxCrossEntropyTests : IDisposable
{
    private readonly Workspace _workspace = new(1, fillWithNaN: true);

    public void Dispose() => _workspace.Dispose();

    [Theory]
    [InlineData(float.NaN, "NaN")]
    [InlineData(float.PositiveInfinity, "Infinity")]
    [InlineData(-0.5f, "-0.5")]
    public void A_target_that_is_no_probability_is_refused(float target, string found)
    {
        using var run = new Run(_workspace);
        Tensor logits = run.Input(new(2, 3), [1, 2, 3, 4, 5, 6]);
        Assert.Equal(
            $"softmaxCrossEntropy: target 4 must be a finite number of at least 0, is {found} (Parameter 'targets')",
            Assert.Throws<ArgumentException>(() => logits.SoftmaxCrossEntropy([0, 1, 0, 0.5f, target, 0.5f])).Message);
    }

    [Fact]
    public void An_impossible_class_that_is_not_wanted_costs_nothing()
    {
        float[] x = [1, float.NegativeInfinity, 3], targets = [0.25f, 0, 0.75f];
        double sum = Math.Exp(1) + Math.Exp(3), expected = (0.25 * (Math.Log(sum) - 1)) + (0.75 * (Math.Log(sum) - 3));
        using var run = new Run(_workspace);
        // A rounding to float32 of a number below 2.
        Assert.Equal(expected, run.Input(new(1, 3), x).SoftmaxCrossEntropy(targets).Values[0], Math.ScaleB(1, -23));
        var reference = new DoubleTensor(new(1), new double[1]);
        new SoftmaxCrossEntropy(targets).Reference([DoubleTensor.From(new(1, 3), x)], [], reference);
        Assert.Equal(expected, reference.Values[0], 1e-14);
    }
}
