using System.Text.Json;
using PannCore.Reports;
using PannCore.Tests.Diagnostics;
using Xunit;

namespace PannCore.Tests.Cli;

/// <summary>The verb <c>pann advise</c>, in the process that a user starts.</summary>
public sealed class AdviseTests(CliFiles files) : IClassFixture<CliFiles>
{
    [Fact]
    public void Chooses_by_one_half_judges_by_the_other_and_its_file_patches_an_inspection()
    {
        string json = files.At("advice.json"), inspected = files.At("advised.json");
        Outcome outcome = PannProcess.Run(files.Root, "advise", "--model", files.Model, "--data", files.Images, "--loss", "100", "--activation", "direct:2", "--activation", "direct:4", "--json", json);
        Assert.Equal((0, ""), (outcome.Code, outcome.Error));
        Assert.StartsWith(
            $"model.safetensors, ranges layer\nChosen by images 0 to 3 of {files.Images}, judged by images 4 to 7 of {files.Images}; expected to lose at most 100 points against the network with its ideal activations.\n", outcome.Out, StringComparison.Ordinal);
        Assert.Contains($"\nTry next: dotnet run -c Release --project src/PannCore.Cli -- inspect --model {files.Model} --data {files.Images} --activation direct:2 --ranges layer --patch file:{json}\n", outcome.Out, StringComparison.Ordinal);

        using var document = JsonDocument.Parse(File.ReadAllBytes(json));
        JsonElement root = document.RootElement, advice = root.GetProperty("advice");
        Assert.Equal(["model", "ranges", "provenance", "advice", "patches"], root.EnumerateObject().Select(p => p.Name));
        Assert.Equal(RandomNetwork.Backbone.Activations.Select(a => (a.Path, "direct:2")), root.GetProperty("patches").EnumerateObject().Select(p => (p.Name, p.Value.GetString()!)));
        // direct:2 is one square and a product with a constant.
        Assert.Equal(("Levels", 19 * 2), (advice.GetProperty("goal").GetString(), advice.GetProperty("advised").GetProperty("activationLevels").GetInt32()));

        Outcome inspection = PannProcess.Run(
            files.Root, "inspect", "--quick", "--model", files.Model, "--data", files.Images, "--images", "2", "--activation", "direct:4", "--ranges", "layer", "--patch", $"file:{json}", "--json", inspected, "--out", files.At("advised.html"));
        Assert.Equal((0, ""), (inspection.Code, inspection.Error));
        Assert.Equal(19, RunRecordJson.ReadFile(inspected).Patches.Count);
    }

    [Theory]
    [InlineData("--loss -1", "error: --loss: expected 0 to 100 points, found -1\nsee: pann advise --help\n")]
    [InlineData("--least time", "error: --least: Argument 'time' not recognized. Must be one of: 'levels' 'mults'\nsee: pann advise --help\n")]
    [InlineData("--alphas 3", "error: --alphas: expected A..B or A,B,... from 4 to 14, found '3'\nsee: pann advise --help\n")]
    public void Wrong_usage_ends_with_2(string arguments, string error)
        => Assert.Equal(new Outcome(2, "", error), PannProcess.Run(files.Root, ["advise", .. arguments.Split(' ')]));

    [Fact]
    public void Images_that_cannot_be_divided_end_with_1()
    {
        string one = files.At("one.bin");
        using (FileStream stream = File.Create(one)) RandomNetwork.Sample.Select([0]).Write(stream);
        Assert.Equal(
            new Outcome(1, "", $"error: {one}: expected at least 2 images, one half to choose by and one to judge by, found 1\n"),
            PannProcess.Run(files.Root, "advise", "--model", files.Model, "--data", one));
        string four = files.At("four.bin");
        using (FileStream stream = File.Create(four)) RandomNetwork.Sample.Select([0, 1, 2, 3]).Write(stream);
        Assert.Equal(
            new Outcome(1, "", $"error: --images: expected at most 2, half of those in {four}, found 3\n"),
            PannProcess.Run(files.Root, "advise", "--model", files.Model, "--data", four, "--images", "3"));
    }
}
