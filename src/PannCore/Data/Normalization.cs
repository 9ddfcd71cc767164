namespace PannCore.Data;

/// <summary>Pixel normalisation x = (byte / 255 - mean) / deviation for each of red, green, blue.</summary>
/// <param name="Name">The name used on the command line and in model files.</param>
/// <param name="Mean">Mean of each channel, pixels in [0, 1].</param>
/// <param name="Deviation">Standard deviation of each channel.</param>
public sealed record Normalization(string Name, IReadOnlyList<double> Mean, IReadOnlyList<double> Deviation)
{
    /// <summary>The statistics of CIFAR-10's training pixels.</summary>
    public static Normalization Cifar10 { get; } = new("cifar10", [0.4914, 0.4822, 0.4465], [0.2470, 0.2435, 0.2616]);

    /// <summary>The statistics of ImageNet, which several published CIFAR-10 checkpoints were trained with.</summary>
    public static Normalization ImageNet { get; } = new("imagenet", [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]);

    /// <summary>The normalisation of this name.</summary>
    /// <exception cref="BadInputException">No such normalisation.</exception>
    public static Normalization Parse(string name) => name switch
    {
        "cifar10" => Cifar10,
        "imagenet" => ImageNet,
        _ => throw new BadInputException($"normalisation '{name}': unknown; known: cifar10, imagenet"),
    };

    /// <summary>The normalised value of each byte, red then green then blue: 3 x 256.</summary>
    internal float[] Table()
    {
        float[] table = new float[3 * 256];
        for (int i = 0; i < table.Length; i++) table[i] = (float)((((i % 256) / 255.0) - Mean[i / 256]) / Deviation[i / 256]);
        return table;
    }
}
