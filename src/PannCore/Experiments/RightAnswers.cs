namespace PannCore.Experiments;

/// <summary>Which images a network answered right, as text: a bit an image, the first in the lowest bit of the first byte, in base 64.</summary>
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
        return Convert.ToBase64String(bytes);
    }

    /// <summary>The answers of a text to so many images.</summary>
    /// <exception cref="BadInputException">Not such a text, or of another number of images.</exception>
    public static bool[] Read(string text, int images)
    {
        byte[] bytes = new byte[((text.Length / 4) + 1) * 3];
        if (!Convert.TryFromBase64String(text, bytes, out int length) || length != (images + 7) / 8)
            throw new BadInputException($"right answers: expected {(images + 7) / 8} bytes in base 64, found {text.Length} characters");
        return [.. Enumerable.Range(0, images).Select(i => (bytes[i / 8] >> (i % 8) & 1) == 1)];
    }
}
