using System.CommandLine;
using System.CommandLine.Invocation;
using System.Diagnostics;
using System.Globalization;
using PannCore.Approximation;
using PannCore.Checkpoints;
using PannCore.Data;
using PannCore.Diagnostics;
using PannCore.Engine;
using PannCore.Nn;
using PannCore.Ops;
using PannCore.Reports;
using PannCore.Training;

namespace PannCore.Cli;

/// <summary>The verb <c>pann train</c>. It never opens the test file.</summary>
internal static class TrainCommand
{
    /// <summary>What a recipe computes convolutions with where nothing is said.</summary>
    public static ConvAlgorithm Convolution { get; } = new Recipe { Architecture = "", Epochs = 1 }.Convolution;

    public static Command Create()
    {
        Option<string> architecture = new("--arch") { HelpName = "NAME", Description = "resnet20, resnet32, resnet44, resnet56 or resnet110.", DefaultValueFactory = _ => "resnet20" };
        Option<bool> list = new("--list") { Description = "Show the named recipes and stop.", Action = new ListRecipes() };
        Option<string?> named = new("--recipe") { HelpName = "NAME", Description = "A named recipe (--list shows them); options given beside it overrule it." };
        Option<int> epochs = CommonOptions.AtLeast(new Option<int>("--epochs") { HelpName = "N", Description = "Passes over the training images.", DefaultValueFactory = _ => 40 }, 1);
        Option<int> batch = new("--batch") { HelpName = "N", Description = "Images a step.", DefaultValueFactory = _ => 128 };
        Option<double> learningRate = new("--learning-rate") { HelpName = "R", Description = "Largest rate of the cosine schedule.", DefaultValueFactory = _ => 0.1 };
        Option<double> warmup = new("--warmup") { HelpName = "E", Description = "Epochs of linear warm-up.", DefaultValueFactory = _ => 1 };
        Option<double> decay = new("--weight-decay") { HelpName = "W", Description = "Weight decay.", DefaultValueFactory = _ => 5e-4 };
        Option<string> decayOn = new Option<string>("--decay-on") { Description = "The parameters it acts on.", DefaultValueFactory = _ => "all" }.AcceptOnlyFromAmong("all", "convolutions", "others");
        Option<double> mixup = new("--mixup") { HelpName = "A", Description = "Strength of Mixup; 0 mixes nothing.", DefaultValueFactory = _ => 0 };
        Option<double> leak = new("--leak") { HelpName = "A", Description = "Slope of the activations for negative inputs.", DefaultValueFactory = _ => 0 };
        Option<bool> dropLeak = new("--drop-leak") { Description = "Let the model stand for a plain ReLU although it is trained with a slope." };
        Option<double> noise = new("--noise") { HelpName = "C", Description = "Noise in [-C, C) on the activations' outputs, in training only.", DefaultValueFactory = _ => 0 };
        Option<string> noiseSide = new Option<string>("--noise-side") { Description = "The inputs whose outputs get it.", DefaultValueFactory = _ => "negative" }.AcceptOnlyFromAmong("negative", "positive", "both");
        Option<string> noiseUnit = new Option<string>("--noise-unit") { Description = "What C is measured in.", DefaultValueFactory = _ => "absolute" }.AcceptOnlyFromAmong("absolute", "rms");
        Option<int> validation = new("--validation") { HelpName = "N", Description = "Training images held out, the same number of each class; 0 trains on all 50,000.", DefaultValueFactory = _ => 5000 };
        Option<long> seed = new("--seed") { HelpName = "S", Description = "Seed of weights, order, augmentation and split.", DefaultValueFactory = _ => 0 };
        Option<string> output = CommonOptions.ModelOutput();
        Option<int> every = CommonOptions.AtLeast(new Option<int>("--save-every") { HelpName = "N", Description = "Steps between two writings of FILE.state; it is also written after each epoch.", DefaultValueFactory = _ => 100 }, 1);
        Option<bool> resume = new("--resume") { Description = "Continue from FILE.state, which is written as training goes on." };
        Option<string?> data = CommonOptions.Data(), json = CommonOptions.Json();
        Option<int> threads = CommonOptions.Threads();
        Option<string> convolution = CommonOptions.Convolution(Convolution);
        var command = new Command("train", "Train a network on CIFAR-10's training images. Ctrl+C or kill loses nothing but minutes: --resume continues to the same bits.\n\nExample: pann train --epochs 40 --seed 1 --out runs/resnet20.safetensors")
        {
            list, named, architecture, epochs, batch, learningRate, warmup, decay, decayOn, mixup, leak, dropLeak, noise, noiseSide, noiseUnit, validation, seed, output, every, resume, data, threads, convolution, json,
        };
        command.SetAction((parsed, cancellation) => Task.Run(() =>
        {
            var recipe = new Recipe
            {
                Architecture = parsed.GetValue(architecture)!,
                Epochs = parsed.GetValue(epochs),
                Batch = parsed.GetValue(batch),
                LearningRate = parsed.GetValue(learningRate),
                WarmupEpochs = Math.Min(parsed.GetValue(warmup), parsed.GetValue(epochs)),
                Validation = parsed.GetValue(validation),
                Seed = parsed.GetValue(seed),
                Convolution = CommonOptions.Convolution(parsed, convolution),
            };
            if (parsed.GetValue(named) is string name) recipe = NamedRecipe.Of(name).Apply(recipe);
            bool IsGiven(Option option) => parsed.GetResult(option) is { Implicit: false };
            if (IsGiven(decay)) recipe = recipe with { WeightDecay = parsed.GetValue(decay) };
            if (IsGiven(decayOn)) recipe = recipe with { DecayOn = Enum.Parse<DecayScope>(parsed.GetValue(decayOn)!, ignoreCase: true) };
            if (IsGiven(mixup)) recipe = recipe with { Mixup = parsed.GetValue(mixup) };
            if (IsGiven(leak)) recipe = recipe with { Leak = parsed.GetValue(leak) };
            if (IsGiven(dropLeak)) recipe = recipe with { DropLeak = parsed.GetValue(dropLeak) };
            if (IsGiven(noise)) recipe = recipe with { Noise = recipe.Noise with { Size = parsed.GetValue(noise) } };
            if (IsGiven(noiseSide)) recipe = recipe with { Noise = recipe.Noise with { Side = Enum.Parse<PerturbedSide>(parsed.GetValue(noiseSide)!, ignoreCase: true) } };
            if (IsGiven(noiseUnit)) recipe = recipe with { Noise = recipe.Noise with { Unit = Enum.Parse<NoiseUnit>(parsed.GetValue(noiseUnit)!, ignoreCase: true) } };
            string file = parsed.GetValue(output)!, state = file + ".state";
            int stepsBetweenStates = parsed.GetValue(every);
            CommonOptions.CheckWritable(parsed, file, state, parsed.GetValue(json));
            DataFolder folder = DataCommand.Find(parsed.GetValue(data));
            Cifar10 training = ReadTraining(folder);
            using Workspace workspace = CommonOptions.Workspace(parsed, threads, convolution);
            var trainer = new Trainer(recipe, training, workspace);
            if (parsed.GetValue(resume)) trainer.Resume(state);
            else if (File.Exists(state)) throw new BadInputException($"{state}: a run is in progress here; continue it with --resume, or delete this file to begin anew");
            else trainer.SaveState(state);

            var rates = new List<TrainedEpoch>(trainer.History.Select(epoch => new TrainedEpoch(epoch.Epoch, epoch.TrainLoss, epoch.TrainAccuracy, epoch.ValidationAccuracy, null)));
            int images = trainer.StepsPerEpoch * recipe.Batch;
            int[] all = [.. Enumerable.Range(0, training.Count)];
            Normalization normalization = Normalization.Parse(recipe.Normalize);
            var stands = recipe.Leak > 0 && !recipe.DropLeak ? ActivationSpec.Parse(FormattableString.Invariant($"leaky:{recipe.Leak}")) : ActivationSpec.Parse("relu");
            Dictionary<string, double> largest;
            try
            {
                while (!trainer.Finished)
                {
                    long start = Stopwatch.GetTimestamp();
                    int steps = 0; // Fewer than an epoch's where a state in mid-epoch was resumed.
                    EpochResult epoch = ProgressBar.Run($"epoch {trainer.History.Count + 1} of {recipe.Epochs}", images, progress => trainer.RunEpoch(
                        progress is null ? null : new StepProgress(progress), step =>
                        {
                            steps++;
                            if (step % stepsBetweenStates == 0) trainer.SaveState(state);
                        }, cancellation));
                    double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds, rate = steps * recipe.Batch / seconds;
                    double left = seconds * trainer.StepsPerEpoch / Math.Max(1, steps) * (recipe.Epochs - epoch.Epoch);
                    trainer.SaveState(state);
                    rates.Add(new(epoch.Epoch, epoch.TrainLoss, epoch.TrainAccuracy, epoch.ValidationAccuracy, rate));
                    Console.WriteLine(FormattableString.Invariant(
                        $"epoch {epoch.Epoch,3}/{recipe.Epochs}  loss {epoch.TrainLoss:F4}  train {epoch.TrainAccuracy:F2} %{(epoch.ValidationAccuracy is double v ? FormattableString.Invariant($"  validation {v:F2} %") : "")}  {rate:F0} images/s  {TimeSpan.FromSeconds(left):h\\:mm\\:ss} left"));
                }
                largest = ProgressBar.Run("measuring ranges", all.Length, progress => RangeProbe.Calibrate(trainer.Model.With(stands, ranges: null), training, all, normalization, workspace, progress, cancellation));
            }
            catch (OperationCanceledException)
            {
                trainer.SaveState(state);
                Console.Error.WriteLine($"stopped; continue with the same command and --resume ({state})");
                return 1;
            }
            ModelFile.Save(file, trainer.Model, new(recipe.Architecture, normalization, stands, largest, all.Length, Notes(recipe, trainer)));
            File.Delete(state);
            Console.WriteLine($"model: {file}");
            CommonOptions.WriteJson(parsed.GetValue(json), new TrainRecord(rates, trainer.History[^1].ValidationAccuracy), CliJson.Default.TrainRecord);
            return 0;
        }, cancellation));
        return command;
    }

