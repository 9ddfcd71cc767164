using Spectre.Console;
using Spectre.Console.Rendering;

namespace PannCore.Cli;

/// <summary>Standard output for tables: wide and without colour codes where it is a file or a pipe.</summary>
internal static class Terminal
{
    private const int FileWidth = 160;

    public static void Write(IRenderable renderable)
    {
        IAnsiConsole console = Console.IsOutputRedirected
            ? AnsiConsole.Create(new AnsiConsoleSettings { Ansi = AnsiSupport.No, ColorSystem = ColorSystemSupport.NoColors, Out = new AnsiConsoleOutput(Console.Out) })
            : AnsiConsole.Console;
        if (Console.IsOutputRedirected) console.Profile.Width = FileWidth;
        console.Write(renderable);
    }
}
