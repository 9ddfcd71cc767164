using System.Globalization;

namespace PannCore.Diagnostics;

/// <summary>How a product of fixed-point numbers loses its surplus bits.</summary>
public enum Truncation
{
    /// <summary>To the multiple below: an arithmetic shift.</summary>
    Floor,

    /// <summary>To one of the two multiples next to it, the nearer the likelier, so that the mean error is 0: what probabilistic truncation protocols do.</summary>
    Stochastic,
}

/// <summary>
/// Fixed-point numbers as multiparty protocols hold them: the real number v is the integer nearest to v 2^F, in the ring of the integers modulo 2^L, whose elements stand for
/// -2^(L-1) to 2^(L-1) - 1.
/// </summary>
public sealed record FixedPointFormat
{
    /// <summary>Limits of F and L. Products of weights and values are exact in the kernels below for any of them.</summary>
    public const int FewestFractionBits = 1, MostFractionBits = 30, FewestRingBits = 8, MostRingBits = 64;

    private const string Prefix = "fixed:";

    /// <summary>A format.</summary>
    /// <param name="fractionBits">F, 1 to 30 and at most L - 2.</param>
    /// <param name="ringBits">L, 8 to 64.</param>
    /// <param name="truncation">What happens after a product.</param>
    /// <exception cref="BadInputException">F or L is not one of those.</exception>
    public FixedPointFormat(int fractionBits, int ringBits, Truncation truncation = Truncation.Floor)
    {
        if (ringBits is < FewestRingBits or > MostRingBits)
            throw new BadInputException(FormattableString.Invariant($"fixed point: a ring of {ringBits} bits, expected {FewestRingBits} to {MostRingBits}"));
        int most = Math.Min(MostFractionBits, ringBits - 2);
        if (fractionBits < FewestFractionBits || fractionBits > most)
            throw new BadInputException(FormattableString.Invariant($"fixed point: {fractionBits} fraction bits in a ring of {ringBits}, expected {FewestFractionBits} to {most}"));
        if (!Enum.IsDefined(truncation)) throw new BadInputException(FormattableString.Invariant($"fixed point: truncation {(int)truncation}, expected floor or stochastic"));
        (FractionBits, RingBits, Truncation) = (fractionBits, ringBits, truncation);
    }

    /// <summary>F.</summary>
    public int FractionBits { get; }

    /// <summary>L.</summary>
    public int RingBits { get; }

    /// <summary>What happens after a product.</summary>
    public Truncation Truncation { get; }

    /// <summary>Whether a text begins like a fixed-point format.</summary>
    public static bool IsMeant(string text) => text.StartsWith(Prefix, StringComparison.Ordinal);

    /// <summary>Reads <c>fixed:F,L</c> or <c>fixed:F,L,stochastic</c>.</summary>
    /// <exception cref="BadInputException">Another text, or numbers outside their limits.</exception>
    public static FixedPointFormat Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        string[] parts = IsMeant(text) ? text[Prefix.Length..].Split(',') : [];
        if (parts.Length is not (2 or 3) || !Number(parts[0], out int fraction) || !Number(parts[1], out int ring) || (parts.Length == 3 && parts[2] != "stochastic"))
            throw new BadInputException($"arithmetic '{text}': expected float32, double, fixed:F,L or fixed:F,L,stochastic with F fraction bits in a ring of 2^L");
        return new(fraction, ring, parts.Length == 3 ? Truncation.Stochastic : Truncation.Floor);

        static bool Number(string digits, out int value) => int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out value);
    }

    /// <summary>The text that <see cref="Parse"/> reads.</summary>
    public override string ToString() => FormattableString.Invariant($"{Prefix}{FractionBits},{RingBits}{(Truncation == Truncation.Stochastic ? ",stochastic" : "")}");
}
