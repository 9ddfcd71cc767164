using System.Buffers.Text;

namespace PannCore.Experiments;

/// <summary>Which images a network answered right, as text: a bit an image, the first in the lowest bit of the first byte, in base 64 for file names (RFC 4648, section 5), without padding.</summary>
public static class RightAnswers
{
    /// <summary>The text.</summary>
    public static string Write(ReadOnlySpan<bool> right)
    {
        byte[] bytes = new byte[(right.Length + 7) / 8];
        for (int i = 0; i < right.Length; i++)
        {
            if (right[i]) bytes[i / 8] |= (byte)(1 << (i % 8));
        }
        return Base64Url.EncodeToString(bytes);
    }

    /// <summary>The answers of a text to so many images.</summary>
    /// <exception cref="BadInputException">Not such a text, or of another number of images.</exception>
    public static bool[] Read(string text, int images)
    {
        byte[] bytes = new byte[Base64Url.GetMaxDecodedLength(text.Length)];
        if (!Base64Url.IsValid(text, out int length) || length != (images + 7) / 8 || !Base64Url.TryDecodeFromChars(text, bytes, out _))
            throw new BadInputException($"right answers: expected {(images + 7) / 8} bytes in base 64, found {text.Length} characters");
        return [.. Enumerable.Range(0, images).Select(i => (bytes[i / 8] >> (i % 8) & 1) == 1)];
    }
}
