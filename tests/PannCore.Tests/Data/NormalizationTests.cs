using PannCore.Data;
using PannCore.Tests.Support;
using Xunit;

namespace PannCore.Tests.Data;

public sealed class NormalizationTests
{
    [Fact]
    public void NamesAreKnown()
    {
        Assert.Same(Normalization.Cifar10, Normalization.Parse("cifar10"));
        Assert.Same(Normalization.ImageNet, Normalization.Parse("imagenet"));
        Assert.Equal("normalisation 'mnist': unknown; known: cifar10, imagenet", Assert.Throws<BadInputException>(() => Normalization.Parse("mnist")).Message);
    }

    [Fact]
    public void AKnownNameStandsForItsNumbers()
    {
        Assert.Equal(Normalization.Cifar10.Mean, new Normalization("cifar10", Normalization.Cifar10.Mean, Normalization.Cifar10.Deviation).Mean);
        Assert.Equal(
            "normalisation 'imagenet': expected mean 0.485,0.456,0.406, deviation 0.229,0.224,0.225, which the name stands for, found mean 0.5,0.5,0.5, deviation 0.25,0.25,0.25",
            Assert.Throws<BadInputException>(() => new Normalization("imagenet", [0.5, 0.5, 0.5], [0.25, 0.25, 0.25])).Message);
    }

    [NeedsCifar10Fact]
    public void Cifar10sStatisticsAreThoseOfItsTrainingPixels()
    {
        byte[] images = Cifar10.ReadTrain(External.Data!).Images;
        for (int c = 0; c < 3; c++)
        {
            long[] counts = new long[256];
            for (int at = c * 1024; at < images.Length; at += 3072)
            {
                foreach (byte value in images.AsSpan(at, 1024)) counts[value]++;
            }
            double total = counts.Sum(), mean = counts.Select((count, value) => count * (value / 255.0)).Sum() / total;
            double variance = counts.Select((count, value) => count * ((value / 255.0) - mean) * ((value / 255.0) - mean)).Sum() / total;

            // Written with four digits.
            Assert.Equal(mean, Normalization.Cifar10.Mean[c], tolerance: 0.5e-4);
            Assert.Equal(Math.Sqrt(variance), Normalization.Cifar10.Deviation[c], tolerance: 0.5e-4);
        }
    }
}
