using System.Text.Json;
using PannCore.Diagnostics;
using PannCore.Reports;
using PannCore.Tests.Reports;
using Xunit;

namespace PannCore.Tests.Cli;

/// <summary>The verb <c>pann compare</c> and the options of <c>pann inspect</c> that it is used with, in the process that a user starts.</summary>
public sealed class CompareTests(CliFiles files) : IClassFixture<CliFiles>
{
    [Fact]
    public void Two_inspections_one_of_them_patched()
    {
        string a = files.At("a.json"), b = files.At("b.json"), json = files.At("comparison.json");
        Assert.Equal(0, Inspect(a).Code);
        Outcome patched = Inspect(b, "--patch", "layer3.*=composite:alpha=9", "--patch", "relu=relu");
        Assert.Equal((0, ""), (patched.Code, patched.Error));
        RunRecord first = RunRecordJson.ReadFile(a), second = RunRecordJson.ReadFile(b);
        Assert.Empty(first.Patches);
        Assert.Contains("\nPatched with relu: relu.\nPatched with composite:alpha=9: layer3.0.relu1, layer3.0.relu2, layer3.1.relu1, layer3.1.relu2, layer3.2.relu1 and layer3.2.relu2.\n", patched.Out, StringComparison.Ordinal);
        Assert.Equal(["relu relu", .. Enumerable.Range(0, 6).Select(i => $"layer3.{i / 2}.relu{(i % 2) + 1} composite:alpha=9")], second.Patches.Select(patch => $"{patch.Key} {patch.Value}"));
        Assert.Null(first.Sweep);

        Outcome outcome = PannProcess.Run(files.Root, "compare", a, b, "--json", json, "--operations", "7");
        Assert.Equal((0, ""), (outcome.Code, outcome.Error));
        RecordComparison expected = RecordComparison.Of(first, second);
        Assert.StartsWith(string.Join('\n', ComparisonReport.Summary(expected)) + "\n", outcome.Out, StringComparison.Ordinal);
        // Only the seven patched activations inject another approximation; all other changes are rounding.
        string[] changed = [.. expected.Operations.Take(7).Select(change => change.Path).Order(StringComparer.Ordinal)];
        Assert.Equal(second.Patches.Keys.Order(StringComparer.Ordinal), changed);
        Assert.All(changed, path => Assert.Contains($"\n  {path} ", outcome.Out, StringComparison.Ordinal));
        using var document = JsonDocument.Parse(File.ReadAllBytes(json));
        Assert.Equal(["images", "a", "b", "operations", "flipsInBoth", "onlyA", "onlyB"], document.RootElement.EnumerateObject().Select(p => p.Name));
        Assert.Equal(expected.Operations.Select(change => change.Path), document.RootElement.GetProperty("operations").EnumerateArray().Select(change => change.GetProperty("path").GetString()));
    }

    [Fact]
    public void Without_quick_an_inspection_has_other_precisions_too()
    {
        string json = files.At("studies.json");
        Outcome outcome = PannProcess.Run(files.Root, "inspect", "--model", files.Model, "--data", files.Images, "--images", "2", "--activation", "direct:2", "--ranges", "layer", "--json", json, "--out", files.At("studies.html"));
        Assert.Equal((0, ""), (outcome.Code, outcome.Error));
        IReadOnlyList<SweepStep> steps = RunRecordJson.ReadFile(json).Sweep!.Steps;
        Assert.Equal(["direct:2", "direct:4", "direct:8", "direct:16", "direct:32", "direct:64"], steps.Select(step => step.Activation));
        Assert.All(steps, step => Assert.Matches(FormattableString.Invariant($@"\n  {step.Activation} +2\^{Math.Ceiling(100 * step.Log2MaxError) / 100:0.##} +{step.Levels} +{step.Accuracy:F2} % +{step.Changed} +{step.ExplodedImages} "), outcome.Out));
    }

