namespace PannCore.Approximation;

/// <summary>A minimax polynomial and the evidence for it.</summary>
/// <param name="Status">Whether the error is levelled or lost in rounding.</param>
/// <param name="Polynomial">The polynomial.</param>
/// <param name="Lo">Left end of the approximation interval.</param>
/// <param name="Hi">Right end of the approximation interval.</param>
/// <param name="LevelledError">
/// |h|: at the reference points the error is alternately +h and -h, and no polynomial of this degree has a smaller maximum error
/// than |h| (de la Vallée Poussin). Of <see cref="Remez.UnbiasedAbsoluteValue"/> it is the largest error, whose sign need not alternate.
/// </param>
/// <param name="ReferencePoints">The points of equioscillation, ascending: one more than the polynomial has free coefficients; as many where the mean error is tied to 0.</param>
/// <param name="Iterations">Exchanges made.</param>
/// <param name="ScannedError">Largest error found by a scan independent of the reference.</param>
/// <param name="ProvedError">Upper bound of the error on the whole interval that follows from that scan, rounding apart: see <see cref="Remez"/>.</param>
public sealed record RemezResult(
    RemezStatus Status,
    Polynomial Polynomial,
    double Lo,
    double Hi,
    double LevelledError,
    IReadOnlyList<double> ReferencePoints,
    int Iterations,
    double ScannedError,
    double ProvedError);

/// <summary>How an exchange ended; whatever else happens is a <see cref="RemezConvergenceException"/>.</summary>
public enum RemezStatus
{
    /// <summary>The largest error equals the levelled one: the polynomial is minimax to within 0.05 %.</summary>
    Levelled,

    /// <summary>The error exceeds the levelled one by no more than rounding can make of it (1e-14 of the largest value; where the exchange could not end, a proved bound of the evaluation and that of the solution): nothing is left to level.</summary>
    AtRounding,
}
