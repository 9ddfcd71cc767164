using PannCore.Approximation;
using PannCore.Engine;
using PannCore.Kernels;
using PannCore.Nn;
using PannCore.Ops;
using PannCore.Tests.Ops;
using PannCore.Tests.Support;
using Xunit;

namespace PannCore.Tests.Engine;

/// <summary>The gradient with respect to the input of a run.</summary>
public sealed class InputGradientTests
{
    private static readonly Shape Images = new(2, 8, 8, 3);

    /// <summary>An input that comes from an operation with a parameter of its own gets its gradient by way of the parameter: the same bits are expected.</summary>
    [Theory]
    [InlineData("relu", 1)]
    [InlineData("relu", 3)]
    [InlineData("composite:3,5", 2)]
    public void IsWhatAnOperationBelowTheNetworkWouldGet(string activation, int threads)
    {
        using var workspace = new Workspace(threads, fillWithNaN: true);
        ResNet model = new(20);
        model.Initialise(3);
        model = model.With(ActivationSpec.Parse(activation), ActivationRanges.Parse("global:9", [.. model.Activations.Select(a => a.Path)], null, 1));
        float[] pixels = OpTable.Values(Images.Length, 1), seed = OpTable.Values(20, 2);

        using var run = new Run(workspace, tape: true);
        Tensor input = run.Input(Images, pixels, needsGradient: true);
        float[] found = run.Backward(model.Call(input), seed)[input].ToArray();

        var source = new Source(pixels, Images);
        using var other = new Run(workspace, tape: true);
        float[] expected = other.Backward(model.Call(source.In(other)), seed)[source.Parameters[0]].ToArray();
        Assert.Equal(expected, found);
        Assert.Contains(found, value => value != 0);
    }

    /// <summary>A stem's gradient is its own kernel's, and follows its weights when they change.</summary>
    [NeedsVectorsTheory]
    [InlineData(16)]
    [InlineData(96)]
    public void OfAStemFollowsItsWeights(int channels)
    {
        Shape images = new(2, 5, 6, 3);
        var g = new ConvGeometry(5, 6, 3, channels, 3, 3, 1, 1);
        using var workspace = new Workspace(2, fillWithNaN: true);
        using var workers = new Workers(1);
        Parameter weight = new("weight", new(channels, 3, 3, 3));
        float[] pixels = OpTable.Values(images.Length, 1), dy = OpTable.Values(2 * 5 * 6 * channels, 2);
        foreach (int stream in new[] { 3, 4 })
        {
            float[] values = OpTable.Values(weight.Shape.Length, stream), packed = new float[ThreeChannelGradient.PackedLength(g)], expected = new float[images.Length];
            weight.Set(values);
            using var run = new Run(workspace, tape: true);
            Tensor input = run.Input(images, pixels, needsGradient: true);
            float[] found = run.Backward(input.Conv2d(weight, 1, 1), dy)[input].ToArray();
            ThreeChannelGradient.Pack(g, values, packed);
            workers.Run(new ThreeChannelGradient(g, dy, packed, expected), 2);
            Assert.Equal(expected, found);
        }
    }

    /// <summary>d/dx of s (x + x) and of s (x + y): both inputs of an addition have one buffer as their gradient on the way.</summary>
    [Fact]
    public void InputsThatShareAGradientEachHaveTheirs()
    {
        using var workspace = new Workspace(1, fillWithNaN: true);
        using var run = new Run(workspace, tape: true);
        Tensor x = run.Input(new(1, 3), [1, 2, 3], needsGradient: true), y = run.Input(new(1, 3), [1, 1, 1], needsGradient: true);
        Gradients gradients = run.Backward(x.Add(x).Add(y), [1, 10, 100]);
        Assert.Equal([2, 20, 200], gradients[x].ToArray());
        Assert.Equal([1, 10, 100], gradients[y].ToArray());
    }

    /// <summary>The gradient of one tensor inside the network, what follows it taking no part.</summary>
    [Fact]
    public void StartsFromAnyTensorOfTheRun()
    {
        using var workspace = new Workspace(1, fillWithNaN: true);
        using var run = new Run(workspace, tape: true);
        Tensor x = run.Input(new(1, 3), [1, -2, 3], needsGradient: true), inside = x.Relu(0.5f);
        inside.Relu().Add(inside);
        Assert.Equal([1, 0.5f, 1], run.Backward(inside)[x].ToArray());
    }

    [Fact]
    public void OnlyInputsThatAskedHaveOneAndOnlyUntilTheRunIsDisposed()
    {
        using var workspace = new Workspace(1);
        Gradients gradients;
        Tensor asked;
        using (var run = new Run(workspace, tape: true))
        {
            asked = run.Input(new(1, 2), [1, 2], needsGradient: true);
            Tensor silent = run.Input(new(1, 2), [1, 2]), aside = run.Input(new(1, 2), [1, 2], needsGradient: true), sum = asked.Add(silent);
            gradients = run.Backward(sum);
            Assert.Equal("the input has no gradient: only inputs have one that were made with needsGradient and had a part in the result", Assert.Throws<KeyNotFoundException>(() => gradients[silent].Length).Message);
            Assert.Throws<KeyNotFoundException>(() => gradients[aside].Length);
            Assert.StartsWith("the output of add has no gradient", Assert.Throws<KeyNotFoundException>(() => gradients[sum].Length).Message);
        }
        Assert.Throws<ObjectDisposedException>(() => gradients[asked].Length);
    }
}
