using MathNet.Numerics.LinearAlgebra.Double;

namespace PannCore.Approximation;

/// <summary>The even polynomial nearest to |t| on [-1, 1] among those with mean error 0 under a density: an exchange for a linear programme.</summary>
/// <remarks>
/// <para>
/// Problem: least h with |q(t) - t| &lt;= h on [0, 1] and M(q) = M(|t|), M the mean. The polynomials of mean 0 that may be added to q are no Haar space, so that Remez's alternation does not apply.
/// </para>
/// <para>
/// Proof of optimality: as many points t_j as q has coefficients, signs s_j, weights w_j &gt;= 0 of sum 1 and a number k with <c>sum w_j s_j v(t_j) + k M(v) = 0</c> for every even v of the degree. Then
/// every q with the right mean has <c>sum w_j s_j (q(t_j) - t_j) = const = h</c>, so that its maximum error is at least h, and the q whose error is s_j h at t_j has it.
/// </para>
/// <para>
/// Exchange (the dual simplex method on infinitely many constraints): the point of the largest error enters; the one whose weight reaches 0 first leaves. h grows until the largest error equals it
/// to 1e-4: with the scan's own allowance the result is nearest to 0.05 %, like other minimax polynomials. It starts at the reference of the unconstrained minimax polynomial, where the condition on the mean enters first.
/// </para>
/// </remarks>
internal sealed class UnbiasedExchange(int degree, InputDensity density, bool vanishing)
{
    private const int GridPointsPerDegree = 8, ExchangesPerInversion = 64, ExchangesPerUnknown = 40;

    // Where the least h needs fewer points, two of them close in on one extreme, and finer steps only make their columns equal.
    private const double Converged = 1 + 1e-4;
    private const double Pivot = 1e-12, NearPeak = 0.99;

    private readonly Exchange _space = new("|t|", Math.Abs, Parity.Even, degree, 0, 1, vanishing);

    // The basis of the linear programme: columns (s_j row(t_j), 1) for points, (means, 0) for the condition, which is null; and its inverse, by rows.
    private readonly List<(double Angle, int Sign)?> _basis = [];
    private double[][] _inverse = [];
    private double[] _means = [];
    private double _mean;

    private int Size => _space.Unknowns + 1;

    public RemezResult Solve()
    {
        (RemezResult free, double[] angles) = _space.Solve();
        foreach ((double angle, double t) in angles.Zip(free.ReferencePoints))
            _basis.Add((angle, Math.Sign(Error(free.Polynomial, t))));
        Invert();

        // With the sign of the bias, the condition raises h when it enters.
        double bias = density.Integrate(t => Error(free.Polynomial, Math.Abs(t)), degree);
        int side = bias < 0 ? -1 : 1;
        _mean = side * density.Integrate(Math.Abs, 1);
        _means = Means(side);
        Enter(null, 0);

        int most = ExchangesPerUnknown * Size;
        double level = 0, largest = 0;
        for (int exchange = 1; exchange <= most; exchange++)
        {
            (Polynomial polynomial, level) = Solution();
            (double angle, largest) = Worst(polynomial);
            if (largest > level * Converged + Remez.Rounding)
            {
                Enter((angle, Math.Sign(Error(polynomial, _space.Point(angle)))), exchange);
                if (exchange % ExchangesPerInversion == 0) Invert();
                continue;
            }

            polynomial = Settled();
            ErrorBound scan = ErrorScan.Polynomial(t => Error(polynomial, t), degree, 0, 0, 1)[0];
            if (!(scan.Bound <= level * Remez.LevelFactor + Remez.Rounding))
                throw Failed(exchange, "an independent scan disagrees", level, scan.Bound);
            double[] points = [.. _basis.OfType<(double Angle, int Sign)>().Select(point => _space.Point(point.Angle)).Order()];
            return new RemezResult(RemezStatus.Levelled, polynomial, 0, 1, level, points, free.Iterations + exchange, scan.Found, scan.Bound);
        }

        throw Failed(most, "the limit of exchanges", level, largest);
    }

    private static double Error(Polynomial q, double t) => q.Evaluate(t) - t;

