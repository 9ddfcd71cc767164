namespace PannCore.Approximation;

/// <summary>What is known about the error of a <see cref="ReluPolynomial"/> on [-1, 1], and how it is known.</summary>
/// <remarks>
/// <para>
/// <b>Proved, for the very coefficients held (exact arithmetic).</b> The error r(t) - leakyReLU(t) is an even function of t, and on [0, 1] it is
/// r(t) - t, an algebraic polynomial of known degree n (composite: 1 + the product of the degrees; direct: the degree). It is sampled at 28 n Chebyshev points of [0, 1];
/// between them no polynomial of degree n can exceed the largest sample by more than the factor 1/cos(π/56) = 1.0016
/// (Ehlich and Zeller 1964). <see cref="MaxError"/> is that bound plus 1e-12. The error of a series of both parities is not even: both sides are scanned.
/// Per stage: the lower bound of the minimax error by alternation (de la Vallée Poussin) and the upper bound of the stage's error by the same scan with 64 points per degree.
/// </para>
/// <para>
/// <b>Scanned, not proved.</b> <see cref="ScannedError"/> and <see cref="At"/>: the largest sample, refined to the local maximum next to it.
/// It is an error that really occurs, so the true maximum lies between <see cref="ScannedError"/> and <see cref="MaxError"/>.
/// </para>
/// <para>
/// <b>Assumed.</b> Evaluation in double rounds each sample by less than the 1e-12 added (tested against 160-bit arithmetic on the polynomials
/// of alpha 4 to 14 and on direct ones). Float32 evaluation is apart: <see cref="ReluPolynomial.Float32EvaluationError"/>.
/// Nothing is said about |t| above 1.
/// </para>
/// </remarks>
/// <param name="Stages">One entry per stage; for a direct polynomial the one even polynomial on [0, 1].</param>
/// <param name="ScannedError">Largest |r - leakyReLU| found on [-1, 1].</param>
/// <param name="At">The t where it was found: in [0, 1], the error at -t being the same, unless the polynomial is a series of both parities.</param>
/// <param name="MaxError">Proved upper bound of |r - leakyReLU| on [-1, 1], at most 1.002 <see cref="ScannedError"/> when <see cref="Passed"/>.</param>
/// <param name="ValueAtZero">r(0): 0 for every composite, about +<see cref="MaxError"/> for direct minimax polynomials.</param>
/// <param name="ScanPoints">Samples behind <see cref="MaxError"/>.</param>
/// <param name="Passed">Every stage passed, every value is finite, and <see cref="MaxError"/> is at most 1.002 <see cref="ScannedError"/>.</param>
public sealed record Certificate(
    IReadOnlyList<StageCertificate> Stages,
    double ScannedError,
    double At,
    double MaxError,
    double ValueAtZero,
    int ScanPoints,
    bool Passed)
{
    /// <summary>Allowance for the rounding of a sample evaluated in double.</summary>
    internal const double Rounding = 1e-12;

    private const int PointsPerDegree = 28;
    private const double Tightness = 1.002;

    /// <summary>Examines r, of the given degree, and its stages.</summary>
    /// <param name="r">The polynomial.</param>
    /// <param name="degree">Its degree.</param>
    /// <param name="stages">Its stages.</param>
    /// <param name="slope">For a polynomial whose error is not even: the slope on [-1, 0] of the function it stands for; that side is scanned too.</param>
    internal static Certificate Of(Func<double, double> r, int degree, IReadOnlyList<StageCertificate> stages, double? slope = null)
    {
        ChebyshevScan scan = ChebyshevScan.Of(t => r(t) - t, degree, 0, 1, PointsPerDegree);
        if (slope is double leak)
        {
            ChebyshevScan negative = ChebyshevScan.Of(t => r(-t) + leak * t, degree, 0, 1, PointsPerDegree);
            bool worse = negative.Largest > scan.Largest;
            scan = new(worse ? negative.Largest : scan.Largest, worse ? -negative.At : scan.At, Math.Max(scan.Bound, negative.Bound), 2 * scan.Points);
        }

        double bound = scan.Bound + Rounding;
        bool passed = stages.All(stage => stage.Passed) && bound <= Tightness * scan.Largest;
        return new Certificate(stages, scan.Largest, scan.At, bound, r(0), scan.Points, passed);
    }
}
