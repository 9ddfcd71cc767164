using PannCore.Reports;
using Spectre.Console;
using Spectre.Console.Rendering;
using Markup = Spectre.Console.Markup;

namespace PannCore.Cli;

/// <summary>Standard output for tables: wide and without colour codes where it is a file or a pipe.</summary>
internal static class Terminal
{
    private const int FileWidth = 160;

    /// <summary>A table with its title; nothing where it has no rows.</summary>
    public static void Write(ReportTable report)
    {
        if (report.Rows.Count == 0) return;
        Console.WriteLine();
        Console.WriteLine(report.Title);
        var table = new Table { Border = TableBorder.Simple };
        // In a narrow window headers go over several lines; what is wider even so, the window itself wraps, and a file does not: no figure is cut.
        int width = Console.IsOutputRedirected ? FileWidth : AnsiConsole.Console.Profile.Width;
        string[] headers = [.. NaturalWidth(report.Header, report) <= width ? report.Header : report.Header.Select(header => header.Replace(' ', '\n'))];
        width = Math.Max(width, NaturalWidth(headers, report));
        if (!Console.IsOutputRedirected) AnsiConsole.Console.Profile.Width = width;
        foreach (string header in headers) table.AddColumn(new TableColumn(Markup.Escape(header)).NoWrap());
        foreach (IReadOnlyList<string> row in report.Rows) table.AddRow(row.Select(cell => new Text(cell)));
        Write(table, width);
    }

    private static int NaturalWidth(IReadOnlyList<string> headers, ReportTable report)
        => 1 + headers.Select((header, column) => 3 + Math.Max(header.Split('\n').Max(line => line.Length), report.Rows.Max(row => row[column].Length))).Sum();

    public static void Write(IRenderable renderable, int fileWidth = FileWidth)
    {
        IAnsiConsole console = Console.IsOutputRedirected
            ? AnsiConsole.Create(new AnsiConsoleSettings { Ansi = AnsiSupport.No, ColorSystem = ColorSystemSupport.NoColors, Out = new AnsiConsoleOutput(Console.Out) })
            : AnsiConsole.Console;
        if (Console.IsOutputRedirected) console.Profile.Width = fileWidth;
        console.Write(renderable);
    }
}
