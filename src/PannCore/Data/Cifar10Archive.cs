using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

namespace PannCore.Data;

/// <summary>
/// Reads the official <c>cifar-10-binary.tar.gz</c> as a stream. Names and sizes in an archive are claims of a stranger: only regular
/// files with an expected name and exactly its length are handed on, no memory is taken on the word of a header, and nothing is ever
/// written under a name taken from the archive. Format: POSIX.1-1988 ustar; extension headers (pax, GNU long names) are passed over.
/// </summary>
/// <remarks>
/// System.Formats.Tar is not used for reading: it takes memory of the size that an extension header claims before it looks for the
/// bytes (2 GB for an archive of 200 bytes), and reports broken headers through half a dozen exception types.
/// </remarks>
internal static class Cifar10Archive
{
    /// <summary>Most bytes an archive may unpack to; the official one has 184.4 MB. It bounds the work a small hostile file can cause.</summary>
    internal const long MostUnpackedBytes = 256L << 20;

    private const int Block = 512;

    public static bool HasArchiveName(string path)
        => path.EndsWith(".tar.gz", StringComparison.OrdinalIgnoreCase) || path.EndsWith(".tgz", StringComparison.OrdinalIgnoreCase);

    /// <summary>Hands each wanted file to <paramref name="visit"/>, in the order of the archive, then compares gzip's checksum and length, which the base library takes for granted where they are missing.</summary>
    /// <param name="archive">The compressed bytes, one gzip member and nothing behind it; a stream that can seek.</param>
    /// <param name="what">The archive's name for messages.</param>
    /// <param name="known">The files the archive may hold, with their exact lengths.</param>
    /// <param name="wanted">The names that must be there; a subset of <paramref name="known"/>.</param>
    /// <param name="visit">Takes the file and its content, which is valid during the call only; what it leaves unread is skipped.</param>
    /// <param name="cancellation">Ends the reading.</param>
    /// <exception cref="BadInputException">Not an archive, a damaged or truncated one, a hostile name, a wrong size, or a wanted file missing.</exception>
    public static void Read(Stream archive, string what, IReadOnlyList<KnownFile> known, IReadOnlyList<string> wanted,
        Action<KnownFile, Stream> visit, CancellationToken cancellation = default)
    {
        var missing = wanted.ToHashSet(StringComparer.Ordinal);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var header = new byte[Block];
        try
        {
            using var unpacked = new UnpackedStream(new GZipStream(archive, CompressionMode.Decompress), what, cancellation);
            while (true)
            {
                long at = unpacked.Position;
                unpacked.Left = Block;
                if (unpacked.ReadAtLeast(header, Block, throwOnEndOfStream: false) < Block)
                    throw BadInputException.At(what, $"unpacked byte {unpacked.Position}", "a tar header", "the end of the archive");
                if (!header.AsSpan().ContainsAnyExcept((byte)0)) break;

                (string name, long size, char type) = Parse(header, what, at);
                unpacked.Left = size;
                if (Match(name, size, type, what, known) is { } file)
                {
                    if (!seen.Add(file.Name)) throw BadInputException.At(what, $"entry {name}", "one entry of that name", "two");
                    if (missing.Remove(file.Name)) visit(file, unpacked);
                }
                unpacked.CopyTo(Stream.Null);
                if (unpacked.Left > 0) throw BadInputException.At(what, $"entry {name}", $"{size} bytes", $"{size - unpacked.Left}");
                unpacked.Left = (Block - size % Block) % Block;
                unpacked.CopyTo(Stream.Null);
            }
            unpacked.Left = long.MaxValue;
            unpacked.CopyTo(Stream.Null);
            CheckTrailer(archive, what, unpacked);
        }
        catch (InvalidDataException e)
        {
            throw new BadInputException($"{what}: expected data compressed by gzip, found other or damaged data: {e.Message}", e);
        }
        if (missing.Count > 0)
            throw new BadInputException($"{what}: expected the entry {Cifar10Files.Folder}/{wanted.First(missing.Contains)}, found none");
    }

