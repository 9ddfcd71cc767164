namespace PannCore.Approximation;

/// <summary>Which error of a polynomial is held against its price.</summary>
public enum FrontierError
{
    /// <summary>Root mean square under the chosen density; the mean is part of it.</summary>
    Rms,

    /// <summary>|mean| under the chosen density.</summary>
    Mean,

    /// <summary>The certified maximum on [-1, 1].</summary>
    Maximum,
}
