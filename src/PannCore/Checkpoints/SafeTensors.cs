using System.Buffers.Binary;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace PannCore.Checkpoints;

/// <summary>
/// The safetensors format (https://github.com/huggingface/safetensors): the length of the header as a little-endian 64-bit number, a JSON
/// header <c>{name: {dtype, shape, data_offsets: [begin, end]}, "__metadata__": {text: text}}</c>, then the numbers, little-endian and row-major,
/// without overlaps or holes. The dtypes F32, F64, I32 and I64 are read and written.
/// </summary>
public static class SafeTensors
{
    /// <summary>The key under which the header keeps its free texts; no array can have this name.</summary>
    internal const string MetadataKey = "__metadata__";

    /// <summary>Longest header that is read, in bytes; the same limit as the format's own library.</summary>
    internal const int LongestHeader = 100_000_000;

    private const int LengthBytes = 8;

    /// <summary>The JSON writer would replace half a surrogate pair by U+FFFD, and two names could become one.</summary>
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Reads a file. Every length it declares is checked against the file's before memory is taken.</summary>
    /// <param name="path">The file.</param>
    /// <param name="check">
    /// Told the metadata and the arrays' shapes by name before memory is taken for their numbers; refuses what is not wanted by throwing, because a file
    /// with holes can be long and cost nothing. Null takes whatever there is.
    /// </param>
    /// <exception cref="BadInputException">The file is missing, or breaks the format; the message names the place.</exception>
    public static SafeTensorsFile Read(string path, Action<IReadOnlyDictionary<string, string>, IReadOnlyDictionary<string, int[]>>? check = null)
    {
        using FileStream stream = InputFile.Open(path);
        try
        {
            Span<byte> length = stackalloc byte[LengthBytes];
            if (stream.Length < LengthBytes)
                throw BadInputException.At(path, "byte 0", "the 8-byte length of the header", $"a file of {stream.Length} bytes");
            stream.ReadExactly(length);
            ulong headerLength = BinaryPrimitives.ReadUInt64LittleEndian(length);
            if (headerLength > (ulong)(stream.Length - LengthBytes))
                throw BadInputException.At(path, "byte 0", $"a header of at most the {stream.Length - LengthBytes} bytes that follow", $"a length of {headerLength}");
            if (headerLength > LongestHeader)
                throw BadInputException.At(path, "byte 0", $"a header of at most {LongestHeader} bytes", $"a length of {headerLength}");

            var json = new byte[headerLength];
            stream.ReadExactly(json);
            SafeTensorsHeader header = new SafeTensorsHeaderParser(path, json, LengthBytes).Parse();
            header.CheckLayout(path, stream.Length - LengthBytes - json.Length);
            check?.Invoke(header.Metadata, header.Entries.ToDictionary(entry => entry.Name, entry => entry.Shape, StringComparer.Ordinal));

            var tensors = new OrderedDictionary<string, NamedArray>(header.Entries.Count, StringComparer.Ordinal);
            foreach (SafeTensorsHeader.Entry entry in header.Entries)
            {
                var array = NamedArray.Zeros(entry.Name, entry.Shape, entry.Type);
                stream.Position = LengthBytes + json.Length + entry.Begin;
                stream.ReadExactly(array.Bytes);
                array.FromLittleEndian();
                tensors.Add(entry.Name, array);
            }
            return new SafeTensorsFile(tensors, header.Metadata);
        }
        catch (IOException e)
        {
            throw new BadInputException($"{path}: cannot be read: {e.Message}", e);
        }
    }

    /// <summary>
    /// Writes a file whole or not at all (see <see cref="AtomicFile"/>): arrays in the order given, metadata in ordinal order of its keys,
    /// the header padded with spaces to a multiple of 8 bytes. Equal content gives equal bytes.
    /// </summary>
    /// <exception cref="ArgumentException">Two arrays have one name, one is called <c>__metadata__</c>, or a text is no valid Unicode.</exception>
    /// <exception cref="BadInputException">The file cannot be written.</exception>
    public static void Write(string path, IReadOnlyCollection<NamedArray> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        var names = new HashSet<string>(StringComparer.Ordinal) { MetadataKey };
        foreach (NamedArray tensor in tensors)
        {
            if (!names.Add(tensor.Name))
                throw new ArgumentException($"an array cannot be called {MessageText.Quote(tensor.Name)}: the name is taken", nameof(tensors));
        }

        byte[] header = HeaderBytes(tensors, metadata);
        AtomicFile.Write(path, stream =>
        {
            Span<byte> length = stackalloc byte[LengthBytes];
            BinaryPrimitives.WriteUInt64LittleEndian(length, (ulong)header.Length);
            stream.Write(length);
            stream.Write(header);
            foreach (NamedArray tensor in tensors) tensor.WriteLittleEndian(stream);
        });
    }

    private static byte[] HeaderBytes(IReadOnlyCollection<NamedArray> tensors, IReadOnlyDictionary<string, string>? metadata)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            if (metadata is { Count: > 0 })
            {
                json.WriteStartObject(MetadataKey);
                foreach ((string key, string text) in metadata.OrderBy(pair => pair.Key, StringComparer.Ordinal)) json.WriteString(StrictUtf8.GetBytes(key), StrictUtf8.GetBytes(text));
                json.WriteEndObject();
            }
            long offset = 0;
            foreach (NamedArray tensor in tensors)
            {
                json.WriteStartObject(StrictUtf8.GetBytes(tensor.Name));
                json.WriteString("dtype", Dtype(tensor.Type));
                json.WriteStartArray("shape");
                foreach (int dimension in tensor.Shape) json.WriteNumberValue(dimension);
                json.WriteEndArray();
                json.WriteStartArray("data_offsets");
                json.WriteNumberValue(offset);
                json.WriteNumberValue(offset += tensor.Bytes.Length);
                json.WriteEndArray();
                json.WriteEndObject();
            }
            json.WriteEndObject();
        }
        while (buffer.Length % LengthBytes != 0) buffer.WriteByte((byte)' ');
        return buffer.ToArray();
    }

    internal static string Dtype(ElementType type) => type switch
    {
        ElementType.Float32 => "F32",
        ElementType.Float64 => "F64",
        ElementType.Int32 => "I32",
        _ => "I64",
    };
}
