namespace PannCore.Approximation;

/// <summary>
/// Polynomials near |t| on [-1, 1] by the methods of textbooks, to be compared with minimax polynomials; none is ever a default. Each gives r(t) = (t + q(t))/2 near ReLU.
/// </summary>
internal static class TeachingFamilies
{
    /// <summary><c>q(t) = sum over k up to degree/2 of binom(1/2, k) (-1)^k (1 - t^2)^k</c>, the Taylor series of sqrt(1 - z) in z = 1 - t^2.</summary>
    /// <remarks>
    /// Taught: a series about a point is superb there and poor far away. The error is largest at t = 0, where the partial sum is about 1/sqrt(π degree/2): it halves when the degree is quadrupled,
    /// where minimax polynomials need the double. Source: calculus; H. Lebesgue proved Weierstrass's theorem by it in 1898.
    /// </remarks>
    public static Polynomial Taylor(int degree) => Even(degree, degree + 1, t =>
    {
        // Horner in z: binom(1/2, k+1) = binom(1/2, k) (1/2 - k) / (k + 1), all but the first negative after (-1)^k.
        double z = 1 - t * t, sum = 1;
        for (int k = degree / 2 - 1; k >= 0; k--) sum = 1 + (k - 0.5) / (k + 1) * z * sum;
        return sum;
    });

    /// <summary><c>q = 2/π + 4/π sum of (-1)^(k+1) / (4k^2 - 1) T_2k</c> up to the degree: the Chebyshev series of |t|, cut off.</summary>
    /// <remarks>
    /// Taught: near-best for nothing, no exchange needed. What is left out sums to 2/(π (degree + 1)) at t = 0: 2.3 times the minimax error, so little more than a bit.
    /// Source: S. Bernstein 1913; the series is that of |cos θ|.
    /// </remarks>
    public static Polynomial Chebyshev(int degree)
    {
        double[] c = new double[degree / 2 + 1];
        for (int k = 0; k < c.Length; k++)
            c[k] = (k == 0 ? 2 : 4) / Math.PI * (int.IsOddInteger(k) || k == 0 ? 1 : -1) / Math.Abs(4.0 * k * k - 1);
        return new Polynomial(Parity.Even, 1, c);
    }

    /// <summary>q(t) = |t| at the degree + 1 zeros of T_(degree+1), one of which is 0.</summary>
    /// <remarks>
    /// Taught: Chebyshev points tame interpolation (even spacing diverges, Runge 1901), and an exact r(0) = 0 is free. The error is largest next to 0.
    /// Source: L. N. Trefethen, "Approximation Theory and Approximation Practice", chapters 4 and 15.
    /// </remarks>
    public static Polynomial Interpolation(int degree) => Even(degree, degree + 1, Math.Abs);

    /// <summary>
    /// The Hermite expansion of |t| under N(0, s), s = 1/ratio, cut off: <c>q(t) = s sqrt(2/π) sum of (-1)^(k+1) / (2^k k! (2k - 1)) He_2k(t/s)</c>.
    /// </summary>
    /// <remarks>
    /// Taught: least in mean square if inputs really are normal and nothing bounds them; but inputs far out meet the growth of He_n, so that the maximum error on [-1, 1] explodes with degree and ratio.
    /// A network needs the tail as well. Source: orthogonality of He_n under exp(-x^2/2); used for networks by AESPA (Park et al. 2022).
    /// </remarks>
    /// <exception cref="BadInputException">The inputs keep so close to 0 that its values at 1 overflow.</exception>
    public static Polynomial Hermite(int degree, double ratio) => Even(degree, degree + 1, t =>
    {
        // Normalised: h_(n+1) sqrt(n+1) = x h_n - sqrt(n) h_(n-1); the coefficient of h_2k is g_k (-1)^(k+1) / (2k - 1), g_k = sqrt((2k)!) / (2^k k!).
        double x = t * ratio, previous = 0, current = 1, g = 1, sum = 0;
        for (int n = 0; n <= degree; n++)
        {
            if (int.IsEvenInteger(n))
            {
                if (n > 0) g *= Math.Sqrt((n - 1.0) / n);
                sum += g * (n % 4 == 0 ? -1 : 1) / (n - 1.0) * current;
            }

            (previous, current) = (current, (x * current - Math.Sqrt(n) * previous) / Math.Sqrt(n + 1));
        }

        return sum * Math.Sqrt(2 / Math.PI) / ratio;
    }, FormattableString.Invariant($"Hermite expansion of degree {degree} for density '{ratio}'"));

