using MathNet.Numerics.Interpolation;

namespace PannCore.Approximation;

/// <summary>
/// Finds the degrees of a composite ReLU whose proved maximum error on [-1, 1] is at most 2^-alpha, among all sequences of odd stages of degree 3 to 63, with the least depth
/// or the fewest ciphertext products. Keeps what it learns about the stages: use one instance for many searches. Safe for use by several threads.
/// </summary>
/// <remarks>
/// <para>
/// A stage sees only the ratio of the ends of its interval, written as <c>v = ln(b / a)</c>: [1 - E, 1 + E] has <c>v = 2 artanh E</c>, [gap, 1] has <c>v = -ln gap</c>.
/// Stage d maps v to a smaller v, monotonically. The last stage must end at E = 2^(1-alpha); walking back from there, the widest input each stage can take leads to the smallest
/// gap, which sets the error near zero (gap/8 to gap/18). So per (depth, products) only the sequences with the widest input matter: dynamic programming, a few dozen of them kept.
/// </para>
/// <para>
/// The maps are interpolated between two dozen minimax problems per degree; therefore nothing is believed: cells (depth, products) are visited in order of preference, the
/// sequences in them that may reach 2^-alpha are tuned and certified like any composite, and only one whose <see cref="ReluPolynomial.MaxError"/> passes is returned.
/// </para>
/// </remarks>
public sealed class CompositeSearch
{
    /// <summary>The smallest alpha searched for.</summary>
    public const int SmallestAlpha = ActivationSpec.SmallestAlpha;

    /// <summary>
    /// The largest alpha that has a certificate: the error of stages with the product of degrees n is at least about 0.7/n here, and the certificate, which samples a composite
    /// in double in proportion to its degree, is limited to n = <see cref="ReluPolynomial.LargestDegreeProduct"/>.
    /// </summary>
    public const int LargestAlpha = 15;

    private const int SmallestDegree = 3;
    private const int KeptPerCell = 24;
    private const int MostProducts = 64;

    // The error within the tuned gap over the gap, measured: 0.128 for {3}, 0.077 for {15,15}, 0.058 at alpha 15; it hardly depends on the degrees otherwise.
    private const double SmallestHump = 0.05;

    // Well above the error of TunedError.
    private const double EstimateSlack = 1.0005;

    private readonly Stage[] _stages;
    private readonly int _keptPerCell;

    /// <summary>A search among the odd degrees 3 to 63.</summary>
    public CompositeSearch()
        : this(Enumerable.Range(SmallestDegree, Remez.LargestSignDegree - SmallestDegree + 1).Where(int.IsOddInteger), KeptPerCell)
    {
    }

    internal CompositeSearch(IEnumerable<int> degrees, int keptPerCell)
        => (_stages, _keptPerCell) = ([.. degrees.Select(degree => new Stage(degree))], keptPerCell);

    internal static IEnumerable<(int Depth, int Products)> ByDepth
        => from depth in Enumerable.Range(1, MostProducts)
           from products in Enumerable.Range(depth, MostProducts - depth + 1)
           select (depth, products);

    internal static IEnumerable<(int Depth, int Products)> ByProducts
        => from products in Enumerable.Range(1, MostProducts)
           from depth in Enumerable.Range(1, products)
           select (depth, products);

    /// <summary>The degrees with the least depth, among those the fewest ciphertext products, among those the least error.</summary>
    /// <param name="alpha">From <see cref="SmallestAlpha"/> to <see cref="LargestAlpha"/>.</param>
    /// <param name="cancellation">Ends the search.</param>
    /// <exception cref="BadInputException">alpha is not one of those.</exception>
    public IReadOnlyList<int> LeastDepth(int alpha, CancellationToken cancellation = default)
        => Search(Target(alpha), ByDepth, cancellation)!;

