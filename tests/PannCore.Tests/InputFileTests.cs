using System.Diagnostics;
using PannCore.Tests.Checkpoints;
using Xunit;

namespace PannCore.Tests;

public sealed class InputFileTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>Opening a pipe would wait until somebody writes into it, and nobody does.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_pipe_without_a_writer_is_refused_at_once(bool behindALink)
    {
        if (OperatingSystem.IsWindows()) return;
        string pipe = Path.Combine(_folder.Root, "pipe"), path = pipe;
        using (var mkfifo = Process.Start("mkfifo", [pipe])) await mkfifo.WaitForExitAsync();
        Assert.True(File.Exists(pipe));
        if (behindALink) File.CreateSymbolicLink(path = Path.Combine(_folder.Root, "link"), pipe);
        Task<FileStream> open = Task.Run(() => InputFile.Open(path));
        if (await Task.WhenAny(open, Task.Delay(TimeSpan.FromSeconds(20))) != open) new FileStream(pipe, FileMode.Open, FileAccess.Write).Dispose(); // Lets it go on; the stream it gets is the failure.
        Assert.Equal($"{path}: expected a file with something in it, found an empty one, a pipe or a device", (await Assert.ThrowsAsync<BadInputException>(() => open)).Message);
    }

    [Fact]
    public void What_is_no_file_or_has_nothing_in_it_is_refused()
    {
        string file = Path.Combine(_folder.Root, "file"), link = Path.Combine(_folder.Root, "link");
        Refused(file, "there is no such file");
        Refused(_folder.Root, "expected a file, found a folder");
        File.WriteAllBytes(file, []);
        Refused(file, "expected a file with something in it, found an empty one, a pipe or a device");
        File.CreateSymbolicLink(link, file);
        Refused(link, "expected a file with something in it, found an empty one, a pipe or a device");
        File.WriteAllBytes(file, [7]);
        using FileStream stream = InputFile.Open(link);
        Assert.Equal(7, stream.ReadByte());

        static void Refused(string path, string why) => Assert.Equal($"{path}: {why}", Assert.Throws<BadInputException>(() => InputFile.Open(path)).Message);
    }
}
