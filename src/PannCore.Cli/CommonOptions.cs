using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Text.Json;
using PannCore.Data;
using PannCore.Diagnostics;
using PannCore.Engine;

namespace PannCore.Cli;

/// <summary>Options that mean the same in every verb.</summary>
internal static class CommonOptions
{
    private const int MaxThreads = 256;

    public static Option<string?> Data() => new("--data")
    {
        HelpName = "PATH",
        Description = "A folder with the CIFAR-10 binary files, cifar-10-binary.tar.gz, or a .bin file. Default: PANN_DATA, then data/.",
    };

    public static Option<string?> Json() => new("--json") { HelpName = "FILE", Description = "Also write the result to this file." };

    public static Option<string?> Model() => new("--model")
    {
        HelpName = "FILE",
        Description = "A model written by pann train, or a PyTorch checkpoint (with --arch). Default: the bundled ResNet-20.",
    };

    public static Option<string?> Architecture() => new("--arch")
    {
        HelpName = "NAME",
        Description = "Architecture of a PyTorch checkpoint: resnet20, resnet32, resnet44, resnet56 or resnet110.",
    };

    public static Option<string?> Normalize() => new("--normalize")
    {
        HelpName = "NAME",
        Description = "Pixel normalisation of a PyTorch checkpoint: cifar10 or imagenet.",
    };

    public static Option<string> Activation(string byDefault) => new("--activation")
    {
        HelpName = "SPEC",
        Description = "relu, leaky:A, composite:alpha=4..14, composite:D,D,..., direct:N, file:poly.json or a family from the textbooks (README lists them); polynomials, but those of files, also with ,leak=A.",
        DefaultValueFactory = _ => byDefault,
    };

    public static Option<string> Ranges(string byDefault) => new("--ranges")
    {
        HelpName = "RANGES",
        Description = "Range B of the activations: layer (each its own), global (the largest of them), global:B, or file:PATH with JSON such as {\"relu\": 5.4, \"layer1.0.relu1\": 3.2, ...}.",
        DefaultValueFactory = _ => byDefault,
    };

