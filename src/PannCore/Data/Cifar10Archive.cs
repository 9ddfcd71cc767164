using System.Formats.Tar;
using System.IO.Compression;

namespace PannCore.Data;

/// <summary>
/// Reads the official <c>cifar-10-binary.tar.gz</c> as a stream. Names and sizes in an archive are claims of a stranger: only regular
/// files with an expected name and exactly its length are handed on, and nothing is ever written under a name taken from the archive.
/// </summary>
internal static class Cifar10Archive
{
    /// <summary>Most bytes an archive may unpack to; the official one has 184,4 MB. It bounds the work a small hostile file can cause.</summary>
    internal const long MostUnpackedBytes = 256L << 20;

    public static bool HasArchiveName(string path)
        => path.EndsWith(".tar.gz", StringComparison.OrdinalIgnoreCase) || path.EndsWith(".tgz", StringComparison.OrdinalIgnoreCase);

    /// <summary>Hands each wanted file to <paramref name="visit"/>, in the order of the archive, then checks the gzip checksum.</summary>
    /// <param name="archive">The compressed bytes.</param>
    /// <param name="what">The archive's name for messages.</param>
    /// <param name="known">The files the archive may hold, with their exact lengths.</param>
    /// <param name="wanted">The names that must be there; a subset of <paramref name="known"/>.</param>
    /// <param name="visit">Takes the file and its content, which is valid during the call only and may end too early.</param>
    /// <param name="cancellation">Ends the reading.</param>
    /// <exception cref="BadInputException">Not an archive, a hostile name, a wrong size, or a wanted file missing.</exception>
    public static void Read(Stream archive, string what, IReadOnlyList<KnownFile> known, IReadOnlyList<string> wanted,
        Action<KnownFile, Stream> visit, CancellationToken cancellation = default)
    {
        var missing = wanted.ToHashSet(StringComparer.Ordinal);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        try
        {
            using var unpacked = new BoundedStream(new GZipStream(archive, CompressionMode.Decompress), what, cancellation);
            using var tar = new TarReader(unpacked, leaveOpen: true);
            while (Next(tar, what) is { } entry)
            {
                if (Match(entry, what, known) is not { } file) continue;
                if (!seen.Add(file.Name)) throw BadInputException.At(what, $"entry {entry.Name}", "one entry of that name", "two");
                if (!missing.Remove(file.Name)) continue;
                visit(file, entry.DataStream ?? Stream.Null);
            }
            unpacked.CopyTo(Stream.Null);
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException)
        {
            throw NoArchive(what, e);
        }
        if (missing.Count > 0)
            throw new BadInputException($"{what}: expected the entry {Cifar10Files.Folder}/{wanted.First(missing.Contains)}, found none");
    }

    private static TarEntry? Next(TarReader tar, string what)
    {
        try
        {
            return tar.GetNextEntry();
        }
        catch (Exception e) when (e is not (BadInputException or OperationCanceledException))
        {
            // A broken header surfaces as whatever its parser tripped over: FormatException, OverflowException, OutOfMemoryException, ...
            throw NoArchive(what, e);
        }
    }

    private static BadInputException NoArchive(string what, Exception e)
        => new($"{what}: expected a tar archive compressed by gzip, found: {e.Message}", e);

    private static KnownFile? Match(TarEntry entry, string what, IReadOnlyList<KnownFile> known)
    {
        string name = entry.Name;
        if (name.StartsWith('/') || name.Contains('\\') || name.Contains(':') || name.Split('/').Contains(".."))
            throw BadInputException.At(what, $"entry {Printable(name)}", $"a path inside {Cifar10Files.Folder}", "a path that leads elsewhere");
        if (name.StartsWith("./", StringComparison.Ordinal)) name = name[2..];
        if (known.FirstOrDefault(file => name == $"{Cifar10Files.Folder}/{file.Name}") is not { } match) return null;
        if (entry.EntryType is not (TarEntryType.RegularFile or TarEntryType.V7RegularFile))
            throw BadInputException.At(what, $"entry {name}", "a regular file", $"{entry.EntryType}");
        return entry.Length == match.Length ? match : throw BadInputException.At(what, $"entry {name}", $"{match.Length} bytes", $"{entry.Length}");
    }

    /// <summary>A name from an archive may hold control characters, which a terminal would obey.</summary>
    private static string Printable(string name)
        => string.Concat(name.Take(100).Select(c => char.IsControl(c) ? '?' : c));

    /// <summary>Counts the unpacked bytes, refuses more than the bound, and lets the reader be cancelled.</summary>
    private sealed class BoundedStream(Stream inner, string what, CancellationToken cancellation) : Stream
    {
        private long _count;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override int Read(Span<byte> buffer)
        {
            cancellation.ThrowIfCancellationRequested();
            int got = inner.Read(buffer);
            _count += got;
            return _count <= MostUnpackedBytes ? got : throw BadInputException.At(what, $"unpacked byte {MostUnpackedBytes}", $"at most {MostUnpackedBytes} unpacked bytes", "more");
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
