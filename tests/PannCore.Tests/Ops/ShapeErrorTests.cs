using PannCore.Approximation;
using PannCore.Engine;
using PannCore.Ops;
using Xunit;

namespace PannCore.Tests.Ops;

/// <summary>Every shape error, word for word: the operation, the role, both shapes and the broken relation.</summary>
public sealed class ShapeErrorTests
{
    private static readonly Dictionary<string, Func<Run, Tensor>> Errors = new()
    {
        ["conv2d: input [2,3] must be [N,H,W,C]"] = run => X(run, 2, 3).Conv2d(W(4, 3, 3, 3), 1, 1),
        ["conv2d: weight [4,3] must be [K,C,R,S]"] = run => X(run, 1, 5, 5, 3).Conv2d(W(4, 3), 1, 1),
        ["conv2d: weight [4,3,2,3] must have odd kernel sizes"] = run => X(run, 1, 5, 5, 3).Conv2d(W(4, 3, 2, 3), 1, 1),
        ["conv2d: weight [4,3,3,4] must have odd kernel sizes"] = run => X(run, 1, 5, 5, 3).Conv2d(W(4, 3, 3, 4), 1, 1),
        ["conv2d: stride must be at least 1, is 0"] = run => X(run, 1, 5, 5, 3).Conv2d(W(4, 3, 3, 3), 0, 1),
        ["conv2d: padding must be at least 0, is -1"] = run => X(run, 1, 5, 5, 3).Conv2d(W(4, 3, 3, 3), 1, -1),
        ["conv2d: weight [16,3,3,3] expects 3 input channels, input [8,32,32,4] has 4"] = run => X(run, 8, 32, 32, 4).Conv2d(W(16, 3, 3, 3), 1, 1),
        ["conv2d: weight [4,3,5,1] does not fit into input [1,2,9,3] with padding 1"] = run => X(run, 1, 2, 9, 3).Conv2d(W(4, 3, 5, 1), 1, 1),
        ["conv2d: weight [4,3,1,5] does not fit into input [1,9,4,3] with padding 0"] = run => X(run, 1, 9, 4, 3).Conv2d(W(4, 3, 1, 5), 1, 0),
        // Sizes whose products overflow 64 bits: with them the check would pass.
        ["conv2d: input [1,32,32,1] with weight [3,1,3,3], stride 255000000 and padding 0 needs working memory of 141494418033600034816 elements, at most 268435455 can be had"] = run => X(run, 1, 32, 32, 1).Conv2d(W(3, 1, 3, 3), 255_000_000, 0),
        // Its gradients need whole registers of channels.
        ["conv2d: input [1,6000,6000,1] with weight [1,1,3,3], stride 1 and padding 1 needs working memory of 1165254336 elements, at most 268435455 can be had"] = run => X(run, 1, 6000, 6000, 1).Conv2d(W(1, 1, 3, 3), 1, 1),
        ["batchNorm: input [2,3] must be [N,H,W,C]"] = run => X(run, 2, 3).BatchNorm(W(3), W(3), W(3), W(3)),
        ["batchNorm: p [5] has 5 channels, input [1,2,2,3] has 3"] = run => X(run, 1, 2, 2, 3).BatchNorm(W(3), W(3), W(5), W(3)),
        ["batchNorm: input [1,1,1,3] has 1 value a channel, training statistics need 2 or more"] = run => X(run, 1, 1, 1, 3).BatchNorm(W(3), W(3), W(3), W(3)),
        ["polynomialRelu: p [5] has 5 channels, input [1,2,2,3] has 3"] = run => X(run, 1, 2, 2, 3).PolynomialRelu(ActivationSpec.Parse("direct:4").Build(), 1, shift: new Parameter("p", new(5), trainable: false)),
        ["perturbedRelu: input [4,2] has 4 images, the perturbation is one of 2"] = run =>
            X(run, 4, 2).PerturbedRelu(new(PerturbedSide.Both, PerturbationForm.Plus, 1), new CounterRandom(1, RandomStream.Perturbation, 0), new[] { 1, 2 }),
        ["penalisedCrest: input [3] must have images first and channels last"] = run => X(run, 3).PenaliseCrest(new(1, 2)),
        ["add: left [1,2,2,3] and right [1,2,3,2] must have the same shape"] = run => X(run, 1, 2, 2, 3).Add(X(run, 1, 2, 3, 2)),
        ["add: left [6] and right [6,1] must have the same shape"] = run => X(run, 6).Add(X(run, 6, 1)),
        ["shortcut: input [2,3] must be [N,H,W,C]"] = run => X(run, 2, 3).Shortcut(3, 1),
        ["shortcut: stride must be at least 1, is 0"] = run => X(run, 1, 2, 2, 3).Shortcut(5, 0),
        ["shortcut: 2 output channels must be as many as the 3 of input [1,2,2,3], or more by an even number"] = run => X(run, 1, 2, 2, 3).Shortcut(2, 1),
        ["shortcut: 6 output channels must be as many as the 3 of input [1,2,2,3], or more by an even number"] = run => X(run, 1, 2, 2, 3).Shortcut(6, 1),
        ["pool: input [2,3] must be [N,H,W,C]"] = run => X(run, 2, 3).GlobalAveragePool(),
        ["linear: input [1,2,2,3] must be [N,C]"] = run => X(run, 1, 2, 2, 3).Linear(W(4, 3), W(4)),
        ["linear: weight [4] must be [K,C]"] = run => X(run, 2, 3).Linear(W(4), W(4)),
        ["linear: weight [4,5] expects 5 inputs, input [2,3] has 3"] = run => X(run, 2, 3).Linear(W(4, 5), W(4)),
        ["linear: bias [5] must have the 4 outputs of weight [4,3]"] = run => X(run, 2, 3).Linear(W(4, 3), W(5)),
        ["softmaxCrossEntropy: logits [2,1,3] must be [N,K]"] = run => X(run, 2, 1, 3).SoftmaxCrossEntropy(new float[6]),
        ["softmaxCrossEntropy: logits [2,3] need 6 target probabilities, found 9"] = run => X(run, 2, 3).SoftmaxCrossEntropy(new float[9]),
        ["softmaxCrossEntropy: logits [2,3] need 2 labels, found 1"] = run => X(run, 2, 3).SoftmaxCrossEntropy([(byte)0]),
        ["softmaxCrossEntropy: label 3 of image 1 is not below the 3 classes of logits [2,3]"] = run => X(run, 2, 3).SoftmaxCrossEntropy([(byte)0, 3]),
        ["distillationLoss: cross-entropy [2] must be [1]"] = run => X(run, 2).DistillationLoss(X(run, 2, 3), new float[6], 1, 1),
        ["distillationLoss: logits [6] must be [N,K]"] = run => X(run, 1).DistillationLoss(X(run, 6), new float[6], 1, 1),
        ["distillationLoss: logits [2,3] need 6 logits of a teacher, found 5"] = run => X(run, 1).DistillationLoss(X(run, 2, 3), new float[5], 1, 1),
        ["input: shape [2,3] has 6 values, found 5"] = run => run.Input(new(2, 3), new float[5]),
        ["input: shape [2,3] has 6 values, found 7"] = run => run.Input(new(2, 3), new float[7]),
    };

