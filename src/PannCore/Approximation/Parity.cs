namespace PannCore.Approximation;

/// <summary>The symmetry that a <see cref="Polynomial"/> declares, which decides which Chebyshev polynomials carry its coefficients.</summary>
public enum Parity
{
    /// <summary>p(-t) = p(t): coefficient k belongs to T_{2k}.</summary>
    Even,

    /// <summary>p(-t) = -p(t): coefficient k belongs to T_{2k+1}.</summary>
    Odd,

    /// <summary>No symmetry is used: coefficient k belongs to T_k.</summary>
    None,
}
