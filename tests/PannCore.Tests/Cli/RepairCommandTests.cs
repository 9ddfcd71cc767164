using System.Text.Json;
using PannCore.Checkpoints;
using PannCore.Data;
using PannCore.Engine;
using PannCore.Nn;
using PannCore.Tests.Diagnostics;
using PannCore.Tests.Support;
using PannCore.Training;
using Xunit;

namespace PannCore.Tests.Cli;

/// <summary>The verb <c>repair</c>, and the other verbs on what it writes.</summary>
public sealed class RepairCommandTests(CliFiles files) : IClassFixture<CliFiles>
{
    [Fact]
    public void A_repaired_model_is_evaluated_as_the_library_does()
    {
        string file = Repaired("as-told.safetensors", out Outcome outcome);
        Assert.Equal((0, ""), (outcome.Code, outcome.Error));
        Assert.Contains($"\nModel: {file}\nTry next: dotnet run -c Release --project src/PannCore.Cli -- eval --model {file}\n", outcome.Out, StringComparison.Ordinal);

        (ResNet model, ModelDescription said) = ModelFile.Load(file);
        Assert.Equal("composite:alpha=6", said.Pann!.Activation.ToString());
        using var document = JsonDocument.Parse(said.Notes["repair"]);
        JsonElement root = document.RootElement;
        Assert.Equal(["model", "activation", "rangesSpec", "provenance", "command", "seed", "repair"], root.EnumerateObject().Select(p => p.Name));
        Assert.Equal(("model.safetensors", "composite:alpha=6", "global:20", 7), (Text("model"), Text("activation"), Text("rangesSpec"), root.GetProperty("seed").GetInt32()));
        Assert.StartsWith("pann repair --model ", Text("command"), StringComparison.Ordinal);
        JsonElement repair = root.GetProperty("repair");
        Assert.Equal((4, 3), (repair.GetProperty("images").GetInt32(), repair.GetProperty("heldOut").GetInt32()));
        Assert.Contains(repair.GetProperty("shift").GetString(), new[] { "injected", "accumulated" });
        Assert.Equal(model.Activations.Select(a => a.Path), repair.GetProperty("layers").EnumerateArray().Select(layer => layer.GetProperty("path").GetString()));

        string json = files.At("eval-repaired.json");
        Outcome eval = PannProcess.Run(files.Root, "eval", "--model", file, "--data", files.Images, "--json", json);
        Assert.Equal((0, ""), (eval.Code, eval.Error));
        Assert.StartsWith("as-told.safetensors, composite:alpha=6, ranges stored: ", eval.Out, StringComparison.Ordinal);
        using var workspace = new Workspace(1);
        Cifar10 data = Cifar10.ReadFile(files.Images);
        ResNet pann = model.With(said.Pann.Activation, ActivationRanges.Of("stored", [.. model.Activations.Select(a => a.Path)], said.Pann.Ranges));
        Evaluation expected = Evaluation.Of(pann, data, [.. Enumerable.Range(0, data.Count)], Normalization.Cifar10, workspace);
        using var written = JsonDocument.Parse(File.ReadAllBytes(json));
        Assert.Equal(expected.Correct, written.RootElement.GetProperty("correct").GetInt32());
        JsonElement provenance = written.RootElement.GetProperty("provenance");
        Assert.Equal(("not measured: held by the model file, whose network was repaired for composite:alpha=6", "none"), (provenance.GetProperty("ranges measured on").GetString(), provenance.GetProperty("margin").GetString()));
        Assert.All(written.RootElement.GetProperty("ranges").EnumerateArray(), r => Assert.Equal(said.Pann.Ranges[r.GetProperty("path").GetString()!], r.GetProperty("range").GetDouble()));

        // The ideal network needs no polynomial and no ranges.
        Outcome relu = PannProcess.Run(files.Root, "eval", "--model", file, "--data", files.Images, "--activation", "relu");
        Assert.Equal((0, ""), (relu.Code, relu.Error));
        Assert.StartsWith("as-told.safetensors, relu: ", relu.Out, StringComparison.Ordinal);
        Outcome inspect = PannProcess.Run(files.Root, "inspect", "--model", file, "--data", files.Images, "--images", "2", "--out", files.At("repaired.html"));
        Assert.Equal((0, ""), (inspect.Code, inspect.Error));
        Assert.Contains("composite:alpha=6", inspect.Out, StringComparison.Ordinal);

        string Text(string name) => root.GetProperty(name).GetString()!;
    }

