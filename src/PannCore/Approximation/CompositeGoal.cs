namespace PannCore.Approximation;

/// <summary>What a search for the degrees of a composite keeps least: see <see cref="CompositeSearch"/>.</summary>
public enum CompositeGoal
{
    /// <summary>The depth, and at that depth the multiplications.</summary>
    Depth,

    /// <summary>The non-scalar multiplications.</summary>
    Multiplications,
}
