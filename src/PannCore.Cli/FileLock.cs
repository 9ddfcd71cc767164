namespace PannCore.Cli;

/// <summary>A file beside another that one run at a time holds; it goes when the run lets go, and one that a killed run has left is free.</summary>
internal static class FileLock
{
    /// <summary>Holds the lock beside a file until what is returned is disposed.</summary>
    /// <param name="file">The file.</param>
    /// <param name="tries">How often to wait for another run, 50 ms each time.</param>
    /// <param name="expected">What is expected of other runs, for the message.</param>
    /// <exception cref="BadInputException">Another run holds it, or it is a file with something in it, which no lock is.</exception>
    public static IDisposable Hold(string file, int tries, string expected)
    {
        file += ".lock";
        // It is deleted when the run lets go: nothing that somebody else wrote may be.
        if (new FileInfo(file) is { Exists: true, Length: > 0 and long length }) throw BadInputException.At(file, "its end", "nothing, or no such file: it says that a run writes the file beside it", $"{length} bytes");
        for (; ; tries--)
        {
            try
            {
                return new FileStream(file, FileMode.OpenOrCreate, FileAccess.Write, FileShare.None, bufferSize: 1, FileOptions.DeleteOnClose);
            }
            catch (IOException exception) when (IsHeld(exception))
            {
                if (tries <= 0) throw new BadInputException($"{file}: expected {expected}, found that one does: {exception.Message}", exception);
                Thread.Sleep(50);
            }
        }
    }

    /// <summary>Whether another process has the file: EWOULDBLOCK of Linux or macOS, a sharing violation of Windows. A full disk or a missing folder is neither.</summary>
    private static bool IsHeld(IOException exception) => exception.HResult is 11 or 35 or unchecked((int)0x80070020);
}
