using System.Text;

namespace PannCore.Checkpoints;

/// <summary>
/// PyTorch's format since version 1.6: a zip archive of one folder with <c>data.pkl</c> (the object), <c>data/KEY</c> (the elements of each
/// storage) and notes such as <c>byteorder</c>; nothing is compressed.
/// </summary>
internal static class TorchZipFormat
{
    private const int LongestByteOrder = 16, LongestPickle = 100_000_000;

    internal static TorchContents Read(Stream stream, string path)
    {
        Dictionary<string, FileRange> entries = StoredZip.Entries(stream, path);

        string[] pickles = [.. entries.Keys.Where(name => name.EndsWith("/data.pkl", StringComparison.Ordinal) && name.Count(c => c == '/') == 1)];
        if (pickles is not [string pickle]) throw new BadInputException($"{path}: expected one entry FOLDER/data.pkl in the zip archive, found {pickles.Length}");
        string folder = pickle[..^"data.pkl".Length];

        if (entries.TryGetValue(folder + "byteorder", out FileRange order))
        {
            StoredZip.CheckChecksum(stream, path, folder + "byteorder", order);
            byte[] bytes = Bytes(order with { Length = Math.Min(order.Length, LongestByteOrder) });
            if (!bytes.AsSpan().SequenceEqual("little"u8))
                throw BadInputException.At(path, $"entry {MessageText.Quote(folder + "byteorder")}", "little", MessageText.Quote(Encoding.Latin1.GetString(bytes)));
        }

        FileRange program = entries[pickle];
        if (program.Length > LongestPickle) throw BadInputException.At(path, $"entry {MessageText.Quote(pickle)}", $"at most {LongestPickle} bytes", $"{program.Length}");
        StoredZip.CheckChecksum(stream, path, pickle, program);
        using var memory = new MemoryStream(Bytes(program));
        object? root = new RestrictedUnpickler(memory, $"{path} ({MessageText.Quote(pickle)})", new(StringComparer.Ordinal)).Load();

        string data = folder + "data/";
        return new TorchContents(root, data, entries.Where(e => e.Key.StartsWith(data, StringComparison.Ordinal))
            .ToDictionary(e => e.Key[data.Length..], e => e.Value, StringComparer.Ordinal));

        byte[] Bytes(FileRange range)
        {
            var bytes = new byte[range.Length];
            stream.Position = range.Start;
            stream.ReadExactly(bytes);
            return bytes;
        }
    }
}
