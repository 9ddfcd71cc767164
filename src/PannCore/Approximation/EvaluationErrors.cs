namespace PannCore.Approximation;

/// <summary>The evaluation error of a ReLU polynomial in one arithmetic: |fl(r)(t) - r(t)| for t in [-1, 1] that the arithmetic can hold.</summary>
/// <param name="Found">The largest found: at 8,194 points of both signs, crowded at 0 and at 1, against an evaluation in double.</param>
/// <param name="Bound">
/// Proved by a forward error analysis, whatever the points: <see cref="ClenshawRounding"/>, which says how far above what occurs it lies. Null if it is 1 or more and says nothing.
/// </param>
public sealed record EvaluationError(double Found, double? Bound);

/// <summary>The evaluation error in fixed point: integers times 2^-F.</summary>
/// <param name="FractionBits">F.</param>
/// <param name="Rounding">What happens to every product. Constants are rounded to nearest; inputs are multiples of 2^-F.</param>
/// <param name="Found">The largest found, as for the other arithmetics; Infinity if 63 bits did not hold a value.</param>
/// <param name="Bound">Proved, as for the other arithmetics. Null also where it is not proved that 63 bits hold every value.</param>
public sealed record FixedPointError(int FractionBits, FixedPointRounding Rounding, double Found, double? Bound);

/// <summary>What evaluation adds to the approximation error, arithmetic by arithmetic; that of double is <see cref="Certificate.Rounding"/>.</summary>
/// <param name="Float32">IEEE single in every operation, none fused.</param>
/// <param name="FixedPoint">16, 24 and 32 fraction bits, rounded to nearest and truncated.</param>
public sealed record EvaluationErrors(EvaluationError Float32, IReadOnlyList<FixedPointError> FixedPoint)
{
    internal static EvaluationErrors Of(ReluPolynomial polynomial)
        => new(
            new EvaluationError(polynomial.Float32EvaluationError, Telling(ClenshawRounding.Of(polynomial, RoundingModel.Single))),
            Array.AsReadOnly(new[] { 16, 24, 32 }.SelectMany(
                bits => new[] { FixedPointRounding.Nearest, FixedPointRounding.Truncate }, (bits, rounding) => FixedPointEvaluation.ErrorOf(polynomial, bits, rounding)).ToArray()));

    /// <summary>A bound, unless it is so large that it says nothing.</summary>
    internal static double? Telling(double bound) => bound < 1 ? bound : null;
}
