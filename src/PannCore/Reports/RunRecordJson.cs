using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using PannCore.Diagnostics;

namespace PannCore.Reports;

/// <summary>
/// A <see cref="RunRecord"/> as JSON: UTF-8, indented, names in camelCase, lines end in <c>\n</c>, and numbers that are not finite
/// are the strings <c>"NaN"</c>, <c>"Infinity"</c> and <c>"-Infinity"</c>. Doubles are written in their shortest form that reads
/// back to the same bits, so the same record gives the same bytes everywhere and reading loses nothing.
/// </summary>
public static class RunRecordJson
{
    private const long MaxFileBytes = 1 << 28;

    internal static JsonSerializerOptions Options { get; } = new JsonSerializerOptions
    {
        WriteIndented = true,
        NewLine = "\n",
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        AllowDuplicateProperties = false,
    }.Fixed(RefuseNullElements);

    /// <summary>Writes the record and a final line end.</summary>
    public static void Write(Stream stream, RunRecord record)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(record);
        JsonSerializer.Serialize(stream, record, Options);
        stream.WriteByte((byte)'\n');
    }

    /// <summary>Reads the record in a file.</summary>
    /// <exception cref="BadInputException">The file cannot be read, is larger than any record, or <see cref="Read(Stream)"/> refuses it; the message names the file.</exception>
    public static RunRecord ReadFile(string path)
    {
        try
        {
            using FileStream stream = InputFile.Open(path);
            if (stream.Length > MaxFileBytes) throw BadInputException.At(path, "its end", $"at most {MaxFileBytes} bytes", $"{stream.Length}");
            return Read(stream, path);
        }
        catch (IOException e)
        {
            throw new BadInputException($"{path}: cannot be read: {e.Message}", e);
        }
    }

    /// <summary>Reads a record that <see cref="Write"/> wrote.</summary>
    /// <exception cref="BadInputException">
    /// The text is no JSON, lacks a part of the record, has a part twice or of another kind, or is of another schema.
    /// </exception>
    public static RunRecord Read(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        return Read(stream, "inspection record");
    }

    /// <summary>What the annotations say of a list's elements is not looked at by itself.</summary>
    private static void RefuseNullElements(JsonTypeInfo type)
    {
        if (type.Kind != JsonTypeInfoKind.Object) return;
        JsonPropertyInfo[] lists = [.. type.Properties.Where(property => property.Get is not null && (property.PropertyType.IsAssignableTo(typeof(IEnumerable<object>)) || property.PropertyType.IsAssignableTo(typeof(IEnumerable<KeyValuePair<string, string>>))))];
        if (lists.Length == 0) return;
        type.OnDeserialized = part =>
        {
            foreach (JsonPropertyInfo list in lists)
            {
                object? value = list.Get!(part);
                bool found = value is IEnumerable<object?> elements ? elements.Contains(null) : value is IEnumerable<KeyValuePair<string, string?>> pairs && pairs.Any(pair => pair.Value is null);
                if (found) throw new JsonException($"{list.Name}: expected no null among its elements, found one");
            }
        };
    }

    private static RunRecord Read(Stream stream, string name)
    {
        RunRecord? record;
        try
        {
            record = JsonSerializer.Deserialize<RunRecord>(stream, Options);
        }
        catch (JsonException e)
        {
            string place = e.LineNumber is { } line ? $"line {line + 1}, byte {e.BytePositionInLine + 1}, {e.Path ?? "$"}" : e.Path ?? "$";
            throw new BadInputException($"{name}: at {place}: {InputFile.FirstSentence(e)}", e);
        }

        if (record is null) throw BadInputException.At(name, "$", "an object", "null");
        if (record.Schema != RunRecord.CurrentSchema)
            throw BadInputException.At(name, "$.schema", $"{RunRecord.CurrentSchema}", $"{record.Schema}");
        return record;
    }
}
