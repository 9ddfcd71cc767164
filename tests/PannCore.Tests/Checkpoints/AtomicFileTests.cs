using Xunit;

namespace PannCore.Tests.Checkpoints;

public sealed class AtomicFileTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_file_is_replaced_whole()
    {
        string path = _folder.With("a", new byte[100]);
        WriteText(path, "ä\n");
        Assert.Equal("ä\n"u8.ToArray(), File.ReadAllBytes(path));
        Assert.Equal(["a"], _folder.FileNames);
    }

    [Fact]
    public void The_old_file_stays_until_the_new_one_is_complete()
    {
        string path = _folder.With("a", [1]);
        AtomicFile.Write(path, stream =>
        {
            stream.Write(new byte[100_000]);
            Assert.Equal([1], File.ReadAllBytes(path));
            Assert.Equal(2, _folder.FileNames.Length);
        });
        Assert.Equal(100_000, new FileInfo(path).Length);
        Assert.Equal(["a"], _folder.FileNames);
    }

    [Fact]
    public void What_killed_runs_left_is_deleted_and_nothing_else()
    {
        string path = _folder.At("a");
        string[] others = ["a.ABCDEFGH.ijk.tmp", "a.abcdefgh.ijk", "a.abcdefgh.ijkl.tmp", "a.abcdefghijkl.tmp", "a.state.abcdefgh.ijk.tmp", "a.tmp", "b.abcdefgh.ijk.tmp", "xa.abcdefgh.ijk.tmp"];
        foreach (string name in others) _folder.With(name, [1]);
        // A run that writes now, and one that was killed while it did.
        AtomicFile.Write(path, _ =>
        {
            string[] own = [.. _folder.FileNames.Except(others)];
            _folder.With("a.0abcdef5.ij5.tmp", [1]);
            AtomicFile.RemoveLeftovers(path);
            Assert.Equal(others.Concat(own).Order(StringComparer.Ordinal), _folder.FileNames);
        });
        // The names that are deleted are those that are written.
        string? left = null;
        AtomicFile.Write(path, _ => left = Assert.Single(_folder.FileNames, name => name != "a" && !others.Contains(name)));
        _folder.With(left!, [1]);
        AtomicFile.RemoveLeftovers(path);
        Assert.Equal(others.Append("a").Order(StringComparer.Ordinal), _folder.FileNames);
    }

    [Fact]
    public void A_failing_writer_leaves_the_old_file_and_no_other()
    {
        string path = _folder.With("a", [1]);
        Assert.Throws<OperationCanceledException>(() => AtomicFile.Write(path, stream =>
        {
            stream.WriteByte(2);
            throw new OperationCanceledException();
        }));
        Assert.Equal([1], File.ReadAllBytes(path));
        Assert.Equal(["a"], _folder.FileNames);

        BadInputException full = Assert.Throws<BadInputException>(() => AtomicFile.Write(path, _ => throw new IOException("the disk is full")));
        Assert.Equal($"{path}: cannot be written: the disk is full", full.Message);
        Assert.Equal(["a"], _folder.FileNames);
    }

    [Fact]
    public void A_folder_a_missing_folder_a_device_and_no_name_are_refused_by_name()
    {
        Assert.Equal($"{_folder.Root}: cannot be written: it is a folder", Refusal(_folder.Root));
        Assert.Equal($"{_folder.At("no/a")}: cannot be written: there is no folder {_folder.At("no")}", Refusal(_folder.At("no/a")));
        string file = _folder.With("file", [1]);
        Assert.Equal($"{file}/a: cannot be written: there is no folder {file}", Refusal(file + "/a"));
        Assert.Equal("'': cannot be written: it is no file name", Refusal(""));
        Assert.Equal("-: cannot be written: expected the name of a file", Refusal("-"));
        Assert.Equal(["file"], _folder.FileNames);
        if (!OperatingSystem.IsWindows()) Assert.Equal("/dev/null: cannot be written: it is a device or a pipe", Refusal("/dev/null"));

        static string Refusal(string path) => Assert.Throws<BadInputException>(() => WriteText(path, "x")).Message;
    }

    [Fact]
    public void A_symbolic_link_stays_and_its_target_is_replaced()
    {
        string target = _folder.With("target", [1]);
        string link = _folder.At("link");
        File.CreateSymbolicLink(link, target);
        WriteText(link, "new");
        Assert.Equal("new", File.ReadAllText(target));
        Assert.Equal(target, new FileInfo(link).LinkTarget);
    }

    private static void WriteText(string path, string text) => AtomicFile.Write(path, stream => stream.Write(System.Text.Encoding.UTF8.GetBytes(text)));
}
