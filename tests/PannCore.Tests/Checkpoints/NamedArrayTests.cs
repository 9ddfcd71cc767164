using PannCore.Checkpoints;
using Xunit;

namespace PannCore.Tests.Checkpoints;

public sealed class NamedArrayTests
{
    [Fact]
    public void Numbers_convert_as_casts_do()
    {
        double[] doubles = [1 / 3.0, 1e300, -0.0, double.NaN, 16_777_217];
        long[] longs = [(1L << 53) + 1, long.MinValue, 16_777_217];
        int[] ints = [16_777_217, int.MinValue];
        float[] floats = [0.1f, float.NegativeInfinity];

        Assert.Equal(doubles.Select(v => (float)v), new NamedArray("d", [5], doubles).ToSingle());
        Assert.Equal(doubles, new NamedArray("d", [5], doubles).ToDouble());
        Assert.Equal(longs.Select(v => (float)v), new NamedArray("l", [3], longs).ToSingle());
        Assert.Equal(longs.Select(v => (double)v), new NamedArray("l", [3], longs).ToDouble());
        Assert.Equal(ints.Select(v => (float)v), new NamedArray("i", [2], ints).ToSingle());
        Assert.Equal(ints.Select(v => (double)v), new NamedArray("i", [2], ints).ToDouble());
        Assert.Equal(floats, new NamedArray("f", [2], floats).ToSingle());
        Assert.Equal(floats.Select(v => (double)v), new NamedArray("f", [2], floats).ToDouble());
    }

    [Fact]
    public void A_copy_does_not_share_memory()
    {
        var array = new NamedArray("a", [1], [1f]);
        array.ToSingle()[0] = 2;
        Assert.Equal([1f], array.ToSingle());
    }

    [Theory]
    [InlineData(new[] { 2, 2 }, "array 'a': shape [2,2] does not hold 3 values")]
    [InlineData(new[] { -1, -3 }, "array 'a': shape [-1,-3] does not hold 3 values")]
    [InlineData(new[] { 65536, 65536, 3 }, "array 'a': shape [65536,65536,3] does not hold 3 values")]
    public void A_shape_that_does_not_hold_the_values_is_refused(int[] shape, string message)
        => Assert.Equal($"{message} (Parameter 'shape')", Assert.Throws<ArgumentException>(() => new NamedArray("a", shape, new float[3])).Message);

    [Theory]
    // 2^16 2^16 wraps to 0 in 32 bits, 2^16 four times in 64 bits; the largest product that fits is just below 2^29 float32.
    [InlineData(new[] { 65536, 65536 }, false, 0)]
    [InlineData(new[] { 65536, 65536, 65536, 65536 }, false, 0)]
    [InlineData(new[] { int.MaxValue, int.MaxValue, int.MaxValue }, false, 0)]
    [InlineData(new[] { 0, -1 }, false, 0)]
    [InlineData(new[] { 0, int.MaxValue, int.MaxValue }, true, 0)]
    [InlineData(new int[0], true, 1)]
    [InlineData(new[] { 16, 3, 3, 3 }, true, 432)]
    public void The_count_is_checked(int[] shape, bool fits, int count)
    {
        Assert.Equal(fits, NamedArray.TryCount(shape, ElementType.Float32, out int found));
        Assert.Equal(count, found);
    }
}
