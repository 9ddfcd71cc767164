using System.Runtime.CompilerServices;

namespace PannCore.Approximation;

/// <summary>The evaluation of a ReLU polynomial in integers: every value is an integer times 2^-F, every product is rounded to one, sums are exact.</summary>
/// <remarks>The operations of <see cref="ClenshawForm"/> in the order of <see cref="Float32Evaluation"/>; its constants are rounded to nearest, once. Integers of 64 bits, products of 128.</remarks>
public sealed class FixedPointEvaluation
{
    /// <summary>Least and largest F.</summary>
    public const int FewestBits = 4, MostBits = 48;

    private readonly ReluFamily _family;
    private readonly ulong _half;
    private readonly long _scale, _linear;
    private readonly long[][] _values;

    /// <summary>Rounds the constants.</summary>
    /// <param name="polynomial">r.</param>
    /// <param name="fractionBits">F, 4 to 48.</param>
    /// <param name="rounding">What happens to every product.</param>
    /// <exception cref="BadInputException">F is not one of those.</exception>
    /// <exception cref="OverflowException">A constant needs more than 63 bits.</exception>
    public FixedPointEvaluation(ReluPolynomial polynomial, int fractionBits, FixedPointRounding rounding)
    {
        ArgumentNullException.ThrowIfNull(polynomial);
        if (fractionBits is < FewestBits or > MostBits)
            throw new BadInputException(FormattableString.Invariant($"fixed point: {fractionBits} fraction bits, expected {FewestBits} to {MostBits}"));
        (FractionBits, Rounding) = (fractionBits, rounding);
        _half = rounding == FixedPointRounding.Nearest ? 1UL << (fractionBits - 1) : 0;
        var constants = ClenshawForm.Of(polynomial);
        _family = constants.Family;
        (_scale, _linear) = (Hold(constants.Scale), Hold(constants.Linear));
        _values = Array.ConvertAll(constants.Values, stage => Array.ConvertAll(stage, Hold));
    }

    /// <summary>F.</summary>
    public int FractionBits { get; }

    /// <summary>What happens to every product.</summary>
    public FixedPointRounding Rounding { get; }

    /// <summary>The integer nearest to value times 2^F, halves away from 0.</summary>
    /// <exception cref="OverflowException">It needs more than 63 bits.</exception>
    public long Hold(double value) => checked((long)Math.Round(Math.ScaleB(value, FractionBits), MidpointRounding.AwayFromZero));

    /// <summary>r at t 2^-F, in units of 2^-F.</summary>
    /// <exception cref="OverflowException">A value needs more than 63 bits.</exception>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)] // measured once per polynomial: tiering would come too late
    public long Evaluate(long t)
    {
        checked
        {
            long one = 1L << FractionBits, w = Product(t, _scale), v = 0, b0 = 0, b1 = 0;
            for (int stage = 0; stage < _values.Length; stage++)
            {
                if (stage > 0) w = Product(w, b0 - b1);
                v = _family == ReluFamily.Series ? w : Product(w, w) - (2 * one);
                (b0, b1) = (0, 0);
                long[] c = _values[stage];
                for (int k = c.Length - 1; k >= 0; k--)
                    (b0, b1) = (c[k] - b1 + Product(v, b0), b0);
            }

            return _family == ReluFamily.Composite
                ? Product(t, _linear + Product(w, b0 - b1))
                : Product(_linear, t) + b0 - Product(v, b1, FractionBits + 1, _half << 1);
        }
    }

    /// <summary>The largest error found and the bound, for any F from 4 to 48.</summary>
    /// <exception cref="BadInputException">F is not one of those.</exception>
    public static FixedPointError ErrorOf(ReluPolynomial polynomial, int fractionBits, FixedPointRounding rounding)
    {
        double found;
        try
        {
            var evaluation = new FixedPointEvaluation(polynomial, fractionBits, rounding);
            found = EvaluationPoints.LargestError(
                polynomial, t => Math.ScaleB(evaluation.Hold(t), -fractionBits), t => Math.ScaleB(evaluation.Evaluate(evaluation.Hold(t)), -fractionBits));
        }
        catch (OverflowException)
        {
            found = double.PositiveInfinity;
        }

        // That no point met an overflow does not exclude one between them; half of what 63 bits hold leaves room for the rounding of the analysis itself.
        (double bound, double largest) = ClenshawRounding.Bounds(polynomial, RoundingModel.Fixed(fractionBits, rounding));
        bool fits = double.IsFinite(found) && Math.ScaleB(largest, fractionBits) <= Math.ScaleB(1, 62);
        return new(fractionBits, rounding, found, fits ? EvaluationErrors.Telling(bound) : null);
    }

    private long Product(long x, long y) => Product(x, y, FractionBits, _half);

    /// <summary>floor((x y + half) / 2^bits).</summary>
    private static long Product(long x, long y, int bits, ulong half)
    {
        long high = Math.BigMul(x, y, out long low);
        ulong sum = (ulong)low + half;
        if (sum < half) high++;
        long sign = high >> (bits - 1); // 0 or -1 if the result fits
        return sign is 0 or -1 ? (high << (64 - bits)) | (long)(sum >> bits) : throw new OverflowException("fixed point: a product needs more than 63 bits");
    }
}