    /// <summary>The degrees with the fewest ciphertext products, among those the least depth, among those the least error.</summary>
    /// <param name="alpha">From <see cref="SmallestAlpha"/> to <see cref="LargestAlpha"/>.</param>
    /// <param name="cancellation">Ends the search.</param>
    /// <exception cref="BadInputException">alpha is not one of those.</exception>
    public IReadOnlyList<int> LeastMultiplications(int alpha, CancellationToken cancellation = default)
        => Search(Target(alpha), ByProducts, cancellation)!;

    /// <summary>The cheapest degrees by <see cref="ByDepth"/> or <see cref="ByProducts"/> whose proved error is at most the target; null if there are none.</summary>
    internal IReadOnlyList<int>? Search(double target, IEnumerable<(int Depth, int Products)> order, CancellationToken cancellation)
    {
        Dictionary<(int, int), List<Candidate>> cells = [];
        cells[(1, 1)] = [new Candidate(2 * Math.Atanh(2 * target), [], 1)]; // the product with t
        foreach ((int depth, int products) in order)
        {
            IEnumerable<ReluPolynomial> verified =
                from candidate in Widest(depth, products, stage => stage.FirstProducts)
                where SmallestHump * candidate.Gap <= target
                let error = TunedError(candidate, target, cancellation)
                where error <= target * EstimateSlack
                orderby error
                let polynomial = ReluPolynomial.Composite(candidate.Degrees)
                where polynomial.MaxError <= target && EvaluationPlan.Of(polynomial).Cost is { } cost && (cost.Depth, cost.NonScalarMultiplications) == (depth, products)
                select polynomial;
            if (verified.FirstOrDefault() is { } best) return best.Degrees;
        }

        return null;

        // The sequences of stages but the first.
        List<Candidate> Cell(int depth, int products)
        {
            if (!cells.TryGetValue((depth, products), out List<Candidate>? cell))
                cells[(depth, products)] = cell = Widest(depth, products, stage => stage.Products);
            return cell;
        }

        // The sequences of this cost with the widest input, given the products that a stage costs in the place before the others.
        List<Candidate> Widest(int depth, int products, Func<Stage, int> cost)
        {
            cancellation.ThrowIfCancellationRequested();
            List<Candidate> found = [];
            foreach (Stage stage in _stages)
            {
                (int depthAfter, int productsAfter) = (depth - stage.Depth, products - cost(stage));
                if (depthAfter < 1 || productsAfter < depthAfter) continue;
                foreach (Candidate after in Cell(depthAfter, productsAfter))
                {
                    if (after.Product * stage.Degree <= ReluPolynomial.LargestDegreeProduct)
                        found.Add(new Candidate(stage.WidestInput(after.Input), [stage.Degree, .. after.Degrees], after.Product * stage.Degree));
                }
            }

            found.Sort((x, y) => y.Input.CompareTo(x.Input));
            return found.Count > _keptPerCell ? found[.._keptPerCell] : found;
        }
    }

    private static double Target(int alpha) => alpha is >= SmallestAlpha and <= LargestAlpha
        ? Math.ScaleB(1, -alpha)
        : throw new BadInputException(FormattableString.Invariant(
            $"search for a composite: alpha {alpha}, expected {SmallestAlpha} to {LargestAlpha}: certificates in double reach 2^-{LargestAlpha}, since they sample a polynomial whose degrees have a product of at most {ReluPolynomial.LargestDegreeProduct}"));

