using MathNet.Numerics;

namespace PannCore.Approximation;

/// <summary>
/// A function to approximate, g(t) = f(B t) with f the function itself and B its range, so that t in [-1, 1] covers the inputs in [-B, B].
/// It knows its symmetry, where it is not smooth, and which degree comes how near to it elsewhere: what a minimax exchange and a certificate need to know.
/// </summary>
/// <remarks>
/// Powers are polynomials, and sgn, |t| and ReLU are on either side of 0. The others are analytic, and for |Im x| at most y they are at most m in magnitude: sigmoid y = π/2, m = 1 (the real part of exp(-x) is not negative there);
/// tanh y = π/4, m = 1 (it is 2 sigmoid(2x) - 1, which maps that strip into the unit disc); SiLU y = π/2, m = |x|; GELU y = 8, m = |x| exp(y^2/2), Φ the normal distribution (|Φ(x+iy)| &lt;= exp(y^2/2)). Hence polynomials
/// of known degree come as near to them on [-1, 1] as one likes: 2 m ρ^-n / (ρ-1) for the Bernstein ellipse of sum of semi-axes ρ that fits into the strip
/// (L. N. Trefethen, "Approximation Theory and Approximation Practice", theorem 8.2).
/// </remarks>
public sealed class Target
{
    private readonly Func<double, double> _value;

    // The degree of some polynomial within the tolerance of g on [-1, 1] (pieces: on either side of the kink).
    private readonly Func<double, int> _degreeWithin;

    internal Target(string name, Func<double, double> value, Parity parity, double? kink, Func<double, int> degreeWithin)
        => (Name, _value, Parity, Kink, _degreeWithin) = (name, value, parity, kink, degreeWithin);

    private Target(string name, Func<double, double> value, Parity parity, double? kink, int degree)
        : this(name, value, parity, kink, _ => degree) => IsPolynomial = true;

    private const double SmallestRange = 0.001, LargestRange = 1000;

    /// <summary>The names that <see cref="Parse"/> knows.</summary>
    public const string KnownNames = "sign, abs, relu, leaky-A, sigmoid, silu, gelu, tanh, power-N";

    /// <summary>sgn: -1, 0 or 1. Polynomials approximate it on [-1, -a] and [a, 1] only: <see cref="Remez.Sign(int, double, double)"/>.</summary>
    public static Target Sign { get; } = new("sign", t => Math.Sign(t), Parity.Odd, 0, 0);

    /// <summary>|t|.</summary>
    public static Target Absolute { get; } = new("abs", Math.Abs, Parity.Even, 0, 1);

    /// <summary>max(t, 0).</summary>
    public static Target Relu { get; } = new("relu", t => Math.Max(t, 0), Parity.None, 0, 1);

    /// <summary>The name, without the range.</summary>
    public string Name { get; }

    /// <summary>Odd or even about 0, or none.</summary>
    public Parity Parity { get; }

    /// <summary>B: g(t) = f(B t). 1 for functions that have no other scale.</summary>
    public double Range { get; private init; } = 1;

    /// <summary>The one point where g or g' jumps; null for a smooth function.</summary>
    public double? Kink { get; }

    /// <summary>Whether g itself is a polynomial on the whole line, or on either side of its kink.</summary>
    internal bool IsPolynomial { get; }

    /// <summary>t for t at least 0, a t below.</summary>
    /// <exception cref="BadInputException">a is not a number from 0 to below 1 in float32.</exception>
    public static Target Leaky(double a)
        => ActivationSpec.IsSlope(a)
            ? new(FormattableString.Invariant($"leaky-{a}"), t => t > 0 ? t : a * t, Parity.None, 0, 1)
            : throw new BadInputException(FormattableString.Invariant($"target leaky: slope {a}, expected a number from 0 to below 1 in float32"));

    /// <summary>1 / (1 + exp(-B t)).</summary>
    public static Target Sigmoid(double range) => Analytic("sigmoid", Logistic, Parity.None, range, Math.PI / 2, _ => 1);

    /// <summary>x / (1 + exp(-x)) at x = B t.</summary>
    public static Target Silu(double range) => Analytic("silu", x => x * Logistic(x), Parity.None, range, Math.PI / 2, x => x);

    /// <summary>x Φ(x) at x = B t, Φ the distribution function of N(0, 1); not the form with tanh.</summary>
    public static Target Gelu(double range)
        => Analytic("gelu", x => x * SpecialFunctions.Erfc(-x / Constants.Sqrt2) / 2, Parity.None, range, 8, x => x * Math.Exp(32));