    /// <summary>The polynomial p of at most the given degree with the least mean of (p - f)^2 under a density.</summary>
    /// <remarks>
    /// Taught: least squares spends its error where inputs are: small at 0 and in the mean, larger at the ends; the constant is always right, so that the mean error is 0.
    /// Orthogonal polynomials by Stieltjes' procedure on the nodes of the density's quadrature, which is exact for the products that occur.
    /// Source: W. Gautschi, "Orthogonal Polynomials: Computation and Approximation", section 2.2.
    /// </remarks>
    /// <param name="f">A polynomial of degree at most 1 on either side of 0.</param>
    /// <param name="degree">Degree.</param>
    /// <param name="density">The weight.</param>
    /// <exception cref="BadInputException">The inputs keep so close to 0 that its values at 1 overflow.</exception>
    public static Polynomial LeastSquares(Func<double, double> f, int degree, InputDensity density)
    {
        (double At, double Weight)[] nodes = [.. density.Nodes(2 * degree)];
        double[] values = Array.ConvertAll(nodes, node => f(node.At)), previous = new double[nodes.Length], current = new double[nodes.Length];
        double norm = Math.Sqrt(nodes.Sum(node => node.Weight)), link = 0;
        Array.Fill(current, 1 / norm);

        // Recurrence coefficients of the orthonormal polynomials and those of the projection.
        double[] a = new double[degree + 1], b = new double[degree + 2], c = new double[degree + 1];
        b[0] = norm;
        for (int k = 0; k <= degree; k++)
        {
            for (int i = 0; i < nodes.Length; i++)
            {
                double weighted = nodes[i].Weight * current[i];
                c[k] += weighted * values[i];
                a[k] += weighted * current[i] * nodes[i].At;
            }

            double squares = 0;
            for (int i = 0; i < nodes.Length; i++)
            {
                // What the projection has explained is taken off, so that the next coefficient does not see it again through rounding.
                values[i] -= c[k] * current[i];
                double next = (nodes[i].At - a[k]) * current[i] - link * previous[i];
                (previous[i], current[i]) = (current[i], next);
                squares += nodes[i].Weight * next * next;
            }

            link = b[k + 1] = Math.Sqrt(squares);
            for (int i = 0; i < nodes.Length; i++) current[i] /= link;
        }

        return Sampled(Value, degree, degree + 1, $"least squares of degree {degree} for density '{density.Name}'");

        double Value(double t)
        {
            double before = 0, now = 1 / b[0], sum = c[0] * now;
            for (int k = 0; k < degree; k++)
            {
                (before, now) = (now, ((t - a[k]) * now - (k == 0 ? 0 : b[k]) * before) / b[k + 1]);
                sum += c[k + 1] * now;
            }

            return sum;
        }
    }

    /// <summary>The even part of a series.</summary>
    public static Polynomial EvenPart(Polynomial p) => new(Parity.Even, 1, [.. p.Coefficients.Where((_, k) => int.IsEvenInteger(k))]);

    private static Polynomial Even(int degree, int points, Func<double, double> q, string what = "") => EvenPart(Sampled(q, degree, points, what));

    private static Polynomial Sampled(Func<double, double> q, int degree, int points, string what)
    {
        double[] series = ChebyshevSeries.Sample(q, degree, points);
        return Array.TrueForAll(series, double.IsFinite) ? new Polynomial(Parity.None, 1, series) : throw new BadInputException(
            $"{what}: double cannot hold its values at 1, so far from the inputs; lower the degree or the ratio");
    }
}
