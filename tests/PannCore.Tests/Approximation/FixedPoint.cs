using System.Numerics;
using PannCore.Approximation;

namespace PannCore.Tests.Approximation;

/// <summary>Numbers with 160 binary places: ReLU polynomials evaluated with 48 decimal places, to measure the rounding of double.</summary>
internal static class FixedPoint
{
    private const int Places = 160;
    private static readonly BigInteger One = BigInteger.One << Places;

    /// <summary>r(t) - t of the double coefficients as they are, rounded to double only at the end.</summary>
    public static double ErrorOnPositive(ReluPolynomial r, double t)
        => (double)(Twice(r, Exact(t)) - 2 * Exact(t)) / (double)One / 2;

    /// <summary>What double makes of p(t), less p(t).</summary>
    public static double Rounding(Polynomial p, double t) => (double)(Exact(p.Evaluate(t)) - Evaluate(p, Exact(t))) / (double)One;

    /// <summary>What double makes of r(t), less r(t).</summary>
    public static double Rounding(ReluPolynomial r, double t) => (double)((2 * Exact(r.Evaluate(t))) - Twice(r, Exact(t))) / (double)One / 2;

    /// <summary>r(t), rounded once.</summary>
    public static double Value(ReluPolynomial r, double t) => (double)Twice(r, Exact(t)) / (double)One / 2;

    /// <summary>The central difference of r with step 2^-60: truncation 2^-120 |third derivative| / 6, rounding 2^-100 times a small number.</summary>
    public static double Slope(ReluPolynomial r, double t)
    {
        BigInteger step = One >> 60;
        return (double)(Twice(r, Exact(t) + step) - Twice(r, Exact(t) - step)) / (double)step / 4;
    }

    private static BigInteger Twice(ReluPolynomial r, BigInteger x)
    {
        BigInteger p = x, leak = Exact(r.Leak);
        foreach (Polynomial stage in r.Stages)
            p = Evaluate(stage, p);
        if (r.Family == ReluFamily.Series) return 2 * p;
        return r.Family == ReluFamily.Composite
            ? Multiply(x, One + leak + Multiply(One - leak, p))
            : Multiply(One + leak, x) + Multiply(One - leak, p);
    }

    // Plain three-term recurrence, not Clenshaw.
    private static BigInteger Evaluate(Polynomial polynomial, BigInteger t)
    {
        BigInteger s = ((t - Exact(polynomial.Centre)) << Places) / Exact(polynomial.HalfWidth);
        BigInteger twoU = polynomial.Parity == Parity.None ? 2 * s : 4 * Multiply(s, s) - 2 * One;
        (BigInteger previous, BigInteger current) = polynomial.Parity == Parity.Odd ? (s, s) : (twoU / 2, One);
        BigInteger sum = 0;
        foreach (double c in polynomial.Coefficients)
        {
            sum += Multiply(Exact(c), current);
            (previous, current) = (current, Multiply(twoU, current) - previous);
        }

        return sum;
    }

    private static BigInteger Multiply(BigInteger a, BigInteger b) => (a * b) >> Places;

    // A double is m 2^e; every one used here is above 2^-100 or 0.
    private static BigInteger Exact(double value)
    {
        if (value == 0) return 0;
        int e = Math.ILogB(value) - 52;
        var m = new BigInteger(Math.ScaleB(value, -e));
        return e + Places >= 0 ? m << (e + Places) : m >> -(e + Places);
    }
}
