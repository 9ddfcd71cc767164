using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using PannCore.Checkpoints;
using PannCore.Cli;
using PannCore.Data;
using PannCore.Diagnostics;
using PannCore.Engine;
using PannCore.Experiments;
using PannCore.Nn;
using PannCore.Tests.Diagnostics;
using PannCore.Tests.Support;
using PannCore.Training;
using Xunit;

namespace PannCore.Tests.Experiments;

/// <summary>The figures in <c>data/results</c> are those of the networks in <c>data/models</c>: checked on the bundled test images, whose right answers every row counts apart.</summary>
public sealed class PublishedRowsTests : IDisposable
{
    /// <summary>Of 1,000 answers: another vector width rounds otherwise, and an image on the border between two classes may fall to the other side.</summary>
    private const int Borderline = 2;

    private static readonly string Root = Path.GetDirectoryName(RandomNetwork.SamplePath)!;

    private readonly Workspace _workspace = new(2);
    private readonly Cifar10 _sample = RandomNetwork.Sample;

    public void Dispose() => _workspace.Dispose();

    [Fact]
    public void Every_table_is_what_its_verb_reads_and_writes()
    {
        int tables = 0;
        Read<PrecisionRow>("precision.json");
        Read<LoopRow>("loop.json");
        Read<DecayRow>("decay.json");
        Read<NetworkRow>("network.json");
        Read<PerturbationRow>("perturbation.json");
        Assert.Equal(7, tables);

        void Read<TRow>(string file) where TRow : IResultRow
        {
            foreach (string path in new[] { file, "choices-" + file }.Select(name => Path.Combine(Root, "results", name)).Where(File.Exists))
            {
                ResultFile<TRow> table = ResultFile<TRow>.Read(path);
                Assert.NotEmpty(table.Rows);
                Assert.Equal(Rounded(File.ReadAllText(path)), Rounded(JsonSerializer.Serialize(table, CliJson.Options)));
                tables++;
            }
        }
    }

    [Fact]
    public void Precision()
    {
        int networks = 0, cells = 0;
        foreach (JsonElement row in Rows("precision.json"))
        {
            if (Load(row) is not { } model) continue;
            networks++;
            Same(row, "backboneSampleCorrect", model.Backbone);
            foreach (JsonElement cell in row.GetProperty("cells").EnumerateArray())
            {
                (string ranges, string control, int alpha) = (cell.GetProperty("ranges").GetString()!, cell.GetProperty("control").GetString()!, cell.GetProperty("alpha").GetInt32());
                if (control != "plain" || (ranges, alpha) is not (("global", 9) or ("layer", 7))) continue; // The controls need training images.
                cells++;
                Same(cell, "sampleCorrect", model.Convert(PrecisionSweep.Alphas(alpha, alpha, model.Description.Activation.Leak).Single().ToString(), ranges));
            }
        }
        Assert.True(networks > 0 && cells >= networks, $"expected networks in data/models/precision, found {networks} with {cells} figures");
    }

    /// <summary>The headline: equalised on all training images, refitted on 500.</summary>
    [NeedsCifar10Fact]
    public void Equalised_and_refitted()
    {
        JsonElement row = Rows("precision.json").Single(r => r.GetProperty("name").GetString() == "baseline-resnet20-100-11");
        JsonElement cell = row.GetProperty("cells").EnumerateArray().Single(c => (c.GetProperty("ranges").GetString(), c.GetProperty("control").GetString(), c.GetProperty("alpha").GetInt32()) == ("global", PrecisionStudy.EqualisedRefitted, 7));
        var study = new PrecisionStudy(Load(row)!, Cifar10.ReadTrain(External.Data!), Experiment.RepairImages, _sample, _workspace);
        int published = cell.GetProperty("sampleCorrect").GetInt32();
        Assert.InRange(study.Measure("global", PrecisionStudy.EqualisedRefitted, 7, study.Backbone()).Correct, published - Borderline, published + Borderline);
    }

