using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using PannCore.Approximation;
using PannCore.Checkpoints;
using PannCore.Data;
using PannCore.Diagnostics;
using PannCore.Engine;
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
        Option<int> epochs = CommonOptions.AtLeast(new Option<int>("--epochs") { HelpName = "N", Description = "Passes over the training images.", Required = true }, 1);
        Option<int> batch = new("--batch") { HelpName = "N", Description = "Images a step.", DefaultValueFactory = _ => 128 };
        Option<double> learningRate = new("--learning-rate") { HelpName = "R", Description = "Largest rate of the cosine schedule.", DefaultValueFactory = _ => 0.1 };
        Option<double> warmup = new("--warmup") { HelpName = "E", Description = "Epochs of linear warm-up.", DefaultValueFactory = _ => 1 };
        Option<double> decay = new("--weight-decay") { HelpName = "W", Description = "Weight decay, on all parameters.", DefaultValueFactory = _ => 5e-4 };
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
            architecture, epochs, batch, learningRate, warmup, decay, validation, seed, output, every, resume, data, threads, convolution, json,
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
                WeightDecay = parsed.GetValue(decay),
                Validation = parsed.GetValue(validation),
                Seed = parsed.GetValue(seed),
                Convolution = CommonOptions.Convolution(parsed, convolution),
            };
            string file = parsed.GetValue(output)!, state = file + ".state";
            int stepsBetweenStates = parsed.GetValue(every);
            CommonOptions.CheckWritable([state], file, parsed.GetValue(json));
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
                largest = ProgressBar.Run("measuring ranges", all.Length, progress => RangeProbe.Calibrate(trainer.Model, training, all, normalization, workspace, progress, cancellation));
            }
            catch (OperationCanceledException)
            {
                trainer.SaveState(state);
                Console.Error.WriteLine($"stopped; continue with the same command and --resume ({state})");
                return 1;
            }
            ModelFile.Save(file, trainer.Model, new(recipe.Architecture, normalization, ActivationSpec.Parse("relu"), largest, all.Length, Notes(recipe, trainer)));
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
                $"pann train --arch {recipe.Architecture} --epochs {recipe.Epochs} --batch {recipe.Batch} --learning-rate {recipe.LearningRate} --warmup {recipe.WarmupEpochs} --weight-decay {recipe.WeightDecay} --validation {recipe.Validation} --seed {recipe.Seed} --convolution {CommonOptions.Name(recipe.Convolution)} --out model.safetensors"),
            ["seed"] = recipe.Seed.ToString(CultureInfo.InvariantCulture),
            ["trainLoss"] = trainer.History[^1].TrainLoss.ToString("F4", CultureInfo.InvariantCulture),
        };
        if (trainer.History[^1].ValidationAccuracy is double accuracy) notes["validationAccuracy"] = accuracy.ToString("F2", CultureInfo.InvariantCulture);
        return notes;
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