    /// <summary>The training images, or a file of one's own; the official test images are refused under whatever name.</summary>
    public static Cifar10 ReadTraining(DataFolder folder)
    {
        if (folder.Kind != DataKind.RecordFile) return Cifar10.ReadTrain(folder.Location);
        if (Cifar10Verification.IsTestData(folder.Location))
            throw new BadInputException($"{folder.Location}: expected training images, found test images of CIFAR-10; training never opens them");
        return Cifar10.ReadFile(folder.Location);
    }

    private static Dictionary<string, string> Notes(Recipe recipe, Trainer trainer)
    {
        var notes = new Dictionary<string, string>
        {
            ["command"] = FormattableString.Invariant(
                $"pann train --arch {recipe.Architecture} --epochs {recipe.Epochs} --batch {recipe.Batch} --learning-rate {recipe.LearningRate} --warmup {recipe.WarmupEpochs} --weight-decay {recipe.WeightDecay}{Remedies(recipe)} --validation {recipe.Validation} --seed {recipe.Seed} --convolution {CommonOptions.Name(recipe.Convolution)} --out model.safetensors"),
            ["seed"] = recipe.Seed.ToString(CultureInfo.InvariantCulture),
            ["trainLoss"] = trainer.History[^1].TrainLoss.ToString("F4", CultureInfo.InvariantCulture),
        };
        if (trainer.History[^1].ValidationAccuracy is double accuracy) notes["validationAccuracy"] = accuracy.ToString("F2", CultureInfo.InvariantCulture);
        return notes;
    }

