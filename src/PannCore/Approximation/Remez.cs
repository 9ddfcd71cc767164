using MathNet.Numerics.LinearAlgebra.Double;

namespace PannCore.Approximation;

/// <summary>
/// Remez's exchange for the two minimax problems behind polynomial ReLUs: the odd polynomial nearest to sgn on [a, b]
/// (and by symmetry on [-b, -a]), and the even polynomial nearest to |t| on [-1, 1].
/// </summary>
/// <remarks>
/// <para>
/// Start: the extremes of a Chebyshev polynomial in t^2. They have the density to which the reference tends as the degree grows,
/// whatever a/b is; nodes spaced evenly in log t have not, and with a coarse scan they lead to a false minimax on wide intervals
/// (degree 27 on [0.0245, 1.975]: 0.25 instead of 0.587).
/// </para>
/// <para>
/// Step: solve <c>p(t_j) + (-1)^j h = f(t_j)</c> in the Chebyshev basis (backward stable, so that h is right to about 1e-15 even where the
/// coefficients are ill-conditioned), then move every t_j to the largest error of its sign. By Descartes' rule of signs the
/// error has exactly as many runs of one sign as there are reference points, so nothing has to be chosen or dropped.
/// </para>
/// <para>
/// End: the largest error equals |h| to 1e-9, and an independent scan with a proved bound between its points exceeds |h| by at most 0.05 %
/// (plus 1e-14, the rounding of the evaluation). So |h| &lt;= true minimax error &lt;= max |error| &lt;= 1.0005 |h|.
/// </para>
/// Source: E. Ya. Remez, 1934; E. W. Cheney, "Introduction to Approximation Theory", chapter 3.
/// </remarks>
public static class Remez
{
    /// <summary>Largest degree of <see cref="Sign(int, double, double)"/>.</summary>
    public const int LargestSignDegree = 63;

    /// <summary>Largest degree of <see cref="AbsoluteValue(int)"/>.</summary>
    public const int LargestAbsoluteValueDegree = 256;

    /// <summary>The scanned maximum may exceed the levelled error by this factor.</summary>
    internal const double LevelFactor = 1.0005;

    /// <summary>Allowance for the rounding of errors near 1 evaluated in double.</summary>
    internal const double Rounding = 1e-14;

    internal const int ScanPointsPerDegree = 64;

    private const int StepsPerGap = 16;
    private const int MostIterations = 60;
    private const double Converged = 1 + 1e-9;

    /// <summary>The odd polynomial p of the given degree with the least maximum of |p(t) - 1| on [a, b].</summary>
    /// <param name="degree">Odd, 1 to 63.</param>
    /// <param name="a">Left end, above 0.</param>
    /// <param name="b">Right end, above a; also the half-width of the polynomial's basis.</param>
    /// <exception cref="BadInputException">The degree or the interval is not one of those.</exception>
    /// <exception cref="RemezConvergenceException">The exchange did not converge.</exception>
    public static RemezResult Sign(int degree, double a, double b)
        => Sign(degree, a, b, null).Result;

    /// <summary>The even polynomial q of the given degree with the least maximum of |q(t) - |t|| on [-1, 1].</summary>
    /// <param name="degree">Even, 2 to 256.</param>
    /// <exception cref="BadInputException">The degree is not one of those.</exception>
    /// <exception cref="RemezConvergenceException">The exchange did not converge.</exception>
    public static RemezResult AbsoluteValue(int degree)
    {
        if (degree < 2 || degree > LargestAbsoluteValueDegree || int.IsOddInteger(degree))
            throw new BadInputException(FormattableString.Invariant($"minimax polynomial of |t|: degree {degree}, expected an even degree from 2 to {LargestAbsoluteValueDegree}"));
        return new Problem(Parity.Even, degree, 0, 1).Solve(null, MostIterations).Result;
    }

    /// <summary>The extremes of q - |t| on [0, 1], one per run of one sign, for an even q on [-1, 1] that may or may not be minimax.</summary>
    internal static IReadOnlyList<double> Alternation(Polynomial q)
        => new Problem(Parity.Even, Math.Max(q.Degree, 2), 0, 1).Alternation(q);

    /// <summary>As the public method, from a start given as angles: a point is <c>sqrt(a^2 cos^2(θ/2) + b^2 sin^2(θ/2))</c>.</summary>
    /// <returns>The result and the angles of its reference, a warm start for a neighbouring interval.</returns>
    internal static (RemezResult Result, double[] Angles) Sign(int degree, double a, double b, double[]? startAngles, int mostIterations = MostIterations)
    {
        if (degree < 1 || degree > LargestSignDegree || int.IsEvenInteger(degree))
            throw new BadInputException(FormattableString.Invariant($"minimax polynomial of sgn: degree {degree}, expected an odd degree from 1 to {LargestSignDegree}"));
        if (!(a > 0 && a < b && double.IsFinite(b)))
            throw new BadInputException(FormattableString.Invariant($"minimax polynomial of sgn: interval [{a}, {b}], expected 0 < a < b"));
        return new Problem(Parity.Odd, degree, a, b).Solve(startAngles, mostIterations);
    }

    /// <summary>p - 1 on [a, b] (odd) or q - t on [0, 1] (even), and the coordinate in which its extremes are nearly evenly spaced.</summary>
    private sealed class Problem(Parity parity, int degree, double a, double b)
    {
        private readonly int _unknowns = degree / 2 + 1;

