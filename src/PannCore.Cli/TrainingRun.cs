using System.Diagnostics;
using System.Globalization;
using PannCore.Approximation;
using PannCore.Checkpoints;
using PannCore.Data;
using PannCore.Diagnostics;
using PannCore.Engine;
using PannCore.Nn;
using PannCore.Training;

namespace PannCore.Cli;

/// <summary>Training to the end of a recipe: progress, states on disk while it goes on, a model file when it is done.</summary>
internal static class TrainingRun
{
    /// <summary>Keeps other runs from training the same file until what is returned is disposed, and deletes what killed ones have left half written.</summary>
    /// <exception cref="BadInputException">One does already, or the file cannot be written.</exception>
    public static IDisposable Hold(string file)
    {
        string state = file + ".state";
        IDisposable held = FileLock.Hold(state, tries: 0, "that no other run trains this network");
        try
        {
            AtomicFile.RemoveLeftovers(file);
            AtomicFile.RemoveLeftovers(state);
            return held;
        }
        catch
        {
            held.Dispose();
            throw;
        }
    }

    /// <summary>Trains and writes the model; the caller holds it.</summary>
    /// <param name="recipe">What to do.</param>
    /// <param name="training">The training set.</param>
    /// <param name="workspace">Threads and memory.</param>
    /// <param name="file">The model file; beside it, while training goes on, its state.</param>
    /// <param name="resume">Whether to continue from that state.</param>
    /// <param name="stepsBetweenStates">Steps between two writings of it; it is also written after each epoch.</param>
    /// <param name="command">The command that does the same, for the model file.</param>
    /// <param name="initial">The network that training begins from; null for random weights.</param>
    /// <param name="teacher">The network that it learns from; null for none.</param>
    /// <param name="cancellation">Stops between steps.</param>
    /// <param name="knowsHeldOut">Whether the network that training begins from, or learns from, may know the images held out: so may then what it makes of them, and the model does not say that it held them out.</param>
    /// <returns>The epochs; null if it was stopped, the state being written then.</returns>
    /// <exception cref="BadInputException">A state is there and is not to be continued, or is that of another run.</exception>
    public static TrainRecord? Run(
        Recipe recipe, Cifar10 training, Workspace workspace, string file, bool resume, int stepsBetweenStates, string command, ResNet? initial, ResNet? teacher, CancellationToken cancellation, bool knowsHeldOut = false)
    {
        string state = file + ".state";
        var trainer = new Trainer(recipe, training, workspace, initial, teacher);
        if (resume) trainer.Resume(state);
        else if (File.Exists(state)) throw new BadInputException($"{state}: a run is in progress here; continue it with --resume, or delete this file to begin anew");
        else trainer.SaveState(state);

        var rates = new List<TrainedEpoch>(trainer.History.Select(epoch => new TrainedEpoch(epoch.Epoch, epoch.TrainLoss, epoch.TrainAccuracy, epoch.ValidationAccuracy, null)));
        int images = trainer.StepsPerEpoch * recipe.Batch;
        // Images held out judge choices: they have no part in ranges either.
        int[] learnt = Split.Balanced(training, recipe.Validation, recipe.Seed).Training;
        Normalization normalization = Normalization.Parse(recipe.Normalize);
        double leak = recipe.Polynomial is { } trained ? ActivationSpec.Parse(trained.Activation).Leak : recipe.DropLeak ? 0 : recipe.Leak;
        var stands = ActivationSpec.Parse(leak > 0 ? FormattableString.Invariant($"leaky:{leak}") : "relu");
        Dictionary<string, double>? largest = null;
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
                    $"epoch {epoch.Epoch,3}/{recipe.Epochs}  loss {epoch.TrainLoss:F4}  train {epoch.TrainAccuracy:F2} %{(epoch.ValidationAccuracy is double v ? FormattableString.Invariant($"  validation {v:F2} %") : "")}  {rate:F0} images/s  {(int)(left / 3600)}:{TimeSpan.FromSeconds(left):mm\\:ss} left"));
            }
            // Put back into a network trained with polynomials, ReLU gives no network at all: its inputs say nothing.
            if (recipe.Polynomial is not { StandsForItself: true })
                largest = ProgressBar.Run("measuring ranges", learnt.Length, progress => RangeProbe.Calibrate(trainer.Model.With(stands, ranges: null), training, learnt, normalization, workspace, progress, recipe.Convolution, cancellation));
        }
        catch (OperationCanceledException)
        {
            trainer.SaveState(state);
            return null;
        }
        ModelFile.Save(file, trainer.Model, new(recipe.Architecture, normalization, stands, largest, largest is null ? 0 : learnt.Length, Notes(recipe, knowsHeldOut ? [] : HeldOut(recipe, training), trainer, command),
            recipe.Polynomial is { StandsForItself: true } loop ? new(ActivationSpec.Parse(loop.Activation), trainer.Ranges!, StandsForItself: true) : null));
        File.Delete(state);
        Console.WriteLine($"model: {file}");
        return new(rates, trainer.History[^1].ValidationAccuracy);
    }

    /// <summary>What the images held out hang on: their number, the seed and the data.</summary>
    public static Dictionary<string, string> HeldOut(Recipe recipe, Cifar10 training) => new()
    {
        ["validation"] = recipe.Validation.ToString(CultureInfo.InvariantCulture),
        ["seed"] = recipe.Seed.ToString(CultureInfo.InvariantCulture),
        ["data"] = training.Digest(),
    };

    private static Dictionary<string, string> Notes(Recipe recipe, Dictionary<string, string> heldOut, Trainer trainer, string command)
    {
        var notes = new Dictionary<string, string>(heldOut)
        {
            ["command"] = command,
            ["seed"] = recipe.Seed.ToString(CultureInfo.InvariantCulture),
            ["trainLoss"] = trainer.History[^1].TrainLoss.ToString("F4", CultureInfo.InvariantCulture),
        };
        if (recipe.InitialWeights is string initial) notes["initialWeights"] = initial;
        if (recipe.Distillation is { } distillation) notes["teacherWeights"] = distillation.Teacher;
        if (trainer.History[^1].ValidationAccuracy is double accuracy) notes["validationAccuracy"] = accuracy.ToString("F2", CultureInfo.InvariantCulture);
        return notes;
    }

    private sealed class StepProgress(IProgress<int> images) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => images.Report(value.Images);
    }
}
