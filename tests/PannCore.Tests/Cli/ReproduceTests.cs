using System.Globalization;
using System.Text.Json;
using PannCore.Approximation;
using PannCore.Checkpoints;
using PannCore.Cli;
using PannCore.Data;
using PannCore.Diagnostics;
using PannCore.Experiments;
using PannCore.Nn;
using PannCore.Tests.Diagnostics;
using PannCore.Tests.Support;
using Xunit;

namespace PannCore.Tests.Cli;

/// <summary>The tables of <c>pann reproduce</c>, with networks that are there already: training takes longer than a test may.</summary>
public sealed class ReproduceTests(CliFiles files) : IClassFixture<CliFiles>
{
    private const string Backbone = "baseline-resnet20-3-5", Firm = " --activation direct:2 --ranges layer --margin 0.35 --penalty 10 --penalty-from 0.7 --penalty-rises";

    private static readonly string[] Few = ["--ranges", "layer", "--control", "plain", "--from", "4", "--to", "4", "--epochs", "3"];

    private static string Data => External.Data!;

    [NeedsCifar10Fact]
    public void A_row_is_measured_once_and_again_for_other_weights()
    {
        string folder = Folder("precision"), network = Path.Combine(folder, "baseline-resnet20-3-5.safetensors"), table = Path.Combine(folder, "table.json");
        File.Copy(files.Model, network);
        string[] command = ["reproduce", "precision", "--data", Data, "--models", folder, "--json", table, "--seeds", "5..5", "--plot", Path.Combine(folder, "plot.svg"), .. Few];
        Outcome first = PannProcess.Run(files.Root, command);
        Assert.Equal((0, ""), (first.Code, first.Error));
        Assert.Contains("baseline-resnet20-3-5  layer  plain  alpha 4: ", first.Out, StringComparison.Ordinal);
        byte[] written = File.ReadAllBytes(table);
        JsonElement row = Row(table);
        Assert.Equal(("baseline", 5, 10_000, ModelFile.WeightHash(RandomNetwork.Backbone)), (row.GetProperty("recipe").GetString(), row.GetProperty("seed").GetInt32(), row.GetProperty("images").GetInt32(), row.GetProperty("weights").GetString()));
        int correct = row.GetProperty("backboneCorrect").GetInt32();
        Assert.Equal(correct, RightAnswers.Read(row.GetProperty("backboneRight").GetString()!, 10_000).Count(right => right));
        JsonElement cell = row.GetProperty("cells").EnumerateArray().Single();
        Outcome evaluated = PannProcess.Run(files.Root, "eval", "--model", network, "--data", Data, "--activation", "composite:alpha=4", "--ranges", "layer");
        Assert.Contains($"({cell.GetProperty("correct").GetInt32()} of 10000 right)", evaluated.Out, StringComparison.Ordinal);
        Assert.Contains("A range for each activation", File.ReadAllText(Path.Combine(folder, "plot.svg")), StringComparison.Ordinal);
        Assert.Contains("baseline-resnet20-3-*  1  ", System.Text.RegularExpressions.Regex.Replace(first.Out, " {2,}", "  "), StringComparison.Ordinal);

        Outcome second = PannProcess.Run(files.Root, command);
        Assert.DoesNotContain("alpha 4: ", second.Out, StringComparison.Ordinal);
        Assert.Equal(written, File.ReadAllBytes(table));

        ModelFile.Save(network, RandomNetwork.Make(9), new("resnet20", Normalization.Cifar10, ActivationSpec.Parse("relu"), RandomNetwork.Largest, 24, new Dictionary<string, string>()));
        Assert.Contains("alpha 4: ", PannProcess.Run(files.Root, command).Out, StringComparison.Ordinal);
        Assert.NotEqual(ModelFile.WeightHash(RandomNetwork.Backbone), Row(table).GetProperty("weights").GetString());
    }

