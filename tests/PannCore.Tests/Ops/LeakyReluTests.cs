using PannCore.Engine;
using Xunit;

namespace PannCore.Tests.Ops;

/// <summary>What (leaky) ReLU is, in float32, by its definition and in float64, at numbers that are none or the largest.</summary>
public sealed class LeakyReluTests
{
    [Theory]
    [InlineData(0f)]
    [InlineData(0.25f)]
    public void Kernel_definition_and_float64_agree_everywhere(float slope)
    {
        // Each as often as the widest register has elements, and once more: the vectors see it, and what is left over does.
        foreach (float special in (float[])[float.NegativeInfinity, -3, -0f, 0, float.NaN, 5, float.PositiveInfinity]) Agree(slope, [.. Enumerable.Repeat(special, 17)]);
    }

    private static void Agree(float slope, float[] x)
    {
        using var workspace = new Workspace(1);
        using var run = new Run(workspace);
        var op = new PannCore.Ops.Relu(slope);
        float[] found = op.Apply(run.Input(new(x.Length), x)).Values.ToArray();
        var input = DoubleTensor.From(new(x.Length), x);
        DoubleTensor reference = new(input.Shape), exact = new(input.Shape);
        op.Reference([input], [], reference);
        op.Exact(workspace, [input], exact);
        for (int i = 0; i < x.Length; i++)
        {
            // Slope 0 means 0, of -infinity too, where 0 times it is no number.
            double expected = x[i] <= 0 ? (slope == 0 ? 0 : slope * (double)x[i]) : x[i];
            Assert.Equal((expected, expected, expected), ((double)found[i], reference.Values[i], exact.Values[i]));
        }
    }
}