    public static Option<string> ModelOutput()
    {
        Option<string> option = new("--out") { HelpName = "FILE", Description = "The model file to write (.safetensors).", Required = true };
        option.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: string file }] && Path.GetExtension(file) != ".safetensors") result.AddError($"--out: expected a name that ends in .safetensors, found {file}");
        });
        return option;
    }

    public static Option<int> Calibrate()
    {
        Option<int> option = new("--calibrate")
        {
            HelpName = "N",
            Description = "Measure ranges on the first N training images (10000 is data_batch_1) instead of taking the model file's.",
        };
        return AtLeast(option, 0);
    }

    public static Option<double> Margin() => Where(
        new Option<double>("--margin") { HelpName = "M", Description = "Factor on measured ranges, at least 1; of an equalised network 1.3 is better.", DefaultValueFactory = _ => PannModel.DefaultMargin },
        margin => margin >= 1 && double.IsFinite(margin), "a number of at least 1");

    public static Option<int> Threads() => AtLeast(
        new Option<int>("--threads") { HelpName = "N", Description = "Worker threads; results do not depend on it. Default: all cores.", DefaultValueFactory = _ => Environment.ProcessorCount }, 1, MaxThreads);

    /// <param name="byDefault">How many that is.</param>
    public static Option<int> Batch(string byDefault) => AtLeast(new Option<int>("--batch") { HelpName = "N", Description = $"Images at a time, by all threads together; the result does not depend on it. Default: {byDefault}." }, 1);

    /// <summary>The images at a time that were asked for; null where none were.</summary>
    public static int? Batch(ParseResult parsed, Option<int> option) => parsed.GetValue(option) is > 0 and int given ? given : null;

    public static Option<string> Convolution(ConvAlgorithm byDefault = ConvAlgorithm.Automatic)
    {
        Option<string> option = new("--convolution")
        {
            HelpName = "NAME",
            Description = "How 3x3 convolutions are computed: direct, winograd2 (as a rule no less exact), winograd4 (fastest; 2 to 3 times the rounding error) or automatic (the fastest that is as exact as direct: winograd2).",
            DefaultValueFactory = _ => Name(byDefault),
        };
        return option.AcceptOnlyFromAmong([.. Enum.GetValues<ConvAlgorithm>().Select(Name)]);
    }

    public static ConvAlgorithm Convolution(ParseResult parsed, Option<string> option) => Enum.Parse<ConvAlgorithm>(parsed.GetValue(option)!, ignoreCase: true);

    /// <summary>The name of an algorithm, a side or the like on the command line.</summary>
    public static string Name<T>(T choice) where T : struct, Enum => choice.ToString().ToLowerInvariant();

    public static Option<int> AtLeast(Option<int> option, int least, int most = int.MaxValue)
    {
        Bound(option, least, most);
        return option;
    }

    public static Option<int?> AtLeast(Option<int?> option, int least)
    {
        Bound(option, least, int.MaxValue);
        return option;
    }

    /// <summary>Refuses numbers that do not hold to what is expected, in words.</summary>
    public static Option<double> Where(Option<double> option, Predicate<double> holds, string expected)
    {
        option.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: string text }] && double.TryParse(text, CultureInfo.InvariantCulture, out double value) && !holds(value)) result.AddError($"{option.Name}: expected {expected}, found {text}");
        });
        return option;
    }

    private static void Bound(Option option, int least, int most)
    {
        option.Validators.Add(result =>
        {
            // What is no number at all is the parser's to report: asking for its value here would throw. An option that two commands share is seen twice.
            if (result.Errors.Any() || result.Tokens is not [{ Value: string text }] || !int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int value)) return;
            if (value < least) result.AddError($"{option.Name}: expected at least {least}, found {value}");
            if (value > most) result.AddError($"{option.Name}: expected at most {most}, found {value}");
        });
    }

    /// <summary>Refuses options that would do nothing.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="expected">What they need, and what was found instead.</param>
    /// <param name="options">The options.</param>
    public static void RefuseIdle(ParseResult parsed, string expected, params IReadOnlyList<Option> options)
    {
        if (options.FirstOrDefault(option => IsGiven(parsed, option)) is { } idle) throw new BadInputException($"{idle.Name}: expected {expected}; without that this option does nothing");
    }

    /// <summary>Finds out before the work, not after it, that a result cannot be written or would replace an input or another result.</summary>
    /// <param name="parsed">The command line: a file is an input wherever else it is named, also within a value (file:F, model:F, unbiased=F#NAME), and so is the bundled model where no other is named.</param>
    /// <param name="outputs">The files that the command writes.</param>
    public static void CheckWritable(ParseResult parsed, params IReadOnlyList<string?> outputs)
    {
        string[] values = [.. parsed.Tokens.Where(token => token.Type == TokenType.Argument).Select(token => token.Value)];
        var taken = new HashSet<string>(StringComparer.Ordinal);
        if (Environment.GetEnvironmentVariable("PANN_DATA") is { Length: > 0 } data) taken.Add(Path.GetFullPath(data));
        if (parsed.CommandResult.Command.Options.FirstOrDefault(option => option.Name == "--model") is { } model && !IsGiven(parsed, model) && LoadedModel.FindBundled() is string bundled) taken.Add(bundled);
        foreach (string path in outputs.OfType<string>())
        {
            AtomicFile.CheckWritable(path);
            if (File.Exists(path) && (Cifar10Files.IsBatch(Path.GetFileName(path)) || Path.GetFileName(path) == Cifar10Files.Archive))
                throw new BadInputException($"{path}: expected a file of its own for each result, found an official file of CIFAR-10");
            string full = Path.GetFullPath(path);
            int own = values.Contains(path) ? 1 : 0;
            if (!taken.Add(full) || values.Count(value => FilesIn(value).Contains(full, StringComparer.Ordinal)) > own) throw new BadInputException($"{path}: expected a file of its own for each result, found a file that this command also reads or writes");
        }
    }

    /// <summary>The command line as it can be typed again.</summary>
    public static string CommandLine(ParseResult parsed) => string.Join(' ', parsed.Tokens.Select(token => Quoted(token.Value)).Prepend("pann"));

    /// <summary>Whether an option is on the command line.</summary>
    public static bool IsGiven(ParseResult parsed, Option option) => parsed.GetResult(option) is { Implicit: false };

    /// <summary>Refuses numbers with a comma in a command and all below it: .NET would read 0,05 as 5, the comma being the separator of thousands.</summary>
    public static void RefuseCommas(Command command)
    {
        foreach (Option option in command.Options.Where(option => option.ValueType == typeof(double) || option.ValueType == typeof(double?)))
        {
            option.Validators.Add(result =>
            {
                foreach (Token token in result.Tokens.Where(token => token.Value.Contains(',', StringComparison.Ordinal))) result.AddError($"{option.Name}: expected a number with a point, found '{token.Value}'");
            });
        }
        foreach (Command below in command.Subcommands) RefuseCommas(below);
    }

    /// <summary>A value as it can be typed: in single quotes where a shell would take it apart.</summary>
    public static string Quoted(string value)
        => value.Length > 0 && value.All(c => char.IsLetterOrDigit(c) || "/._-:=,+@%".Contains(c, StringComparison.Ordinal)) ? value : $"'{value.Replace("'", "'\\''", StringComparison.Ordinal)}'";

    private static IEnumerable<string> FilesIn(string value)
        => Enumerable.Range(0, value.Length).Where(i => i == 0 || value[i - 1] is ':' or '=').Select(i => value[i..])
            .SelectMany(name => new[] { name, name.Split(',')[0], name.Split('#')[0] }).Where(name => !string.IsNullOrWhiteSpace(name) && !name.Contains('\0')).Select(Path.GetFullPath);

    public static void WriteJson<T>(string? path, T record)
    {
        if (path is not null) AtomicFile.Write(path, stream => JsonSerializer.Serialize(stream, record, CliJson.Options));
    }

    /// <summary>Writes text, UTF-8 with line feeds, whole or not at all; nothing where no file is asked for.</summary>
    public static void WriteText(string? path, Action<TextWriter> content)
    {
        if (path is null) return;
        AtomicFile.Write(path, stream =>
        {
            using var writer = new StreamWriter(stream, leaveOpen: true) { NewLine = "\n" };
            content(writer);
        });
    }

    /// <summary>A workspace with the threads and the convolution asked for.</summary>
    public static Workspace Workspace(ParseResult parsed, Option<int> threads, Option<string> convolution) => new(parsed.GetValue(threads), Convolution(parsed, convolution));
}
