using PannCore.Engine;

namespace PannCore.Data;

/// <summary>
/// Random crop (4 black pixels added on each side, a 32 x 32 window kept) and random flip, the usual augmentation of CIFAR-10; and contrast stretched at random, where it is asked for.
/// What becomes of an image depends on seed, epoch and the image's index only.
/// </summary>
/// <param name="Seed">The user's seed.</param>
/// <param name="Epoch">0, 1, ...</param>
/// <param name="Contrast">C, more than 1: the contrast of an image is multiplied by C^u, u uniform in [0, 1); null leaves all as they are.</param>
public readonly record struct Augmentation(long Seed, int Epoch, double? Contrast = null)
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
    /// Black stays black, so that the pixels added at the sides do.
    /// </summary>
    /// <param name="image">The image's index.</param>
    /// <param name="pixels">Its values.</param>
    /// <param name="values">Receives 256 values.</param>
    /// <exception cref="InvalidOperationException">The contrast is not more than 1, or not finite.</exception>
    /// <exception cref="ArgumentOutOfRangeException">There is room for another number of values.</exception>
    public void Stretch(int image, ReadOnlySpan<byte> pixels, Span<byte> values)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(values.Length, 256);
        if (Contrast is not null and not (> 1 and < double.PositiveInfinity)) throw new InvalidOperationException(FormattableString.Invariant($"augmentation: contrast: expected more than 1, found {Contrast}"));
        double factor = Contrast is { } most ? Math.Pow(most, new CounterRandom(Seed, RandomStream.Contrast, Epoch).Uniform(image)) : 1;
        long sum = 0;
        foreach (byte pixel in pixels) sum += pixel;
        double mean = (double)sum / pixels.Length;
        for (int value = 0; value < values.Length; value++) values[value] = (byte)Math.Clamp(Math.Round(mean + (factor * (value - mean))), 0, 255);
    }
}