    /// <summary>Into a file or a pipe: wrapped lines would break figures in two, where nobody can widen a window.</summary>
    [Fact]
    public void A_table_wider_than_any_terminal_keeps_a_row_on_its_line()
    {
        RunRecord sample = SampleRecord.Create();
        RunRecord first = sample with { Operations = [.. sample.Operations.Select(operation => operation with { Path = operation.Path.PadLeft(90, 'x') })] };
        RunRecord second = first with { Operations = [.. first.Operations.Select(operation => operation with { Approximation = operation.Approximation with { Rms = 1.5 * operation.Approximation.Rms } })] };
        string a = files.At("wide-a.json"), b = files.At("wide-b.json");
        using (FileStream stream = File.Create(a)) RunRecordJson.Write(stream, first);
        using (FileStream stream = File.Create(b)) RunRecordJson.Write(stream, second);

        string[] lines = PannProcess.Run(files.Root, "compare", a, b, "--operations", "7").Out.Split('\n');
        IReadOnlyList<IReadOnlyList<string>> rows = ComparisonReport.Operations(RecordComparison.Of(first, second), 7).Rows;
        Assert.Equal(7, rows.Count);
        Assert.All(rows, row =>
        {
            string line = Assert.Single(lines, line => line.Split("  ", StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).SequenceEqual(row));
            Assert.True(line.Length > 160, $"{line.Length} columns are no more than a table has without being widened");
        });
    }

    [Fact]
    public void What_cannot_be_compared_ends_with_1()
    {
        string good = files.At("good.json"), other = files.At("few.json"), text = files.With("text.json", "{}");
        using (FileStream stream = File.Create(good)) RunRecordJson.Write(stream, SampleRecord.Create());
        using (FileStream stream = File.Create(other)) RunRecordJson.Write(stream, SampleRecord.Create() with { Images = 10 });
        Fails("compare: expected two inspections of the same images, found 1000 of cifar-10-sample.bin and 10 of cifar-10-sample.bin", "compare", good, other);
        Assert.StartsWith($"error: {text}: at line 1, byte 3, $: JSON deserialization", PannProcess.Run(files.Root, "compare", good, text).Error, StringComparison.Ordinal);
        Fails("none.json: there is no such file", "compare", good, "none.json");
        Fails($"{good}: expected a file of its own for each result, found a file that this command also reads or writes", "compare", good, good, "--json", good);
    }

    [Theory]
    [InlineData("--json", "images.bin", "")]
    [InlineData("--out", "images.bin", "")]
    [InlineData("--json", "ideal.safetensors", "--ideal model:ideal.safetensors")]
    [InlineData("--json", "patch.json", "--patch file:patch.json")]
    [InlineData("--json", "ranges.json", "--ranges file:./ranges.json")]
    [InlineData("--json", "p.json", "--activation file:p.json,leak=0")]
    [InlineData("--json", "h.json", "--activation direct:4,unbiased=h.json#relu")]
    [InlineData("--json", "report.html", "")]
    public void A_result_replaces_nothing_that_the_command_reads_or_writes(string option, string file, string more)
        => Fails(
            $"{file}: expected a file of its own for each result, found a file that this command also reads or writes",
            ["inspect", "--model", "model.safetensors", "--data", "images.bin", .. more.Split(' ', StringSplitOptions.RemoveEmptyEntries), option, file]);

    [Fact]
    public void A_patch_that_is_none_ends_with_1()
        => Fails(
            "patch 'layer3.0.relu=relu': resnet20 has no activation 'layer3.0.relu'; near it: layer3.0.relu1, layer3.0.relu2, layer1.0.relu1",
            "inspect", "--model", files.Model, "--data", files.Images, "--patch", "layer3.0.relu=relu", "--out", files.At("never.html"));

    private Outcome Inspect(string json, params string[] more) => PannProcess.Run(files.Root,
        ["inspect", "--quick", "--model", files.Model, "--data", files.Images, "--images", "2", "--activation", "direct:4", "--ranges", "layer", "--json", json, "--out", files.At("compared.html"), .. more]);

    private void Fails(string message, params string[] arguments)
    {
        string[] before = files.Listing;
        Assert.Equal(new Outcome(1, "", $"error: {message}\n"), PannProcess.Run(files.Root, arguments));
        Assert.Equal(before, files.Listing);
    }
}
