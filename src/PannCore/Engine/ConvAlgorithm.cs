namespace PannCore.Engine;

/// <summary>How 3x3 convolutions of stride 1 are computed; all others are computed directly.</summary>
public enum ConvAlgorithm
{
    /// <summary>Whatever was measured to be fastest for the shape: Winograd's F(2x2, 3x3) from 32 channels on, and for weight gradients; else direct.</summary>
    Fastest,

    /// <summary>Direct sums of products.</summary>
    Direct,

    /// <summary>Winograd's F(2x2, 3x3) wherever it applies: 2.25 times fewer products, and an error no larger than the direct one's.</summary>
    Winograd2,
}
