using Microsoft.Playwright;
using PannCore.Diagnostics;
using PannCore.Reports;
using PannCore.Tests.Reports;
using Xunit;

namespace PannCore.BrowserTests;

/// <summary>
/// The system's Chromium without a window, and the sample records as pages in files. The browser is the one that the environment variable PANN_CHROMIUM names or the first found
/// on the PATH; none is ever downloaded.
/// </summary>
public sealed class Chromium : IAsyncLifetime
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("pann-pages-");
    private IPlaywright? _playwright;
    private IBrowser? _browser;

    /// <summary>Every sample by name.</summary>
    public static readonly IReadOnlyDictionary<string, Func<RunRecord>> Samples = new Dictionary<string, Func<RunRecord>>
    {
        ["full"] = SampleRecord.Full,
        ["bare"] = SampleRecord.Create,
        ["broken"] = SampleRecord.Broken,
        ["relu"] = SampleRecord.Relu,
        ["empty"] = SampleRecord.Empty,
        ["hostile"] = SampleRecord.Hostile,
        ["long"] = Long,
    };

    /// <summary>The same names, for a theory.</summary>
    public static TheoryData<string> Names => [.. Samples.Keys];

    public async Task InitializeAsync()
    {
        foreach (var (name, make) in Samples) await File.WriteAllTextAsync(PathOf(name), HtmlReport.ToText(make()));
        _playwright = await Playwright.CreateAsync();
        _browser = await _playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions
        {
            ExecutablePath = Find(),
            Headless = true,
            Args = Environment.UserName == "root" ? ["--no-sandbox"] : [],
        });
    }

    public async Task DisposeAsync()
    {
        if (_browser is not null) await _browser.DisposeAsync();
        _playwright?.Dispose();
        _folder.Delete(recursive: true);
    }

    public string PathOf(string name) => Path.Combine(_folder.FullName, name + ".html");

    /// <summary>Opens a sample as a file.</summary>
    /// <param name="name">Which.</param>
    /// <param name="options">Window, colours, script; 1280 x 900 and light if not said.</param>
    /// <param name="before">What runs in the page before its own script.</param>
    public async Task<Visit> OpenAsync(string name, BrowserNewContextOptions? options = null, string? before = null)
    {
        options ??= new BrowserNewContextOptions();
        options.ViewportSize ??= new ViewportSize { Width = 1280, Height = 900 };
        IBrowserContext context = await _browser!.NewContextAsync(options);
        if (before is not null) await context.AddInitScriptAsync(before);
        return await Visit.StartAsync(context, new Uri(PathOf(name)).AbsoluteUri);
    }

    /// <summary>Writes a page of a test's own and opens it.</summary>
    public async Task<Visit> OpenTextAsync(string name, string text)
    {
        await File.WriteAllTextAsync(PathOf(name), text);
        return await OpenAsync(name);
    }

    // Everything that has a name has one of 10,000 letters without a place to break it.
    private static RunRecord Long()
    {
        string name = new('W', 10_000);
        RunRecord record = SampleRecord.Full();
        return record with
        {
            Title = name,
            Command = name,
            Model = name,
            Architecture = name,
            Activation = name,
            Ranges = name,
            Ideal = name,
            Diagnoses = [name],
            Patches = new Dictionary<string, string> { [name] = name },
            Provenance = new Dictionary<string, string> { [name] = name },
            ClassNames = [.. record.ClassNames.Select(_ => name)],
            Operations = [.. record.Operations.Select((o, i) => o with { Path = $"{name}.{i}.{name}", Op = name })],
            Inside = [.. record.Inside!.Select((a, i) => a with { Path = $"{name}.{i}.{name}", Activation = name })],
            Checks = [new CheckRecord(name, false, name)],
            Sweep = record.Sweep! with { Steps = [.. record.Sweep.Steps.Select((s, k) => s with { Activation = $"{k}{name}" })] },
        };
    }

    private static string Find()
    {
        if (Environment.GetEnvironmentVariable("PANN_CHROMIUM") is { Length: > 0 } given) return given;
        string[] folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator);
        return new[] { "chromium", "chromium-browser", "google-chrome", "chrome.exe" }.SelectMany(name => folders.Select(folder => Path.Combine(folder, name))).FirstOrDefault(File.Exists)
            ?? throw new FileNotFoundException("These tests drive Chromium: install it (apt-get install chromium) or name it in the environment variable PANN_CHROMIUM.");
    }
}

/// <summary>One opened page, and everything it said, did wrong or asked for since.</summary>
public sealed class Visit : IAsyncDisposable
{
    private readonly IBrowserContext _context;
    private readonly List<string> _incidents = [];

    private Visit(IBrowserContext context, IPage page) => (_context, Page) = (context, page);

    public IPage Page { get; }

    /// <summary>Messages on the console, errors nobody caught, and requests for anything but the file itself and data inside it.</summary>
    public IReadOnlyList<string> Incidents => _incidents;

    public static async Task<Visit> StartAsync(IBrowserContext context, string address)
    {
        var visit = new Visit(context, await context.NewPageAsync());
        visit.Page.Console += (_, message) => visit._incidents.Add($"console: {message.Text}");
        visit.Page.PageError += (_, error) => visit._incidents.Add($"error: {error}");
        visit.Page.Request += (_, request) =>
        {
            if (request.Url != address && !request.Url.StartsWith("data:", StringComparison.Ordinal)) visit._incidents.Add($"request: {request.Url}");
        };
        await visit.Page.GotoAsync(address);
        return visit;
    }

    public Task<T> Ask<T>(string script, object? argument = null) => Page.EvaluateAsync<T>(script, argument);

    public ValueTask DisposeAsync() => _context.DisposeAsync();
}
