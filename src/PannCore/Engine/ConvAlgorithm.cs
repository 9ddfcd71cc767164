namespace PannCore.Engine;

/// <summary>
/// How 3x3 convolutions of stride 1 and padding 1 are computed whose channels fill whole tiles of vector registers on both sides (with 512 bits 16 or a multiple of 32, with 256 bits a multiple of 16); all others are computed directly.
/// Results differ by rounding, so their bits depend on the algorithm and on the machine's vector width.
/// </summary>
public enum ConvAlgorithm
{
    /// <summary>The fastest that is as exact as direct sums on weights of similar size: <see cref="Winograd2"/>.</summary>
    Automatic,

    /// <summary>Direct sums of products.</summary>
    Direct,

    /// <summary>
    /// Winograd's F(2x2, 3x3) wherever it applies: 2.25 times fewer products. On weights of similar size its error was measured to be 0.65 to 0.76 times the direct one's, in weight gradients 0.4 to 1.25 times;
    /// where the nine weights of a kernel differ by orders of magnitude it can be far larger, since it is relative to the sum of all nine and of the whole 4 x 4 patch.
    /// It overflows at inputs of a quarter of the largest float32, and turns infinities into NaN.
    /// </summary>
    Winograd2,

    /// <summary>
    /// Winograd's F(4x4, 3x3) wherever it applies: 4 times fewer products, for 2.0 to 2.5 times the direct sum's error, in weight gradients 1.2 to 3.6 times (root mean square, measured on weights of similar size;
    /// at most 1.8e-6 of the largest output). As with <see cref="Winograd2"/>, large differences between the weights of a kernel, overflow and infinities are worse than in direct sums.
    /// </summary>
    Winograd4,
}
