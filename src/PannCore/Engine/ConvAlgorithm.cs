namespace PannCore.Engine;

/// <summary>
/// How 3x3 convolutions of stride 1 and padding 1 are computed whose channels fill whole vector registers (a multiple of 16 up to 512 bits); all others are computed directly.
/// Results differ by rounding, so their bits depend on the algorithm and on the machine's vector width.
/// </summary>
public enum ConvAlgorithm
{
    /// <summary>Of direct and F(2x2, 3x3), whose errors are about the same, the faster as measured: F(2x2, 3x3) from 32 channels on, and for weight gradients.</summary>
    Automatic,

    /// <summary>Direct sums of products.</summary>
    Direct,

    /// <summary>
    /// Winograd's F(2x2, 3x3) wherever it applies: 2.25 times fewer products. On weights of similar size its error was measured to be below the direct one's;
    /// where the nine weights of a kernel differ by orders of magnitude it can be far larger, since it is relative to the sum of all nine and of the whole 4 x 4 patch.
    /// It overflows at inputs of a quarter of the largest float32, and turns infinities into NaN.
    /// </summary>
    Winograd2,

    /// <summary>
    /// Winograd's F(4x4, 3x3) wherever it applies: 4 times fewer products, for two to three times the error of the direct sum (root mean square, measured on weights of similar size).
    /// </summary>
    Winograd4,
}
