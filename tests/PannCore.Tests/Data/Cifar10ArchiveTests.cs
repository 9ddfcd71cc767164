using System.Formats.Tar;
using PannCore.Data;
using Xunit;

namespace PannCore.Tests.Data;

public sealed class Cifar10ArchiveTests : IDisposable
{
    private const string TestEntry = "cifar-10-batches-bin/test_batch.bin";

    private static readonly KnownFile[] Small = [new("a.bin", 600, ""), new("b.bin", 3, "")];

    private readonly Cifar10TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void AnArchiveIsReadWhateverTheOrderOfItsEntries()
    {
        var files = Enumerable.Range(1, 5).Reverse().Select(batch => ($"cifar-10-batches-bin/data_batch_{batch}.bin", Marked(batch)))
            .Prepend(("cifar-10-batches-bin/readme.html", new byte[77])).Append((TestEntry, Marked(6))).ToArray();
        string path = _folder.Add("cifar-10-binary.tar.gz", Cifar10TestData.TarGz(files));

        Cifar10 train = Cifar10.ReadTrain(path);
        Assert.Equal([1, 2, 3, 4, 5], Enumerable.Range(0, 5).Select(i => (int)train.Labels[i * 10_000]));
        Assert.Equal(6, Cifar10.ReadTest(path).Labels[0]);
        Assert.Single(Directory.GetFileSystemEntries(_folder.Location));
    }

    [Theory]
    [InlineData("../cifar-10-batches-bin/a.bin")]
    [InlineData("cifar-10-batches-bin/../../a.bin")]
    [InlineData("/cifar-10-batches-bin/a.bin")]
    [InlineData("cifar-10-batches-bin\\a.bin")]
    [InlineData("C:/a.bin")]
    public void ANameThatLeadsElsewhereIsRefused(string name)
        => Assert.Equal($"x.tar.gz: at entry {name}: expected a path inside cifar-10-batches-bin, found a path that leads elsewhere",
            Message(Cifar10TestData.TarGz((name, new byte[600]))));

    [Fact]
    public void OtherNamesAreIgnored()
        => Assert.Equal("x.tar.gz: expected the entry cifar-10-batches-bin/a.bin, found none",
            Message(Cifar10TestData.TarGz(("a.bin", new byte[600]), ("other/a.bin", new byte[600]), ("cifar-10-batches-bin/c.bin", new byte[600]))));

    [Fact]
    public void ALinkInPlaceOfAFileIsRefused()
        => Assert.Equal("x.tar.gz: at entry cifar-10-batches-bin/a.bin: expected a regular file, found tar type 2",
            Message(Cifar10TestData.Gzip(Cifar10TestData.Tar(new UstarTarEntry(TarEntryType.SymbolicLink, "cifar-10-batches-bin/a.bin") { LinkName = "/etc/passwd" }))));

    [Fact]
    public void TwoEntriesOfOneNameAreRefused()
        => Assert.Equal("x.tar.gz: at entry cifar-10-batches-bin/a.bin: expected one entry of that name, found two",
            Message(Cifar10TestData.TarGz(("cifar-10-batches-bin/a.bin", new byte[600]), ("cifar-10-batches-bin/a.bin", new byte[600]))));

    [Theory]
    [InlineData(8_000_000_000)]
    [InlineData(601)]
    [InlineData(599)]
    public void ASizeThatIsNotTheFilesIsRefusedBeforeItIsRead(long size)
        => Assert.Equal($"x.tar.gz: at entry cifar-10-batches-bin/a.bin: expected 600 bytes, found {size}",
            Message(Cifar10TestData.Gzip(Cifar10TestData.WithSize(Cifar10TestData.Tar(Entry("a.bin", new byte[600])), size))));

    /// <summary>The size is the expected one, but the archive ends before.</summary>
    [Fact]
    public void ALyingSizeIsAShortFile()
    {
        byte[] tar = Cifar10TestData.WithSize(Cifar10TestData.Tar(Entry("test_batch.bin", new byte[1024])), 30_730_000);
        string path = _folder.Add("x.tar.gz", Cifar10TestData.Gzip(tar));
        Assert.Equal("test_batch.bin: at byte 2048: expected 30730000 bytes (10000 records of 3073), found 2048",
            Assert.Throws<BadInputException>(() => Cifar10.ReadTest(path)).Message);
    }

