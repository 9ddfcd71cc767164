using System.Text;

namespace PannCore;

/// <summary>
/// Writes a file whole or not at all: the content goes to a temporary file in the same folder, is flushed to disk, and takes the
/// final name by a rename. A reader sees the old content or the new one, also after a crash; a failure leaves the old file as it was.
/// </summary>
public static class AtomicFile
{
    /// <summary>Writes <paramref name="path"/>, replacing a file of that name.</summary>
    /// <param name="path">The file; its folder must exist. Where it is a symbolic link, the link stays and its target is replaced.</param>
    /// <param name="content">
    /// Writes the content from the stream's beginning, flushes any writer it put around the stream, and leaves the stream open.
    /// Whatever it throws reaches the caller, after the temporary file is gone; only I/O failures become <see cref="BadInputException"/>.
    /// </param>
    /// <exception cref="BadInputException">The file cannot be written; the message names the path and the reason.</exception>
    public static void Write(string path, Action<Stream> content)
    {
        string target = Target(path);
        string temporary = $"{target}.{Path.GetRandomFileName()}.tmp";
        try
        {
            using (var stream = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None))
            {
                content(stream);
                stream.Flush(flushToDisk: true);
            }
            File.Move(temporary, target, overwrite: true);
        }
        catch (Exception e)
        {
            Remove(temporary);
            if (e is IOException or UnauthorizedAccessException)
                throw new BadInputException($"{path}: cannot be written: {e.Message}", e);
            throw;
        }
    }

    /// <summary>Finds out whether <paramref name="path"/> could be written, before the work whose result it is to hold. Leaves nothing behind.</summary>
    /// <exception cref="BadInputException">The file cannot be written; the message names the path and the reason.</exception>
    public static void Check(string path)
    {
        string temporary = $"{Target(path)}.{Path.GetRandomFileName()}.tmp";
        try
        {
            new FileStream(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None).Dispose();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new BadInputException($"{path}: cannot be written: {e.Message}", e);
        }
        finally
        {
            Remove(temporary);
        }
    }

    /// <summary>Writes <paramref name="text"/> as UTF-8 without a byte order mark, as <see cref="Write"/> does.</summary>
    /// <exception cref="BadInputException">The file cannot be written; the message names the path and the reason.</exception>
    public static void WriteText(string path, string text) => Write(path, stream => stream.Write(Encoding.UTF8.GetBytes(text)));

    private static string Target(string path)
    {
        if (string.IsNullOrWhiteSpace(path) || path.Contains('\0'))
            throw new BadInputException($"'{path.Replace('\0', '?')}': cannot be written: it is no file name");
        if (Directory.Exists(path)) throw new BadInputException($"{path}: cannot be written: it is a folder");
        try
        {
            var file = new FileInfo(path);
            string target = file.LinkTarget is null ? file.FullName : file.ResolveLinkTarget(returnFinalTarget: true)!.FullName;
            string folder = Path.GetDirectoryName(target)!;
            if (!Directory.Exists(folder)) throw new BadInputException($"{path}: cannot be written: there is no folder {folder}");
            // A rename would replace the device itself, for everybody.
            if (folder is "/dev") throw new BadInputException($"{path}: cannot be written: it is a device");
            return target;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new BadInputException($"{path}: cannot be written: {e.Message}", e);
        }
    }

    private static void Remove(string temporary)
    {
        try
        {
            File.Delete(temporary);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The failure that brought us here is the one to report.
        }
    }
}
