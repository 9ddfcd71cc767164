namespace PannCore.Approximation;

/// <summary>What an activation computes.</summary>
public enum ActivationKind
{
    /// <summary>max(x, 0) itself.</summary>
    Relu,

    /// <summary>x for x at least 0, a x below: itself, no polynomial.</summary>
    Leaky,

    /// <summary>A polynomial from compositions of odd minimax polynomials of sgn: <see cref="ReluFamily.Composite"/>.</summary>
    Composite,

    /// <summary>A polynomial from the even minimax polynomial of |t|: <see cref="ReluFamily.Direct"/>.</summary>
    Direct,
}
