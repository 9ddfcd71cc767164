using PannCore.Data;
using Xunit;

namespace PannCore.Tests.Data;

public sealed class SplitTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(10)]
    [InlineData(50)]
    [InlineData(200)]
    public void ASplitIsBalancedDisjointAndComplete(int validation)
    {
        Cifar10 data = Data(200);
        var split = Split.Balanced(data, validation, seed: 1);
        Assert.Equal(validation, split.Validation.Length);
        Assert.Equal(Enumerable.Range(0, 200), split.Training.Concat(split.Validation).Order());
        Assert.Equal(split.Training.Order(), split.Training);
        Assert.Equal(split.Validation.Order(), split.Validation);
        for (int label = 0; label < 10; label++) Assert.Equal(validation / 10, split.Validation.Count(i => data.Labels[i] == label));
    }

    [Fact]
    public void ASplitFollowsFromItsSeed()
    {
        Cifar10 data = Data(200);
        Assert.Equal(Split.Balanced(data, 50, 1).Validation, Split.Balanced(data, 50, 1).Validation);
        Assert.NotEqual(Split.Balanced(data, 50, 1).Validation, Split.Balanced(data, 50, 2).Validation);
        Assert.NotEqual(Enumerable.Range(0, 50), Split.Balanced(data, 50, 1).Validation);
    }

    [Theory]
    [InlineData(15, "validation: expected a multiple of 10 images, found 15")]
    [InlineData(-10, "validation: expected a multiple of 10 images, found -10")]
    [InlineData(30, "validation: expected 3 images of class frog, found 2 in made up")]
    public void ErrorsAreWordForWord(int validation, string message)
        => Assert.Equal(message, Assert.Throws<BadInputException>(() => Split.Balanced(Data(26), validation, 0)).Message);

    /// <summary>Labels 0, 1, ... 9, 0, 1, ...</summary>
    private static Cifar10 Data(int count) => new(new byte[count * Cifar10.ImageBytes], [.. Enumerable.Range(0, count).Select(n => (byte)(n % 10))], "made up");
}
