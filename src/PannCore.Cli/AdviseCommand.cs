using System.CommandLine;
using System.Diagnostics;
using PannCore.Approximation;
using PannCore.Data;
using PannCore.Diagnostics;
using PannCore.Engine;
using PannCore.Nn;
using PannCore.Reports;

namespace PannCore.Cli;

/// <summary>The verb <c>pann advise</c>: a polynomial for each activation.</summary>
internal static class AdviseCommand
{
    private const string Levels = "levels", Multiplications = "mults";

    public static Command Create()
    {
        Option<string?> model = CommonOptions.Model(), architecture = CommonOptions.Architecture(), normalize = CommonOptions.Normalize(), data = CommonOptions.Data(), json = CommonOptions.Json();
        Option<string> ranges = CommonOptions.Ranges("layer"), convolution = CommonOptions.Convolution();
        Option<string?> alphas = AlphaOption.Create();
        Option<string[]> activations = AlphaOption.Activations();
        Option<double> loss = CommonOptions.Where(
            new Option<double>("--loss") { HelpName = "POINTS", Description = "Points of accuracy that may be lost against the network with its ideal activations.", DefaultValueFactory = _ => 0.5 },
            points => points is >= 0 and <= 100, "0 to 100 points");
        Option<string> least = new("--least") { HelpName = "NAME", Description = $"What to keep least: {Levels} (CKKS levels of the activations) or {Multiplications} (products of ciphertexts).", DefaultValueFactory = _ => Levels };
        least.AcceptOnlyFromAmong(Levels, Multiplications);
        Option<int> images = CommonOptions.AtLeast(new Option<int>("--images") { HelpName = "N", Description = "Images to choose by; of a file of one's own at most half.", DefaultValueFactory = _ => 500 }, 1);
        Option<int> calibrate = CommonOptions.Calibrate(), threads = CommonOptions.Threads();
        Option<double> margin = CommonOptions.Margin();
        var command = new Command(
            "advise",
            "Choose a precision for each activation: the least cost within a stated loss of accuracy. With the official files it chooses by training images and judges by the test images, "
            + "otherwise it chooses by the first half of the images and judges by the second.\n\nExample: pann advise --loss 0.5 --json advice.json\nExample: pann inspect --ranges layer --patch file:advice.json")
        {
            model, architecture, normalize, loss, least, alphas, activations, ranges, calibrate, margin, images, data, threads, convolution, json,
        };
        command.SetAction((parsed, cancellation) => Task.Run(() =>
        {
            CommonOptions.CheckWritable(parsed, parsed.GetValue(json));
            LoadedModel loaded = LoadedModel.Open(parsed.GetValue(model), parsed.GetValue(architecture), parsed.GetValue(normalize));
            loaded.RequireBackbone(" only");
            ActivationSpec[] candidates = AlphaOption.Specs(parsed, alphas, activations, loaded.Description.Activation.Leak);
            LoadedModel.RefuseIdle(parsed, parsed.GetValue(ranges), ranges, calibrate, margin);
            DataFolder folder = DataCommand.Find(parsed.GetValue(data));
            (AdviceImages choosing, AdviceImages judging) = Images(folder, parsed.GetValue(images), asked: CommonOptions.IsGiven(parsed, images));
            using Workspace workspace = CommonOptions.Workspace(parsed, threads, convolution);
            (ResNet pann, ActivationRanges? used) = loaded.Convert(candidates[0], parsed.GetValue(ranges)!, parsed.GetValue(calibrate), parsed.GetValue(margin), folder, workspace, cancellation);

            long start = Stopwatch.GetTimestamp();
            AdviceRecord record = ProgressBar.Run("networks", PrecisionAdvice.Steps(pann.Activations.Count, candidates.Length), progress => PrecisionAdvice.Of(
                pann, candidates, parsed.GetValue(least) == Levels ? AdviceGoal.Levels : AdviceGoal.Multiplications, parsed.GetValue(loss), choosing, judging,
                loaded.Description.Normalization, workspace, progress, cancellation));
            double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;

            string name = Path.GetFileName(loaded.File);
            Console.WriteLine($"{name}, ranges {used!.Spec}");
            foreach (string line in AdviceReport.Summary(record)) Console.WriteLine(line);
            Terminal.Write(AdviceReport.Trials(record));
            Terminal.Write(AdviceReport.Layers(record));
            CommonOptions.WriteJson(
                parsed.GetValue(json), new AdviceFile(name, used.Spec, loaded.Provenance(judging.Data, used, parsed.GetValue(calibrate), parsed.GetValue(margin), workspace), record, record.Patches));
            Console.WriteLine(FormattableString.Invariant($"{record.Evaluations} networks in {seconds:F1} s"));
            string given = string.Concat(new[] { model, architecture, normalize, data }.Where(option => parsed.GetValue(option) is not null).Select(option => $"{option.Name} {CommonOptions.Quoted(parsed.GetValue(option)!)} "))
                + (parsed.GetValue(calibrate) > 0 ? $"--calibrate {parsed.GetValue(calibrate)} " : "")
                + (CommonOptions.IsGiven(parsed, margin) ? FormattableString.Invariant($"--margin {parsed.GetValue(margin)} ") : "");
            if (parsed.GetValue(json) is string file) Console.WriteLine($"Try next: dotnet run -c Release --project src/PannCore.Cli -- inspect {given}--activation {record.Uniform.Name} --ranges {CommonOptions.Quoted(used.Spec)} --patch {CommonOptions.Quoted($"file:{file}")}");
            return 0;
        }, cancellation));
        return command;
    }

    /// <summary>Images to choose by and images to judge by, none in both.</summary>
    private static (AdviceImages Choosing, AdviceImages Judging) Images(DataFolder folder, int count, bool asked)
    {
        if (folder.IsOfficial)
        {
            Cifar10 training = Cifar10.ReadTrain(folder.Location), test = Cifar10.ReadTest(folder.Location);
            if (count > training.Count) throw new BadInputException($"--images: expected at most the {training.Count} training images, found {count}");
            // From the end: ranges may have been measured on the first ones. Cropped and mirrored, because a network that was trained on them is surer of them as they are than of others.
            AdviceImages trained = Some(training, training.Count - count, count);
            return (trained with { Data = training.Augmented(new Augmentation(Seed: 1, Epoch: 0)), Words = $"{trained.Words}, cropped and mirrored (a network that was trained on them is surer of them than of others, and loses less)" }, Some(test, 0, test.Count));
        }
        Cifar10 set = Cifar10.ReadFile(folder.Location);
        int half = set.Count / 2, chosen = Math.Min(count, half);
        if (half == 0) throw new BadInputException($"{set.Source}: expected at least 2 images, one half to choose by and one to judge by, found {set.Count}");
        if (asked && count > half) throw new BadInputException($"--images: expected at most {half}, half of those in {set.Source}, found {count}");
        return (Some(set, 0, chosen), Some(set, half, set.Count - half));

        static AdviceImages Some(Cifar10 set, int first, int count) => new(set, [.. Enumerable.Range(first, count)], $"images {first} to {first + count - 1} of {set.Source}");
    }
}

/// <summary>What <c>pann advise --json</c> writes.</summary>
internal sealed record AdviceFile(string Model, string Ranges, IReadOnlyDictionary<string, string> Provenance, AdviceRecord Advice, IReadOnlyDictionary<string, string> Patches);