    [Fact]
    public void The_same_seed_gives_the_same_model_on_any_number_of_threads_and_another_seed_another_one()
    {
        string one = Repaired("one.safetensors", out _, ("--threads", "1")), two = Repaired("two.safetensors", out _, ("--threads", "2")), other = Repaired("other.safetensors", out _, ("--seed", "8"));
        Assert.Equal(Hash(one), Hash(two));
        Assert.NotEqual(Hash(one), Hash(other));

        static string Hash(string file) => ModelFile.WeightHash(ModelFile.Load(file).Model);
    }

    [Fact]
    public void Shifts_belong_to_their_polynomial_and_ranges()
    {
        string file = Repaired("bound.safetensors", out _);
        const string end = "; give the model as it was before that";
        Fails($"{file}: was repaired for composite:alpha=6 over ranges of its own, which it holds; found composite:alpha=7 over ranges 'stored'{end}", "eval", "--model", file, "--data", files.Images, "--activation", "composite:alpha=7");
        Fails($"{file}: was repaired for composite:alpha=6 over ranges of its own, which it holds; found composite:alpha=6 over ranges 'global:9'{end}", "inspect", "--model", file, "--data", files.Images, "--ranges", "global:9");
        Fails($"{file}: was repaired for composite:alpha=6 over ranges of its own, which it holds; found composite:alpha=6 over ranges 'stored' and --calibrate{end}", "eval", "--model", file, "--data", files.Images, "--calibrate", "5");
        Fails($"{file}: was repaired for composite:alpha=6; give the model as it was before that", Repair("again.safetensors", file));
    }

    [Fact]
    public void What_cannot_be_repaired_is_refused_before_the_work()
    {
        Fails($"repair: expected a polynomial that is generated from its text alone, because the model file holds only that; found relu", Repair("never.safetensors", files.Model, ("--activation", "relu")));
        Fails($"repair: expected a polynomial that is generated from its text alone, because the model file holds only that; found file:p.json", Repair("never.safetensors", files.Model, ("--activation", "file:p.json")));
        Fails("repair: expected at most 8 training images in --images and --held-out together, found 9", Repair("never.safetensors", files.Model, ("--images", "6")));
        Fails($"{files.Model}: expected a file of its own for each result, found a file that this command also reads or writes", Repair("model.safetensors", files.Model));
    }

    [Fact]
    public void Test_images_are_refused()
        => Fails(
            "cifar-10-sample.bin: expected training images, found test images; get the full set with: pann data fetch",
            Repair("never.safetensors", files.Model, ("--data", RandomNetwork.SamplePath)));

    [NeedsCifar10Fact]
    public void The_test_file_need_not_be_there()
    {
        string folder = Directory.CreateDirectory(files.At("training-only")).FullName;
        for (int i = 1; i <= 5; i++) File.CreateSymbolicLink(Path.Combine(folder, $"data_batch_{i}.bin"), Path.Combine(External.Data!, $"data_batch_{i}.bin"));
        Outcome outcome = PannProcess.Run(files.Root, Repair("trained.safetensors", files.Model, ("--data", folder)));
        Assert.Equal((0, ""), (outcome.Code, outcome.Error));
        Directory.Delete(folder, recursive: true);
    }

    /// <summary>The command line, with these options instead of or besides the usual ones.</summary>
    private string[] Repair(string name, string model, params (string Option, string Value)[] options)
    {
        var all = new OrderedDictionary<string, string>
        {
            ["--model"] = model,
            ["--data"] = files.Images,
            ["--activation"] = "composite:alpha=6",
            ["--ranges"] = "global:20",
            ["--images"] = "4",
            ["--held-out"] = "3",
            ["--seed"] = "7",
            ["--out"] = files.At(name),
        };
        foreach ((string option, string value) in options) all[option] = value;
        return ["repair", .. all.SelectMany(pair => new[] { pair.Key, pair.Value })];
    }

    private string Repaired(string name, out Outcome outcome, params (string Option, string Value)[] options)
    {
        outcome = PannProcess.Run(files.Root, Repair(name, files.Model, options));
        return files.At(name);
    }

    private void Fails(string message, params string[] arguments)
    {
        string[] before = files.Listing;
        Assert.Equal(new Outcome(1, "", $"error: {message}\n"), PannProcess.Run(files.Root, arguments));
        Assert.Equal(before, files.Listing);
    }
}
