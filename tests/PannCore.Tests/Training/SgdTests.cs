using PannCore.Engine;
using PannCore.Ops;
using PannCore.Training;
using Xunit;

namespace PannCore.Tests.Training;

public sealed class SgdTests
{
    [Theory]
    [InlineData(0.9, 5e-4)]
    [InlineData(0.9, 0)]
    [InlineData(0, 0.01)]
    public void StepsFollowTheFormula(double momentum, double decay)
    {
        // loss = sum of x w + b, so that the gradients are x and 1 whatever the weights are.
        Parameter w = new("w", new(1, 3)), b = new("b", new(1)), statistic = new("m", new(1), trainable: false);
        w.Set([1, -2, 0.5f]);
        b.Set([0.25f]);
        statistic.Set([7]);
        var sgd = new Sgd([w, b, statistic], momentum, decay);
        Assert.Equal([w, b], sgd.Parameters);
        using var workspace = new Workspace(1);
        double[] weights = [1, -2, 0.5, 0.25], velocity = new double[4];
        for (int step = 0; step < 20; step++)
        {
            float[] x = [step % 3 - 1, 0.5f, -0.25f * step];
            double[] gradient = [x[0], x[1], x[2], 1];
            double rate = 0.1 / (step + 1);
            using var run = new Run(workspace, tape: true);
            sgd.Step(run.Backward(run.Input(new(1, 3), x).Linear(w, b)), rate);
            for (int i = 0; i < weights.Length; i++)
            {
                // g := g + decay w; v := momentum v + g; w := w - rate v.
                velocity[i] = (momentum * velocity[i]) + gradient[i] + (decay * weights[i]);
                weights[i] -= rate * velocity[i];
            }
            float[] found = [.. w.Values, .. b.Values], speed = [.. sgd.Velocity(w), .. sgd.Velocity(b)];

            // A step rounds v and w a few times each; |w| stays below 8 and |v| below 40 over twenty steps.
            for (int i = 0; i < weights.Length; i++)
            {
                Assert.Equal(weights[i], found[i], tolerance: (step + 1) * 4 * 8 * Math.ScaleB(1, -24));
                Assert.Equal(velocity[i], speed[i], tolerance: (step + 1) * 4 * 40 * Math.ScaleB(1, -24));
            }
            Assert.True(Math.Abs(weights.Max(Math.Abs)) < 8 && velocity.Max(Math.Abs) < 40);
        }
        Assert.Equal(7, statistic.Values[0]);
    }

    [Theory]
    [InlineData(2.5, 0.5)]
    [InlineData(5, 1)]
    [InlineData(6, 1)]
    public void A_gradient_whose_norm_is_too_large_is_scaled_down_to_it(double most, double scale)
    {
        // The gradient is (sqrt 24, 0, 0) for w and 1 for b: its norm is 5.
        Parameter w = new("w", new(1, 3)), b = new("b", new(1));
        w.Set([1, 1, 1]);
        b.Set([1]);
        var sgd = new Sgd([w, b], momentum: 0, decay: 0, maxNorm: most);
        using var workspace = new Workspace(1);
        using var run = new Run(workspace, tape: true);
        float x = (float)Math.Sqrt(24);
        sgd.Step(run.Backward(run.Input(new(1, 3), [x, 0, 0]).Linear(w, b)), 0.125);
        // Three roundings of numbers of at most 1.
        Assert.Equal(1 - (0.125 * scale * x), w.Values[0], 3 * Math.ScaleB(1, -24));
        Assert.Equal(1 - (0.125 * scale), b.Values[0], 3 * Math.ScaleB(1, -24));
        Assert.Equal(1, w.Values[1]);
    }

    [Theory]
    [InlineData(DecayScope.All, true, true)]
    [InlineData(DecayScope.Convolutions, true, false)]
    [InlineData(DecayScope.Others, false, true)]
    public void Decay_acts_on_the_parameters_in_its_scope(DecayScope scope, bool kernel, bool scale)
    {
        Parameter w = new("conv.weight", new(1, 1, 1, 1)), b = new("linear.bias", new(1)), frozen = new("linear.weight", new(1, 1), trainable: false);
        w.Set([1]);
        b.Set([1]);
        var sgd = new Sgd([w, b], momentum: 0, decay: 0.25, scope);
        using var workspace = new Workspace(1);
        using var run = new Run(workspace, tape: true);
        // All gradients are 0: only decay moves anything, by rate times decay.
        sgd.Step(run.Backward(run.Input(new(1, 1, 1, 1), [3]).Conv2d(w, 1, 0).GlobalAveragePool().Linear(frozen, b), [0]), 0.5);
        Assert.Equal((kernel ? 0.875f : 1, scale ? 0.875f : 1), (w.Values[0], b.Values[0]));
    }

    [Fact]
    public void AParameterWithoutGradientIsAnError()
    {
        Parameter w = new("w", new(1, 3)), b = new("b", new(1)), unused = new("unused", new(1));
        var sgd = new Sgd([w, b, unused], 0.9, 0);
        using var workspace = new Workspace(1);
        using var run = new Run(workspace, tape: true);
        Gradients gradients = run.Backward(run.Input(new(1, 3), [1, 2, 3]).Linear(w, b));
        Assert.Equal("parameter unused has no gradient: it had no part in the result", Assert.Throws<KeyNotFoundException>(() => sgd.Step(gradients, 0.1)).Message);
    }
}
