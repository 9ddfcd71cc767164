using System.IO.Compression;

namespace PannCore.Checkpoints;

/// <summary>
/// PyTorch's format since version 1.6: a zip archive of one folder with <c>data.pkl</c> (the object), <c>data/KEY</c> (the elements of each
/// storage) and notes such as <c>byteorder</c>. torch.save compresses nothing, and a compressed entry is refused: so no entry can be larger
/// than the file, and nothing is unpacked to disk.
/// </summary>
internal static class TorchZipFormat
{
    private const int LongestByteOrder = 16;

    /// <summary>The archive stays open for reading storages; the caller disposes of it.</summary>
    internal static TorchContents Read(ZipArchive archive, string path)
    {
        Dictionary<string, ZipArchiveEntry> entries = CheckedEntries(archive, path);

        string[] pickles = [.. entries.Keys.Where(name => name.EndsWith("/data.pkl", StringComparison.Ordinal) && name.Count(c => c == '/') == 1)];
        if (pickles is not [string pickle]) throw new BadInputException($"{path}: expected one entry FOLDER/data.pkl in the zip archive, found {pickles.Length}");
        string folder = pickle[..^"data.pkl".Length];

        if (entries.TryGetValue(folder + "byteorder", out ZipArchiveEntry? order))
        {
            Span<byte> bytes = stackalloc byte[(int)Math.Min(order.Length, LongestByteOrder)];
            ReadEntry(order, 0, bytes, path);
            if (!bytes.SequenceEqual("little"u8))
                throw BadInputException.At(path, $"entry {MessageText.Quote(order.FullName)}", "little", MessageText.Quote(System.Text.Encoding.Latin1.GetString(bytes)));
        }

        if (entries[pickle].Length > Array.MaxLength) throw BadInputException.At(path, $"entry {MessageText.Quote(pickle)}", "less than 2 GiB", $"{entries[pickle].Length} bytes");
        var program = new byte[entries[pickle].Length];
        ReadEntry(entries[pickle], 0, program, path);
        using var stream = new MemoryStream(program);
        object? root = new RestrictedUnpickler(stream, $"{path} ({pickle})", new(StringComparer.Ordinal)).Load();

        string data = folder + "data/";
        var sizes = entries.Where(e => e.Key.StartsWith(data, StringComparison.Ordinal))
            .ToDictionary(e => e.Key[data.Length..], e => e.Value.Length, StringComparer.Ordinal);
        return new TorchContents(root, sizes, (storage, offset, into) => ReadEntry(entries[data + storage.Key], offset, into, path));
    }

    private static Dictionary<string, ZipArchiveEntry> CheckedEntries(ZipArchive archive, string path)
    {
        var entries = new Dictionary<string, ZipArchiveEntry>(StringComparer.Ordinal);
        foreach (ZipArchiveEntry entry in archive.Entries)
        {
            string name = entry.FullName;
            string where = $"entry {MessageText.Quote(name)}";
            if (name.StartsWith('/') || name.Contains('\\') || name.Contains(':') || name.Split('/').Contains(".."))
                throw BadInputException.At(path, where, "a name inside the archive", "a path that leaves it");
            if (entry.Length != entry.CompressedLength)
                throw BadInputException.At(path, where, "as many bytes stored as declared", $"{entry.CompressedLength} stored, {entry.Length} declared");
            if (!entries.TryAdd(name, entry)) throw BadInputException.At(path, where, "each name once", "it again");
        }
        return entries;
    }

    /// <summary>Fills <paramref name="into"/>; where that ends with the entry, the entry must really end there.</summary>
    private static void ReadEntry(ZipArchiveEntry entry, long offset, Span<byte> into, string path)
    {
        using Stream stream = entry.Open();
        var skipped = new byte[(int)Math.Min(offset, 81920)];
        for (long left = offset; left > 0; left -= Math.Min(left, skipped.Length))
            stream.ReadExactly(skipped.AsSpan(0, (int)Math.Min(left, skipped.Length)));
        stream.ReadExactly(into);
        if (offset + into.Length == entry.Length && stream.ReadByte() >= 0)
            throw BadInputException.At(path, $"entry {MessageText.Quote(entry.FullName)}", $"{entry.Length} bytes as declared", "more");
    }
}
