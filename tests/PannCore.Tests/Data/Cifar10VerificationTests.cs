using PannCore.Data;
using PannCore.Tests.Support;
using Xunit;

namespace PannCore.Tests.Data;

public sealed class Cifar10VerificationTests : IDisposable
{
    private readonly Cifar10TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [NeedsCifar10Fact]
    public void TheOfficialFilesPass()
    {
        IReadOnlyList<DataCheck> checks = Cifar10Verification.Verify(new DataFolder(External.Data!, DataKind.OfficialFiles));
        Assert.All(checks, check => Assert.True(check.Passed, $"{check}"));
        Assert.Equal(7, checks.Count(check => check.Check == "MD5"));
        Assert.Equal(2, checks.Count(check => check.Check == "images of each class"));
    }

    /// <summary>One pixel changes the hash and nothing else.</summary>
    [NeedsCifar10Fact]
    public void OneWrongPixelIsFoundByTheHashAlone()
    {
        byte[] test = File.ReadAllBytes(Path.Combine(External.Data!, "test_batch.bin"));
        test[5] ^= 1;
        _folder.Add("test_batch.bin", test);
        Assert.Equal([("test_batch.bin", "MD5")], Failures("test_batch.bin").Select(check => (check.File, check.Check)));
    }

    [Fact]
    public void WrongFilesAreRowsAndNotExceptions()
    {
        _folder.Add("data_batch_4.bin", new byte[3073]);
        _folder.Add("test_batch.bin", new byte[30_730_000]);
        string empty = _folder.Add("data_batch_5.bin", []);
        IReadOnlyList<DataCheck> checks = Cifar10Verification.Verify(new DataFolder(_folder.Location, DataKind.OfficialFiles));

        Assert.Equal(["data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "batches.meta.txt"],
            checks.Where(check => check.Found == "missing").Select(check => check.File));
        Assert.Contains(new DataCheck("data_batch_4.bin", "length", "30730000", "3073"), checks);
        Assert.Contains(new DataCheck("data_batch_5.bin", "length", "30730000", "0"), checks);
        Assert.Equal([$"{empty}: expected a file with something in it, found an empty one, a pipe or a device"], checks.Where(check => check is { File: "data_batch_5.bin", Check: "MD5" }).Select(check => check.Found));
        Assert.Contains(new DataCheck("data_batch_4.bin", "labels", "0..9",
            "data_batch_4.bin: at byte 3073: expected 30730000 bytes (10000 records of 3073), found 3073"), checks);
        Assert.Contains(new DataCheck("test_batch.bin", "images of each class",
            "1000 1000 1000 1000 1000 1000 1000 1000 1000 1000", "10000 0 0 0 0 0 0 0 0 0"), checks);
        Assert.DoesNotContain(checks, check => check.File == "data_batch_1..5.bin");
    }

    [Fact]
    public void AWrongSample()
    {
        string path = _folder.Add("cifar-10-sample.bin", Cifar10TestData.Records(1000));
        IReadOnlyList<DataCheck> checks = Cifar10Verification.Verify(new DataFolder(path, DataKind.Sample));
        Assert.Equal(["SHA-256"], checks.Where(check => !check.Passed).Select(check => check.Check));
    }

    [Fact]
    public void AWrongArchive()
    {
        string path = _folder.Add("cifar-10-binary.tar.gz", [1, 2, 3]);
        Assert.Equal(
        [
            new("cifar-10-binary.tar.gz", "length", "170052171", "3"),
            // SHA-256 of the bytes 1 2 3
            new("cifar-10-binary.tar.gz", "SHA-256", "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
                "039058c6f2c0cb492c533b0a4d14ef77cc0f78abccced5287d84a1a2011cfb81"),
        ], Cifar10Verification.Verify(new DataFolder(path, DataKind.OfficialArchive)));
    }

    [Fact]
    public void AnotherFileIsCheckedForItsRecords()
        => Assert.Equal([new("own.bin", "labels", "0..9", "0..9")],
            Cifar10Verification.Verify(new DataFolder(_folder.Add("own.bin", Cifar10TestData.Records(3)), DataKind.RecordFile)));

    private IEnumerable<DataCheck> Failures(string file)
        => Cifar10Verification.Verify(new DataFolder(_folder.Location, DataKind.OfficialFiles)).Where(check => check.File == file && !check.Passed);
}
