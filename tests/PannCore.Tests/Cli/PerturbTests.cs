using System.Text.Json;
using PannCore.Data;
using PannCore.Diagnostics;
using PannCore.Engine;
using PannCore.Ops;
using PannCore.Tests.Diagnostics;
using Xunit;

namespace PannCore.Tests.Cli;

/// <summary>The verb <c>pann perturb</c>, in the process that a user starts.</summary>
public sealed class PerturbTests(CliFiles files) : IClassFixture<CliFiles>
{
    [Fact]
    public void Says_and_writes_what_the_library_computes()
    {
        string json = files.At("perturb.json");
        Outcome outcome = PannProcess.Run(
            files.Root, "perturb", "--model", files.Model, "--data", files.Images, "--form", "uniform,plus", "--size", "0.5,1", "--side", "positive,negative", "--seed", "9", "--layers", "relu,layer3.0.relu1", "--images", "6", "--batch", "4", "--json", json);
        Assert.Equal((0, ""), (outcome.Code, outcome.Error));

        using var workspace = new Workspace(1);
        PerturbationTrial[] trials =
            [.. from form in new[] { PerturbationForm.Uniform, PerturbationForm.Plus } from size in new[] { 0.5, 1 } from side in new[] { PerturbedSide.Positive, PerturbedSide.Negative } select new PerturbationTrial(side, form, size)];
        PerturbationResult expected = new Perturbation(RandomNetwork.Backbone, PerturbationUnit.Absolute, 9, ["relu", "layer3.0.relu1"])
            .Run(trials, Cifar10.ReadFile(files.Images), [0, 1, 2, 3, 4, 5], Normalization.Cifar10, workspace);
        using var document = JsonDocument.Parse(File.ReadAllBytes(json));
        JsonElement root = document.RootElement;
        Assert.Equal(
            ["model", "provenance", "activation", "ranges", "unit", "seed", "images", "accuracy", "summary", "rows", "comparisons", "layers", "seconds"], root.EnumerateObject().Select(p => p.Name));
        Assert.Equal(
            ("model.safetensors", "absolute", 9, 6, expected.Baseline.Accuracy),
            (root.GetProperty("model").GetString()!, root.GetProperty("unit").GetString()!, root.GetProperty("seed").GetInt64(), root.GetProperty("images").GetInt32(), root.GetProperty("accuracy").GetDouble()));
        Assert.Equal(
            expected.Outcomes.Select(o => (o.Trial.Side.ToString().ToLowerInvariant(), o.Trial.Form.ToString().ToLowerInvariant(), o.Trial.Size, o.Accuracy, o.Correct, o.NonFinite)),
            root.GetProperty("rows").EnumerateArray().Select(row => (
                row.GetProperty("side").GetString()!, row.GetProperty("form").GetString()!, row.GetProperty("size").GetDouble(), row.GetProperty("accuracy").GetDouble(), row.GetProperty("correct").GetInt32(), row.GetProperty("nonFiniteImages").GetInt32())));
        Assert.Equal(4, root.GetProperty("comparisons").GetArrayLength());
        Assert.Equal(["relu", "layer3.0.relu1"], root.GetProperty("layers").EnumerateArray().Select(layer => layer.GetProperty("path").GetString()));
        Assert.StartsWith("model.safetensors, sizes absolute, 2 layers\nWithout a perturbation: ", outcome.Out, StringComparison.Ordinal);
        Assert.Matches(@"\n8 perturbations of 6 images in [0-9]+\.[0-9] s\n$", outcome.Out);
    }

    [Fact]
    public void By_default_the_own_error_of_the_usual_polynomial_is_put_on_each_side()
    {
        Outcome outcome = PannProcess.Run(files.Root, "perturb", "--model", files.Model, "--data", files.Images);
        Assert.Equal((0, ""), (outcome.Code, outcome.Error));
        Assert.StartsWith("model.safetensors, composite:alpha=8, ranges global, sizes absolute, all layers\nWithout a perturbation: ", outcome.Out, StringComparison.Ordinal);
        Assert.Contains("\n9 perturbations of 8 images in ", outcome.Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--unit energy", "error: --unit energy: expected the official training files, found {images}; layers are never measured on test images; get the data with: pann data fetch\n")]
    [InlineData("--activation relu", "error: --activation: a polynomial's own error needs a polynomial, found relu\n")]
    [InlineData("--form plus --layers nowhere", "error: perturbation: resnet20 has no activation 'nowhere'; it has {paths}\n")]
    public void What_cannot_be_done_ends_with_1(string arguments, string error)
    {
        string[] before = files.Listing;
        Outcome outcome = PannProcess.Run(files.Root, ["perturb", "--model", files.Model, "--data", files.Images, "--json", files.At("none.json"), .. arguments.Split(' ')]);
        string paths = string.Join(", ", RandomNetwork.Backbone.Activations.Select(a => a.Path));
        Assert.Equal((1, "", error.Replace("{images}", files.Images, StringComparison.Ordinal).Replace("{paths}", paths, StringComparison.Ordinal)), (outcome.Code, outcome.Out, outcome.Error));
        Assert.Equal(before, files.Listing);
    }

    [Theory]
    [InlineData("--form plus,up", "error: --form: expected one of plus, minus, uniform, own, own-reversed, own-random-sign, found 'up'\nsee: pann perturb --help\n")]
    [InlineData("--side left", "error: --side: expected one of negative, positive, both, found 'left'\nsee: pann perturb --help\n")]
    [InlineData("--size 1,-1", "error: --size: expected a positive number, found '-1'\nsee: pann perturb --help\n")]
    [InlineData("--unit mile", "error: --unit: expected one of absolute, rms, energy, found 'mile'\nsee: pann perturb --help\n")]
    public void Wrong_usage_ends_with_2(string arguments, string error)
    {
        Outcome outcome = PannProcess.Run(files.Root, ["perturb", .. arguments.Split(' ')]);
        Assert.Equal((2, "", error), (outcome.Code, outcome.Out, outcome.Error));
    }

    [Fact]
    public void Help_shows_an_example()
    {
        Outcome outcome = PannProcess.Run(files.Root, "perturb", "--help");
        Assert.Equal((0, ""), (outcome.Code, outcome.Error));
        Assert.Contains(outcome.Out.Split('\n'), line => line.Trim().StartsWith("Example: pann perturb ", StringComparison.Ordinal));
    }
}
