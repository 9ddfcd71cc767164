using PannCore.Data;
using Xunit;

namespace PannCore.Tests.Data;

/// <summary>Downloads from a server on the loopback interface; the official archive's facts are replaced by those of a small one.</summary>
public sealed class ArchiveDownloadTests : IDisposable
{
    private static readonly byte[] First = Incompressible(300_000, 1);
    private static readonly byte[] Second = Incompressible(70, 2);
    private static readonly byte[] Archive = Cifar10TestData.TarGz(
        ("cifar-10-batches-bin/first.bin", First), ("cifar-10-batches-bin/readme.html", [1, 2, 3]), ("cifar-10-batches-bin/second.txt", Second));

    private static readonly ArchiveFacts Facts = FactsOf(Archive);

    private readonly Cifar10TestFolder _folder = new();
    private readonly HttpClient _client = new() { Timeout = TimeSpan.FromSeconds(20) };

    public void Dispose()
    {
        _client.Dispose();
        _folder.Dispose();
    }

    [Fact(Timeout = 30_000)]
    public async Task AFullDownload()
    {
        using var server = new ArchiveServer(new ArchiveAnswer(Archive));
        var progress = new Recorder();
        FetchedArchive fetched = await FetchAsync(server, progress: progress);

        Assert.Equal(new FetchedArchive(_folder.PathOf("cifar-10-batches-bin"), Archive.Length, 0), fetched);
        AssertUnpacked();
        Assert.Equal(["none"], server.Ranges);
        Assert.Equal(progress.Seen.Select(p => p.Bytes).Order(), progress.Seen.Select(p => p.Bytes));
        Assert.Equal(new DownloadProgress(Archive.Length, Archive.Length), progress.Seen[^1]);
    }

    [Fact(Timeout = 30_000)]
    public async Task ACutConnectionIsContinued()
    {
        using var server = new ArchiveServer(new ArchiveAnswer(Archive) { CutAfter = 100_000 }, new ArchiveAnswer(Archive));
        string message = await MessageAsync(server);
        long got = new FileInfo(Part).Length;
        Assert.InRange(got, 1, 100_000);
        Assert.StartsWith($"{server.Url}: at byte {got}: expected {Archive.Length} bytes, found ", message, StringComparison.Ordinal);
        Assert.EndsWith("; run the same command again to continue", message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_folder.PathOf("cifar-10-batches-bin")));

