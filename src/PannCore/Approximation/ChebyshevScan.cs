namespace PannCore.Approximation;

/// <summary>
/// A scan of |e| at the M Chebyshev points of [lo, hi] that bounds |e| between them.
/// </summary>
/// <remarks>
/// If e is a polynomial of degree n &lt; M, then e(mid + half cos θ) is a cosine polynomial of degree n, and around a maximum θ* of its magnitude
/// it stays above <c>max |e| cos(n (θ - θ*))</c> (M. Riesz). The nearest of the M points is at most π/(2M) away, therefore
/// <c>max |e| &lt;= (largest |e| at the points) / cos(n π / (2M))</c> (H. Ehlich and K. Zeller, "Schwankung von Polynomen zwischen Gitterpunkten", 1964).
/// With M = 28 n the factor is 1.0016, with M = 64 n it is 1.0003.
/// </remarks>
/// <param name="Largest">Largest |e| found: at a point of the scan, or at the local maximum next to it.</param>
/// <param name="At">Where it was found.</param>
/// <param name="Bound">Upper bound of |e| on [lo, hi], exact arithmetic assumed.</param>
/// <param name="Points">M.</param>
internal readonly record struct ChebyshevScan(double Largest, double At, double Bound, int Points)
{
    /// <summary>Scans e, a polynomial of the given degree on [lo, hi], with <paramref name="pointsPerDegree"/> points per degree.</summary>
    public static ChebyshevScan Of(Func<double, double> e, int degree, double lo, double hi, int pointsPerDegree)
    {
        int points = checked(degree * pointsPerDegree);
        double step = Math.PI / points;
        double largest = -1, angle = 0;
        for (int j = 0; j < points; j++)
        {
            double theta = (j + 0.5) * step;
            double magnitude = Math.Abs(e(At(theta)));
            if (magnitude > largest || double.IsNaN(magnitude))
                (largest, angle) = (magnitude, theta);
        }

        double bound = largest / Math.Cos(Math.PI / (2.0 * pointsPerDegree));
        (double peak, double refined) = Peak.Refine(
            theta => Math.Abs(e(At(theta))), Math.Max(0, angle - step), angle, Math.Min(Math.PI, angle + step));
        return new ChebyshevScan(refined, At(peak), Math.Max(bound, refined), points);

        // Half angles keep the relative accuracy of points next to lo, where a composite polynomial is steepest.
        double At(double theta)
        {
            double sine = Math.Sin(theta / 2);
            return lo + (hi - lo) * sine * sine;
        }
    }
}
