namespace PannCore.Approximation;

/// <summary>A sound bound of |p - g| on an interval for a function g of known curvature, by adaptive bisection.</summary>
/// <remarks>
/// Between two points at distance d no error with |e''| &lt;= K exceeds the larger of its two magnitudes by more than <c>K d^2 / 8</c>. Here K is a bound of |p''|, from a
/// <see cref="ErrorScan"/> of that polynomial, plus the target's bound of |g''|. Cells end at the target's kink and are halved until their bound is within the tolerance of the largest error met.
/// Rounding of the evaluation is not allowed for.
/// </remarks>
internal static class CurvatureScan
{
    private const int CellsPerDegree = 4, MostCells = 200_000;

    /// <summary>The largest error met, and the bound.</summary>
    /// <param name="polynomial">p, a <see cref="Parity.None"/> polynomial whose basis belongs to [lo, hi].</param>
    /// <param name="target">g.</param>
    /// <param name="lo">Left end.</param>
    /// <param name="hi">Right end.</param>
    /// <param name="tolerance">How far the bound may exceed the largest error met, unless that takes too many points.</param>
    public static ErrorBound Of(Polynomial polynomial, Target target, double lo, double hi, double tolerance)
    {
        // In s = (t - centre) / half-width, where nothing overflows.
        double h = polynomial.HalfWidth;
        double[] second = ChebyshevSeries.Derivative(ChebyshevSeries.Derivative([.. polynomial.Coefficients]));
        var bent = new Polynomial(Parity.None, 1, second);
        double curvature = ErrorScan.Polynomial(bent.Evaluate, Math.Max(bent.Degree, 1), 0, -1, 1)[0].Bound + target.LargestCurvature * h * h;

        double largest = 0, at = lo, bound = 0;
        Queue<(double Left, double Right, double AtLeft, double AtRight)> cells = [];
        foreach ((double left, double right) in FirstCells(polynomial.Degree))
            cells.Enqueue((left, right, Error(left), Error(right)));
        for (int cell = 0; cells.TryDequeue(out var top); cell++)
        {
            double middle = top.Left + (top.Right - top.Left) / 2, width = (top.Right - top.Left) / h;
            double reach = Math.Max(top.AtLeft, top.AtRight) + curvature * width * width / 8;
            if (reach <= largest + tolerance || cell > MostCells || !(middle > top.Left && middle < top.Right))
            {
                bound = Math.Max(bound, reach);
                continue;
            }

            double value = Error(middle);
            cells.Enqueue((top.Left, middle, top.AtLeft, value));
            cells.Enqueue((middle, top.Right, value, top.AtRight));
        }

        return new ErrorBound(lo, hi, largest, at, bound);

        double Error(double t)
        {
            double error = Math.Abs(polynomial.Evaluate(t) - target.Evaluate(t));
            if (error > largest) (largest, at) = (error, t);
            return error;
        }

        IEnumerable<(double Left, double Right)> FirstCells(int degree)
        {
            int count = CellsPerDegree * Math.Max(degree, 1);
            double left = lo;
            for (int i = 1; i <= count; i++)
            {
                double sine = Math.Sin(Math.PI / 2 * i / count), right = i == count ? hi : lo + (hi - lo) * sine * sine;
                if (target.Kink is double kink && kink > left && kink < right)
                {
                    yield return (left, kink);
                    left = kink;
                }

                yield return (left, right);
                left = right;
            }
        }
    }
}
