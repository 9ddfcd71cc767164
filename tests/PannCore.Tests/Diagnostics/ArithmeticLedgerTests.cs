using PannCore.Approximation;
using PannCore.Data;
using PannCore.Diagnostics;
using PannCore.Engine;
using PannCore.Nn;
using PannCore.Reports;
using PannCore.Training;
using Xunit;

namespace PannCore.Tests.Diagnostics;

/// <summary>The error that an arithmetic injects and accumulates, against what its definition allows.</summary>
public sealed class ArithmeticLedgerTests : IDisposable
{
    private static readonly int[] Images = [2, 5];

    private readonly Workspace _workspace = new(2);

    public void Dispose() => _workspace.Dispose();

    [Fact]
    public void Float64_has_no_error_anywhere()
    {
        ArithmeticRecord record = Record("double", RandomNetwork.Pann("direct:4"));
        Assert.Equal(71, record.Operations.Count);
        Assert.All(record.Operations, o => Assert.Equal((new ErrorSize(0, 0, 0), new ErrorSize(0, 0, 0), new ErrorSize(0, 0, 0)), (o.Injected, o.Inherited, o.Accumulated)));
    }

    [Fact]
    public void Each_operation_injects_what_its_rounding_allows()
    {
        const double unit = 1.0 / (1 << 16);
        Dictionary<string, ArithmeticOperation> byPath = Record("fixed:16,64", RandomNetwork.Backbone).Operations.ToDictionary(o => o.Path);

        // Encoding rounds to nearest; what is copied, added or compared has no error of its own.
        Assert.InRange(byPath["input"].Injected.Max, unit / 8, unit / 2);
        Assert.Equal(byPath["input"].Injected, byPath["input"].Accumulated);
        foreach (ArithmeticOperation op in byPath.Values.Where(o => o.Op is "add" or "shortcut" or "relu"))
            Assert.Equal((op.Path, 0.0), (op.Path, op.Injected.Max));

        // A mean of 64 pixels: the factor 1/64 is exact, one truncation downwards, so between -1 and 0 units, -1/2 (less 1/128) in the mean. 128 values deviate by 0.29 / root(128) each: five times that.
        ErrorSize pool = byPath["pool"].Injected;
        Assert.InRange(pool.Max, unit / 4, unit);
        Assert.InRange(pool.Mean, (-0.492 - (5 * 0.026)) * unit, (-0.492 + (5 * 0.026)) * unit);

        // An affine map: |x| times the rounding of the scale, half a unit; one truncation, a unit; the rounding of the shift, half a unit.
        double largest = byPath["conv1"].SignalRms * 16;
        Assert.InRange(byPath["bn1"].Injected.Max, unit / 2, ((0.5 * largest) + 1.5) * unit);
    }

    [Fact]
    public void The_parts_add_up_and_the_errors_shrink_with_the_unit()
    {
        ResNet network = RandomNetwork.Pann("composite:alpha=6");
        ArithmeticRecord coarse = Record("fixed:14,64", network), fine = Record("fixed:24,64", network);
        foreach (ArithmeticOperation op in coarse.Operations.Concat(fine.Operations))
        {
            // Means are linear; each sum of at most 32,768 terms rounds by a millionth of the largest at most.
            Assert.Equal(op.Accumulated.Mean, op.Injected.Mean + op.Inherited.Mean, 1e-6 * (op.Injected.Max + op.Inherited.Max + 1e-300));
            Assert.True(op.Accumulated.Max <= (op.Injected.Max + op.Inherited.Max) * (1 + 1e-9), op.Path);
        }

        // 2^10, within a factor of four: one is the rounding of other numbers than the other.
        Assert.All(
            coarse.Operations.Zip(fine.Operations).Where(pair => pair.First.Injected.Rms > 0),
            pair => Assert.InRange(pair.First.Injected.Rms / pair.Second.Injected.Rms, 256, 4096));
    }

    [Fact]
    public void Measuring_changes_no_answer()
    {
        ResNet network = RandomNetwork.Pann("direct:2");
        ArithmeticModel plain = ArithmeticModel.Of("fixed:12,24", _workspace)!, ledgered = ArithmeticModel.Of("fixed:12,24", _workspace, ledger: true)!;
        Evaluation single = Evaluation.Of(network, RandomNetwork.Sample, Images, Normalization.Cifar10, _workspace, observers: [plain.Observer, ledgered.Observer]);
        ArithmeticRecord first = plain.Record(Labels, single, out Evaluation a), second = ledgered.Record(Labels, single, out Evaluation b);
        Assert.Equal(a.Logits, b.Logits);
        Assert.Equal(first.WrapArounds, second.WrapArounds);
        Assert.Equal((first.Accuracy, first.WrappedImages, first.ChangedPredictions), (second.Accuracy, second.WrappedImages, second.ChangedPredictions));
        Assert.Empty(first.Operations);
        Assert.Null(ArithmeticModel.Of("float32", _workspace));
    }

    [Fact]
    public void An_inspection_carries_the_other_arithmetic_and_nothing_else_changes()
    {
        ResNet network = RandomNetwork.Pann("direct:4");
        InspectionRequest request = new("t", "c", "m", ActivationSpec.Parse("direct:4"), "layer", new Dictionary<string, string>());
        RunRecord without = Inspection.Run(request, network, RandomNetwork.Sample, Images, Normalization.Cifar10, _workspace);
        RunRecord with = Inspection.Run(request, network, RandomNetwork.Sample, Images, Normalization.Cifar10, _workspace, arithmetic: ArithmeticModel.Of("fixed:16,64", _workspace, ledger: true));
        ArithmeticRecord expected = Record("fixed:16,64", network);
        Assert.Null(without.OtherArithmetic);
        Assert.Equal((expected.Accuracy, expected.ChangedPredictions), (with.OtherArithmetic!.Accuracy, with.OtherArithmetic.ChangedPredictions));
        Assert.Equal(expected.Operations, with.OtherArithmetic.Operations);
        Assert.Equal(without.Operations, with.Operations);

        byte[] plain = Json(without), extended = Json(with);
        Assert.Equal(plain, Json(with with { OtherArithmetic = null }));
        Assert.Contains("\"otherArithmetic\": {", System.Text.Encoding.UTF8.GetString(extended), StringComparison.Ordinal);
        Assert.Equal(extended, Json(RunRecordJson.Read(new MemoryStream(extended))));

        static byte[] Json(RunRecord record)
        {
            using var stream = new MemoryStream();
            RunRecordJson.Write(stream, record);
            return stream.ToArray();
        }
    }

    private static byte[] Labels => [.. Images.Select(i => RandomNetwork.Sample.Labels[i])];

    private ArithmeticRecord Record(string arithmetic, ResNet network)
    {
        ArithmeticModel model = ArithmeticModel.Of(arithmetic, _workspace, ledger: true)!;
        Evaluation single = Evaluation.Of(network, RandomNetwork.Sample, Images, Normalization.Cifar10, _workspace, observers: [model.Observer]);
        return model.Record(Labels, single, out _);
    }
}
