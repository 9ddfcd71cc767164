using System.Buffers.Binary;
using System.IO.Compression;

namespace PannCore.Reports.Sections;

/// <summary>
/// An image of 32 x 32 pixels as a PNG inside an address, so that the page asks for no file: signature, header, one block of deflated rows, end
/// (W3C Recommendation "Portable Network Graphics"). Every row has filter 1: each byte less the one of the pixel to its left.
/// </summary>
internal static class PictureData
{
    private const int Side = 32, Plane = Side * Side;

    private static readonly byte[] Signature = [0x89, (byte)'P', (byte)'N', (byte)'G', 13, 10, 26, 10];

    // Width, height, 8 bits a channel, red green blue, the only compression and filter method there are, not interlaced.
    private static readonly byte[] Header = [0, 0, 0, Side, 0, 0, 0, Side, 8, 2, 0, 0, 0];

    /// <summary>The address; null for what is not 3,072 bytes.</summary>
    /// <param name="planes">Red plane, green plane, blue plane, as CIFAR-10 stores them.</param>
    public static string? Address(ReadOnlySpan<byte> planes)
        => planes.Length == 3 * Plane ? $"data:image/png;base64,{Convert.ToBase64String(Png(planes))}" : null;

    private static byte[] Png(ReadOnlySpan<byte> planes)
    {
        using MemoryStream png = new(), rows = new();
        using (ZLibStream deflate = new(rows, CompressionLevel.SmallestSize, leaveOpen: true))
        {
            for (int y = 0; y < Side; y++)
            {
                deflate.WriteByte(1);
                for (int x = 0; x < Side; x++)
                {
                    for (int c = 0; c < 3; c++)
                    {
                        int at = c * Plane + y * Side + x;
                        deflate.WriteByte((byte)(planes[at] - (x == 0 ? 0 : planes[at - 1])));
                    }
                }
            }
        }

        png.Write(Signature);
        Chunk(png, "IHDR"u8, Header);
        Chunk(png, "IDAT"u8, rows.ToArray());
        Chunk(png, "IEND"u8, []);
        return png.ToArray();
    }

    private static void Chunk(MemoryStream png, ReadOnlySpan<byte> kind, ReadOnlySpan<byte> content)
    {
        Span<byte> number = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(number, content.Length);
        png.Write(number);
        png.Write(kind);
        png.Write(content);
        BinaryPrimitives.WriteUInt32BigEndian(number, ~Crc(content, Crc(kind, uint.MaxValue)));
        png.Write(number);
    }

    // CRC-32 with the reversed polynomial 0xEDB88320, bit by bit: a few kilobytes an image.
    private static uint Crc(ReadOnlySpan<byte> bytes, uint crc)
    {
        foreach (byte b in bytes)
        {
            crc ^= b;
            for (int bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ (0xEDB88320 & (uint)-(int)(crc & 1));
        }

        return crc;
    }
}
