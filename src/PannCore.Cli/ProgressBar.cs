using Spectre.Console;

namespace PannCore.Cli;

/// <summary>A progress bar with rate and time left on standard error; silent where that is not a terminal.</summary>
internal static class ProgressBar
{
    /// <summary>Runs work that reports how many of <paramref name="total"/> units are done.</summary>
    public static T Run<T>(string title, long total, Func<IProgress<int>?, T> work)
    {
        if (Console.IsErrorRedirected) return work(null);
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        return console.Progress()
            .AutoClear(true)
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .Start(context =>
            {
                ProgressTask task = context.AddTask(Markup.Escape(title), maxValue: total);
                return work(new Bar(task, title));
            });
    }

    /// <summary>Reports on the caller's thread and in order, which <see cref="Progress{T}"/> does not.</summary>
    private sealed class Bar(ProgressTask task, string title) : IProgress<int>
    {
        public void Report(int value)
        {
            task.Value = value;
            if (task.Speed is double speed) task.Description = Markup.Escape(FormattableString.Invariant($"{title} {speed:F0}/s"));
        }
    }
}