        FetchedArchive fetched = await FetchAsync(server);
        Assert.Equal((got, Archive.Length - got), (fetched.ResumedAt, fetched.DownloadedBytes));
        Assert.Equal(["none", $"bytes={got}-"], server.Ranges);
        AssertUnpacked();
    }

    /// <summary>The answer does not say its length and ends early.</summary>
    [Fact(Timeout = 30_000)]
    public async Task ATruncatedAnswerIsKeptAndContinued()
    {
        using var server = new ArchiveServer(new ArchiveAnswer(Archive) { SaysLength = false, CutAfter = 5_000 }, new ArchiveAnswer(Archive));
        Assert.Equal($"{server.Url}: at byte 5000: expected {Archive.Length} bytes, found the end of the answer; run the same command again to continue", await MessageAsync(server));
        Assert.Equal(5_000, (await FetchAsync(server)).ResumedAt);
        AssertUnpacked();
    }

    [Fact(Timeout = 30_000)]
    public async Task AServerThatIgnoresRangesStartsAgain()
    {
        File.WriteAllBytes(Part, [9, 9, 9, 9]);
        using var server = new ArchiveServer(new ArchiveAnswer(Archive) { Ranges = false });
        FetchedArchive fetched = await FetchAsync(server);
        Assert.Equal((0, Archive.Length), (fetched.ResumedAt, fetched.DownloadedBytes));
        Assert.Equal(["bytes=4-"], server.Ranges);
        AssertUnpacked();
    }

    [Fact(Timeout = 30_000)]
    public async Task AWrongHashDeletesThePart()
    {
        byte[] other = [.. Archive];
        other[1000] ^= 1;
        using var server = new ArchiveServer(new ArchiveAnswer(other));
        Assert.Equal($"{server.Url}: expected SHA-256 {Facts.Sha256}, found {Cifar10TestData.Sha256Of(other)}; the download was deleted", await MessageAsync(server));
        Assert.Empty(Directory.GetFileSystemEntries(_folder.Location));
    }

    /// <summary>A part of something else shows in the hash of the whole, and does not stay in the way.</summary>
    [Fact(Timeout = 30_000)]
    public async Task AForeignPartIsFoundOut()
    {
        File.WriteAllBytes(Part, [9, 9, 9, 9]);
        using var server = new ArchiveServer(new ArchiveAnswer(Archive));
        byte[] mixed = [9, 9, 9, 9, .. Archive[4..]];
        Assert.Equal($"{server.Url}: expected SHA-256 {Facts.Sha256}, found {Cifar10TestData.Sha256Of(mixed)}; the download was deleted", await MessageAsync(server));
        Assert.Equal(0, (await FetchAsync(server)).ResumedAt);
        AssertUnpacked();
    }

    [Fact(Timeout = 30_000)]
    public async Task TooLong()
    {
        byte[] longer = [.. Archive, 0];
        using var saying = new ArchiveServer(new ArchiveAnswer(longer));
        Assert.Equal($"{saying.Url}: expected {Archive.Length} bytes, found {longer.Length} (application/octet-stream)", await MessageAsync(saying));

        using var silent = new ArchiveServer(new ArchiveAnswer(longer) { SaysLength = false });
        Assert.Equal($"{silent.Url}: at byte {Archive.Length}: expected {Archive.Length} bytes, found more", await MessageAsync(silent));
        Assert.False(File.Exists(Part));
    }

    [Fact(Timeout = 30_000)]
    public async Task TooShort()
    {
        using var server = new ArchiveServer(new ArchiveAnswer(Archive[..100]));
        Assert.Equal($"{server.Url}: expected {Archive.Length} bytes, found 100 (application/octet-stream)", await MessageAsync(server));

        File.WriteAllBytes(Part, Archive[..100]);
        Assert.Equal($"{server.Url}: at byte 100: expected {Archive.Length} bytes, found the end of the server's file", await MessageAsync(server));
        Assert.Equal(100, new FileInfo(Part).Length);
    }

    [Fact(Timeout = 30_000)]
    public async Task AWrongPartIsRefused()
    {
        File.WriteAllBytes(Part, Archive[..10]);
        using var server = new ArchiveServer(new ArchiveAnswer(Archive) { ContentRange = $"bytes 9-{Archive.Length - 1}/{Archive.Length}" });
        Assert.Equal($"{server.Url}: at byte 10: expected a part of {Archive.Length} bytes, found Content-Range bytes 9-{Archive.Length - 1}/{Archive.Length}", await MessageAsync(server));
    }

    [Fact(Timeout = 30_000)]
    public async Task CancelledThenContinued()
    {
        using var server = new ArchiveServer(new ArchiveAnswer(Archive) { StallAfter = 50_000 }, new ArchiveAnswer(Archive));
        using var cancel = new CancellationTokenSource();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => FetchAsync(server, cancellation: cancel.Token, progress: new Recorder(p =>
        {
            if (p.Bytes == 50_000) cancel.Cancel();
        })));
        Assert.Equal(50_000, new FileInfo(Part).Length);

        Assert.Equal(50_000, (await FetchAsync(server)).ResumedAt);
        AssertUnpacked();
    }

    [Fact(Timeout = 30_000)]
    public async Task AServerThatFallsSilentIsGivenUp()
    {
        using var server = new ArchiveServer(new ArchiveAnswer(Archive) { StallAfter = 50_000 });
        // Long enough for the part before the silence to arrive while other tests have the cores.
        string message = await MessageAsync(server, Facts with { StallLimit = TimeSpan.FromSeconds(2.5) });
        Assert.Equal($"{server.Url}: at byte 50000: expected {Archive.Length} bytes, found nothing for 2.5 s; run the same command again to continue", message);
    }

    [Fact(Timeout = 30_000)]
    public async Task OtherAnswersAndNoServer()
    {
        using var server = new ArchiveServer(new ArchiveAnswer(Archive) { Status = "404 Not Found" });
        Assert.Equal($"{server.Url}: expected HTTP status 200 or 206, found 404", await MessageAsync(server));

        Uri url = server.Url;
        server.Dispose();
        string message = (await Assert.ThrowsAsync<BadInputException>(() => ArchiveDownload.FetchAsync(_client, url, _folder.Location, Facts, null, default))).Message;
        Assert.StartsWith($"{url}: expected an answer, found: ", message, StringComparison.Ordinal);
    }

    [Fact(Timeout = 30_000)]
    public async Task WhatIsAlreadyThereIsNotDownloadedAgain()
    {
        File.WriteAllBytes(_folder.PathOf(Facts.Name), Archive);
        using var server = new ArchiveServer(new ArchiveAnswer(Archive) { Status = "500 Not Asked" });
        Assert.Equal(0, (await FetchAsync(server)).DownloadedBytes);
        AssertUnpacked();

        File.Delete(_folder.PathOf(Facts.Name));
        Assert.Equal(0, (await FetchAsync(server)).DownloadedBytes);
        Assert.Empty(server.Ranges);
    }

    [Fact(Timeout = 30_000)]
    public async Task ADamagedFileIsReplacedAndForeignFilesStay()
    {
        File.WriteAllBytes(_folder.PathOf(Facts.Name), Archive);
        _folder.Add("cifar-10-batches-bin/first.bin", [1]);
        _folder.Add("cifar-10-batches-bin/mine.txt", [2]);
        using var server = new ArchiveServer(new ArchiveAnswer(Archive));
        await FetchAsync(server);
        AssertUnpacked("mine.txt");
    }

    [Fact(Timeout = 30_000)]
    public async Task AWrongArchiveThatLiesThere()
    {
        string archive = _folder.Add(Facts.Name, Archive[..50]);
        using var server = new ArchiveServer(new ArchiveAnswer(Archive));
        Assert.Equal($"small.tar.gz: at byte 50: expected {Archive.Length} bytes, found 50; delete {archive} to download it again", await MessageAsync(server));

        byte[] other = [.. Archive];
        other[^1] ^= 1;
        File.WriteAllBytes(archive, other);
        Assert.Equal($"small.tar.gz: expected SHA-256 {Facts.Sha256}, found {Cifar10TestData.Sha256Of(other)}; delete {archive} to download it again", await MessageAsync(server));
        Assert.Empty(server.Ranges);
    }

    /// <summary>Even an archive with the expected hash is unpacked by known names only, and leaves nothing behind when it is refused.</summary>
    [Fact(Timeout = 30_000)]
    public async Task AHostileNameUnpacksNothing()
    {
        byte[] hostile = Cifar10TestData.TarGz(("cifar-10-batches-bin/first.bin", First), ("cifar-10-batches-bin/../../evil.txt", Second));
        using var server = new ArchiveServer(new ArchiveAnswer(hostile));
        Assert.Equal("small.tar.gz: at entry cifar-10-batches-bin/../../evil.txt: expected a path inside cifar-10-batches-bin, found a path that leads elsewhere",
            await MessageAsync(server, FactsOf(hostile)));
        Assert.Equal([_folder.PathOf("small.tar.gz")], Directory.GetFileSystemEntries(_folder.Location));
    }

    private string Part => _folder.PathOf(Facts.Name + ".part");

    private static ArchiveFacts FactsOf(byte[] archive)
        => new("small.tar.gz", archive.Length, Cifar10TestData.Sha256Of(archive),
            [Cifar10TestData.Known("first.bin", First), Cifar10TestData.Known("second.txt", Second)], TimeSpan.FromSeconds(20));

    /// <summary>Bytes of a linear congruential generator: an archive of them is not much smaller than they are.</summary>
    private static byte[] Incompressible(int count, uint seed)
    {
        var bytes = new byte[count];
        for (int i = 0; i < count; i++) bytes[i] = (byte)((seed = seed * 1_664_525 + 1_013_904_223) >> 24);
        return bytes;
    }

    private Task<FetchedArchive> FetchAsync(ArchiveServer server, ArchiveFacts? facts = null, Recorder? progress = null, CancellationToken cancellation = default)
        => ArchiveDownload.FetchAsync(_client, server.Url, _folder.Location, facts ?? Facts, progress, cancellation);

    private async Task<string> MessageAsync(ArchiveServer server, ArchiveFacts? facts = null)
        => (await Assert.ThrowsAsync<BadInputException>(() => FetchAsync(server, facts))).Message;

    private void AssertUnpacked(params string[] others)
    {
        string target = _folder.PathOf("cifar-10-batches-bin");
        Assert.Equal(First, File.ReadAllBytes(Path.Combine(target, "first.bin")));
        Assert.Equal(Second, File.ReadAllBytes(Path.Combine(target, "second.txt")));
        Assert.Equal(2 + others.Length, Directory.GetFileSystemEntries(target).Length);
        Assert.All(Directory.GetFileSystemEntries(_folder.Location), path => Assert.Contains(Path.GetFileName(path), new[] { "cifar-10-batches-bin", Facts.Name }));
    }

    private sealed class Recorder(Action<DownloadProgress>? then = null) : IProgress<DownloadProgress>
    {
        public List<DownloadProgress> Seen { get; } = [];

        public void Report(DownloadProgress value)
        {
            Seen.Add(value);
            then?.Invoke(value);
        }
    }
}
