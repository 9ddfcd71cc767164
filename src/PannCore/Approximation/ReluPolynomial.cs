namespace PannCore.Approximation;

/// <summary>
/// A polynomial r(t) that stands for ReLU, or for leaky ReLU with slope a on negative inputs, on [-1, 1]; generated, certified, immutable.
/// </summary>
/// <remarks>
/// Composite: <c>r(t) = t ((1+a) + (1-a) p(t)) / 2</c> with p = p_k o ... o p_1, odd minimax polynomials of sgn on [gap, 1] and then on [1-E, 1+E],
/// E the levelled error of the stage before. Direct: <c>r(t) = ((1+a) t + (1-a) q(t)) / 2</c>, q an even polynomial near |t|. Series: any polynomial.
/// A network with range [-B, B] uses B r(x/B), whose error is B times <see cref="MaxError"/>.
/// Source of the composite form: Cheon et al. 2020, Lee et al. 2021, "Minimax approximation of sign function by composite polynomial for homomorphic comparison".
/// </remarks>
public sealed class ReluPolynomial
{
    /// <summary>Largest product of the degrees of a composite: it keeps the proof by scanning in a fraction of a second; precision 2^-15.</summary>
    public const int LargestDegreeProduct = 32768;

    private const double LargestCoefficientSum = 1e8;

    private readonly Polynomial[] _stages;
    private readonly double _halfSum, _halfDifference;
    private readonly Lazy<double> _largestSlope, _float32Error;

    private ReluPolynomial(ReluFamily family, double leak, Polynomial[] stages, IReadOnlyList<StageCertificate> certificates, string spec)
    {
        Family = family;
        Leak = leak;
        Spec = spec;
        _stages = stages;
        _halfSum = (1 + leak) / 2;
        _halfDifference = (1 - leak) / 2;
        Stages = Array.AsReadOnly(stages);
        Degrees = Array.AsReadOnly(Array.ConvertAll(stages, stage => stage.Degree));
        Degree = Degrees.Aggregate(1, (product, d) => product * d) + (family == ReluFamily.Composite ? 1 : 0);
        Certificate = Certificate.Of(this, certificates);
        _float32Error = new Lazy<double>(() => Float32Evaluation.LargestError(this));
        _largestSlope = new Lazy<double>(() => SlopeBound(Math.Max(Degree, 1)));
    }

    /// <summary>Composite, direct or series.</summary>
    public ReluFamily Family { get; }

    /// <summary>a: the slope on negative inputs of the function approximated; 0 for ReLU.</summary>
    public double Leak { get; }

    /// <summary>Composite: the odd stages in the order of evaluation. Direct: the one even polynomial q. Series: r itself.</summary>
    public IReadOnlyList<Polynomial> Stages { get; }

    /// <summary>The degree of every stage.</summary>
    public IReadOnlyList<int> Degrees { get; }

    /// <summary>The degree of r itself: the product of <see cref="Degrees"/>, and one more for a composite.</summary>
    public int Degree { get; }

    /// <summary>
    /// The text that names it, which <see cref="ActivationSpec.Parse"/> reads back; <c>series:N</c>, which it does not read, N being <see cref="Degree"/>, for a polynomial from outside. Of a
    /// polynomial that was read it is the file's, whose form it fits (<see cref="PolynomialFile.Read"/>); that the coefficients are those it generates is known only after <see cref="PolynomialFile.Verify"/>.
    /// </summary>
    public string Spec { get; }

    /// <summary>
    /// Whether every stage is said to be the minimax polynomial of its degree on its interval, which its <see cref="StageCertificate"/> must then prove.
    /// False for the other families: their certificate bounds the error and has no stages.
    /// </summary>
    public bool ClaimsMinimax => Certificate.ClaimsMinimax;

    /// <summary>What is proved and what is scanned about this polynomial.</summary>
    public Certificate Certificate { get; }

    /// <summary>E: the proved bound of |r(t) - leakyReLU(t)| on [-1, 1], in exact arithmetic.</summary>
    public double MaxError => Certificate.MaxError;

