namespace PannCore.Approximation;

/// <summary>The largest error of an approximation on [Lo, Hi]: one that was found and a bound that no error exceeds.</summary>
/// <param name="Lo">Left end.</param>
/// <param name="Hi">Right end.</param>
/// <param name="Found">The largest |error| seen: it occurs, up to the rounding of its evaluation in double.</param>
/// <param name="At">Where it was seen.</param>
/// <param name="Bound">
/// No |error| on [Lo, Hi] in exact arithmetic exceeds this: the largest sample, what the derivative bound allows between samples, and the rounding of the
/// samples. Infinity if an evaluation was not finite.
/// </param>
public sealed record ErrorBound(double Lo, double Hi, double Found, double At, double Bound)
{
    /// <summary>How far above <see cref="Found"/> a bound may lie to count as tight: a factor.</summary>
    public const double Tightness = 1.002;
}
