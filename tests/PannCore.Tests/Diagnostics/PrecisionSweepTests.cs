using System.Globalization;
using PannCore.Approximation;
using PannCore.Data;
using PannCore.Diagnostics;
using PannCore.Engine;
using PannCore.Nn;
using PannCore.Training;
using Xunit;

namespace PannCore.Tests.Diagnostics;

public sealed class PrecisionSweepTests : IDisposable
{
    private static readonly int[] Images = [4, 40, 400, 444, 500, 800];

    private static readonly HashSet<string> Nothing = [];

    private readonly Workspace _workspace = new(2, fillWithNaN: true);

    public void Dispose() => _workspace.Dispose();

    [Theory]
    [InlineData("composite:alpha=6", "composite:alpha=4 composite:alpha=5 composite:alpha=6 composite:alpha=7 composite:alpha=8 composite:alpha=9 composite:alpha=10 composite:alpha=11 composite:alpha=12 composite:alpha=13 composite:alpha=14")]
    [InlineData("direct:8", "direct:2 direct:4 direct:8 direct:16 direct:32 direct:64")]
    // A degree between its neighbours has an error between theirs: degree x error is nearly constant.
    [InlineData("direct:6,leak=0.1", "direct:2,leak=0.1 direct:4,leak=0.1 direct:6,leak=0.1 direct:8,leak=0.1 direct:16,leak=0.1 direct:32,leak=0.1 direct:64,leak=0.1")]
    [InlineData("direct:16,unbiased=16", "direct:2,unbiased=16 direct:4,unbiased=16 direct:8,unbiased=16 direct:16,unbiased=16 direct:32,unbiased=16 direct:64,unbiased=16")]
    [InlineData("direct:4,zero", "direct:2,zero direct:4,zero direct:8,zero direct:16,zero direct:32,zero direct:64,zero")]
    [InlineData("relu", "")]
    public void The_family_goes_from_coarse_to_fine_and_has_the_polynomial_asked_for(string spec, string family)
        => Assert.Equal(family, string.Join(' ', PrecisionSweep.Family(ActivationSpec.Parse(spec))));

