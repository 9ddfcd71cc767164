namespace PannCore.Approximation;

/// <summary>The evidence that one stage is the minimax polynomial of its degree on its interval.</summary>
/// <param name="Degree">Degree of the stage.</param>
/// <param name="Lo">Left end of its interval.</param>
/// <param name="Hi">Right end of its interval.</param>
/// <param name="LevelledError">
/// Proved lower bound of the minimax error: the error alternates in sign at the reference points, one more than there are coefficients, and
/// is at least this large there (de la Vallée Poussin). 0 if it does not alternate.
/// </param>
/// <param name="ScannedError">Largest error found by the scan.</param>
/// <param name="ProvedError">Proved upper bound of this polynomial's error on the interval.</param>
/// <param name="ReferencePoints">The points of equioscillation, ascending.</param>
/// <param name="Passed">
/// <see cref="ProvedError"/> is at most 1.0005 <see cref="LevelledError"/> + 1e-14: minimax to 0.05 %, or to the rounding of the evaluation.
/// </param>
public sealed record StageCertificate(
    int Degree,
    double Lo,
    double Hi,
    double LevelledError,
    double ScannedError,
    double ProvedError,
    IReadOnlyList<double> ReferencePoints,
    bool Passed)
{
    /// <summary>Examines a stage anew from its coefficients, trusting nothing of how it was made but where to look.</summary>
    internal static StageCertificate Of(Polynomial polynomial, double lo, double hi, IReadOnlyList<double> referencePoints)
    {
        double[] errors = referencePoints.Select(Error).ToArray();
        bool alternates = errors.Length == polynomial.Coefficients.Count + 1;
        for (int j = 1; j < errors.Length; j++)
            alternates &= referencePoints[j] > referencePoints[j - 1] && errors[j] > 0 != errors[j - 1] > 0;
        double level = alternates ? errors.Min(Math.Abs) : 0;
        ChebyshevScan scan = ChebyshevScan.Of(Error, Math.Max(polynomial.Degree, 1), lo, hi, Remez.ScanPointsPerDegree);

        // Alternation cannot be seen once the error has sunk into the rounding of the evaluation.
        bool passed = scan.Bound <= level * Remez.LevelFactor + Remez.Rounding;
        return new StageCertificate(polynomial.Degree, lo, hi, level, scan.Largest, scan.Bound, referencePoints, passed);

        double Error(double t) => polynomial.Evaluate(t) - (polynomial.Parity == Parity.Odd ? 1 : t);
    }
}