    /// <summary>tanh(B t).</summary>
    public static Target Tanh(double range) => Analytic("tanh", Math.Tanh, Parity.Odd, range, Math.PI / 4, _ => 1);

    /// <summary>t^n.</summary>
    /// <param name="power">n, 0 to 1024.</param>
    /// <exception cref="BadInputException">n is not one of those.</exception>
    public static Target Monomial(int power)
        => power is >= 0 and <= 1024
            ? new(FormattableString.Invariant($"power-{power}"), t => Power(t, power), int.IsEvenInteger(power) ? Parity.Even : Parity.Odd, null, power)
            : throw new BadInputException(FormattableString.Invariant($"target power: exponent {power}, expected 0 to 1024"));

    /// <summary>Finds a function by its name; the range means nothing to those without a scale.</summary>
    /// <exception cref="BadInputException">No such name, or the range is not from 0.001 to 1000.</exception>
    public static Target Parse(string name, double range = 1)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (SpecText.Suffix(name, "leaky-") is string slope)
            return Leaky(SpecText.Real(slope) ?? throw new BadInputException($"target leaky: slope '{slope}', expected a number from 0 to below 1 in float32"));
        if (SpecText.Suffix(name, "power-") is string power)
            return Monomial(SpecText.Whole(power) ?? throw new BadInputException($"target power: exponent '{power}', expected a whole number from 0 to 1024"));
        return name switch
        {
            "sign" => Sign,
            "abs" => Absolute,
            "relu" => Relu,
            "sigmoid" => Sigmoid(range),
            "silu" => Silu(range),
            "gelu" => Gelu(range),
            "tanh" => Tanh(range),
            _ => throw new BadInputException($"unknown function '{name}'; known: {KnownNames}"),
        };
    }

    /// <summary>The degree of some polynomial that differs from g by at most the tolerance on [-1, 1], or on either side of its kink.</summary>
    internal int DegreeWithin(double tolerance) => _degreeWithin(tolerance);

    /// <summary>g(t).</summary>
    public double Evaluate(double t) => _value(t);

    /// <summary>The largest |p - g| met on [lo, hi], and a sound upper bound of it, rounding apart.</summary>
    /// <param name="p">A <see cref="Parity.None"/> polynomial whose basis belongs to [lo, hi].</param>
    /// <param name="lo">Left end.</param>
    /// <param name="hi">Right end.</param>
    /// <param name="tolerance">By how much the bound may exceed what it must.</param>
    internal ErrorBound Scan(Polynomial p, double lo, double hi, double tolerance)
    {
        // The error is within the distance d of a polynomial, whose samples are at most d above the error's, and so is the error again between them.
        double distance = IsPolynomial ? 0 : tolerance / 2, bound = 0;
        ErrorBound? worst = null;
        int degree = Math.Max(Math.Max(p.Degree, DegreeWithin(distance)), 1);
        foreach ((double left, double right) in Kink > lo && Kink < hi ? [(lo, Kink.Value), (Kink.Value, hi)] : new[] { (lo, hi) })
        {
            ErrorBound scan = ErrorScan.Polynomial(t => p.Evaluate(t) - _value(t), degree, distance, left, right)[0];
            bound = Math.Max(bound, scan.Bound + distance);
            if (worst is null || scan.Found > worst.Found) worst = scan;
        }

        return new ErrorBound(lo, hi, worst!.Found, worst.At, bound);
    }

    private static Target Analytic(
        string name, Func<double, double> f, Parity parity, double range, double strip, Func<double, double> magnitude)
    {
        if (!(range is >= SmallestRange and <= LargestRange))
            throw new BadInputException(FormattableString.Invariant($"target {name}: range {range}, expected {SmallestRange} to {LargestRange}"));
        double b = Math.Min(strip / range, 1), rho = b + Math.Sqrt(1 + b * b), size = magnitude(range * Math.Sqrt(1 + b * b));
        return new(name, t => f(range * t), parity, null, Within) { Range = range };

        int Within(double tolerance) => (int)Math.Ceiling(Math.Log(2 * size / ((rho - 1) * tolerance)) / Math.Log(rho));
    }

    private static double Logistic(double x) => 1 / (1 + Math.Exp(-x));

    // Odd or even to the last bit on every platform.
    private static double Power(double t, int power) => Math.CopySign(Math.Pow(Math.Abs(t), power), int.IsOddInteger(power) ? t : 1);
}
