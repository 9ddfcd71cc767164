using PannCore.Data;
using PannCore.Tests.Support;
using Xunit;

namespace PannCore.Tests.Data;

public sealed class Cifar10Tests : IDisposable
{
    private readonly Cifar10TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(64)]
    [InlineData(130)]
    public void EveryByteOfAFileIsRead(int count)
    {
        Cifar10 set = Cifar10.ReadFile(_folder.Add("some.bin", Cifar10TestData.Records(count)));

        Assert.Equal(count, set.Count);
        for (int n = 0; n < count; n++)
        {
            Assert.Equal(Cifar10TestData.Label(n, 0), set.Labels[n]);
            for (int i = 0; i < 3072; i++)
                if (set.Images[n * 3072 + i] != Cifar10TestData.Pixel(n, i, 0)) Assert.Fail($"image {n}, byte {i}");
            Assert.True(set.Image(n).SequenceEqual(set.Images.AsSpan(n * 3072, 3072)));
        }
    }

    [Fact]
    public void AFolderIsReadInTheOrderOfItsFiles()
    {
        for (int batch = 1; batch <= 5; batch++) _folder.Add($"cifar-10-batches-bin/data_batch_{batch}.bin", Official(batch));
        _folder.Add("cifar-10-batches-bin/test_batch.bin", Official(6));

        Cifar10 train = Cifar10.ReadTrain(_folder.Location);
        Assert.Equal(50_000, train.Count);
        for (int batch = 1; batch <= 5; batch++) AssertMark(train, (batch - 1) * 10_000, batch);

        Cifar10 third = Cifar10.ReadBatch(_folder.PathOf("cifar-10-batches-bin"), 3);
        Assert.Equal(10_000, third.Count);
        AssertMark(third, 0, 3);
        AssertMark(Cifar10.ReadTest(_folder.Location), 0, 6);
    }

    [Fact]
    public void WritingGivesTheBytesThatWereRead()
    {
        byte[] records = Cifar10TestData.Records(70);
        using var written = new MemoryStream();
        Cifar10.ReadFile(_folder.Add("some.bin", records)).Write(written);
        Assert.Equal(records, written.ToArray());
    }

    [Fact]
    public void FirstOfEachClassKeepsTheOrder()
    {
        var set = new Cifar10(new byte[14 * 3072], [3, 3, 0, 1, 3, 2, 4, 5, 6, 7, 8, 9, 0, 1], "set");
        Assert.Equal([0, 2, 3, 5, 6, 7, 8, 9, 10, 11], set.FirstOfEachClass(1));
        Assert.Equal("set: at class bird: expected at least 2 images, found 1", Message(() => set.FirstOfEachClass(2)));
    }

    [Fact]
    public void SelectCopiesImageAndLabel()
    {
        Cifar10 set = Cifar10.ReadFile(_folder.Add("some.bin", Cifar10TestData.Records(5)));
        Cifar10 two = set.Select([4, 1]);
        Assert.Equal([Cifar10TestData.Label(4, 0), Cifar10TestData.Label(1, 0)], two.Labels);
        Assert.True(two.Image(0).SequenceEqual(set.Image(4)));
        Assert.True(two.Image(1).SequenceEqual(set.Image(1)));
    }

    /// <summary>1,398,102 times 3,072 is 2,048 modulo 2^32: an unchecked product would lead into image 0.</summary>
    [Theory]
    [InlineData(-1)]
    [InlineData(5)]
    [InlineData(1_398_102)]
    [InlineData(int.MinValue)]
    public void AnImageThatIsNotThere(int index)
    {
        Cifar10 set = Cifar10.ReadFile(_folder.Add("some.bin", Cifar10TestData.Records(5)));
        Assert.Throws<ArgumentOutOfRangeException>(() => set.Image(index).Length);
        Assert.Equal($"cifar10: index 1 expects 0..4, got {index} (Parameter 'indices')", Assert.Throws<ArgumentOutOfRangeException>(() => set.Select([4, index])).Message);
        Assert.Throws<ArgumentOutOfRangeException>(() => set.Select([]).Select([0]));
    }

    [Fact]
    public void LabelAboveNine()
    {
        byte[] records = Official(2);
        records[2 * 3073] = 10;
        _folder.Add("data_batch_2.bin", records);
        Assert.Equal("data_batch_2.bin: at byte 6146: expected a label 0..9, found 10", Message(() => Cifar10.ReadBatch(_folder.Location, 2)));
    }

    [Theory]
    [InlineData(1000, 1000)]
    [InlineData(30_733_073, 30_730_000)]
    public void WrongLengthOfAnOfficialFile(int length, int at)
    {
        _folder.Add("test_batch.bin", new byte[length]);
        Assert.Equal($"test_batch.bin: at byte {at}: expected 30730000 bytes (10000 records of 3073), found {length}",
            Message(() => Cifar10.ReadTest(_folder.Location)));
    }

    [Fact]
    public void WrongLengthOfAnotherFile()
    {
        Assert.Equal("own.bin: at byte 6146: expected a record of 3073 bytes, found 54 bytes", Message(() => Cifar10.ReadFile(_folder.Add("own.bin", new byte[6200]))));
        Assert.Equal($"{_folder.PathOf("own.bin")}: expected a file with something in it, found an empty one, a pipe or a device", Message(() => Cifar10.ReadFile(_folder.Add("own.bin", []))));
    }

    /// <summary>The images would take 153.6 MB, of one file 30.7 MB.</summary>
    [Fact]
    public void LengthsAreCheckedBeforeMemoryIsTaken()
    {
        for (int batch = 1; batch <= 4; batch++) using (FileStream file = File.Create(_folder.PathOf($"data_batch_{batch}.bin"))) file.SetLength(30_730_000);
        _folder.Add("data_batch_5.bin", new byte[1000]);
        string archive = _folder.Add("x.tar.gz", Cifar10TestData.TarGz(("cifar-10-batches-bin/readme.html", new byte[77])));
        Takes("data_batch_5.bin: at byte 1000: expected 30730000 bytes (10000 records of 3073), found 1000", () => Cifar10.ReadTrain(_folder.Location));
        Takes("x.tar.gz: expected the entry cifar-10-batches-bin/data_batch_1.bin, found none", () => Cifar10.ReadTrain(archive));

        static void Takes(string message, Action action)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            Assert.Equal(message, Message(action));
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
        }
    }

    [Fact]
    public void MissingFiles()
    {
        string nowhere = _folder.PathOf("nowhere");
        Assert.Equal($"{nowhere}: expected CIFAR-10 (a folder, cifar-10-binary.tar.gz or a .bin file), found no such file or folder; get the data with: pann data fetch",
            Message(() => Cifar10.ReadTest(nowhere)));

        _folder.Add("data_batch_1.bin", Official(1));
        Assert.Equal($"{_folder.Location}: expected the file data_batch_2.bin, found none; get the data with: pann data fetch", Message(() => Cifar10.ReadTrain(_folder.Location)));
    }

    [Theory]
    [InlineData("test_batch.bin")]
    [InlineData("cifar-10-sample.bin")]
    public void TestImagesAreNoTrainingImages(string name)
    {
        string path = _folder.Add(name, Cifar10TestData.Records(1));
        Assert.Equal($"{name}: expected training images, found test images; get the full set with: pann data fetch", Message(() => Cifar10.ReadTrain(path)));
        Assert.Equal($"{name}: expected a folder or an archive with data_batch_1.bin, found a single file; get the full set with: pann data fetch",
            Message(() => Cifar10.ReadBatch(path, 1)));
    }

    [Fact]
    public void NorAreThoseUnderAnotherName()
        => Assert.Equal("mine.bin: expected training images, found test images; get the full set with: pann data fetch", Message(() => Cifar10.ReadTrain(_folder.Add("mine.bin", File.ReadAllBytes(SamplePath())))));

    [Fact]
    public void ArraysThatDoNotFit()
    {
        Assert.StartsWith("cifar10: 2 labels need 6144 image bytes, got 3072", Assert.Throws<ArgumentException>(() => new Cifar10(new byte[3072], new byte[2], "x")).Message, StringComparison.Ordinal);
        Assert.StartsWith("cifar10: label 1 expects 0..9, got 10", Assert.Throws<ArgumentException>(() => new Cifar10(new byte[6144], [9, 10], "x")).Message, StringComparison.Ordinal);
    }

    [NeedsCifar10Fact]
    public void TheClassNamesAreThoseOfTheOfficialMetaFile()
        => Assert.Equal(File.ReadAllLines(Path.Combine(External.Data!, "batches.meta.txt")).Where(line => line.Length > 0), Cifar10.ClassNames);

    [NeedsCifar10Fact]
    public void TheFullSetHasItsKnownClassCounts()
    {
        Cifar10 train = Cifar10.ReadTrain(External.Data!);
        Assert.Equal(50_000, train.Count);
        Assert.Equal(Enumerable.Repeat(5_000, 10), train.ClassCounts());
        Assert.Equal(Enumerable.Repeat(1_000, 10), Cifar10.ReadTest(External.Data!).ClassCounts());
    }

    /// <summary>The rule of the bundled sample, applied to the bytes of the official file without the reader.</summary>
    [NeedsCifar10Fact]
    public void TheBundledSampleIsTheFirstHundredOfEachClassOfTheTestFile()
    {
        byte[] test = File.ReadAllBytes(Path.Combine(External.Data!, "test_batch.bin"));
        var left = Enumerable.Repeat(100, 10).ToArray();
        var expected = new List<byte>();
        for (int at = 0; at < test.Length; at += 3073)
            if (left[test[at]]-- > 0) expected.AddRange(test.AsSpan(at, 3073));

        Assert.Equal(1000 * 3073, expected.Count);
        Assert.True(File.ReadAllBytes(SamplePath()).AsSpan().SequenceEqual(expected.ToArray()));
    }

    [Fact]
    public void TheBundledSampleHasAHundredImagesOfEachClass()
    {
        Cifar10 sample = Cifar10.ReadTest(SamplePath());
        Assert.Equal(1000, sample.Count);
        Assert.Equal(Enumerable.Repeat(100, 10), sample.ClassCounts());
        Assert.All(Cifar10Verification.Verify(new DataFolder(SamplePath(), DataKind.Sample)), check => Assert.True(check.Passed, check.Found));
    }

    private static string SamplePath()
    {
        string? root = AppContext.BaseDirectory;
        while (root is not null && !File.Exists(Path.Combine(root, "PannCore.sln"))) root = Path.GetDirectoryName(root);
        return Path.Combine(root!, "data", "cifar-10-sample.bin");
    }

    /// <summary>10,000 records that are zero but for a mark in the first and the last, which is quicker than a formula for each byte.</summary>
    private static byte[] Official(int mark)
    {
        var bytes = new byte[30_730_000];
        bytes[0] = (byte)mark;
        bytes[1] = (byte)(100 + mark);
        bytes[9_999 * 3073] = (byte)(mark + 1);
        bytes[^1] = (byte)(200 + mark);
        return bytes;
    }

    private static void AssertMark(Cifar10 set, int first, int mark)
    {
        Assert.Equal(mark, set.Labels[first]);
        Assert.Equal(100 + mark, set.Image(first)[0]);
        Assert.Equal(mark + 1, set.Labels[first + 9_999]);
        Assert.Equal(200 + mark, set.Image(first + 9_999)[^1]);
    }

    private static string Message(Action action) => Assert.Throws<BadInputException>(action).Message;
}