        private int References => _unknowns + 1;

        public (RemezResult Result, double[] Angles) Solve(double[]? startAngles, int mostIterations)
        {
            double[] angles = startAngles ?? Start();
            double largest = 0, level = 0;
            for (int iteration = 1; iteration <= mostIterations; iteration++)
            {
                (Polynomial polynomial, level) = Level(angles, iteration);

                // Below the rounding of the evaluation the error has no extremes left to exchange.
                bool atRounding = level < Rounding;
                (double[] peaks, largest) = atRounding ? (angles, level) : Extremes(polynomial, angles);
                if (!atRounding && peaks.Length != References)
                    throw Failed(iteration, $"{peaks.Length} runs of one sign instead of {References}", level, largest);
                if (largest > level * Converged + Rounding)
                {
                    angles = peaks;
                    continue;
                }

                ChebyshevScan scan = ChebyshevScan.Of(t => Error(polynomial, t), degree, a, b, ScanPointsPerDegree);
                if (!(scan.Bound <= level * LevelFactor + Rounding))
                    throw Failed(iteration, "an independent scan disagrees", level, scan.Bound);
                double[] points = Array.ConvertAll(angles, Point);
                return (new RemezResult(polynomial, a, b, level, Array.AsReadOnly(points), iteration, scan.Largest, scan.Bound), angles);
            }

            throw Failed(mostIterations, "the limit of iterations", level, largest);
        }

        public IReadOnlyList<double> Alternation(Polynomial q)
            => Array.ConvertAll(Extremes(q, Start()).Angles, Point);

        private double[] Start()
        {
            double[] angles = new double[References];
            for (int j = 0; j < angles.Length; j++)
                angles[j] = Math.PI * j / (angles.Length - 1);
            return angles;
        }

        private double Point(double angle)
        {
            (double sine, double cosine) = Math.SinCos(angle / 2);
            return Math.Sqrt(a * a * cosine * cosine + b * b * sine * sine);
        }

        private double Error(Polynomial polynomial, double t)
            => polynomial.Evaluate(t) - (parity == Parity.Odd ? 1 : t);

        private (Polynomial Polynomial, double Level) Level(double[] angles, int iteration)
        {
            var matrix = new DenseMatrix(References);
            var values = new DenseVector(References);
            for (int j = 0; j < References; j++)
            {
                double t = Point(angles[j]);
                double s = t / b;
                double twoU = 2 * (2 * s * s - 1);
                (double previous, double current) = parity == Parity.Odd ? (s, s) : (twoU / 2, 1.0);
                for (int k = 0; k < _unknowns; k++)
                {
                    matrix[j, k] = current;
                    (previous, current) = (current, twoU * current - previous);
                }

                matrix[j, _unknowns] = int.IsEvenInteger(j) ? 1 : -1;
                values[j] = parity == Parity.Odd ? 1 : t;
            }

            double[] solution = matrix.LU().Solve(values).ToArray();
            if (!Array.TrueForAll(solution, double.IsFinite))
                throw Failed(iteration, "two reference points coincide", double.NaN, double.NaN);
            return (new Polynomial(parity, b, solution.AsSpan(0, _unknowns)), Math.Abs(solution[_unknowns]));
        }

        /// <summary>The largest error in every run of one sign, in order, and the largest of all.</summary>
        private (double[] Angles, double Largest) Extremes(Polynomial polynomial, double[] angles)
        {
            double[] nodes = ScanNodes(angles);
            double[] errors = Array.ConvertAll(nodes, angle => Error(polynomial, Point(angle)));
            List<double> peaks = [];
            double largest = 0;
            for (int first = 0, next; first < nodes.Length; first = next)
            {
                bool positive = errors[first] >= 0;
                int top = first;
                for (next = first; next < nodes.Length && errors[next] >= 0 == positive; next++)
                {
                    if (Math.Abs(errors[next]) > Math.Abs(errors[top])) top = next;
                }

                (double at, double value) = Peak.Refine(
                    angle => positive ? Error(polynomial, Point(angle)) : -Error(polynomial, Point(angle)),
                    nodes[Math.Max(top - 1, 0)], nodes[top], nodes[Math.Min(top + 1, nodes.Length - 1)]);
                peaks.Add(at);
                largest = Math.Max(largest, value);
            }

            return (peaks.ToArray(), largest);
        }

        /// <summary>The interval's ends, the reference, and evenly spaced angles between.</summary>
        private static double[] ScanNodes(double[] angles)
        {
            List<double> nodes = [0];
            foreach (double stop in angles.Append(Math.PI))
            {
                double start = nodes[^1];
                if (stop <= start) continue;
                for (int i = 1; i < StepsPerGap; i++)
                    nodes.Add(start + (stop - start) * i / StepsPerGap);
                nodes.Add(stop);
            }

            return nodes.ToArray();
        }

        private RemezConvergenceException Failed(int iteration, string why, double level, double largest)
            => new(FormattableString.Invariant(
                $"minimax polynomial of {(parity == Parity.Odd ? "sgn" : "|t|")}, degree {degree} on [{a}, {b}]: no convergence in iteration {iteration}: {why}; levelled error {level:g6}, largest error {largest:g6}"));
    }
}
