using PannCore.Data;
using Xunit;

namespace PannCore.Tests.Data;

public sealed class Cifar10FolderTests : IDisposable
{
    private const string Missing = "expected the official binary files, cifar-10-binary.tar.gz or cifar-10-sample.bin, found none; get the data with: pann data fetch";

    private readonly Cifar10TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void AnExplicitPlaceComesFirstThenTheEnvironmentThenTheRepository()
    {
        _folder.Add("explicit/test_batch.bin", []);
        _folder.Add("environment/data_batch_1.bin", []);
        _folder.Add("here/data/cifar-10-sample.bin", []);
        string explicitPlace = _folder.PathOf("explicit"), environment = _folder.PathOf("environment"), here = _folder.PathOf("here");

        Assert.Equal(new DataFolder(explicitPlace, DataKind.OfficialFiles), DataFolder.Find(explicitPlace, environment, here, here));
        Assert.Equal(new DataFolder(environment, DataKind.OfficialFiles), DataFolder.Find(null, environment, here, here));
        Assert.Equal(new DataFolder(Path.Combine(here, "data", "cifar-10-sample.bin"), DataKind.Sample), DataFolder.Find(null, "", here, here));
    }

    [Fact]
    public void TheRepositoryIsFoundFromTheExecutable()
    {
        _folder.Add("repo/PannCore.sln", []);
        _folder.Add("repo/data/cifar-10-sample.bin", []);
        _folder.Add("data/cifar-10-batches-bin/test_batch.bin", []);
        _folder.Add("elsewhere/x", []);
        string executable = _folder.PathOf("repo", "src", "bin") + Path.DirectorySeparatorChar;

        Assert.Equal(_folder.PathOf("repo", "data", "cifar-10-sample.bin"), DataFolder.Find(null, null, _folder.PathOf("elsewhere"), executable).Location);
        Assert.Equal(_folder.PathOf("repo", "data"), DataFolder.ForDownload(_folder.PathOf("elsewhere"), executable));
        Assert.Equal(_folder.PathOf("elsewhere", "data"), DataFolder.ForDownload(_folder.PathOf("elsewhere"), _folder.PathOf("elsewhere")));
    }

    [Fact]
    public void TheFullSetComesBeforeTheArchiveAndTheArchiveBeforeTheSample()
    {
        string here = _folder.Location;
        DataFolder Found() => DataFolder.Find(null, null, here, here);

        _folder.Add("data/cifar-10-sample.bin", []);
        Assert.Equal(DataKind.Sample, Found().Kind);
        _folder.Add("data/cifar-10-binary.tar.gz", []);
        Assert.Equal(DataKind.OfficialArchive, Found().Kind);
        _folder.Add("data/data_batch_5.bin", []);
        Assert.Equal(new DataFolder(_folder.PathOf("data"), DataKind.OfficialFiles), Found());
        _folder.Add("data/cifar-10-batches-bin/test_batch.bin", []);
        Assert.Equal(new DataFolder(_folder.PathOf("data", "cifar-10-batches-bin"), DataKind.OfficialFiles), Found());
    }

    [Theory]
    [InlineData("own.bin", DataKind.RecordFile)]
    [InlineData("cifar-10-sample.bin", DataKind.Sample)]
    [InlineData("mirror.TGZ", DataKind.OfficialArchive)]
    public void AFileMayBeNamed(string name, DataKind kind)
    {
        string path = _folder.Add(name, []);
        Assert.Equal(new DataFolder(path, kind), DataFolder.Find(path, null, "/", "/"));
    }

    [Fact]
    public void NoDataNamesEveryPlaceLookedAt()
    {
        _folder.Add("repo/PannCore.sln", []);
        string here = _folder.PathOf("here"), repo = _folder.PathOf("repo");
        string[] places = [.. new[] { here, Path.Combine(repo, "bin"), repo }.SelectMany(root => new[] { $"{root}/data/cifar-10-batches-bin", $"{root}/data" })];
        Assert.Equal($"CIFAR-10: looked in {string.Join(", ", places)}: {Missing}", Message(null, null, here, Path.Combine(repo, "bin")));
    }

    [Fact]
    public void ANamedPlaceWithoutDataIsNotReplacedByAnother()
    {
        _folder.Add("data/test_batch.bin", []);
        string here = _folder.Location, empty = _folder.PathOf("empty");
        Assert.Equal($"CIFAR-10 named by --data: looked in {empty}: {Missing}", Message(empty, here, here, here));
        Assert.Equal($"CIFAR-10 named by PANN_DATA: looked in {empty}: {Missing}", Message(null, empty, here, here));
        Assert.Equal("--data: expected a folder or a file, found nothing", Message("", here, here, here));
    }

    private static string Message(string? data, string? variable, string here, string executable)
        => Assert.Throws<BadInputException>(() => DataFolder.Find(data, variable, here, executable)).Message;
}
