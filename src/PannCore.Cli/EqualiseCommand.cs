using System.CommandLine;
using PannCore.Approximation;
using PannCore.Checkpoints;
using PannCore.Data;
using PannCore.Diagnostics;
using PannCore.Engine;
using PannCore.Nn;
using PannCore.Reports;

namespace PannCore.Cli;

/// <summary>The verb <c>pann equalise</c>. It never opens the test file.</summary>
internal static class EqualiseCommand
{
    public static Command Create()
    {
        Option<string?> model = CommonOptions.Model(), architecture = CommonOptions.Architecture(), normalize = CommonOptions.Normalize(), data = CommonOptions.Data(), json = CommonOptions.Json();
        Option<int?> images = CommonOptions.AtLeast(new Option<int?>("--images") { HelpName = "N", Description = "Measure the channels on the first N training images. Default: all." }, 1);
        Option<int> threads = CommonOptions.Threads();
        Option<string> output = CommonOptions.ModelOutput(), convolution = CommonOptions.Convolution();
        var command = new Command(
            "equalise",
            "Write the same network with every channel of every activation scaled to the same range. With ReLU it answers as before; its polynomials, whose error is a part of their range, err less. No training, no level.\n\n"
            + "Example: pann equalise --out equalised.safetensors\nExample: pann eval --model equalised.safetensors --activation composite:alpha=8 --ranges global --margin 1.3")
        {
            model, architecture, normalize, images, output, data, threads, convolution, json,
        };
        command.SetAction((parsed, cancellation) => Task.Run(() =>
        {
            string file = parsed.GetValue(output)!;
            CommonOptions.CheckWritable(parsed, file, parsed.GetValue(json));
            LoadedModel loaded = LoadedModel.Open(parsed.GetValue(model), parsed.GetValue(architecture), parsed.GetValue(normalize));
            loaded.RequireBackbone(", which another scale does not suit");
            Cifar10 training = Cifar10.ReadTrain(DataCommand.Find(parsed.GetValue(data)).Location);
            using Workspace workspace = CommonOptions.Workspace(parsed, threads, convolution);
            int[] indices = [.. Enumerable.Range(0, Math.Min(parsed.GetValue(images) ?? training.Count, training.Count))];
            IReadOnlyDictionary<string, float[]> largest = ProgressBar.Run("measuring channels", indices.Length, progress => Equalisation.Measure(loaded.Backbone, training, indices, loaded.Description.Normalization, workspace, progress, cancellation));
            (ResNet network, IReadOnlyDictionary<string, double> inputs) = Equalisation.Of(loaded.Backbone, largest);
            ModelFile.Save(file, network, loaded.Description with
            {
                LargestInputs = inputs,
                CalibrationImages = indices.Length,
                Notes = new Dictionary<string, string>(loaded.Description.Notes.Select(note => KeyValuePair.Create($"backbone.{note.Key}", note.Value))) { ["equalised"] = $"by the channels' largest inputs over {indices.Length} training images" },
            });
            CommonOptions.WriteJson(parsed.GetValue(json), new EqualiseFile(Path.GetFileName(loaded.File), indices.Length, largest));
            Terminal.Write(new ReportTable(
                "Largest input of each channel before: where the smallest is far below the largest, one range for both wastes precision",
                ["activation", "smallest", "median", "largest", "bits between median and the network's largest"],
                [.. largest.Select(pair => Row(pair.Key, pair.Value, largest.Values.Max(channels => channels.Max())))]));
            Console.WriteLine($"Model: {Path.GetFullPath(file)}");
            Console.WriteLine($"Try next: dotnet run -c Release --project src/PannCore.Cli -- refit --model {CommonOptions.Quoted(file)} --activation {loaded.Like(ActivationSpec.Parse("composite:alpha=7"))} --margin 1.3 --out refitted.safetensors");
            return 0;
        }, cancellation));
        return command;
    }

    private static IReadOnlyList<string> Row(string path, float[] channels, float most)
    {
        double median = Median.Of(channels.Select(channel => (double)channel));
        return [path, Text(channels.Min()), Text(median), Text(channels.Max()), Text(Math.Log2(most / median))];
    }

    private static string Text(double value) => FormattableString.Invariant($"{value:G3}");
}

/// <summary>What <c>pann equalise --json</c> writes.</summary>
/// <param name="Model">The file's name.</param>
/// <param name="Images">Training images measured.</param>
/// <param name="LargestInputs">Largest |x| of each channel before, by activation: what it was divided by.</param>
internal sealed record EqualiseFile(string Model, int Images, IReadOnlyDictionary<string, float[]> LargestInputs);
