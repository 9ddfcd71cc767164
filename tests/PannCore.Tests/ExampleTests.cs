using System.Diagnostics;
using PannCore.Diagnostics;
using PannCore.Reports;
using PannCore.Tests.Checkpoints;
using PannCore.Tests.Diagnostics;
using Xunit;

namespace PannCore.Tests;

/// <summary>The example that is shipped runs as its first lines say, in a process of its own, and prints what the library computes.</summary>
public sealed class ExampleTests : IDisposable
{
    private const int Images = 4;

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void The_example_runs()
    {
        string root = Path.GetDirectoryName(Path.GetDirectoryName(RandomNetwork.SamplePath))!;
        (int code, string output, string error) = Run(root, "run", "-c", "Release", "src/examples/inspect.cs", $"{Images}", _folder.Root);
        Assert.True(code == 0, output + error);

        PannModel model = PannModel.Load(Path.Combine(root, "data", "models", "resnet20.safetensors"));
        ErrorLedger ledger = ErrorLedger.Run(model, RandomNetwork.Sample, "composite:alpha=8", "global", Images);
        OperationRecord worst = ledger.Operations.MaxBy(line => RelativeError.Of(line).Injected)!;
        Assert.StartsWith($"composite:alpha=8, global: most error enters at {worst.Path}, ", output, StringComparison.Ordinal);
        Assert.DoesNotContain("FAILS", output, StringComparison.Ordinal);

        RunRecord before = RunRecordJson.ReadFile(_folder.At("inspection.json"));
        Assert.Equal(("composite:alpha=8", "global", Images, 11), (before.Activation, before.Ranges, before.Images, before.Sweep!.Steps.Count));
        RunRecord after = model.Inspect(RandomNetwork.Sample, "composite:alpha=8", "global", Images, patches: [$"{worst.Path}=relu"], studies: []);
        string[] lines = output.Split('\n', StringSplitOptions.TrimEntries);
        Assert.Contains(FormattableString.Invariant($"{before.PannAccuracy:F1} % right, {after.PannAccuracy:F1} % with {worst.Path} exact, {before.IdealAccuracy:F1} % with all exact"), lines);
        Assert.All(ComparisonReport.Summary(RecordComparison.Of(before, after)), line => Assert.Contains(line, lines));
        Assert.All(before.Sweep.Steps, step => Assert.Contains(FormattableString.Invariant($"{step.Activation}: {step.Accuracy:F1} % right at {step.Levels} levels an activation"), lines));
        Assert.Contains(worst.Path, File.ReadAllText(_folder.At("inspection.html")), StringComparison.Ordinal);
        Assert.Equal(["inspection.html", "inspection.json"], _folder.FileNames);
    }

    private static (int Code, string Out, string Error) Run(string folder, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", arguments) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["DOTNET_NOLOGO"] = start.Environment["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1";
        // Build servers that outlive the command would keep its output open, and this test waiting for the end of it.
        start.Environment["MSBUILDDISABLENODEREUSE"] = "1";
        start.Environment["UseSharedCompilation"] = "false";
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync(), error = process.StandardError.ReadToEndAsync();
        if (!process.WaitForExit(TimeSpan.FromMinutes(3)))
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException("the example has run for three minutes");
        }
        return (process.ExitCode, output.GetAwaiter().GetResult(), error.GetAwaiter().GetResult());
    }
}
