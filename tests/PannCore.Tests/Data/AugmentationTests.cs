using PannCore.Data;
using Xunit;

namespace PannCore.Tests.Data;

public sealed class AugmentationTests
{
    [Fact]
    public void WindowsAreUniform()
    {
        var augmentation = new Augmentation(Seed: 1, Epoch: 0);
        int[,] shifts = new int[9, 9];
        int flips = 0;
        const int images = 81_000;
        for (int image = 0; image < images; image++)
        {
            (int down, int right, bool flip) = augmentation.Window(image);
            shifts[down + 4, right + 4]++;
            if (flip) flips++;
        }

        // Chi-squared with 80 degrees of freedom exceeds 150 with probability 4e-6; a fair coin deviates by sqrt(n) / 2, five times that is allowed.
        Assert.InRange(shifts.Cast<int>().Sum(count => (count - 1e3) * (count - 1e3) / 1e3), 0, 150);
        Assert.InRange(flips - (images / 2.0), -2.5 * Math.Sqrt(images), 2.5 * Math.Sqrt(images));
    }

    /// <summary>An image of two greys, 64 and 128 in equal number, has the mean 96: both go from it by one factor, as far as there are values.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(1.5)]
    [InlineData(50)]
    public void ContrastIsStretchedAboutTheMean(double contrast)
    {
        byte[] image = [.. Enumerable.Range(0, 3072).Select(i => (byte)(i % 2 == 0 ? 64 : 128))], values = new byte[256];
        var augmentation = new Augmentation(Seed: 4, Epoch: 1, contrast);
        double least = double.PositiveInfinity, most = 0;
        for (int n = 0; n < 200; n++)
        {
            augmentation.Stretch(n, image, values);
            double factor = (values[104] - 96) / 8.0; // Before it is rounded, 104 goes to 96 + 8 f.
            if (values[104] < 255)
            {
                for (int value = 0; value < 256; value++) Assert.Equal(Math.Clamp(96 + (factor * (value - 96)), 0, 255), values[value], (Math.Abs(value - 96) / 16.0) + 0.5 + 1e-9); // Rounded twice: in the factor, and itself.
            }
            (least, most) = (Math.Min(least, factor), Math.Max(most, factor));
        }
        if (contrast == 1) Assert.Equal((1, 1), (least, most));
        else Assert.True(least < 1.0625 && most >= Math.Min(contrast * 0.95, 15), $"{least} to {most}"); // 200 numbers: that none is in the first or last tenth of the logarithms has probability 1e-9.
    }

    [Fact]
    public void TheLogarithmOfContrastIsUniform()
    {
        // A step function of two values tells the factor: the mean of 0 (3 times) and 4 (once) is 1, and 200 goes to 1 + f 199, below 255 for f below 1.276.
        byte[] image = [.. Enumerable.Range(0, 3072).Select(i => (byte)(i % 4 == 0 ? 4 : 0))], values = new byte[256];
        const int images = 20_000;
        int below = 0;
        var augmentation = new Augmentation(Seed: 9, Epoch: 3, Contrast: 1.21);
        for (int n = 0; n < images; n++)
        {
            augmentation.Stretch(n, image, values);
            if (values[200] < 1 + (1.1 * 199)) below++;
        }
        // Half the logarithms are below that of the square root; five standard deviations, and a value's rounding is worth half a per cent of the factor, 2.4 % of the logarithms' width.
        Assert.InRange(below / (double)images, 0.5 - 0.024 - (2.5 / Math.Sqrt(images)), 0.5 + 0.024 + (2.5 / Math.Sqrt(images)));
    }

    [Fact]
    public void AWindowDependsOnSeedEpochAndImageOnly()
    {
        (int, int, bool)[] Windows(long seed, int epoch) => [.. Enumerable.Range(0, 100).Select(new Augmentation(seed, epoch).Window)];
        Assert.Equal(Windows(1, 2), Windows(1, 2));
        Assert.NotEqual(Windows(1, 2), Windows(1, 3));
        Assert.NotEqual(Windows(1, 2), Windows(2, 2));
        Assert.NotEqual(Windows(1, 2)[5], Windows(1, 2)[6]);
    }
}
