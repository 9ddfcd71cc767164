namespace PannCore.Approximation;

/// <summary>An adaptive scan of |e|, e a polynomial, on an interval, with a bound between its samples that is derived from a bound of the second derivative.</summary>
/// <remarks>
/// <para>
/// With <c>t = lo + (hi - lo) sin^2(θ/2)</c>, E(θ) = e(t(θ)). If |E''| &lt;= K, then on a cell of width w no |E| exceeds the larger of its two ends by more than
/// <c>K w^2 / 8</c>. The cell that may hold the most is halved until that is at most 1.0003 times the largest |E| seen. Where that takes too many
/// cells (a part of the interval whose error is minute beside the rest) the bound stays above that, and sound.
/// </para>
/// <para>
/// <b>K.</b> If e has degree n, E is a cosine polynomial of degree n. Around a maximum θ* of |E| it stays above <c>max |E| cos(n (θ - θ*))</c> (M. Riesz), so
/// that nodes at most π/(4n) apart give <c>max |E| &lt;= (largest |E| at the nodes) / cos(π/8)</c> (H. Ehlich and K. Zeller, "Schwankung von Polynomen zwischen
/// Gitterpunkten", 1964); then <c>K = n^2 max |E|</c> (S. Bernstein).
/// </para>
/// <para>
/// <b>Rounding.</b> The evaluation of e errs by at most a bound that the caller proves, and by one rounding of the subtraction; both are added. A computed t belongs to an angle
/// that differs from the intended one by at most <c>4 k / min(θ, π - θ)</c>, k = 8 2^-53 hi/(hi - lo) (eight roundings, the last one of size hi): every cell is widened by that.
/// </para>
/// </remarks>
internal static class ErrorScan
{
    private const double Tight = 1.0003;
    private const double UnitRoundoff = 1.0 / (1L << 53);
    private const int NodesPerDegree = 4;
    private const int MostHalvings = 1 << 16, MostHalvingsPerDegree = 64;

    /// <summary>Scans e, an algebraic polynomial of at most the given degree, on [ends[0], ends[^1]]: one result per interval between two ends.</summary>
    /// <param name="e">The error.</param>
    /// <param name="degree">At least 1.</param>
    /// <param name="rounding">Bound of the rounding error of e, its final subtraction excepted.</param>
    /// <param name="ends">Ascending, two or more.</param>
    public static ErrorBound[] Polynomial(Func<double, double> e, int degree, double rounding, params double[] ends)
        => new Cells(e, degree, rounding, ends).Scan();

    private sealed class Cells(Func<double, double> e, int degree, double rounding, double[] ends)
    {
        private readonly double _lo = ends[0], _width = ends[^1] - ends[0];
        private readonly double _displacement = 32 * UnitRoundoff * Math.Max(Math.Abs(ends[0]), Math.Abs(ends[^1])) / (ends[^1] - ends[0]);

        public ErrorBound[] Scan()
        {
            double step = Math.PI / (NodesPerDegree * (double)degree), largest = 0;
            double[][] angles = new double[ends.Length - 1][], errors = new double[ends.Length - 1][];
            for (int part = 0; part < angles.Length; part++)
            {
                double from = Angle(ends[part]), to = Angle(ends[part + 1]);
                int count = Math.Max(1, (int)Math.Ceiling((to - from) / step));
                angles[part] = new double[count + 1];
                errors[part] = new double[count + 1];
                for (int j = 0; j <= count; j++)
                {
                    double angle = j == count ? to : from + ((to - from) * j / count);
                    angles[part][j] = angle;
                    // The ends themselves, not what the sine makes of them.
                    double error = Math.Abs(e(j == 0 ? ends[part] : j == count ? ends[part + 1] : Point(angle)));
                    errors[part][j] = error;
                    if (!(error <= largest)) largest = error;
                    if (double.IsNaN(error)) largest = double.PositiveInfinity;
                }
            }

            double reach = degree * ((step / 2) + (2 * Displacement(step / 2)));
            double bend = reach < 1 ? (double)degree * degree * (largest + rounding) / Math.Cos(reach) : double.PositiveInfinity;
            var bounds = new ErrorBound[angles.Length];
            for (int part = 0; part < bounds.Length; part++)
                bounds[part] = Scan(part, angles[part], errors[part], bend);
            return bounds;
        }

        private ErrorBound Scan(int part, double[] angles, double[] errors, double bend)
        {
            double lo = ends[part], hi = ends[part + 1];
            int top = 0;
            for (int j = 1; j < errors.Length; j++)
            {
                if (!(errors[j] <= errors[top])) top = j;
            }

            if (!double.IsFinite(bend) || !double.IsFinite(errors[top])) return new ErrorBound(lo, hi, errors[top], Math.Clamp(Point(angles[top]), lo, hi), double.PositiveInfinity);
            (double angle, double largest) = Peak.Refine(
                theta => Math.Abs(e(Clamped(theta))), angles[Math.Max(top - 1, 0)], angles[top], angles[Math.Min(top + 1, angles.Length - 1)]);
            double at = top == 0 && angle == angles[0] ? lo : top == angles.Length - 1 && angle == angles[^1] ? hi : Clamped(angle);

            // The cell that may hold the most comes first, so that a budget that runs out has been spent where it counts.
            var open = new PriorityQueue<(double From, double FromError, double To, double ToError), double>();
            double settled = 0;
            int budget = Math.Max(MostHalvings, degree * MostHalvingsPerDegree);
            for (int j = 1; j < angles.Length; j++) Enter((angles[j - 1], errors[j - 1], angles[j], errors[j]));
            while (open.TryDequeue(out var cell, out double least))
            {
                if (-least <= Tight * largest || budget-- <= 0)
                {
                    settled = Math.Max(settled, -least);
                    break;
                }

                double middle = (cell.From + cell.To) / 2, t = Clamped(middle), error = Math.Abs(e(t));
                if (double.IsNaN(error)) return new ErrorBound(lo, hi, largest, at, double.PositiveInfinity);
                if (error > largest) (largest, at) = (error, t);
                Enter((cell.From, cell.FromError, middle, error));
                Enter((middle, error, cell.To, cell.ToError));
            }

            return new ErrorBound(lo, hi, largest, at, (Math.Max(settled, largest) * (1 + (8 * UnitRoundoff))) + rounding);

            void Enter((double From, double FromError, double To, double ToError) cell)
            {
                double width = cell.To - cell.From + Displacement(cell.From) + Displacement(cell.To);
                double most = Math.Max(cell.FromError, cell.ToError) + (bend * width * width / 8);
                if (most <= Tight * largest) settled = Math.Max(settled, most);
                else open.Enqueue(cell, -most);
            }

            double Clamped(double theta) => Math.Clamp(Point(theta), lo, hi);
        }

        private double Displacement(double theta)
        {
            double distance = Math.Min(theta, Math.PI - theta);
            return distance <= 0 ? 0 : _displacement / distance;
        }

        // Half angles keep the relative accuracy of points next to lo, where a composite polynomial is steepest.
        private double Point(double theta)
        {
            double sine = Math.Sin(theta / 2);
            return _lo + (_width * sine * sine);
        }

        private double Angle(double t) => t == ends[^1] ? Math.PI : 2 * Math.Asin(Math.Sqrt((t - _lo) / _width));
    }
}
