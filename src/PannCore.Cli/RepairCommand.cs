using System.CommandLine;
using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Serialization;
using PannCore.Approximation;
using PannCore.Checkpoints;
using PannCore.Data;
using PannCore.Diagnostics;
using PannCore.Engine;
using PannCore.Nn;
using PannCore.Reports;

namespace PannCore.Cli;

/// <summary>The verb <c>pann repair</c>. It never opens the test file.</summary>
internal static class RepairCommand
{
    /// <summary>All of them are kept in memory while a part of the network runs: 65 kB each.</summary>
    private const int MaxImages = 5000;

    public static Command Create()
    {
        Option<string?> model = CommonOptions.Model(), architecture = CommonOptions.Architecture(), normalize = CommonOptions.Normalize(), data = CommonOptions.Data(), json = CommonOptions.Json();
        Option<string> activation = CommonOptions.Activation("composite:alpha=8"), ranges = CommonOptions.Ranges("global");
        Option<int> calibrate = CommonOptions.Calibrate(), threads = CommonOptions.Threads();
        Option<string> convolution = CommonOptions.Convolution();
        Option<double> margin = CommonOptions.Margin();
        Option<int> images = CommonOptions.AtLeast(new Option<int>("--images") { HelpName = "N", Description = "Training images that the polynomials' mean errors are measured on, unaugmented.", DefaultValueFactory = _ => 500 }, 1, MaxImages);
        Option<int> heldOut = CommonOptions.AtLeast(new Option<int>("--held-out") { HelpName = "N", Description = "Other training images, which say what helps: which kind of shift, batch-norm's statistics, new ranges.", DefaultValueFactory = _ => 2000 }, 1);
        Option<long> seed = new("--seed") { HelpName = "S", Description = "Seed of the choice of images.", DefaultValueFactory = _ => 0 };
        Option<string> output = CommonOptions.ModelOutput();
        var command = new Command(
            "repair",
            "Repair a PANN without training: take each channel's mean error off, which costs no level. The file it writes is a model like any other, and pann eval and pann inspect take polynomial and ranges from it.\n\n"
            + "Example: pann repair --activation composite:alpha=8 --ranges global --out repaired.safetensors\nExample: pann eval --model repaired.safetensors")
        {
            model, architecture, normalize, activation, ranges, calibrate, margin, images, heldOut, seed, output, data, threads, convolution, json,
        };
        command.SetAction((parsed, cancellation) => Task.Run(() =>
        {
            string file = parsed.GetValue(output)!;
            CommonOptions.CheckWritable(parsed, file, parsed.GetValue(json));
            var spec = ActivationSpec.Parse(parsed.GetValue(activation)!);
            if (!StoredPann.CanHold(spec)) throw new BadInputException($"repair: expected a polynomial that is generated from its text alone, because the model file holds only that; found {spec}");
            LoadedModel loaded = LoadedModel.Open(parsed.GetValue(model), parsed.GetValue(architecture), parsed.GetValue(normalize));
            if (loaded.Description.Pann is { } stored) throw new BadInputException($"{loaded.File}: {stored.Origin}; give the model as it was before that");
            DataFolder folder = DataCommand.Find(parsed.GetValue(data));
            using Workspace workspace = CommonOptions.Workspace(parsed, threads, convolution);
            string rangesText = parsed.GetValue(ranges)!;
            int measured = parsed.GetValue(calibrate) is > 0 and int given ? given : loaded.Description.CalibrationImages;
            ActivationRanges used = loaded.Ranges(spec, rangesText, parsed.GetValue(calibrate), parsed.GetValue(margin), folder, workspace, cancellation);
            Cifar10 training = TrainCommand.ReadTraining(folder);
            (int count, int judges, long chosenBy) = (parsed.GetValue(images), parsed.GetValue(heldOut), parsed.GetValue(seed));
            if ((long)count + judges > training.Count) throw new BadInputException($"repair: expected at most {training.Count} training images in --images and --held-out together, found {(long)count + judges}");
            int[] order = new CounterRandom(chosenBy, RandomStream.Split, 1).Permutation(training.Count);
            RangesAgain? again = ActivationRanges.NeedsCalibration(rangesText) && measured <= training.Count ? new(rangesText, [.. Enumerable.Range(0, measured)], parsed.GetValue(margin)) : null;
            long start = Stopwatch.GetTimestamp();
            (ResNet pann, ActivationRanges final, RepairRecord record) = ProgressBar.Run("repairing", Repair.Steps(loaded.Backbone, again), progress => Repair.Of(
                loaded.Backbone, spec, used, training, order[..count], order[count..(count + judges)], loaded.Description.Normalization, workspace, again, progress, cancellation));
            double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;

            string about = CommonOptions.CommandLine(parsed);
            var result = new RepairFile(
                Path.GetFileName(loaded.File), spec.ToString(), rangesText, loaded.Provenance(training, used, parsed.GetValue(calibrate), parsed.GetValue(margin)), about, chosenBy, record, Seconds: null);
            ModelFile.Save(file, pann, loaded.Description with
            {
                LargestInputs = null,
                CalibrationImages = 0,
                Notes = new Dictionary<string, string>(loaded.Description.Notes.Select(note => KeyValuePair.Create($"backbone.{note.Key}", note.Value)))
                {
                    ["repair"] = JsonSerializer.Serialize(result, CliJson.Default.RepairFile),
                },
                Pann = new(spec, final.ByPath),
            });
            CommonOptions.WriteJson(parsed.GetValue(json), result with { Seconds = seconds }, CliJson.Default.RepairFile);

            Terminal.Write(Layers(record));
            Terminal.Write(Candidates(record));
            if (record.Candidates[0].Accuracy > record.Candidates.Single(c => c.Chosen).Accuracy) Console.WriteLine("Warning: on these images the network does better without repair");
            Console.WriteLine(FormattableString.Invariant($"{seconds:F1} s"));
            Console.WriteLine($"Model: {Path.GetFullPath(file)}");
            Console.WriteLine($"Try next: dotnet run -c Release --project src/PannCore.Cli -- eval --model {CommonOptions.Quoted(file)}");
            return 0;
        }, cancellation));
        return command;
    }

