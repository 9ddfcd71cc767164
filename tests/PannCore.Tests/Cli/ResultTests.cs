using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using PannCore.Approximation;
using PannCore.Data;
using PannCore.Diagnostics;
using PannCore.Engine;
using PannCore.Nn;
using PannCore.Reports;
using PannCore.Tests.Diagnostics;
using PannCore.Training;
using Xunit;

namespace PannCore.Tests.Cli;

/// <summary>What the verbs print and write when all is well.</summary>
public sealed partial class ResultTests(CliFiles files) : IClassFixture<CliFiles>
{
    private static readonly Dictionary<string, string> German = Language("de_DE.UTF-8");

    [Fact]
    public void Eval_says_and_writes_what_the_library_computes()
    {
        string json = files.At("eval.json");
        using PannProcess process = PannProcess.Start(
            files.Root, ["eval", "--model", files.Model, "--data", files.Images, "--activation", "composite:alpha=6", "--margin", "1.25", "--batch", "3", "--json", json], German, HostWithCultures());
        Outcome outcome = process.Wait();
        Assert.Equal((0, ""), (outcome.Code, outcome.Error));

        using var workspace = new Workspace(1);
        Cifar10 data = Cifar10.ReadFile(files.Images);
        string[] paths = [.. RandomNetwork.Backbone.Activations.Select(a => a.Path)];
        ResNet pann = RandomNetwork.Backbone.With(ActivationSpec.Parse("composite:alpha=6"), ActivationRanges.Parse("layer", paths, RandomNetwork.Largest, 1.25));
        var probe = new RangeProbe();
        Evaluation expected = Evaluation.Of(pann, data, [.. Enumerable.Range(0, data.Count)], Normalization.Cifar10, workspace, observers: [probe]);

        using var document = JsonDocument.Parse(File.ReadAllBytes(json));
        JsonElement root = document.RootElement;
        Assert.Equal(
            ["model", "activation", "rangesSpec", "provenance", "accuracy", "images", "correct", "outOfRange", "outOfRangeImages", "nonFiniteImages", "outOfRangeRoots", "ranges", "seconds", "imagesPerSecond", "arithmetic"],
            root.EnumerateObject().Select(p => p.Name));
        Assert.Equal(
            (expected.Accuracy, 8, expected.Correct, probe.OutOfRange, probe.OutOfRangeImages, expected.NonFinite),
            (root.GetProperty("accuracy").GetDouble(), root.GetProperty("images").GetInt32(), root.GetProperty("correct").GetInt32(),
                root.GetProperty("outOfRange").GetInt64(), root.GetProperty("outOfRangeImages").GetInt32(), root.GetProperty("nonFiniteImages").GetInt32()));
        Assert.Equal(
            paths.Select(path => (path, 1.25 * RandomNetwork.Largest[path])),
            root.GetProperty("ranges").EnumerateArray().Select(r => (r.GetProperty("path").GetString()!, r.GetProperty("range").GetDouble())));
        Assert.StartsWith(
            FormattableString.Invariant($"model.safetensors, composite:alpha=6, ranges layer: {expected.Accuracy:F2} % ({expected.Correct} of 8 right)\noutside their range: {probe.OutOfRange} inputs in {probe.OutOfRangeImages} images\n"),
            outcome.Out, StringComparison.Ordinal);
        Assert.Matches(@"\n[0-9]+\.[0-9]{2} s, [0-9]+ images/s\n$", outcome.Out);
    }

