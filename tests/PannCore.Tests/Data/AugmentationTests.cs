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
    [InlineData(null)]
    [InlineData(1.5)]
    [InlineData(50.0)]
    public void ContrastIsStretchedAboutTheMean(double? stretched)
    {
        byte[] image = [.. Enumerable.Range(0, 3072).Select(i => (byte)(i % 2 == 0 ? 64 : 128))], values = new byte[256];
        var augmentation = new Augmentation(Seed: 4, Epoch: 1, stretched);
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
        if (stretched is not { } contrast) Assert.Equal((1, 1), (least, most));
        else Assert.True(least < Math.Pow(contrast, 0.1) + 0.0625 && most > Math.Min(Math.Pow(contrast, 0.9) - 0.0625, 15), $"{least} to {most}"); // That none of 200 numbers is in the first tenth, or in the last, has probability 7e-10; and the factor is rounded to sixteenths.
    }

    /// <summary>Of pixels of which three are 0 and one is 4 the mean is 1, and 16 goes to 1 + 15 f, f = 16^u: below v where u is below log((v - 1.5) / 15) / log 16, the value being rounded.</summary>
    [Theory]
    [InlineData(31)]
    [InlineData(61)]
    [InlineData(121)]
    public void TheLogarithmOfContrastIsUniform(int bound)
    {
        byte[] image = [.. Enumerable.Range(0, 3072).Select(i => (byte)(i % 4 == 0 ? 4 : 0))], values = new byte[256];
        const int images = 20_000;
        int below = 0;
        var augmentation = new Augmentation(Seed: 9, Epoch: 3, Contrast: 16);
        for (int n = 0; n < images; n++)
        {
            augmentation.Stretch(n, image, values);
            if (values[16] < bound) below++;
        }
        double share = Math.Log((bound - 1.5) / 15) / Math.Log(16);
        Assert.InRange(below / (double)images, share - (5 * Math.Sqrt(share * (1 - share) / images)), share + (5 * Math.Sqrt(share * (1 - share) / images)));
    }

    [Fact]
    public void WhatIsNoContrastIsRefused()
    {
        byte[] image = new byte[3072], values = new byte[256];
        foreach (double contrast in new[] { 0, 1, -2, double.NaN, double.PositiveInfinity })
            Assert.Equal(FormattableString.Invariant($"augmentation: contrast: expected more than 1, found {contrast}"), Assert.Throws<InvalidOperationException>(() => new Augmentation(1, 0, contrast).Stretch(0, image, values)).Message);
    }

    [Fact]
    public void AWindowDependsOnSeedEpochAndImageOnly()
    {
        (int, int, bool)[] Windows(long seed, int epoch) => [.. Enumerable.Range(0, 100).Select(new Augmentation(seed, epoch).Window)];
        Assert.Equal(Windows(1, 2), Windows(1, 2));
        Assert.NotEqual(Windows(1, 2), Windows(1, 3));
        Assert.NotEqual(Windows(1, 2), Windows(2, 2));
        Assert.NotEqual(Windows(1, 2)[5], Windows(1, 2)[6]);

        // So does its contrast; what becomes of 200 where the mean is 1 tells.
        byte[] Contrasts(long seed, int epoch)
        {
            byte[] image = [.. Enumerable.Range(0, 3072).Select(i => (byte)(i % 4 == 0 ? 4 : 0))], values = new byte[256];
            return [.. Enumerable.Range(0, 100).Select(n =>
            {
                new Augmentation(seed, epoch, 1.25).Stretch(n, image, values);
                return values[200];
            })];
        }
        Assert.Equal(Contrasts(1, 2), Contrasts(1, 2));
        Assert.NotEqual(Contrasts(1, 2), Contrasts(1, 3));
        Assert.NotEqual(Contrasts(1, 2), Contrasts(2, 2));
        Assert.NotEqual(Contrasts(1, 2)[5], Contrasts(1, 2)[6]);
    }
}
