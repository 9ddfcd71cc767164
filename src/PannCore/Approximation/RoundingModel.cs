namespace PannCore.Approximation;

/// <summary>
/// An arithmetic as rounding error analysis sees it: a product is off by at most <c>Relative |x y| + Absolute</c>, a sum by at most <c>Relative |x + y|</c>,
/// a constant c by at most <c>Relative |c| + Absolute</c>.
/// </summary>
internal readonly record struct RoundingModel(double Relative, double Absolute)
{
    /// <summary>IEEE double, round to nearest; products may underflow, sums do not.</summary>
    public static RoundingModel Double => new(Math.ScaleB(1, -53), Math.ScaleB(1, -1074));

    /// <summary>IEEE single, round to nearest.</summary>
    public static RoundingModel Single => new(Math.ScaleB(1, -24), Math.ScaleB(1, -149));

    /// <summary>Integers times 2^-F: sums are exact.</summary>
    public static RoundingModel Fixed(int fractionBits, FixedPointRounding rounding)
        => new(0, Math.ScaleB(rounding == FixedPointRounding.Nearest ? 0.5 : 1, -fractionBits));
}
