using System.Text.Json;
using PannCore.Data;
using PannCore.Diagnostics;
using PannCore.Engine;
using PannCore.Tests.Diagnostics;
using PannCore.Tests.Support;
using Xunit;

namespace PannCore.Tests.Cli;

/// <summary>The verb <c>eval</c> on the official files.</summary>
public sealed class EvalTests(CliFiles files) : IClassFixture<CliFiles>
{
    /// <summary>Ranges are measured on the first images of the first training file, wherever the network is judged: here by the 50,000 training images.</summary>
    [NeedsCifar10Fact]
    public void Ranges_are_calibrated_on_training_images_and_the_split_is_the_one_asked_for()
    {
        const int images = 24;
        string json = files.At("eval-calibrated.json");
        Outcome outcome = PannProcess.Run(files.Root, "eval", "--model", files.Model, "--data", External.Data!, "--split", "train", "--activation", "direct:2", "--ranges", "layer", "--calibrate", $"{images}", "--margin", "1.5", "--json", json);
        Assert.Equal((0, ""), (outcome.Code, outcome.Error));
        using var document = JsonDocument.Parse(File.ReadAllBytes(json));
        JsonElement root = document.RootElement, provenance = root.GetProperty("provenance");
        Assert.Equal((50_000, "24 training images", "1.5"), (root.GetProperty("images").GetInt32(), provenance.GetProperty("ranges measured on").GetString(), provenance.GetProperty("margin").GetString()));
        using var workspace = new Workspace(2);
        Dictionary<string, double> largest = RangeProbe.Calibrate(RandomNetwork.Backbone, Cifar10.ReadBatch(External.Data!, 1), [.. Enumerable.Range(0, images)], Normalization.Cifar10, workspace);
        Assert.Equal(largest.Select(pair => (pair.Key, 1.5 * pair.Value)), root.GetProperty("ranges").EnumerateArray().Select(range => (range.GetProperty("path").GetString()!, range.GetProperty("range").GetDouble())));
    }
}
