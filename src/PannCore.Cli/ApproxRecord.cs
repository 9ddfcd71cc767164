using PannCore.Approximation;

namespace PannCore.Cli;

/// <summary>What <c>pann approx SPEC --json</c> writes; errors in units of the range B.</summary>
/// <param name="Spec">The canonical text.</param>
/// <param name="Family">composite, direct or series.</param>
/// <param name="Leak">Slope on negative inputs of the function approximated.</param>
/// <param name="Degrees">The degree of every stage.</param>
/// <param name="Log2MaxError">log2 of the proved bound of the error on [-1, 1].</param>
/// <param name="ValueAtZero">r(0).</param>
/// <param name="Depth">Non-scalar depth.</param>
/// <param name="Levels">CKKS levels.</param>
/// <param name="LevelsFolded">CKKS levels with the leading coefficient folded into neighbouring weights.</param>
/// <param name="Multiplications">Multiplications of ciphertexts.</param>
/// <param name="MultiplicationsFolded">Multiplications of ciphertexts with the leading coefficient folded into neighbouring weights.</param>
/// <param name="ScalarMultiplications">Multiplications with constants.</param>
/// <param name="Additions">Additions.</param>
/// <param name="Stages">The polynomials.</param>
/// <param name="Certificate">What is proved.</param>
/// <param name="Errors">Mean and RMS error by input density.</param>
/// <param name="Evaluation">What the arithmetic adds.</param>
/// <param name="OutOfRange">Behaviour outside [-1, 1].</param>
internal sealed record ApproxRecord(
    string Spec, string Family, double Leak, IReadOnlyList<int> Degrees, double Log2MaxError, double ValueAtZero, int Depth, int Levels, int LevelsFolded, int Multiplications, int MultiplicationsFolded, int ScalarMultiplications,
    int Additions, IReadOnlyList<StageRecord> Stages, CertificateRecord Certificate, IReadOnlyList<ErrorStatistics> Errors, EvaluationErrors Evaluation, OutOfRange OutOfRange)
{
    public static ApproxRecord Of(ReluPolynomial polynomial, Cost cost, Cost folded, IReadOnlyList<ErrorStatistics> errors)
    {
        Certificate proof = polynomial.Certificate;
        return new(
            polynomial.Spec, polynomial.Family.ToString().ToLowerInvariant(), polynomial.Leak, polynomial.Degrees, Math.Log2(polynomial.MaxError), proof.ValueAtZero,
            cost.Depth, cost.Levels, folded.Levels, cost.NonScalarMultiplications, folded.NonScalarMultiplications, cost.ScalarMultiplications, cost.Additions,
            [.. polynomial.Stages.Select((stage, i) => StageRecord.Of(stage, i < proof.Stages.Count ? proof.Stages[i] : null))],
            new(proof.Passed, proof.ClaimsMinimax, proof.Stages.Sum(stage => stage.ReferencePoints.Count), [.. proof.Stages.Select(stage => stage.LevelledError)], proof.ScannedError, proof.At, proof.MaxError, proof.Rounding, proof.Objection, ErrorBoundDocument.Of(proof.WithinGap), ErrorBoundDocument.Of(proof.BeyondGap)),
            errors, proof.Evaluation, proof.OutOfRange);
    }
}

/// <summary>What <c>pann approx minimax:... --json</c> writes; errors are absolute.</summary>
internal sealed record FunctionRecord(
    string Spec, string Function, double Range, IReadOnlyList<int> Degrees, double Log2MaxError, int Depth, int Levels, int Multiplications, int ScalarMultiplications, int Additions,
    IReadOnlyList<StageRecord> Stages, CertificateRecord Certificate, IReadOnlyList<ErrorStatistics> Errors)
{
    public static FunctionRecord Of(MinimaxFunction function, IReadOnlyList<ErrorStatistics> errors)
    {
        StageCertificate proof = function.Certificate;
        return new(
            function.Spec, function.Target.Name, function.Target.Range, [function.Polynomial.Degree], Math.Log2(function.MaxError),
            function.Cost.Depth, function.Cost.Levels, function.Cost.NonScalarMultiplications, function.Cost.ScalarMultiplications, function.Cost.Additions,
            [StageRecord.Of(function.Polynomial, proof)], new(proof.Passed, !function.IsAtRounding, proof.ReferencePoints.Count, [proof.LevelledError], proof.ScannedError, proof.At, function.MaxError, proof.Rounding, function.IsAtRounding ? null : proof.Objection, null, null), errors);
    }
}

