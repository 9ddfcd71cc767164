using System.Runtime.CompilerServices;

namespace PannCore.Approximation;

/// <summary>
/// A polynomial in the Chebyshev basis of an interval: odd <c>p(t) = sum c_k T_{2k+1}(t/b)</c> or even <c>p(t) = sum c_k T_{2k}(t/b)</c> on [-b, b],
/// or, without symmetry, <c>p(t) = sum c_k T_k((t-m)/b)</c> on [m-b, m+b]. Immutable.
/// </summary>
/// <remarks>
/// With s = (t-m)/b, all three satisfy <c>f_{k+1} = 2u f_k - f_{k-1}</c>, odd and even ones in <c>u = T_2(s) = 2s^2 - 1</c>, the others in u = s, so that one
/// Clenshaw recurrence <c>b_k = c_k + 2u b_{k+1} - b_{k+2}</c> sums each: odd <c>s (b_0 - b_1)</c>, else <c>b_0 - u b_1</c>.
/// It holds for every real t; outside the interval the value grows like |2s|^degree and nothing is clamped.
/// The power basis is avoided because its coefficients reach 1e5 where these stay near 1.
/// Source of the recurrence: C. W. Clenshaw, "A note on the summation of Chebyshev series", 1955.
/// </remarks>
public sealed class Polynomial
{
    /// <summary>What <see cref="IsHalfWidth"/> asks for, in messages.</summary>
    internal const string HalfWidthForm = "a positive finite number whose inverse is finite";

    private readonly double[] _coefficients;

    /// <summary>A polynomial from its Chebyshev coefficients, which are copied.</summary>
    /// <param name="parity">Odd, even, or none.</param>
    /// <param name="halfWidth">b &gt; 0, 1/b finite: the basis belongs to [m-b, m+b].</param>
    /// <param name="coefficients">At least one finite c_k, lowest degree first.</param>
    /// <param name="centre">m: 0 for odd and even polynomials.</param>
    /// <exception cref="BadInputException">No coefficient, a coefficient that is not finite, b not positive and finite or its inverse not finite, m not finite, or an odd or even polynomial about another point than 0.</exception>
    public Polynomial(Parity parity, double halfWidth, ReadOnlySpan<double> coefficients, double centre = 0)
    {
        if (!Enum.IsDefined(parity))
            throw new BadInputException(FormattableString.Invariant($"polynomial: parity {(int)parity}, expected odd, even or none"));
        if (!IsHalfWidth(halfWidth))
            throw new BadInputException(FormattableString.Invariant($"polynomial: half-width {halfWidth}, expected {HalfWidthForm}"));
        if (!double.IsFinite(centre) || (centre != 0 && parity != Parity.None))
            throw new BadInputException(FormattableString.Invariant($"polynomial: centre {centre}, expected {(parity == Parity.None ? "a finite number" : "0 for an odd or even polynomial")}"));
        if (coefficients.IsEmpty)
            throw new BadInputException("polynomial: no coefficients, expected at least one");
        for (int k = 0; k < coefficients.Length; k++)
        {
            if (!double.IsFinite(coefficients[k]))
                throw new BadInputException(FormattableString.Invariant($"polynomial: coefficient {k} is {coefficients[k]}, expected a finite number"));
        }

        Parity = parity;
        HalfWidth = halfWidth;
        Centre = centre;
        _coefficients = coefficients.ToArray();
        Coefficients = Array.AsReadOnly(_coefficients);
    }

    /// <summary>Odd, even, or none.</summary>
    public Parity Parity { get; }

    /// <summary>b: the Chebyshev basis belongs to [m-b, m+b].</summary>
    public double HalfWidth { get; }

    /// <summary>m, the middle of that interval: 0 for odd and even polynomials.</summary>
    public double Centre { get; }

    /// <summary>c_k, lowest degree first: the coefficient of T_{2k+1}(t/b) (odd), of T_{2k}(t/b) (even) or of T_k((t-m)/b) (none).</summary>
    public IReadOnlyList<double> Coefficients { get; }

    /// <summary>The degree of the last Chebyshev polynomial in the sum.</summary>
    public int Degree => Parity == Parity.None ? _coefficients.Length - 1 : 2 * (_coefficients.Length - 1) + (Parity == Parity.Odd ? 1 : 0);

    /// <summary>Whether b is a half-width: an argument is multiplied by 1/b, which overflows for b of 2^-1024 and below.</summary>
    internal static bool IsHalfWidth(double b) => b > 0 && double.IsFinite(b) && double.IsFinite(1 / b);

    /// <summary>p(t), by Clenshaw's recurrence in double; right for every t, also outside the interval.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)] // a command generates one polynomial and ends before tiering would optimise this loop
    public double Evaluate(double t)
    {
        double s = (t - Centre) / HalfWidth;
        double u = Parity == Parity.None ? s : 2 * s * s - 1;
        double twoU = 2 * u;
        double b0 = 0, b1 = 0;
        double[] c = _coefficients;
        for (int k = c.Length - 1; k >= 0; k--)
            (b0, b1) = (c[k] - b1 + twoU * b0, b0);
        return Parity == Parity.Odd ? s * (b0 - b1) : b0 - u * b1;
    }

    /// <summary>p'(t): the same recurrence differentiated term by term, hence the exact derivative of the polynomial.</summary>
    public double Derivative(double t)
    {
        double s = (t - Centre) / HalfWidth;
        double u = Parity == Parity.None ? s : 2 * s * s - 1;
        double du = (Parity == Parity.None ? 1 : 4 * s) / HalfWidth;
        double b0 = 0, b1 = 0, d0 = 0, d1 = 0;
        for (int k = _coefficients.Length - 1; k >= 0; k--)
        {
            (d0, d1) = (2 * (du * b0 + u * d0) - d1, d0);
            (b0, b1) = (_coefficients[k] - b1 + 2 * u * b0, b0);
        }

        return Parity == Parity.Odd
            ? (b0 - b1) / HalfWidth + s * (d0 - d1)
            : d0 - du * b1 - u * d1;
    }
}
