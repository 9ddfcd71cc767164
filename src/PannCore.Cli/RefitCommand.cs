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
using PannCore.Training;

namespace PannCore.Cli;

/// <summary>The verb <c>pann refit</c>. It never opens the test file.</summary>
internal static class RefitCommand
{
    /// <summary>What a part of the network gets, in the PANN and with ReLU, is kept in memory for all of them: 130 kB each.</summary>
    private const int MaxImages = 5000;

    public static Command Create()
    {
        Option<string?> model = CommonOptions.Model(), architecture = CommonOptions.Architecture(), normalize = CommonOptions.Normalize(), data = CommonOptions.Data(), json = CommonOptions.Json();
        Option<string> activation = CommonOptions.Activation("composite:alpha=6"), ranges = CommonOptions.Ranges("global");
        Option<int> calibrate = CommonOptions.Calibrate(), threads = CommonOptions.Threads();
        Option<string> convolution = CommonOptions.Convolution();
        Option<double> margin = CommonOptions.Margin();
        Option<int> images = CommonOptions.AtLeast(new Option<int>("--images") { HelpName = "N", Description = "Training images to fit on, unaugmented.", DefaultValueFactory = _ => 500 }, 1, MaxImages);
        Option<int> heldOut = CommonOptions.AtLeast(new Option<int>("--held-out") { HelpName = "N", Description = "Other training images, which say what it was good for.", DefaultValueFactory = _ => 2000 }, 1, Cifar10.BatchRecords);
        Option<double> ridge = new("--ridge") { HelpName = "R", Description = "Weight of staying near the old weights.", DefaultValueFactory = _ => Refit.UsualRidge };
        ridge.Validators.Add(result =>
        {
            if (!result.Errors.Any() && !(result.GetValue(ridge) > 0 && double.IsFinite(result.GetValue(ridge)))) result.AddError($"--ridge: expected a positive number, found {result.GetValue(ridge)}");
        });
        Option<long> seed = new("--seed") { HelpName = "S", Description = "Seed of the choice of images.", DefaultValueFactory = _ => 0 };
        Option<string> output = CommonOptions.ModelOutput();
        var command = new Command(
            "refit",
            "Repair a PANN by least squares, without training: each convolution is fitted again so that, behind the polynomials, it gives what the network with ReLU has there. It costs no level. "
            + "Best after pann equalise. The file it writes is a model like any other, and pann eval and pann inspect take polynomial and ranges from it.\n\n"
            + "Example: pann equalise --out equalised.safetensors\nExample: pann refit --model equalised.safetensors --activation composite:alpha=6 --margin 1.3 --out refitted.safetensors\nExample: pann eval --model refitted.safetensors")
        {
            model, architecture, normalize, activation, ranges, calibrate, margin, images, heldOut, ridge, seed, output, data, threads, convolution, json,
        };
        command.SetAction((parsed, cancellation) => Task.Run(() =>
        {
            string file = parsed.GetValue(output)!;
            CommonOptions.CheckWritable(parsed, file, parsed.GetValue(json));
            var spec = ActivationSpec.Parse(parsed.GetValue(activation)!);
            if (!StoredPann.CanHold(spec)) throw new BadInputException($"refit: expected a polynomial that is generated from its text alone, because the model file holds only that; found {spec}");
            LoadedModel loaded = LoadedModel.Open(parsed.GetValue(model), parsed.GetValue(architecture), parsed.GetValue(normalize));
            if (loaded.Description.Pann is { } stored) throw new BadInputException($"{loaded.File}: {stored.Origin}; give the model as it was before that");
            DataFolder folder = DataCommand.Find(parsed.GetValue(data));
            using Workspace workspace = CommonOptions.Workspace(parsed, threads, convolution);
            ActivationRanges used = loaded.Ranges(spec, parsed.GetValue(ranges)!, parsed.GetValue(calibrate), parsed.GetValue(margin), folder, workspace, cancellation);
            Cifar10 training = TrainCommand.ReadTraining(folder);
            (int count, int judges, long chosenBy) = (parsed.GetValue(images), parsed.GetValue(heldOut), parsed.GetValue(seed));
            if ((long)count + judges > training.Count) throw new BadInputException($"refit: expected at most {training.Count} training images in --images and --held-out together, found {(long)count + judges}");
            int[] order = new CounterRandom(chosenBy, RandomStream.Split, 1).Permutation(training.Count), judging = order[count..(count + judges)];
            Normalization normalization = loaded.Description.Normalization;
            double Accuracy(ResNet network) => Evaluation.Of(network, training, judging, normalization, workspace, cancellation: cancellation).Accuracy;

            long start = Stopwatch.GetTimestamp();
            (ResNet pann, IReadOnlyList<RefitLayer> layers) = ProgressBar.Run("fitting", Refit.Steps(loaded.Backbone), progress => Refit.Of(
                loaded.Backbone, spec, used, training, order[..count], normalization, workspace, parsed.GetValue(ridge), progress, cancellation));
            double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
            string about = CommonOptions.CommandLine(parsed);
            var result = new RefitFile(
                Path.GetFileName(loaded.File), spec.ToString(), used.Spec, loaded.Provenance(training, used, parsed.GetValue(calibrate), parsed.GetValue(margin)), about, chosenBy, count, parsed.GetValue(ridge),
                judges, Accuracy(loaded.Backbone), Accuracy(loaded.Backbone.With(spec, used)), Accuracy(pann), layers, Seconds: null);
            ModelFile.Save(file, pann, loaded.Description with
            {
                LargestInputs = null,
                CalibrationImages = 0,
                Notes = new Dictionary<string, string>(loaded.Description.Notes.Select(note => KeyValuePair.Create($"backbone.{note.Key}", note.Value)))
                {
                    ["refit"] = JsonSerializer.Serialize(result, CliJson.Default.RefitFile),
                },
                Pann = new(spec, used.ByPath, StandsForItself: true),
            });
            CommonOptions.WriteJson(parsed.GetValue(json), result with { Seconds = seconds }, CliJson.Default.RefitFile);

            Terminal.Write(new ReportTable(
                $"Error behind each layer that was fitted again, over the signal, on {count} training images",
                ["layer", "measured at", "before", "after", "images left out"],
                [.. layers.Select(l => (IReadOnlyList<string>)[l.Path, l.Target, FormattableString.Invariant($"{100 * l.Before:F1} %"), FormattableString.Invariant($"{100 * l.After:F1} %"), $"{l.ImagesLeftOut}"])]));
            Console.WriteLine(FormattableString.Invariant($"On {judges} other training images: {result.IdealAccuracy:F2} % with ReLU, {result.Before:F2} % with polynomials, {result.After:F2} % refitted"));
            if (result.After < result.Before) Console.WriteLine("Warning: on these images the network does better without the fit");
            Console.WriteLine(FormattableString.Invariant($"{seconds:F1} s"));
            Console.WriteLine($"Model: {Path.GetFullPath(file)}");
            Console.WriteLine($"Try next: dotnet run -c Release --project src/PannCore.Cli -- eval --model {CommonOptions.Quoted(file)}");
            return 0;
        }, cancellation));
        return command;
    }
}

/// <summary>What <c>pann refit --json</c> writes, and what the refitted model's metadata hold. Accuracies are percentages of the images held out.</summary>
internal sealed record RefitFile(
    string Model, string Activation, string RangesSpec, IReadOnlyDictionary<string, string> Provenance, string Command, long Seed, int Images, double Ridge,
    int HeldOut, double IdealAccuracy, double Before, double After, IReadOnlyList<RefitLayer> Layers,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] double? Seconds);
