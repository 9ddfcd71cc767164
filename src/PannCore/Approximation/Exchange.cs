using MathNet.Numerics.LinearAlgebra.Double;

namespace PannCore.Approximation;

/// <summary>Remez's exchange, one for every basis and function: see <see cref="Remez"/>.</summary>
/// <param name="what">The function's name in messages.</param>
/// <param name="f">The function.</param>
/// <param name="parity">The basis: odd or even polynomials on [-hi, hi], nearest to f on [lo, hi], or all polynomials on [lo, hi].</param>
/// <param name="degree">Degree.</param>
/// <param name="lo">Left end of the interval.</param>
/// <param name="hi">Right end of the interval.</param>
/// <param name="vanishing">Only polynomials with the value 0 at 0 (even ones).</param>
internal sealed class Exchange(string what, Func<double, double> f, Parity parity, int degree, double lo, double hi, bool vanishing = false)
{
    public const int MostIterations = 60;

    private const int StepsPerGap = 16;
    private const double Converged = 1 + 1e-9;

    // With the factor by which a scan's bound may exceed what it found, 1.0003, this stays below LevelFactor.
    private const double ScanFactor = 1.0001;

    private readonly double _centre = parity == Parity.None ? lo + (hi - lo) / 2 : 0, _halfWidth = parity == Parity.None ? (hi - lo) / 2 : hi;

    /// <summary>The function when its error is no polynomial on [lo, hi]: it then knows how to bound the error between the points of a scan.</summary>
    public Target? General { get; init; }

    /// <summary>The dimension of the space of polynomials.</summary>
    public int Unknowns { get; } = (parity == Parity.None ? degree : degree / 2) + (vanishing ? 0 : 1);

    private int References => Unknowns + 1;

    /// <summary>Exchanges until the error is level; the angles are those of <see cref="Point"/>.</summary>
    public (RemezResult Result, double[] Angles) Solve(double[]? startAngles = null, int mostIterations = MostIterations)
    {
        double[] angles = startAngles ?? Start();
        double largest = 0, level = 0;
        (Polynomial Polynomial, double[] Angles, double Level, double Largest, double Scale)? best = null;
        for (int iteration = 1; iteration <= mostIterations; iteration++)
        {
            (Polynomial polynomial, level, double scale) = Level(angles, iteration);
            double rounding = scale * Remez.Rounding;
            (List<(double Angle, double Height)> peaks, largest) = Extremes(polynomial, angles);
            if (!(largest >= best?.Largest)) best = (polynomial, angles, level, largest, scale);
            if (largest > level * Converged + rounding)
            {
                if (peaks.Count < References)
                    return Noisy(iteration) ?? throw Failed(iteration, $"{peaks.Count} runs of one sign instead of {References}", level, largest);
                Drop(peaks);
                angles = [.. peaks.Select(peak => peak.Angle)];
                continue;
            }

            ErrorBound scan = Scan(polynomial, level * ScanFactor - level + rounding / 100);
            if (!(scan.Found <= level * ScanFactor + rounding))
                return Noisy(iteration) ?? throw Failed(iteration, "an independent scan disagrees", level, scan.Found);
            return Ended(largest <= rounding ? RemezStatus.AtRounding : RemezStatus.Levelled, polynomial, angles, level, iteration, scan);
        }

        return Noisy(mostIterations) ?? throw Failed(mostIterations, "the limit of iterations", level, largest);

        // Rounding grows with the degree, and alternates as it likes. What kept an exchange from its end may have been no more than that, of the evaluation (bounded) and of the solution.
        (RemezResult Result, double[] Angles)? Noisy(int iteration)
        {
            if (best is not (Polynomial polynomial, double[] reference, double levelled, double most, double scale)) return null;
            double rounding = ClenshawRounding.OfStage(polynomial, _halfWidth) + (scale * References * References * Math.ScaleB(1, -53));
            if (!(most <= levelled * Converged + rounding)) return null;
            ErrorBound scan = Scan(polynomial, levelled * ScanFactor - levelled + rounding / 100);
            return scan.Found <= levelled * ScanFactor + rounding ? Ended(RemezStatus.AtRounding, polynomial, reference, levelled, iteration, scan) : null;
        }
    }

    private (RemezResult Result, double[] Angles) Ended(RemezStatus status, Polynomial polynomial, double[] angles, double level, int iteration, ErrorBound scan)
        => (new RemezResult(status, polynomial, lo, hi, level, Array.AsReadOnly(Array.ConvertAll(angles, Point)), iteration, scan.Found, scan.Bound), angles);

    private double[] Start()
    {
        // All vanishing polynomials agree at 0, which therefore is no point of reference. Without symmetry the left end is left out too:
        // the error of a symmetric function has one more extreme, and at a symmetric reference its levelled error may be 0.
        int first = vanishing || parity == Parity.None ? 1 : 0;
        double[] angles = new double[References];
        for (int j = 0; j < angles.Length; j++)
            angles[j] = Math.PI * (j + first) / (angles.Length - 1 + first);
        return angles;
    }

