using System.Buffers;
using System.Globalization;
using System.Text.Json;

namespace PannCore.Approximation;

/// <summary>A ReLU polynomial and its certificate as a JSON file.</summary>
/// <remarks>
/// <para>
/// Version 1: <c>format</c> "panncore-polynomial", <c>version</c>, <c>spec</c>, <c>family</c> (composite, direct or series: <see cref="ReluFamily"/>), <c>leak</c>, <c>claimsMinimax</c>,
/// <c>stages</c> [<c>degree, parity</c> (odd, even, none), <c>basis</c> "chebyshev", <c>interval</c> [lo, hi] on which it is minimax, <c>centre, halfWidth</c> of the basis,
/// <c>coefficients</c> lowest degree first, as in <see cref="Polynomial"/>, <c>referencePoints</c>], <c>sha256</c> of all this, <c>certificate</c>: the figures of <see cref="Certificate"/>.
/// Numbers have as many digits as give the same double back; "NaN", "Infinity" and "-Infinity" are texts.
/// </para>
/// <para>
/// A reader believes the coefficients, the intervals and where the reference points are, and computes the certificate anew; <see cref="Verify"/> compares it with the one stated. It also believes
/// the name, <c>spec</c>, of a polynomial of the form that the name generates; whether it is the very polynomial, <see cref="Verify"/> finds out.
/// </para>
/// </remarks>
public static class PolynomialFile
{
    /// <summary>The largest file that is read: the largest polynomial needs a tenth of it.</summary>
    public const int MostBytes = 1 << 17;

    private const int MostStages = 16;
    private const string SpecForSeries = "series:", SpecForFiles = "file:";

    private static readonly SearchValues<char> Invisible = SearchValues.Create([.. Enumerable.Range(0, char.MaxValue + 1).Select(c => (char)c).Where(
        c => char.GetUnicodeCategory(c) is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator)]);

    /// <summary>Writes the file, whole or not at all.</summary>
    /// <exception cref="BadInputException">It cannot be written.</exception>
    public static void Write(string path, ReluPolynomial polynomial)
    {
        ArgumentNullException.ThrowIfNull(polynomial);
        byte[] bytes = JsonSerializer.SerializeToUtf8Bytes(PolynomialDocument.Of(polynomial), PolynomialJson.Options);
        AtomicFile.Write(path, stream =>
        {
            stream.Write(bytes);
            stream.WriteByte((byte)'\n');
        });
    }

    /// <summary>Reads the polynomial; its certificate is computed from the coefficients, whatever the file says of them. A file from elsewhere may lack <c>sha256</c> and <c>certificate</c>.</summary>
    /// <exception cref="BadInputException">
    /// There is no such file, it does not hold a polynomial, its data are not those of its digest, or its spec names none of its form; the message names file, place, expected and found.
    /// </exception>
    public static ReluPolynomial Read(string path)
    {
        PolynomialDocument document = Parse(path, InputFile.Read(path, path, MostBytes));
        ReluPolynomial polynomial = Rebuild(path, document);
        string digest = PolynomialDigest.Of(document.Spec!, document.Family!, document.Leak!.Value, document.ClaimsMinimax!.Value, document.Stages!);
        if (document.Sha256 is not null && document.Sha256 != digest) throw BadInputException.At(path, "sha256", digest, document.Sha256);

        // Whoever uses the polynomial prints its name.
        List<VerificationFinding> findings = [];
        Named(polynomial, findings);
        return findings.Count == 0 ? polynomial : throw BadInputException.At(
            path, "spec", $"{NameFor(polynomial)} or one that generates {Described(polynomial.Family, polynomial.Degrees, polynomial.Leak)}, {(polynomial.ClaimsMinimax ? "" : "not ")}minimax", polynomial.Spec);
    }

    /// <summary>Recomputes everything a file states and compares.</summary>
    /// <param name="path">The file.</param>
    /// <param name="cancellation">Ends the search that its spec may ask for.</param>
    /// <exception cref="BadInputException">As for <see cref="Read"/>: it does not even hold a polynomial.</exception>
    /// <exception cref="OperationCanceledException">It was ended.</exception>
    public static PolynomialVerification Verify(string path, CancellationToken cancellation = default)
    {
        byte[] bytes = InputFile.Read(path, path, MostBytes);
        PolynomialDocument stated = Parse(path, bytes);
        ReluPolynomial polynomial = Rebuild(path, stated);
        List<VerificationFinding> findings = [];
        if (polynomial is { ClaimsMinimax: true, Certificate.Objection: string objection })
            findings.Add(new("certificate", "minimax", objection));
        bool generated = CompareWithSpec(polynomial, findings, cancellation);

        PolynomialDocument recomputed = PolynomialDocument.Of(polynomial);
        using var file = JsonDocument.Parse(bytes);
        findings.AddRange(PolynomialComparison.Of(polynomial, file.RootElement, JsonSerializer.SerializeToElement(recomputed, PolynomialJson.Options)));
        return new PolynomialVerification(path, polynomial, generated, findings);
    }