    [Fact]
    public void TheEndBeforeTheClaimedSize()
        => Assert.Equal("x.tar.gz: at entry cifar-10-batches-bin/a.bin: expected 600 bytes, found 40",
            Message(Cifar10TestData.Gzip(Cifar10TestData.Tar(Entry("a.bin", new byte[600]))[..552])));

    /// <summary>An extension header claims 2 GB in an archive of a few bytes: the error must come without taking the memory.</summary>
    [Theory]
    [InlineData('L')]
    [InlineData('x')]
    [InlineData('g')]
    public void AHugeExtensionHeaderTakesNoMemory(char type)
    {
        byte[] tar = Cifar10TestData.Tar(Entry("a.bin", new byte[600]));
        tar[156] = (byte)type;
        byte[] archive = Cifar10TestData.Gzip(Cifar10TestData.WithSize(tar, 2_000_000_000));
        long before = GC.GetAllocatedBytesForCurrentThread();
        string message = Message(archive);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
        Assert.Equal("x.tar.gz: at entry cifar-10-batches-bin/a.bin: expected 2000000000 bytes, found 2048", message);
    }

    /// <summary>Other tools may put extension headers between the files; they are passed over.</summary>
    [Fact]
    public void ExtensionHeadersArePassedOver()
    {
        TarEntry[] entries =
        [
            new PaxGlobalExtendedAttributesTarEntry(new Dictionary<string, string> { ["comment"] = "text" }),
            new PaxTarEntry(TarEntryType.RegularFile, $"cifar-10-batches-bin/{new string('n', 200)}") { DataStream = new MemoryStream(new byte[7]) },
            new GnuTarEntry(TarEntryType.RegularFile, $"cifar-10-batches-bin/{new string('n', 200)}") { DataStream = new MemoryStream(new byte[7]) },
            new PaxTarEntry(TarEntryType.RegularFile, "cifar-10-batches-bin/a.bin") { DataStream = new MemoryStream(new byte[600]) },
            new GnuTarEntry(TarEntryType.RegularFile, "./cifar-10-batches-bin/b.bin") { DataStream = new MemoryStream(new byte[3]) },
        ];
        Read(Cifar10TestData.Gzip(Cifar10TestData.Tar(entries)));
    }

    [Fact]
    public void NoTarInside()
        => Assert.Equal("x.tar.gz: at unpacked byte 0: expected a tar header, found a wrong checksum", Message(Cifar10TestData.Gzip(Cifar10TestData.Records(1))));

    /// <summary>512 MiB of zeros compress to half a megabyte; the reader gives up at 256 MiB.</summary>
    [Fact]
    public void ABombIsRefused()
    {
        using var bytes = new MemoryStream();
        using (var gzip = new System.IO.Compression.GZipStream(bytes, System.IO.Compression.CompressionLevel.Fastest))
        {
            gzip.Write(Cifar10TestData.WithSize(Cifar10TestData.Tar(Entry("readme.html", new byte[512])), 512L << 20).AsSpan(0, 512));
            var zeros = new byte[1 << 20];
            for (int i = 0; i < 512; i++) gzip.Write(zeros);
        }
        Assert.Equal("x.tar.gz: at unpacked byte 268435456: expected at most 268435456 unpacked bytes, found more", Message(bytes.ToArray()));
    }

    [Fact]
    public void NoArchiveAtAll()
    {
        Assert.StartsWith("x.tar.gz: expected data compressed by gzip, found other or damaged data: ", Message(Cifar10TestData.Records(1)), StringComparison.Ordinal);
        Assert.Equal("x.tar.gz: at unpacked byte 0: expected a tar header, found the end of the archive", Message([]));
    }

    /// <summary>The content is right but the gzip checksum behind it is not.</summary>
    [Fact]
    public void ABrokenChecksumIsFound()
    {
        byte[] archive = Cifar10TestData.TarGz(("cifar-10-batches-bin/a.bin", new byte[600]), ("cifar-10-batches-bin/b.bin", new byte[3]));
        Read(archive);
        archive[^8] ^= 1;
        Assert.StartsWith("x.tar.gz: expected data compressed by gzip, found other or damaged data: ", Message(archive), StringComparison.Ordinal);
    }

