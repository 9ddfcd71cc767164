namespace PannCore.Approximation;

/// <summary>A minimax polynomial and the evidence for it.</summary>
/// <param name="Polynomial">The polynomial.</param>
/// <param name="Lo">Left end of the approximation interval.</param>
/// <param name="Hi">Right end of the approximation interval.</param>
/// <param name="LevelledError">
/// |h|: at the reference points the error is alternately +h and -h. No polynomial of this degree has a smaller maximum error
/// than |h| (de la Vallée Poussin).
/// </param>
/// <param name="ReferencePoints">The points of equioscillation, ascending: one more than the polynomial has coefficients.</param>
/// <param name="Iterations">Exchanges made.</param>
/// <param name="ScannedError">Largest error found by a scan independent of the reference, 64 Chebyshev points per degree.</param>
/// <param name="ProvedError">Upper bound of the error on the whole interval that follows from the scan: see <see cref="Certificate"/>.</param>
public sealed record RemezResult(
    Polynomial Polynomial,
    double Lo,
    double Hi,
    double LevelledError,
    IReadOnlyList<double> ReferencePoints,
    int Iterations,
    double ScannedError,
    double ProvedError);
