using PannCore.Data;
using PannCore.Engine;

namespace PannCore.Diagnostics;

/// <summary>Images that are no photographs, of bytes like photographs: what a network meets when a camera is covered, dazzled or broken.</summary>
public static class StressImages
{
    private const int Side = 32;

    /// <summary>Their names, in the order of <see cref="All"/>.</summary>
    public static IReadOnlyList<string> Names { get; } = ["black", "white", "checkerboard, 1 pixel", "checkerboard, 8 pixels", "noise"];

    /// <summary>The images, labelled 0: all pixels 0; all 255; 0 and 255 in squares of 1 and of 8 pixels; independent and uniform from 0 to 255.</summary>
    /// <param name="seed">Seed of the noise.</param>
    public static Cifar10 All(long seed = 1)
    {
        var random = new CounterRandom(seed, RandomStream.StressImage, 0);
        Func<int, int, int, byte>[] pixels =
        [
            (_, _, _) => 0,
            (_, _, _) => 255,
            (_, row, column) => (byte)((row + column) % 2 * 255),
            (_, row, column) => (byte)(((row / 8) + (column / 8)) % 2 * 255),
            (channel, row, column) => (byte)random.Below((((channel * Side) + row) * Side) + column, 256),
        ];
        byte[] images = [.. pixels.SelectMany(image => Enumerable.Range(0, Cifar10.ImageBytes).Select(i => image(i / Side / Side, i / Side % Side, i % Side)))];
        return new(images, new byte[pixels.Length], "stress images");
    }
}
