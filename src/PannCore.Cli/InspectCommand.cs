using System.CommandLine;
using System.Diagnostics;
using PannCore.Approximation;
using PannCore.Data;
using PannCore.Diagnostics;
using PannCore.Engine;
using PannCore.Nn;
using PannCore.Reports;

namespace PannCore.Cli;

/// <summary>The verb <c>pann inspect</c>, and <c>pann</c> without a verb: the error ledger of a PANN as tables, JSON and one HTML page.</summary>
internal static class InspectCommand
{
    private const int WorstOperations = 12;

    private static readonly Option<string?> Model = CommonOptions.Model(), Architecture = CommonOptions.Architecture(), Normalize = CommonOptions.Normalize(), Data = CommonOptions.Data(), Json = CommonOptions.Json();

    private static readonly Option<string> ActivationText = CommonOptions.Activation("composite:alpha=8"), Ranges = CommonOptions.Ranges("global");

    private static readonly Option<int> Calibrate = CommonOptions.Calibrate(), Threads = CommonOptions.Threads();

    private static readonly Option<string> Convolution = CommonOptions.Convolution(), Arithmetic = ArithmeticChoice.Option();

    private static readonly Option<long> Seed = ArithmeticChoice.Seed();

    private static readonly Option<double> Margin = CommonOptions.Margin();

    private static readonly Option<int> Images = CommonOptions.AtLeast(new Option<int>("--images") { HelpName = "N", Description = "The first N images of the data set.", DefaultValueFactory = _ => 500 }, 1);

    private static readonly Option<string[]> Patches = new("--patch")
    {
        HelpName = "PATH=SPEC",
        Description = "What if this activation (layer3.* for several) were another function, over the same range? May be given more than once; file:F takes what pann advise wrote.",
        Arity = ArgumentArity.OneOrMore,
        DefaultValueFactory = _ => [],
    };

    private static readonly Option<bool> Quick = new("--quick") { Description = "Accuracy, error ledger and layer switch only: no other precisions and no other study." };

    private static readonly Option<string> Out = new("--out") { HelpName = "FILE", Description = "The page to write.", DefaultValueFactory = _ => "report.html" };

    private static readonly Option<string?> Ideal = new("--ideal") { HelpName = "IDEAL", Description = "What every operation is compared with: relu, leaky:A, self (the polynomials in exact arithmetic) or model:FILE. Default: what the model file says." };

    public static Command Create()
    {
        var command = new Command("inspect", "The error of every operation: what each injects, what it inherits, and what it does to the predictions.\n\nExample: pann inspect --activation composite:alpha=9 --ranges layer --images 256 --out report.html\nExample: pann inspect --patch layer3.*=composite:alpha=11 --patch relu=relu");
        AddTo(command);
        return command;
    }

    /// <summary>Gives a command this verb's options and action: the root command is an inspection with all defaults.</summary>
    public static void AddTo(Command command)
    {
        foreach (Option option in new Option[] { Model, Architecture, Normalize, ActivationText, Ranges, Calibrate, Margin, Patches, Ideal, Images, Quick, Out, Data, Threads, Convolution, Arithmetic, Seed, Json }) command.Options.Add(option);
        command.SetAction((parsed, cancellation) => Task.Run(() => Run(parsed, cancellation), cancellation));
    }

