using System.CommandLine;
using System.Text.Json;
using PannCore.Cli;
using Xunit;

namespace PannCore.Tests.Data;

/// <summary>The verb <c>pann data</c>, run inside the test's process.</summary>
public sealed class Cifar10CommandTests : IDisposable
{
    private readonly Cifar10TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task SampleTakesTheFirstHundredOfEachClass()
    {
        // 1,500 records, 150 of each class, those of class 3 at the end: the first hundred of each are not the first thousand.
        byte[][] records = [.. Cifar10TestData.Records(1500).Chunk(3073).OrderBy(record => record[0] == 3)];
        string input = _folder.Add("own.bin", [.. records.SelectMany(record => record)]), output = _folder.PathOf("sample.bin"), json = _folder.PathOf("sample.json");
        Assert.Equal(0, await RunAsync("sample", "--data", input, "--out", output, "--json", json));

        int[] found = new int[10], indices = [.. Enumerable.Range(0, records.Length).Where(n => found[records[n][0]]++ < 100)];
        Assert.True(indices.Length == 1000 && indices[^1] == 1449);
        byte[] expected = [.. indices.SelectMany(n => records[n])];
        Assert.Equal(expected, File.ReadAllBytes(output));
        using JsonDocument record = JsonDocument.Parse(File.ReadAllBytes(json));
        Assert.Equal(Cifar10TestData.Sha256Of(expected), record.RootElement.GetProperty("sha256").GetString());
        Assert.Equal(indices, record.RootElement.GetProperty("indices").EnumerateArray().Select(n => n.GetInt32()));
        Assert.Equal(3, Directory.GetFileSystemEntries(_folder.Location).Length);
    }

    [Fact]
    public async Task VerifyFailsWithExitCodeOneAndSaysWhy()
    {
        string sample = _folder.Add("cifar-10-sample.bin", Cifar10TestData.Records(2)), json = _folder.PathOf("verify.json");
        Assert.Equal(1, await RunAsync("verify", "--data", sample, "--json", json));
        using JsonDocument record = JsonDocument.Parse(File.ReadAllBytes(json));
        Assert.False(record.RootElement.GetProperty("passed").GetBoolean());
        Assert.Equal("Sample", record.RootElement.GetProperty("kind").GetString());
        JsonElement length = record.RootElement.GetProperty("checks")[0];
        Assert.Equal(("length", "3073000", "6146"),
            (length.GetProperty("check").GetString(), length.GetProperty("expected").GetString(), length.GetProperty("found").GetString()));
    }

    [Fact]
    public async Task FetchOfSomethingElseIsOneClearError()
    {
        using var server = new ArchiveServer(new ArchiveAnswer([1, 2, 3]));
        string message = (await Assert.ThrowsAsync<BadInputException>(() => RunAsync("fetch", "--url", $"{server.Url}", "--out", _folder.PathOf("data")))).Message;
        Assert.Equal($"{server.Url}: expected 170052171 bytes, found 3 (application/octet-stream)", message);
    }

    [Fact]
    public async Task NoDataIsOneClearError()
        => Assert.StartsWith($"CIFAR-10 named by --data: looked in {_folder.PathOf("nowhere")}: ",
            (await Assert.ThrowsAsync<BadInputException>(() => RunAsync("verify", "--data", _folder.PathOf("nowhere")))).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("data fetch --url nonsense", "--url: expected an http or https address, found nonsense")]
    [InlineData("data fetch --url file:///etc/passwd", "--url: expected an http or https address, found file:///etc/passwd")]
    [InlineData("data sample", "Option '--out' is required.")]
    public void WrongUsage(string line, string expected)
        => Assert.Equal([expected], DataCommand.Create().Parse(line).Errors.Select(error => error.Message));

    [Fact]
    public void EveryVerbShowsAnExample()
        => Assert.All(DataCommand.Create().Subcommands, verb => Assert.Contains($"Example: pann data {verb.Name}", verb.Description, StringComparison.Ordinal));

    private static Task<int> RunAsync(params string[] arguments)
        => DataCommand.Create().Parse(arguments).InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
}
