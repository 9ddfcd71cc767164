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