    /// <summary>The options of what a recipe does beyond the baseline.</summary>
    private static string Remedies(Recipe recipe)
    {
        string text = recipe.DecayOn == DecayScope.All ? "" : $" --decay-on {CommonOptions.Name(recipe.DecayOn)}";
        if (recipe.Mixup > 0) text += FormattableString.Invariant($" --mixup {recipe.Mixup}");
        if (recipe.Leak > 0) text += FormattableString.Invariant($" --leak {recipe.Leak}{(recipe.DropLeak ? " --drop-leak" : "")}");
        if (recipe.Noise.Size > 0) text += FormattableString.Invariant($" --noise {recipe.Noise.Size} --noise-side {CommonOptions.Name(recipe.Noise.Side)} --noise-unit {CommonOptions.Name(recipe.Noise.Unit)}");
        return text;
    }

    /// <summary>Needs no other option, as --help does not.</summary>
    private sealed class ListRecipes : SynchronousCommandLineAction
    {
        public override bool ClearsParseErrors => true;

        public override int Invoke(ParseResult parseResult)
        {
            Terminal.Write(new ReportTable("Recipes: what differs from the baseline, and why it is there", ["recipe", "purpose"], [.. NamedRecipe.All.Select(r => (string[])[r.Name, r.Purpose])]));
            return 0;
        }
    }

    private sealed class StepProgress(IProgress<int> images) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => images.Report(value.Images);
    }
}

/// <summary>One epoch in the JSON of <c>pann train</c>; the rate is null for epochs of an earlier, interrupted run.</summary>
internal sealed record TrainedEpoch(int Epoch, double TrainLoss, double TrainAccuracy, double? ValidationAccuracy, double? ImagesPerSecond);

/// <summary>What <c>pann train --json</c> writes.</summary>
internal sealed record TrainRecord(IReadOnlyList<TrainedEpoch> Epochs, double? ValidationAccuracy);
