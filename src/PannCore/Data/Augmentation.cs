using PannCore.Engine;

namespace PannCore.Data;

/// <summary>
/// Random crop (4 black pixels added on each side, a 32 x 32 window kept) and random flip, the usual augmentation of CIFAR-10.
/// The window of an image depends on seed, epoch and the image's index only.
/// </summary>
public readonly record struct Augmentation(long Seed, int Epoch)
{
    /// <summary>Black pixels added on each side.</summary>
    public const int Margin = 4;

    /// <summary>How far the window of an image is shifted, each in -4 .. 4, and whether it is mirrored.</summary>
    public (int Down, int Right, bool Flip) Window(int image)
    {
        var random = new CounterRandom(Seed, RandomStream.Augmentation, Epoch);
        return (random.Below(3L * image, (2 * Margin) + 1) - Margin, random.Below((3L * image) + 1, (2 * Margin) + 1) - Margin, random.Below((3L * image) + 2, 2) == 1);
    }
}
