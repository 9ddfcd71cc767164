using System.Text.Json;

namespace PannCore.Approximation;

/// <summary>Reads a file of limited length; whatever prevents it is one clear error.</summary>
internal static class SmallFile
{
    /// <summary>The bytes of the file, without a byte order mark.</summary>
    /// <param name="path">The file; pipes and devices are read as far as the limit.</param>
    /// <param name="what">What it is called in messages.</param>
    /// <param name="mostBytes">The longest that is read.</param>
    /// <param name="missing">What is said where there is none.</param>
    /// <exception cref="BadInputException">There is no such file, it cannot be read, or it is too long.</exception>
    public static byte[] Read(string path, string what, int mostBytes, string missing = "there is no such file")
    {
        try
        {
            using FileStream stream = new(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete);
            // A pipe has no length; one byte more than allowed tells a file that is too long, whatever it says of itself.
            byte[] buffer = new byte[mostBytes + 1];
            int length = stream.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false);
            if (length > mostBytes)
                throw BadInputException.At(what, "length", $"at most {mostBytes} bytes", stream.CanSeek && stream.Length > mostBytes ? FormattableString.Invariant($"{stream.Length}") : "more");
            return buffer[(buffer.AsSpan(0, length).StartsWith("\uFEFF"u8) ? 3 : 0)..length];
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new BadInputException($"{what}: {missing}", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new BadInputException($"{what}: cannot be read: {e.Message}", e);
        }
    }

    /// <summary>What <paramref name="read"/> makes of a JSON file, in which no name may stand twice.</summary>
    /// <exception cref="BadInputException">As for <see cref="Read"/>; it is no JSON, or a text in it is none; or what <paramref name="read"/> throws.</exception>
    public static T ReadJson<T>(string path, int mostBytes, Func<JsonElement, T> read)
    {
        byte[] bytes = Read(path, path, mostBytes);
        try
        {
            using var document = JsonDocument.Parse(bytes, new JsonDocumentOptions { AllowDuplicateProperties = false });
            return read(document.RootElement);
        }
        catch (JsonException e)
        {
            throw new BadInputException(e.LineNumber is { } line ? $"{path}: at line {line + 1}: expected JSON, found something else" : $"{path}: expected JSON in which no name stands twice: {e.Message}", e);
        }
        catch (InvalidOperationException e)
        {
            throw new BadInputException($"{path}: a text is half of a surrogate pair", e);
        }
    }
}
