using PannCore.Data;
using PannCore.Engine;
using Xunit;

namespace PannCore.Tests.Data;

public sealed class BatchLoaderTests
{
    private const int Images = 60;

    [Theory]
    [InlineData("cifar10")]
    [InlineData("imagenet")]
    public void PixelsAreNormalisedWithChannelsLast(string name)
    {
        Cifar10 data = Data();
        var normalization = Normalization.Parse(name);
        int[] indices = [7, 0, 59, 7];
        using var workspace = new Workspace(2, fillWithNaN: true);
        using var run = new Run(workspace);
        Tensor batch = new BatchLoader(data, normalization).Load(run, indices);
        Assert.Equal(new Shape(4, 32, 32, 3), batch.Shape);
        for (int n = 0; n < indices.Length; n++)
        {
            for (int y = 0; y < 32; y++)
            {
                for (int x = 0; x < 32; x++)
                {
                    for (int c = 0; c < 3; c++)
                    {
                        double expected = ((Pixel(indices[n], c, y, x) / 255.0) - normalization.Mean[c]) / normalization.Deviation[c];
                        Assert.Equal((float)expected, batch.Values[(((((n * 32) + y) * 32) + x) * 3) + c]);
                    }
                }
            }
        }
    }

    [Theory]
    [InlineData(null)]
    [InlineData(3.0)]
    public void AnAugmentedDataSetHoldsWhatIsLoadedAugmented(double? contrast)
    {
        Cifar10 data = Data();
        var augmentation = new Augmentation(Seed: 8, Epoch: 2, contrast);
        int[] all = [.. Enumerable.Range(0, Images).Reverse()];
        using var workspace = new Workspace(2, fillWithNaN: true);
        using var run = new Run(workspace);
        Assert.Equal(
            new BatchLoader(data, Normalization.Cifar10).Load(run, all, augmentation).Values.ToArray(),
            new BatchLoader(data.Augmented(augmentation), Normalization.Cifar10).Load(run, all).Values.ToArray());
    }

    [Fact]
    public void MixedImagesAreTheWeightedMeanOfBothAsEachIsAugmented()
    {
        var loader = new BatchLoader(Data(), Normalization.Cifar10);
        var augmentation = new Augmentation(Seed: 3, Epoch: 1);
        int[] first = [7, 0, 59], second = [8, 0, 3];
        using var workspace = new Workspace(2, fillWithNaN: true);
        using var run = new Run(workspace);
        float[] a = loader.Load(run, first, augmentation).Values.ToArray(), b = loader.Load(run, second, augmentation).Values.ToArray();
        foreach (double weight in new[] { 0, 0.3, 0.5, 1 })
        {
            float[] mixed = loader.Load(run, first, augmentation, new Mixture(weight, second)).Values.ToArray();
            // Four roundings of numbers below 4 (the pixels, their difference, w and the sum).
            for (int i = 0; i < mixed.Length; i++) Assert.Equal((weight * a[i]) + ((1 - weight) * b[i]), mixed[i], 16 * Math.ScaleB(1, -24));
        }
    }

    [Fact]
    public void AugmentedImagesAreTheWindowOfThePaddedImage()
    {
        Cifar10 data = Data();
        var augmentation = new Augmentation(Seed: 3, Epoch: 1);
        int[] indices = [.. Enumerable.Range(0, Images)];
        (int, int, bool)[] windows = [.. indices.Select(augmentation.Window)];
        Assert.Contains(windows, w => w.Item1 == -4);
        Assert.Contains(windows, w => w.Item1 == 4);
        Assert.Contains(windows, w => w.Item2 == -4 && w.Item3);
        Assert.Contains(windows, w => w.Item2 == 4 && !w.Item3);

        using var workspace = new Workspace(2, fillWithNaN: true);
        using var run = new Run(workspace);
        float[] found = new BatchLoader(data, Normalization.Cifar10).Load(run, indices, augmentation).Values.ToArray();
        for (int n = 0; n < Images; n++)
        {
            // The usual description: pad by 4 black pixels, cut 32 x 32 out of 40 x 40, then mirror the cut.
            (int down, int right, bool flip) = windows[n];
            for (int c = 0; c < 3; c++)
            {
                double[,] padded = new double[40, 40];
                for (int y = 0; y < 32; y++)
                    for (int x = 0; x < 32; x++) padded[y + 4, x + 4] = Pixel(n, c, y, x);
                for (int y = 0; y < 32; y++)
                {
                    for (int x = 0; x < 32; x++)
                    {
                        int cut = flip ? 31 - x : x;
                        double expected = ((padded[y + 4 + down, cut + 4 + right] / 255.0) - Normalization.Cifar10.Mean[c]) / Normalization.Cifar10.Deviation[c];
                        Assert.Equal((float)expected, found[(((((n * 32) + y) * 32) + x) * 3) + c]);
                    }
                }
            }
        }
    }

    [Theory]
    [InlineData(null)]
    [InlineData(3.0)]
    public void ThreadsAndNeighboursChangeNoPixel(double? contrast)
    {
        var loader = new BatchLoader(Data(), Normalization.Cifar10);
        var augmentation = new Augmentation(5, 0, contrast);
        using Workspace one = new(1), four = new(4);
        using Run alone = new(one), together = new(four);
        float[] batch = loader.Load(together, (int[])[4, 9, 2], augmentation).Values.ToArray();
        Assert.Equal(loader.Load(alone, (int[])[9], augmentation).Values.ToArray(), batch[3072..6144]);
    }

    [Fact]
    public void LabelsFollowTheIndices()
        => Assert.Equal([5, 2, 5], new BatchLoader(Data(), Normalization.Cifar10).Labels([15, 2, 5]).Select(label => (int)label));

    /// <summary>1,398,102 times 3,072 is 2,048 modulo 2^32: an unchecked product would lead into image 0.</summary>
    [Theory]
    [InlineData(-1)]
    [InlineData(Images)]
    [InlineData(1_398_102)]
    public void AnImageThatIsNotThere(int index)
    {
        var loader = new BatchLoader(Data(), Normalization.Cifar10);
        using var workspace = new Workspace(2);
        using var run = new Run(workspace);
        string message = $"cifar10: index 1 expects 0..59, got {index} (Parameter ";
        Assert.Equal($"{message}'indices')", Assert.Throws<ArgumentOutOfRangeException>(() => loader.Load(run, (int[])[0, index])).Message);
        Assert.Equal($"{message}'mixture')", Assert.Throws<ArgumentOutOfRangeException>(() => loader.Load(run, (int[])[0, 1], mixture: new(0.5, (int[])[0, index]))).Message);
        Assert.Equal($"{message}'indices')", Assert.Throws<ArgumentOutOfRangeException>(() => loader.Labels([0, index])).Message);
        Assert.Equal("mixture: 2 images need as many partners, got 1 (Parameter 'mixture')", Assert.Throws<ArgumentException>(() => loader.Load(run, (int[])[0, 1], mixture: new(0.5, (int[])[0]))).Message);
    }

    private static byte Pixel(int image, int channel, int y, int x) => Cifar10TestData.Pixel(image, (channel * 1024) + (y * 32) + x, salt: 0);

    private static Cifar10 Data()
    {
        byte[] images = new byte[Images * 3072];
        for (int i = 0; i < images.Length; i++) images[i] = Cifar10TestData.Pixel(i / 3072, i % 3072, salt: 0);
        return new Cifar10(images, [.. Enumerable.Range(0, Images).Select(n => (byte)(n % 10))], "made up");
    }
}
