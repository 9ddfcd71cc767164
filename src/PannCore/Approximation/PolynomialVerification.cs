namespace PannCore.Approximation;

/// <summary>One thing a polynomial file states that is not so.</summary>
/// <param name="Where">The place in the file, such as <c>certificate.stages[1].levelledError</c>.</param>
/// <param name="Stated">What stands there.</param>
/// <param name="Recomputed">What was computed.</param>
public sealed record VerificationFinding(string Where, string Stated, string Recomputed);

/// <summary>What <see cref="PolynomialFile.Verify"/> found.</summary>
/// <param name="Path">The file.</param>
/// <param name="Polynomial">The polynomial it holds, with the recomputed certificate.</param>
/// <param name="Generated">
/// Whether the polynomial that the spec names was generated and compared. Without, a spec of a polynomial from outside or of one for a measured density, it is known to be what its certificate says
/// and nothing more.
/// </param>
/// <param name="Findings">Everything that is not so; empty if all is.</param>
public sealed record PolynomialVerification(string Path, ReluPolynomial Polynomial, bool Generated, IReadOnlyList<VerificationFinding> Findings)
{
    /// <summary>Whether everything the file states is so.</summary>
    public bool Passed => Findings.Count == 0;
}
