using System.Text.Json;
using System.Text.Json.Serialization;

namespace PannCore.Approximation;

/// <summary>What a polynomial file holds, in the order in which it is written: see <see cref="PolynomialFile"/>. Null: not in the file.</summary>
internal sealed record PolynomialDocument(
    string? Format, int? Version, string? Spec, string? Family, double? Leak, bool? ClaimsMinimax, IReadOnlyList<StageDocument>? Stages, string? Sha256, CertificateDocument? Certificate)
{
    public const string FormatName = "panncore-polynomial";
    public const int CurrentVersion = 1;
    public const string Basis = "chebyshev";

    public static PolynomialDocument Of(ReluPolynomial polynomial)
    {
        var stages = new StageDocument[polynomial.Stages.Count];
        for (int i = 0; i < stages.Length; i++)
        {
            Polynomial stage = polynomial.Stages[i];
            StageCertificate? claim = polynomial.ClaimsMinimax ? polynomial.Certificate.Stages[i] : null;
            double lo = claim?.Lo ?? -1, hi = claim?.Hi ?? 1;
            stages[i] = new(stage.Degree, Name(stage.Parity), Basis, [lo, hi], stage.Centre, stage.HalfWidth, stage.Coefficients, claim?.ReferencePoints ?? []);
        }

        string family = Name(polynomial.Family);
        return new(
            FormatName, CurrentVersion, polynomial.Spec, family, polynomial.Leak, polynomial.ClaimsMinimax, stages,
            PolynomialDigest.Of(polynomial.Spec, family, polynomial.Leak, polynomial.ClaimsMinimax, stages), CertificateDocument.Of(polynomial.Certificate));
    }

    public static string Name<T>(T value) where T : struct, Enum => value.ToString().ToLowerInvariant();
}

/// <summary>One stage: its Chebyshev series on [centre - halfWidth, centre + halfWidth], and the interval on which it is said to be minimax with the points that show it.</summary>
internal sealed record StageDocument(
    int? Degree, string? Parity, string? Basis, IReadOnlyList<double>? Interval, double? Centre, double? HalfWidth, IReadOnlyList<double>? Coefficients, IReadOnlyList<double>? ReferencePoints);

/// <summary>The certificate, all of it recomputed by whoever reads the file.</summary>
internal sealed record CertificateDocument(
    bool Passed, string? Objection, IReadOnlyList<double> Interval, double MaxError, double ScannedError, double At, double ValueAtZero, double Rounding,
    ErrorBoundDocument? WithinGap, ErrorBoundDocument? BeyondGap, IReadOnlyList<StageCertificateDocument> Stages, EvaluationErrors Evaluation, OutOfRange OutOfRange)
{
    public static CertificateDocument Of(Certificate certificate)
        => new(
            certificate.Passed, certificate.Objection, [certificate.Lo, certificate.Hi], certificate.MaxError, certificate.ScannedError, certificate.At, certificate.ValueAtZero, certificate.Rounding,
            ErrorBoundDocument.Of(certificate.WithinGap), ErrorBoundDocument.Of(certificate.BeyondGap),
            [.. certificate.Stages.Select(stage => new StageCertificateDocument(stage.LevelledError, stage.ScannedError, stage.At, stage.ProvedError, stage.Rounding, stage.Passed, stage.IsAtRounding))],
            certificate.Evaluation, certificate.OutOfRange);
}

/// <summary>The error on one part of the interval.</summary>
internal sealed record ErrorBoundDocument(IReadOnlyList<double> Interval, double MaxError, double ScannedError, double At)
{
    public static ErrorBoundDocument? Of(ErrorBound? bound) => bound is null ? null : new([bound.Lo, bound.Hi], bound.Bound, bound.Found, bound.At);
}

/// <summary>The proof of one stage; its interval and reference points stand with the stage.</summary>
internal sealed record StageCertificateDocument(double LevelledError, double ScannedError, double At, double ProvedError, double Rounding, bool Passed, bool AtRounding);

/// <summary>The JSON of a polynomial file: camelCase, non-finite numbers as "NaN", "Infinity", "-Infinity", nothing unknown and nothing twice.</summary>
internal static class PolynomialJson
{
    public static JsonSerializerOptions Options { get; } = new JsonSerializerOptions
    {
        WriteIndented = true,
        NewLine = "\n",
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        AllowDuplicateProperties = false,
        Converters = { new JsonStringEnumConverter() },
    }.Fixed();
}
