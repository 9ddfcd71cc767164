namespace PannCore.Approximation;

/// <summary>How an exchange ended; whatever else happens is a <see cref="RemezConvergenceException"/>.</summary>
public enum RemezStatus
{
    /// <summary>The largest error equals the levelled one: the polynomial is minimax to within 0.05 %.</summary>
    Levelled,

    /// <summary>The error is as small as the rounding of double (about 1e-14 of the largest value): the minimax error is smaller still, and nothing is left to level.</summary>
    AtRounding,
}
