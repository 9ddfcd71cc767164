using System.Globalization;
using System.Text.Json.Nodes;
using PannCore.Approximation;
using PannCore.Tests.Checkpoints;
using Xunit;

namespace PannCore.Tests.Approximation;

public sealed class PolynomialFileTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    public static TheoryData<string> Specs() => new(
        "composite:alpha=4", "composite:alpha=9,leak=0.1", "composite:alpha=14", "composite:15,31", "composite:13,15", "composite:3,9", "composite:3,37,63", "composite:15,15,gap=0.004", "composite:alpha=8,min=depth", "direct:2", "direct:64,leak=0.25", "direct:256",
        "direct:16,zero", "direct:16,unbiased=16", "taylor:8", "lsq:8", "lsq:8,density=16,leak=0.1", "chebyshev:16", "interpolation:16", "hermite:8", "square", "square,leak=0.1", "quadratic");

    [Theory]
    [MemberData(nameof(Specs))]
    public void A_polynomial_comes_back_bit_by_bit(string spec)
    {
        ReluPolynomial written = ActivationSpec.Parse(spec).Build();
        string path = Written(written);
        ReluPolynomial read = PolynomialFile.Read(path);
        Assert.Equal((written.Spec, written.Family, written.ClaimsMinimax), (read.Spec, read.Family, read.ClaimsMinimax));
        Assert.Equal(Bits([written.Leak, written.MaxError, written.Certificate.ScannedError, written.Certificate.Rounding]), Bits([read.Leak, read.MaxError, read.Certificate.ScannedError, read.Certificate.Rounding]));
        Assert.Equal(written.Stages.Count, read.Stages.Count);
        for (int i = 0; i < read.Stages.Count; i++)
        {
            (Polynomial before, Polynomial after) = (written.Stages[i], read.Stages[i]);
            Assert.Equal((before.Parity, before.HalfWidth, before.Centre), (after.Parity, after.HalfWidth, after.Centre));
            Assert.Equal(Bits(before.Coefficients), Bits(after.Coefficients));
        }

        Assert.Equal(Bits(written.Certificate.Stages.SelectMany(stage => stage.ReferencePoints)), Bits(read.Certificate.Stages.SelectMany(stage => stage.ReferencePoints)));

        Assert.Empty(PolynomialFile.Verify(path).Findings);
        Assert.Equal(File.ReadAllBytes(path), File.ReadAllBytes(Written(read, "again.json")));
        Assert.Equal(["again.json", "p.json"], _folder.FileNames); // and nothing temporary
    }

    [Fact]
    public void Extreme_coefficients_come_back_bit_by_bit()
    {
        double[] c = [0.1, -0.0, double.Epsilon, 1.0 / 3, 1e-300, BitConverter.Int64BitsToDouble(0x3FEFFFFFFFFFFFFF)];
        var series = ReluPolynomial.Of(ReluFamily.Series, 0, [new Polynomial(Parity.None, 1, c)], [], "series:5");
        string path = Written(series);
        Assert.Equal(Bits(c), Bits(PolynomialFile.Read(path).Stages[0].Coefficients));
        PolynomialVerification verification = PolynomialFile.Verify(path);
        Assert.Empty(verification.Findings);
        Assert.False(verification.Polynomial.ClaimsMinimax);
    }

    [Fact]
    public void Numbers_are_written_alike_in_every_culture()
    {
        ReluPolynomial r = ActivationSpec.Parse("composite:alpha=7,leak=0.1").Build();
        byte[] here = File.ReadAllBytes(Written(r));
        CultureInfo before = CultureInfo.CurrentCulture;
        try
        {
            CultureInfo.CurrentCulture = new CultureInfo("de-DE");
            string path = Written(r);
            Assert.Equal(here, File.ReadAllBytes(path));
            Assert.True(PolynomialFile.Verify(path).Passed);
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    [Fact]
    public void Numbers_that_are_not_finite_are_texts()
    {
        // 5 % outside, alpha 13 is Infinity - Infinity.
        string path = Written(ActivationSpec.Parse("composite:alpha=13").Build());
        JsonNode sample = Json(path)["certificate"]!["outOfRange"]!["samples"]![5]!;
        Assert.Equal("NaN", (string?)sample["value"]);
        Assert.True(PolynomialFile.Verify(path).Passed);
    }

    [Fact]
    public void The_schema_is_the_documented_one()
    {
        JsonNode root = Json(Written(ActivationSpec.Parse("composite:alpha=7").Build()));
        Assert.Equal(["format", "version", "spec", "family", "leak", "claimsMinimax", "stages", "sha256", "certificate"], Names(root));
        Assert.Equal(("panncore-polynomial", 1, "composite:alpha=7", "composite"), ((string?)root["format"], (int?)root["version"], (string?)root["spec"], (string?)root["family"]));
        Assert.Equal(["degree", "parity", "basis", "interval", "centre", "halfWidth", "coefficients", "referencePoints"], Names(root["stages"]![1]!));
        Assert.Equal((7, "odd", "chebyshev"), ((int?)root["stages"]![1]!["degree"], (string?)root["stages"]![1]!["parity"], (string?)root["stages"]![1]!["basis"]));
        Assert.Equal(
            ["passed", "objection", "interval", "maxError", "scannedError", "at", "valueAtZero", "rounding", "withinGap", "beyondGap", "stages", "evaluation", "outOfRange"], Names(root["certificate"]!));
        Assert.Equal("nearest", (string?)root["certificate"]!["evaluation"]!["fixedPoint"]![0]!["rounding"]);

        static IEnumerable<string> Names(JsonNode node) => node.AsObject().Select(member => member.Key);
    }

    // Place, what is put there (a factor on the number, or a text), and where the verification must see it.
    [Theory]
    [InlineData("stages[0].coefficients[1]", 1 + 1e-6, "certificate")]
    [InlineData("stages[1].coefficients[0]", 1 + 1e-3, "certificate")]
    [InlineData("stages[1].coefficients[3]", -1, "certificate")]
    [InlineData("stages[0].interval[0]", 0.9, "certificate")]
    [InlineData("stages[1].interval[1]", 1.01, "certificate.stages[1].provedError")]
    [InlineData("stages[0].referencePoints[3]", 1.02, "certificate.stages[0].levelledError")]
    [InlineData("stages[1].halfWidth", 1 + 1e-6, "certificate")]
    [InlineData("leak", 1 + 1e-6, "spec")]
    [InlineData("certificate.maxError", 1 - 1e-6, "certificate.maxError")]
    [InlineData("certificate.maxError", 1 + 1e-6, "certificate.maxError")]
    [InlineData("certificate.scannedError", 0.999, "certificate.scannedError")]
    [InlineData("certificate.at", 0.9, "certificate.at")]
    [InlineData("certificate.rounding", 0.5, "certificate.rounding")]
    [InlineData("certificate.interval[1]", 1.01, "certificate.interval[1]")]
    [InlineData("certificate.withinGap.maxError", 0.99, "certificate.withinGap.maxError")]
    [InlineData("certificate.withinGap.at", 1.3, "certificate.withinGap.at")]
    [InlineData("certificate.beyondGap.interval[0]", 0.99, "certificate.beyondGap.interval[0]")]
    [InlineData("certificate.stages[1].levelledError", 1.001, "certificate.stages[1].levelledError")]
    [InlineData("certificate.stages[0].provedError", 0.999, "certificate.stages[0].provedError")]
    [InlineData("certificate.stages[0].at", 1.1, "certificate.stages[0].at")]
    [InlineData("certificate.evaluation.float32.found", 0.5, "certificate.evaluation.float32.found")]
    [InlineData("certificate.evaluation.fixedPoint[2].bound", 0.5, "certificate.evaluation.fixedPoint[2].bound")]
    [InlineData("certificate.outOfRange.samples[4].value", 1.01, "certificate.outOfRange.samples[4].value")]
    [InlineData("certificate.outOfRange.cliffAbove", 1.01, "certificate.outOfRange.cliffAbove")]
    public void A_number_that_was_changed_is_seen(string place, double factor, string where)
    {
        string path = Written(ActivationSpec.Parse("composite:alpha=7,leak=0.1").Build());
        Change(path, place, node => (double)node! * factor);
        PolynomialVerification verification = PolynomialFile.Verify(path);
        Assert.False(verification.Passed);
        Assert.Contains(verification.Findings, finding => finding.Where.StartsWith(where, StringComparison.Ordinal));

        // A digest made to fit does not help.
        Resign(path);
        verification = PolynomialFile.Verify(path);
        Assert.DoesNotContain(verification.Findings, finding => finding.Where == "sha256");
        Assert.Contains(verification.Findings, finding => finding.Where.StartsWith(where, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("certificate.maxError", "1e-9")]
    [InlineData("certificate.rounding", "1e-9")]
    [InlineData("certificate.at", "0.5")]
    public void A_finite_figure_in_the_place_of_one_that_is_not_is_seen(string place, string json)
    {
        // Two stages of 1e200 T_3: of order 1e800 between 0 and 1.
        Polynomial huge = new(Parity.Odd, 1, [0, 1e200]);
        string path = Written(ReluPolynomial.Of(ReluFamily.Composite, 0, [huge, huge], [], "series:10"));
        Assert.Equal(("Infinity", "Infinity"), ((string?)Json(path)["certificate"]!["maxError"], (string?)Json(path)["certificate"]!["rounding"]));
        Assert.Empty(PolynomialFile.Verify(path).Findings);
        Change(path, place, _ => JsonNode.Parse(json));
        Assert.Equal([place], PolynomialFile.Verify(path).Findings.Select(finding => finding.Where));
    }

    [Theory]
    [InlineData("certificate.maxError", "\"Infinity\"")]
    [InlineData("certificate.scannedError", "\"-Infinity\"")]
    [InlineData("certificate.rounding", "\"NaN\"")]
    public void A_figure_that_is_not_finite_in_the_place_of_one_that_is_is_seen(string place, string json)
    {
        string path = Written(ActivationSpec.Parse("composite:alpha=7").Build());
        Change(path, place, _ => JsonNode.Parse(json));
        Assert.Equal([place], PolynomialFile.Verify(path).Findings.Select(finding => finding.Where));
    }

    [Fact]
    public void The_last_bit_of_a_coefficient_is_seen()
    {
        string path = Written(ActivationSpec.Parse("composite:alpha=9").Build());
        Change(path, "stages[1].coefficients[3]", node => Math.BitIncrement((double)node!));
        Assert.Contains(PolynomialFile.Verify(path).Findings, finding => finding.Where == "sha256");
    }

    [Theory]
    [InlineData("certificate.passed", "false")]
    [InlineData("certificate.objection", "\"none\"")]
    [InlineData("certificate.outOfRange.cliffBelow", "null")]
    [InlineData("certificate.withinGap", "null")]
    [InlineData("certificate.evaluation.fixedPoint[0].rounding", "\"truncate\"")]
    public void Whatever_else_was_changed_is_seen(string place, string json)
    {
        string path = Written(ActivationSpec.Parse("composite:alpha=7").Build());
        Change(path, place, _ => JsonNode.Parse(json));
        Assert.Equal([place], PolynomialFile.Verify(path).Findings.Select(finding => finding.Where));
    }

    [Fact]
    public void A_member_that_is_missing_from_the_certificate_is_seen()
    {
        string path = Written(ActivationSpec.Parse("direct:8").Build());
        JsonNode root = Json(path);
        root["certificate"]!.AsObject().Remove("maxError");
        File.WriteAllText(path, root.ToJsonString());
        VerificationFinding finding = Assert.Single(PolynomialFile.Verify(path).Findings);
        Assert.Equal(("certificate.maxError", "nothing"), (finding.Where, finding.Stated));
    }

    /// <summary>Whoever wrote the file chose how long its spec keeps us.</summary>
    [Fact]
    public void The_search_that_a_spec_asks_for_can_be_ended()
    {
        string path = Written(Renamed(ActivationSpec.Parse("composite:alpha=9").Build(), "composite:alpha=15,min=mults"));
        Assert.ThrowsAny<OperationCanceledException>(() => PolynomialFile.Verify(path, new(canceled: true)));
    }

    [Fact]
    public void A_polynomial_under_the_name_of_another_is_seen()
    {
        ReluPolynomial nine = ActivationSpec.Parse("composite:alpha=9").Build(), other = Named(Remez.Sign(15, 0.03, 1), "composite:15,15");
        IReadOnlyList<VerificationFinding> findings = PolynomialFile.Verify(Written(other)).Findings;
        Assert.Equal(
            ["stages[0].interval[0]", "stages[0].coefficients[0]", "stages[1].halfWidth", "stages[1].interval[0]", "stages[1].interval[1]", "stages[1].coefficients[0]"], findings.Select(found => found.Where));
        Assert.All(findings, found => Assert.EndsWith(" by spec composite:15,15", found.Recomputed, StringComparison.Ordinal));

        VerificationFinding finding = Assert.Single(PolynomialFile.Verify(Written(Renamed(nine, "composite:7,7"))).Findings);
        Assert.Equal(new VerificationFinding("spec", "composite:7,7", "generates composite [7, 7] with leak 0, the file holds composite [15, 15] with leak 0"), finding);

        finding = Assert.Single(PolynomialFile.Verify(Written(Renamed(nine, "file:p.json"))).Findings);
        Assert.Equal(new VerificationFinding("spec", "file:p.json", "generates nothing: activation 'file:p.json': a file"), finding);

        static ReluPolynomial Named(RemezResult first, string spec)
        {
            RemezResult second = Remez.Sign(15, 1 - first.LevelledError, 1 + first.LevelledError);
            return ReluPolynomial.Of(
                ReluFamily.Composite, 0, [first.Polynomial, second.Polynomial], [new(first.Lo, first.Hi, first.ReferencePoints), new(second.Lo, second.Hi, second.ReferencePoints)], spec);
        }
    }

    public static TheoryData<string, string> Doctored() => new()
    {
        { "half-width", "stages[1].halfWidth" }, { "half-width without claim", "claimsMinimax" }, { "no claim", "claimsMinimax" }, { "direct half-width", "claimsMinimax" },
        { "chebyshev half-width", "stages[0].halfWidth" }, { "gap", "stages[0].interval[0]" },
    };

    [Theory]
    [MemberData(nameof(Doctored))]
    public void Other_polynomials_with_the_right_coefficients_digest_and_certificate_are_seen(string what, string where)
    {
        ReluPolynomial nine = ActivationSpec.Parse("composite:alpha=9").Build(), eight = ReluPolynomial.Direct(8), chebyshev = ActivationSpec.Parse("chebyshev:16").Build();
        StageClaim[] claims = [.. nine.Certificate.Stages.Select(stage => new StageClaim(stage.Lo, stage.Hi, stage.ReferencePoints))];
        Polynomial second = nine.Stages[1];
        ReluPolynomial other = what switch
        {
            // The claim holds for 1e-5 more as well: to 0.2 %.
            "half-width" => ReluPolynomial.Of(ReluFamily.Composite, 0, [nine.Stages[0], new(Parity.Odd, second.HalfWidth * (1 + 1e-6), [.. second.Coefficients])], claims, nine.Spec),
            "half-width without claim" => ReluPolynomial.Of(ReluFamily.Composite, 0, [nine.Stages[0], new(Parity.Odd, 0.9, [.. second.Coefficients])], [], nine.Spec),
            "no claim" => ReluPolynomial.Of(ReluFamily.Composite, 0, [.. nine.Stages], [], nine.Spec),
            "direct half-width" => ReluPolynomial.Of(ReluFamily.Direct, 0, [new(Parity.Even, 2, [.. eight.Stages[0].Coefficients])], [], eight.Spec),
            "chebyshev half-width" => ReluPolynomial.Of(ReluFamily.Direct, 0, [new(Parity.Even, 2, [.. chebyshev.Stages[0].Coefficients])], [], chebyshev.Spec),
            _ => ReluPolynomial.Of(ReluFamily.Composite, 0, [.. nine.Stages], [claims[0] with { Lo = claims[0].Lo * (1 - 1e-7) }, claims[1]], nine.Spec),
        };
        Assert.Equal([where], PolynomialFile.Verify(Written(other)).Findings.Select(found => found.Where));
    }

    [Theory]
    [InlineData("lsq:8,density=none.json", "series [8] with leak 0")]
    [InlineData("lsq:8,density=none.json,leak=0.5", "series [8] with leak 0.5")]
    [InlineData("direct:64,unbiased=none.json", "direct [64] with leak 0")]
    public void A_name_with_a_measured_density_is_no_cover_for_another_polynomial(string spec, string generates)
    {
        var other = ReluPolynomial.Of(ReluFamily.Composite, 0, [Remez.Sign(7, 0.1, 1).Polynomial], [], spec);
        VerificationFinding finding = Assert.Single(PolynomialFile.Verify(Written(other)).Findings);
        Assert.Equal(new VerificationFinding("spec", spec, $"generates {generates}, the file holds composite [7] with leak 0"), finding);
    }

    [Fact]
    public void What_depends_on_a_measured_density_is_not_compared_and_that_is_said()
    {
        var unbiased = ReluPolynomial.Of(ReluFamily.Direct, 0, [new Polynomial(Parity.Even, 1, [0.6, 0.5])], [], "direct:2,unbiased=none.json");
        PolynomialVerification verification = PolynomialFile.Verify(Written(unbiased));
        Assert.Equal((true, false), (verification.Passed, verification.Generated));
        var wide = ReluPolynomial.Of(ReluFamily.Direct, 0, [new Polynomial(Parity.Even, 2, [0.6, 0.5])], [], "direct:2,unbiased=none.json");
        Assert.Equal(new VerificationFinding("stages[0].halfWidth", "2", "1 by spec direct:2,unbiased=none.json"), Assert.Single(PolynomialFile.Verify(Written(wide)).Findings));
        Assert.True(PolynomialFile.Verify(Written(ReluPolynomial.Direct(2))).Generated);
    }

    [Theory]
    [InlineData("composite:alpha=10")]
    [InlineData("composite:alpha=9,leak=0.1")]
    [InlineData("direct:225,min=mults")]
    [InlineData("direct:16")]
    [InlineData("relu")]
    [InlineData("relu, exact; certified by NIST")]
    [InlineData("file:p.json")]
    [InlineData("series:225")]
    public void Under_a_name_that_does_not_fit_a_polynomial_is_not_read_but_verify_reports_it(string spec)
    {
        string path = Written(Renamed(ActivationSpec.Parse("composite:alpha=9").Build(), spec));
        Assert.Equal(
            $"{path}: at spec: expected series:226 or one that generates composite [15, 15] with leak 0, minimax, found {spec}", Assert.Throws<BadInputException>(() => PolynomialFile.Read(path)).Message);
        Assert.Equal("spec", Assert.Single(PolynomialFile.Verify(path).Findings).Where);
    }

    [Fact]
    public void A_name_that_claims_more_or_less_than_the_file_is_not_read()
    {
        ReluPolynomial nine = ActivationSpec.Parse("composite:alpha=9").Build(), unbiased = ActivationSpec.Parse("direct:8,zero").Build();
        string path = Written(ReluPolynomial.Of(ReluFamily.Composite, 0, [.. nine.Stages], [], nine.Spec));
        Assert.EndsWith(", not minimax, found composite:alpha=9", Assert.Throws<BadInputException>(() => PolynomialFile.Read(path)).Message, StringComparison.Ordinal);
        path = Written(Renamed(unbiased, "direct:8"));
        Assert.EndsWith("direct [8] with leak 0, not minimax, found direct:8", Assert.Throws<BadInputException>(() => PolynomialFile.Read(path)).Message, StringComparison.Ordinal);
    }

    /// <summary>The degrees that a search will find are not known without searching.</summary>
    [Fact]
    public void Under_the_name_of_a_search_any_composite_is_read_and_nothing_else()
    {
        string path = Written(Renamed(ActivationSpec.Parse("composite:alpha=9").Build(), "composite:alpha=15,min=mults"));
        Assert.Equal("composite:alpha=15,min=mults", PolynomialFile.Read(path).Spec);
        path = Written(Renamed(ReluPolynomial.Direct(8), "composite:alpha=15,min=mults"));
        Assert.EndsWith("found composite:alpha=15,min=mults", Assert.Throws<BadInputException>(() => PolynomialFile.Read(path)).Message, StringComparison.Ordinal);
        Assert.Equal("generates composite with leak 0, the file holds direct [8] with leak 0", Assert.Single(PolynomialFile.Verify(path).Findings).Recomputed);
    }

    [Theory]
    [InlineData("series:composite:alpha=14, minimax, proved")]
    [InlineData("series:15")]
    [InlineData("series:016")]
    [InlineData("series:")]
    public void A_polynomial_from_outside_has_no_other_name_than_its_degree(string spec)
    {
        var r = ReluPolynomial.Of(ReluFamily.Direct, 0, [Remez.AbsoluteValue(16).Polynomial], [], spec);
        Assert.Equal(new VerificationFinding("spec", spec, "series:16"), Assert.Single(PolynomialFile.Verify(Written(r)).Findings));
    }

    [Theory]
    [InlineData("series:16\u001b[2K", "U+001B")]
    [InlineData("series:16\n", "U+000A")]
    [InlineData("series:\u202e61", "U+202E")]
    public void A_name_that_plays_with_the_terminal_is_refused(string spec, string found)
    {
        string path = Written(ReluPolynomial.Of(ReluFamily.Direct, 0, [Remez.AbsoluteValue(16).Polynomial], [], spec));
        Assert.Equal($"{path}: at spec: expected characters that can be seen, found {found}", Assert.Throws<BadInputException>(() => PolynomialFile.Verify(path)).Message);
    }

    [Fact]
    public void Optimality_is_not_shown_by_large_roundings()
    {
        // Odd, degree 63, near sgn on [0.9, 1], with 1e12 T_31 of what runs over [-1, 1] there, scaled so as to be 1e12 at 0: junk on [0.9, 1], lost in its own rounding.
        const double gap = 0.9, size = 1e12;
        static double Inner(double t) => ((2 * t * t) - 1 - (gap * gap)) / (1 - (gap * gap));
        double scale = size / Math.Cosh(31 * Math.Acosh(-Inner(0)));
        double[] c = [.. Remez.Sign(63, gap, 1).Polynomial.Coefficients];
        for (int j = 0; j < 256; j++)
        {
            double angle = Math.PI * (j + 0.5) / 256, t = Math.Cos(angle), u = Inner(t);
            double value = scale * t * (Math.Abs(u) <= 1 ? Math.Cos(31 * Math.Acos(u)) : Math.Sign(u) * Math.Cosh(31 * Math.Acosh(Math.Abs(u))));
            for (int k = 0; k < c.Length; k++) c[k] += value * Math.Cos(((2 * k) + 1) * angle) / 128;
        }

        var r = ReluPolynomial.Of(ReluFamily.Composite, 0, [new(Parity.Odd, 1, c)], [new(gap, 1, [.. Enumerable.Range(0, 33).Select(i => Math.Min(1, gap + ((1 - gap) * i / 32)))])], "series:64");
        Assert.False(r.Certificate.Passed);
        VerificationFinding finding = Assert.Single(PolynomialFile.Verify(Written(r)).Findings);
        Assert.Equal(("certificate", "minimax"), (finding.Where, finding.Stated));
        Assert.StartsWith("stage 1: degree 63 on [0.9, 1]: proved error ", finding.Recomputed, StringComparison.Ordinal);
    }

    [Fact]
    public void The_false_minimax_of_log_spaced_nodes_is_refused()
    {
        // sgn has no scale: [0.0245, 1.975] is [0.0245/1.975, 1]. All its figures are those that belong to its coefficients; only the claim is wrong.
        (Polynomial p, _, double[] points) = FalseMinimax.Sign(27, 0.0245 / 1.975, 1);
        var r = ReluPolynomial.Of(ReluFamily.Composite, 0, [p], [new(0.0245 / 1.975, 1, points)], "composite:27");
        IReadOnlyList<VerificationFinding> findings = PolynomialFile.Verify(Written(r)).Findings;
        Assert.Equal(["certificate", "stages[0].interval[0]", "stages[0].coefficients[0]"], findings.Select(finding => finding.Where));
        Assert.Equal("minimax", findings[0].Stated);
        Assert.StartsWith("stage 1: degree 27 on [", findings[0].Recomputed, StringComparison.Ordinal);

        // Without the claim it is what it says: a polynomial with that error.
        var unclaimed = ReluPolynomial.Of(ReluFamily.Composite, 0, [p], [], "series:28");
        Assert.Empty(PolynomialFile.Verify(Written(unclaimed)).Findings);
        Assert.Equal(r.MaxError, unclaimed.MaxError, 1e-3 * r.MaxError);
    }

    [Theory]
    [InlineData("stages", "[]", "stages: expected 1 to 16 stages, found 0")]
    [InlineData("stages", "null", "stages: expected a list, found nothing")]
    [InlineData("stages[1]", "null", "stages[1]: expected a stage, found null")]
    [InlineData("stages[1].basis", "\"power\"", "stages[1].basis: expected chebyshev, found power")]
    [InlineData("stages[1].basis", "null", "stages[1].basis: expected chebyshev, found nothing")]
    [InlineData("stages[0].parity", "\"even\"", "stages[0].parity: expected odd, found even")]
    [InlineData("stages[0].parity", "\"Odd\"", "stages[0].parity: expected even or odd or none, found Odd")]
    [InlineData("stages[0].degree", "17", "stages[0].degree: expected 7, from 4 coefficients, found 17")]
    [InlineData("stages[0].coefficients", "null", "stages[0].coefficients: expected a list of numbers, found nothing")]
    [InlineData("stages[0].coefficients", "[]", "stages[0].coefficients: expected 1 to 32 numbers, found 0")]
    [InlineData("stages[0].coefficients[2]", "\"NaN\"", "stages[0].coefficients[2]: expected a finite number, found NaN")]
    [InlineData("stages[0].coefficients[2]", "\"-Infinity\"", "stages[0].coefficients[2]: expected a finite number, found -Infinity")]
    [InlineData("stages[0].halfWidth", "0", "stages[0].halfWidth: expected a positive finite number whose inverse is finite, found 0")]
    [InlineData("stages[0].halfWidth", "1e-310", "stages[0].halfWidth: expected a positive finite number whose inverse is finite, found 1E-310")]
    [InlineData("stages[0].centre", "0.5", "stages[0].centre: expected 0, found 0.5")]
    [InlineData("stages[0].interval", "[0.5]", "stages[0].interval: expected two ascending finite numbers, found [0.5]")]
    [InlineData("stages[0].interval", "[-0.5, 1]", "stages[0].interval: expected a left end above 0, found [-0.5, 1]")]
    [InlineData("stages[0].interval", "[0.5, 2]", "stages[0].interval: expected a right end of 1, found [0.5, 2]")]
    [InlineData("stages[0].referencePoints", "[]", "stages[0].referencePoints: expected 5 numbers, found 0")]
    [InlineData("stages[0].referencePoints[4]", "2", "stages[0].referencePoints[4]: expected ascending numbers in [{0}, 1], found 2")]
    [InlineData("format", "\"onnx\"", "format: expected panncore-polynomial, found onnx")]
    [InlineData("version", "2", "version: expected 1, found 2")]
    [InlineData("spec", "null", "spec: expected a text, found nothing")]
    [InlineData("family", "\"rational\"", "family: expected composite or direct or series, found rational")]
    [InlineData("leak", "1", "leak: expected a number from 0 to below 1 in float32, found 1")]
    [InlineData("leak", "0.99999999", "leak: expected a number from 0 to below 1 in float32, found 0.99999999")]
    [InlineData("leak", "\"NaN\"", "leak: expected a number from 0 to below 1 in float32, found NaN")]
    [InlineData("claimsMinimax", "null", "claimsMinimax: expected true or false, found nothing")]
    public void What_is_no_polynomial_is_refused_by_reading_and_by_verifying(string place, string json, string message)
    {
        ReluPolynomial r = ActivationSpec.Parse("composite:alpha=7").Build();
        string path = Written(r);
        Change(path, place, _ => JsonNode.Parse(json));
        string expected = $"{path}: at " + message.Replace("{0}", r.Certificate.Stages[0].Lo.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal);
        Assert.Equal(expected, Assert.Throws<BadInputException>(() => PolynomialFile.Read(path)).Message);
        Assert.Equal(expected, Assert.Throws<BadInputException>(() => PolynomialFile.Verify(path)).Message);
    }

    [Fact]
    public void A_file_from_elsewhere_is_read_without_digest_and_certificate_but_not_verified()
    {
        string path = Written(ReluPolynomial.Of(ReluFamily.Direct, 0, [Remez.AbsoluteValue(4).Polynomial], [], "series:4"));
        Change(path, "sha256", _ => null);
        Change(path, "certificate", _ => null);
        Assert.Equal(3, PolynomialFile.Read(path).Stages[0].Coefficients.Count);
        Assert.Equal(["sha256", "certificate"], PolynomialFile.Verify(path).Findings.Select(finding => finding.Where));
    }

    [Fact]
    public void Data_that_are_not_those_of_the_digest_are_not_read()
    {
        string path = Written(ActivationSpec.Parse("direct:8").Build());
        string digest = (string)Json(path)["sha256"]!;
        Change(path, "stages[0].coefficients[1]", node => (double)node! * 2);
        string message = Assert.Throws<BadInputException>(() => PolynomialFile.Read(path)).Message;
        Assert.StartsWith($"{path}: at sha256: expected ", message, StringComparison.Ordinal);
        Assert.EndsWith($", found {digest}", message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_stage_is_seen()
    {
        string path = Written(ActivationSpec.Parse("composite:alpha=9").Build());
        JsonNode root = Json(path);
        root["stages"]!.AsArray().RemoveAt(1);
        File.WriteAllText(path, root.ToJsonString());
        IReadOnlyList<VerificationFinding> findings = PolynomialFile.Verify(path).Findings;
        Assert.Contains(new VerificationFinding("spec", "composite:alpha=9", "generates composite [15, 15] with leak 0, the file holds composite [15] with leak 0"), findings);
        Assert.Contains(new VerificationFinding("certificate.stages", "2 entries", "1 entries"), findings);
    }

    [Fact]
    public void Too_many_coefficients_are_refused_before_they_take_memory()
    {
        string path = Written(ActivationSpec.Parse("composite:alpha=9").Build());
        var some = new JsonArray([.. Enumerable.Range(0, 33).Select(_ => (JsonNode)0.5)]);
        Change(path, "stages[0].coefficients", _ => some);
        Assert.Equal($"{path}: at stages[0].coefficients: expected 1 to 32 numbers, found 33", Assert.Throws<BadInputException>(() => PolynomialFile.Read(path)).Message);

        // A million do not fit into what is read of a file at all.
        string huge = _folder.At("huge.json");
        File.WriteAllText(huge, "{\"format\":\"panncore-polynomial\",\"version\":1,\"stages\":[{\"coefficients\":[" + string.Join(',', Enumerable.Repeat("0", 1_000_000)) + "]}]}");
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Equal($"{huge}: at length: expected at most 131072 bytes, found {new FileInfo(huge).Length}", Assert.Throws<BadInputException>(() => PolynomialFile.Read(huge)).Message);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1_000_000);
    }

    [Fact]
    public void Too_large_a_product_of_degrees_is_refused_before_it_takes_time()
    {
        string path = Written(ActivationSpec.Parse("composite:15,15").Build());
        JsonNode root = Json(path);
        JsonNode stage = root["stages"]![1]!;
        for (int i = 0; i < 4; i++) root["stages"]!.AsArray().Add(stage.DeepClone());
        File.WriteAllText(path, root.ToJsonString());
        Assert.Equal($"{path}: at stages: expected degrees with a product of at most 32768, found more at stage 4", Assert.Throws<BadInputException>(() => PolynomialFile.Read(path)).Message);
    }

    [Theory]
    [InlineData("", "line 1: not a panncore-polynomial of version 1: The input does not contain any JSON tokens. Expected the input to start with a valid JSON token, when isFinalBlock is true.")]
    [InlineData("[]", "byte 0: expected an object, found array")]
    [InlineData("{}", "format: expected panncore-polynomial, found nothing")]
    [InlineData("{\"format\":\"panncore-polynomial\"}", "version: expected 1, found nothing")]
    [InlineData("{\"format\":\"panncore-polynomial\",\"version\":1,\"degree\":7}", "degree: not a panncore-polynomial of version 1: ")]
    [InlineData("{\"format\":\"panncore-polynomial\",\"version\":1,\"leak\":0,\"leak\":0}", "leak: not a panncore-polynomial of version 1: ")]
    [InlineData("{\"format\":\"panncore-polynomial\",\"version\":1,\"leak\":\"much\"}", "leak: not a panncore-polynomial of version 1: ")]
    [InlineData("{\"format\":\"panncore-polynomial\",\"version\":1,\"spec\":\"series:2\",\"family\":\"direct\",\"leak\":0,\"claimsMinimax\":false,\"stages\":[{\"degree\":2,\"parity\":\"even\",\"basis\":\"chebyshev\",\"coefficients\":[0,1e999]}]}", "stages[0].coefficients[1]: expected a finite number, found Infinity")]
    [InlineData("{\"format\":\"panncore-polynomial\",\"version\":1,\n\"stages\":[", "line 2: not a panncore-polynomial of version 1: ")]
    public void What_is_no_such_JSON_is_refused_in_one_line(string text, string message)
    {
        string path = _folder.With("bad.json", System.Text.Encoding.UTF8.GetBytes(text));
        string found = Assert.Throws<BadInputException>(() => PolynomialFile.Read(path)).Message;
        Assert.StartsWith($"{path}: at {message}", found, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', found);
    }

    [Theory]
    [InlineData("{\"format\":\"\\ud800\"}")]
    [InlineData("{\"format\":\"panncore-polynomial\",\"version\":1,\"spec\":\"\\ud800\"}")]
    public void Half_a_surrogate_pair_is_refused_in_one_line(string text)
    {
        string path = _folder.With("bad.json", System.Text.Encoding.UTF8.GetBytes(text));
        Assert.StartsWith($"{path}: ", Assert.Throws<BadInputException>(() => PolynomialFile.Read(path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Files_that_cannot_be_read_or_written_say_why()
    {
        Assert.Equal($"{_folder.Root}: expected a file, found a folder", Assert.Throws<BadInputException>(() => PolynomialFile.Read(_folder.Root)).Message);
        string missing = _folder.At("none.json");
        Assert.Equal($"{missing}: there is no such file", Assert.Throws<BadInputException>(() => PolynomialFile.Verify(missing)).Message);
        string nowhere = Path.Combine(_folder.Root, "no", "p.json");
        Assert.StartsWith($"{nowhere}: cannot be written: ", Assert.Throws<BadInputException>(() => PolynomialFile.Write(nowhere, ReluPolynomial.Direct(2))).Message, StringComparison.Ordinal);
    }

    private string Written(ReluPolynomial polynomial, string name = "p.json")
    {
        string path = _folder.At(name);
        PolynomialFile.Write(path, polynomial);
        return path;
    }

    private static ReluPolynomial Renamed(ReluPolynomial r, string spec)
        => ReluPolynomial.Of(r.Family, r.Leak, [.. r.Stages], [.. r.Certificate.Stages.Select(stage => new StageClaim(stage.Lo, stage.Hi, stage.ReferencePoints))], spec);

    private static JsonNode Json(string path) => JsonNode.Parse(File.ReadAllText(path))!;

    private static void Change(string path, string place, Func<JsonNode?, JsonNode?> change)
    {
        JsonNode root = Json(path), node = root;
        string[] steps = place.Replace("[", ".[", StringComparison.Ordinal).Split('.');
        foreach (string step in steps[..^1]) node = (step[0] == '[' ? node[Index(step)] : node[step])!;
        string last = steps[^1];
        if (last[0] == '[') node[Index(last)] = change(node[Index(last)]?.DeepClone());
        else node[last] = change(node[last]?.DeepClone());
        File.WriteAllText(path, root.ToJsonString());

        static int Index(string step) => int.Parse(step[1..^1], CultureInfo.InvariantCulture);
    }

    /// <summary>Puts in the digest that belongs to what the file now holds, by way of the refusal that names it.</summary>
    private static void Resign(string path)
    {
        foreach (VerificationFinding finding in PolynomialFile.Verify(path).Findings.Where(finding => finding.Where == "sha256"))
            Change(path, "sha256", _ => JsonNode.Parse(finding.Recomputed));
    }

    private static long[] Bits(IEnumerable<double> numbers) => [.. numbers.Select(BitConverter.DoubleToInt64Bits)];
}
