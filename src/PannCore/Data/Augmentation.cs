using PannCore.Engine;

namespace PannCore.Data;

/// <summary>
/// Random crop (4 black pixels added on each side, a 32 x 32 window kept) and random flip, the usual augmentation of CIFAR-10; and contrast stretched at random, where it is asked for.
/// What becomes of an image depends on seed, epoch and the image's index only.
/// </summary>
/// <param name="Seed">The user's seed.</param>
/// <param name="Epoch">0, 1, ...</param>
/// <param name="Contrast">C: the contrast of an image is multiplied by C^u, u uniform in [0, 1); 1 leaves all as they are.</param>
public readonly record struct Augmentation(long Seed, int Epoch, double Contrast = 1)
{
    /// <summary>Black pixels added on each side.</summary>
    public const int Margin = 4;

    /// <summary>How far the window of an image is shifted, each in -4 .. 4, and whether it is mirrored.</summary>
    public (int Down, int Right, bool Flip) Window(int image)
    {
        var random = new CounterRandom(Seed, RandomStream.Augmentation, Epoch);
        return (random.Below(3L * image, (2 * Margin) + 1) - Margin, random.Below((3L * image) + 1, (2 * Margin) + 1) - Margin, random.Below((3L * image) + 2, 2) == 1);
    }

    /// <summary>
    /// What becomes of each value that a pixel may have: m + C^u (value - m), m the mean over all pixels and colours of the image, rounded, and kept in 0 .. 255 as an image's are.
    /// The black pixels that are added at the sides stay black.
    /// </summary>
    /// <param name="image">The image's index.</param>
    /// <param name="pixels">Its values.</param>
    /// <param name="values">Receives 256 values.</param>
    public void Stretch(int image, ReadOnlySpan<byte> pixels, Span<byte> values)
    {
        double factor = Contrast == 1 ? 1 : Math.Pow(Contrast, new CounterRandom(Seed, RandomStream.Contrast, Epoch).Uniform(image));
        long sum = 0;
        foreach (byte pixel in pixels) sum += pixel;
        double mean = (double)sum / pixels.Length;
        for (int value = 0; value < values.Length; value++) values[value] = (byte)Math.Clamp(Math.Round(mean + (factor * (value - mean))), 0, 255);
    }
}
