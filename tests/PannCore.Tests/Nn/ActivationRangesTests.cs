using PannCore.Nn;
using PannCore.Tests.Checkpoints;
using Xunit;

namespace PannCore.Tests.Nn;

public sealed class ActivationRangesTests : IDisposable
{
    private static readonly string[] Paths = ["relu", "layer1.0.relu1", "layer1.0.relu2"];

    private static readonly Dictionary<string, double> Largest = new() { ["relu"] = 2, ["layer1.0.relu1"] = 8, ["layer1.0.relu2"] = 3.5 };

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Layer_gives_each_activation_its_own_and_global_the_largest_to_all()
    {
        // 1.5 x 2 and so on are exact in binary.
        var layer = ActivationRanges.Parse("layer", Paths, Largest, 1.5);
        Assert.Equal([("relu", 3.0), ("layer1.0.relu1", 12), ("layer1.0.relu2", 5.25)], layer.ByPath.Select(p => (p.Key, p.Value)));
        var global = ActivationRanges.Parse("global", Paths, Largest, 1.5);
        Assert.Equal([("relu", 12.0), ("layer1.0.relu1", 12), ("layer1.0.relu2", 12)], global.ByPath.Select(p => (p.Key, p.Value)));
        Assert.Equal(("layer", "global"), (layer.Spec, global.Spec));
        Assert.Equal(5.25, layer["layer1.0.relu2"]);
    }

    [Theory]
    [InlineData("global:50", 50)]
    [InlineData("global:0.25", 0.25)]
    [InlineData("global:1e3", 1000)]
    public void A_given_range_needs_no_measurement_and_has_no_margin(string spec, double expected)
    {
        var ranges = ActivationRanges.Parse(spec, Paths, null, 1.5);
        Assert.Equal(Paths.Select(p => (p, expected)), ranges.ByPath.Select(p => (p.Key, p.Value)));
        Assert.False(ActivationRanges.NeedsCalibration(spec));
    }

    [Fact]
    public void A_file_gives_each_its_own_without_margin()
    {
        string path = Write("""{"layer1.0.relu2": 1.5, "relu": 2, "layer1.0.relu1": 4e1}""");
        var ranges = ActivationRanges.Parse($"file:{path}", Paths, null, 1.5);
        Assert.Equal([("relu", 2.0), ("layer1.0.relu1", 40), ("layer1.0.relu2", 1.5)], ranges.ByPath.Select(p => (p.Key, p.Value)));
        Assert.Equal($"file:{path}", ranges.Spec);
    }

    [Fact]
    public void Only_layer_and_global_need_measurements()
        => Assert.Equal([true, true, false, false], new[] { "layer", "global", "global:2", "file:x" }.Select(ActivationRanges.NeedsCalibration));

    [Theory]
    [InlineData("layers", "ranges 'layers': unknown; known: layer, global, global:B, file:PATH")]
    [InlineData("", "ranges '': unknown; known: layer, global, global:B, file:PATH")]
    [InlineData("Layer", "ranges 'Layer': unknown; known: layer, global, global:B, file:PATH")]
    [InlineData("global:", "ranges 'global:': expected a positive number after 'global:', found ''")]
    [InlineData("global:0", "ranges 'global:0': expected a positive number after 'global:', found '0'")]
    [InlineData("global:-5", "ranges 'global:-5': expected a positive number after 'global:', found '-5'")]
    [InlineData("global:NaN", "ranges 'global:NaN': expected a positive number after 'global:', found 'NaN'")]
    [InlineData("global:Infinity", "ranges 'global:Infinity': expected a positive number after 'global:', found 'Infinity'")]
    [InlineData("global:5,5", "ranges 'global:5,5': expected a positive number after 'global:', found '5,5'")]
    [InlineData("global:fifty", "ranges 'global:fifty': expected a positive number after 'global:', found 'fifty'")]
    public void Another_text_is_refused(string spec, string message) => Assert.Equal(message, Refusal(spec, Largest));

    [Theory]
    [InlineData(0.5, "0.5")]
    [InlineData(0, "0")]
    [InlineData(-1, "-1")]
    [InlineData(double.NaN, "NaN")]
    [InlineData(double.PositiveInfinity, "Infinity")]
    public void A_margin_below_1_is_refused(double margin, string found)
        => Assert.Equal($"margin: expected a number of at least 1, found {found}", Refusal("layer", Largest, margin));

