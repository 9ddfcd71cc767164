using PannCore.Engine;
using Xunit;

namespace PannCore.Tests.Engine;

public sealed class ShapeTests
{
    [Fact]
    public void AShapeKnowsItsSizes()
    {
        var shape = new Shape(8, 32, 16, 3);
        Assert.Equal(4, shape.Rank);
        Assert.Equal(8 * 32 * 16 * 3, shape.Length);
        Assert.Equal([8, 32, 16, 3], shape.ToArray());
        Assert.Equal([8, 32, 16, 3], Enumerable.Range(0, 4).Select(i => shape[i]));
        Assert.Equal("[8,32,16,3]", shape.ToString());
        Assert.Equal("[10]", new Shape(10).ToString());
    }

    [Fact]
    public void ShapesAreEqualByRankAndSizes()
    {
        Assert.Equal(new Shape(2, 3), new Shape(2, 3));
        Assert.NotEqual(new Shape(6), new Shape(2, 3));
        Assert.NotEqual(new Shape(6), new Shape(6, 1));
    }

    [Theory]
    [InlineData(new int[] { }, "shape: expected 1 to 4 sizes, found 0")]
    [InlineData(new[] { 1, 2, 3, 4, 5 }, "shape: expected 1 to 4 sizes, found 5")]
    [InlineData(new[] { 2, 0 }, "shape: expected sizes of at least 1, found [2,0]")]
    [InlineData(new[] { -1 }, "shape: expected sizes of at least 1, found [-1]")]
    [InlineData(new[] { 65536, 32768 }, "shape: [65536,32768] has more than 2147483647 elements")]
    [InlineData(new[] { int.MaxValue, int.MaxValue, int.MaxValue, int.MaxValue }, "shape: [2147483647,2147483647,2147483647,2147483647] has more than 2147483647 elements")]
    public void ErrorsAreWordForWord(int[] sizes, string message)
        => Assert.Equal(message, Assert.Throws<ShapeException>(() => new Shape(sizes)).Message);

    [Fact]
    public void DoubleTensorsHaveTheLengthOfTheirShape()
    {
        Assert.Equal("tensor: shape [2,3] has 6 values, found 5", Assert.Throws<ShapeException>(() => new DoubleTensor(new(2, 3), new double[5])).Message);
        Assert.Equal([0.1f, -2], DoubleTensor.From(new(2), [0.1f, -2]).Values.Select(v => (float)v));
    }
}
