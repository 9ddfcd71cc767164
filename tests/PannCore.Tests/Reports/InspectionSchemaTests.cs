using System.Text;
using System.Text.Json.Nodes;
using PannCore.Diagnostics;
using PannCore.Reports;
using PannCore.Tests.Diagnostics;
using PannCore.Tests.Support;
using Xunit;

namespace PannCore.Tests.Reports;

/// <summary>The published schema says what the records are: it is compared with the serializer's metadata, and records with it.</summary>
public sealed class InspectionSchemaTests
{
    /// <summary>With this variable set, the test writes the schema file instead of comparing it.</summary>
    private const string Update = "PANN_UPDATE_SCHEMA";

    private static readonly string File = Path.Combine(Path.GetDirectoryName(RandomNetwork.SamplePath)!, "schema", InspectionSchema.FileName);

    private static readonly JsonObject Published = JsonNode.Parse(System.IO.File.ReadAllText(File))!.AsObject();

    [Fact]
    public void The_published_file_is_the_schema_of_the_records()
    {
        if (Environment.GetEnvironmentVariable(Update) is not null) System.IO.File.WriteAllText(File, InspectionSchema.Text());
        string published = System.IO.File.ReadAllText(File), expected = InspectionSchema.Text();
        Assert.True(expected == published, $"{File} is not the schema of the records any more: run this test once with {Update}=1 and commit the file; a part renamed or removed needs a new RunRecord.CurrentSchema");
    }

    [Fact]
    public void It_names_draft_and_version()
    {
        Assert.Equal("https://json-schema.org/draft/2020-12/schema", Published["$schema"]!.GetValue<string>());
        Assert.Equal($"urn:panncore:schema:inspection:{RunRecord.CurrentSchema}", Published["$id"]!.GetValue<string>());
        Assert.Equal(RunRecord.CurrentSchema, Published["properties"]!["schema"]!["const"]!.GetValue<int>());
    }

    [Fact]
    public void Records_are_valid_and_have_no_part_that_it_does_not_name()
    {
        Assert.Empty(SchemaErrors.Of(Published, Json(RecordFiller.Make<RunRecord>() with { Schema = RunRecord.CurrentSchema })));
        Assert.Empty(SchemaErrors.Of(Published, Json(SampleRecord.Create())));
        Assert.Empty(SchemaErrors.Of(Published, Json(SampleRecord.Broken())));
        Assert.Empty(SchemaErrors.Of(Published, Json(SampleRecord.Empty())));
    }

    [Fact]
    public void Every_part_is_described()
    {
        IEnumerable<JsonNode?> objects = Published["$defs"]!.AsObject().Select(pair => pair.Value).Append(Published);
        Assert.All(objects, definition => Assert.False(string.IsNullOrEmpty(definition!["description"]?.GetValue<string>()), definition!.ToJsonString()));
        Assert.All(
            objects.Where(definition => definition!["properties"] is not null).SelectMany(definition => definition!["properties"]!.AsObject()),
            property => Assert.False(string.IsNullOrEmpty(property.Value!["description"]?.GetValue<string>()), property.Key));
    }

    [Theory]
    [InlineData("schema", "1", "$.schema: not 2")]
    [InlineData("title", "null", "$.title: not string")]
    [InlineData("images", "1.5", "$.images: not integer")]
    [InlineData("idealAccuracy", "\"high\"", "$.idealAccuracy: none of 2 alternatives")]
    [InlineData("pannAccuracy", "\"NaN\"", null)]
    [InlineData("classNames", "[\"cat\", 3]", "$.classNames[1]: not string")]
    [InlineData("patches", "{\"relu\": null}", "$.patches.relu: not string")]
    [InlineData("flips", "[{\"image\": 3, \"label\": 1, \"ideal\": 1}]", "$.flips[0]: no pann")]
    [InlineData("extra", "3", "$.extra: not in the schema")]
    public void What_is_no_record_is_not_valid(string name, string value, string? error)
    {
        JsonObject record = Json(SampleRecord.Create());
        record[name] = JsonNode.Parse(value);
        Assert.Equal(error is null ? [] : [error], SchemaErrors.Of(Published, record));
    }

    private static JsonObject Json(RunRecord record)
    {
        using var stream = new MemoryStream();
        RunRecordJson.Write(stream, record);
        return JsonNode.Parse(Encoding.UTF8.GetString(stream.ToArray()))!.AsObject();
    }
}
