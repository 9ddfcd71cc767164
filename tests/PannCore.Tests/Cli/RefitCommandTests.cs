using System.Text.Json;
using PannCore.Checkpoints;
using Xunit;

namespace PannCore.Tests.Cli;

public sealed class RefitCommandTests(CliFiles files) : IClassFixture<CliFiles>
{
    [Fact]
    public void A_network_is_equalised_refitted_and_evaluated()
    {
        Outcome equalised = PannProcess.Run(files.Root, "equalise", "--model", files.Model, "--data", files.Images, "--out", "equalised.safetensors", "--json", "equalised.json");
        Assert.Equal((0, ""), (equalised.Code, equalised.Error));
        (_, ModelDescription said) = ModelFile.Load(files.At("equalised.safetensors"));
        Assert.Equal((8, 19), (said.CalibrationImages, said.LargestInputs!.Count));
        Assert.All(said.LargestInputs.Values, largest => Assert.InRange(largest, 0.01, 1.0001));
        using (var channels = JsonDocument.Parse(File.ReadAllBytes(files.At("equalised.json"))))
        {
            Assert.Equal((8, 16), (channels.RootElement.GetProperty("images").GetInt32(), channels.RootElement.GetProperty("largestInputs").GetProperty("relu").GetArrayLength()));
        }

        Outcome refitted = PannProcess.Run(
            files.Root, "refit", "--model", "equalised.safetensors", "--data", files.Images, "--images", "5", "--held-out", "3", "--activation", "composite:alpha=5", "--margin", "1.3", "--seed", "4", "--out", "refitted.safetensors", "--json", "refit.json");
        Assert.Equal((0, ""), (refitted.Code, refitted.Error));
        Assert.Contains("On 3 other training images: ", refitted.Out, StringComparison.Ordinal);
        (_, ModelDescription now) = ModelFile.Load(files.At("refitted.safetensors"));
        Assert.Equal(("composite:alpha=5", true), (now.Pann!.Activation.ToString(), now.Pann.StandsForItself));
        Assert.All(now.Pann.Ranges.Values, range => Assert.Equal(1.3 * said.LargestInputs.Values.Max(), range, 1e-9));
        using var document = JsonDocument.Parse(File.ReadAllBytes(files.At("refit.json")));
        JsonElement root = document.RootElement;
        Assert.Equal((19, 5, 4), (root.GetProperty("layers").GetArrayLength(), root.GetProperty("images").GetInt32(), root.GetProperty("seed").GetInt32()));
        Assert.True(root.GetProperty("layers")[0].GetProperty("after").GetDouble() < root.GetProperty("layers")[0].GetProperty("before").GetDouble() / 2);

        Outcome evaluated = PannProcess.Run(files.Root, "eval", "--model", "refitted.safetensors", "--data", files.Images);
        Assert.StartsWith("refitted.safetensors, composite:alpha=5, ranges stored: ", evaluated.Out, StringComparison.Ordinal);
        Assert.Equal(
            new Outcome(1, "", "error: refitted.safetensors: was trained with or fitted to composite:alpha=5, which another scale does not suit; give the model as it was before that\n"),
            PannProcess.Run(files.Root, "equalise", "--model", "refitted.safetensors", "--data", files.Images, "--out", "no.safetensors"));
        Assert.Equal(
            new Outcome(1, "", "error: refitted.safetensors: was trained with or fitted to composite:alpha=5; give the model as it was before that\n"),
            PannProcess.Run(files.Root, "refit", "--model", "refitted.safetensors", "--data", files.Images, "--out", "no.safetensors"));
    }

    [Fact]
    public void What_cannot_be_fitted_is_refused_and_nothing_is_written()
    {
        string[] before = files.Listing;
        Assert.Equal(
            new Outcome(1, "", "error: refit: expected at most 8 training images in --images and --held-out together, found 2500\n"),
            PannProcess.Run(files.Root, "refit", "--model", files.Model, "--data", files.Images, "--out", "no.safetensors"));
        Assert.Equal(
            new Outcome(1, "", "error: refit: expected a polynomial that is generated from its text alone, because the model file holds only that; found relu\n"),
            PannProcess.Run(files.Root, "refit", "--model", files.Model, "--data", files.Images, "--activation", "relu", "--out", "no.safetensors"));
        Assert.Equal(2, PannProcess.Run(files.Root, "refit", "--model", files.Model, "--data", files.Images, "--ridge", "0", "--out", "no.safetensors").Code);
        Assert.Equal(before, files.Listing);
    }
}
