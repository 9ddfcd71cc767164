using System.CommandLine;
using PannCore.Approximation;
using PannCore.Reports;

namespace PannCore.Cli;

/// <summary>The verb <c>pann approx verify</c>: a polynomial file's certificate, computed anew and compared with what the file states.</summary>
internal static class ApproxVerifyCommand
{
    private const int Verified = 0, Refused = 1;
    private const int MostShown = 10;

    public static Command Create()
    {
        Argument<string> file = new("file") { HelpName = "FILE", Description = "A polynomial with its certificate, as pann approx writes it." };
        Option<string?> json = CommonOptions.Json();
        Command command = new("verify", "Compute a polynomial file's certificate anew from its coefficients and refuse the file if it states anything else. Exit code 0: verified, 1: refused.\n\nExample: pann approx verify alpha9.json")
        {
            file, json,
        };
        command.SetAction((parsed, cancellation) => Task.Run(() => Run(parsed, parsed.GetValue(file)!, parsed.GetValue(json), cancellation), cancellation));
        return command;
    }

    private static int Run(ParseResult parsed, string file, string? json, CancellationToken cancellation)
    {
        CommonOptions.CheckWritable(parsed, json);
        PolynomialVerification verification = PolynomialFile.Verify(file, cancellation);
        Certificate certificate = verification.Polynomial.Certificate;

        List<string[]> rows = [];
        Row("maximum error, proved", $"{Figures.NumberAbove(certificate.MaxError, 6)} = {Figures.Bound(Math.Log2(certificate.MaxError))}", "[-1, 1]");
        Row("maximum error, found", $"{certificate.ScannedError:g6}", $"t = {certificate.At:g6}");
        if (certificate is { WithinGap: { } within, BeyondGap: { } beyond })
        {
            Row("within the gap", $"{within.Found:g6} to {Figures.NumberAbove(within.Bound, 6)}", $"t = {within.At:g6} in [0, {within.Hi:g6}]");
            Row("beyond the gap", $"{beyond.Found:g6} to {Figures.NumberAbove(beyond.Bound, 6)}", $"t = {beyond.At:g6} in [{beyond.Lo:g6}, 1]");
        }

        for (int i = 0; i < certificate.Stages.Count; i++)
        {
            StageCertificate stage = certificate.Stages[i];
            Row($"stage {i + 1}, degree {stage.Degree}, levelled error", $"{Figures.NumberBelow(stage.LevelledError, 6)} to {Figures.NumberAbove(stage.ProvedError, 6)}", $"{stage.ReferencePoints.Count} points in [{stage.Lo:g6}, {stage.Hi:g6}]");
        }

        Row("error of float32 evaluation", $"{certificate.Evaluation.Float32.Found:g3}", "");
        Row("error of double evaluation", $"at most {Figures.NumberAbove(certificate.Rounding)}", "");
        OutOfRangeSample outside = certificate.OutOfRange.Samples.Single(sample => sample.T == 1.01);
        Row("1 % outside", $"{outside.Value:g4} instead of {outside.Ideal:g4}", certificate.OutOfRange.CliffAbove is double cliff ? $"10 % off from t = 1 + {cliff:g3}" : $"never 10 % off up to t = {OutOfRange.Farthest}");
        Terminal.Write(new ReportTable("Recomputed from the coefficients", ["what", "value", "where"], rows));

        // Outside the table, where nothing is broken into lines.
        foreach (VerificationFinding finding in verification.Findings.Take(MostShown)) Console.WriteLine($"{finding.Where}: the file states {finding.Stated}, recomputed: {finding.Recomputed}");
        if (verification.Findings.Count > MostShown) Console.WriteLine($"and {verification.Findings.Count - MostShown} more: --json writes all");
        if (verification.Findings.Any(finding => finding is { Where: "certificate", Stated: "nothing" }))
            Console.WriteLine($"the file states no certificate; one that does is written by: pann approx {CommonOptions.Quoted($"file:{file}")} --out NEW");
        string claim = certificate switch
        {
            { IsAtRounding: true } => "minimax, or an error lost in rounding, proved",
            { ClaimsMinimax: true } => "minimax, proved",
            _ => "error bounded, no claim of optimality",
        };
        if (!verification.Generated) claim += "; not compared with what the spec generates";
        Console.WriteLine(verification.Passed ? $"{file}: verified ({verification.Polynomial.Spec}; {claim})" : $"{file}: REFUSED, {verification.Findings.Count} {(verification.Findings.Count == 1 ? "statement is" : "statements are")} missing or not so");
        CommonOptions.WriteJson(
            json, new PolynomialVerifyRecord(file, verification.Polynomial.Spec, verification.Passed, certificate.ClaimsMinimax, certificate.MaxError, verification.Findings));
        return verification.Passed ? Verified : Refused;

        void Row(string what, string value, string where) => rows.Add([what, value, where]);
    }
}

internal sealed record PolynomialVerifyRecord(string File, string Spec, bool Passed, bool ClaimsMinimax, double MaxError, IReadOnlyList<VerificationFinding> Findings);