    [Fact]
    public void A_leak_reads_the_same_whatever_the_culture()
    {
        CultureInfo before = CultureInfo.CurrentCulture;
        try
        {
            CultureInfo.CurrentCulture = new CultureInfo("de-DE");
            Assert.Equal("composite:alpha=4,leak=0.1", PrecisionSweep.Alphas(4, 4, 0.1).Single().ToString());
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    [Fact]
    public void Each_step_is_what_a_network_of_its_own_would_give()
    {
        ActivationSpec[] specs = [.. new[] { "composite:alpha=4", "composite:alpha=7" }.Select(ActivationSpec.Parse)];
        SweepRecord sweep = PrecisionSweep.Of(RandomNetwork.Pann("composite:alpha=9", margin: 1.5), specs, Nothing, RandomNetwork.Sample, Images, 2, Normalization.Cifar10, _workspace);

        Assert.Equal((6, 2, 2), (sweep.Images, sweep.LedgerImages, sweep.Steps.Count));
        Assert.Equal(3, PrecisionSweep.Of(RandomNetwork.Pann("composite:alpha=9", margin: 1.5), specs[..1], Nothing, RandomNetwork.Sample, Images[..3], 16, Normalization.Cifar10, _workspace).LedgerImages);
        int[] ideal = Evaluation.Of(RandomNetwork.Backbone, RandomNetwork.Sample, Images, Normalization.Cifar10, _workspace).Predictions;
        foreach ((SweepStep step, ActivationSpec spec) in sweep.Steps.Zip(specs))
        {
            ResNet pann = RandomNetwork.Pann(spec.ToString(), margin: 1.5);
            Evaluation expected = Evaluation.Of(pann, RandomNetwork.Sample, Images, Normalization.Cifar10, _workspace);
            Assert.Equal((spec.ToString(), Math.Log2(spec.Build().MaxError), expected.Accuracy, 0), (step.Activation, step.Log2MaxError, step.Accuracy, step.ExplodedImages));
            Assert.Equal(ideal.Zip(expected.Predictions).Count(pair => pair.First != pair.Second), step.Changed);
            IReadOnlyList<OperationRecord> lines = ErrorLedger.Of(pann, RandomNetwork.Sample, Images[..2], Normalization.Cifar10, _workspace).Operations;
            Assert.Equal(lines.Select(line => (line.Path, line.Inherited.Rms / line.IdealRms, line.Total.Rms / line.IdealRms)), step.Operations.Select(line => (line.Path, line.Inherited, line.Total)));
            Assert.All(step.Operations.Zip(lines), pair =>
                Assert.Equal(Math.Sqrt((pair.Second.Approximation.Rms * pair.Second.Approximation.Rms) + (pair.Second.Arithmetic.Rms * pair.Second.Arithmetic.Rms)) / pair.Second.IdealRms, pair.First.Injected, 1e-12));
        }
        // Known levels of {5} and {7,7}: 3 and 3 + 3, and one for the product with x.
        Assert.Equal([4, 7], sweep.Steps.Select(step => step.Levels));
    }

    [Fact]
    public void Patched_activations_stay_as_they_are()
    {
        ResNet pann = RandomNetwork.Pann("composite:alpha=9").With(new Dictionary<string, ActivationSpec> { ["relu"] = ActivationSpec.Parse("relu") }, null);
        SweepStep step = PrecisionSweep.Of(pann, [ActivationSpec.Parse("composite:alpha=4")], new HashSet<string> { "relu", "layer1.0.relu1" }, RandomNetwork.Sample, Images, 1, Normalization.Cifar10, _workspace).Steps[0];
        SweepOperation At(string path) => step.Operations.Single(line => line.Path == path);
        // ReLU rounds nothing; alpha 9 on one activation errs by at most 2^-9 B; alpha 4 by far more than that at the next one.
        Assert.Equal(0, At("relu").Injected);
        Assert.True(At("layer1.0.relu1").Injected < At("layer1.0.relu2").Injected / 8, $"{At("layer1.0.relu1").Injected} against {At("layer1.0.relu2").Injected}");
    }

    [Fact]
    public void Where_every_image_explodes_operations_have_no_error_but_what_left_its_range_is_counted()
    {
        ActivationSpec[] specs = [.. new[] { "composite:alpha=4", "composite:alpha=12" }.Select(ActivationSpec.Parse)];
        ResNet narrow = RandomNetwork.Pann("composite:alpha=9", "global:0.5");
        SweepRecord sweep = PrecisionSweep.Of(narrow, specs, Nothing, RandomNetwork.Sample, Images, 3, Normalization.Cifar10, _workspace);
        SweepStep all = sweep.Steps[1];
        Assert.Equal(6, all.ExplodedImages);
        Assert.NotEmpty(all.Operations);
        Assert.All(all.Operations, line => Assert.True(double.IsNaN(line.Injected) && double.IsNaN(line.Inherited) && double.IsNaN(line.Total), line.Path));
        Assert.True(all.Operations.Single(line => line.Path == "relu").OutOfRange > 0);
        Assert.Equal(sweep.Steps[0].Operations.Select(line => line.Path).Count(path => path == "relu"), all.Operations.Count(line => line.Path == "relu"));
    }

    [Fact]
    public void Without_a_ledger_there_are_no_operations()
        => Assert.Empty(PrecisionSweep.Of(RandomNetwork.Pann("direct:4"), [ActivationSpec.Parse("direct:2")], Nothing, RandomNetwork.Sample, Images, 0, Normalization.Cifar10, _workspace).Steps[0].Operations);

    [Fact]
    public void An_inspection_has_it_as_a_study_and_a_repaired_network_has_not()
    {
        var request = new InspectionRequest("t", "c", "m", ActivationSpec.Parse("direct:4"), "layer", new Dictionary<string, string>());
        var parts = new List<(string, int)>();
        RunRecord Run(ResNet pann) => Inspection.Run(request, pann, RandomNetwork.Sample, Images, Normalization.Cifar10, _workspace, (part, units) =>
        {
            parts.Add((part, units));
            return null;
        }, studies: InspectionStudy.All);
        SweepRecord sweep = Run(RandomNetwork.Pann("direct:4")).Sweep!;
        Assert.Equal(["direct:2", "direct:4", "direct:8", "direct:16", "direct:32", "direct:64"], sweep.Steps.Select(step => step.Activation));
        Assert.Contains(("other precisions", 6), parts);

        ResNet backbone = RandomNetwork.Make(1);
        foreach (Activation place in backbone.Activations) backbone.Parameters.Get(Activation.ShiftOf(place.Path), new(place.Channels), trainable: false);
        ResNet repaired = backbone.With(request.Activation, ActivationRanges.Parse("global:9", [.. backbone.Activations.Select(a => a.Path)], null, 1));
        Assert.Null(Run(repaired).Sweep);
    }
}
