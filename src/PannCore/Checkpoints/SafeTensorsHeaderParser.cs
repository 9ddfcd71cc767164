using System.Text.Json;

namespace PannCore.Checkpoints;

/// <summary>
/// Reads the JSON header token by token: a document object would keep one of two keys of the same name and forget where each stood.
/// </summary>
/// <param name="file">The file's name, for messages.</param>
/// <param name="json">The header.</param>
/// <param name="start">Where the header begins in the file, so that messages give offsets in the file.</param>
internal ref struct SafeTensorsHeaderParser(string file, ReadOnlySpan<byte> json, int start)
{
    private readonly ReadOnlySpan<byte> _json = json;
    private Utf8JsonReader _reader = new(json, new JsonReaderOptions { MaxDepth = 3 });

    internal SafeTensorsHeader Parse()
    {
        var entries = new List<SafeTensorsHeader.Entry>();
        var names = new HashSet<string>(StringComparer.Ordinal);
        IReadOnlyDictionary<string, string> metadata = new Dictionary<string, string>();

        Next(JsonTokenType.StartObject, "a JSON object");
        while (NextName(names, "one entry per name") is { } name)
        {
            if (name == SafeTensors.MetadataKey) metadata = ParseMetadata();
            else entries.Add(ParseEntry(name));
        }
        if (Read()) throw Unexpected("the end of the header");
        return new SafeTensorsHeader(entries, metadata);
    }

    private OrderedDictionary<string, string> ParseMetadata()
    {
        var metadata = new OrderedDictionary<string, string>(StringComparer.Ordinal);
        var names = new HashSet<string>(StringComparer.Ordinal);
        Next(JsonTokenType.StartObject, "an object of texts as __metadata__");
        while (NextName(names, "one metadata text per key") is { } key)
        {
            Next(JsonTokenType.String, $"a text as metadata {MessageText.Quote(key)}");
            metadata.Add(key, Text());
        }
        return metadata;
    }

    private SafeTensorsHeader.Entry ParseEntry(string name)
    {
        string tensor = $"tensor {MessageText.Quote(name)}";
        ElementType? type = null;
        int[]? shape = null;
        long[]? offsets = null;
        var names = new HashSet<string>(StringComparer.Ordinal);

        Next(JsonTokenType.StartObject, $"an object with dtype, shape and data_offsets for {tensor}");
        while (NextName(names, $"one of each field for {tensor}") is { } field)
        {
            switch (field)
            {
                case "dtype":
                    Next(JsonTokenType.String, $"a text as dtype of {tensor}");
                    type = ParseType(Text(), tensor);
                    break;
                case "shape":
                    shape = [.. ParseNumbers($"a dimension from 0 to {int.MaxValue} in the shape of {tensor}", int.MaxValue).Select(d => (int)d)];
                    break;
                case "data_offsets":
                    offsets = [.. ParseNumbers($"an offset of at least 0 in the data_offsets of {tensor}", long.MaxValue)];
                    if (offsets.Length != 2) throw BadInputException.At(file, tensor, "data_offsets [begin, end]", $"{offsets.Length} numbers");
                    break;
                default:
                    throw Unexpected($"dtype, shape or data_offsets of {tensor}");
            }
        }
        if (type is null || shape is null || offsets is null)
            throw BadInputException.At(file, tensor, "dtype, shape and data_offsets", $"no {(type is null ? "dtype" : shape is null ? "shape" : "data_offsets")}");
        return new SafeTensorsHeader.Entry(name, type.Value, shape, offsets[0], offsets[1]);
    }

    private readonly ElementType ParseType(string dtype, string tensor) => dtype switch
    {
        "F32" => ElementType.Float32,
        "F64" => ElementType.Float64,
        "I32" => ElementType.Int32,
        "I64" => ElementType.Int64,
        _ => throw BadInputException.At(file, tensor, "dtype F32, F64, I32 or I64", MessageText.Quote(dtype)),
    };

    private List<long> ParseNumbers(string expected, long largest)
    {
        var numbers = new List<long>();
        Next(JsonTokenType.StartArray, $"a list: {expected}");
        while (true)
        {
            if (!Read()) throw Unexpected(expected);
            if (_reader.TokenType == JsonTokenType.EndArray) return numbers;
            if (_reader.TokenType != JsonTokenType.Number || !_reader.TryGetInt64(out long number) || number < 0 || number > largest)
                throw Unexpected(expected);
            if (numbers.Count == NamedArray.MostDimensions)
                throw BadInputException.At(file, At(_reader.TokenStartIndex), $"at most {NamedArray.MostDimensions} numbers, each {expected}", "more");
            numbers.Add(number);
        }
    }

    /// <summary>The next property's name, or null at the object's end.</summary>
    private string? NextName(HashSet<string> seen, string expected)
    {
        if (!Read()) throw Unexpected("a name");
        if (_reader.TokenType == JsonTokenType.EndObject) return null;
        string name = Text();
        return seen.Add(name) ? name : throw BadInputException.At(file, At(_reader.TokenStartIndex), expected, $"{MessageText.Quote(name)} a second time");
    }

    private void Next(JsonTokenType type, string expected)
    {
        if (!Read() || _reader.TokenType != type) throw Unexpected(expected);
    }

    private bool Read()
    {
        try
        {
            return _reader.Read();
        }
        catch (JsonException e)
        {
            int lineStart = 0;
            for (long line = e.LineNumber ?? 0; line > 0; line--) lineStart += _json[lineStart..].IndexOf((byte)'\n') + 1;
            int at = lineStart + (int)(e.BytePositionInLine ?? 0);
            throw new BadInputException($"{file}: at {At(at)}: expected a JSON header, found {(at < _json.Length ? Glyph(_json[at]) : "its end")} there", e);
        }
    }

    private readonly string Text()
    {
        try
        {
            return _reader.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw BadInputException.At(file, At(_reader.TokenStartIndex), "a text in UTF-8", "bytes or an escape that are no characters");
        }
    }

    private readonly BadInputException Unexpected(string expected)
        => BadInputException.At(file, At(_reader.TokenStartIndex), expected, _reader.TokenType switch
        {
            JsonTokenType.StartObject => "an object",
            JsonTokenType.StartArray => "a list",
            JsonTokenType.None => "nothing",
            _ => MessageText.Quote(System.Text.Encoding.UTF8.GetString(_reader.ValueSpan)),
        });

    private readonly string At(long index) => FormattableString.Invariant($"byte {start + index}");

    private static string Glyph(byte value) => value is > 0x20 and < 0x7F ? $"'{(char)value}'" : FormattableString.Invariant($"0x{value:X2}");
}
