namespace PannCore.Approximation;

/// <summary>
/// Error against price for many polynomials at once, under one chosen density of inputs: which are worth having, and which is best for a budget.
/// </summary>
/// <remarks>
/// The maximum error alone misleads: most inputs of a network lie near 0, where the direct minimax polynomial has its full error and a composite has none.
/// </remarks>
public sealed class Frontier
{
    private const int MostStages = 3;

    private readonly int _chosen;

    /// <summary>A frontier of rows whose errors were taken under the same densities in the same order.</summary>
    /// <param name="rows">The polynomials.</param>
    /// <param name="densities">The names of the densities.</param>
    /// <param name="chosen">Which of them decides.</param>
    public Frontier(IReadOnlyList<FrontierRow> rows, IReadOnlyList<string> densities, int chosen)
    {
        ArgumentNullException.ThrowIfNull(rows);
        ArgumentNullException.ThrowIfNull(densities);
        ArgumentOutOfRangeException.ThrowIfNegative(chosen);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(chosen, densities.Count);
        (Rows, Densities, _chosen) = (rows, densities, chosen);
    }

    /// <summary>The polynomials, in the order given.</summary>
    public IReadOnlyList<FrontierRow> Rows { get; }

    /// <summary>The names of all densities.</summary>
    public IReadOnlyList<string> Densities { get; }

    /// <summary>The name of the density that decides.</summary>
    public string Density => Densities[_chosen];

    /// <summary>
    /// The usual candidates: composites with the state of the art's degrees for alpha 4 to 14, with the least maximum error at each depth, and with the searched degrees of least depth and of
    /// least multiplications for each alpha;
    /// direct polynomials of every degree from 2 to 256 that no larger one matches in both levels and multiplications. No degrees occur twice.
    /// </summary>
    public static IReadOnlyList<ActivationSpec> Candidates(CancellationToken cancellation = default)
    {
        int[] alphas = [.. Enumerable.Range(ActivationSpec.SmallestAlpha, ActivationSpec.LargestAlpha - ActivationSpec.SmallestAlpha + 1)];
        List<ActivationSpec> specs = [.. alphas.Select(alpha => ActivationSpec.Parse(FormattableString.Invariant($"composite:alpha={alpha}")))];
        HashSet<string> known = [.. specs.Select(spec => string.Join(',', spec.Degrees))];
        var search = new CompositeSearch();
        IEnumerable<IReadOnlyList<int>> searched = alphas.SelectMany(alpha => new[] { search.LeastDepth(alpha, cancellation), search.LeastMultiplications(alpha, cancellation) });
        foreach (IReadOnlyList<int> stages in Sharpest(cancellation).Concat(searched))
        {
            if (known.Add(string.Join(',', stages))) specs.Add(ActivationSpec.Parse($"composite:{string.Join(',', stages)}"));
        }

        // What a degree costs does not depend on its coefficients, unless they or differences of them vanish.
        int[] degrees = [.. Enumerable.Range(1, Remez.LargestAbsoluteValueDegree / 2).Select(half => 2 * half)];
        Cost[] costs = Array.ConvertAll(degrees, degree => EvaluationPlan.Of(new Polynomial(Parity.Even, 1, [.. Enumerable.Range(2, degree / 2 + 1).Select(k => Math.Sqrt(k))])).Cost);
        for (int i = 0; i < degrees.Length; i++)
        {
            if (!costs.Skip(i + 1).Any(larger => larger.Levels <= costs[i].Levels && larger.NonScalarMultiplications <= costs[i].NonScalarMultiplications))
                specs.Add(ActivationSpec.Parse(FormattableString.Invariant($"direct:{degrees[i]}")));
        }

        return specs;
    }

    /// <summary>
    /// The composite with the least maximum error at each depth, of stages that use theirs to the full: degree 2^k - 1, ascending, at most three.
    /// </summary>
    private static IEnumerable<IReadOnlyList<int>> Sharpest(CancellationToken cancellation)
    {
        SortedDictionary<int, ReluPolynomial> best = [];
        Try([], 1, 0);
        return best.Values.Select(polynomial => polynomial.Degrees);

        void Try(int[] stages, int product, int depth)
        {
            if (stages.Length > 0)
            {
                cancellation.ThrowIfCancellationRequested();
                ReluPolynomial polynomial = ReluPolynomial.Composite(stages);
                if (!best.TryGetValue(depth, out ReluPolynomial? rival) || polynomial.MaxError < rival.MaxError) best[depth] = polynomial;
            }

            for (int k = 2; (1 << k) - 1 <= Remez.LargestSignDegree; k++)
            {
                int degree = (1 << k) - 1;
                if (stages.Length < MostStages && (stages.Length == 0 || degree >= stages[^1]) && product * degree <= ReluPolynomial.LargestDegreeProduct)
                    Try([.. stages, degree], product * degree, depth + k);
            }
        }
    }

    /// <summary>Generates, certifies and prices every candidate.</summary>
    /// <param name="specs">Polynomial activations.</param>
    /// <param name="densities">Densities of t = x/B.</param>
    /// <param name="chosen">Which density decides.</param>
    /// <param name="progress">Told the number of polynomials done.</param>
    /// <param name="cancellation">Stops between polynomials.</param>
    public static Frontier Of(IReadOnlyList<ActivationSpec> specs, IReadOnlyList<InputDensity> densities, int chosen, IProgress<int>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(specs);
        ArgumentNullException.ThrowIfNull(densities);
        var rows = new FrontierRow[specs.Count];
        for (int i = 0; i < rows.Length; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            rows[i] = FrontierRow.Of(specs[i], densities);
            progress?.Report(i + 1);
        }

        return new Frontier(rows, [.. densities.Select(density => density.Name)], chosen);
    }

    /// <summary>Mean and RMS of a row under the density that decides.</summary>
    public ErrorStatistics Statistics(FrontierRow row)
    {
        ArgumentNullException.ThrowIfNull(row);
        return row.Errors[_chosen];
    }

    /// <summary>The error of a row, under the chosen density where one is needed.</summary>
    public double Error(FrontierRow row, FrontierError error)
    {
        ArgumentNullException.ThrowIfNull(row);
        return error switch
        {
            FrontierError.Rms => Statistics(row).Rms,
            FrontierError.Mean => Math.Abs(Statistics(row).Mean),
            _ => row.MaxError,
        };
    }

    /// <summary>
    /// The Pareto set: the rows than which no other is at most as dear and at most as wrong, and better in one of both; cheapest first, so that errors fall.
    /// Of rows with the same error and price the first stands for all.
    /// </summary>
    public IReadOnlyList<FrontierRow> Pareto(FrontierError error, FrontierPrice price)
    {
        List<FrontierRow> set = [];
        foreach (FrontierRow row in Rows.OrderBy(row => row.Price(price)).ThenBy(row => Error(row, error)))
        {
            if (set.Count == 0 || Error(row, error) < Error(set[^1], error)) set.Add(row);
        }

        return set;
    }

    /// <summary>The rows within a budget; null means no limit.</summary>
    public IEnumerable<FrontierRow> Affordable(int? levels, int? multiplications)
        => Rows.Where(row => row.Cost.Levels <= (levels ?? int.MaxValue) && row.Cost.NonScalarMultiplications <= (multiplications ?? int.MaxValue));

    /// <summary>The row to take within a budget: the least RMS error under the density that decides. Null where nothing is cheap enough.</summary>
    public FrontierRow? Recommend(int? levels, int? multiplications) => Affordable(levels, multiplications).MinBy(row => Statistics(row).Rms);
}
