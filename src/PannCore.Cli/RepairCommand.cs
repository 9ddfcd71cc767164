using System.CommandLine;
using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Serialization;
using PannCore.Diagnostics;
using PannCore.Nn;
using PannCore.Reports;

namespace PannCore.Cli;

/// <summary>The verb <c>pann repair</c>. It never opens the test file.</summary>
internal static class RepairCommand
{
    /// <summary>All of them are kept in memory while a part of the network runs, before and behind it: about 140 kB each.</summary>
    private const int MaxImages = 5000;

    public static Command Create()
    {
        var options = new Mending(
            "repair", "composite:alpha=8", "Training images that the polynomials' mean errors are measured on, unaugmented.", MaxImages, "Other training images, which say what helps: which kind of shift, batch-norm's statistics, new ranges.");
        return options.Command(
            "Repair a PANN without training: take each channel's mean error off, which costs no level. The file it writes is a model like any other, and pann eval and pann inspect take polynomial and ranges from it.\n\n"
            + "Example: pann repair --activation composite:alpha=8 --ranges global --out repaired.safetensors\nExample: pann eval --model repaired.safetensors",
            (parsed, cancellation) => Run(options.Open(parsed, cancellation), cancellation));
    }

    private static int Run(Mending.Job opened, CancellationToken cancellation)
    {
        using Mending.Job job = opened;
        ResNet backbone = job.Model.Backbone;
        RangesAgain? again = ActivationRanges.NeedsCalibration(job.Ranges.Spec) && job.Measured <= job.Training.Count ? new(job.Ranges.Spec, [.. Enumerable.Range(0, job.Measured)], job.Margin) : null;
        long start = Stopwatch.GetTimestamp();
        (ResNet pann, ActivationRanges final, RepairRecord record) = ProgressBar.Run("repairing", Repair.Steps(backbone, again), progress => Repair.Of(
            backbone, job.Spec, job.Ranges, job.Training, job.Images, job.HeldOut, job.Model.Description.Normalization, job.Workspace, again, progress, cancellation));
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        var result = new RepairFile(job.Name, job.Spec.ToString(), job.Ranges.Spec, job.Provenance, job.Command, job.Seed, record, Seconds: null);
        job.Save(pann, "repair", JsonSerializer.Serialize(result, CliJson.Options), new(job.Spec, final.ByPath));
        CommonOptions.WriteJson(job.Json, result with { Seconds = seconds });

        Terminal.Write(Layers(record));
        Terminal.Write(Candidates(record));
        if (record.Candidates[0].Accuracy > record.Candidates.Single(c => c.Chosen).Accuracy) Console.WriteLine("Warning: on these images the network does better without repair");
        job.SayWhere(seconds);
        return 0;
    }

    private static ReportTable Candidates(RepairRecord record) => new(
        FormattableString.Invariant($"On {record.HeldOut} training images that no error was measured on; with its ideal activations the network gets {record.IdealAccuracy:F2} % of them right; a later candidate is chosen only where it wins by more than one standard error"),
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
