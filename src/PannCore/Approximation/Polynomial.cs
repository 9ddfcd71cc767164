using System.Runtime.CompilerServices;

namespace PannCore.Approximation;

/// <summary>
/// An odd or even polynomial in the Chebyshev basis of [-b, b]:
/// odd <c>p(t) = sum c_k T_{2k+1}(t/b)</c>, even <c>p(t) = sum c_k T_{2k}(t/b)</c>. Immutable.
/// </summary>
/// <remarks>
/// With s = t/b, both families satisfy <c>f_{k+1} = 2u f_k - f_{k-1}</c> in <c>u = T_2(s) = 2s^2 - 1</c>, so that one Clenshaw recurrence
/// <c>b_k = c_k + 2u b_{k+1} - b_{k+2}</c> sums either: odd <c>s (b_0 - b_1)</c>, even <c>b_0 - u b_1</c>.
/// It holds for every real t; outside [-b, b] the value grows like |2t/b|^degree and nothing is clamped.
/// The power basis is avoided because its coefficients reach 1e5 where these stay near 1.
/// Source of the recurrence: C. W. Clenshaw, "A note on the summation of Chebyshev series", 1955.
/// </remarks>
public sealed class Polynomial
{
    private readonly double[] _coefficients;

    /// <summary>A polynomial from its Chebyshev coefficients, which are copied.</summary>
    /// <param name="parity">Odd or even.</param>
    /// <param name="halfWidth">b &gt; 0: the basis belongs to [-b, b].</param>
    /// <param name="coefficients">At least one finite c_k, lowest degree first.</param>
    /// <exception cref="BadInputException">No coefficient, a coefficient that is not finite, or b not positive and finite.</exception>
    public Polynomial(Parity parity, double halfWidth, ReadOnlySpan<double> coefficients)
    {
        if (!(halfWidth > 0 && double.IsFinite(halfWidth)))
            throw new BadInputException(FormattableString.Invariant($"polynomial: half-width {halfWidth}, expected a positive finite number"));
        if (coefficients.IsEmpty)
            throw new BadInputException("polynomial: no coefficients, expected at least one");
        for (int k = 0; k < coefficients.Length; k++)
        {
            if (!double.IsFinite(coefficients[k]))
                throw new BadInputException(FormattableString.Invariant($"polynomial: coefficient {k} is {coefficients[k]}, expected a finite number"));
        }

        Parity = parity;
        HalfWidth = halfWidth;
        _coefficients = coefficients.ToArray();
        Coefficients = Array.AsReadOnly(_coefficients);
    }

    /// <summary>Odd or even.</summary>
    public Parity Parity { get; }

    /// <summary>b: the Chebyshev basis belongs to [-b, b].</summary>
    public double HalfWidth { get; }

    /// <summary>c_k, lowest degree first: the coefficient of T_{2k+1}(t/b) (odd) or of T_{2k}(t/b) (even).</summary>
    public IReadOnlyList<double> Coefficients { get; }

    /// <summary>The degree of the last Chebyshev polynomial in the sum.</summary>
    public int Degree => 2 * (_coefficients.Length - 1) + (Parity == Parity.Odd ? 1 : 0);

    /// <summary>p(t), by Clenshaw's recurrence in double; right for every t, also outside [-b, b].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)] // a command generates one polynomial and ends before tiering would optimise this loop
    public double Evaluate(double t)
    {
        double s = t / HalfWidth;
        double u = 2 * s * s - 1;
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
        double s = t / HalfWidth;
        double u = 2 * s * s - 1;
        double du = 4 * s / HalfWidth;
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
