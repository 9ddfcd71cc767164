namespace PannCore;

/// <summary>CRC-32 as zip and gzip store it: the reflected polynomial 0xEDB88320, all bits inverted at both ends. The base library computes it only inside its own readers.</summary>
internal static class Crc32
{
    private static readonly uint[] Table = [.. Enumerable.Range(0, 256).Select(value =>
    {
        uint remainder = (uint)value;
        for (int bit = 0; bit < 8; bit++) remainder = (remainder & 1) == 0 ? remainder >> 1 : (remainder >> 1) ^ 0xEDB88320;
        return remainder;
    })];

    /// <summary>The checksum of what has the checksum <paramref name="before"/>, which is 0 of nothing, and these bytes behind it.</summary>
    internal static uint Append(uint before, ReadOnlySpan<byte> bytes)
    {
        uint crc = ~before;
        foreach (byte value in bytes) crc = Table[(byte)(crc ^ value)] ^ (crc >> 8);
        return ~crc;
    }
}