/// <summary>One stage.</summary>
/// <param name="Degree">Its degree.</param>
/// <param name="Parity">odd, even or none.</param>
/// <param name="Basis">chebyshev: T_(2k+1)(t/b) where odd, T_2k(t/b) where even, else T_k((t-c)/b), k from 0.</param>
/// <param name="HalfWidth">b.</param>
/// <param name="Centre">c.</param>
/// <param name="Interval">Where it was made to be good; the whole range where nothing is claimed.</param>
/// <param name="Points">Points of equioscillation.</param>
/// <param name="LevelledError">The error there.</param>
/// <param name="Coefficients">Of the basis, lowest degree first.</param>
internal sealed record StageRecord(
    int Degree, string Parity, string Basis, double HalfWidth, double Centre, IReadOnlyList<double> Interval, int Points, double? LevelledError, IReadOnlyList<double> Coefficients)
{
    public static StageRecord Of(Polynomial stage, StageCertificate? proof) => new(
        stage.Degree,
        stage.Parity.ToString().ToLowerInvariant(), "chebyshev",
        stage.HalfWidth, stage.Centre,
        proof is null ? [stage.Centre - stage.HalfWidth, stage.Centre + stage.HalfWidth] : [proof.Lo, proof.Hi],
        proof?.ReferencePoints.Count ?? 0, proof?.LevelledError, stage.Coefficients);
}

/// <summary>What is proved, in short; <c>--out</c> writes all of it.</summary>
/// <param name="Passed">Every claim is proved. False also of a function whose error is lost in the rounding of double, of which no claim is made but the bound.</param>
/// <param name="ClaimsMinimax">Each stage is said to be minimax.</param>
/// <param name="Points">Points of equioscillation of all stages.</param>
/// <param name="LevelledError">Of every stage.</param>
/// <param name="ScannedError">The largest error found on [-1, 1].</param>
/// <param name="At">Where.</param>
/// <param name="MaxError">The proved bound.</param>
/// <param name="Rounding">Proved bound of what evaluation in double adds.</param>
/// <param name="Objection">The first claim that is not proved, and why; null where all claims made are.</param>
/// <param name="WithinGap">Of a composite, the error for |t| up to the gap; null for the others.</param>
/// <param name="BeyondGap">Of a composite, the error for |t| from the gap to 1; null for the others.</param>
internal sealed record CertificateRecord(bool Passed, bool ClaimsMinimax, int Points, IReadOnlyList<double> LevelledError, double ScannedError, double At, double MaxError, double Rounding, string? Objection, ErrorBoundDocument? WithinGap, ErrorBoundDocument? BeyondGap);

/// <summary>What <c>pann approx --frontier --json</c> writes.</summary>
/// <param name="Densities">The densities of each row's errors, in order.</param>
/// <param name="Density">The one that decides.</param>
/// <param name="Rows">The polynomials.</param>
/// <param name="Pareto">The Pareto sets, as specs, cheapest first.</param>
/// <param name="BudgetLevels">The levels allowed.</param>
/// <param name="BudgetMultiplications">The multiplications of ciphertexts allowed.</param>
/// <param name="Recommended">The spec recommended for the budget; null without one.</param>
internal sealed record FrontierRecord(
    IReadOnlyList<string> Densities, string Density, IReadOnlyList<FrontierRowRecord> Rows, ParetoRecord Pareto, int? BudgetLevels, int? BudgetMultiplications, string? Recommended)
{
    public static FrontierRecord Of(Frontier frontier, int? levels, int? multiplications) => new(
        frontier.Densities, frontier.Density, [.. frontier.Rows.Select(FrontierRowRecord.Of)], ParetoRecord.Of(frontier), levels, multiplications,
        levels is null && multiplications is null ? null : frontier.Recommend(levels, multiplications)?.Spec);
}

/// <summary>One polynomial of a frontier; errors in units of the range B.</summary>
internal sealed record FrontierRowRecord(
    string Spec, IReadOnlyList<int> Degrees, double Log2MaxError, double ValueAtZero, IReadOnlyList<ErrorStatistics> Errors, int Levels, int LevelsFolded, int Depth, int Multiplications, int ScalarMultiplications)
{
    public static FrontierRowRecord Of(FrontierRow row) => new(
        row.Spec, row.Degrees, Math.Log2(row.MaxError), row.ValueAtZero, row.Errors, row.Cost.Levels, row.Folded.Levels, row.Cost.Depth, row.Cost.NonScalarMultiplications, row.Cost.ScalarMultiplications);
}

/// <summary>The Pareto sets.</summary>
internal sealed record ParetoRecord(IReadOnlyList<string> RmsByLevels, IReadOnlyList<string> RmsByMultiplications, IReadOnlyList<string> MaximumByLevels, IReadOnlyList<string> MaximumByMultiplications)
{
    public static ParetoRecord Of(Frontier frontier)
    {
        return new(
            Names(FrontierError.Rms, FrontierPrice.Levels), Names(FrontierError.Rms, FrontierPrice.Multiplications),
            Names(FrontierError.Maximum, FrontierPrice.Levels), Names(FrontierError.Maximum, FrontierPrice.Multiplications));

        string[] Names(FrontierError error, FrontierPrice price) => [.. frontier.Pareto(error, price).Select(row => row.Spec)];
    }
}
