using System.CommandLine;
using System.Globalization;
using PannCore.Approximation;
using PannCore.Engine;
using PannCore.Training;

namespace PannCore.Cli;

/// <summary>The command: grammar, error messages, exit codes 0 (done), 1 (failed), 2 (wrong usage).</summary>
internal static class Pann
{
    /// <summary>How long Ctrl+C waits for the work to stop: training ends its step and writes its state first, which the library's 2 seconds may cut short.</summary>
    private static readonly TimeSpan StopTimeout = TimeSpan.FromMinutes(1);

    public static async Task<int> RunAsync(string[] args)
    {
        // Numbers are read and written with a point wherever the command runs.
        CultureInfo.CurrentCulture = CultureInfo.DefaultThreadCurrentCulture = CultureInfo.InvariantCulture;
        RootCommand root = Root();
        ParseResult parsed = root.Parse(args);
        if (parsed.Errors.Count > 0)
        {
            // One line each; an option that the root shares with a verb reports twice.
            foreach (string message in parsed.Errors.Select(Message).Distinct()) await Console.Error.WriteLineAsync($"error: {message}");
            await Console.Error.WriteLineAsync($"see: pann {string.Join(' ', CommandPath(parsed))} --help".Replace("  ", " ", StringComparison.Ordinal));
            return 2;
        }
        if (parsed.CommandResult.Command != root && parsed.RootCommandResult.Children.OfType<System.CommandLine.Parsing.OptionResult>().FirstOrDefault(option => IsEarly(option, parsed.CommandResult.Command)) is { } early)
        {
            await Console.Error.WriteLineAsync($"error: {early.Option.Name}: expected after the verb, found before it\nsee: pann {string.Join(' ', CommandPath(parsed))} --help");
            return 2;
        }
        try
        {
            return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = StopTimeout });
        }
        catch (Exception exception) when (exception is BadInputException or ShapeException or TrainingDivergedException or RemezConvergenceException or IOException or UnauthorizedAccessException)
        {
            await Console.Error.WriteLineAsync($"error: {exception.Message}");
            return 1;
        }
        catch (OperationCanceledException)
        {
            await Console.Error.WriteLineAsync("stopped");
            return 1;
        }
    }

    /// <summary>The grammar: every verb with its options.</summary>
    internal static RootCommand Root()
    {
        var root = new RootCommand("See, operation by operation, what happens to a network when its ReLUs become polynomials.\n\n"
            + "Without a verb: inspects the bundled ResNet-20 on the bundled images.\n\nExample: pann inspect --activation composite:alpha=9 --ranges layer")
        {
            InspectCommand.Create(),
            CompareCommand.Create(),
            SweepCommand.Create(),
            AdviseCommand.Create(),
            EvalCommand.Create(),
            PerturbCommand.Create(),
            TrainCommand.Create(),
            RepairCommand.Create(),
            EqualiseCommand.Create(),
            RefitCommand.Create(),
            ReproduceCommand.Create(),
            ApproxCommand.Create(),
            CostCommand.Create(),
            BenchCommand.Create(),
            DataCommand.Create(),
        };
        InspectCommand.AddTo(root);
        CommonOptions.RefuseCommas(root);
        return root;
    }

    /// <summary>The root's options are those of an inspection without a verb: before a verb that does not share them they would do nothing.</summary>
    private static bool IsEarly(System.CommandLine.Parsing.OptionResult option, Command verb) => !option.Implicit && !option.Option.Recursive && option.Option.Action is null && !verb.Options.Contains(option.Option);

    private static string Message(System.CommandLine.Parsing.ParseError error)
    {
        // The library's own words name .NET's types, and no verbs.
        if (error.SymbolResult is System.CommandLine.Parsing.OptionResult { Option: var asked, Tokens: [{ Value: string value }] } && error.Message.StartsWith("Cannot parse", StringComparison.Ordinal) && NumberIn(asked.ValueType) is string number)
            return $"{asked.Name}: expected {number}, found '{value}'";
        if (error.SymbolResult is System.CommandLine.Parsing.CommandResult { Command: { Subcommands.Count: > 0 } group } && error.Message.StartsWith("Required command", StringComparison.Ordinal))
            return $"{group.Name}: expected one of {string.Join(", ", group.Subcommands.Select(verb => verb.Name))}, found none";
        string text = string.Join(' ', error.Message.Split((char[])['\r', '\n', '\t'], StringSplitOptions.RemoveEmptyEntries));
        return error.SymbolResult is System.CommandLine.Parsing.OptionResult { Option.Name: var name } && !text.Contains(name, StringComparison.Ordinal) ? $"{name}: {text}" : text;
    }

    /// <summary>What a number's type is called; null for other types.</summary>
    private static string? NumberIn(Type type) => (Nullable.GetUnderlyingType(type) ?? type) is var number && number == typeof(double) ? "a number" : number == typeof(int) || number == typeof(long) ? "a whole number" : null;

    private static IEnumerable<string> CommandPath(ParseResult parsed)
    {
        var names = new Stack<string>();
        for (var result = parsed.CommandResult; result.Parent is System.CommandLine.Parsing.CommandResult parent; result = parent) names.Push(result.Command.Name);
        return names;
    }
}
