using PannCore.Engine;
using PannCore.Ops;
using Xunit;

namespace PannCore.Tests.Ops;

/// <summary>What the table of operations does not ask: known values, large logits, and settings that are none.</summary>
public sealed class DistillationLossTests : IDisposable
{
    private readonly Workspace _workspace = new(1, fillWithNaN: true);

    public void Dispose() => _workspace.Dispose();

    /// <summary>A network that answers as its teacher does, up to a constant an image, has no loss and no gradient from it.</summary>
    [Fact]
    public void Equal_answers_leave_the_cross_entropy_s_share()
    {
        using var run = new Run(_workspace, tape: true);
        float[] student = [1, 2, 3, -300, 500, 700], teacher = [2, 3, 4, -700, 100, 300];
        Tensor c = run.Input(new(1), [0.5f], needsGradient: true), z = run.Input(new(2, 3), student, needsGradient: true);
        Tensor loss = c.DistillationLoss(z, teacher, weight: 0.75, temperature: 2);
        // Logits over 2 and their differences are exact in float64; log-sums below 4 round by 2^-52 and probabilities by as much again: some 2^-50 in all, of which float32 beside 0.125 keeps nothing.
        Assert.Equal(0.125f, loss.Values[0]);
        var reference = new DoubleTensor(new(1), new double[1]);
        new DistillationLoss(teacher, 0.75, 2).Reference([DoubleTensor.From(new(1), [0.5f]), DoubleTensor.From(new(2, 3), student)], [], reference);
        Assert.Equal(0.125, reference.Values[0], Math.ScaleB(1, -48));
        Gradients gradients = run.Backward(loss);
        Assert.Equal([0.25f], gradients[c].ToArray());
        Assert.All(gradients[z].ToArray(), value => Assert.Equal(0, value, (float)Math.ScaleB(1, -50)));
    }

    /// <summary>Two classes and logits (0, a), (0, b): probabilities are logistic functions of a / T and b / T.</summary>
    [Theory]
    [InlineData(0.3, 1.5, -0.5, 1)]
    [InlineData(1, -2.25, 1.75, 4)]
    [InlineData(0.9, 30, -20, 0.5)]
    public void Two_classes_have_the_divergence_of_logistic_functions(double weight, double a, double b, double temperature)
    {
        double q = 1 / (1 + Math.Exp(-b / temperature)), p = 1 / (1 + Math.Exp(-a / temperature));
        // log(1 + e^x) and its mirror, so that no logarithm is that of a number near 0.
        double logP = -Math.Log(1 + Math.Exp(-a / temperature)), logQ = -Math.Log(1 + Math.Exp(-b / temperature));
        double divergence = (q * (logQ - logP)) + ((1 - q) * (logQ - (b / temperature) - logP + (a / temperature)));
        double expected = ((1 - weight) * 2) + (weight * temperature * temperature * divergence);
        using var run = new Run(_workspace, tape: true);
        Tensor c = run.Input(new(1), [2]), z = run.Input(new(1, 2), [0, (float)a], needsGradient: true);
        Tensor loss = c.DistillationLoss(z, [0, (float)b], weight, temperature);
        Assert.Equal(expected, loss.Values[0], 2 * Math.ScaleB(Math.Abs(expected), -24)); // One rounding to float32, and room for those in float64.
        float[] gradient = run.Backward(loss)[z].ToArray();
        double slope = weight * temperature * (p - q);
        Assert.Equal(slope, gradient[1], 2 * Math.ScaleB(Math.Abs(slope), -24));
        Assert.Equal(-slope, gradient[0], 2 * Math.ScaleB(Math.Abs(slope), -24));
    }

    [Fact]
    public void What_is_no_weight_temperature_or_logit_is_refused()
    {
        using var run = new Run(_workspace);
        Tensor c = run.Input(new(1), [1]), z = run.Input(new(1, 2), [0, 1]);
        foreach (double weight in new[] { -0.1, 1.1, double.NaN }) Assert.Throws<ArgumentOutOfRangeException>(() => c.DistillationLoss(z, [0, 1], weight, 1));
        foreach (double temperature in new[] { 0, -1, double.PositiveInfinity, double.NaN }) Assert.Throws<ArgumentOutOfRangeException>(() => c.DistillationLoss(z, [0, 1], 1, temperature));
        Assert.Equal("distillationLoss: logit 1 of the teacher must be finite, is NaN (Parameter 'teacher')", Assert.Throws<ArgumentException>(() => c.DistillationLoss(z, [0, float.NaN], 1, 1)).Message);
    }
}
