using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;

namespace PannCore.Checkpoints;

/// <summary>
/// PyTorch's format before version 1.6: five pickles in sequence (a magic number, the protocol version 1001, the writer's system, the object,
/// the list of storage keys), then for each key its element count as a 64-bit number and its elements.
/// </summary>
internal static class TorchStreamFormat
{
    private static readonly BigInteger Magic = BigInteger.Parse("01950A86A20F9469CFC6C", NumberStyles.HexNumber, CultureInfo.InvariantCulture);

    private const long ProtocolVersion = 1001;

    internal static TorchContents Read(Stream stream, string path)
    {
        var declared = new Dictionary<string, TorchStorage>(StringComparer.Ordinal);
        var unpickler = new RestrictedUnpickler(stream, path, declared);

        if (unpickler.Load() is not BigInteger magic || magic != Magic)
            throw BadInputException.At(path, "the first pickle", "PyTorch's magic number", "another object");
        if (unpickler.Load() is not ProtocolVersion)
            throw BadInputException.At(path, "the second pickle", $"protocol version {ProtocolVersion}", "another object");
        if (unpickler.Load() is not PickleDictionary system || system.Find("little_endian") is not true)
            throw BadInputException.At(path, "the third pickle", "a little-endian writer", "another one");
        object? root = unpickler.Load();
        if (unpickler.Load() is not List<object?> keys)
            throw BadInputException.At(path, "the fifth pickle", "the list of storage keys", "another object");

        var storages = new Dictionary<string, FileRange>(StringComparer.Ordinal);
        Span<byte> countBytes = stackalloc byte[8];
        foreach (object? item in keys)
        {
            string at = $"byte {stream.Position}";
            if (item is not string key || !declared.TryGetValue(key, out TorchStorage? storage))
                throw BadInputException.At(path, at, "a storage that a tensor uses", item is string other ? MessageText.Quote(other) : "a key that is no text");
            if (stream.Length - stream.Position < countBytes.Length)
                throw BadInputException.At(path, at, $"storage {MessageText.Quote(key)}", "the end of the file");
            stream.ReadExactly(countBytes);
            long count = BinaryPrimitives.ReadInt64LittleEndian(countBytes);
            if (count != storage.Count)
                throw BadInputException.At(path, at, $"storage {MessageText.Quote(key)} of {storage.Count} elements", FormattableString.Invariant($"{count}"));
            long left = stream.Length - stream.Position;
            if (count > left / storage.Type.Size)
                throw BadInputException.At(path, $"byte {stream.Position}", $"storage {MessageText.Quote(key)} of {count} x {storage.Type.Size} bytes", $"{left} before the end");
            if (!storages.TryAdd(key, new FileRange(stream.Position, count * storage.Type.Size)))
                throw BadInputException.At(path, at, "each storage once", $"{MessageText.Quote(key)} again");
            stream.Position += count * storage.Type.Size;
        }
        return new TorchContents(root, "", storages);
    }
}
