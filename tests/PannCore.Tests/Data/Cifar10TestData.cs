using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;
using PannCore.Data;

namespace PannCore.Tests.Data;

/// <summary>A folder that exists during one test.</summary>
internal sealed class Cifar10TestFolder : IDisposable
{
    public string Location { get; } = Directory.CreateTempSubdirectory("pann-data-").FullName;

    public string PathOf(params string[] names) => Path.Combine([Location, .. names]);

    /// <summary>Writes a file, with the folders it needs, and returns its path.</summary>
    public string Add(string name, byte[] content)
    {
        string path = PathOf(name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, content);
        return path;
    }

    public void Dispose() => Directory.Delete(Location, recursive: true);
}

/// <summary>Records and archives whose every byte follows from a formula.</summary>
internal static class Cifar10TestData
{
    public static byte Label(int record, int salt) => (byte)((record * 7 + salt) % 10);

    public static byte Pixel(int record, int at, int salt) => (byte)(record * 31 + at * 17 + salt * 101);

    /// <summary>Official records, built byte by byte.</summary>
    public static byte[] Records(int count, int salt = 0)
    {
        var bytes = new byte[count * 3073];
        for (int n = 0; n < count; n++)
        {
            bytes[n * 3073] = Label(n, salt);
            for (int i = 0; i < 3072; i++) bytes[n * 3073 + 1 + i] = Pixel(n, i, salt);
        }
        return bytes;
    }

    /// <summary>A gzip-compressed tar with these regular files, named as given.</summary>
    public static byte[] TarGz(params (string Name, byte[] Content)[] entries)
        => Gzip(Tar([.. entries.Select(entry => (TarEntry)new UstarTarEntry(TarEntryType.RegularFile, entry.Name) { DataStream = new MemoryStream(entry.Content) })]));

    public static byte[] Tar(params TarEntry[] entries)
    {
        using var bytes = new MemoryStream();
        using (var writer = new TarWriter(bytes, leaveOpen: true))
            foreach (TarEntry entry in entries) writer.WriteEntry(entry);
        return bytes.ToArray();
    }

    public static byte[] Gzip(byte[] content)
    {
        using var bytes = new MemoryStream();
        using (var gzip = new GZipStream(bytes, CompressionLevel.Fastest)) gzip.Write(content);
        return bytes.ToArray();
    }

    /// <summary>Puts another size into the first tar header and repairs the header's checksum.</summary>
    public static byte[] WithSize(byte[] tar, long size)
    {
        byte[] lying = [.. tar];
        Octal(lying.AsSpan(124, 12), size);
        lying.AsSpan(148, 8).Fill((byte)' ');
        int sum = 0;
        foreach (byte b in lying.AsSpan(0, 512)) sum += b;
        Octal(lying.AsSpan(148, 8), sum);
        return lying;
    }

    public static string Sha256Of(byte[] content) => Convert.ToHexStringLower(SHA256.HashData(content));

    public static KnownFile Known(string name, byte[] content) => new(name, content.Length, Convert.ToHexStringLower(MD5.HashData(content)));

    private static void Octal(Span<byte> field, long value)
    {
        string text = Convert.ToString(value, 8).PadLeft(field.Length - 1, '0');
        for (int i = 0; i < text.Length; i++) field[i] = (byte)text[i];
        field[^1] = 0;
    }
}
