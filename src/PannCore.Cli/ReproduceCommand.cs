using System.CommandLine;
using System.Diagnostics;
using PannCore.Checkpoints;
using PannCore.Data;
using PannCore.Diagnostics;
using PannCore.Engine;
using PannCore.Experiments;
using PannCore.Nn;
using PannCore.Reports;
using PannCore.Training;

namespace PannCore.Cli;

/// <summary>The verb <c>pann reproduce</c>: tables of README, from training to figures, in pieces that can be stopped at any moment.</summary>
internal static class ReproduceCommand
{
    private const int RepairImages = 500, StepsBetweenStates = 100;

    public static Command Create() => new("reproduce", "Tables of README from scratch, resumable: the same command goes on where it was stopped.") { Precision() };

    private static Command Precision()
    {
        Option<string[]> recipes = new("--recipe") { HelpName = "NAME", Description = "A named recipe (pann train --list). May be given more than once.", Arity = ArgumentArity.OneOrMore, DefaultValueFactory = _ => ["baseline"] };
        Option<string> seeds = new("--seeds") { HelpName = "A..B", Description = "Seeds of each recipe.", DefaultValueFactory = _ => "1..1" };
        seeds.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: string text }] && Seeds(text) is null) result.AddError($"--seeds: expected A..B with 0 <= A <= B, found '{text}'");
        });
        Option<string> architecture = new("--arch") { HelpName = "NAME", Description = "resnet20, resnet32, ...", DefaultValueFactory = _ => "resnet20" };
        Option<int> epochs = CommonOptions.AtLeast(new Option<int>("--epochs") { HelpName = "N", Description = "Passes over all 50,000 training images: one schedule for all rows of a table.", DefaultValueFactory = _ => 40 }, 1);
        Option<string> models = new("--models") { HelpName = "FOLDER", Description = "Where trained models are, or will be.", DefaultValueFactory = _ => "data/models/precision" };
        Option<string> json = new("--json") { HelpName = "FILE", Description = "The table: read, and written after each figure.", DefaultValueFactory = _ => "data/results/precision.json" };
        Option<string[]> controls = new Option<string[]>("--control") { Description = "What is done without training. May be given more than once; by default all.", Arity = ArgumentArity.OneOrMore, DefaultValueFactory = _ => [.. PrecisionStudy.Controls] }.AcceptOnlyFromAmong([.. PrecisionStudy.Controls]);
        Option<double> minutes = new("--minutes") { HelpName = "M", Description = "Stop after so many minutes.", DefaultValueFactory = _ => 30 };
        Option<string?> data = CommonOptions.Data();
        Option<int> threads = CommonOptions.Threads();
        var command = new Command("precision", "Train each recipe with each seed on all training images, then measure its PANNs on the test images: accuracy at composite:alpha=4 to 14, three kinds of ranges, plain and with the controls that need no training; and the precision needed.\n\n"
            + "Example: pann reproduce precision --recipe baseline --recipe minimal-mixup --seeds 1..3")
        {
            recipes, seeds, architecture, epochs, models, json, controls, minutes, data, threads,
        };
        command.SetAction((parsed, cancellation) => Task.Run(() =>
        {
            string file = parsed.GetValue(json)!, folder = parsed.GetValue(models)!;
            Directory.CreateDirectory(folder);
            CommonOptions.CheckWritable(parsed, file);
            PrecisionFile table = PrecisionFile.Read(file);
            (long first, long last) = Seeds(parsed.GetValue(seeds)!)!.Value;
            Recipe[] asked = [.. parsed.GetValue(recipes)!.SelectMany(name => Enumerable.Range(0, (int)(last - first + 1)).Select(i => NamedRecipe.Of(name).Apply(new Recipe
            {
                Architecture = parsed.GetValue(architecture)!,
                Epochs = parsed.GetValue(epochs),
                Validation = 0,
                Seed = first + i,
            })))];
            string[] names = [.. parsed.GetValue(recipes)!.SelectMany(name => Enumerable.Range(0, (int)(last - first + 1)).Select(i => $"{name}-{parsed.GetValue(architecture)}-{parsed.GetValue(epochs)}-{first + i}"))];
            DataFolder found = DataCommand.Find(parsed.GetValue(data));
            if (found.Kind == DataKind.RecordFile) throw new BadInputException($"reproduce: expected the official training and test files, found {found.Location}; get the data with: pann data fetch");
            Cifar10 training = Cifar10.ReadTrain(found.Location);

            using var deadline = new CancellationTokenSource(TimeSpan.FromMinutes(parsed.GetValue(minutes)));
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation, deadline.Token);
            try
            {
                for (int i = 0; i < asked.Length; i++)
                {
                    string model = Path.Combine(folder, names[i] + ".safetensors");
                    if (!File.Exists(model))
                    {
                        Console.WriteLine($"{names[i]}: training");
                        using var trainer = new Workspace(parsed.GetValue(threads), asked[i].Convolution);
                        if (TrainingRun.Run(asked[i], training, trainer, model, File.Exists(model + ".state"), StepsBetweenStates, TrainCommand.Command(asked[i]), initial: null, stop.Token) is null) throw new OperationCanceledException();
                    }
                    table = Measure(table, names[i], names[i][..names[i].IndexOf($"-{asked[i].Architecture}-", StringComparison.Ordinal)], model, parsed.GetValue(controls)!, training, found, parsed.GetValue(threads), file, stop.Token);
                }
            }
            catch (OperationCanceledException) when (deadline.IsCancellationRequested && !cancellation.IsCancellationRequested)
            {
                Console.WriteLine($"{parsed.GetValue(minutes)} minutes are over; the same command goes on from here");
            }
            Terminal.Write(Table(table));
            return 0;
        }, cancellation));
        return command;
    }

    /// <summary>Fills the cells of one row that are missing, or that belong to something else than is asked for.</summary>
    private static PrecisionFile Measure(
        PrecisionFile table, string name, string recipe, string file, IReadOnlyList<string> controls, Cifar10 training, DataFolder data, int threads, string json, CancellationToken cancellation)
    {
        var model = PannModel.Load(file);
        Cifar10 test = Cifar10.ReadTest(data.Location);
        using var workspace = new Workspace(threads);
        var study = new PrecisionStudy(model, training, RepairImages, test, workspace);
        string weights = ModelFile.WeightHash(model.Backbone);
        PrecisionRow? row = table.Rows.FirstOrDefault(r => r.Name == name);
        if (row?.Weights != weights)
        {
            row = new(
                name, recipe, long.Parse(model.Description.Notes["seed"], System.Globalization.CultureInfo.InvariantCulture), model.Description.Notes["command"], weights, test.Count, study.Backbone(cancellation).Count(right => right),
                CrestFactors(model, training, workspace, cancellation), [], []);
        }
        foreach (string control in controls)
        {
            foreach (string ranges in PrecisionStudy.RangeTexts)
            {
                for (int alpha = Approximation.ActivationSpec.SmallestAlpha; alpha <= Approximation.ActivationSpec.LargestAlpha; alpha++)
                {
                    cancellation.ThrowIfCancellationRequested();
                    string key = study.Key(ranges, control, alpha);
                    if (row.Cells.Any(cell => (cell.Ranges, cell.Control, cell.Alpha, cell.Key) == (ranges, control, alpha, key))) continue;
                    long start = Stopwatch.GetTimestamp();
                    PrecisionCell cell = study.Measure(ranges, control, alpha, cancellation);
                    row = row.With(cell);
                    table = table.With(row);
                    CommonOptions.WriteJson(json, table, CliJson.Default.PrecisionFile);
                    Console.WriteLine(FormattableString.Invariant($"{name}  {ranges}  {control}  alpha {alpha}: {row.Percent(cell.Correct):F2} %  {Stopwatch.GetElapsedTime(start).TotalSeconds:F1} s"));
                }
            }
        }
        return table;
    }

    private static IReadOnlyList<CrestFactor> CrestFactors(PannModel model, Cifar10 training, Workspace workspace, CancellationToken cancellation)
    {
        var statistics = new ReluStatistics((float)model.Description.Activation.Leak);
        Evaluation.Of(
            model.Backbone.With(model.Description.Activation, ranges: null), training, [.. Enumerable.Range(0, RepairImages)], model.Description.Normalization, workspace, observers: [statistics], cancellation: cancellation);
        return [.. statistics.ByPath.Select(layer => new CrestFactor(layer.Key, model.Description.LargestInputs![layer.Key], layer.Value.InputRms))];
    }

    private static ReportTable Table(PrecisionFile table) => new(
        "Precision needed: alpha within 0.5 points of the row's own backbone (one range / a range for each layer / B = 50)",
        ["row", "backbone", .. PrecisionStudy.Controls],
        [.. table.Rows.Select(row => (IReadOnlyList<string>)[row.Name, FormattableString.Invariant($"{row.Backbone:F2} %"), .. PrecisionStudy.Controls.Select(control => string.Join(" / ", PrecisionStudy.RangeTexts.Select(ranges => Text(row, ranges, control))))])]);

    private static string Text(PrecisionRow row, string ranges, string control)
        => row.Needed.FirstOrDefault(n => n.Ranges == ranges && n.Control == control) is not { } needed ? "-" : needed.Half is double half ? FormattableString.Invariant($"{half:F2}") : "> 14";

    private static (long First, long Last)? Seeds(string text)
    {
        string[] ends = text.Split("..");
        return ends.Length == 2 && long.TryParse(ends[0], out long first) && long.TryParse(ends[1], out long last) && first >= 0 && last >= first && last - first < 100 ? (first, last) : null;
    }
}
