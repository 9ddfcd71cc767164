using PannCore.Data;
using PannCore.Diagnostics;
using Xunit;

namespace PannCore.Tests.Diagnostics;

public sealed class StressImagesTests
{
    [Fact]
    public void Pixels_are_what_the_names_say()
    {
        Cifar10 images = StressImages.All();
        Assert.Equal(StressImages.Names.Count, images.Count);
        for (int channel = 0; channel < 3; channel++)
        {
            for (int y = 0; y < 32; y++)
            {
                for (int x = 0; x < 32; x++)
                {
                    byte[] pixel = [.. Enumerable.Range(0, 4).Select(n => images.Image(n)[(((channel * 32) + y) * 32) + x])];
                    Assert.Equal([0, 255, (byte)(y % 2 == x % 2 ? 0 : 255), (byte)((y & 8) == (x & 8) ? 0 : 255)], pixel);
                }
            }
        }
    }

    [Fact]
    public void Noise_is_uniform_and_depends_on_the_seed_alone()
    {
        byte[] noise = StressImages.All().Image(4).ToArray();
        Assert.Equal(noise, StressImages.All().Image(4).ToArray());
        Assert.NotEqual(noise, StressImages.All(2).Image(4).ToArray());

        // Chi-squared of 16 bins with 192 expected in each: 15 degrees of freedom, above 50 with probability 1e-5.
        double chi = Enumerable.Range(0, 16).Sum(bin => Math.Pow(noise.Count(b => b / 16 == bin) - 192, 2) / 192);
        Assert.InRange(chi, 0, 50);
    }
}