    public static TheoryData<string> Messages => [.. Errors.Keys];

    [Theory]
    [MemberData(nameof(Messages))]
    public void WordForWord(string message)
    {
        using var workspace = new Workspace(1);
        using var run = new Run(workspace, Statistics.Training);
        Assert.Equal(message, Assert.Throws<ShapeException>(() => Errors[message](run)).Message);
    }

    [Fact]
    public void EveryOperationThatCanRefuseIsHere()
    {
        string[] cannot = ["relu", "clampedPolynomialRelu"]; // Any shape is right.
        string[] names = [.. OpTable.Rows.Select(OpTable.Name).Distinct().Except(cannot)];
        Assert.All(names, name => Assert.Contains(Errors.Keys, message => message.StartsWith(name + ":", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData(-0.5f)]
    [InlineData(1f)]
    [InlineData(float.NaN)]
    public void ReluRefusesASlopeOutsideItsInterval(float slope)
    {
        using var workspace = new Workspace(1);
        using var run = new Run(workspace);
        Tensor x = X(run, 2, 3);
        Assert.StartsWith("relu: the slope must be at least 0 and below 1", Assert.Throws<ArgumentOutOfRangeException>(() => x.Relu(slope)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0.0)]
    [InlineData(-1.0)]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    public void PolynomialReluRefusesARangeThatIsNone(double range)
    {
        using var workspace = new Workspace(1);
        using var run = new Run(workspace);
        Tensor x = X(run, 2, 3);
        ReluPolynomial polynomial = ActivationSpec.Parse("direct:2").Build();
        Assert.StartsWith(
            "polynomialRelu: the range must be a positive number that float32 can hold, and so must its inverse",
            Assert.Throws<ArgumentOutOfRangeException>(() => x.PolynomialRelu(polynomial, range)).Message, StringComparison.Ordinal);
    }

    private static Tensor X(Run run, params int[] sizes)
    {
        var shape = new Shape(sizes);
        return run.Input(shape, new float[shape.Length]);
    }

    private static Parameter W(params int[] sizes) => new("p", new Shape(sizes));
}