    /// <summary>
    /// Estimate of max |fl(r)(t) - r(t)| on [-1, 1], fl being the same recurrences with every operation in float32, none fused, and constants rounded to float32
    /// (those of the kernels: 2/b of the first stage, (1+a)/2, and each stage's c_k with what follows it folded in). Scanned at 8,194 float32 points of both signs, crowded at 0 and 1: an estimate, not a bound.
    /// Computed when first asked for, like the errors in other arithmetics: <see cref="Certificate.Evaluation"/>.
    /// </summary>
    public double Float32EvaluationError => _float32Error.Value;

    /// <summary>
    /// An upper bound on max |r'| on [-1, 1], at most 1.02 times it: the largest value at the 8n Chebyshev points of [-1, 1], times 1/cos(pi/16),
    /// which bounds any polynomial of degree at most n by its values there (Ehlich and Zeller 1964). The slope carries input errors to the output.
    /// </summary>
    public double LargestSlope => _largestSlope.Value;

    /// <summary>A composition of odd minimax polynomials of sgn, its gap tuned for the least maximum ReLU error on [-1, 1].</summary>
    /// <param name="degrees">Odd degrees from 3 to 63, first stage first; their product at most <see cref="LargestDegreeProduct"/>.</param>
    /// <param name="leak">a, from 0 to below 1. The tuned gap does not depend on it.</param>
    /// <exception cref="BadInputException">A degree, their product or the leak is not one of those.</exception>
    /// <exception cref="RemezConvergenceException">An exchange did not converge.</exception>
    public static ReluPolynomial Composite(IReadOnlyList<int> degrees, double leak = 0)
    {
        ArgumentNullException.ThrowIfNull(degrees);
        return new ActivationSpec(ActivationKind.Composite, leak, degrees).Build();
    }

    /// <summary>The polynomial made from the even minimax polynomial of |t|.</summary>
    /// <param name="degree">Even, 2 to 256.</param>
    /// <param name="leak">a, from 0 to below 1.</param>
    /// <exception cref="BadInputException">The degree or the leak is not one of those.</exception>
    /// <exception cref="RemezConvergenceException">The exchange did not converge.</exception>
    public static ReluPolynomial Direct(int degree, double leak = 0)
        => new ActivationSpec(ActivationKind.Direct, leak, [degree]).Build();

    /// <summary>A polynomial from its checked parts, examined anew; without claims its error is bounded and nothing else is said.</summary>
    internal static ReluPolynomial Of(ReluFamily family, double leak, Polynomial[] stages, IReadOnlyList<StageClaim> claims, string spec)
        => new(family, leak, stages, [.. claims.Select((claim, i) => StageCertificate.Of(stages[i], claim.Lo, claim.Hi, claim.ReferencePoints))], spec);

