using System.Diagnostics;
using System.Text;

namespace PannCore.Tests.Cli;

/// <summary>What a finished process left.</summary>
internal sealed record Outcome(int Code, string Out, string Error);

/// <summary>The command <c>pann</c>, as the users' shell starts it, in a process and a folder of its own, without the tester's PANN_DATA.</summary>
internal sealed class PannProcess : IDisposable
{
    private readonly Process _process;
    private readonly StringBuilder _out = new(), _error = new();

    private PannProcess(string folder, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment, IEnumerable<string> host)
    {
        var start = new ProcessStartInfo("dotnet") { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        foreach (string argument in host.Append(Path.Combine(AppContext.BaseDirectory, "pann.dll")).Concat(arguments)) start.ArgumentList.Add(argument);
        start.Environment.Remove("PANN_DATA");
        foreach ((string name, string value) in environment ?? new Dictionary<string, string>()) start.Environment[name] = value;
        _process = Process.Start(start)!;
        _process.OutputDataReceived += (_, line) => Append(_out, line.Data);
        _process.ErrorDataReceived += (_, line) => Append(_error, line.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public int Id => _process.Id;

    public bool HasExited => _process.HasExited;

    public static PannProcess Start(string folder, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null, IEnumerable<string>? host = null)
        => new(folder, arguments, environment, host ?? []);

    public static Outcome Run(string folder, params string[] arguments)
    {
        using PannProcess process = Start(folder, arguments);
        return process.Wait();
    }

    /// <summary>Ends it at once, as a power cut would: nothing in it runs any more.</summary>
    public void Kill() => _process.Kill();

    public Outcome Wait()
    {
        if (!_process.WaitForExit(TimeSpan.FromMinutes(3)))
        {
            _process.Kill();
            throw new TimeoutException($"pann has run for three minutes; so far: {_out}{_error}");
        }
        _process.WaitForExit(); // and for the end of its output
        return new(_process.ExitCode, $"{_out}", $"{_error}");
    }

    public void Dispose()
    {
        if (!_process.HasExited) _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
    }

    private static void Append(StringBuilder text, string? line)
    {
        if (line is not null) text.Append(line).Append('\n');
    }
}
