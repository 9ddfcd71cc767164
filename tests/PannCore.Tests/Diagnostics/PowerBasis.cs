using PannCore.Approximation;

namespace PannCore.Tests.Diagnostics;

/// <summary>Polynomials in the basis that they must not be evaluated in: coefficients reach 1e5.</summary>
internal static class PowerBasis
{
    /// <summary>Monomial coefficients, lowest first, of a Chebyshev series in s = t / b, by T_{n+1} = 2 s T_n - T_{n-1}.</summary>
    public static double[] Of(Polynomial polynomial)
    {
        double[] sum = new double[polynomial.Degree + 1], previous = new double[sum.Length], current = new double[sum.Length];
        previous[0] = 1;
        current[1] = 1;
        for (int n = 0; n <= polynomial.Degree; n++)
        {
            if (n % 2 == (polynomial.Parity == Parity.Odd ? 1 : 0))
            {
                for (int i = 0; i < sum.Length; i++) sum[i] += polynomial.Coefficients[n / 2] * previous[i];
            }
            double[] next = new double[sum.Length];
            for (int i = 0; i < sum.Length; i++) next[i] = (i > 0 ? 2 * current[i - 1] : 0) - previous[i];
            (previous, current) = (current, next);
        }
        return sum;
    }
}