    /// <summary>The mean of each function of the basis.</summary>
    private double[] Means(int side)
    {
        double[] means = new double[_space.Unknowns];
        double all = 0;
        foreach ((double t, double weight) in density.Nodes(degree))
        {
            double[] row = _space.Row(t);
            all += weight;
            for (int k = 0; k < means.Length; k++) means[k] += weight * row[k];
        }

        return Array.ConvertAll(means, sum => side * sum / all);
    }

    /// <summary>q and h: what the columns of the basis, as equations, leave no choice about.</summary>
    private (Polynomial Polynomial, double Level) Solution()
    {
        double[] solution = new double[Size];
        for (int j = 0; j < Size; j++)
        {
            double value = Value(_basis[j]);
            for (int k = 0; k < Size; k++) solution[k] += value * _inverse[j][k];
        }

        return (_space.Assemble(solution.AsSpan(0, Size - 1)), -solution[^1]);
    }

    /// <summary>The same q from a fresh factorisation, so that its mean is right to the rounding of the mean.</summary>
    private Polynomial Settled()
    {
        var equations = DenseMatrix.OfRows(_basis.Select(Column));
        return _space.Assemble(equations.LU().Solve(DenseVector.OfEnumerable(_basis.Select(Value))).ToArray().AsSpan(0, Size - 1));
    }

    private double Value((double Angle, int Sign)? entry) => entry is (double angle, int sign) ? sign * _space.Point(angle) : _mean;

    private (double Angle, double Error) Worst(Polynomial polynomial)
    {
        int grid = GridPointsPerDegree * degree;
        double[] errors = new double[grid + 1];
        for (int i = 0; i <= grid; i++) errors[i] = Magnitude(Math.PI * i / grid);

        // q oscillates like cos(degree θ / 2): a peak between grid points is at most 1/cos(π/32) = 1.005 times as high as the nearer one.
        double near = NearPeak * errors.Max();
        (double Angle, double Error) worst = (0, -1);
        for (int i = 0; i <= grid; i++)
        {
            (int left, int right) = (Math.Max(i - 1, 0), Math.Min(i + 1, grid));
            if (errors[i] < near || errors[i] < errors[left] || errors[i] < errors[right]) continue;
            (double Angle, double Error) peak = Peak.Refine(Magnitude, Math.PI * left / grid, Math.PI * i / grid, Math.PI * right / grid);
            if (peak.Error > worst.Error) worst = peak;
        }

        return worst;

        double Magnitude(double angle) => Math.Abs(Error(polynomial, _space.Point(angle)));
    }

    private double[] Column((double Angle, int Sign)? entry)
        => entry is (double angle, int sign) ? [.. _space.Row(_space.Point(angle)).Select(value => sign * value), 1] : [.. _means, 0];

    /// <summary>The entry replaces the point whose weight, the last element of its row of the inverse, reaches 0 first.</summary>
    private void Enter((double Angle, int Sign)? entry, int exchange)
    {
        double[] column = Column(entry), change = Array.ConvertAll(_inverse, row => row.Zip(column, (a, b) => a * b).Sum());
        int leaving = -1;
        double least = double.PositiveInfinity;
        for (int j = 0; j < Size; j++)
        {
            double ratio = Math.Max(_inverse[j][^1], 0) / change[j];
            if (_basis[j] is null || change[j] < Pivot || ratio >= least) continue;
            (leaving, least) = (j, ratio);
        }

        if (leaving < 0) throw Failed(exchange, "no reference point can leave", double.NaN, double.NaN);
        double[] pivot = Array.ConvertAll(_inverse[leaving], value => value / change[leaving]);
        for (int j = 0; j < Size; j++)
        {
            for (int k = 0; k < Size; k++) _inverse[j][k] -= change[j] * pivot[k];
        }

        _inverse[leaving] = pivot;
        _basis[leaving] = entry;
    }

    private void Invert()
        => _inverse = DenseMatrix.OfColumns(_basis.Select(Column)).Inverse().ToRowArrays();

    private RemezConvergenceException Failed(int exchange, string why, double level, double largest)
        => new(FormattableString.Invariant(
            $"unbiased polynomial near |t|, degree {degree}, density {density.Name}: no convergence in exchange {exchange}: {why}; levelled error {level:g6}, largest error {largest:g6}"));
}