    [NeedsCifar10Fact]
    public void Two_runs_fill_one_table()
    {
        string folder = Folder("two"), table = Path.Combine(folder, "table.json");
        foreach (string recipe in (string[])["baseline", "mixup-1"]) File.Copy(files.Model, Path.Combine(folder, $"{recipe}-resnet20-3-5.safetensors"));
        string[] Command(string recipe, string control) => ["reproduce", "precision", "--recipe", recipe, "--data", Data, "--models", folder, "--json", table, "--seeds", "5..5", "--ranges", "layer", "--control", control, "--from", "4", "--to", "5", "--epochs", "3", "--threads", "1"];
        PannProcess[] runs = [.. new[] { ("baseline", "plain"), ("mixup-1", "plain") }.Select(pair => PannProcess.Start(files.Root, Command(pair.Item1, pair.Item2)))];
        Assert.All(runs, run => Assert.Equal(0, run.Wait().Code));
        foreach (PannProcess run in runs) run.Dispose();
        using var document = JsonDocument.Parse(File.ReadAllBytes(table));
        Assert.All(document.RootElement.GetProperty("rows").EnumerateArray(), row => Assert.Equal(2, row.GetProperty("cells").GetArrayLength()));
        Assert.Equal(2, document.RootElement.GetProperty("rows").GetArrayLength());
        Assert.DoesNotContain(Directory.GetFiles(folder), file => file.EndsWith(".lock", StringComparison.Ordinal));
    }

    [NeedsCifar10Fact]
    public void A_network_that_was_trained_otherwise_is_refused()
    {
        string folder = Folder("otherwise"), network = Path.Combine(folder, "baseline-resnet20-3-5.safetensors");
        ModelFile.Save(network, RandomNetwork.Backbone, new("resnet20", Normalization.Cifar10, ActivationSpec.Parse("relu"), RandomNetwork.Largest, 24, new Dictionary<string, string> { ["command"] = "pann train --epochs 3" }));
        Outcome outcome = PannProcess.Run(files.Root, ["reproduce", "precision", "--data", Data, "--models", folder, "--json", Path.Combine(folder, "table.json"), "--seeds", "5..5", .. Few]);
        Assert.Equal(
            $"error: {network}: at metadata command: expected pann train --arch resnet20 --epochs 3 --batch 128 --learning-rate 0.1 --warmup 1 --weight-decay 0.0005 --validation 0 --seed 5 --convolution winograd4 --out model.safetensors, found pann train --epochs 3; delete or move the file, or name another folder by --models\n",
            outcome.Error);
        Assert.False(File.Exists(Path.Combine(folder, "table.json")));

        // What its polynomials cannot be trained beside is said before anything is trained.
        foreach (string other in (string[])["noise-0.1", "crest-4-0.01"])
        {
            Assert.Equal(
                $"error: recipe {other}: expected one without leak, noise and a penalty on crest factors, beside which no polynomial is trained\n",
                PannProcess.Run(files.Root, "reproduce", "loop", "--backbone", other, "--tune", "direct-4", "--epochs", "3", "--data", Data, "--models", folder, "--json", Path.Combine(folder, "noise.json"), "--seeds", "5..5").Error);
        }

        // Its backbone is another now than the one that it was trained on from.
        string table = Path.Combine(folder, "loop.json"), tuned = Path.Combine(folder, "baseline-resnet20-3-5.relu-2.safetensors");
        File.Copy(files.Model, network, overwrite: true);
        ModelFile.Save(tuned, RandomNetwork.Backbone, new("resnet20", Normalization.Cifar10, ActivationSpec.Parse("relu"), RandomNetwork.Largest, 24, new Dictionary<string, string> { ["initialWeights"] = "of another" }));
        Assert.Equal(
            $"error: {tuned}: at metadata initialWeights: expected {ModelFile.WeightHash(RandomNetwork.Backbone)}, the weights of {network}, found of another\n",
            PannProcess.Run(files.Root, "reproduce", "loop", "--tune", "relu", "--epochs", "3", "--tuning-epochs", "2", "--data", Data, "--models", folder, "--json", table, "--seeds", "5..5").Error);
    }

    [NeedsCifar10Fact]
    public void Choices_are_judged_by_training_images_held_out()
    {
        string folder = Folder("choices");
        File.Copy(files.Model, Path.Combine(folder, "baseline-resnet20-3-5.safetensors"));
        Outcome outcome = PannProcess.Run(files.Root, ["reproduce", "precision", "--on", "held-out", "--data", Data, "--models", folder, "--json", Path.Combine(folder, "table.json"), "--seeds", "5..5", .. Few]);
        Assert.Equal(0, outcome.Code);
        JsonElement row = Row(Path.Combine(folder, "table.json"));
        Cifar10 training = Cifar10.ReadTrain(Data);
        var held = training.Select(Split.Balanced(training, 5000, seed: 5).Validation);
        using var workspace = new PannCore.Engine.Workspace(2);
        var right = PannCore.Training.Evaluation.Of(RandomNetwork.Backbone, held, [.. Enumerable.Range(0, held.Count)], Normalization.Cifar10, workspace);
        Assert.Equal((5000, right.Correct), (row.GetProperty("images").GetInt32(), row.GetProperty("backboneCorrect").GetInt32()));
        Assert.False(row.GetProperty("cells")[0].TryGetProperty("sampleCorrect", out _));
    }

