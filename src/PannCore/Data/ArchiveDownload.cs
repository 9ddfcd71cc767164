using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using static System.FormattableString;

namespace PannCore.Data;

/// <summary>How far a download is.</summary>
/// <param name="Bytes">Bytes that are on disk, those of earlier attempts included.</param>
/// <param name="Total">Bytes of the whole archive.</param>
public readonly record struct DownloadProgress(long Bytes, long Total);

/// <summary>What a fetch did.</summary>
/// <param name="Folder">Path of the folder with the unpacked files.</param>
/// <param name="DownloadedBytes">Bytes that came over the network; 0 where the files or the archive were already there.</param>
/// <param name="ResumedAt">Byte from which an earlier download was continued; 0 for a full one.</param>
public sealed record FetchedArchive(string Folder, long DownloadedBytes, long ResumedAt);

/// <summary>What an archive must be: the download is judged by these facts alone, whatever the server says.</summary>
/// <param name="Name">File name the archive gets.</param>
/// <param name="Length">Exact length in bytes.</param>
/// <param name="Sha256">SHA-256 in lower-case hexadecimal.</param>
/// <param name="Files">The files to unpack.</param>
/// <param name="StallLimit">How long to wait for the next byte.</param>
internal sealed record ArchiveFacts(string Name, long Length, string Sha256, IReadOnlyList<KnownFile> Files, TimeSpan StallLimit);

/// <summary>
/// Downloads the official CIFAR-10 archive, checks its length and SHA-256, and unpacks it. An interrupted download stays as
/// <c>.part</c> and is continued by the next one (HTTP Range).
/// </summary>
/// <remarks>
/// No ETag is kept for If-Range: only one content is acceptable, the one with the known SHA-256, so a part may be continued from any
/// server that has it, and a server whose file has changed is refused by length or hash in any case.
/// </remarks>
public static class ArchiveDownload
{
    /// <summary>The address given by the authors of the data set.</summary>
    public const string OfficialUrl = "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz";

    internal static ArchiveFacts Official { get; } = new(Cifar10Files.Archive, 170_052_171,
        "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd", Cifar10Files.Known, TimeSpan.FromSeconds(60));

    /// <summary>
    /// Downloads and unpacks into <c>cifar-10-batches-bin</c> below a folder. Files that are already as they should be stay; an archive
    /// that already lies in the folder is checked and unpacked without a download. The archive is kept.
    /// </summary>
    /// <param name="client">The client to ask; it must not decompress responses (its default).</param>
    /// <param name="url">The official address or a mirror.</param>
    /// <param name="folder">The folder for the archive and the unpacked folder; made where missing.</param>
    /// <param name="progress">Told after every block, on the thread that reads.</param>
    /// <param name="cancellation">Ends the download; what has arrived is kept.</param>
    /// <exception cref="BadInputException">The server's answer, the length or the hash is not as expected, or a file cannot be written.</exception>
    public static Task<FetchedArchive> FetchAsync(HttpClient client, Uri url, string folder, IProgress<DownloadProgress>? progress = null,
        CancellationToken cancellation = default)
        => FetchAsync(client, url, folder, Official, progress, cancellation);

    internal static async Task<FetchedArchive> FetchAsync(HttpClient client, Uri url, string folder, ArchiveFacts facts,
        IProgress<DownloadProgress>? progress, CancellationToken cancellation)
    {
        string archive = Path.Combine(folder, facts.Name);
        string target = Path.Combine(folder, Cifar10Files.Folder);
        (long downloaded, long resumedAt) = (0, 0);
        try
        {
            if (!facts.Files.All(file => Cifar10Verification.IsKnown(target, file)))
            {
                Directory.CreateDirectory(folder);
                if (File.Exists(archive)) await CheckAsync(archive, facts, cancellation).ConfigureAwait(false);
                else (downloaded, resumedAt) = await DownloadAsync(client, url, archive, facts, progress, cancellation).ConfigureAwait(false);
                Unpack(archive, target, facts, cancellation);
            }
            return new FetchedArchive(target, downloaded, resumedAt);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new BadInputException($"{folder}: expected a folder that can be written, found: {e.Message}", e);
        }
    }

    private static async Task CheckAsync(string archive, ArchiveFacts facts, CancellationToken cancellation)
    {
        using FileStream file = File.OpenRead(archive);
        if (file.Length != facts.Length)
            throw BadInputException.At(facts.Name, $"byte {Math.Min(file.Length, facts.Length)}", $"{facts.Length} bytes", $"{file.Length}; delete {archive} to download it again");
        string hash = Convert.ToHexStringLower(await SHA256.HashDataAsync(file, cancellation).ConfigureAwait(false));
        if (hash != facts.Sha256)
            throw new BadInputException($"{facts.Name}: expected SHA-256 {facts.Sha256}, found {hash}; delete {archive} to download it again");
    }

    private static async Task<(long Downloaded, long ResumedAt)> DownloadAsync(HttpClient client, Uri url, string archive, ArchiveFacts facts,
        IProgress<DownloadProgress>? progress, CancellationToken cancellation)
    {
        string part = archive + ".part";
        long start, downloaded = 0;
        string hash;
        using (var file = new FileStream(part, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None))
        {
            using var sha = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            if (file.Length > facts.Length) file.SetLength(0);
            await AppendAsync(file, sha, cancellation).ConfigureAwait(false);
            start = file.Length;
            if (start < facts.Length)
            {
                using HttpResponseMessage response = await AskAsync(client, url, start, facts, cancellation).ConfigureAwait(false);
                if (response.StatusCode == HttpStatusCode.OK && start > 0)
                {
                    file.SetLength(start = 0);
                    sha.GetHashAndReset();
                }
                downloaded = await ReceiveAsync(response, url, file, sha, facts, progress, cancellation).ConfigureAwait(false);
            }
            hash = Convert.ToHexStringLower(sha.GetHashAndReset());
            file.Flush(flushToDisk: true);
        }
        if (start + downloaded > facts.Length)
        {
            File.Delete(part);
            throw BadInputException.At($"{url}", $"byte {facts.Length}", $"{facts.Length} bytes", "more");
        }
        if (hash != facts.Sha256)
        {
            File.Delete(part);
            throw new BadInputException($"{url}: expected SHA-256 {facts.Sha256}, found {hash}; the download was deleted");
        }
        File.Move(part, archive);
        return (downloaded, start);
    }

