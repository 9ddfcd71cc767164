using System.Globalization;
using System.Text.Json;
using PannCore.Approximation;
using PannCore.Data;
using PannCore.Diagnostics;
using PannCore.Engine;
using PannCore.Tests.Diagnostics;
using Xunit;

namespace PannCore.Tests.Cli;

/// <summary>The verb <c>pann sweep</c>, in the process that a user starts.</summary>
public sealed class SweepTests(CliFiles files) : IClassFixture<CliFiles>
{
    private string[] Common => ["sweep", "--model", files.Model, "--data", files.Images];

    [Fact]
    public void Says_and_writes_what_the_library_computes()
    {
        string json = files.At("sweep.json");
        Outcome outcome = PannProcess.Run(files.Root, [.. Common, "--alphas", "4,6", "--activation", "direct:2", "--ranges", "global", "--images", "6", "--json", json]);
        Assert.Equal((0, ""), (outcome.Code, outcome.Error));

        using var workspace = new Workspace(1);
        // Coarse to fine: direct:2 errs by 2^-4, alpha 4 by less.
        ActivationSpec[] specs = [.. new[] { "direct:2", "composite:alpha=4", "composite:alpha=6" }.Select(ActivationSpec.Parse)];
        SweepRecord expected = PrecisionSweep.Of(RandomNetwork.Pann("direct:2", "global"), specs, new HashSet<string>(), Cifar10.ReadFile(files.Images), [0, 1, 2, 3, 4, 5], 0, Normalization.Cifar10, workspace);
        using var document = JsonDocument.Parse(File.ReadAllBytes(json));
        JsonElement root = document.RootElement;
        Assert.Equal(["model", "ranges", "rangeByActivation", "provenance", "convolution", "images", "idealAccuracy", "rows"], root.EnumerateObject().Select(p => p.Name));
        Assert.Equal(("model.safetensors", "global", 6), (root.GetProperty("model").GetString(), root.GetProperty("ranges").GetString(), root.GetProperty("images").GetInt32()));
        Assert.Equal(
            expected.Steps.Select(step => (step.Activation, step.Log2MaxError, step.Levels, step.Accuracy, step.Changed, step.ExplodedImages)),
            root.GetProperty("rows").EnumerateArray().Select(row => (
                row.GetProperty("activation").GetString()!, row.GetProperty("log2MaxError").GetDouble(), row.GetProperty("levels").GetInt32(),
                row.GetProperty("accuracy").GetDouble(), row.GetProperty("changed").GetInt32(), row.GetProperty("explodedImages").GetInt32())));
        Assert.All(expected.Steps, step => Assert.Matches(FormattableString.Invariant($@"\n  {step.Activation} +2\^{Math.Ceiling(100 * step.Log2MaxError) / 100:0.##} +{step.Levels} +{step.Accuracy:F2} % "), outcome.Out));
    }

    [Fact]
    public void In_several_goes_it_writes_the_same_bytes_and_does_nothing_twice()
    {
        string whole = files.At("whole.json"), parts = files.At("parts.json");
        Assert.Equal(0, PannProcess.Run(files.Root, [.. Common, "--alphas", "4..6", "--json", whole]).Code);
        // --resume begins where there is nothing yet.
        Assert.Equal(0, PannProcess.Run(files.Root, [.. Common, "--alphas", "5", "--json", parts, "--resume"]).Code);
        Assert.Equal(0, PannProcess.Run(files.Root, [.. Common, "--alphas", "4..6", "--json", parts, "--resume"]).Code);
        Assert.Equal(File.ReadAllText(whole), File.ReadAllText(parts));

        // A row that is there is taken as it is: a mark in it survives.
        File.WriteAllText(parts, File.ReadAllText(parts).Replace("\"levels\": 5,", "\"levels\": 555,", StringComparison.Ordinal));
        Outcome again = PannProcess.Run(files.Root, [.. Common, "--alphas", "4..6", "--json", parts, "--resume"]);
        Assert.Matches(@"\n  composite:alpha=5 +2\^-5\.71 +555 ", again.Out);
        // Without --resume everything is computed anew.
        Assert.Equal(0, PannProcess.Run(files.Root, [.. Common, "--alphas", "4..6", "--json", parts]).Code);
        Assert.Equal(File.ReadAllText(whole), File.ReadAllText(parts));
    }

    [Fact]
    public void One_sweep_at_a_time_writes_a_file()
    {
        string json = files.At("held.json");
        using (new FileStream($"{json}.lock", FileMode.Create, FileAccess.Write, FileShare.None))
        {
            Outcome outcome = PannProcess.Run(files.Root, Command("4"));
            Assert.Equal(1, outcome.Code);
            Assert.StartsWith($"error: {json}.lock: expected that no other sweep writes this file, found that one does: ", outcome.Error);
        }
        Assert.False(File.Exists(json));
        // A killed sweep leaves an empty file, which is in nobody's way and goes with the next one, whatever becomes of it.
        Assert.Equal(1, PannProcess.Run(files.Root, [.. Command("4"), "--ranges", "file:none.json"]).Code);
        Assert.False(File.Exists($"{json}.lock"));
        Assert.Equal(0, PannProcess.Run(files.Root, Command("4")).Code);
        Assert.False(File.Exists($"{json}.lock"));

        // What somebody else has written there stays.
        File.WriteAllText($"{json}.lock", "{}");
        Assert.Equal(
            new Outcome(1, "", $"error: {json}.lock: at its end: expected nothing, or no such file: it says that a run writes the file beside it, found 2 bytes\n"), PannProcess.Run(files.Root, Command("4")));
        Assert.Equal("{}", File.ReadAllText($"{json}.lock"));

        string[] Command(string alphas) => [.. Common, "--alphas", alphas, "--json", json];
    }

