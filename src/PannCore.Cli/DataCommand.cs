using System.CommandLine;
using System.Security.Cryptography;
using PannCore.Data;
using Spectre.Console;

namespace PannCore.Cli;

/// <summary>The verb <c>pann data</c>: fetch, verify, sample.</summary>
internal static class DataCommand
{
    private const int Succeeded = 0, Failed = 1;

    public static Command Create()
        => new("data", "Get CIFAR-10, check it, or make the bundled sample.\n\nExample: pann data fetch") { Fetch(), Verify(), Sample() };

    /// <summary>Where every verb looks for data: <c>--data</c>, then PANN_DATA, then <c>data</c>.</summary>
    internal static DataFolder Find(string? location)
        => DataFolder.Find(location, Environment.GetEnvironmentVariable("PANN_DATA"), Directory.GetCurrentDirectory(), AppContext.BaseDirectory);

    /// <summary>The images that judge: the official test images, or all of a file of one's own.</summary>
    internal static Cifar10 ReadJudging(DataFolder folder)
        => folder.IsOfficial ? Cifar10.ReadTest(folder.Location) : Cifar10.ReadFile(folder.Location);

    private static Command Fetch()
    {
        Option<string> url = new("--url")
        {
            HelpName = "URL",
            Description = "The official address or a mirror of the same archive.",
            DefaultValueFactory = _ => ArchiveDownload.OfficialUrl,
        };
        url.Validators.Add(result =>
        {
            if (!Uri.TryCreate(result.GetValueOrDefault<string>(), UriKind.Absolute, out Uri? uri) || uri.Scheme is not ("http" or "https"))
                result.AddError($"--url: expected an http or https address, found {result.GetValueOrDefault<string>()}");
        });
        Option<string?> output = new("--out") { HelpName = "DIR", Description = "The folder that gets the archive and cifar-10-batches-bin. Default: data/ of the repository." };
        Option<string?> json = CommonOptions.Json();
        Command command = new("fetch", "Download the official archive (170 MB), check its SHA-256 and unpack it. An interrupted download is continued.\n\nExample: pann data fetch --out data")
        {
            url, output, json,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            string folder = parsed.GetValue(output) ?? DataFolder.ForDownload(Directory.GetCurrentDirectory(), AppContext.BaseDirectory);
            if (folder.Length == 0) throw new BadInputException("--out: expected a folder, found nothing");
            Directory.CreateDirectory(folder); // The result may be asked for in it.
            CommonOptions.CheckWritable(parsed, parsed.GetValue(json));
            Uri address = new(parsed.GetValue(url)!);
            using var client = new HttpClient { Timeout = Timeout.InfiniteTimeSpan };
            FetchedArchive fetched;
            try
            {
                fetched = await WithProgress(progress => ArchiveDownload.FetchAsync(client, address, folder, progress, cancellation));
            }
            catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
            {
                Console.Error.WriteLine("stopped: run the same command again to continue");
                return Failed;
            }
            if (fetched.ResumedAt > 0) Console.WriteLine($"continued at byte {fetched.ResumedAt}");
            Console.WriteLine(fetched.DownloadedBytes > 0 ? $"downloaded {fetched.DownloadedBytes} bytes, SHA-256 as expected" : "nothing to download");
            Console.WriteLine($"{fetched.Folder}: files as expected");
            return WriteJson(parsed.GetValue(json), new FetchRecord($"{address}", fetched.Folder, fetched.DownloadedBytes, fetched.ResumedAt));
        });
        return command;
    }

    private static Command Verify()
    {
        Option<string?> data = CommonOptions.Data();
        Option<string?> json = CommonOptions.Json();
        Command command = new("verify", "Check length, hash, labels and images of each class against what is known of the official files.\n\nExample: pann data verify --data data/cifar-10-batches-bin")
        {
            data, json,
        };
        command.SetAction(parsed =>
        {
            CommonOptions.CheckWritable(parsed, parsed.GetValue(json));
            DataFolder found = Find(parsed.GetValue(data));
            IReadOnlyList<DataCheck> checks = Cifar10Verification.Verify(found);
            bool passed = checks.All(check => check.Passed);

            var table = new Table().AddColumns("file", "check", "result");
            foreach (DataCheck check in checks)
                table.AddRow(new Text(check.File), new Text(check.Check), new Text(check.Passed ? "as expected" : "WRONG"));
            Terminal.Write(table);
            // Outside the table, where a hash is not broken into lines.
            foreach (DataCheck check in checks.Where(check => !check.Passed))
                Console.WriteLine($"{check.File}: {check.Check}: expected {check.Expected}, found {check.Found}");
            Console.WriteLine($"{found.Location}: {(passed ? "as expected" : "NOT as expected")} ({checks.Count(check => check.Passed)} of {checks.Count} checks passed)");
            WriteJson(parsed.GetValue(json), new VerifyRecord(found.Location, found.Kind, passed, checks));
            return passed ? Succeeded : Failed;
        });
        return command;
    }

    private static Command Sample()
    {
        Option<string?> data = CommonOptions.Data();
        Option<string> output = new("--out") { HelpName = "FILE", Description = "The file to write.", Required = true };
        Option<string?> json = CommonOptions.Json();
        Command command = new("sample", "Write the bundled sample: the first 100 images of each class of the test file, in its order and record format.\n\nExample: pann data sample --out data/cifar-10-sample.bin")
        {
            data, output, json,
        };
        command.SetAction(parsed =>
        {
            string path = parsed.GetValue(output)!;
            CommonOptions.CheckWritable(parsed, path, parsed.GetValue(json));
            Cifar10 test = Cifar10.ReadTest(Find(parsed.GetValue(data)).Location);
            int[] indices = test.FirstOfEachClass(Cifar10.SamplePerClass);
            using var records = new MemoryStream();
            test.Select(indices).Write(records);
            string hash = Convert.ToHexStringLower(SHA256.HashData(records.GetBuffer().AsSpan(0, (int)records.Length)));
            AtomicFile.Write(path, records.WriteTo);
            Console.WriteLine($"{path}: {indices.Length} images, {records.Length} bytes, SHA-256 {hash}");
            return WriteJson(parsed.GetValue(json), new SampleRecord(path, test.Source, records.Length, hash, indices));
        });
        return command;
    }

    /// <summary>A bar with rate and time left, where someone is looking.</summary>
    private static async Task<FetchedArchive> WithProgress(Func<IProgress<DownloadProgress>?, Task<FetchedArchive>> fetch)
    {
        if (Console.IsOutputRedirected) return await fetch(null);
        return await AnsiConsole.Progress()
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new DownloadedColumn(), new TransferSpeedColumn(), new RemainingTimeColumn())
            .StartAsync(context => fetch(new Bar(context.AddTask("download"))));
    }

    private static int WriteJson<T>(string? path, T record)
    {
        CommonOptions.WriteJson(path, record);
        return Succeeded;
    }

    /// <summary>Reports on the caller's thread and in order, which <see cref="Progress{T}"/> does not.</summary>
    private sealed class Bar(ProgressTask task) : IProgress<DownloadProgress>
    {
        public void Report(DownloadProgress value)
        {
            task.MaxValue = value.Total;
            task.Value = value.Bytes;
        }
    }
}

internal sealed record FetchRecord(string Url, string Folder, long DownloadedBytes, long ResumedAt);

internal sealed record VerifyRecord(string Location, DataKind Kind, bool Passed, IReadOnlyList<DataCheck> Checks);

internal sealed record SampleRecord(string File, string Source, long Bytes, string Sha256, IReadOnlyList<int> Indices);
