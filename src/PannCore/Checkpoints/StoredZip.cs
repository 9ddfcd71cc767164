using System.Buffers.Binary;
using System.Text;

namespace PannCore.Checkpoints;

/// <summary>
/// The directory of a zip archive whose entries are stored, not compressed, so that an entry is a range of the file.
/// The general reader of the base library gives no offsets, decompresses on its own and says nothing of the method; this one has nothing to
/// decompress, and holds every declared size against the file: no overlaps, nothing beyond the end.
/// Format: PKWARE's APPNOTE, with the 64-bit extension.
/// </summary>
internal sealed class StoredZip
{
    private const uint LocalSignature = 0x04034B50;
    private const uint CentralSignature = 0x02014B50;
    private const uint EndSignature = 0x06054B50;
    private const uint LocatorSignature = 0x07064B50;
    private const uint End64Signature = 0x06064B50;

    private const int LocalLength = 30;
    private const int CentralLength = 46;
    private const int EndLength = 22;
    private const int LocatorLength = 20;
    private const int End64Length = 56;

    private const int LongestDirectory = 100_000_000;

    /// <summary>A field of 32 bits whose value is in the 64-bit extension.</summary>
    private const uint Extended = uint.MaxValue;

    private readonly Stream _stream;
    private readonly string _path;

    private StoredZip(Stream stream, string path) => (_stream, _path) = (stream, path);

    /// <summary>The entries by name.</summary>
    /// <exception cref="BadInputException">The archive is damaged, lies about a size, or has a compressed or encrypted entry or a name that leaves it.</exception>
    internal static Dictionary<string, FileRange> Entries(Stream stream, string path) => new StoredZip(stream, path).Entries();

    /// <summary>Reads an entry that is about to be used, in parts, and compares its checksum; also of a length that no memory could hold.</summary>
    /// <exception cref="BadInputException">The checksum is another one.</exception>
    internal static void CheckChecksum(Stream stream, string path, string name, FileRange data)
    {
        if (data.Checksum is not { } expected) return;
        uint found = 0;
        byte[] buffer = new byte[Math.Min(data.Length, 1 << 16)];
        stream.Position = data.Start;
        for (long left = data.Length; left > 0;)
        {
            Span<byte> part = buffer.AsSpan(0, (int)Math.Min(left, buffer.Length));
            stream.ReadExactly(part);
            found = Crc32.Append(found, part);
            left -= part.Length;
        }
        if (found != expected) throw BadInputException.At(path, Where(name), $"data with the CRC-32 {expected:x8}, as the directory says", $"{found:x8}: they are damaged");
    }

    private Dictionary<string, FileRange> Entries()
    {
        FileRange directory = FindDirectory();
        if (directory.Length > LongestDirectory) throw Fail(directory.Start, $"a directory of at most {LongestDirectory} bytes", $"{directory.Length}");
        byte[] bytes = ReadAt(directory.Start, (int)directory.Length);

        var entries = new Dictionary<string, FileRange>(StringComparer.Ordinal);
        var occupied = new List<(long Header, long End, string Name)>();
        for (int at = 0; at < bytes.Length;)
        {
            long position = directory.Start + at;
            ReadOnlySpan<byte> entry = bytes.AsSpan(at);
            if (entry.Length < CentralLength || U32(entry) != CentralSignature) throw Fail(position, "an entry of the zip directory", "none");
            int nameLength = U16(entry[28..]), extraLength = U16(entry[30..]), length = CentralLength + nameLength + extraLength + U16(entry[32..]);
            if (entry.Length < length) throw Fail(position, $"an entry of {length} bytes in the zip directory", $"{entry.Length} before its end");
            ReadOnlySpan<byte> nameBytes = entry.Slice(CentralLength, nameLength);
            string name = CheckedName(Encoding.UTF8.GetString(nameBytes));
            (long header, FileRange data) = Locate(entry, nameBytes, entry.Slice(CentralLength + nameLength, extraLength), name);
            if (!entries.TryAdd(name, data)) throw BadInputException.At(_path, Where(name), "each name once", "it again");
            occupied.Add((header, data.Start + data.Length, name));
            at += length;
        }

        long end = 0;
        foreach ((long header, long entryEnd, string name) in occupied.Order())
        {
            if (header < end) throw BadInputException.At(_path, Where(name), $"to begin at byte {end} or later, where the entry before it ends", $"byte {header}");
            end = entryEnd;
        }
        return end <= directory.Start ? entries : throw Fail(directory.Start, "the zip directory behind all entries", $"an entry that ends at byte {end}");
    }