    private static ReportTable Candidates(RepairRecord record) => new(
        FormattableString.Invariant($"On {record.HeldOut} training images that no error was measured on; with its ideal activations the network gets {record.IdealAccuracy:F2} % of them right"),
        ["repair", "accuracy", "outside", "in images", "not finite", ""],
        [.. record.Candidates.Select(c => (IReadOnlyList<string>)[c.Name, FormattableString.Invariant($"{c.Accuracy:F2} %"), $"{c.OutOfRange}", $"{c.OutOfRangeImages}", $"{c.NonFiniteImages}", c.Chosen ? "chosen" : ""])]);

    private static ReportTable Layers(RepairRecord record) => new(
        $"Mean error of each activation that is taken off, {record.Shift.ToString().ToLowerInvariant()}, over {record.Images} training images (of a channel: root mean square and largest)",
        ["activation", "range", "mean", "RMS", "largest", "images left out"],
        [.. record.Layers.Select(l => (IReadOnlyList<string>)[l.Path, Text(l.Range), Text(l.MeanError), Text(l.RmsError), Text(l.LargestError), $"{l.ImagesLeftOut}"])]);

    private static string Text(double value) => FormattableString.Invariant($"{value:G4}");
}

/// <summary>What <c>pann repair --json</c> writes, and what the repaired model's metadata hold.</summary>
internal sealed record RepairFile(
    string Model, string Activation, string RangesSpec, IReadOnlyDictionary<string, string> Provenance, string Command, long Seed, RepairRecord Repair,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] double? Seconds);
