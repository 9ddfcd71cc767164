using PannCore.Approximation;
using PannCore.Checkpoints;
using PannCore.Data;
using PannCore.Diagnostics;
using PannCore.Engine;
using PannCore.Nn;
using PannCore.Tests.Cli;
using PannCore.Tests.Support;
using Xunit;

namespace PannCore.Tests.Diagnostics;

/// <summary>The calls of one line do what the long ones do.</summary>
public sealed class PannModelTests(CliFiles files) : IClassFixture<CliFiles>
{
    [Fact]
    public void The_ledger_in_one_call()
    {
        using var workspace = new Workspace(1);
        ErrorLedger expected = ErrorLedger.Of(RandomNetwork.Pann("composite:alpha=6", margin: 1.25), RandomNetwork.Sample, [0, 1, 2], Normalization.Cifar10, workspace);
        ErrorLedger ledger = ErrorLedger.Run(PannModel.Load(files.Model), RandomNetwork.Sample, "composite:alpha=6", ranges: "layer", count: 3, margin: 1.25);
        Content.Same(expected.Operations, ledger.Operations);
        Content.Same(expected.Checks, ledger.Checks);
    }

    [Fact]
    public void Images_that_explode_are_left_out_of_the_ledger()
    {
        // Alpha 12 beyond its range: every image explodes, and no line has an error that could be measured.
        ErrorLedger ledger = ErrorLedger.Run(PannModel.Load(files.Model), RandomNetwork.Sample, "composite:alpha=12", ranges: "global:0.5", count: 2);
        Assert.Equal([0, 1], ledger.LeftOut);
        Assert.All(ledger.Operations, line => Assert.True(double.IsNaN(line.Total.Rms), line.Path));
    }

    [Fact]
    public void An_inspection_in_one_call_with_a_patch()
    {
        var patches = new Dictionary<string, ActivationSpec> { ["layer3.2.relu2"] = ActivationSpec.Parse("relu") };
        ResNet pann = RandomNetwork.Pann("square").With(patches, null);
        PannModel model = PannModel.Load(files.Model);
        RunRecord record = model.Inspect(RandomNetwork.Sample, "square", count: 5, patches: ["layer3.2.relu2=relu"], studies: []);

        using var workspace = new Workspace(1);
        var request = new InspectionRequest(record.Title, "", "model.safetensors", ActivationSpec.Parse("square"), "layer", record.Provenance) { Patches = patches };
        Content.Same(Inspection.Run(request, pann, RandomNetwork.Sample, [0, 1, 2, 3, 4], Normalization.Cifar10, workspace), record);
        Assert.Equal("model.safetensors with square, 1 of its activations patched, ranges layer, 5 images", record.Title);
        Assert.Equal([new("layer3.2.relu2", "relu")], record.Patches);
        Assert.Equal(0, record.Layers[^1].LogitRms);
        // The curve and the certified error are those of the other activations.
        Assert.Equal(Math.Log2(request.Activation.Build().MaxError), record.Log2MaxError);

        // Each changed prediction has its picture, as the data set stores it.
        Assert.NotEmpty(record.Flips);
        Assert.Equal(record.Flips.Select(flip => flip.Image), record.Pictures.Keys);
        Assert.All(record.Pictures, picture => Assert.True(picture.Value.Span.SequenceEqual(RandomNetwork.Sample.Image(picture.Key))));
    }

    /// <summary>With ReLU its weights make no network: nothing is compared with that, whichever activation is patched.</summary>
    [Fact]
    public void A_network_made_for_its_polynomials_is_compared_with_itself()
    {
        string file = files.At("made-for.safetensors");
        ModelFile.Save(
            file, RandomNetwork.Backbone, new("resnet20", Normalization.Cifar10, ActivationSpec.Parse("relu"), null, 0, new Dictionary<string, string>(), new(ActivationSpec.Parse("direct:4"), RandomNetwork.Largest, StandsForItself: true)));
        PannModel model = PannModel.Load(file);
        ResNet[] networks = [model.Convert("direct:4", "stored"), model.Convert("direct:4", "stored", 1, "relu=relu"), model.Convert("relu")];
        Assert.Equal(["self", "self", "relu"], networks.Select(network => model.Ideal(network).Text));
    }

    [Fact]
    public void A_polynomial_at_one_activation_of_a_relu_network()
    {
        ResNet pann = PannModel.Load(files.Model).Convert("relu", "layer", 1.5, "relu=direct:4");
        var polynomial = Assert.IsType<ActivationFunction.Polynomial>(pann.Activations[0].Function);
        Assert.Equal(1.5 * RandomNetwork.Largest["relu"], polynomial.Range);
        Assert.All(pann.Activations.Skip(1), activation => Assert.Equal(new ActivationFunction.Relu(), activation.Function));
    }

    [Fact]
    public void No_more_than_sixty_pictures()
    {
        RunRecord record = PannModel.Load(files.Model).Inspect(RandomNetwork.Sample, "square", count: 100, studies: []);
        Assert.True(record.Flips.Count > 60, $"{record.Flips.Count} flips");
        Assert.Equal(record.Flips.Take(60).Select(flip => flip.Image), record.Pictures.Keys);
    }
}
