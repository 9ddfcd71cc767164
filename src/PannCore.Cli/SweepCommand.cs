using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using PannCore.Approximation;
using PannCore.Data;
using PannCore.Diagnostics;
using PannCore.Engine;
using PannCore.Nn;
using PannCore.Reports;
using PannCore.Training;

namespace PannCore.Cli;

/// <summary>The verb <c>pann sweep</c>: accuracy against precision. Each row is written as soon as it is known, and kept by --resume.</summary>
internal static class SweepCommand
{
    private static readonly HashSet<string> Unpatched = [];

    public static Command Create()
    {
        Option<string?> model = CommonOptions.Model(), architecture = CommonOptions.Architecture(), normalize = CommonOptions.Normalize(), data = CommonOptions.Data(), json = CommonOptions.Json();
        Option<string> ranges = CommonOptions.Ranges("layer"), convolution = CommonOptions.Convolution();
        Option<string?> alphas = AlphaOption.Create();
        Option<string[]> activations = AlphaOption.Activations();
        Option<int> calibrate = CommonOptions.Calibrate(), threads = CommonOptions.Threads();
        Option<double> margin = CommonOptions.Margin();
        Option<int> images = CommonOptions.AtLeast(new Option<int>("--images") { HelpName = "N", Description = "The first N images of the data set. Default: all." }, 1);
        Option<bool> resume = new("--resume") { Description = "Keep the rows that the file of --json has already." };
        var command = new Command("sweep", "Accuracy against precision, on a whole data set.\n\nExample: pann sweep --alphas 4..12 --ranges layer --json sweep.json\nExample: pann sweep --alphas 4..12 --ranges layer --json sweep.json --resume\nExample: pann sweep --activation direct:4 --activation direct:16 --ranges global")
        {
            model, architecture, normalize, alphas, activations, ranges, calibrate, margin, images, resume, data, threads, convolution, json,
        };
        command.Validators.Add(result =>
        {
            if (result.GetValue(resume) && result.GetResult(json) is null) result.AddError("--resume: expected --json FILE, which has the rows of before");
        });
        command.SetAction((parsed, cancellation) => Task.Run(() =>
        {
            string? file = parsed.GetValue(json);
            CommonOptions.CheckWritable(parsed, file);
            using IDisposable? held = file is null ? null : FileLock.Hold(file, tries: 0, "that no other sweep writes this file");
            LoadedModel loaded = LoadedModel.Open(parsed.GetValue(model), parsed.GetValue(architecture), parsed.GetValue(normalize));
            loaded.RequireBackbone(" only");
            ActivationSpec[] specs = AlphaOption.Specs(parsed, alphas, activations, loaded.Description.Activation.Leak);
            LoadedModel.RefuseIdle(parsed, parsed.GetValue(ranges), ranges, calibrate, margin);
            DataFolder folder = DataCommand.Find(parsed.GetValue(data));
            using Workspace workspace = CommonOptions.Workspace(parsed, threads, convolution);
            (ResNet pann, ActivationRanges? used) = loaded.Convert(specs[0], parsed.GetValue(ranges)!, parsed.GetValue(calibrate), parsed.GetValue(margin), folder, workspace, cancellation);
            Cifar10 set = DataCommand.ReadJudging(folder);
            int[] indices = [.. Enumerable.Range(0, parsed.GetValue(images) is int first and > 0 ? Math.Min(first, set.Count) : set.Count)];

            var sweep = new SweepFile(
                Path.GetFileName(loaded.File), used!.Spec, used.ByPath, loaded.Model.Provenance(set, used, parsed.GetValue(margin), parsed.GetValue(calibrate) is > 0 and int measured ? measured : null), CommonOptions.Name(workspace.Convolution), indices.Length, null, []);
            if (parsed.GetValue(resume) && File.Exists(file)) sweep = SweepFile.Resume(file!, sweep, specs);
            int[]? ideal = null;
            SweepFile Measure(IProgress<int>? progress)
            {
                for (int i = 0; i < specs.Length; i++)
                {
                    if (sweep.Rows.All(row => row.Activation != specs[i].ToString()))
                    {
                        if (ideal is null)
                        {
                            Evaluation evaluation = Evaluation.Of(pann.Ideal(), set, indices, loaded.Description.Normalization, workspace, cancellation: cancellation);
                            (ideal, sweep) = (evaluation.Predictions, sweep with { IdealAccuracy = evaluation.Accuracy });
                        }
                        SweepStep step = PrecisionSweep.Step(pann, specs[i], Unpatched, set, indices, ideal, ledgerImages: 0, loaded.Description.Normalization, workspace, cancellation);
                        sweep = sweep.With(new(step.Activation, step.Log2MaxError, step.Levels, step.Accuracy, step.Changed, step.ExplodedImages));
                        CommonOptions.WriteJson(file, sweep);
                    }
                    progress?.Report(i + 1);
                }
                return sweep;
            }
            SweepFile result;
            try
            {
                result = ProgressBar.Run("polynomials", specs.Length, Measure);
            }
            catch (OperationCanceledException) when (file is not null && sweep.Rows.Count > 0)
            {
                Console.Error.WriteLine($"stopped; the same command with --resume goes on from the {sweep.Rows.Count} rows in {file}");
                return 1;
            }
            CommonOptions.WriteJson(file, result);
            Console.WriteLine(FormattableString.Invariant($"{result.Model}, ranges {result.Ranges}, {result.Images} images of {set.Source}: {result.IdealAccuracy:F2} % right with the ideal activations"));
            Terminal.Write(SweepReport.Accuracies(
                new(result.Images, [.. result.Rows.Select(row => new SweepStep(row.Activation, row.Log2MaxError, row.Levels, row.Accuracy, row.Changed, row.ExplodedImages, []))]), result.IdealAccuracy));
            return 0;
        }, cancellation));
        return command;
    }
}

