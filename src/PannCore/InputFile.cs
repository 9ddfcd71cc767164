namespace PannCore;

/// <summary>Opens a file for reading; whatever prevents it is one clear error.</summary>
internal static class InputFile
{
    /// <exception cref="BadInputException">There is no such file, it is a folder or a pipe, or it may not be read.</exception>
    internal static FileStream Open(string path)
    {
        if (Directory.Exists(path)) throw new BadInputException($"{path}: expected a file, found a folder");
        FileStream stream;
        try
        {
            stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new BadInputException($"{path}: there is no such file", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new BadInputException($"{path}: cannot be read: {e.Message}", e);
        }
        if (stream.CanSeek) return stream;
        stream.Dispose();
        throw new BadInputException($"{path}: expected a file, found a pipe");
    }
}
