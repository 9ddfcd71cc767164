using PannCore.Engine;

namespace PannCore.Diagnostics;

/// <summary>The arithmetic of single elements of a ring of 2^L; what does not fit is wrapped and counted.</summary>
internal sealed class Ring(FixedPointFormat format)
{
    private readonly int _unused = 64 - format.RingBits;
    private readonly bool _stochastic = format.Truncation == Truncation.Stochastic;

    public int FractionBits => format.FractionBits;

    public bool IsStochastic => _stochastic;

    /// <summary>2^(L-1): magnitudes below it fit.</summary>
    public ulong Half { get; } = 1UL << (format.RingBits - 1);

    /// <summary>A public constant: the integer nearest to value 2^bits, halves away from 0. It is not wrapped: a product with it is, and is counted.</summary>
    /// <param name="value">The constant.</param>
    /// <param name="bits">Its fraction bits.</param>
    /// <param name="path">The operation it belongs to, for the message.</param>
    /// <exception cref="BadInputException">It is not finite, or 64 bits do not hold it.</exception>
    public static long Hold(double value, int bits, string path)
    {
        double scaled = Math.Round(Math.ScaleB(value, bits), MidpointRounding.AwayFromZero);
        return Math.Abs(scaled) < 1UL << 63
            ? (long)scaled
            : throw new BadInputException(FormattableString.Invariant($"fixed point: {path}: expected constants of magnitude below 2^{63 - bits} with {bits} fraction bits, found {value}"));
    }

    /// <summary>The same with F fraction bits.</summary>
    public long Hold(double value, string path) => Hold(value, FractionBits, path);

    /// <summary>The representative of the lowest L bits.</summary>
    public long Wrap(long low) => low << _unused >> _unused;

    /// <summary>The same of an integer of which the higher 64 bits are known too.</summary>
    public long Wrap(long high, long low, ref long wraps)
    {
        long value = Wrap(low);
        if (value != low || high != low >> 63) wraps++;
        return value;
    }

    public long Wrap(Int128 value, ref long wraps) => Wrap((long)(value >> 64), (long)value, ref wraps);

    public long Add(long x, long y, ref long wraps) => Wrap((Int128)x + y, ref wraps);

    /// <summary>The element x y, still with its surplus bits.</summary>
    public long Multiply(long x, long y, ref long wraps)
    {
        long high = Math.BigMul(x, y, out long low);
        return Wrap(high, low, ref wraps);
    }

    /// <summary>Drops the lowest bits.</summary>
    /// <param name="value">An element.</param>
    /// <param name="bits">How many.</param>
    /// <param name="random">For stochastic truncation, which rounds up where fraction + random reaches 2^bits.</param>
    public long Truncate(long value, int bits, ulong random)
    {
        if (!_stochastic) return value >> bits;
        ulong mask = (1UL << bits) - 1;
        return (value >> bits) + (long)((((ulong)value & mask) + (random & mask)) >> bits);
    }

    public long Truncate(long value, int bits, in CounterRandom random, long index) => Truncate(value, bits, _stochastic ? random.Bits(index) : 0);
}