    /// <summary>The base library unpacks all there is and says nothing.</summary>
    [Fact]
    public void AMissingChecksumAndWhatFollowsItAreFound()
    {
        byte[] archive = Cifar10TestData.TarGz(("cifar-10-batches-bin/a.bin", new byte[600]), ("cifar-10-batches-bin/b.bin", new byte[3]));
        for (int cut = 1; cut <= 8; cut++)
            Assert.EndsWith(": it is damaged or truncated, or something follows it", Message(archive[..^cut]), StringComparison.Ordinal);
        string message = Message([.. archive, 0]);
        uint crc = BitConverter.ToUInt32(archive, archive.Length - 8), length = BitConverter.ToUInt32(archive, archive.Length - 4);
        Assert.StartsWith($"x.tar.gz: at byte {archive.Length - 7}: expected the CRC-32 {crc:x8} and the length {length} of what it unpacks to, found ", message, StringComparison.Ordinal);
        Assert.EndsWith(": it is damaged or truncated, or something follows it", message, StringComparison.Ordinal);
    }

    /// <summary>Every byte of the archive is replaced in turn, before and after compression: there is a result or one clear error.</summary>
    [Fact]
    public void NoSingleWrongByteCausesAnythingButAClearError()
    {
        byte[] tar = Cifar10TestData.Tar(Entry("a.bin", new byte[600]), Entry("b.bin", new byte[3]));
        for (int at = 0; at < tar.Length; at++)
            foreach (byte value in new byte[] { 0, (byte)'7', (byte)'L', (byte)'x', 0x80, 0xFF })
            {
                byte[] changed = [.. tar];
                changed[at] = value;
                ReadOrRefuse(Cifar10TestData.Gzip(changed));
                if (at < 512 && at is < 148 or >= 156) ReadOrRefuse(Cifar10TestData.Gzip(WithChecksum(changed)));
            }

        byte[] archive = Cifar10TestData.Gzip(tar);
        for (int at = 0; at < archive.Length; at++)
        {
            Message(archive[..at]);
            for (int bit = 0; bit < 8; bit++)
            {
                byte[] changed = [.. archive];
                changed[at] ^= (byte)(1 << bit);
                ReadOrRefuse(changed);
            }
        }
    }

    private static byte[] WithChecksum(byte[] tar)
    {
        string size = System.Text.Encoding.ASCII.GetString(tar, 124, 11);
        return size.All(c => c is >= '0' and <= '7') ? Cifar10TestData.WithSize(tar, Convert.ToInt64(size, 8)) : tar;
    }

    private static void ReadOrRefuse(byte[] archive)
    {
        try
        {
            Read(archive);
        }
        catch (BadInputException e)
        {
            Assert.DoesNotContain('\n', e.Message);
            Assert.StartsWith("x.tar.gz: ", e.Message, StringComparison.Ordinal);
        }
    }

    /// <summary>Reads both small files; where that succeeds, what was handed on had the right length.</summary>
    private static void Read(byte[] archive)
    {
        var lengths = new Dictionary<string, long>();
        Cifar10Archive.Read(new MemoryStream(archive), "x.tar.gz", Small, ["a.bin", "b.bin"], (known, content) =>
        {
            using var copy = new MemoryStream();
            content.CopyTo(copy);
            lengths.Add(known.Name, copy.Length);
        });
        Assert.Equal((600, 3), (lengths["a.bin"], lengths["b.bin"]));
    }

    private static string Message(byte[] archive) => Assert.Throws<BadInputException>(() => Read(archive)).Message;

    private static UstarTarEntry Entry(string name, byte[] content)
        => new(TarEntryType.RegularFile, $"cifar-10-batches-bin/{name}") { DataStream = new MemoryStream(content) };

    private static byte[] Marked(int mark)
    {
        var bytes = new byte[30_730_000];
        bytes[0] = (byte)mark;
        return bytes;
    }
}
