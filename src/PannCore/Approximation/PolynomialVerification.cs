namespace PannCore.Approximation;

/// <summary>One thing a polynomial file states that is not so.</summary>
/// <param name="Where">The place in the file, such as <c>certificate.stages[1].levelledError</c>.</param>
/// <param name="Stated">What stands there.</param>
/// <param name="Recomputed">What was computed.</param>
public sealed record VerificationFinding(string Where, string Stated, string Recomputed);

/// <summary>What <see cref="PolynomialFile.Verify"/> found.</summary>
/// <param name="Path">The file.</param>
/// <param name="Polynomial">The polynomial it holds, with the recomputed certificate.</param>
/// <param name="Findings">Everything that is not so; empty if all is.</param>
public sealed record PolynomialVerification(string Path, ReluPolynomial Polynomial, IReadOnlyList<VerificationFinding> Findings)
{
    /// <summary>Whether everything the file states is so.</summary>
    public bool Passed => Findings.Count == 0;
}