    /// <summary>Feeds what is already on disk to the hash and leaves the file at its end.</summary>
    private static async Task AppendAsync(FileStream file, IncrementalHash sha, CancellationToken cancellation)
    {
        var buffer = new byte[1 << 20];
        for (int got; (got = await file.ReadAsync(buffer, cancellation).ConfigureAwait(false)) > 0;) sha.AppendData(buffer, 0, got);
    }

    /// <summary>Asks for the bytes from <paramref name="start"/> on and checks that the answer is the archive, before anything on disk changes.</summary>
    private static async Task<HttpResponseMessage> AskAsync(HttpClient client, Uri url, long start, ArchiveFacts facts, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, url);
        request.Headers.AcceptEncoding.Add(new StringWithQualityHeaderValue("identity"));
        if (start > 0) request.Headers.Range = new RangeHeaderValue(start, null);

        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(facts.StallLimit);
        HttpResponseMessage response;
        try
        {
            response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, patience.Token).ConfigureAwait(false);
        }
        catch (HttpRequestException e)
        {
            throw new BadInputException($"{url}: expected an answer, found: {e.Message}", e);
        }
        catch (OperationCanceledException e) when (!cancellation.IsCancellationRequested)
        {
            throw new BadInputException(Invariant($"{url}: expected an answer within {facts.StallLimit.TotalSeconds} s, found none"), e);
        }

        HttpContentHeaders headers = response.Content.Headers;
        string? fault = response.StatusCode switch
        {
            HttpStatusCode.OK when (headers.ContentLength ?? facts.Length) == facts.Length => null,
            HttpStatusCode.OK => $"{url}: expected {facts.Length} bytes, found {headers.ContentLength} ({headers.ContentType?.MediaType ?? "no media type"})",
            HttpStatusCode.PartialContent when start > 0 && headers.ContentRange is { } range && range.From == start && (range.Length ?? facts.Length) == facts.Length => null,
            HttpStatusCode.PartialContent => $"{url}: at byte {start}: expected a part of {facts.Length} bytes, found Content-Range {headers.ContentRange?.ToString() ?? "none"}",
            HttpStatusCode.RequestedRangeNotSatisfiable => $"{url}: at byte {start}: expected {facts.Length} bytes, found the end of the server's file",
            _ => $"{url}: expected HTTP status 200 or 206, found {(int)response.StatusCode}",
        };
        if (fault is null) return response;
        response.Dispose();
        throw new BadInputException(fault);
    }

    /// <summary>Appends the body; stops at the first block that goes beyond the expected length, without writing it.</summary>
    private static async Task<long> ReceiveAsync(HttpResponseMessage response, Uri url, FileStream file, IncrementalHash sha, ArchiveFacts facts,
        IProgress<DownloadProgress>? progress, CancellationToken cancellation)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        long start = file.Position, position = start;
        var buffer = new byte[128 << 10];
        using Stream body = await response.Content.ReadAsStreamAsync(cancellation).ConfigureAwait(false);
        while (true)
        {
            int got = 0;
            string cut = "the end of the answer";
            patience.CancelAfter(facts.StallLimit);
            try
            {
                got = await body.ReadAsync(buffer, patience.Token).ConfigureAwait(false);
            }
            catch (Exception e) when (e is IOException or HttpRequestException)
            {
                cut = e.Message;
            }
            catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
            {
                cut = Invariant($"nothing for {facts.StallLimit.TotalSeconds} s");
            }
            if (got == 0 && position == facts.Length) return position - start;
            if (got == 0) throw BadInputException.At($"{url}", $"byte {position}", $"{facts.Length} bytes", $"{cut}; run the same command again to continue");

            position += got;
            if (position > facts.Length) return position - start;
            sha.AppendData(buffer, 0, got);
            await file.WriteAsync(buffer.AsMemory(0, got), cancellation).ConfigureAwait(false);
            progress?.Report(new DownloadProgress(position, facts.Length));
        }
    }

    /// <summary>Unpacks into a new folder that gets its name last, so that the name never stands for half the files; where there is one already, its files are replaced one by one.</summary>
    private static void Unpack(string archive, string target, ArchiveFacts facts, CancellationToken cancellation)
    {
        string fresh = $"{target}.{Path.GetRandomFileName()}.tmp";
        Directory.CreateDirectory(fresh);
        try
        {
            using (FileStream file = File.OpenRead(archive))
                Cifar10Archive.Read(file, facts.Name, facts.Files, [.. facts.Files.Select(f => f.Name)], (known, content) =>
                {
                    using FileStream output = File.Create(Path.Combine(fresh, known.Name));
                    content.CopyTo(output);
                    output.Flush(flushToDisk: true);
                }, cancellation);

            if (!Directory.Exists(target)) Directory.Move(fresh, target);
            else
                foreach (KnownFile file in facts.Files) File.Move(Path.Combine(fresh, file.Name), Path.Combine(target, file.Name), overwrite: true);
        }
        finally
        {
            if (Directory.Exists(fresh)) Directory.Delete(fresh, recursive: true);
        }
    }
}