    [NeedsCifar10Fact]
    public void A_network_with_polynomials_stands_beside_its_control()
    {
        string folder = Folder("loop"), table = Path.Combine(folder, "table.json");
        File.Copy(files.Model, Path.Combine(folder, "baseline-resnet20-3-5.safetensors"));
        File.Copy(files.Model, Path.Combine(folder, "baseline-resnet20-3-5.relu-2.safetensors"));
        Dictionary<string, double> ranges = RandomNetwork.Largest.ToDictionary(pair => pair.Key, pair => 0.5 * pair.Value); // Narrow: inputs leave them.
        ModelFile.Save(
            Path.Combine(folder, "baseline-resnet20-3-5.direct-4-2.safetensors"), RandomNetwork.Backbone,
            new("resnet20", Normalization.Cifar10, ActivationSpec.Parse("relu"), null, 0, new Dictionary<string, string>(), new(ActivationSpec.Parse("direct:4"), ranges, StandsForItself: true)));
        Outcome outcome = PannProcess.Run(
            files.Root, "reproduce", "loop", "--on", "held-out", "--tune", "relu", "--tune", "direct-4", "--epochs", "3", "--tuning-epochs", "2", "--data", Data, "--models", folder, "--json", table, "--seeds", "5..5");
        Assert.Equal((0, ""), (outcome.Code, outcome.Error));
        using var document = JsonDocument.Parse(File.ReadAllBytes(table));
        JsonElement[] rows = [.. document.RootElement.GetProperty("rows").EnumerateArray()];
        Assert.Equal(["relu", "direct-4"], rows.Select(row => row.GetProperty("tuning").GetString()));
        Assert.Equal(rows[0].GetProperty("correct").GetInt32(), rows[1].GetProperty("backboneCorrect").GetInt32());
        Assert.Equal(JsonValueKind.Null, rows[0].GetProperty("ranges").ValueKind);
        Assert.Equal((58, 38, 376_832), (rows[1].GetProperty("price").GetProperty("levels").GetInt32(), rows[1].GetProperty("price").GetProperty("depth").GetInt32(), rows[1].GetProperty("price").GetProperty("multiplications").GetInt32()));
        Assert.True(rows[1].GetProperty("ranges").GetProperty("outOfRange").GetInt64() > 0 && rows[1].GetProperty("ranges").GetProperty("largest").GetDouble() > 1);
        Assert.Matches(@"baseline-resnet20-3-5\.direct-4-2 +\d+\.\d\d % +\d+\.\d\d % +-?\d+\.\d\d \+- \d+\.\d\d +(\d\.\d{3}|\de-\d+|< 1e-99) +- +- +58 ", outcome.Out); // Accuracy, control, difference and p against it, no way without a teacher, levels.
    }