    private static PolynomialDocument Parse(string path, byte[] bytes)
    {
        try
        {
            using var document = JsonDocument.Parse(bytes);
            // Before the rest, whose form belongs to the version.
            JsonElement root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object) throw BadInputException.At(path, "byte 0", "an object", Kind(root));
            Require("format", PolynomialDocument.FormatName, Property("format"));
            Require("version", FormattableString.Invariant($"{PolynomialDocument.CurrentVersion}"), Property("version"));

            return JsonSerializer.Deserialize<PolynomialDocument>(bytes, PolynomialJson.Options)!;

            string Property(string name) => root.TryGetProperty(name, out JsonElement value) ? value.ToString() : "nothing";
        }
        catch (JsonException e)
        {
            string place = string.IsNullOrEmpty(e.Path) || e.Path == "$" ? FormattableString.Invariant($"line {e.LineNumber + 1}") : e.Path.TrimStart('$', '.');
            throw new BadInputException($"{path}: at {place}: not a {PolynomialDocument.FormatName} of version {PolynomialDocument.CurrentVersion}: {InputFile.FirstSentence(e)}", e);
        }
        catch (InvalidOperationException e)
        {
            throw new BadInputException($"{path}: not a {PolynomialDocument.FormatName} of version {PolynomialDocument.CurrentVersion}: a text is half of a surrogate pair", e);
        }

