using Spectre.Console;

namespace PannCore.Cli;

/// <summary>A progress bar with rate and time left on standard error; silent where that is not a terminal.</summary>
internal static class ProgressBar
{
    /// <summary>Runs work that reports how many of <paramref name="total"/> units are done.</summary>
    public static T Run<T>(string title, long total, Func<IProgress<int>?, T> work)
    {
        if (System.Console.IsErrorRedirected) return work(null);
        return Console().Start(context => work(Task(context, title, total)));
    }

    /// <summary>A display of bars on standard error.</summary>
    public static Progress Console()
        => AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(System.Console.Error) }).Progress()
            .AutoClear(true)
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn());

    /// <summary>One bar of a display.</summary>
    public static IProgress<int> Task(ProgressContext context, string title, long total)
        => new Bar(context.AddTask(Markup.Escape(title), maxValue: total), title);

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