    /// <summary>Generates what a checked spec describes; only what is minimax without further conditions claims to be.</summary>
    internal static ReluPolynomial Generate(ActivationSpec spec, CancellationToken cancellation)
    {
        IReadOnlyList<int> degrees = spec.Goal switch
        {
            CompositeGoal.Depth => new CompositeSearch().LeastDepth(spec.Alpha!.Value, cancellation),
            CompositeGoal.Multiplications => new CompositeSearch().LeastMultiplications(spec.Alpha!.Value, cancellation),
            _ => spec.Degrees,
        };
        int degree = degrees[0];
        return spec.Kind switch
        {
            ActivationKind.Composite => Proved(ReluFamily.Composite, spec.Gap is double gap ? CompositeSign.Beyond(degrees, gap) : CompositeSign.Tune(degrees)),
            ActivationKind.Direct when spec.Density is not null => Direct(Remez.UnbiasedAbsoluteValue(degree, Density(), spec.VanishesAtZero).Polynomial),
            ActivationKind.Direct when spec.VanishesAtZero => Direct(Remez.AbsoluteValue(degree, vanishing: true).Polynomial),
            ActivationKind.Direct => Proved(ReluFamily.Direct, [Remez.AbsoluteValue(degree)]),
            ActivationKind.Taylor => Direct(TeachingFamilies.Taylor(degree)),
            ActivationKind.Chebyshev => Direct(TeachingFamilies.Chebyshev(degree)),
            ActivationKind.Interpolation => Direct(TeachingFamilies.Interpolation(degree)),
            ActivationKind.Hermite => Direct(TeachingFamilies.Hermite(degree, Density().Ratio)),
            ActivationKind.LeastSquares => LeastSquares(Density()),
            ActivationKind.Square => Series([0.5, 0, 0.5]),
            ActivationKind.Quadratic => Direct(new Polynomial(Parity.Even, 1, [0.625, 0.125])), // t^2/4 + 1/2
            _ => throw new ArgumentOutOfRangeException(nameof(spec), spec.Kind, "no polynomial is generated for this kind"),
        };

        InputDensity Density() => spec.Density is string density ? InputDensity.Parse(density) : InputDensity.Uniform;

        ReluPolynomial LeastSquares(InputDensity density) => density.IsEven
            ? Direct(TeachingFamilies.EvenPart(TeachingFamilies.LeastSquares(Math.Abs, degree, density)))
            : Series(TeachingFamilies.LeastSquares(t => Math.Max(t, 0), degree, density).Coefficients);

        ReluPolynomial Direct(Polynomial q) => new(ReluFamily.Direct, spec.Leak, [Usable(q)], [], spec.ToString());

        // Leaky ReLU is a t + (1-a) ReLU, and so is what stands for it.
        ReluPolynomial Series(IEnumerable<double> relu)
            => new(ReluFamily.Series, spec.Leak, [Usable(new(Parity.None, 1, [.. relu.Select((c, k) => (1 - spec.Leak) * c + (k == 1 ? spec.Leak : 0))]))], [], spec.ToString());

        // What is fitted near 0 only grows towards -1 and 1, so that near 0 large terms cancel.
        Polynomial Usable(Polynomial p)
        {
            double sum = p.Coefficients.Sum(Math.Abs);
            return sum <= LargestCoefficientSum ? p : throw new BadInputException(FormattableString.Invariant(
                $"activation '{spec}': its coefficients sum to {sum:g2} in magnitude, expected at most {LargestCoefficientSum:g2}: double cannot evaluate it near 0; lower the degree or the ratio"));
        }

        ReluPolynomial Proved(ReluFamily family, IReadOnlyList<RemezResult> results) => new(
            family,
            spec.Leak,
            [.. results.Select(result => result.Polynomial)],
            [.. results.Select(result => StageCertificate.Of(result.Polynomial, result.Lo, result.Hi, result.ReferencePoints))],
            spec.ToString());
    }

    /// <summary>r(t) in double; right for every t, but near leaky ReLU only on [-1, 1].</summary>
    public double Evaluate(double t)
    {
        double p = t;
        foreach (Polynomial stage in _stages) p = stage.Evaluate(p);
        return Family switch
        {
            ReluFamily.Composite => t * (_halfSum + _halfDifference * p),
            ReluFamily.Direct => _halfSum * t + _halfDifference * p,
            _ => p,
        };
    }

    /// <summary>r'(t): the exact derivative of the polynomial, by the chain rule.</summary>
    public double Derivative(double t)
    {
        double p = t, slope = 1;
        foreach (Polynomial stage in _stages)
        {
            slope *= stage.Derivative(p);
            p = stage.Evaluate(p);
        }

        return Family switch
        {
            ReluFamily.Composite => _halfSum + _halfDifference * (p + t * slope),
            ReluFamily.Direct => _halfSum + _halfDifference * slope,
            _ => slope,
        };
    }

    private double SlopeBound(int degree)
    {
        int points = 8 * degree;
        double largest = 0;
        for (int i = 0; i < points; i++) largest = Math.Max(largest, Math.Abs(Derivative(Math.Cos((i + 0.5) * Math.PI / points))));
        return largest / Math.Cos(Math.PI / 16);
    }
}
