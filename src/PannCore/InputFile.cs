using System.Text.Json;

namespace PannCore;

/// <summary>Opens or reads a file; whatever prevents it is one clear error.</summary>
internal static class InputFile
{
    private const string Missing = "there is no such file";

    /// <summary>Opens a file that can be read in any order.</summary>
    /// <exception cref="BadInputException">There is no such file, it is a folder, a pipe or empty, or it may not be read.</exception>
    internal static FileStream Open(string path)
    {
        FileStream stream = OpenAny(path, path, Missing, refuseEmpty: true);
        if (stream.CanSeek) return stream;
        stream.Dispose();
        throw new BadInputException($"{path}: expected a file, found a pipe");
    }

    /// <summary>The bytes of a file of limited length, without a byte order mark.</summary>
    /// <param name="path">The file; pipes and devices are read as far as the limit.</param>
    /// <param name="what">What it is called in messages.</param>
    /// <param name="mostBytes">The longest that is read.</param>
    /// <param name="missing">What is said where there is none.</param>
    /// <exception cref="BadInputException">There is no such file, it is a folder, it cannot be read, or it is too long.</exception>
    internal static byte[] Read(string path, string what, int mostBytes, string missing = Missing)
    {
        using FileStream stream = OpenAny(path, what, missing, refuseEmpty: false);
        try
        {
            if (stream.CanSeek && stream.Length > mostBytes) throw BadInputException.At(what, "length", $"at most {mostBytes} bytes", FormattableString.Invariant($"{stream.Length}"));
            // A pipe has no length; one byte more than allowed tells a file that is too long, whatever it says of itself.
            byte[] buffer = new byte[Math.Min(mostBytes, stream.CanSeek ? stream.Length : 0) + 1];
            int length = stream.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false);
            if (length == buffer.Length && length <= mostBytes)
            {
                Array.Resize(ref buffer, mostBytes + 1);
                length += stream.ReadAtLeast(buffer.AsSpan(length), buffer.Length - length, throwOnEndOfStream: false);
            }
            if (length > mostBytes) throw BadInputException.At(what, "length", $"at most {mostBytes} bytes", "more");
            return buffer[(buffer.AsSpan(0, length).StartsWith("\uFEFF"u8) ? 3 : 0)..length];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new BadInputException($"{what}: cannot be read: {e.Message}", e);
        }
    }

    /// <summary>What <paramref name="read"/> makes of a JSON file, in which no name may stand twice.</summary>
    /// <exception cref="BadInputException">As for <see cref="Read"/>; it is no JSON, or a text in it is none; or what <paramref name="read"/> throws.</exception>
    internal static T ReadJson<T>(string path, string what, int mostBytes, Func<JsonElement, T> read, string missing = Missing)
    {
        byte[] bytes = Read(path, what, mostBytes, missing);
        try
        {
            using var document = JsonDocument.Parse(bytes, new JsonDocumentOptions { AllowDuplicateProperties = false });
            return read(document.RootElement);
        }
        catch (JsonException e)
        {
            throw new BadInputException(e.LineNumber is { } line ? $"{what}: at line {line + 1}: expected JSON, found something else" : $"{what}: expected JSON in which no name stands twice: {e.Message}", e);
        }
        catch (InvalidOperationException e)
        {
            throw new BadInputException($"{what}: a text is half of a surrogate pair", e);
        }
    }

    /// <summary>What went wrong, on one line and without the place that the serializer appends to it.</summary>
    internal static string FirstSentence(JsonException e) => e.Message.Split(" Path:")[0].Split(" LineNumber:")[0].ReplaceLineEndings(" ");

    private static FileStream OpenAny(string path, string what, string missing, bool refuseEmpty)
    {
        if (Directory.Exists(path)) throw new BadInputException($"{what}: expected a file, found a folder");
        try
        {
            // Opening a pipe waits for its writer, perhaps for ever. .NET does not tell a pipe from a file before, but its length is 0.
            if (refuseEmpty && new FileInfo(File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? path) is { Exists: true, Length: 0 })
                throw new BadInputException($"{what}: expected a file with something in it, found an empty one, a pipe or a device");
            return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete);
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
}