    private static int Run(ParseResult parsed, CancellationToken cancellation)
    {
        string page = parsed.GetValue(Out)!;
        CommonOptions.CheckWritable(parsed, page, parsed.GetValue(Json));
        LoadedModel loaded = LoadedModel.Open(parsed.GetValue(Model), parsed.GetValue(Architecture), parsed.GetValue(Normalize));
        (ActivationSpec spec, string ranges) = loaded.Asked(parsed, ActivationText, Ranges);
        IReadOnlyDictionary<string, ActivationSpec> patches = ActivationPatches.Parse(parsed.GetValue(Patches)!, loaded.Backbone, spec);
        LoadedModel.RefuseIdle(parsed, patches.Values.Prepend(spec).Any(s => s.IsPolynomial) ? ranges : null, Ranges, Calibrate, Margin);
        ArithmeticChoice.RefuseIdleSeed(parsed, Arithmetic, Seed);
        DataFolder folder = DataCommand.Find(parsed.GetValue(Data));
        using Workspace workspace = CommonOptions.Workspace(parsed, Threads, Convolution);
        (ResNet pann, ActivationRanges? used) = loaded.Convert(spec, ranges, parsed.GetValue(Calibrate), parsed.GetValue(Margin), folder, workspace, cancellation, patches);
        Cifar10 data = DataCommand.ReadJudging(folder);
        int[] images = [.. Enumerable.Range(0, Math.Min(parsed.GetValue(Images), data.Count))];

        string name = Path.GetFileName(loaded.File);
        var request = new InspectionRequest(
            PannModel.Title(name, spec, used, patches, images.Length), CommonOptions.CommandLine(parsed), name, spec, used?.Spec ?? "none",
            loaded.Provenance(data, used, parsed.GetValue(Calibrate), parsed.GetValue(Margin), workspace))
        {
            Patches = patches,
            MadeForPolynomials = loaded.Model.MadeForPolynomials,
        };
        IdealNetwork ideal = parsed.GetValue(Ideal) is string text ? IdealNetwork.Parse(text, file => LoadIdeal(file, parsed, loaded)) : loaded.Model.Ideal(pann);
        var arithmetic = ArithmeticModel.Of(parsed.GetValue(Arithmetic)!, workspace, parsed.GetValue(Seed), ledger: true);
        long start = Stopwatch.GetTimestamp();
        RunRecord record = StagedProgress.Run(progress => Inspection.Run(
            request, pann, data, images, loaded.Description.Normalization, workspace, progress, cancellation, arithmetic, parsed.GetValue(Quick) ? [] : InspectionStudy.All, ideal));
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;

        foreach (string line in ConsoleReport.Summary(record)) Console.WriteLine(line);
        Terminal.Write(ConsoleReport.WorstOperations(record, WorstOperations));
        Terminal.Write(ConsoleReport.Flips(record));
        if (record.Sweep is { } sweep) Terminal.Write(SweepReport.Accuracies(sweep));
        Terminal.Write(ConsoleReport.FailedChecks(record));
        if (record.OtherArithmetic is { } other)
        {
            Console.WriteLine();
            ArithmeticChoice.Print(other, arithmetic!.HasRing);
            Terminal.Write(ArithmeticReport.WorstOperations(other, WorstOperations));
        }
        CommonOptions.WriteText(page, writer => HtmlReport.Write(writer, record));
        if (parsed.GetValue(Json) is string json) AtomicFile.Write(json, stream => RunRecordJson.Write(stream, record));
        Console.WriteLine(FormattableString.Invariant($"{images.Length} images in {seconds:F1} s"));
        Console.WriteLine($"Report: {Path.GetFullPath(page)}");
        Console.WriteLine($"Try next: {Suggestion(parsed, spec, ranges, loaded)}");
        return record.Checks.All(check => check.Passed) ? 0 : 1;
    }

    /// <summary>The network of a file, to be compared with.</summary>
    private static ResNet LoadIdeal(string file, ParseResult parsed, LoadedModel loaded)
    {
        string? normalize = parsed.GetValue(Normalize);
        var ideal = PannModel.Load(file, parsed.GetValue(Architecture), normalize is null ? null : Normalization.Parse(normalize));
        if (ideal.Description.Pann is { StandsForItself: true } own) throw new BadInputException($"{file}: {own.Origin}: with ReLUs, as an ideal has them, its weights make no network");
        if (ideal.Description.Normalization.Name != loaded.Description.Normalization.Name)
            throw BadInputException.At(file, "normalisation", $"{loaded.Description.Normalization.Name}, as {loaded.File} has it, because both see the same pixels", ideal.Description.Normalization.Name);
        return ideal.Backbone;
    }

    /// <summary>The next thing worth looking at, as a command that can be typed as it stands.</summary>
    private static string Suggestion(ParseResult parsed, ActivationSpec spec, string ranges, LoadedModel loaded)
    {
        (bool measured, string options, string why) = (spec.IsPolynomial, ranges, loaded.Description.Pann) switch
        {
            (true, PannModel.StoredRanges, { StandsForItself: true }) => (false, "--arithmetic fixed:16,64", "the same network in fixed point"),
            (true, "layer" or PannModel.StoredRanges, _) => (false, $"--activation {loaded.Description.Activation}", "what rounding alone does to the same network"),
            (true, _, _) => (true, $"--activation {spec} --ranges layer", "a range of its own for each activation"),
            (false, _, { } pann) => (false, $"--activation {pann.Activation}", "the polynomials that the file holds"),
            _ => (true, $"--activation {loaded.Like(ActivationSpec.Parse("composite:alpha=8"))} --ranges global", "polynomials, one range for all activations"),
        };
        string[] model = [.. new[] { Model, Architecture, Normalize, Data }.Where(option => parsed.GetValue(option) is not null).Select(option => $"{option.Name} {CommonOptions.Quoted(parsed.GetValue(option)!)}")];
        int calibrate = parsed.GetValue(Calibrate) is > 0 and int given ? given : loaded.Description.LargestInputs is null ? Cifar10.BatchRecords : 0;
        return $"dotnet run -c Release --project src/PannCore.Cli -- inspect {string.Join(' ', model.Append(options))}{(measured && calibrate > 0 ? $" --calibrate {calibrate}" : "")}   ({why})";
    }
}