    [Fact]
    public void Polynomials_in_the_loop()
    {
        int networks = 0;
        foreach (JsonElement row in Rows("loop.json"))
        {
            if (Load(row) is not { } model) continue;
            networks++;
            Same(row, "sampleCorrect", model.Description.Pann is { } pann ? model.Convert(pann.Activation.ToString(), PannModel.StoredRanges) : model.Backbone);
        }
        // Architecture, epochs, seed, and the way of further training; those that met polynomials only at random, or have other statistics only, are rows of another table.
        int expected = Directory.GetFiles(Path.Combine(Root, "models", "precision"), "*.safetensors").Count(file => Regex.IsMatch(Path.GetFileName(file), @"-resnet\d+-\d+-\d+\.(?!met-|batch-norm\.)[^.]+\.safetensors$"));
        Assert.True(networks == expected, $"expected all {expected} networks of data/models/precision that go on from another in data/results/loop.json, found {networks}");
    }

    /// <summary>To twelve digits: tables also hold what is computed from their cells, and the last digits of a logarithm differ between mathematics libraries.</summary>
    private static string Rounded(string json)
        => Regex.Replace(json, @"-?\d+\.\d{10,}(E-?\d+)?", number => double.Parse(number.Value, CultureInfo.InvariantCulture).ToString("G12", CultureInfo.InvariantCulture));

    private static IEnumerable<JsonElement> Rows(string file)
    {
        string path = Path.Combine(Root, "results", file);
        if (!File.Exists(path)) return [];
        using var document = JsonDocument.Parse(File.ReadAllBytes(path));
        return [.. document.RootElement.GetProperty("rows").EnumerateArray().Select(row => row.Clone())];
    }

    /// <summary>A row says by which command and seed its network was trained: that of the file which it was measured on.</summary>
    [Fact]
    public void Every_row_names_the_training_that_its_file_names()
    {
        const string trained = " in the loop ";
        var rows = new List<(string File, long Seed, string Weights, string Command)>();
        rows.AddRange(Read<NetworkRow>("network.json").Select(row => (row.Name.Contains(trained, StringComparison.Ordinal) ? row.Name.Replace(trained, ".", StringComparison.Ordinal) : row.Backbone, row.Seed, row.Weights, row.Command)));
        rows.AddRange(Read<DecayRow>("decay.json").Select(row => (row.Name, row.Seed, row.Weights, row.Command)));
        rows.AddRange(Read<PerturbationRow>("perturbation.json").Select(row => (row.Network, row.Seed, row.Weights, row.Command)));
        rows.AddRange(Read<PrecisionRow>("precision.json").Select(row => (row.Name, row.Seed, row.Weights, row.Command)));
        rows.AddRange(Read<LoopRow>("loop.json").Select(row => (row.Name, row.Seed, row.Weights, row.Command)));
        foreach (var network in rows.GroupBy(row => row.File))
        {
            var model = PannModel.Load(Path.Combine(Root, "models", "precision", network.Key + ".safetensors"));
            string weights = ModelFile.WeightHash(model.Backbone), command = model.Description.Notes["command"];
            Assert.All(network, row =>
            {
                Assert.Equal((weights, command), (row.Weights, row.Command));
                Assert.Contains($" --seed {row.Seed} ", command, StringComparison.Ordinal);
            });
        }

        static IReadOnlyList<TRow> Read<TRow>(string file) where TRow : IResultRow
        {
            IReadOnlyList<TRow> read = ResultFile<TRow>.Read(Path.Combine(Root, "results", file)).Rows;
            Assert.NotEmpty(read);
            return read;
        }
    }

    /// <summary>The network of a row; null where only its figures are kept.</summary>
    private static PannModel? Load(JsonElement row)
    {
        string file = Path.Combine(Root, "models", "precision", row.GetProperty("name").GetString()! + ".safetensors");
        if (!File.Exists(file)) return null;
        var model = PannModel.Load(file);
        Assert.Equal(row.GetProperty("weights").GetString(), ModelFile.WeightHash(model.Backbone));
        return model;
    }

    private void Same(JsonElement figures, string name, ResNet network)
    {
        int correct = Evaluation.Of(network, _sample, [.. Enumerable.Range(0, _sample.Count)], Normalization.Cifar10, _workspace).Correct;
        Assert.InRange(correct, figures.GetProperty(name).GetInt32() - Borderline, figures.GetProperty(name).GetInt32() + Borderline);
    }
}
