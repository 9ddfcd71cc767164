using PannCore.Diagnostics;
using Xunit;

namespace PannCore.Tests.Diagnostics;

public sealed class ImageMomentsTests
{
    /// <summary>The sums are those of loops over the pixels in their order, to the bit: float64 sums of exact values, squares and differences.</summary>
    [Theory]
    [InlineData(1, 5)]
    [InlineData(3, 7)]
    [InlineData(16, 1)]
    [InlineData(20, 9)]
    [InlineData(33, 4)]
    [InlineData(64, 64)]
    public void Sums_are_those_of_naive_loops(int channels, int pixels)
    {
        var random = new Random(channels);
        float[] values = [.. Enumerable.Range(0, channels * pixels).Select(_ => (float)((4 * random.NextDouble()) - 2))];
        double[] ideal = [.. values.Select(_ => random.NextDouble())];
        foreach (double[] other in (double[][])[[], ideal])
        {
            // What was there before is no part of a sum.
            double[] first = [.. Enumerable.Repeat(double.NaN, channels)], second = [.. first];
            ImageMoments.Sum(values, other, first, second);
            for (int c = 0; c < channels; c++)
            {
                double sum = 0, seconds = 0;
                for (int p = 0; p < pixels; p++)
                {
                    double value = values[(p * channels) + c];
                    sum += value;
                    seconds += other.Length == 0 ? value * value : value - other[(p * channels) + c];
                }
                Assert.Equal((sum, seconds), (first[c], second[c]));
            }
        }
    }
}
