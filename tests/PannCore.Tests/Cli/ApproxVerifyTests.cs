using System.Text.Json.Nodes;
using PannCore.Approximation;
using PannCore.Tests.Checkpoints;
using Xunit;

namespace PannCore.Tests.Cli;

/// <summary><c>pann approx verify</c> as users start it: 0 verified, 1 refused or unreadable, 2 wrong usage.</summary>
public sealed class ApproxVerifyTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_file_as_written_is_verified()
    {
        PolynomialFile.Write(_folder.At("p.json"), ActivationSpec.Parse("composite:alpha=9").Build());
        Outcome outcome = PannProcess.Run(_folder.Root, "approx", "verify", "p.json", "--json", "result.json");
        Assert.Equal((0, ""), (outcome.Code, outcome.Error));
        Assert.EndsWith("p.json: verified (composite:alpha=9; minimax, proved)\n", outcome.Out, StringComparison.Ordinal);
        Assert.Contains("2^-9.01", outcome.Out, StringComparison.Ordinal);
        Assert.DoesNotContain(outcome.Out, c => c is '│' or '┌' or '|');
        JsonNode result = JsonNode.Parse(File.ReadAllText(_folder.At("result.json")))!;
        Assert.Equal(("p.json", "composite:alpha=9", true, 0), ((string?)result["file"], (string?)result["spec"], (bool?)result["passed"], result["findings"]!.AsArray().Count));
    }

    [Fact]
    public void What_was_not_generated_anew_is_said()
    {
        PolynomialFile.Write(_folder.At("p.json"), ReluPolynomial.Of(ReluFamily.Direct, 0, [Remez.AbsoluteValue(4).Polynomial], [], "series:4"));
        Assert.EndsWith(
            "p.json: verified (series:4; error bounded, no claim of optimality; not compared with what the spec generates)\n", PannProcess.Run(_folder.Root, "approx", "verify", "p.json").Out, StringComparison.Ordinal);
    }

    [Fact]
    public void A_doctored_file_is_refused_with_what_and_where()
    {
        string path = _folder.At("p.json");
        PolynomialFile.Write(path, ActivationSpec.Parse("direct:8").Build());
        JsonNode root = JsonNode.Parse(File.ReadAllText(path))!;
        double stated = (double)root["certificate"]!["maxError"]!;
        root["certificate"]!["maxError"] = stated / 2;
        File.WriteAllText(path, root.ToJsonString());
        Outcome outcome = PannProcess.Run(_folder.Root, "approx", "verify", "p.json", "--json", "result.json");
        Assert.Equal((1, ""), (outcome.Code, outcome.Error));
        Assert.EndsWith(
            FormattableString.Invariant($"certificate.maxError: the file states {stated / 2}, recomputed: {stated}\np.json: REFUSED, 1 statement is missing or not so\n"), outcome.Out, StringComparison.Ordinal);
        JsonNode result = JsonNode.Parse(File.ReadAllText(_folder.At("result.json")))!;
        Assert.Equal((false, "certificate.maxError"), ((bool?)result["passed"], (string?)result["findings"]![0]!["where"]));

        // What states nothing is not verified, and says how to come by a statement.
        root.AsObject().Remove("certificate");
        File.WriteAllText(path, root.ToJsonString());
        Assert.Contains("\nthe file states no certificate; one that does is written by: pann approx file:p.json --out NEW\n", PannProcess.Run(_folder.Root, "approx", "verify", "p.json").Out, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_no_polynomial_is_one_plain_line()
    {
        _folder.With("p.json", "{}"u8.ToArray());
        Assert.Equal(new Outcome(1, "", "error: p.json: at format: expected panncore-polynomial, found nothing\n"), PannProcess.Run(_folder.Root, "approx", "verify", "p.json", "--json", "result.json"));
        Assert.Equal(new Outcome(1, "", "error: none.json: there is no such file\n"), PannProcess.Run(_folder.Root, "approx", "verify", "none.json"));
        Assert.Equal(["p.json"], _folder.FileNames);
    }

    [Fact]
    public void Wrong_usage_ends_with_2_and_help_shows_an_example()
    {
        Assert.Equal(new Outcome(2, "", "error: Required argument 'FILE' missing for command: 'verify'.\nsee: pann approx verify --help\n"), PannProcess.Run(_folder.Root, "approx", "verify"));
        Outcome help = PannProcess.Run(_folder.Root, "approx", "verify", "--help");
        Assert.Equal((0, ""), (help.Code, help.Error));
        Assert.Contains("Example: pann approx verify alpha9.json", help.Out, StringComparison.Ordinal);
    }
}
