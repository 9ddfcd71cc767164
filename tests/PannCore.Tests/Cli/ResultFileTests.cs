using System.Text.Json.Nodes;
using PannCore.Cli;
using PannCore.Data;
using PannCore.Tests.Checkpoints;
using PannCore.Tests.Support;
using Xunit;

namespace PannCore.Tests.Cli;

/// <summary>Tables of <c>pann reproduce</c> that are damaged, or of other images, are refused with one line.</summary>
public sealed class ResultFileTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("images", "0", "at least one image, found 0")]
    [InlineData("backboneCorrect", "-5", "counts from 0 to 10000 images, found -5")]
    [InlineData("backboneRight", "\"!!\"", "right answers: expected 1250 bytes in base 64, found 2 characters")]
    [InlineData("crestFactors", "[]", "the crest factor of each activation, found none")]
    [InlineData("cells", "[null]", "cells, found null")]
    [InlineData("crestFactors", "[null]", "the crest factor of each activation, found none")]
    public void A_damaged_row_of_precision_is_refused(string field, string value, string expected) => Refuses<PrecisionRow>("precision.json", row => row[field] = JsonNode.Parse(value), expected);

    [Fact]
    public void A_cell_twice_is_refused()
        => Refuses<PrecisionRow>("precision.json", row => row["cells"]!.AsArray().Add(row["cells"]![0]!.DeepClone()), "each cell once, found one twice");

    [Fact]
    public void More_right_answers_than_images_in_a_cell_are_refused()
        => Refuses<PrecisionRow>("precision.json", row => row["cells"]![0]!["correct"] = 10_001, "counts from 0 to 10000 images, found 10001");

    [Theory]
    [InlineData("tuning", "\"direct-8\"", "a name that begins with baseline-resnet20-40-11.direct-8, found another")]
    [InlineData("correct", "10001", "counts from 0 to 10000 images, found 10001")]
    public void A_damaged_row_of_loop_is_refused(string field, string value, string expected) => Refuses<LoopRow>("loop.json", row => row[field] = JsonNode.Parse(value), expected);

    [Fact]
    public void No_nearest_image_is_refused() => Refuses<LoopRow>("loop.json", row => row["ranges"]!["study"]!["nearest"] = new JsonArray(), "the images nearest to the ends of the ranges, found none");

    [Fact]
    public void No_layer_of_decay_is_refused() => Refuses<DecayRow>("decay.json", row => row["layers"]![0] = null, "a layer, found none");

    [Fact]
    public void No_cell_of_perturbation_is_refused() => Refuses<PerturbationRow>("perturbation.json", row => row["cells"]![0] = null, "a cell, found none");

    [Fact]
    public void A_name_that_would_steer_the_terminal_is_refused()
    {
        string file = Damaged("network.json", row => row["name"] = "\u001b[31mred");
        Assert.Equal($"{file}: at row 0: expected a name of characters that can be seen, found another", Assert.Throws<BadInputException>(() => ResultFile<NetworkRow>.Read(file)).Message);
    }

    /// <summary>Rows of other images would stand beside each other as if they could be compared.</summary>
    [Fact]
    public void A_table_of_other_images_is_refused()
    {
        string file = Damaged("precision.json", _ => { });
        string data = ResultFile<PrecisionRow>.Read(file).Data;
        Assert.NotEmpty(ResultFile<PrecisionRow>.RowsOf(file, data));
        Assert.Equal(
            $"{file}: at data: expected rows of the images asked for (training a, test b); name another table by --json, found {data}",
            Assert.Throws<BadInputException>(() => ResultFile<PrecisionRow>.RowsOf(file, "training a, test b")).Message);
        Assert.Empty(ResultFile<PrecisionRow>.RowsOf(_folder.At("none.json"), "any"));
    }

    [NeedsCifar10Fact]
    public void The_published_tables_are_of_the_official_images()
    {
        string training = $"training {Cifar10.ReadTrain(External.Data!).Digest()}", both = $"{training}, test {Cifar10.ReadTest(External.Data!).Digest()}";
        Assert.Equal((both, both, both, both, both), (
            ResultFile<PrecisionRow>.Read(Published("precision.json")).Data, ResultFile<LoopRow>.Read(Published("loop.json")).Data, ResultFile<DecayRow>.Read(Published("decay.json")).Data,
            ResultFile<NetworkRow>.Read(Published("network.json")).Data, ResultFile<PerturbationRow>.Read(Published("perturbation.json")).Data));
        Assert.Equal((training, training), (ResultFile<PrecisionRow>.Read(Published("choices-precision.json")).Data, ResultFile<LoopRow>.Read(Published("choices-loop.json")).Data));
    }

    private static string Published(string table) => Path.Combine(Path.GetDirectoryName(Diagnostics.RandomNetwork.SamplePath)!, "results", table);

    private void Refuses<TRow>(string table, Action<JsonObject> damage, string expected) where TRow : IResultRow
    {
        string file = Damaged(table, damage), name = JsonNode.Parse(File.ReadAllText(file))!["rows"]![0]!["name"]!.GetValue<string>();
        Assert.Equal($"{file}: at row {name}: expected {expected}", Assert.Throws<BadInputException>(() => ResultFile<TRow>.Read(file)).Message);
    }

    /// <summary>A published table whose first row is changed.</summary>
    private string Damaged(string table, Action<JsonObject> damage)
    {
        JsonNode root = JsonNode.Parse(File.ReadAllText(Published(table)))!;
        damage(root["rows"]![0]!.AsObject());
        return _folder.With(table, System.Text.Encoding.UTF8.GetBytes(root.ToJsonString()));
    }
}
