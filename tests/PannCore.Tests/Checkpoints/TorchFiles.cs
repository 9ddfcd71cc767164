using System.Text;

namespace PannCore.Tests.Checkpoints;

/// <summary>Builds files of PyTorch's two formats from pickles and storages; also lying ones.</summary>
internal static class TorchFiles
{
    private static readonly byte[] Magic = [0x80, 2, 0x8A, 10, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19, (byte)'.'];

    private static readonly byte[] Version = [0x80, 2, (byte)'M', 0xE9, 0x03, (byte)'.'];

    public static readonly byte[] LittleEndianSystem = new PickleWriter().Op('}').Op('(').Text("little_endian").Raw(0x88).Op('u').Stop();

    /// <summary>Where the object's pickle begins in <see cref="Stream"/>.</summary>
    public static readonly int ObjectAt = Magic.Length + Version.Length + LittleEndianSystem.Length;

    public static byte[] Stream(byte[] pickle, params (string Key, int ElementSize, byte[] Data)[] storages)
    {
        var keys = new PickleWriter().Op(']').Op('(');
        foreach ((string key, _, _) in storages) keys.Text(key);
        IEnumerable<byte> file = [.. Magic, .. Version, .. LittleEndianSystem, .. pickle, .. keys.Op('e').Stop()];
        foreach ((_, int size, byte[] data) in storages) file = [.. file, .. BitConverter.GetBytes((long)(data.Length / size)), .. data];
        return [.. file];
    }

    /// <summary>The zip format with the entries of a present-day torch.save; 8 bytes of padding in each local header, as torch aligns its data.</summary>
    public static byte[] Zip(byte[] pickle, params (string Key, byte[] Data)[] storages)
        => ZipOf([
            new("net/data.pkl", pickle),
            new("net/byteorder", "little"u8.ToArray()),
            .. storages.Select(s => new ZipEntry($"net/data/{s.Key}", s.Data)),
            new("net/version", "3\n"u8.ToArray())]);

    public static byte[] ZipOf(params ZipEntry[] entries)
    {
        using var file = new MemoryStream();
        using var directory = new MemoryStream();
        using var writer = new BinaryWriter(file);
        using var central = new BinaryWriter(directory);
        byte[] padding = [(byte)'F', (byte)'B', 4, 0, (byte)'Z', (byte)'Z', (byte)'Z', (byte)'Z'];
        foreach (ZipEntry entry in entries)
        {
            uint at = (uint)file.Length;
            byte[] name = Encoding.UTF8.GetBytes(entry.Name);
            uint stored = entry.Stored ?? (uint)entry.Data.Length;
            uint length = entry.Declared64 is null ? entry.Declared ?? (uint)entry.Data.Length : uint.MaxValue;
            byte[] extension = entry.Declared64 is { } wide ? [1, 0, 8, 0, .. BitConverter.GetBytes(wide)] : [];

            writer.Write(0x04034B50u);
            Common(writer, entry.LocalStored ?? stored);
            writer.Write((ushort)padding.Length);
            writer.Write(name);
            writer.Write(padding);
            writer.Write(entry.Data);

            central.Write(0x02014B50u);
            central.Write((ushort)20);
            Common(central, stored);
            central.Write((ushort)extension.Length);
            central.Write((ushort)0);
            central.Write(new byte[8]);
            central.Write(at);
            central.Write(name);
            central.Write(extension);

            // Version needed, flags, method, time and date, CRC, sizes, length of the name.
            void Common(BinaryWriter to, uint storedHere)
            {
                to.Write((ushort)20);
                to.Write(entry.Flags);
                to.Write(entry.Method);
                to.Write(0u);
                to.Write(Crc32(entry.Data));
                to.Write(storedHere);
                to.Write(length);
                to.Write((ushort)name.Length);
            }
        }
        uint directoryAt = (uint)file.Length;
        writer.Write(directory.ToArray());
        writer.Write(0x06054B50u);
        writer.Write(0u);
        writer.Write((ushort)entries.Length);
        writer.Write((ushort)entries.Length);
        writer.Write((uint)directory.Length);
        writer.Write(directoryAt);
        writer.Write((ushort)0);
        return file.ToArray();
    }

    /// <summary>The archive with a 64-bit end record and its locator before the end record, whose own fields then say nothing.</summary>
    public static byte[] With64BitEnd(byte[] zip, long? locator = null)
    {
        byte[] end = zip[^22..];
        using var file = new MemoryStream();
        using var writer = new BinaryWriter(file);
        writer.Write(zip.AsSpan(0, zip.Length - 22));
        writer.Write(0x06064B50u);
        writer.Write(44L);
        writer.Write(new byte[12]);
        writer.Write((long)BitConverter.ToUInt16(end, 8));
        writer.Write((long)BitConverter.ToUInt16(end, 10));
        writer.Write((long)BitConverter.ToUInt32(end, 12));
        writer.Write((long)BitConverter.ToUInt32(end, 16));
        writer.Write(0x07064B50u);
        writer.Write(0u);
        writer.Write(locator ?? zip.Length - 22);
        writer.Write(1u);
        end.AsSpan(8, 12).Fill(0xFF);
        writer.Write(end);
        return file.ToArray();
    }

    /// <summary>Bit by bit, as the polynomial division is defined.</summary>
    public static uint Crc32(ReadOnlySpan<byte> data)
    {
        uint crc = ~0u;
        foreach (byte value in data)
        {
            crc ^= value;
            for (int bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ (0xEDB88320u & (0u - (crc & 1)));
        }
        return ~crc;
    }

    /// <summary>An entry; every size but that of the data is what the archive declares, true where none is given.</summary>
    internal sealed record ZipEntry(
        string Name, byte[] Data, uint? Declared = null, uint? Stored = null, uint? LocalStored = null, ulong? Declared64 = null, ushort Method = 0, ushort Flags = 0);
}