    /// <summary>It goes on from another way's network, for passes of its own, and so does its control: they are compared, and the control of the stage before is not.</summary>
    [NeedsCifar10Fact]
    public void A_last_stage_stands_beside_its_own_control()
    {
        string folder = Folder("last"), table = Path.Combine(folder, "table.json");
        File.Copy(files.Model, Path.Combine(folder, Backbone + ".safetensors"));
        // Better than all the others by far, which are random: that shows in p.
        ResNet trained = PannModel.Load(Path.Combine(Path.GetDirectoryName(RandomNetwork.SamplePath)!, "models", "resnet20.safetensors")).Backbone;
        const string first = "--epochs 2 --batch 128 --learning-rate 0.05 --warmup 1 --weight-decay 0.0005", last = "--epochs 10 --batch 128 --learning-rate 0.01 --warmup 1 --weight-decay 0.0005";
        SaveTuned(folder, "relu-2", RandomNetwork.Backbone, polynomial: false, $"{first} --init {Backbone}.safetensors");
        SaveTuned(folder, "relu-last-2+10", trained, polynomial: false, $"{last} --init {Backbone}.relu-2.safetensors");
        SaveTuned(folder, "direct-2-firm-2", RandomNetwork.Backbone, polynomial: true, $"{first} --init {Backbone}.safetensors{Firm}");
        // A network that another command has trained is refused.
        SaveTuned(folder, "direct-2-inward-2+10", RandomNetwork.Backbone, polynomial: true, $"{last} --init {Backbone}.direct-2-firm-2.safetensors --activation direct:2 --ranges stored --penalty 10 --penalty-from 0.6");
        string[] command = ["reproduce", "loop", "--on", "held-out", "--tune", "relu", "--tune", "relu-last", "--tune", "direct-2-inward", "--epochs", "3", "--tuning-epochs", "2", "--data", Data, "--models", folder, "--json", table, "--seeds", "5..5"];
        Outcome outcome = PannProcess.Run(files.Root, command);
        Assert.Equal((0, ""), (outcome.Code, outcome.Error));
        using var document = JsonDocument.Parse(File.ReadAllBytes(table));
        JsonElement[] rows = [.. document.RootElement.GetProperty("rows").EnumerateArray()];
        bool[][] right = [.. rows.Select(row => RightAnswers.Read(row.GetProperty("right").GetString()!, 5000))];
        string[] cells = outcome.Out.Split('\n').Single(line => line.Contains("direct-2-inward-2+10  ", StringComparison.Ordinal)).Split("  ", StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        Assert.Equal($"{(100.0 * right[1].Count(answer => answer) / 5000).ToString("F2", CultureInfo.InvariantCulture)} %", cells[2]);
        var test = McNemar.Of(right[2], right[1]);
        (double points, double half) = test.Difference(5000);
        Assert.Equal((string.Create(CultureInfo.InvariantCulture, $"{points:F2} +- {half:F2}"), "< 1e-99"), (cells[3], cells[4]));
        Assert.InRange(test.Probability, 0, 1e-99);
        Assert.True(McNemar.Of(right[2], right[0]).Probability > 0.001); // The other control would have given another.

        Assert.Equal(
            "error: --penalty: expected --tune with a way with a polynomial, found none; without one this option does nothing\n",
            PannProcess.Run(files.Root, "reproduce", "loop", "--on", "held-out", "--tune", "relu", "--penalty", "2", "--data", Data, "--models", folder, "--json", table).Error);
        Assert.Equal(
            "error: --margin: expected a way whose ranges are not those of the way before it, found --tune direct-2-inward\n", PannProcess.Run(files.Root, [.. command, "--margin", "2"]).Error);
    }

    /// <summary>Its control has the same teacher, it is compared with the same way without one too, and a network of another teacher is not taken for it.</summary>
    [NeedsCifar10Fact]
    public void A_distilled_network_stands_beside_its_control_and_the_way_without_a_teacher()
    {
        string folder = Folder("distilled"), table = Path.Combine(folder, "table.json");
        File.Copy(files.Model, Path.Combine(folder, Backbone + ".safetensors"));
        ResNet trained = PannModel.Load(Path.Combine(Path.GetDirectoryName(RandomNetwork.SamplePath)!, "models", "resnet20.safetensors")).Backbone;
        string teacher = ModelFile.WeightHash(RandomNetwork.Backbone);
        const string begin = $"--epochs 2 --batch 128 --learning-rate 0.05 --warmup 1 --weight-decay 0.0005 --init {Backbone}.safetensors", taught = $" --teacher {Backbone}.safetensors --distil 0.9 --temperature 4";
        SaveTuned(folder, "direct-2-firm-2", RandomNetwork.Make(2), polynomial: true, begin + Firm);
        SaveTuned(folder, "relu-distilled-2", trained, polynomial: false, begin, taught, teacher); // Better than all the others by far, which are random: that shows in p.
        SaveTuned(folder, "direct-2-distilled-2", RandomNetwork.Backbone, polynomial: true, begin + Firm, taught, teacher);
        string[] command = ["reproduce", "loop", "--on", "held-out", "--tune", "direct-2-firm", "--tune", "relu-distilled", "--tune", "direct-2-distilled", "--epochs", "3", "--tuning-epochs", "2", "--data", Data, "--models", folder, "--json", table, "--seeds", "5..5"];
        Outcome outcome = PannProcess.Run(files.Root, command);
        Assert.Equal((0, ""), (outcome.Code, outcome.Error));
        using var document = JsonDocument.Parse(File.ReadAllBytes(table));
        bool[][] right = [.. document.RootElement.GetProperty("rows").EnumerateArray().Select(row => RightAnswers.Read(row.GetProperty("right").GetString()!, 5000))];
        string[] Cells(string name) => outcome.Out.Split('\n').Single(line => line.Contains($"{name}-2  ", StringComparison.Ordinal)).Split("  ", StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        string Points(bool[] one, bool[] other) => McNemar.Of(one, other).Difference(5000) is var (points, half) ? string.Create(CultureInfo.InvariantCulture, $"{points:F2} +- {half:F2}") : "";
        Assert.Equal((Points(right[2], right[1]), "< 1e-99", Points(right[2], right[0])), (Cells("direct-2-distilled")[3], Cells("direct-2-distilled")[4], Cells("direct-2-distilled")[5]));
        Assert.Equal(["-", "-", "-", "-", "-"], Cells("direct-2-firm")[2..7]); // Neither its control, which has no teacher, nor a way without one.

        foreach (string? other in new[] { null, ModelFile.WeightHash(trained) })
        {
            SaveTuned(folder, "direct-2-distilled-2", RandomNetwork.Backbone, polynomial: true, begin + Firm, taught, other);
            Assert.Equal(
                $"error: {Path.Combine(folder, $"{Backbone}.direct-2-distilled-2.safetensors")}: at metadata teacherWeights: expected {teacher}, the weights of {Path.Combine(folder, Backbone + ".safetensors")}, found {other ?? "none"}\n",
                PannProcess.Run(files.Root, command).Error);
        }
    }

    /// <summary>ReLU on images of that contrast is the control, and no other row stands for the plain way.</summary>
    [NeedsCifar10Fact]
    public void Another_contrast_has_a_control_of_its_own()
    {
        string folder = Folder("contrast"), table = Path.Combine(folder, "table.json");
        const string settings = ",margin=0.35,penalty=10,from=0.7,contrast=4";
        File.Copy(files.Model, Path.Combine(folder, Backbone + ".safetensors"));
        static string Settings(string contrast) => $"--epochs 2 --batch 128 --learning-rate 0.05 --warmup 1 --weight-decay 0.0005{contrast} --init {Backbone}.safetensors";
        SaveTuned(folder, "relu-contrast-2", RandomNetwork.Make(3), polynomial: false, Settings(" --contrast 2"));
        SaveTuned(folder, "relu-contrast,contrast=4-2", RandomNetwork.Make(2), polynomial: false, Settings(" --contrast 4"));
        SaveTuned(folder, "direct-2-firm-2", RandomNetwork.Make(4), polynomial: true, Settings("") + Firm);
        SaveTuned(folder, $"direct-2-contrast{settings}-2", RandomNetwork.Backbone, polynomial: true, Settings(" --contrast 4") + Firm);
        string[] command = ["reproduce", "loop", "--on", "held-out", "--epochs", "3", "--tuning-epochs", "2", "--data", Data, "--models", folder, "--json", table, "--seeds", "5..5"];
        Assert.Equal(0, PannProcess.Run(files.Root, [.. command, "--tune", "relu-contrast", "--tune", "direct-2-firm"]).Code);
        Outcome outcome = PannProcess.Run(files.Root, [.. command, "--tune", "relu-contrast", "--tune", "direct-2-contrast", "--contrast", "4"]);
        Assert.Equal((0, ""), (outcome.Code, outcome.Error));
        using var document = JsonDocument.Parse(File.ReadAllBytes(table));
        Dictionary<string, bool[]> right = document.RootElement.GetProperty("rows").EnumerateArray().ToDictionary(row => row.GetProperty("tuning").GetString()!, row => RightAnswers.Read(row.GetProperty("right").GetString()!, 5000));
        Assert.Equal(["relu-contrast", "direct-2-firm", "relu-contrast,contrast=4", $"direct-2-contrast{settings}"], right.Keys);
        string[] cells = outcome.Out.Split('\n').Single(line => line.Contains($"direct-2-contrast{settings}-2  ", StringComparison.Ordinal)).Split("  ", StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        (double points, double half) = McNemar.Of(right[$"direct-2-contrast{settings}"], right["relu-contrast,contrast=4"]).Difference(5000);
        Assert.Equal((string.Create(CultureInfo.InvariantCulture, $"{points:F2} +- {half:F2}"), "-", "-"), (cells[3], cells[5], cells[6]));
        Assert.Equal("error: recipe: contrast: expected more than 1 and at most 100, found 0.5\n", PannProcess.Run(files.Root, [.. command, "--tune", "relu", "--contrast", "0.5"]).Error);
    }

    [NeedsCifar10Fact]
    public void Sides_are_compared_as_pann_perturb_does()
    {
        string folder = Folder("perturbation"), table = Path.Combine(folder, "table.json"), plot = Path.Combine(folder, "plot.svg"), network = Path.Combine(folder, "baseline-resnet20-3-5.safetensors");
        // Twice the inputs of 24 images, so that none of the others' makes a polynomial explode.
        ModelFile.Save(network, RandomNetwork.Backbone, new("resnet20", Normalization.Cifar10, ActivationSpec.Parse("relu"), RandomNetwork.Largest.ToDictionary(pair => pair.Key, pair => 2 * pair.Value), 24, new Dictionary<string, string>()));
        string[] command = ["reproduce", "perturbation", "--images", "40", "--data", Data, "--models", folder, "--json", table, "--seeds", "5..5", "--epochs", "3", "--plot", plot];
        Outcome first = PannProcess.Run(files.Root, command);
        Assert.Equal((0, ""), (first.Code, first.Error));
        byte[] written = File.ReadAllBytes(table);
        using var document = JsonDocument.Parse(written);
        JsonElement[] rows = [.. document.RootElement.GetProperty("rows").EnumerateArray()];
        Assert.Equal(["absolute", "energy", "absolute", "absolute", "energy"], rows.Select(row => row.GetProperty("unit").GetString()));
        Assert.All(rows, row => Assert.Equal(40, row.GetProperty("images").GetInt32()));

        // The other verb, on the same images: the energies are measured on 1,000 training images by both.
        string other = Path.Combine(folder, "perturb.json");
        Assert.Equal(0, PannProcess.Run(files.Root, "perturb", "--model", network, "--data", Data, "--images", "40", "--unit", "energy", "--size", "0.4", "--form", "plus,uniform", "--side", "negative,positive", "--json", other).Code);
        using var perturbed = JsonDocument.Parse(File.ReadAllBytes(other));
        foreach (string form in (string[])["plus", "uniform"])
        {
            JsonElement cell = rows[1].GetProperty("cells").EnumerateArray().Single(c => c.GetProperty("form").GetString() == form && c.GetProperty("size").GetDouble() == 0.4);
            int Correct(string side) => perturbed.RootElement.GetProperty("rows").EnumerateArray().Single(r => r.GetProperty("form").GetString() == form && r.GetProperty("side").GetString() == side).GetProperty("correct").GetInt32();
            Assert.Equal((Correct("negative"), Correct("positive")), (cell.GetProperty("negative").GetInt32(), cell.GetProperty("positive").GetInt32()));
        }
        Assert.Contains(rows[1].GetProperty("cells").EnumerateArray(), cell => cell.GetProperty("negative").GetInt32() != cell.GetProperty("positive").GetInt32()); // Exchanged sides would show.
        Assert.Contains("the same energy on either side", File.ReadAllText(plot), StringComparison.Ordinal);

        Assert.DoesNotContain("measuring", PannProcess.Run(files.Root, command).Out, StringComparison.Ordinal);
        Assert.Equal(written, File.ReadAllBytes(table));
    }

    /// <summary>One published network and polynomial, by the command that its rows state: converted, repaired, refitted, equalised and refitted.</summary>
    [NeedsCifar10Fact]
    public void A_networks_rows_are_the_published_ones()
    {
        const string backbone = "baseline-resnet20-40-11";
        string folder = Published("network", backbone), table = Path.Combine(folder, "network.json"), plot = Path.Combine(folder, "plot.svg");
        string[] command = ["reproduce", "network", "--activation", "composite:5", "--data", Data, "--models", folder, "--json", table, "--seeds", "11..11", "--plot", plot];
        Outcome first = PannProcess.Run(files.Root, command);
        Assert.Equal((0, ""), (first.Code, first.Error));
        NetworkRow[] found = [.. ResultFile<NetworkRow>.Read(table).Rows];
        NetworkRow[] published = [.. ResultFile<NetworkRow>.Read(Results("network.json")).Rows.Where(row => row.Backbone == backbone && row.Activation is "relu" or "composite:5")];
        Assert.Equal(["ReLU", "converted", "repaired", "refitted", "equalised and refitted"], published.Select(row => row.Kind));
        Assert.Equal(published.Length, found.Length);
        foreach ((NetworkRow expected, NetworkRow row) in published.Zip(found))
        {
            // Another vector width rounds otherwise: 20 of 10,000 images may lie on the border between two classes.
            Assert.InRange(row.Correct, expected.Correct - 20, expected.Correct + 20);
            Assert.Equal(expected with { Correct = row.Correct, Interval = BinomialInterval.Of(row.Correct, 10_000) }, row);
        }
        Assert.Contains("Accuracy against CKKS levels", File.ReadAllText(plot), StringComparison.Ordinal);

        byte[] written = File.ReadAllBytes(table);
        PannProcess.Run(files.Root, command);
        Assert.Equal(written, File.ReadAllBytes(table));
    }

    /// <summary>The precision needed is what the other table says; the loss, and how it grows, are measured.</summary>
    [NeedsCifar10Fact]
    public void What_decay_did_is_the_published_row()
    {
        const string name = "baseline-resnet20-40-11";
        string folder = Published("decay", name), table = Path.Combine(folder, "decay.json");
        File.Copy(Results("precision.json"), Path.Combine(folder, "precision.json"));
        Outcome outcome = PannProcess.Run(files.Root, "reproduce", "decay", "--recipe", "baseline", "--data", Data, "--models", folder, "--json", table, "--seeds", "11..11");
        Assert.Equal((0, ""), (outcome.Code, outcome.Error));
        DecayRow row = ResultFile<DecayRow>.Read(table).Rows.Single(), expected = ResultFile<DecayRow>.Read(Results("decay.json")).Rows.Single(published => published.Name == name);
        PrecisionRow precision = ResultFile<PrecisionRow>.Read(Results("precision.json")).Rows.Single(published => published.Name == name);
        foreach ((CrestAndNeed of, string ranges) in new[] { (row.Global, "global"), (row.Layer, "layer") })
        {
            Assert.Equal(precision.Needed.Single(need => need.Ranges == ranges && need.Control == PrecisionStudy.Plain).Half, of.Alpha);
            Assert.Equal(precision.CrestFactors.Average(layer => Math.Log2((ranges == "global" ? precision.CrestFactors.Max(other => other.Range) : layer.Range) / layer.Rms)), of.Crest, 1e-9);
        }
        Assert.Equal((expected.Name, expected.Weights, expected.Images, expected.Backbone, expected.Range, expected.Scale), (row.Name, row.Weights, row.Images, row.Backbone, row.Range, row.Scale));
        // Float32 sums of 2,000 losses, by vectors of another width: five digits.
        Assert.Equal(expected.Loss, row.Loss, 1e-5);
        Assert.Equal(expected.Layers.Select(layer => layer.Layer), row.Layers.Select(layer => layer.Layer));
        foreach ((Sturdiness published, Sturdiness found) in expected.Layers.Append(expected.All).Zip(row.Layers.Append(row.All)))
        {
            Assert.Equal(published.Growth, found.Growth, 1e-4);
            Assert.Equal(published.FirstOrder, found.FirstOrder, 1e-4);
            Assert.Equal(published.SecondOrder, found.SecondOrder, 1e-3);
        }
    }

    [Fact]
    public void What_cannot_be_asked_for_is_named()
    {
        foreach (string verb in new[] { "precision", "network" })
        {
            Assert.Equal(
                new Outcome(1, "", "error: --tune direct-4: expected a way that leaves a network with ReLUs, found one whose networks are no approximation of any; see pann reproduce loop\n"),
                PannProcess.Run(files.Root, "reproduce", verb, "--tune", "direct-4"));
            Assert.Equal(
                new Outcome(1, "", "error: --tuning-epochs: expected --tune with a way that trains; without that this option does nothing\n"), PannProcess.Run(files.Root, "reproduce", verb, "--tuning-epochs", "2"));
            Assert.Equal(
                new Outcome(1, "", "error: --tuning-epochs: expected --tune with a way that trains; without that this option does nothing\n"),
                PannProcess.Run(files.Root, "reproduce", verb, "--tune", "batch-norm", "--tuning-epochs", "2"));
        }
        Assert.Equal(
            new Outcome(1, "", $"error: tuning 'direct-5': unknown; pann train --list shows all {PannCore.Training.NamedTuning.All.Count}\n"), PannProcess.Run(files.Root, "reproduce", "loop", "--tune", "direct-5"));
        Assert.Equal(
            new Outcome(1, "", $"error: reproduce: expected the official training and test files, found {files.Images}; get the data with: pann data fetch\n"),
            PannProcess.Run(files.Root, "reproduce", "loop", "--data", files.Images));
        Assert.Equal(
            new Outcome(1, "", "error: --tune relu: expected --init with the model to begin from, found none\n"), PannProcess.Run(files.Root, "train", "--tune", "relu", "--out", "x.safetensors"));
        Assert.Equal(
            new Outcome(1, "", "error: --tune met-6: expected a way with polynomials or its control, found one that leaves a network with ReLUs; see pann reproduce precision\n"), PannProcess.Run(files.Root, "reproduce", "loop", "--tune", "met-6"));
        Assert.Equal(
            new Outcome(1, "", "error: --tune batch-norm: expected a way with polynomials or its control, found one that leaves a network with ReLUs; see pann reproduce precision\n"), PannProcess.Run(files.Root, "reproduce", "loop", "--tune", "batch-norm"));
        Assert.Equal(
            new Outcome(1, "", "error: --from and --to: expected a range of precisions, found 9 to 4\n"), PannProcess.Run(files.Root, "reproduce", "precision", "--from", "9", "--to", "4"));
        Assert.Equal(
            new Outcome(1, "", "error: --ranges and --control: expected a control that applies to the ranges, found none; the scale of an equalised network is arbitrary, so a fixed B says nothing of it\n"),
            PannProcess.Run(files.Root, "reproduce", "precision", "--control", "equalised", "--ranges", "global:50"));
        foreach (string[] verb in (string[][])[["decay", "--recipe"], ["network", "--backbone"]])
        {
            Assert.Equal(
                new Outcome(1, "", "error: recipe leak-0.1: expected one whose networks have ReLUs, as these polynomials do, found a slope for negative inputs; see pann reproduce precision\n"),
                PannProcess.Run(files.Root, "reproduce", verb[0], verb[1], "leak-0.1"));
        }
        Assert.Equal(2, PannProcess.Run(files.Root, "reproduce", "decay", "--minutes", "NaN").Code);
        Assert.Equal(
            new Outcome(1, "", "error: --activation: expected a polynomial that stands for ReLU and is generated from its text alone, found direct:4,leak=0.1\n"), PannProcess.Run(files.Root, "reproduce", "network", "--activation", "direct:4,leak=0.1"));
    }

    [NeedsCifar10Fact]
    public void Choices_are_refused_on_test_images_and_foreign_tables_are_left_alone()
    {
        Assert.Equal(
            "error: --margin: expected --on held-out, because choices must not see the test images; found --on test\n",
            PannProcess.Run(files.Root, "reproduce", "loop", "--margin", "2", "--models", Folder("choose"), "--json", "choose.json", "--data", Data).Error);
        files.With("other.json", "{\"rows\": 3}");
        Outcome foreign = PannProcess.Run(files.Root, "reproduce", "loop", "--json", "other.json", "--models", Folder("foreign"), "--data", Data);
        Assert.StartsWith("error: other.json: expected what this version of pann reproduce writes, found something else: ", foreign.Error, StringComparison.Ordinal);
        Assert.Equal("{\"rows\": 3}", File.ReadAllText(files.At("other.json")));

        // Another verb's rows lack what this one's have.
        string rows = File.ReadAllText(Path.Combine(Path.GetDirectoryName(RandomNetwork.SamplePath)!, "results", "loop.json"));
        files.With("loop.json", rows);
        Outcome another = PannProcess.Run(files.Root, ["reproduce", "precision", "--json", "loop.json", "--models", Folder("foreign"), "--data", Data, .. Few]);
        Assert.StartsWith("error: loop.json: expected what this version of pann reproduce writes, found something else: ", another.Error, StringComparison.Ordinal);
        Assert.Equal(rows, File.ReadAllText(files.At("loop.json")));
        Assert.Empty(Directory.GetFiles(Folder("foreign")));
    }

    /// <summary>A network as if trained on from the backbone of seed 5, by degree 2 over wide ranges or with ReLU, by a command with these settings.</summary>
    private static void SaveTuned(string folder, string name, ResNet network, bool polynomial, string settings, string teaching = "", string? teacher = null)
    {
        var notes = new Dictionary<string, string> { ["command"] = $"pann train --arch resnet20 {settings} --max-gradient-norm 2{teaching} --validation 5000 --seed 5 --convolution winograd4 --out model.safetensors" };
        if (teacher is not null) notes["teacherWeights"] = teacher;
        ModelFile.Save(
            Path.Combine(folder, $"{Backbone}.{name}.safetensors"), network,
            new("resnet20", Normalization.Cifar10, ActivationSpec.Parse("relu"), polynomial ? null : RandomNetwork.Largest, polynomial ? 0 : 1, notes,
                polynomial ? new(ActivationSpec.Parse("direct:2"), RandomNetwork.Largest.ToDictionary(pair => pair.Key, pair => 2 * pair.Value), StandsForItself: true) : null));
    }

    /// <summary>A folder of its own with one published network.</summary>
    private string Published(string name, string network)
    {
        string folder = Folder("published-" + name), file = network + ".safetensors";
        File.Copy(Path.Combine(Path.GetDirectoryName(RandomNetwork.SamplePath)!, "models", "precision", file), Path.Combine(folder, file));
        return folder;
    }

    private static string Results(string table) => Path.Combine(Path.GetDirectoryName(RandomNetwork.SamplePath)!, "results", table);

    private string Folder(string name) => Directory.CreateDirectory(files.At(name)).FullName;

    private static JsonElement Row(string file)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(file));
        return document.RootElement.GetProperty("rows").EnumerateArray().Single().Clone();
    }
}
