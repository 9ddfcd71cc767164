using System.CommandLine;
using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Serialization;
using PannCore.Data;
using PannCore.Diagnostics;
using PannCore.Nn;
using PannCore.Reports;
using PannCore.Training;

namespace PannCore.Cli;

/// <summary>The verb <c>pann refit</c>. It never opens the test file.</summary>
internal static class RefitCommand
{
    /// <summary>What a part of the network gets, in the PANN and with ReLU, is kept in memory for all of them: about 210 kB each.</summary>
    private const int MaxImages = 5000;

    public static Command Create()
    {
        var options = new Mending("refit", "composite:alpha=6", "Training images to fit on, unaugmented.", MaxImages, "Other training images, which say what it was good for.");
        Option<double> ridge = CommonOptions.Where(
            new Option<double>("--ridge") { HelpName = "R", Description = "Weight of staying near the old weights.", DefaultValueFactory = _ => Refit.UsualRidge }, value => value > 0 && double.IsFinite(value), "a positive number");
        Command command = options.Command(
            "Repair a PANN by least squares, without training: each convolution is fitted again so that, behind the polynomials, it gives what the network with ReLU has there. It costs no level. "
            + "Best with a range for each activation (--ranges layer); where one range has to do for all, best after pann equalise. The file it writes is a model like any other, and pann eval and pann inspect take polynomial and ranges from it.\n\n"
            + "Example: pann refit --activation composite:alpha=7 --ranges layer --out refitted.safetensors\nExample: pann eval --model refitted.safetensors\nExample: pann equalise --out equalised.safetensors\nExample: pann refit --model equalised.safetensors --activation composite:alpha=7 --ranges global --margin 1.3 --out refitted.safetensors",
            (parsed, cancellation) => Run(options.Open(parsed, cancellation), parsed.GetValue(ridge), cancellation));
        command.Add(ridge);
        return command;
    }

    private static int Run(Mending.Job opened, double ridge, CancellationToken cancellation)
    {
        using Mending.Job job = opened;
        (ResNet backbone, Normalization normalization) = (job.Model.Backbone, job.Model.Description.Normalization);
        double Accuracy(ResNet network) => Evaluation.Of(network, job.Training, job.HeldOut, normalization, job.Workspace, cancellation: cancellation).Accuracy;
        long start = Stopwatch.GetTimestamp();
        (ResNet pann, IReadOnlyList<RefitLayer> layers) = ProgressBar.Run(
            "fitting", Refit.Steps(backbone), progress => Refit.Of(backbone, job.Spec, job.Ranges, job.Training, job.Images, normalization, job.Workspace, ridge, progress, cancellation));
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        var result = new RefitFile(
            job.Name, job.Spec.ToString(), job.Ranges.Spec, job.Provenance, job.Command, job.Seed, job.Images.Length, ridge,
            job.HeldOut.Length, Accuracy(backbone), Accuracy(backbone.With(job.Spec, job.Ranges)), Accuracy(pann), layers, Seconds: null);
        job.Save(pann, "refit", JsonSerializer.Serialize(result, CliJson.Options), new(job.Spec, job.Ranges.ByPath, StandsForItself: true));
        CommonOptions.WriteJson(job.Json, result with { Seconds = seconds });

        Terminal.Write(new ReportTable(
            $"Error behind each layer that was fitted again, over the signal, on {result.Images} training images",
            ["layer", "measured at", "before", "after", "images left out"],
            [.. layers.Select(l => (IReadOnlyList<string>)[l.Path, l.Target, FormattableString.Invariant($"{100 * l.Before:F1} %"), FormattableString.Invariant($"{100 * l.After:F1} %"), $"{l.ImagesLeftOut}"])]));
        Console.WriteLine(FormattableString.Invariant($"On {result.HeldOut} other training images: {result.IdealAccuracy:F2} % with {(job.Spec.Leak == 0 ? "ReLU" : job.Model.Description.Activation)}, {result.AccuracyBefore:F2} % with polynomials, {result.Accuracy:F2} % refitted"));
        if (result.Accuracy < result.AccuracyBefore) Console.WriteLine("Warning: on these images the network does better without the fit");
        job.SayWhere(seconds);
        return 0;
    }
}

/// <summary>What <c>pann refit --json</c> writes, and what the refitted model's metadata hold. Accuracies are percentages of the images held out.</summary>
internal sealed record RefitFile(
    string Model, string Activation, string RangesSpec, IReadOnlyDictionary<string, string> Provenance, string Command, long Seed, int Images, double Ridge,
    int HeldOut, double IdealAccuracy, double AccuracyBefore, double Accuracy, IReadOnlyList<RefitLayer> Layers,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] double? Seconds);