/// <summary>One polynomial of <c>pann sweep --json</c>.</summary>
internal sealed record SweepRow(string Activation, double Log2MaxError, int Levels, double Accuracy, int Changed, int ExplodedImages);

/// <summary>What <c>pann sweep --json</c> writes after each row: nothing in it says when or in how many goes it was made.</summary>
internal sealed record SweepFile(
    string Model, string Ranges, IReadOnlyDictionary<string, double> RangeByActivation, IReadOnlyDictionary<string, string> Provenance, string Convolution, int Images, double? IdealAccuracy, IReadOnlyList<SweepRow> Rows)
{
    private const int MaxBytes = 1 << 20;

    /// <summary>With one row more, coarse to fine: the file does not depend on the order in which rows were asked for.</summary>
    public SweepFile With(SweepRow row) => this with { Rows = [.. Rows.Append(row).OrderByDescending(r => r.Log2MaxError).ThenBy(r => r.Activation, StringComparer.Ordinal)] };

    /// <summary>
    /// The rows of an earlier sweep, which must have been of the same network, ranges, images and ideal. A polynomial or ranges of a file go by the file's name, which may hold others by now:
    /// the ranges themselves are compared, and of each polynomial asked for its error.
    /// </summary>
    /// <exception cref="BadInputException">No such file, or a sweep of something else.</exception>
    public static SweepFile Resume(string file, SweepFile asked, IReadOnlyList<ActivationSpec> specs)
    {
        SweepFile? before;
        try
        {
            before = JsonSerializer.Deserialize<SweepFile>(InputFile.Read(file, file, MaxBytes), CliJson.Options);
        }
        catch (JsonException exception)
        {
            throw new BadInputException($"{file}: expected what this version of pann sweep --json writes, found something else: {exception.Message}", exception);
        }
        if (before is null or { IdealAccuracy: null, Rows.Count: > 0 }
            || before.Rows.Any(row => row is null) || before.Rows.DistinctBy(row => row.Activation).Count() < before.Rows.Count) throw new BadInputException($"{file}: expected what this version of pann sweep --json writes, found something else");
        void Same(string what, string? then, string now)
        {
            if (then != now) throw BadInputException.At(file, what, $"{now}, as asked for now", then ?? "nothing");
        }
        Same("model", before.Model, asked.Model);
        Same("ranges", before.Ranges, asked.Ranges);
        Same("images", before.Images.ToString(CultureInfo.InvariantCulture), asked.Images.ToString(CultureInfo.InvariantCulture));
        Same("convolution", before.Convolution, asked.Convolution);
        foreach ((string name, string value) in asked.Provenance) Same($"provenance {name}", before.Provenance.GetValueOrDefault(name), value);
        foreach ((string path, double range) in asked.RangeByActivation) Same($"range of {path}", before.RangeByActivation.TryGetValue(path, out double then) ? Exact(then) : null, Exact(range));
        if (before.Rows.FirstOrDefault(row => ActivationSpec.Parse(row.Activation).Leak != specs[0].Leak) is { } other) throw BadInputException.At(file, "rows", $"polynomials that stand for the same function as {specs[0]}", other.Activation);
        foreach (ActivationSpec spec in specs)
        {
            if (before.Rows.FirstOrDefault(row => row.Activation == spec.ToString()) is not { } known) continue;
            double now = Math.Log2(spec.Build().MaxError);
            // Another machine's rounding makes no other polynomial.
            if (!(Math.Abs(known.Log2MaxError - now) <= 1e-9)) Same($"log2MaxError of {spec}", Exact(known.Log2MaxError), Exact(now));
        }
        return before;

        static string Exact(double value) => value.ToString("R", CultureInfo.InvariantCulture);
    }
}
