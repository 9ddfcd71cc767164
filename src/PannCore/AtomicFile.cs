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
        string target = Target(path), temporary = Temporary(target);
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

    /// <summary>Finds out, before long work, whether <see cref="Write"/> could write <paramref name="path"/>; leaves nothing behind.</summary>
    /// <exception cref="BadInputException">It could not; the message is that of <see cref="Write"/>.</exception>
    public static void CheckWritable(string path)
    {
        string temporary = Temporary(Target(path));
        try
        {
            new FileStream(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None).Dispose();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new BadInputException($"{path}: cannot be written: {e.Message}", e);
        }
        Remove(temporary);
    }

    /// <summary>Deletes the temporary files that runs which were killed while they wrote <paramref name="path"/> have left; one that is being written stays (in the moment before it is renamed it may go, and that write fails), and so does any file of another name.</summary>
    /// <exception cref="BadInputException">The file could not be written either; the message is that of <see cref="Write"/>.</exception>
    public static void RemoveLeftovers(string path)
    {
        string target = Target(path), begin = Path.GetFileName(target) + ".";
        try
        {
            foreach (string file in Directory.EnumerateFiles(Path.GetDirectoryName(target)!, "*.tmp"))
            {
                if (IsTemporary(Path.GetFileName(file), begin)) RemoveFree(file);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // They take room and do no harm.
        }
    }

    /// <summary>The name that <see cref="Temporary"/> makes: eight characters, a dot and three behind the target's.</summary>
    private static bool IsTemporary(string name, string begin)
        => name.StartsWith(begin, StringComparison.Ordinal) && name[begin.Length..] is { Length: 16 } rest && rest[8] == '.' && rest.EndsWith(".tmp", StringComparison.Ordinal)
            && rest.Remove(12).Remove(8, 1).All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c));

    /// <summary>A writer holds its file for itself alone: what can be opened so is nobody's.</summary>
    private static void RemoveFree(string temporary)
    {
        try
        {
            new FileStream(temporary, FileMode.Open, FileAccess.Write, FileShare.None, bufferSize: 1, FileOptions.DeleteOnClose).Dispose();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Another one writes it, or it may not be deleted.
        }
    }

    private static string Target(string path)
    {
        if (string.IsNullOrWhiteSpace(path) || path.Contains('\0'))
            throw new BadInputException($"'{path.Replace('\0', '?')}': cannot be written: it is no file name");
        if (path == "-") throw new BadInputException("-: cannot be written: expected the name of a file");
        if (Directory.Exists(path)) throw new BadInputException($"{path}: cannot be written: it is a folder");
        try
        {
            var file = new FileInfo(path);
            string target = file.LinkTarget is null ? file.FullName : file.ResolveLinkTarget(returnFinalTarget: true)!.FullName;
            string folder = Path.GetDirectoryName(target)!;
            if (!Directory.Exists(folder)) throw new BadInputException($"{path}: cannot be written: there is no folder {folder}");
            // A rename would replace the device itself, for everybody.
            if (folder is "/dev" || folder.StartsWith("/proc/", StringComparison.Ordinal)) throw new BadInputException($"{path}: cannot be written: it is a device or a pipe");
            return target;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new BadInputException($"{path}: cannot be written: {e.Message}", e);
        }
    }

    private static string Temporary(string target) => $"{target}.{Path.GetRandomFileName()}.tmp";

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