    /// <summary>The error that tuning the gap will reach, to about 1e-4 of it; infinite if one gap shows that it is above the target.</summary>
    private static double TunedError(Candidate candidate, double target, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        double[]?[] warm = new double[candidate.Degrees.Length][];

        // The error beyond the gap falls and the error within rises with the gap: the tuned one, where they are equal, is between them for any gap.
        (double beyond, double within) = LogErrors(candidate.Input);
        if (Math.Min(beyond, within) > Math.Log(target)) return double.PositiveInfinity;
        double step = Math.CopySign(Math.Max(Math.Abs(within - beyond) / 4, 1e-3), within - beyond);
        (double beyondThere, double withinThere) = LogErrors(candidate.Input + step);
        double share = (within - beyond) / (within - beyond - withinThere + beyondThere);
        return Math.Exp(within + (share * (withinThere - within)));

        (double Beyond, double Within) LogErrors(double input)
        {
            const int points = 32;
            double gap = Math.Exp(-input), a = gap, b = 1;
            Polynomial[] stages = new Polynomial[candidate.Degrees.Length];
            for (int i = 0; i < stages.Length; i++)
            {
                (RemezResult result, warm[i]) = Remez.Sign(candidate.Degrees[i], a, b, warm[i]);
                stages[i] = result.Polynomial;
                (a, b) = (1 - result.LevelledError, 1 + result.LevelledError);
            }

            double[] errors = new double[points + 1];
            for (int i = 1; i <= points; i++)
            {
                double t = gap * i / points;
                errors[i] = t * (1 - stages.Aggregate(t, (p, stage) => stage.Evaluate(p))) / 2;
            }

            // The top of the parabola through the largest error and its neighbours.
            int top = Math.Clamp(Array.IndexOf(errors, errors.Max()), 1, points - 1);
            double slope = (errors[top + 1] - errors[top - 1]) / 2, curvature = errors[top + 1] - (2 * errors[top]) + errors[top - 1];
            return (Math.Log((b - 1) / 2), Math.Log(errors[top] - (slope * slope / (2 * curvature))));
        }
    }

    /// <param name="Input">v of the widest interval that the first stage can take.</param>
    /// <param name="Degrees">First stage first.</param>
    /// <param name="Product">Of the degrees.</param>
    private sealed record Candidate(double Input, int[] Degrees, int Product)
    {
        public double Gap => Math.Exp(-Input);
    }

    /// <summary>What one degree costs, and which interval it maps to which.</summary>
    private sealed class Stage
    {
        private const double WidestNode = 14, NarrowestOutput = 1.0 / 65536;

        private readonly Lazy<IInterpolation> _logInput;

        public Stage(int degree)
        {
            ChebyshevSplitting first = ChebyshevSplitting.Find(degree, Parity.Odd, false), later = ChebyshevSplitting.Find(degree, Parity.Odd, true);
            (Degree, Depth, FirstProducts, Products) = (degree, first.Depth, first.Products, Math.Min(first.Products, later.Products));
            _logInput = new Lazy<IInterpolation>(Nodes);
        }

        public int Degree { get; }

        public int Depth { get; }

        /// <summary>In the first stage, whose argument is the input.</summary>
        public int FirstProducts { get; }

        /// <summary>In a later stage, whose argument the stage before scales so that the leading coefficient is 1.</summary>
        public int Products { get; }

        /// <summary>The largest v that the stage maps to at most the given one.</summary>
        public double WidestInput(double output) => Math.Exp(_logInput.Value.Interpolate(Math.Log(output)));

        /// <summary>ln v of the input by ln v of the output, in steps of about 1 of the latter.</summary>
        private CubicSpline Nodes()
        {
            List<double> inputs = [], outputs = [];
            double[]? warm = null;
            double step = 0.1;
            for (double input = Math.Log(WidestNode); ; input -= step)
            {
                (RemezResult result, warm) = Remez.Sign(Degree, Math.Exp(-Math.Exp(input)), 1, warm);
                double output = Math.Log(2 * Math.Atanh(result.LevelledError));
                if (outputs.Count > 0) step = Math.Min(0.2, step / (outputs[^1] - output));
                inputs.Add(input);
                outputs.Add(output);
                if (output < Math.Log(NarrowestOutput)) break;
            }

            inputs.Reverse();
            outputs.Reverse();
            return CubicSpline.InterpolateAkimaSorted([.. outputs], [.. inputs]);
        }
    }
}