    [Fact]
    public void Eval_names_where_images_leave_a_range_first()
    {
        string json = files.At("roots.json");
        using PannProcess process = PannProcess.Start(
            files.Root, ["eval", "--model", files.Model, "--data", files.Images, "--activation", "direct:2", "--ranges", "global:1.5", "--json", json], German, HostWithCultures());
        Outcome outcome = process.Wait();
        Assert.Equal((0, ""), (outcome.Code, outcome.Error));

        using var workspace = new Workspace(1);
        Cifar10 data = Cifar10.ReadFile(files.Images);
        ResNet pann = RandomNetwork.Backbone.With(_ => new ActivationFunction.Polynomial(ActivationSpec.Parse("direct:2").Build(), 1.5));
        var probe = new RangeProbe();
        Evaluation.Of(pann, data, [.. Enumerable.Range(0, data.Count)], Normalization.Cifar10, workspace, observers: [probe]);
        Assert.True(probe.OutOfRangeImages > 0, "no image leaves its range");
        (string Path, int Images, double Ratio, int Worst)[] expected = [
            .. probe.ByPath.Where(w => w.Value.RootImages > 0).OrderByDescending(w => w.Value.RootImages).Select(w => (w.Key, w.Value.RootImages, w.Value.RootLargest / 1.5, w.Value.RootWorstImage))];

        using var document = JsonDocument.Parse(File.ReadAllBytes(json));
        Assert.Equal(probe.OutOfRange, document.RootElement.GetProperty("outOfRange").GetInt64());
        Assert.Equal(expected, document.RootElement.GetProperty("outOfRangeRoots").EnumerateArray().Select(r => (
            r.GetProperty("path").GetString()!, r.GetProperty("images").GetInt32(), r.GetProperty("largestOverRange").GetDouble(), r.GetProperty("worstImage").GetInt32())));
        Assert.All(expected.Take(3), root => Assert.Contains(
            FormattableString.Invariant($"\n  first at {root.Path}: {root.Images} of these images, at most |x| = {root.Ratio:G4} B (image {root.Worst})\n"), outcome.Out, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("fixed:12,24", true)]
    [InlineData("double", false)]
    public void Eval_answers_in_the_arithmetic_asked_for(string arithmetic, bool fixedPoint)
    {
        string json = files.At("arithmetic.json");
        Outcome outcome = PannProcess.Run(files.Root, "eval", "--model", files.Model, "--data", files.Images, "--activation", "direct:2", "--arithmetic", arithmetic, "--json", json);
        Assert.Equal((0, ""), (outcome.Code, outcome.Error));

        using var workspace = new Workspace(1);
        Cifar10 data = Cifar10.ReadFile(files.Images);
        ResNet pann = RandomNetwork.Pann("direct:2");
        var model = new FixedPointArithmetic(new(12, 24), workspace);
        LockStep<FixedPointTensor> integers = new(model);
        LockStep<DoubleTensor> exact = new(new Float64Arithmetic(workspace));
        Evaluation single = Evaluation.Of(pann, data, [.. Enumerable.Range(0, data.Count)], Normalization.Cifar10, workspace, observers: [integers, exact]);
        Evaluation expected = fixedPoint ? integers.Answers(data.Labels) : exact.Answers(data.Labels);
        int changed = expected.Predictions.Zip(single.Predictions).Count(pair => pair.First != pair.Second);

        Assert.StartsWith(FormattableString.Invariant($"model.safetensors, direct:2, ranges layer: {expected.Accuracy:F2} % ({expected.Correct} of 8 right)\n"), outcome.Out, StringComparison.Ordinal);
        Assert.Contains(FormattableString.Invariant($"\nin {arithmetic}: {expected.Accuracy:F2} %; in float32: {single.Accuracy:F2} %; {changed} predictions differ\n"), outcome.Out, StringComparison.Ordinal);
        using var document = JsonDocument.Parse(File.ReadAllBytes(json));
        JsonElement record = document.RootElement.GetProperty("arithmetic");
        Assert.Equal(["name", "accuracy", "float32Accuracy", "changedPredictions", "wrappedImages", "wrapArounds", "operations"], record.EnumerateObject().Select(p => p.Name));
        Assert.Equal((arithmetic, single.Accuracy, changed), (record.GetProperty("name").GetString(), record.GetProperty("float32Accuracy").GetDouble(), record.GetProperty("changedPredictions").GetInt32()));
        Assert.Equal(expected.Accuracy, document.RootElement.GetProperty("accuracy").GetDouble());

        WrapAround[] wraps = fixedPoint ? [.. model.WrapArounds] : [];
        Assert.Equal(fixedPoint, wraps.Length > 0);
        Assert.Equal(wraps.Length > 0 ? model.WrappedImages : 0, record.GetProperty("wrappedImages").GetInt32());
        Assert.Equal(wraps, record.GetProperty("wrapArounds").EnumerateArray().Select(w => new WrapAround(
            w.GetProperty("path").GetString()!, w.GetProperty("op").GetString()!, w.GetProperty("elements").GetInt64(), w.GetProperty("rootImages").GetInt32())));
        Assert.Equal(fixedPoint, outcome.Out.Contains(FormattableString.Invariant($"\nleft the ring: {wraps.Sum(w => w.Elements)} values in {model.WrappedImages} images\n"), StringComparison.Ordinal));
    }

    [Fact]
    public void Inspect_shows_where_another_arithmetic_goes_wrong()
    {
        string json = files.At("other.json");
        Outcome outcome = PannProcess.Run(
            files.Root, "inspect", "--model", files.Model, "--data", files.Images, "--images", "2", "--activation", "direct:4", "--ranges", "layer", "--arithmetic", "fixed:16,64", "--json", json, "--out", files.At("other.html"));
        Assert.Equal((0, ""), (outcome.Code, outcome.Error));
        using FileStream stream = File.OpenRead(json);
        ArithmeticRecord other = RunRecordJson.Read(stream).OtherArithmetic!;
        Assert.Equal("fixed:16,64", other.Name);
        Assert.Contains(FormattableString.Invariant($"\nin fixed:16,64: {other.Accuracy:F2} %; in float32: {other.Float32Accuracy:F2} %; {other.ChangedPredictions} predictions differ\nleft the ring: 0 values in 0 images\n"), outcome.Out, StringComparison.Ordinal);
        ReportTable table = ArithmeticReport.WorstOperations(other, 12);
        Assert.Equal(12, table.Rows.Count);
        Assert.All(table.Rows, row => Assert.Matches($"\n  {Regex.Escape(row[0])} +{Regex.Escape(row[1])} +{Regex.Escape(row[2])} +{Regex.Escape(row[3])} +0 ", outcome.Out));
    }

    [Fact]
    public void An_arithmetic_that_is_none_ends_with_1()
    {
        Outcome outcome = PannProcess.Run(files.Root, "eval", "--model", files.Model, "--data", files.Images, "--arithmetic", "fixed:16");
        Assert.Equal(new Outcome(1, "", "error: arithmetic 'fixed:16': expected float32, double, fixed:F,L or fixed:F,L,stochastic with F fraction bits in a ring of 2^L\n"), outcome);
    }

    [Fact]
    public void A_checkpoint_is_evaluated_as_the_model_it_is()
    {
        // The same weights from both formats, on the same images: the same accuracy.
        string[] common = ["--data", files.Images, "--normalize", "cifar10", "--activation", "direct:4", "--ranges", "global:20"];
        Outcome model = PannProcess.Run(files.Root, ["eval", "--model", files.Model, .. common]);
        Outcome checkpoint = PannProcess.Run(files.Root, ["eval", "--model", files.Checkpoint, "--arch", "resnet20", .. common]);
        Assert.Equal((0, 0), (model.Code, checkpoint.Code));
        Assert.Equal(Timings().Replace(model.Out, "").Replace("model.safetensors", "model.th", StringComparison.Ordinal), Timings().Replace(checkpoint.Out, ""));
    }

    [Fact]
    public void Inspect_writes_the_same_record_on_any_number_of_threads_and_in_any_culture()
    {
        (Outcome one, RunRecord first, string page) = Inspect("1", Language("C"));
        (Outcome two, RunRecord second, _) = Inspect("2", German);
        Assert.Equal((0, "", 0, ""), (one.Code, one.Error, two.Code, two.Error));

        // The command's text names its threads and files; all else is the same to the bit.
        Assert.Equal(Bytes(first), Bytes(second with { Command = first.Command }));
        Assert.Equal(Line(one.Out), Line(two.Out));

        Assert.Equal(4, first.Images);
        Assert.Equal(["path", "op", "total", "approximation", "arithmetic", "inherited"], Names(first, "operations").Take(6));
        Assert.Superset(
            new HashSet<string> { "idealAccuracy", "pannAccuracy", "operations", "identityResidual", "checks", "layers", "nonFiniteImages", "outOfRangeImages", "flips" },
            Root(first).EnumerateObject().Select(p => p.Name).ToHashSet());
        Assert.Superset(new HashSet<string> { "negativeShare", "outOfRange", "gain", "nonFinite" }, Names(first, "operations").ToHashSet());
        Assert.Equal(["max", "rms", "mean"], Root(first).GetProperty("operations")[0].GetProperty("total").EnumerateObject().Select(p => p.Name));
        Assert.Superset(new HashSet<string> { "name", "passed" }, Names(first, "checks").ToHashSet());
        Assert.Superset(new HashSet<string> { "path", "logitShare" }, Names(first, "layers").ToHashSet());
        Assert.Equal(RandomNetwork.Backbone.Activations.Select(a => a.Path), first.Layers.Select(layer => layer.Path));
        Assert.Equal(70, first.Operations.Count);
        Assert.All(first.Checks, check => Assert.True(check.Passed, $"{check.Name}: {check.Detail}"));

        Assert.All(RandomNetwork.Backbone.Activations, activation => Assert.Contains(activation.Path, page, StringComparison.Ordinal));
        Assert.StartsWith("<!doctype html>", page, StringComparison.OrdinalIgnoreCase);
        Assert.Contains($"\nReport: {files.At("report-1.html")}\n", one.Out, StringComparison.Ordinal);

        static JsonElement Root(RunRecord record) => JsonDocument.Parse(Bytes(record)).RootElement;
        static IEnumerable<string> Names(RunRecord record, string list) => Root(record).GetProperty(list)[0].EnumerateObject().Select(p => p.Name);
        static byte[] Bytes(RunRecord record)
        {
            using var stream = new MemoryStream();
            RunRecordJson.Write(stream, record);
            return stream.ToArray();
        }
        // Times and the report's name differ.
        static string Line(string output) => Timings().Replace(Regex.Replace(output, "report-[12].html", "report.html"), "");
    }

    private (Outcome Outcome, RunRecord Record, string Page) Inspect(string threads, Dictionary<string, string> language)
    {
        string json = files.At($"inspect-{threads}.json"), page = files.At($"report-{threads}.html");
        using PannProcess process = PannProcess.Start(
            files.Root,
            ["inspect", "--model", files.Model, "--data", files.Images, "--images", "4", "--activation", "composite:alpha=6", "--ranges", "layer", "--threads", threads, "--json", json, "--out", page],
            language, HostWithCultures());
        Outcome outcome = process.Wait();
        using FileStream stream = File.OpenRead(json);
        return (outcome, RunRecordJson.Read(stream), File.ReadAllText(page));
    }

    private static Dictionary<string, string> Language(string name) => new() { ["LANG"] = name, ["LC_ALL"] = name };

    /// <summary>
    /// The program is built without culture data, which alone would make it invariant. Where this machine has such data, it is started with
    /// them, so that a number read or printed in the user's culture shows.
    /// </summary>
    private string[] HostWithCultures()
    {
        if (CultureInfo.GetCultureInfo("de-DE").NumberFormat.NumberDecimalSeparator != ",") return [];
        string configuration = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "pann.runtimeconfig.json"));
        Assert.Contains("\"System.Globalization.Invariant\": true", configuration, StringComparison.Ordinal);
        string path = files.With("cultures.runtimeconfig.json", configuration.Replace("\"System.Globalization.Invariant\": true", "\"System.Globalization.Invariant\": false", StringComparison.Ordinal));
        return ["exec", "--runtimeconfig", path];
    }

    [GeneratedRegex(@"[^\n]*[0-9.]+ s(, [0-9]+ images/s)?\n")]
    private static partial Regex Timings();
}