    /// <summary>From the angle in which extremes are nearly evenly spaced, 0 at lo and π at hi, to t.</summary>
    public double Point(double angle)
    {
        (double sine, double cosine) = Math.SinCos(angle / 2);
        double ratio = lo / hi;

        // At the ends rounding may lead out of the interval by a place, where a reference point is no evidence.
        return parity == Parity.None ? lo + (hi - lo) * sine * sine : Math.Clamp(hi * Math.Sqrt(ratio * ratio * cosine * cosine + sine * sine), lo, hi);
    }

    private double Error(Polynomial polynomial, double t) => polynomial.Evaluate(t) - f(t);

    /// <summary>The basis at t: one value for each unknown.</summary>
    public double[] Row(double t)
    {
        double[] row = new double[Unknowns];
        double s = (t - _centre) / _halfWidth;
        double u = parity == Parity.None ? s : 2 * s * s - 1;
        (double previous, double current) = parity == Parity.Odd ? (s, s) : (u, 1.0);
        if (vanishing) (previous, current) = (current, u);
        for (int k = 0; k < row.Length; k++)
        {
            // T_2k(0) = (-1)^k; the first of these is k = 1.
            row[k] = vanishing ? current + (int.IsEvenInteger(k) ? 1 : -1) : current;
            (previous, current) = (current, 2 * u * current - previous);
        }

        return row;
    }

    /// <summary>The polynomial with these coefficients of the basis.</summary>
    public Polynomial Assemble(ReadOnlySpan<double> unknowns)
    {
        List<double> coefficients = [.. unknowns];
        if (vanishing) coefficients.Insert(0, coefficients.Select((c, k) => int.IsEvenInteger(k) ? c : -c).Sum());
        return new Polynomial(parity, _halfWidth, [.. coefficients], _centre);
    }

    /// <summary>The polynomial whose error alternates at the reference, how large it is there, and the largest |f| there.</summary>
    private (Polynomial Polynomial, double Level, double Scale) Level(double[] angles, int iteration)
    {
        var matrix = new DenseMatrix(References);
        var values = new DenseVector(References);
        for (int j = 0; j < References; j++)
        {
            double t = Point(angles[j]);
            double[] row = Row(t);
            for (int k = 0; k < Unknowns; k++) matrix[j, k] = row[k];
            matrix[j, Unknowns] = int.IsEvenInteger(j) ? 1 : -1;
            values[j] = f(t);
            if (!double.IsFinite(values[j]))
                throw new BadInputException(FormattableString.Invariant($"minimax polynomial of {what}: {what} is {values[j]} at {t}, expected a finite number"));
        }

        double[] solution = matrix.LU().Solve(values).ToArray();
        if (!Array.TrueForAll(solution, double.IsFinite))
            throw Failed(iteration, "two reference points coincide", double.NaN, double.NaN);
        return (Assemble(solution.AsSpan(0, Unknowns)), Math.Abs(solution[Unknowns]), values.AbsoluteMaximum());
    }

    /// <summary>The largest error in every run of one sign, in order, and the largest of all.</summary>
    private (List<(double Angle, double Height)> Peaks, double Largest) Extremes(Polynomial polynomial, double[] angles)
    {
        double[] nodes = ScanNodes(angles);
        double[] errors = Array.ConvertAll(nodes, angle => Error(polynomial, Point(angle)));
        List<(double Angle, double Height)> peaks = [];
        for (int first = 0, next; first < nodes.Length; first = next)
        {
            bool positive = errors[first] >= 0;
            int top = first;
            for (next = first; next < nodes.Length && errors[next] >= 0 == positive; next++)
            {
                if (Math.Abs(errors[next]) > Math.Abs(errors[top])) top = next;
            }

            peaks.Add(Peak.Refine(
                angle => positive ? Error(polynomial, Point(angle)) : -Error(polynomial, Point(angle)),
                nodes[Math.Max(top - 1, 0)], nodes[top], nodes[Math.Min(top + 1, nodes.Length - 1)]));
        }

        return (peaks, peaks.Max(peak => peak.Height));
    }

    /// <summary>Leaves as many peaks as there are references, alternating as before, the highest among them.</summary>
    private void Drop(List<(double Angle, double Height)> peaks)
    {
        while (peaks.Count > References)
        {
            int last = peaks.Count - 1, lowest = peaks.Count == References + 1 ? (peaks[0].Height < peaks[last].Height ? 0 : last) : Lowest();
            peaks.RemoveAt(lowest);

            // Its neighbours have one sign: the lower of them goes too.
            if (lowest > 0 && lowest < last) peaks.RemoveAt(peaks[lowest - 1].Height < peaks[lowest].Height ? lowest - 1 : lowest);
        }

        int Lowest()
        {
            int at = 0;
            for (int i = 1; i < peaks.Count; i++)
            {
                if (peaks[i].Height < peaks[at].Height) at = i;
            }

            return at;
        }
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

    private ErrorBound Scan(Polynomial polynomial, double tolerance)
        => General is Target target ? target.Scan(polynomial, lo, hi, tolerance) : ErrorScan.Polynomial(t => Error(polynomial, t), degree, 0, lo, hi)[0];

    private RemezConvergenceException Failed(int iteration, string why, double level, double largest)
        => new(FormattableString.Invariant(
            $"minimax polynomial of {what}, degree {degree} on [{lo}, {hi}]: no convergence in iteration {iteration}: {why}; levelled error {level:g6}, largest error {largest:g6}"));
}
