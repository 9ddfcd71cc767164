using System.Globalization;
using PannCore.Nn;
using Xunit;

namespace PannCore.Tests.Nn;

public sealed class ActivationRangesTests : IDisposable
{
    private static readonly string[] Paths = ["relu", "layer1.0.relu1"];
    private static readonly Dictionary<string, double> Largest = new() { ["relu"] = 8, ["layer1.0.relu1"] = 2 };
    private readonly string _file = Path.Combine(Directory.CreateTempSubdirectory("pann-ranges-").FullName, "ranges.json");

    public void Dispose() => Directory.Delete(Path.GetDirectoryName(_file)!, recursive: true);

    [Theory]
    [InlineData("layer", 12, 3)]
    [InlineData("global", 12, 12)]
    [InlineData("global:50", 50, 50)]
    [InlineData("global:2.5e1", 25, 25)]
    public void RangesFromMeasurementsAndNumbers(string spec, double first, double second)
    {
        var ranges = ActivationRanges.Parse(spec, Paths, Largest, margin: 1.5);
        Assert.Equal(first, ranges["relu"]);
        Assert.Equal(second, ranges["layer1.0.relu1"]);
        Assert.Equal(spec, ranges.Spec);
        Assert.Equal(Paths, ranges.ByPath.Keys);
        Assert.Equal(spec is "layer" or "global", ActivationRanges.NeedsCalibration(spec));
    }

    [Fact]
    public void NumbersAreReadInEveryCulture()
    {
        CultureInfo before = CultureInfo.CurrentCulture;
        try
        {
            CultureInfo.CurrentCulture = CultureInfo.GetCultureInfo("de-DE");
            Assert.Equal(2.5, ActivationRanges.Parse("global:2.5", Paths, null, 1)["relu"]);
            Assert.Equal("margin: expected a number of at least 1, found 0.5", Message("layer", margin: 0.5));
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    [Fact]
    public void RangesFromAFileHaveNoMargin()
    {
        File.WriteAllText(_file, """{"layer1.0.relu1": 4, "relu": 1.5}""");
        var ranges = ActivationRanges.Parse("file:" + _file, Paths, null, margin: 1.5);
        Assert.Equal(1.5, ranges["relu"]);
        Assert.Equal(4, ranges["layer1.0.relu1"]);
    }

    [Theory]
    [InlineData("widest", "ranges 'widest': unknown; known: layer, global, global:B, file:PATH")]
    [InlineData("global:", "ranges 'global:': expected a positive number after 'global:', found ''")]
    [InlineData("global:0", "ranges 'global:0': expected a positive number after 'global:', found '0'")]
    [InlineData("global:-1", "ranges 'global:-1': expected a positive number after 'global:', found '-1'")]
    [InlineData("global:1e999", "ranges 'global:1e999': expected a positive number after 'global:', found '1e999'")]
    [InlineData("global:NaN", "ranges 'global:NaN': expected a positive number after 'global:', found 'NaN'")]
    [InlineData("global:5x", "ranges 'global:5x': expected a positive number after 'global:', found '5x'")]
    public void TextsThatAreNone(string spec, string message) => Assert.Equal(message, Message(spec));

    [Theory]
    [InlineData(double.NaN, "NaN")]
    [InlineData(double.PositiveInfinity, "Infinity")]
    public void MarginsThatAreNone(double margin, string found)
        => Assert.Equal($"margin: expected a number of at least 1, found {found}", Message("layer", margin));

    [Fact]
    public void MeasurementsThatAreMissing()
    {
        Assert.Equal(
            "ranges 'layer': the model file carries no measured ranges; give --calibrate N or global:B",
            Assert.Throws<BadInputException>(() => ActivationRanges.Parse("layer", Paths, null, 1)).Message);
        Assert.Equal(
            "ranges 'layer': expected a range for each of the 2 activations, found 2; missing: layer1.0.relu1; unknown: relu9",
            Assert.Throws<BadInputException>(() => ActivationRanges.Parse("layer", Paths, new Dictionary<string, double> { ["relu"] = 1, ["relu9"] = 2 }, 1)).Message);
        Assert.Equal(
            "ranges 'global': at key relu: expected a positive number, found Infinity",
            Assert.Throws<BadInputException>(() => ActivationRanges.Parse("global", Paths, new Dictionary<string, double> { ["relu"] = double.PositiveInfinity, ["layer1.0.relu1"] = 2 }, 1)).Message);
    }

    [Theory]
    [InlineData("[1, 2]", ": at the root: expected an object of path: B, found Array")]
    [InlineData("""{"relu": "8", "layer1.0.relu1": 2}""", ": at key relu: expected a positive number, found \"8\"")]
    [InlineData("""{"relu": 0, "layer1.0.relu1": 2}""", ": at key relu: expected a positive number, found 0")]
    [InlineData("""{"relu": 8}""", ": expected a range for each of the 2 activations, found 1; missing: layer1.0.relu1")]
    [InlineData("{\"relu\": 8,\n oops", ": at line 2: expected JSON, found something else")]
    [InlineData("", ": at line 1: expected JSON, found something else")]
    public void FilesThatAreNone(string content, string message)
    {
        File.WriteAllText(_file, content);
        Assert.Equal(_file + message, Message("file:" + _file));
    }

    [Fact]
    public void AFileThatIsMissing() => Assert.StartsWith($"{_file}: cannot be read: ", Message("file:" + _file), StringComparison.Ordinal);

    private static string Message(string spec, double margin = 1)
        => Assert.Throws<BadInputException>(() => ActivationRanges.Parse(spec, Paths, Largest, margin)).Message;
}