    [Fact]
    public void Rows_of_something_else_are_refused()
    {
        string json = files.At("other.json");
        Assert.Equal(0, PannProcess.Run(files.Root, [.. Common, "--alphas", "4", "--json", json]).Code);
        string before = File.ReadAllText(json);
        Refused($"{json}: at ranges: expected global, as asked for now, found layer", "--ranges", "global");
        Refused($"{json}: at images: expected 5, as asked for now, found 8", "--images", "5");
        Refused($"{json}: at provenance margin: expected 1.5, as asked for now, found 1.05", "--margin", "1.5");
        Assert.Equal(before, File.ReadAllText(json));
        File.WriteAllText(json, "rows");
        RefusedAsOther();
        foreach ((string from, string to) in new[] { ("\"rows\": [", "\"rows\": [null,"), ("\"composite:alpha=4\"", "null"), ("\"idealAccuracy\": ", "\"idealAccuracy\": null, \"was\": "), ("\"rangeByActivation\"", "\"ofAnotherVersion\"") })
        {
            File.WriteAllText(json, before.Replace(from, to, StringComparison.Ordinal));
            Assert.NotEqual(before, File.ReadAllText(json));
            RefusedAsOther();
        }
        File.WriteAllText(json, "{}");
        RefusedAsOther();
        File.WriteAllText(json, before.Replace("\"relu\": ", "\"lost\": ", StringComparison.Ordinal));
        Assert.Matches("^error: .*: at range of relu: expected 6[.][0-9]+, as asked for now, found nothing\n$", PannProcess.Run(files.Root, [.. Common, "--alphas", "4", "--json", json, "--resume"]).Error);

        // Rows of polynomials that stand for another function have another ideal.
        string[] fixedRange = [.. Common, "--ranges", "global:20", "--json", json];
        Assert.Equal(0, PannProcess.Run(files.Root, [.. fixedRange, "--activation", "direct:2"]).Code);
        Assert.Equal(
            new Outcome(1, "", $"error: {json}: at rows: expected polynomials that stand for the same function as direct:2,leak=0.1, found direct:2\n"), PannProcess.Run(files.Root, [.. fixedRange, "--activation", "direct:2,leak=0.1", "--resume"]));

        // Files that hold something else than they did.
        string ranges = files.At("ranges.json"), polynomial = files.At("polynomial.json");
        string[] named = [.. Common, "--ranges", $"file:{ranges}", "--activation", $"file:{polynomial}", "--json", json];
        Write(20, "direct:2");
        Assert.Equal(0, PannProcess.Run(files.Root, named).Code);
        Assert.Equal(0, PannProcess.Run(files.Root, [.. named, "--resume"]).Code);
        Write(21, "direct:2");
        Assert.Equal(new Outcome(1, "", $"error: {json}: at range of relu: expected 21, as asked for now, found 20\n"), PannProcess.Run(files.Root, [.. named, "--resume"]));
        Write(20, "direct:4");
        Assert.Equal(
            new Outcome(1, "", $"error: {json}: at log2MaxError of file:{polynomial}: expected {Log2MaxError("direct:4")}, as asked for now, found {Log2MaxError("direct:2")}\n"), PannProcess.Run(files.Root, [.. named, "--resume"]));

        static string Log2MaxError(string spec) => Math.Log2(ActivationSpec.Parse(spec).Build().MaxError).ToString("R", CultureInfo.InvariantCulture);

        void Write(double range, string spec)
        {
            File.WriteAllText(ranges, JsonSerializer.Serialize(RandomNetwork.Backbone.Activations.ToDictionary(activation => activation.Path, _ => range)));
            PolynomialFile.Write(polynomial, ActivationSpec.Parse(spec).Build());
        }

        void RefusedAsOther()
        {
            Outcome outcome = PannProcess.Run(files.Root, [.. Common, "--alphas", "4..5", "--json", json, "--resume"]);
            Assert.Equal((1, ""), (outcome.Code, outcome.Out));
            Assert.StartsWith($"error: {json}: expected what this version of pann sweep --json writes, found something else", outcome.Error);
        }

        void Refused(string message, params string[] more)
            => Assert.Equal(new Outcome(1, "", $"error: {message}\n"), PannProcess.Run(files.Root, [.. Common, "--alphas", "4..5", "--json", json, "--resume", .. more]));
    }

    [Theory]
    [InlineData("--activation relu", "error: --activation: expected a polynomial, found relu; the ideal network is run in any case\n")]
    [InlineData("--activation direct:2 --activation direct:4,leak=0.1", "error: --activation: expected polynomials that stand for the same function, found direct:2 and direct:4,leak=0.1\n")]
    public void What_cannot_be_done_ends_with_1(string arguments, string error)
        => Assert.Equal(new Outcome(1, "", error), PannProcess.Run(files.Root, [.. Common, .. arguments.Split(' ')]));

    [Theory]
    [InlineData("--alphas 3..5", "error: --alphas: expected A..B or A,B,... from 4 to 14, found '3..5'\nsee: pann sweep --help\n")]
    [InlineData("--alphas 9..5", "error: --alphas: expected A..B or A,B,... from 4 to 14, found '9..5'\nsee: pann sweep --help\n")]
    [InlineData("--alphas four", "error: --alphas: expected A..B or A,B,... from 4 to 14, found 'four'\nsee: pann sweep --help\n")]
    [InlineData("--resume", "error: --resume: expected --json FILE, which has the rows of before\nsee: pann sweep --help\n")]
    public void Wrong_usage_ends_with_2(string arguments, string error)
        => Assert.Equal(new Outcome(2, "", error), PannProcess.Run(files.Root, ["sweep", .. arguments.Split(' ')]));
}