        void Require(string where, string expected, string found)
        {
            if (found != expected) throw BadInputException.At(path, where, expected, found);
        }
    }

    private static ReluPolynomial Rebuild(string path, PolynomialDocument document)
    {
        string spec = document.Spec ?? throw Bad("spec", "a text", "nothing");
        // It is printed.
        int invisible = spec.AsSpan().IndexOfAny(Invisible);
        if (invisible >= 0) throw Bad("spec", "characters that can be seen", FormattableString.Invariant($"U+{(int)spec[invisible]:X4}"));
        ReluFamily family = Enumerate<ReluFamily>("family", document.Family);
        double leak = document.Leak is double slope && ActivationSpec.IsSlope(slope) ? slope : throw Bad("leak", "a number from 0 to below 1 in float32", Shown(document.Leak));
        bool claims = document.ClaimsMinimax ?? throw Bad("claimsMinimax", "true or false", "nothing");
        IReadOnlyList<StageDocument> stages = document.Stages ?? throw Bad("stages", "a list", "nothing");
        int most = family == ReluFamily.Composite ? MostStages : 1;
        if (stages.Count == 0 || stages.Count > most) throw Bad("stages", most == 1 ? "1 stage" : $"1 to {most} stages", Shown(stages.Count));
        if (claims && family == ReluFamily.Series) throw Bad("claimsMinimax", "false for a series", "true");

        var polynomials = new Polynomial[stages.Count];
        var claimed = new StageClaim[stages.Count];
        long product = 1;
        for (int i = 0; i < polynomials.Length; i++)
        {
            string at = FormattableString.Invariant($"stages[{i}]");
            StageDocument stage = stages[i] ?? throw Bad(at, "a stage", "null");
            polynomials[i] = Stage(at, stage, family);
            claimed[i] = Claim(at, stage, polynomials[i], first: i == 0);
            product *= polynomials[i].Degree;
            if (family == ReluFamily.Composite && product > ReluPolynomial.LargestDegreeProduct)
                throw Bad("stages", $"degrees with a product of at most {ReluPolynomial.LargestDegreeProduct}", FormattableString.Invariant($"more at stage {i + 1}"));
        }

        return ReluPolynomial.Of(family, leak, polynomials, claims ? claimed : [], spec);

        Polynomial Stage(string at, StageDocument stage, ReluFamily inFamily)
        {
            Parity parity = Enumerate<Parity>($"{at}.parity", stage.Parity);
            Parity expected = inFamily switch { ReluFamily.Composite => Parity.Odd, ReluFamily.Direct => Parity.Even, _ => Parity.None };
            if (parity != expected) throw Bad($"{at}.parity", PolynomialDocument.Name(expected), stage.Parity!);
            if (stage.Basis != PolynomialDocument.Basis) throw Bad($"{at}.basis", PolynomialDocument.Basis, stage.Basis ?? "nothing");
            int largest = parity switch { Parity.Odd => Remez.LargestSignDegree, _ => Remez.LargestAbsoluteValueDegree };
            int mostCoefficients = parity == Parity.None ? largest + 1 : (largest / 2) + 1;
            int count = stage.Coefficients?.Count ?? throw Bad($"{at}.coefficients", "a list of numbers", "nothing");
            if (count == 0 || count > mostCoefficients) throw Bad($"{at}.coefficients", $"1 to {mostCoefficients} numbers", Shown(count));
            int degree = parity == Parity.None ? count - 1 : (2 * (count - 1)) + (parity == Parity.Odd ? 1 : 0);
            if (stage.Degree != degree) throw Bad($"{at}.degree", FormattableString.Invariant($"{degree}, from {count} coefficients"), Shown(stage.Degree));
            for (int k = 0; k < count; k++)
            {
                if (!double.IsFinite(stage.Coefficients[k])) throw Bad(FormattableString.Invariant($"{at}.coefficients[{k}]"), "a finite number", Shown(stage.Coefficients[k]));
            }

            double halfWidth = stage.HalfWidth is double width && Polynomial.IsHalfWidth(width) ? width : throw Bad($"{at}.halfWidth", Polynomial.HalfWidthForm, Shown(stage.HalfWidth));
            if (parity == Parity.None && halfWidth != 1) throw Bad($"{at}.halfWidth", "1 for a series", Shown(halfWidth));
            if (stage.Centre != 0) throw Bad($"{at}.centre", "0", Shown(stage.Centre));
            return new Polynomial(parity, halfWidth, [.. stage.Coefficients]);
        }

        StageClaim Claim(string at, StageDocument stage, Polynomial polynomial, bool first)
        {
            if (stage.Interval is not [double lo, double hi] || !(lo < hi && double.IsFinite(lo) && double.IsFinite(hi)))
                throw Bad($"{at}.interval", "two ascending finite numbers", stage.Interval is null ? "nothing" : Listed(stage.Interval));
            // An odd stage is claimed against sgn beyond a gap, an even one against |t| from 0.
            if (claims && !(polynomial.Parity == Parity.Odd ? lo > 0 : lo == 0 && hi == 1))
                throw Bad($"{at}.interval", polynomial.Parity == Parity.Odd ? "a left end above 0" : "[0, 1]", Listed(stage.Interval));
            if (claims && first && polynomial.Parity == Parity.Odd && hi != 1)
                throw Bad($"{at}.interval", "a right end of 1", Listed(stage.Interval));
            IReadOnlyList<double> points = stage.ReferencePoints ?? throw Bad($"{at}.referencePoints", "a list of numbers", "nothing");
            int expected = claims ? polynomial.Coefficients.Count + 1 : 0;
            if (points.Count != expected) throw Bad($"{at}.referencePoints", FormattableString.Invariant($"{expected} numbers"), Shown(points.Count));
            for (int j = 0; j < points.Count; j++)
            {
                if (!(points[j] >= lo && points[j] <= hi && (j == 0 || points[j] > points[j - 1])))
                    throw Bad(FormattableString.Invariant($"{at}.referencePoints[{j}]"), FormattableString.Invariant($"ascending numbers in [{lo}, {hi}]"), Shown(points[j]));
            }

            return new(lo, hi, points);
        }

        T Enumerate<T>(string where, string? found) where T : struct, Enum
        {
            foreach (T value in Enum.GetValues<T>())
            {
                if (PolynomialDocument.Name(value) == found) return value;
            }

            throw Bad(where, string.Join(" or ", Enum.GetValues<T>().Select(PolynomialDocument.Name)), found ?? "nothing");
        }

        BadInputException Bad(string where, string expected, string found) => BadInputException.At(path, where, expected, found);
    }

    /// <summary>
    /// A spec that generates a polynomial must generate this one: family, degrees, leak and claim, and half-widths, intervals and coefficients to 1e-8 of the largest, which is how far the tuned
    /// gap of another machine may lead. With a measured density, whose histogram is a file that need not be there, only what does not depend on it is compared.
    /// </summary>
    /// <returns>Whether the polynomial was generated and compared.</returns>
    private static bool CompareWithSpec(ReluPolynomial polynomial, List<VerificationFinding> findings, CancellationToken cancellation)
    {
        string text = polynomial.Spec;
        if (Named(polynomial, findings) is not ActivationSpec spec) return false;
        if (IsMeasured(spec))
        {
            Compare("stages[0].halfWidth", polynomial.Stages[0].HalfWidth, 1, 1);
            return false;
        }

        try
        {
            ReluPolynomial generated = spec.Build(cancellation);
            if (!CompareForm(polynomial, generated.Family, generated.Leak, generated.Degrees, generated.ClaimsMinimax, findings)) return true;
            for (int i = 0; i < polynomial.Stages.Count; i++)
            {
                string at = FormattableString.Invariant($"stages[{i}]");
                (Polynomial here, Polynomial there) = (polynomial.Stages[i], generated.Stages[i]);
                Compare($"{at}.halfWidth", here.HalfWidth, there.HalfWidth, there.HalfWidth);
                if (generated.ClaimsMinimax)
                {
                    (StageCertificate claim, StageCertificate own) = (polynomial.Certificate.Stages[i], generated.Certificate.Stages[i]);
                    Compare($"{at}.interval[0]", claim.Lo, own.Lo, own.Lo);
                    Compare($"{at}.interval[1]", claim.Hi, own.Hi, own.Hi);
                }

                double largest = there.Coefficients.Max(Math.Abs);
                for (int k = 0; k < here.Coefficients.Count; k++)
                {
                    if (!Compare(FormattableString.Invariant($"{at}.coefficients[{k}]"), here.Coefficients[k], there.Coefficients[k], largest)) break;
                }
            }

            return true;
        }
        catch (Exception e) when (e is BadInputException or RemezConvergenceException)
        {
            findings.Add(Nothing(text, e));
            return false;
        }

        bool Compare(string where, double here, double there, double size)
        {
            const double tolerance = 1e-8;
            if (Math.Abs(here - there) <= tolerance * size) return true;
            findings.Add(new(where, Shown(here), $"{Shown(there)} by spec {text}"));
            return false;
        }
    }

    /// <summary>What the spec names, if that has the form of this polynomial as far as it can be told without generating: the degrees of a search are not known before.</summary>
    /// <returns>Null, with a finding, where it has not, and for a polynomial from outside, whose only name is its degree.</returns>
    private static ActivationSpec? Named(ReluPolynomial polynomial, List<VerificationFinding> findings)
    {
        string text = polynomial.Spec;
        if (text.StartsWith(SpecForSeries, StringComparison.Ordinal))
        {
            if (text != NameFor(polynomial)) findings.Add(new("spec", text, NameFor(polynomial)));
            return null;
        }

        try
        {
            // A file that names a file would be believed for what stands in the other.
            if (text.StartsWith(SpecForFiles, StringComparison.Ordinal)) throw new BadInputException($"activation '{text}': a file");
            var spec = ActivationSpec.Parse(text);
            if (!spec.IsPolynomial) throw new BadInputException($"activation '{text}': not a polynomial, nothing to generate");
            (ReluFamily family, bool claims) = spec.Kind switch
            {
                ActivationKind.Composite => (ReluFamily.Composite, true),
                ActivationKind.Direct => (ReluFamily.Direct, spec.Density is null && !spec.VanishesAtZero),
                ActivationKind.Square => (ReluFamily.Series, false),
                ActivationKind.LeastSquares when IsMeasured(spec) => (ReluFamily.Series, false),
                _ => (ReluFamily.Direct, false),
            };
            return CompareForm(polynomial, family, spec.Leak, spec.Goal is null ? spec.Degrees : null, claims, findings) ? spec : null;
        }
        catch (BadInputException e)
        {
            findings.Add(Nothing(text, e));
            return null;
        }
    }

    /// <summary>The name of a polynomial from outside.</summary>
    private static string NameFor(ReluPolynomial polynomial) => FormattableString.Invariant($"{SpecForSeries}{polynomial.Degree}");

    private static bool IsMeasured(ActivationSpec spec) => spec.Density is string density && SpecText.Real(density) is null;

    private static VerificationFinding Nothing(string text, Exception e) => new("spec", text, $"generates nothing: {e.Message}");

    private static bool CompareForm(ReluPolynomial polynomial, ReluFamily family, double leak, IReadOnlyList<int>? degrees, bool claims, List<VerificationFinding> findings)
    {
        if (family != polynomial.Family || leak != polynomial.Leak || (degrees is not null && !degrees.SequenceEqual(polynomial.Degrees)))
        {
            findings.Add(new("spec", polynomial.Spec, $"generates {Described(family, degrees, leak)}, the file holds {Described(polynomial.Family, polynomial.Degrees, polynomial.Leak)}"));
            return false;
        }

        if (claims == polynomial.ClaimsMinimax) return true;
        findings.Add(new("claimsMinimax", polynomial.ClaimsMinimax ? "true" : "false", $"{(claims ? "true" : "false")} by spec {polynomial.Spec}"));
        return false;
    }

    private static string Described(ReluFamily family, IReadOnlyList<int>? degrees, double leak)
        => FormattableString.Invariant($"{PolynomialDocument.Name(family)} {(degrees is null ? "" : Listed(degrees) + " ")}with leak {leak}");

    private static string Listed<T>(IEnumerable<T> values) => "[" + string.Join(", ", values.Select(value => FormattableString.Invariant($"{value}"))) + "]";

    private static string Shown<T>(T value) => value is null ? "nothing" : FormattableString.Invariant($"{value}");

    private static string Kind(JsonElement element) => element.ValueKind.ToString().ToLowerInvariant();
}