    private FileRange FindDirectory()
    {
        long endAt = _stream.Length - EndLength;
        byte[] end = endAt >= 0 ? ReadAt(endAt, EndLength) : new byte[EndLength];
        if (U32(end) != EndSignature)
            throw Fail(Math.Max(0, endAt), "the end record of a zip archive in the file's last 22 bytes", "none: the file is truncated, or something was appended");
        (ulong start, ulong length, long limit) = (U32(end.AsSpan(16)), U32(end.AsSpan(12)), endAt);

        if (endAt >= LocatorLength && ReadAt(endAt - LocatorLength, LocatorLength) is var locator && U32(locator) == LocatorSignature)
        {
            ulong end64At = U64(locator.AsSpan(8));
            if (end64At > (ulong)(endAt - LocatorLength) || endAt - LocatorLength - (long)end64At < End64Length || U32(ReadAt((long)end64At, End64Length)) != End64Signature)
                throw Fail(endAt - LocatorLength, "the place of the 64-bit end record", $"byte {end64At}, where there is none");
            byte[] end64 = ReadAt((long)end64At, End64Length);
            (start, length, limit) = (U64(end64.AsSpan(48)), U64(end64.AsSpan(40)), (long)end64At);
        }
        if (start > (ulong)limit || length > (ulong)limit - start)
            throw Fail(limit, $"a zip directory that ends by byte {limit}", $"{length} bytes from byte {start}");
        return new FileRange((long)start, (long)length);
    }

    private (long Header, FileRange Data) Locate(ReadOnlySpan<byte> entry, ReadOnlySpan<byte> name, ReadOnlySpan<byte> extra, string text)
    {
        (ulong declared, ulong stored, ulong header) = Sizes(entry, extra, text);
        ushort flags = U16(entry[8..]), method = U16(entry[10..]);
        if (method != 0) throw BadInputException.At(_path, Where(text), "a stored entry, as torch.save writes it", $"compression method {method}");
        if ((flags & 1) != 0) throw BadInputException.At(_path, Where(text), "a plain entry", "an encrypted one");
        if (stored != declared) throw BadInputException.At(_path, Where(text), "as many bytes stored as declared", $"{stored} stored, {declared} declared");

        ulong fileLength = (ulong)_stream.Length;
        byte[] local = header <= fileLength && fileLength - header >= LocalLength ? ReadAt((long)header, LocalLength) : new byte[LocalLength];
        if (U32(local) != LocalSignature) throw BadInputException.At(_path, Where(text), $"its header at byte {header}", "none");
        int localNameLength = U16(local.AsSpan(26));
        long start = (long)header + LocalLength + localNameLength + U16(local.AsSpan(28));
        if (start > _stream.Length || stored > fileLength - (ulong)start)
            throw BadInputException.At(_path, Where(text), $"{stored} bytes from byte {start}", $"{Math.Max(0, _stream.Length - start)} before the end of the file");
        if (!ReadAt((long)header + LocalLength, localNameLength).AsSpan().SequenceEqual(name))
            throw BadInputException.At(_path, Where(text), $"its name again at byte {header}", "another one");

        // With flag 8 the sizes follow the data and the header holds zeros; with the 64-bit extension it holds 2^32 - 1.
        uint localSize = U32(local.AsSpan(18));
        if (localSize != stored && localSize != Extended && (flags & 8) == 0)
            throw BadInputException.At(_path, Where(text), $"{stored} bytes, as the directory declares", $"{localSize} declared at byte {header}");
        return ((long)header, new FileRange(start, (long)stored, U32(entry[16..]) is > 0 and uint checksum ? checksum : null));
    }

    /// <summary>Declared and stored size and the header's place: 32 bits each, or in that order in the 64-bit extension (extra field 1).</summary>
    private (ulong Declared, ulong Stored, ulong Header) Sizes(ReadOnlySpan<byte> entry, ReadOnlySpan<byte> extra, string name)
    {
        ReadOnlySpan<byte> extension = [];
        while (extra.Length >= 4)
        {
            int length = U16(extra[2..]);
            if (extra.Length - 4 < length) break;
            if (U16(extra) == 1) extension = extra.Slice(4, length);
            extra = extra[(4 + length)..];
        }
        return (Next(U32(entry[24..]), ref extension), Next(U32(entry[20..]), ref extension), Next(U32(entry[42..]), ref extension));

        ulong Next(uint value, ref ReadOnlySpan<byte> extension)
        {
            if (value != Extended) return value;
            if (extension.Length < 8) throw BadInputException.At(_path, Where(name), "a 64-bit extension with its size", "none");
            ulong extended = U64(extension);
            extension = extension[8..];
            return extended;
        }
    }

    private string CheckedName(string name)
        => name.StartsWith('/') || name.Contains('\\') || name is [_, ':', ..] || name.Split('/').Contains("..") // A colon elsewhere may be of the file's own name: a time.
            ? throw BadInputException.At(_path, Where(name), "a name inside the archive", "a path that leaves it")
            : name;

    private byte[] ReadAt(long position, int count)
    {
        var bytes = new byte[count];
        _stream.Position = position;
        _stream.ReadExactly(bytes);
        return bytes;
    }

    private static string Where(string name) => $"entry {MessageText.Quote(name)}";

    private BadInputException Fail(long position, string expected, string found) => BadInputException.At(_path, $"byte {position}", expected, found);

    private static ushort U16(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadUInt16LittleEndian(bytes);

    private static uint U32(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadUInt32LittleEndian(bytes);

    private static ulong U64(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadUInt64LittleEndian(bytes);
}