    [Theory]
    [InlineData("layer")]
    [InlineData("global")]
    public void Measurements_must_be_there_and_be_positive_numbers_for_every_activation(string spec)
    {
        Assert.Equal($"ranges '{spec}': the model file carries no measured ranges; give --calibrate N or global:B", Refusal(spec, null));
        Assert.Equal(
            $"ranges '{spec}': expected a range for each of the 3 activations, found 2; missing: relu, layer1.0.relu2; unknown: layer9",
            Refusal(spec, new() { ["layer1.0.relu1"] = 1, ["layer9"] = 1 }));
        // A layer that never fires has no range: nothing can be divided by it.
        Assert.Equal($"ranges '{spec}': at key layer1.0.relu1: expected a positive number, found 0", Refusal(spec, new(Largest) { ["layer1.0.relu1"] = 0 }));
        Assert.Equal($"ranges '{spec}': at key relu: expected a positive number, found Infinity", Refusal(spec, new(Largest) { ["relu"] = double.PositiveInfinity }));
        Assert.Equal($"ranges '{spec}': at key relu: expected a positive number, found NaN", Refusal(spec, new(Largest) { ["relu"] = double.NaN }));
    }

    [Theory]
    [InlineData("""{"relu": 1, "layer1.0.relu1": 1, "layer1.0.relu2": 0}""", "at key layer1.0.relu2: expected a positive number, found 0")]
    [InlineData("""{"relu": 1, "layer1.0.relu1": 1, "layer1.0.relu2": -2.5}""", "at key layer1.0.relu2: expected a positive number, found -2.5")]
    [InlineData("""{"relu": "1", "layer1.0.relu1": 1, "layer1.0.relu2": 1}""", "at key relu: expected a positive number, found \"1\"")]
    [InlineData("""{"relu": null, "layer1.0.relu1": 1, "layer1.0.relu2": 1}""", "at key relu: expected a positive number, found null")]
    [InlineData("""{"relu": 1e999, "layer1.0.relu1": 1, "layer1.0.relu2": 1}""", "at key relu: expected a positive number, found Infinity")]
    [InlineData("[1, 2]", "at the root: expected an object of path: B, found Array")]
    [InlineData("{\n\"relu\": 1,\n}", "at line 3: expected JSON, found something else")]
    [InlineData("""{"\ud800": 5}""", "a text is half of a surrogate pair")]
    [InlineData("""{"relu": 1, "layer1.0.relu1": 1, "relu": 2}""", "expected JSON in which no name stands twice: Duplicate property 'relu' encountered during deserialization.")]
    [InlineData("relu 1", "at line 1: expected JSON, found something else")]
    [InlineData("", "at line 1: expected JSON, found something else")]
    public void A_file_that_gives_no_ranges_is_refused(string content, string message)
    {
        string path = Write(content);
        Assert.Equal($"{path}: {message}", Refusal($"file:{path}", Largest));
    }

    [Fact]
    public void A_file_must_name_these_activations_and_no_others()
    {
        string path = Write("""{"relu": 1, "layer7.0.relu1": 1}""");
        Assert.Equal($"{path}: expected a range for each of the 3 activations, found 2; missing: layer1.0.relu1, layer1.0.relu2; unknown: layer7.0.relu1", Refusal($"file:{path}", Largest));
    }

    [Fact]
    public void A_file_that_cannot_be_read_is_one_clear_error()
    {
        string none = _folder.At("none.json");
        Assert.Equal($"{none}: there is no such file", Refusal($"file:{none}", Largest));
        Assert.Equal($"{_folder.Root}: expected a file, found a folder", Refusal($"file:{_folder.Root}", Largest));
        Assert.StartsWith(": cannot be read: ", Refusal("file:", Largest), StringComparison.Ordinal);
    }

    private string Write(string content)
    {
        File.WriteAllText(_folder.At("ranges.json"), content);
        return _folder.At("ranges.json");
    }

    private static string Refusal(string spec, Dictionary<string, double>? largest, double margin = 1.05)
        => Assert.Throws<BadInputException>(() => ActivationRanges.Parse(spec, Paths, largest, margin)).Message;
}
