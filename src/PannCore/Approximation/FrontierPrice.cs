namespace PannCore.Approximation;

/// <summary>What a polynomial costs under encryption.</summary>
public enum FrontierPrice
{
    /// <summary>CKKS levels, every rescale counted, constants included.</summary>
    Levels,

    /// <summary>Products of two ciphertexts.</summary>
    Multiplications,
}
