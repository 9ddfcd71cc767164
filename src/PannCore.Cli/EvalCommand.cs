using System.CommandLine;
using System.Diagnostics;
using PannCore.Approximation;
using PannCore.Data;
using PannCore.Diagnostics;
using PannCore.Engine;
using PannCore.Nn;
using PannCore.Training;

namespace PannCore.Cli;

/// <summary>The verb <c>pann eval</c>: accuracy of a backbone or of its PANN.</summary>
internal static class EvalCommand
{
    public static Command Create()
    {
        Option<string?> model = CommonOptions.Model(), architecture = CommonOptions.Architecture(), normalize = CommonOptions.Normalize(), data = CommonOptions.Data(), json = CommonOptions.Json();
        Option<string> activation = CommonOptions.Activation("relu"), ranges = CommonOptions.Ranges("layer");
        Option<int> calibrate = CommonOptions.Calibrate(), threads = CommonOptions.Threads();
        Option<string> convolution = CommonOptions.Convolution(), arithmetic = ArithmeticChoice.Option();
        Option<long> seed = ArithmeticChoice.Seed();
        Option<double> margin = CommonOptions.Margin();
        Option<int> batch = CommonOptions.Batch("8 for each thread by itself; with --arithmetic 16 by all, and never more");
        Option<string> split = new("--split") { HelpName = "NAME", Description = "test or train.", DefaultValueFactory = _ => "test" };
        split.AcceptOnlyFromAmong("test", "train");
        Option<string?> histogram = new("--histogram")
        {
            HelpName = "FILE",
            Description = "Also count the inputs of the activations in units of their range, for pann approx --density. A polynomial may be chosen by training images only: give --split train.",
        };
        var command = new Command("eval", "Accuracy on a data set.\n\nExample: pann eval --model resnet20.th --arch resnet20 --normalize imagenet --activation composite:alpha=9 --ranges layer --calibrate 10000\nExample: pann eval --split train --histogram histogram.json\nExample: pann eval --activation composite:alpha=9 --arithmetic fixed:16,64")
        {
            model, architecture, normalize, activation, ranges, calibrate, margin, batch, split, histogram, data, threads, convolution, arithmetic, seed, json,
        };
        command.SetAction((parsed, cancellation) => Task.Run(() =>
        {
            CommonOptions.CheckWritable(parsed, parsed.GetValue(json), parsed.GetValue(histogram));
            LoadedModel loaded = LoadedModel.Open(parsed.GetValue(model), parsed.GetValue(architecture), parsed.GetValue(normalize));
            (ActivationSpec spec, string rangesText) = loaded.Asked(parsed, activation, ranges);
            LoadedModel.RefuseIdle(parsed, spec.IsPolynomial || parsed.GetValue(histogram) is not null ? rangesText : null, ranges, calibrate, margin);
            ArithmeticChoice.RefuseIdleSeed(parsed, arithmetic, seed);
            DataFolder folder = DataCommand.Find(parsed.GetValue(data));
            if (parsed.GetValue(histogram) is not null && parsed.GetValue(split) == "test" && (folder.IsOfficial || Cifar10Verification.IsTestData(folder.Location))) throw new BadInputException("--histogram: expected --split train, because a polynomial may be chosen by training images only, found --split test");
            using Workspace workspace = CommonOptions.Workspace(parsed, threads, convolution);
            (ResNet network, ActivationRanges? used) = loaded.Convert(spec, rangesText, parsed.GetValue(calibrate), parsed.GetValue(margin), folder, workspace, cancellation);
            Cifar10 images = parsed.GetValue(split) == "train" ? Cifar10.ReadTrain(folder.Location)
                : DataCommand.ReadJudging(folder);
            int[] indices = [.. Enumerable.Range(0, images.Count)];
            var probe = new RangeProbe();
            InputHistogram? inputs = parsed.GetValue(histogram) is null ? null
                : new(used ?? loaded.Ranges(spec, rangesText, parsed.GetValue(calibrate), parsed.GetValue(margin), folder, workspace, cancellation));
            var other = ArithmeticModel.Of(parsed.GetValue(arithmetic)!, workspace, parsed.GetValue(seed));
            IRunObserver[] observers = [.. new[] { spec.IsPolynomial ? probe : null, inputs, other?.Observer }.OfType<IRunObserver>()];
            int? given = CommonOptions.Batch(parsed, batch), batchSize = other is null ? given : Math.Min(given ?? int.MaxValue, ArithmeticModel.LargestBatch);
            long start = Stopwatch.GetTimestamp();
            Evaluation single = ProgressBar.Run("evaluating", images.Count, progress => Evaluation.Of(
                network, images, indices, loaded.Description.Normalization, workspace, batchSize, observers, progress, cancellation: cancellation));
            Evaluation result = single;
            ArithmeticRecord beside = other?.Record(images.Labels, single, out result) ?? new(ArithmeticModel.Engine, single.Accuracy, single.Accuracy, 0, 0, [], []);
            double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;

            Console.WriteLine(FormattableString.Invariant($"{Path.GetFileName(loaded.File)}, {spec}{(used is null ? "" : $", ranges {used.Spec}")}: {result.Accuracy:F2} % ({result.Correct} of {images.Count} right)"));
            if (spec.IsPolynomial)
            {
                Console.WriteLine(FormattableString.Invariant($"outside their range: {probe.OutOfRange} inputs in {probe.OutOfRangeImages} images"));
                foreach (OverflowRoot root in Roots(probe).Take(3))
                    Console.WriteLine(FormattableString.Invariant($"  first at {root.Path}: {root.Images} of these images, at most |x| = {root.LargestOverRange:G4} B (image {root.WorstImage})"));
            }
            if (other is not null) ArithmeticChoice.Print(beside, other.HasRing);
            if (result.NonFinite > 0) Console.WriteLine($"not finite, counted as wrong: {result.NonFinite} images");
            Console.WriteLine(FormattableString.Invariant($"{seconds:F2} s, {images.Count / seconds:F0} images/s"));
            Dictionary<string, string> provenance = loaded.Provenance(images, used, parsed.GetValue(calibrate), parsed.GetValue(margin), workspace);
            if (ArithmeticChoice.IsRandom(parsed.GetValue(arithmetic)!)) provenance["seed"] = FormattableString.Invariant($"{parsed.GetValue(seed)}");
            CommonOptions.WriteJson(parsed.GetValue(json), new EvalRecord(
                Path.GetFileName(loaded.File), spec.ToString(), used?.Spec ?? "none", provenance, result.Accuracy, images.Count, result.Correct, probe.OutOfRange, probe.OutOfRangeImages, result.NonFinite,
                Roots(probe), used is null ? [] : [.. used.ByPath.Select(pair => new RangeEntry(pair.Key, pair.Value))], seconds, images.Count / seconds, beside));
            if (inputs is not null)
            {
                string file = parsed.GetValue(histogram)!;
                InputHistogramFile.Write(file, inputs, $"inputs over their ranges: {Path.GetFileName(loaded.File)}, {spec}, ranges {rangesText}, {images.Count} images of {images.Source}");
                Console.WriteLine($"Histogram: {Path.GetFullPath(file)}, from {images.Source}");
            }
            return 0;
        }, cancellation));
        return command;
    }

    /// <summary>Where images leave a range for the first time, most images first.</summary>
    private static OverflowRoot[] Roots(RangeProbe probe)
        => [.. probe.ByPath.Where(pair => pair.Value.RootImages > 0).OrderByDescending(pair => pair.Value.RootImages)
            .Select(pair => new OverflowRoot(pair.Key, pair.Value.RootImages, pair.Value.RootLargest / pair.Value.Range!.Value, pair.Value.RootWorstImage))];
}

/// <summary>An activation where images leave the range first.</summary>
internal sealed record OverflowRoot(string Path, int Images, double LargestOverRange, int WorstImage);

/// <summary>The range of one activation.</summary>
internal sealed record RangeEntry(string Path, double Range);

/// <summary>What <c>pann eval --json</c> writes.</summary>
internal sealed record EvalRecord(
    string Model, string Activation, string RangesSpec, IReadOnlyDictionary<string, string> Provenance, double Accuracy, int Images, int Correct, long OutOfRange, int OutOfRangeImages, int NonFiniteImages, IReadOnlyList<OverflowRoot> OutOfRangeRoots, IReadOnlyList<RangeEntry> Ranges, double Seconds, double ImagesPerSecond, ArithmeticRecord Arithmetic);
