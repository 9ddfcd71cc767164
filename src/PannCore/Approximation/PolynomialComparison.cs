using System.Globalization;
using System.Text.Json;

namespace PannCore.Approximation;

/// <summary>A polynomial file against what was recomputed from its coefficients, member by member.</summary>
/// <remarks>
/// On one machine the same code gives the same bits. Another one's sine may differ in the last place: samples move by 1e-16 and the figures by less than 1e-9 of themselves, which is
/// allowed; so a stated bound is never more than 1e-9 below the recomputed one. Peaks of one height may then change places: a place is right if the error found there is the one stated. What is not finite is near nothing but itself.
/// </remarks>
internal static class PolynomialComparison
{
    private const double Tolerance = 1e-9;
    private const string PlaceName = "at", ErrorName = "scannedError";

    public static IEnumerable<VerificationFinding> Of(ReluPolynomial polynomial, JsonElement stated, JsonElement recomputed)
        => Compare(polynomial, "", stated, recomputed);

    private static IEnumerable<VerificationFinding> Compare(ReluPolynomial polynomial, string where, JsonElement stated, JsonElement recomputed)
    {
        if (Number(stated) is double s && Number(recomputed) is double r)
            return s.Equals(r) || (double.IsFinite(s) && double.IsFinite(r) && Math.Abs(s - r) <= Tolerance * Math.Max(Math.Abs(s), Math.Abs(r))) ? [] : [Finding()];
        if (stated.ValueKind != recomputed.ValueKind) return [Finding()];
        return recomputed.ValueKind switch
        {
            JsonValueKind.Array when stated.GetArrayLength() != recomputed.GetArrayLength()
                => [new VerificationFinding(where, $"{stated.GetArrayLength()} entries", $"{recomputed.GetArrayLength()} entries")],
            JsonValueKind.Array => stated.EnumerateArray().Zip(recomputed.EnumerateArray()).SelectMany(
                (pair, i) => Compare(polynomial, FormattableString.Invariant($"{where}[{i}]"), pair.First, pair.Second)),
            JsonValueKind.Object => Members(polynomial, where, stated, recomputed),
            JsonValueKind.String when stated.GetString() != recomputed.GetString() => [Finding()],
            _ => [],
        };

        VerificationFinding Finding() => new(where, Shown(stated), Shown(recomputed));
    }

    private static IEnumerable<VerificationFinding> Members(ReluPolynomial polynomial, string where, JsonElement stated, JsonElement recomputed)
    {
        foreach (JsonProperty member in recomputed.EnumerateObject())
        {
            string path = where.Length == 0 ? member.Name : $"{where}.{member.Name}";
            if (!stated.TryGetProperty(member.Name, out JsonElement value))
            {
                if (member.Value.ValueKind != JsonValueKind.Null) yield return new(path, "nothing", Shown(member.Value));
                continue;
            }

            if (member.NameEquals(PlaceName) && Number(value) is double place && Number(recomputed.GetProperty(ErrorName)) is double error && double.IsFinite(error + polynomial.Certificate.Rounding))
            {
                (double lo, double hi, double there) = ErrorAt(polynomial, where, place);
                if (!(place >= lo && place <= hi && Math.Abs(there - error) <= (Tolerance * error) + (2 * polynomial.Certificate.Rounding)))
                    yield return new(path, FormattableString.Invariant($"{place}, where the error is {there}"), FormattableString.Invariant($"{member.Value.GetRawText()}, where it is {error}"));
                continue;
            }

            foreach (VerificationFinding finding in Compare(polynomial, path, value, member.Value)) yield return finding;
        }
    }

    /// <summary>The interval and the error of the polynomial, of a part of it, or of a stage, whichever <paramref name="where"/> names.</summary>
    private static (double Lo, double Hi, double Error) ErrorAt(ReluPolynomial polynomial, string where, double t)
    {
        const string stages = "certificate.stages[";
        Certificate certificate = polynomial.Certificate;
        if (where.StartsWith(stages, StringComparison.Ordinal))
        {
            int index = int.Parse(where.AsSpan(stages.Length).TrimEnd(']'), NumberStyles.None, CultureInfo.InvariantCulture);
            Polynomial stage = polynomial.Stages[index];
            return (certificate.Stages[index].Lo, certificate.Stages[index].Hi, Math.Abs(stage.Evaluate(t) - (stage.Parity == Parity.Odd ? 1 : t)));
        }

        ErrorBound? part = where.EndsWith("withinGap", StringComparison.Ordinal) ? certificate.WithinGap : where.EndsWith("beyondGap", StringComparison.Ordinal) ? certificate.BeyondGap : null;
        return (part?.Lo ?? certificate.Lo, part?.Hi ?? certificate.Hi, Math.Abs(polynomial.Evaluate(t) - (t > 0 ? t : polynomial.Leak * t)));
    }

    private static string Shown(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Null => "nothing",
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "a list",
        _ => element.GetRawText(),
    };

    /// <summary>A number, or a text that stands for one that is not finite.</summary>
    private static double? Number(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Number => element.GetDouble(),
        JsonValueKind.String => element.GetString() switch
        {
            "NaN" => double.NaN,
            "Infinity" => double.PositiveInfinity,
            "-Infinity" => double.NegativeInfinity,
            _ => null,
        },
        _ => null,
    };
}
