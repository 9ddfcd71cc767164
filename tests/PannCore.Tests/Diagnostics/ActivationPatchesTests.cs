using PannCore.Approximation;
using PannCore.Diagnostics;
using PannCore.Nn;
using PannCore.Reports;
using PannCore.Tests.Checkpoints;
using Xunit;

namespace PannCore.Tests.Diagnostics;

public sealed class ActivationPatchesTests : IDisposable
{
    private static readonly ActivationSpec Base = ActivationSpec.Parse("composite:alpha=8");

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_star_names_several_and_the_later_patch_holds()
    {
        IReadOnlyDictionary<string, ActivationSpec> patches = Parse("layer3.*=direct:4", "layer3.1.relu2=relu", "relu=composite:7,7,gap=0.1");
        Assert.Equal(
            ["relu composite:7,7,gap=0.1", "layer3.0.relu1 direct:4", "layer3.0.relu2 direct:4", "layer3.1.relu1 direct:4", "layer3.1.relu2 relu", "layer3.2.relu1 direct:4", "layer3.2.relu2 direct:4"],
            patches.Select(patch => $"{patch.Key} {patch.Value}"));
        Assert.Equal(19, Parse("*=square").Count);
        Assert.Equal(9, Parse("layer?.?.relu1=square").Count);
        Assert.Empty(Parse());
    }

    [Fact]
    public void A_patched_activation_keeps_its_range_and_loses_the_shift_of_its_old_polynomial()
    {
        ResNet backbone = RandomNetwork.Make(1);
        foreach (Activation place in backbone.Activations) backbone.Parameters.Get(Activation.ShiftOf(place.Path), new(place.Channels), trainable: false);
        ActivationRanges ranges = ActivationRanges.Parse("layer", [.. backbone.Activations.Select(a => a.Path)], RandomNetwork.Largest, 1.25);
        ResNet pann = backbone.With(Base, ranges), patched = pann.With(Parse("layer2.0.relu1=direct:4", "layer2.0.relu2=relu"), ranges);
        foreach ((Activation before, Activation after) in pann.Activations.Zip(patched.Activations))
        {
            switch (after.Path)
            {
                case "layer2.0.relu1":
                    var polynomial = Assert.IsType<ActivationFunction.Polynomial>(after.Function);
                    Assert.Equal(("direct:4", 1.25 * RandomNetwork.Largest[after.Path]), (polynomial.Approximation.Spec, polynomial.Range));
                    Assert.Null(polynomial.Shift);
                    break;
                case "layer2.0.relu2":
                    Assert.Equal(new ActivationFunction.Relu(), after.Function);
                    break;
                default:
                    Assert.Same(before.Function, after.Function);
                    break;
            }
        }
    }

    [Fact]
    public void A_file_holds_them_alone_or_beside_other_things()
    {
        string[] files =
        [
            $"file:{_folder.With("alone.json", """{"relu": "relu", "layer1.0.*": "direct:4"}"""u8.ToArray())}",
            $"file:{_folder.With("beside.json", """{"loss": 0.5, "patches": {"relu": "relu", "layer1.0.*": "direct:4"}}"""u8.ToArray())}",
        ];
        Assert.All(files, file => Assert.Equal(["relu relu", "layer1.0.relu1 direct:4", "layer1.0.relu2 direct:4"], Parse(file).Select(patch => $"{patch.Key} {patch.Value}")));
    }

    [Fact]
    public void What_an_inspection_record_was_patched_with_can_be_used_again()
    {
        string file = _folder.At("record.json");
        using (FileStream stream = File.Create(file))
            RunRecordJson.Write(stream, Reports.SampleRecord.Create() with { Patches = new Dictionary<string, string> { ["layer3.2.relu2"] = "composite:alpha=10" } });
        Assert.Equal(["layer3.2.relu2 composite:alpha=10"], Parse($"file:{file}").Select(patch => $"{patch.Key} {patch.Value}"));
    }

    [Theory]
    [InlineData("layer1.0.relu3=relu", "patch 'layer1.0.relu3=relu': resnet20 has no activation 'layer1.0.relu3'; near it: layer1.0.relu1, layer1.0.relu2, layer1.1.relu1")]
    [InlineData("layer4.*=relu", "patch 'layer4.*=relu': resnet20 has no activation 'layer4.*'; near it: layer1.0.relu1, layer1.0.relu2, layer1.1.relu1")]
    [InlineData("Relu=relu", "patch 'Relu=relu': resnet20 has no activation 'Relu'; near it: relu")]
    [InlineData("nowhere=relu", "patch 'nowhere=relu': resnet20 has no activation 'nowhere'; it has {paths}")]
    [InlineData("relu", "patch 'relu': expected PATH=SPEC or file:FILE")]
    [InlineData("=relu", "patch '=relu': expected PATH=SPEC or file:FILE")]
    [InlineData("relu=leaky:0.1", "patch 'relu=leaky:0.1': stands for a ReLU with leak 0.1: expected leak 0, as composite:alpha=8 at the other activations")]
    [InlineData("relu=", "patch 'relu=': expected PATH=SPEC or file:FILE")]
    public void What_is_no_patch_is_one_clear_error(string text, string message)
        => Assert.Equal(message.Replace("{paths}", string.Join(", ", RandomNetwork.Backbone.Activations.Select(a => a.Path)), StringComparison.Ordinal), Assert.Throws<BadInputException>(() => Parse(text)).Message);

    [Theory]
    [InlineData("[]", "{file}: at the root: expected an object of path: specification, or one under the name patches, found Array")]
    [InlineData("{\"patches\": 3}", "{file}: at the root: expected an object of path: specification, or one under the name patches, found Number")]
    [InlineData("{\"relu\": 3}", "{file}: at key relu: expected a specification text, found Number")]
    [InlineData("{\"rely\": \"relu\"}", "patch '{file}: rely': resnet20 has no activation 'rely'; near it: relu")]
    [InlineData("{\"relu\": \"\\ud800\"}", "{file}: a text is half of a surrogate pair")]
    [InlineData("relu", "{file}: at line 1: expected JSON, found something else")]
    public void A_file_without_patches_is_one_clear_error(string content, string message)
    {
        string file = _folder.With("bad.json", System.Text.Encoding.UTF8.GetBytes(content));
        Assert.Equal(message.Replace("{file}", file, StringComparison.Ordinal), Assert.Throws<BadInputException>(() => Parse($"file:{file}")).Message);
    }

    private static IReadOnlyDictionary<string, ActivationSpec> Parse(params string[] texts) => ActivationPatches.Parse(texts, RandomNetwork.Backbone, Base);
}