    /// <summary>A gzip file ends with CRC-32 and length, modulo 2^32, of what was compressed (RFC 1952, 2.3.1).</summary>
    private static void CheckTrailer(Stream archive, string what, UnpackedStream unpacked)
    {
        Span<byte> trailer = stackalloc byte[8];
        long at = archive.Position = Math.Max(0, archive.Length - trailer.Length);
        archive.ReadAtLeast(trailer, trailer.Length, throwOnEndOfStream: false);
        (uint checksum, uint length) = (BinaryPrimitives.ReadUInt32LittleEndian(trailer), BinaryPrimitives.ReadUInt32LittleEndian(trailer[4..]));
        if ((checksum, length) != (unpacked.Checksum, (uint)unpacked.Position))
            throw BadInputException.At(what, $"byte {at}", $"the CRC-32 {unpacked.Checksum:x8} and the length {unpacked.Position} of what it unpacks to", $"{checksum:x8} and {length}: it is damaged or truncated, or something follows it");
    }

    /// <summary>Header fields: name at 0 (100 bytes), size at 124 (12), checksum at 148 (8), type at 156, magic at 257, prefix at 345 (155).</summary>
    private static (string Name, long Size, char Type) Parse(ReadOnlySpan<byte> header, string what, long at)
    {
        long sum = 8 * ' ';
        foreach (byte b in header[..148]) sum += b;
        foreach (byte b in header[156..]) sum += b;
        if (Octal(header.Slice(148, 8)) != sum) throw BadInputException.At(what, $"unpacked byte {at}", "a tar header", "a wrong checksum");
        if (Octal(header.Slice(124, 12)) is not { } size) throw BadInputException.At(what, $"unpacked byte {at + 124}", "a size in octal digits", "something else");

        string prefix = header.Slice(257, 6).SequenceEqual("ustar\0"u8) ? Text(header.Slice(345, 155)) : "";
        string name = Text(header[..100]);
        return (prefix.Length == 0 ? name : $"{prefix}/{name}", size, (char)header[156]);
    }

    /// <summary>At most 12 octal digits, so no overflow; null where there are none or anything else stands among them.</summary>
    private static long? Octal(ReadOnlySpan<byte> field)
    {
        ReadOnlySpan<byte> digits = field.Trim(" \0"u8);
        long value = 0;
        foreach (byte digit in digits)
        {
            if (digit is < (byte)'0' or > (byte)'7') return null;
            value = value * 8 + (digit - '0');
        }
        return digits.IsEmpty ? null : value;
    }

    private static string Text(ReadOnlySpan<byte> field)
        => Encoding.Latin1.GetString(field.IndexOf((byte)0) is >= 0 and int end ? field[..end] : field);

    private static KnownFile? Match(string name, long size, char type, string what, IReadOnlyList<KnownFile> known)
    {
        if (type is 'x' or 'g' or 'L' or 'K') return null; // an extension header: its name is made up by the tool that wrote it
        if (name.StartsWith('/') || name.Contains('\\') || name.Contains(':') || name.Split('/').Contains(".."))
            throw BadInputException.At(what, $"entry {name}", $"a path inside {Cifar10Files.Folder}", "a path that leads elsewhere");
        if (name.StartsWith("./", StringComparison.Ordinal)) name = name[2..];
        if (known.FirstOrDefault(file => name == $"{Cifar10Files.Folder}/{file.Name}") is not { } match) return null;
        if (type is not ('0' or '\0')) throw BadInputException.At(what, $"entry {name}", "a regular file", $"tar type {type}");
        return size == match.Length ? match : throw BadInputException.At(what, $"entry {name}", $"{match.Length} bytes", $"{size}");
    }

    /// <summary>The unpacked bytes, of which the next <see cref="Left"/> can be read; refuses to unpack more than the bound, and can be cancelled.</summary>
    private sealed class UnpackedStream(Stream inner, string what, CancellationToken cancellation) : Stream
    {
        private long _position;

        public long Left { get; set; }

        /// <summary>CRC-32 of what was read so far.</summary>
        public uint Checksum { get; private set; }

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => _position; set => throw new NotSupportedException(); }

        public override int Read(Span<byte> buffer)
        {
            cancellation.ThrowIfCancellationRequested();
            int got = inner.Read(buffer[..(int)Math.Min(buffer.Length, Left)]);
            Left -= got;
            _position += got;
            Checksum = Crc32.Append(Checksum, buffer[..got]);
            return _position <= MostUnpackedBytes ? got
                : throw BadInputException.At(what, $"unpacked byte {MostUnpackedBytes}", $"at most {MostUnpackedBytes} unpacked bytes", "more");
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override void Flush() { }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            if (disposing) inner.Dispose();
            base.Dispose(disposing);
        }
    }
}
