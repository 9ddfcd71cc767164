using System.Globalization;

namespace PannCore.Data;

/// <summary>Pixel normalisation x = (byte / 255 - mean) / deviation for each of red, green, blue.</summary>
public sealed class Normalization
{
    /// <summary>A normalisation of one's own.</summary>
    /// <param name="name">The name it is told by in messages and model files.</param>
    /// <param name="mean">Mean of red, green, blue, pixels in [0, 1].</param>
    /// <param name="deviation">Standard deviation of each, above 0.</param>
    /// <exception cref="BadInputException">Not three finite numbers each, a deviation that is not positive, or the name of a known one with other numbers.</exception>
    public Normalization(string name, IReadOnlyList<double> mean, IReadOnlyList<double> deviation)
    {
        if (mean.Count != 3 || !mean.All(double.IsFinite))
            throw new BadInputException($"normalisation '{name}': expected the means of red, green and blue, found {Text(mean)}");
        if (deviation.Count != 3 || !deviation.All(d => d > 0 && double.IsFinite(d)))
            throw new BadInputException($"normalisation '{name}': expected the positive deviations of red, green and blue, found {Text(deviation)}");
        (Name, Mean, Deviation) = (name, [.. mean], [.. deviation]);
        // Null while those two are made.
        if (Known(name) is { } known && !SameNumbers(known)) throw new BadInputException($"normalisation '{name}': expected {known.Numbers}, which the name stands for, found {Numbers}");
    }

    /// <summary>The name used on the command line and in model files.</summary>
    public string Name { get; }

    /// <summary>Mean of red, green, blue, pixels in [0, 1].</summary>
    public IReadOnlyList<double> Mean { get; }

    /// <summary>Standard deviation of red, green, blue.</summary>
    public IReadOnlyList<double> Deviation { get; }

    /// <summary>The statistics of CIFAR-10's training pixels.</summary>
    public static Normalization Cifar10 { get; } = new("cifar10", [0.4914, 0.4822, 0.4465], [0.2470, 0.2435, 0.2616]);

    /// <summary>The statistics of ImageNet, which several published CIFAR-10 checkpoints were trained with.</summary>
    public static Normalization ImageNet { get; } = new("imagenet", [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]);

    /// <summary>The normalisation of this name.</summary>
    /// <exception cref="BadInputException">No such normalisation.</exception>
    public static Normalization Parse(string name) => Known(name) ?? throw new BadInputException($"normalisation '{name}': unknown; known: cifar10, imagenet");

    /// <summary>Mean and deviation, for messages.</summary>
    internal string Numbers => $"mean {Text(Mean)}, deviation {Text(Deviation)}";

    internal bool SameNumbers(Normalization other) => Mean.SequenceEqual(other.Mean) && Deviation.SequenceEqual(other.Deviation);

    /// <summary>Three numbers as a model file holds them.</summary>
    internal static string Text(IReadOnlyList<double> values) => string.Join(',', values.Select(value => value.ToString(CultureInfo.InvariantCulture)));

    private static Normalization? Known(string name) => name switch
    {
        "cifar10" => Cifar10,
        "imagenet" => ImageNet,
        _ => null,
    };

    /// <summary>The normalised value of each byte, red then green then blue: 3 x 256.</summary>
    internal float[] Table()
    {
        float[] table = new float[3 * 256];
        for (int i = 0; i < table.Length; i++) table[i] = (float)((((i % 256) / 255.0) - Mean[i / 256]) / Deviation[i / 256]);
        return table;
    }
}
