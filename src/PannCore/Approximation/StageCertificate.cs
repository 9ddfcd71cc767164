namespace PannCore.Approximation;

/// <summary>The evidence that one polynomial is the minimax polynomial of its degree on its interval.</summary>
/// <param name="Degree">Degree of the polynomial.</param>
/// <param name="Lo">Left end of its interval.</param>
/// <param name="Hi">Right end of its interval.</param>
/// <param name="LevelledError">
/// Proved lower bound of the minimax error: the error alternates in sign at the reference points, one more than there are coefficients, and
/// is at least this large there (de la Vallée Poussin). 0 if it does not alternate.
/// </param>
/// <param name="ScannedError">Largest error found by the scan.</param>
/// <param name="At">Where it was found.</param>
/// <param name="ProvedError">Proved upper bound of this polynomial's error on the interval, in exact arithmetic.</param>
/// <param name="Rounding">Proved bound of the rounding of an error evaluated in double: taken off <see cref="LevelledError"/> and added to <see cref="ProvedError"/>.</param>
/// <param name="IsAtRounding">
/// The error is too small to be told from rounding, which is at most 1e-13 of the function's largest value: nothing is left to level, and that no polynomial is nearer is not claimed.
/// </param>
/// <param name="ReferencePoints">The points of equioscillation, ascending.</param>
public sealed record StageCertificate(
    int Degree,
    double Lo,
    double Hi,
    double LevelledError,
    double ScannedError,
    double At,
    double ProvedError,
    double Rounding,
    bool IsAtRounding,
    IReadOnlyList<double> ReferencePoints)
{
    /// <summary>Roundings of a target's value that are allowed for: the functions of the platform are right to a few.</summary>
    private const double TargetRoundings = 16;

    private const int SamplesPerDegree = 8;
    private const double Fineness = 5e-4;

    private const double SmallRounding = 1e-13;

    /// <summary>No polynomial of the degree is nearer, but for 0.2 %: <see cref="ProvedError"/> is at most 1.002 <see cref="LevelledError"/>.</summary>
    public bool Passed => ProvedError <= ErrorBound.Tightness * LevelledError;

    /// <summary>Why it did not pass; null if it did or <see cref="IsAtRounding"/>.</summary>
    public string? Objection => Passed || IsAtRounding ? null : FormattableString.Invariant(
        $"degree {Degree} on [{Lo}, {Hi}]: proved error {ProvedError:g6} is above 1.002 x the levelled error {LevelledError:g6}");

    /// <summary>Examines a stage anew from its coefficients, trusting nothing of how it was made but where to look: an odd one against sgn, an even one against |t|, on lo &gt;= 0.</summary>
    internal static StageCertificate Of(Polynomial polynomial, double lo, double hi, IReadOnlyList<double> referencePoints)
        => Of(polynomial, polynomial.Parity == Parity.Odd ? Target.Sign : Target.Absolute, lo, hi, referencePoints);

    /// <summary>Examines a polynomial against a function on [lo, hi].</summary>
    /// <remarks>
    /// Where the function is no polynomial, <see cref="Target.Scan"/> bounds the error: through a polynomial of known degree that is near an analytic one.
    /// Its values are assumed right to 16 roundings of the largest.
    /// </remarks>
    internal static StageCertificate Of(Polynomial polynomial, Target target, double lo, double hi, IReadOnlyList<double> referencePoints)
    {
        // As far as the interval reaches from the centre of the basis.
        double radius = Math.Max(Math.Abs(lo - polynomial.Centre), Math.Abs(hi - polynomial.Centre));
        double rounding = ClenshawRounding.OfStage(polynomial, radius);
        int degree = Math.Max(polynomial.Degree, 1);
        ErrorBound bound;

        // How large the error is says how fine the scan must be.
        double[] samples = [.. Enumerable.Range(0, (SamplesPerDegree * degree) + 1).Select(i => lo + ((hi - lo) * i / (SamplesPerDegree * degree)))];
        double size = samples.Max(t => Math.Abs(target.Evaluate(t)));
        if (target.Kink is not null)
        {
            double[] ends = target.Kink is double kink && kink > lo && kink < hi ? [lo, kink, hi] : [lo, hi];
            bound = ends.Zip(ends.Skip(1)).Select(part => ErrorScan.Polynomial(Error, degree, rounding, part.First, part.Second)[0]).MaxBy(part => part.Bound)!;
        }
        else
        {
            bound = target.Scan(polynomial, lo, hi, Fineness * samples.Max(t => Math.Abs(Error(t))));
            rounding += TargetRoundings * Math.ScaleB(1, -53) * size;
            bound = bound with { Bound = bound.Bound + rounding };
        }

        double[] errors = [.. referencePoints.Select(Error)];
        bool alternates = errors.Length == polynomial.Coefficients.Count + 1;
        for (int j = 0; j < errors.Length; j++)
        {
            alternates &= referencePoints[j] >= lo && referencePoints[j] <= hi;
            if (j > 0) alternates &= referencePoints[j] > referencePoints[j - 1] && errors[j] > 0 != errors[j - 1] > 0;
        }

        double level = alternates ? Math.Max(0, errors.Min(Math.Abs) - rounding) : 0;

        // Four roundings: one in the level, one in the bound, and as much again for those that occur.
        bool atRounding = rounding <= SmallRounding * size && bound.Bound > ErrorBound.Tightness * level && bound.Bound <= (ErrorBound.Tightness * level) + (4 * rounding);
        return new StageCertificate(polynomial.Degree, lo, hi, level, bound.Found, bound.At, bound.Bound, rounding, atRounding, referencePoints);

        double Error(double t) => polynomial.Evaluate(t) - target.Evaluate(t);
    }
}

/// <summary>Where a stage is said to be minimax, and the points that are to show it.</summary>
internal sealed record StageClaim(double Lo, double Hi, IReadOnlyList<double> ReferencePoints);
