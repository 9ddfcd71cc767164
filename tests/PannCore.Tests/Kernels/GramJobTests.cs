using PannCore.Kernels;
using Xunit;

namespace PannCore.Tests.Kernels;

public sealed class GramJobTests
{
    private const double Unit = 1.0 / (1 << 24);

    /// <summary>Against naive sums in float64. A sum of at most 256 products in float32 is off by gamma_256 of the sum of their sizes; the float64 part is far below.</summary>
    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(255, 2, 1)]
    [InlineData(257, 1, 3)]
    [InlineData(700, 3, 1)]
    [InlineData(300, 3, 0)]
    [InlineData(20, 9, 2)]
    public void It_adds_the_products_of_all_columns(int height, int first, int others)
    {
        int panels = first + others, rows = first * GramJob.Panel, columns = panels * GramJob.Panel;
        var random = new Random(height);
        float[] matrix = [.. Enumerable.Range(0, height * columns).Select(_ => (float)((2 * random.NextDouble()) - 1))];
        double[] begin = [.. Enumerable.Range(0, rows * columns).Select(_ => random.NextDouble())], sums = [.. begin], alone = [.. begin];
        using (var workers = new Workers(3)) workers.Run(new GramJob(matrix, height, panels, first, sums), GramJob.Chunks(panels, first));
        using (var workers = new Workers(1)) workers.Run(new GramJob(matrix, height, panels, first, alone), GramJob.Chunks(panels, first));
        Assert.Equal(alone, sums);
        for (int i = 0; i < rows; i++)
        {
            for (int j = i; j < columns; j++)
            {
                double expected = begin[(i * columns) + j], size = 0;
                for (int p = 0; p < height; p++)
                {
                    double product = (double)matrix[GramJob.At(height, p, i)] * matrix[GramJob.At(height, p, j)];
                    (expected, size) = (expected + product, size + Math.Abs(product));
                }
                Assert.Equal(expected, sums[(i * columns) + j], 257 * Unit * size);
            }
        }
    }
}
