using PannCore.Approximation;
using PannCore.Data;
using PannCore.Diagnostics;
using PannCore.Engine;
using PannCore.Nn;
using PannCore.Training;
using Xunit;

namespace PannCore.Tests.Diagnostics;

public sealed class BoundStudyTests : IDisposable
{
    private static readonly int[] Images = [3, 0, 7, 20, 11, 23, 5, 14, 2];

    private readonly Workspace _workspace = new(2, fillWithNaN: true);

    public void Dispose() => _workspace.Dispose();

    /// <summary>A whole network, more images than a batch: finite everywhere, and every figure between the error measured anew and infinity.</summary>
    [Fact]
    public void Every_operation_has_its_error_and_finite_bounds()
    {
        ResNet pann = RandomNetwork.Pann("composite:alpha=7", "layer", 1.3);
        var reports = new List<int>();
        BoundRecord record = BoundStudy.Of(pann, RandomNetwork.Sample, Images, Normalization.Cifar10, _workspace, new Listed(reports));
        Assert.Equal(Images.Length, record.Images);
        Assert.Equal([8, 9], reports);

        ErrorLedger ledger = ErrorLedger.Of(pann, RandomNetwork.Sample, Images, Normalization.Cifar10, _workspace);
        Assert.Equal(ledger.Operations.Select(o => (o.Path, o.Op)), record.Operations.Select(o => (o.Path, o.Op)));
        foreach ((OperationRecord measured, OperationBound bound) in ledger.Operations.Zip(record.Operations))
        {
            Assert.Equal(measured.Total.Max, bound.Measured, 1e-9 * bound.Measured);
            Assert.True(double.IsFinite(bound.Bound) && bound.Bound >= bound.Measured && bound.Looseness >= 1, $"{bound}");
            Assert.True(bound.APriori >= bound.Bound, $"{bound}");
        }

        // Twenty layers of absolute weights: no prediction of a ResNet can be decided, and before any image is seen nothing is known after a few layers.
        Assert.Equal(0, record.DecidedImages);
        Assert.Contains(record.VacuousAt, pann.Activations.Select(a => a.Path));
        int vacuous = record.Operations.ToList().FindIndex(o => o.Path == record.VacuousAt);
        Assert.All(record.Operations.Select((o, i) => (o.APriori, i)), o => Assert.Equal(o.i < vacuous, double.IsFinite(o.APriori)));
        Assert.True(vacuous > 2);
    }

    [Fact]
    public void Images_that_explode_are_left_out_and_change_nothing()
    {
        ResNet pann = RandomNetwork.Pann("composite:alpha=10", "layer", 1);
        var functions = pann.Activations.ToDictionary(a => a.Path, a => (ActivationFunction.Polynomial)a.Function);
        pann = pann.With(path => functions[path] with { Range = 0.8 * functions[path].Range });
        int[] all = [.. Enumerable.Range(0, 12)];
        var probe = new RangeProbe();
        Evaluation evaluation = Evaluation.Of(pann, RandomNetwork.Sample, all, Normalization.Cifar10, _workspace, observers: [probe]);
        int[] sound = [.. all.Where(i => !probe.Exploded.Contains(i) && evaluation.Predictions[i] >= 0)];
        Assert.InRange(sound.Length, 1, all.Length - 1);
        BoundRecord some = BoundStudy.Of(pann, RandomNetwork.Sample, all, Normalization.Cifar10, _workspace), alone = BoundStudy.Of(pann, RandomNetwork.Sample, sound, Normalization.Cifar10, _workspace);
        Assert.Equal(alone.Operations, some.Operations);
        Assert.Equal(sound.Length, some.Images);
    }

    [Fact]
    public void Weights_that_are_no_numbers_leave_no_image_and_no_bound()
    {
        ResNet broken = RandomNetwork.Make(2);
        broken.Parameters.Find("layer1.0.conv1.weight")!.Update(values => values[0] = float.NaN);
        ResNet pann = broken.With(ActivationSpec.Parse("composite:alpha=7"), ActivationRanges.Parse("global:20", [.. broken.Activations.Select(a => a.Path)], null, 1));
        BoundRecord record = BoundStudy.Of(pann, RandomNetwork.Sample, Images[..2], Normalization.Cifar10, _workspace);
        Assert.Equal((0, 0, "layer1.0.relu1"), (record.Images, record.DecidedImages, record.VacuousAt));

        RangeRecord ranges = RangeStudy.Of(pann, RandomNetwork.Sample, Images[..2], Normalization.Cifar10, _workspace)!;
        Assert.Null(ranges.Cliff);
        Assert.All(ranges.Nearest, near => Assert.Equal(("layer1.0.relu1", double.PositiveInfinity), (near.Path, near.Share)));
        Assert.True(double.IsNaN(ranges.Layers.Single(layer => layer.Path == "layer1.0.relu2").Largest));
    }

    [Fact]
    public void No_image_gives_no_figures()
    {
        BoundRecord record = BoundStudy.Of(RandomNetwork.Pann("composite:alpha=7"), RandomNetwork.Sample, [], Normalization.Cifar10, _workspace);
        Assert.Equal((0, 0), (record.Images, record.Operations.Count));
    }

    private sealed class Listed(List<int> reports) : IProgress<int>
    {
        public void Report(int value) => reports.Add(value);
    }
}
