using System.Globalization;
using System.Text;
using System.Text.Json;
using PannCore.Diagnostics;
using PannCore.Reports;
using PannCore.Tests.Support;
using Xunit;

namespace PannCore.Tests.Reports;

public class RunRecordJsonTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Reading_gives_back_every_bit(bool broken)
    {
        RunRecord record = broken ? SampleRecord.Broken() : SampleRecord.Create();
        RunRecord read = Read(Write(record));

        Content.Same(record, read, onlyJson: true);
        Assert.Equal(Write(record), Write(read));
    }

    [Fact]
    public void Reading_gives_back_every_part_that_a_record_can_have()
    {
        RunRecord record = RecordFiller.Make<RunRecord>() with { Schema = RunRecord.CurrentSchema };
        Content.Same(record, Read(Write(record)), onlyJson: true);
    }

    [Fact]
    public void Names_are_those_of_the_documented_format()
    {
        using JsonDocument json = JsonDocument.Parse(Write(SampleRecord.Create()));
        JsonElement root = json.RootElement;
        Assert.Equal(
            ["schema", "title", "command", "model", "architecture", "activation", "ranges", "images", "idealAccuracy", "pannAccuracy", "nonFiniteImages", "explodedImages", "outOfRangeImages",
                "log2MaxError", "errorCurve", "operations", "identityResidual", "checks", "layers", "flips", "classNames", "provenance", "diagnoses", "ideal", "patches"],
            Names(root));
        JsonElement operation = root.GetProperty("operations")[2];
        Assert.Equal(
            ["path", "op", "total", "approximation", "arithmetic", "inherited", "idealRms", "sqnrDb", "gain", "negativeShare", "negativeElements", "negativeMean", "positiveMean",
                "outOfRange", "largestInput", "range", "nonFinite", "identityResidual", "bits", "cosine", "relativeGain", "approximationBound", "accumulated", "branches", "spread"],
            Names(operation));
        foreach (string term in (string[])["total", "approximation", "arithmetic", "inherited"])
            Assert.Equal(["max", "rms", "mean"], Names(operation.GetProperty(term)));
        Assert.Equal(["name", "passed", "detail"], Names(root.GetProperty("checks")[0]));
        Assert.Equal(["path", "logitShare", "logitRms", "accuracy"], Names(root.GetProperty("layers")[0]));
        Assert.Equal(["image", "label", "ideal", "pann"], Names(root.GetProperty("flips")[0]));
        Assert.Equal(["x", "error"], Names(root.GetProperty("errorCurve")[0]));

        static IEnumerable<string> Names(JsonElement element) => element.EnumerateObject().Select(p => p.Name);
    }

    [Fact]
    public void Numbers_that_are_not_finite_are_strings_and_missing_ones_null()
    {
        using JsonDocument json = JsonDocument.Parse(Write(SampleRecord.Broken()));
        JsonElement last = json.RootElement.GetProperty("operations")[69];
        Assert.Equal("Infinity", last.GetProperty("total").GetProperty("rms").GetString());
        Assert.Equal("NaN", last.GetProperty("total").GetProperty("mean").GetString());
        Assert.Equal("-Infinity", last.GetProperty("sqnrDb").GetString());
        Assert.Equal("NaN", json.RootElement.GetProperty("identityResidual").GetString());
        Assert.Equal(JsonValueKind.Null, last.GetProperty("range").ValueKind);
    }

    [Fact]
    public void Bytes_do_not_depend_on_the_culture_and_lines_end_alike()
    {
        byte[] expected = Write(SampleRecord.Broken());
        CultureInfo before = CultureInfo.CurrentCulture;
        try
        {
            CultureInfo.CurrentCulture = new CultureInfo("de-DE");
            Assert.Equal(expected, Write(SampleRecord.Broken()));
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }

        Assert.DoesNotContain((byte)'\r', expected);
        Assert.StartsWith("{\n  \"schema\": 2,\n", Encoding.UTF8.GetString(expected), StringComparison.Ordinal);
        Assert.EndsWith("\n}\n", Encoding.UTF8.GetString(expected), StringComparison.Ordinal);
    }

    [Fact]
    public void Another_schema_is_refused()
        => Refused(Write(SampleRecord.Create() with { Schema = 1 }), "inspection record: at $.schema: expected 2, found 1");

    [Fact]
    public void Null_is_refused() => Refused("null"u8.ToArray(), "inspection record: at $: expected an object, found null");

    [Fact]
    public void A_file_cut_off_is_refused()
    {
        byte[] half = Write(SampleRecord.Create())[..1000];
        BadInputException error = Assert.Throws<BadInputException>(() => Read(half));
        Assert.StartsWith("inspection record: at line ", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Theory]
    [InlineData("\"images\": 1000,", "")] // missing
    [InlineData("\"images\": 1000,", "\"images\": 1000, \"images\": 999,")] // twice
    [InlineData("\"images\": 1000,", "\"images\": \"many\",")] // of another kind
    [InlineData("\"model\": \"resnet20.safetensors\",", "\"model\": null,")] // null where there must be a text
    [InlineData("\"operations\": [", "\"operations\": [ null,")] // null among the elements
    [InlineData("\"flips\": [", "\"flips\": [ null,")]
    [InlineData("\"data\": \"cifar-10-sample.bin\"", "\"data\": null")]
    public void A_part_missing_twice_or_of_another_kind_is_refused(string part, string instead)
    {
        string text = Encoding.UTF8.GetString(Write(SampleRecord.Create()));
        Assert.Contains(part, text, StringComparison.Ordinal);
        string doctored = text.Replace(part, instead, StringComparison.Ordinal);
        BadInputException error = Assert.Throws<BadInputException>(() => Read(Encoding.UTF8.GetBytes(doctored)));
        Assert.StartsWith("inspection record: at ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_older_programs_did_not_record_is_null()
    {
        string text = Encoding.UTF8.GetString(Write(SampleRecord.Create() with { Sweep = new(4, []) { IdealAccuracy = 81.25 } }));
        Assert.Equal(81.25, Read(Encoding.UTF8.GetBytes(text)).Sweep!.IdealAccuracy);
        string older = text.Replace(",\n    \"idealAccuracy\": 81.25", "", StringComparison.Ordinal);
        Assert.NotEqual(text, older);
        Assert.Null(Read(Encoding.UTF8.GetBytes(older)).Sweep!.IdealAccuracy);
    }

    private static void Refused(byte[] bytes, string message) => Assert.Equal(message, Assert.Throws<BadInputException>(() => Read(bytes)).Message);

    private static byte[] Write(RunRecord record)
    {
        using MemoryStream stream = new();
        RunRecordJson.Write(stream, record);
        return stream.ToArray();
    }

    private static RunRecord Read(byte[] bytes)
    {
        using MemoryStream stream = new(bytes);
        return RunRecordJson.Read(stream);
    }
}
