using PannCore.Diagnostics;

namespace PannCore.Cli;

/// <summary>A progress bar for each part of an inspection, on standard error; silent where that is not a terminal.</summary>
internal static class StagedProgress
{
    public static RunRecord Run(Func<Func<string, int, IProgress<int>?>?, RunRecord> work)
        => Console.IsErrorRedirected ? work(null) : ProgressBar.Console().Start(context => work((part, units) => ProgressBar.Task(context, part, units)));
}
