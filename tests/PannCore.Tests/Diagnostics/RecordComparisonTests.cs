using PannCore.Diagnostics;
using PannCore.Reports;
using PannCore.Tests.Reports;
using Xunit;

namespace PannCore.Tests.Diagnostics;

public sealed class RecordComparisonTests
{
    private static readonly ErrorSize None = new(0, 0, 0);

    [Fact]
    public void The_operations_whose_injected_error_changes_most_come_first()
    {
        // Over a signal of 2: injected 0.3, 0.4, 0 become 0.5, 0.4, 1.2, as 3-4-5 and 5-12-13 triangles of approximation and arithmetic.
        RunRecord a = Record(Line("one", 0.6, 0), Line("two", 0.8, 0), Line("three", 0, 0)), b = Record(Line("one", 0.8, 0.6), Line("two", 0, 0.8), Line("three", 2.4, 0));
        RecordComparison comparison = RecordComparison.Of(a, b);
        Assert.Equal(["three", "one", "two"], comparison.Operations.Select(change => change.Path));
        // |1.44 - 0| and |0.25 - 0.09| of their sum 1.6.
        Assert.Equal([0.9, 0.1, 0], comparison.Operations.Select(change => Math.Round(change.Share, 12)));
        Assert.Equal(new RelativeError(0.3, 1.5, 2), comparison.Operations[1].A);
        Assert.Equal(0.5, comparison.Operations[1].B.Injected, 1e-12);
    }

    [Fact]
    public void Changed_predictions_are_sorted_by_who_changes_them()
    {
        Flip kept = new(3, 1, 1, 2), lost = new(5, 0, 0, 9), won = new(7, 4, 4, -1);
        RunRecord a = SampleRecord.Create() with { Flips = [kept, lost] }, b = SampleRecord.Create() with { Flips = [kept with { Pann = 8 }, won], PannAccuracy = 70 };
        RecordComparison comparison = RecordComparison.Of(a, b);
        Assert.Equal((1, 2, 2), (comparison.FlipsInBoth, comparison.A.Flips, comparison.B.Flips));
        Assert.Equal([lost], comparison.OnlyA);
        Assert.Equal([won], comparison.OnlyB);
        Assert.Equal((a.Layers.Sum(layer => layer.LogitShare), a.Layers[0].LogitShare), (comparison.A.Margin, comparison.Operations.Single(change => change.Path == a.Layers[0].Path).MarginB));
        Assert.Contains("From A to B: +8.70 points, 1 changed prediction in both, 1 only in A, 1 only in B.", ComparisonReport.Summary(comparison));
        Assert.Equal([["A", "5", "airplane", "airplane", "truck"], ["B", "7", "deer", "deer", "not finite"]], ComparisonReport.Flips(comparison, a.ClassNames).Rows);
    }

    [Fact]
    public void A_record_differs_from_itself_nowhere()
    {
        RecordComparison comparison = RecordComparison.Of(SampleRecord.Create(), SampleRecord.Create());
        Assert.All(comparison.Operations, change => Assert.Equal((0, change.A), (change.Share, change.B)));
        Assert.Equal(SampleRecord.Create().Operations.Select(line => line.Path), comparison.Operations.Select(change => change.Path));
        Assert.Contains("No operation injects another error than before.", ComparisonReport.Summary(comparison));
    }

    [Fact]
    public void What_is_not_finite_comes_first()
    {
        RunRecord a = Record(Line("one", 0.6, 0), Line("two", 0.8, 0)), b = Record(Line("one", 1, 0), Line("two", double.PositiveInfinity, 0));
        RecordComparison comparison = RecordComparison.Of(a, b);
        Assert.Equal(["two", "one"], comparison.Operations.Select(change => change.Path));
        Assert.True(double.IsNaN(comparison.Operations[0].Share));
        Assert.Equal(1, comparison.Operations[1].Share);
        Assert.Contains("In 1 operation one of the errors is not finite or has no image to be measured on, first in two.", ComparisonReport.Summary(comparison));
        Assert.DoesNotContain(ComparisonReport.Summary(RecordComparison.Of(Record(Line("two", double.NaN, 0)), Record(Line("two", double.NaN, 0)))), line => line.StartsWith("No operation", StringComparison.Ordinal));
    }

    [Fact]
    public void The_order_is_that_of_the_shares_not_of_the_differences()
    {
        // Over a signal of 2: 0.8 becomes 1, squares 0.36 apart; 0 becomes 0.5, more, but squares 0.25 apart.
        RecordComparison comparison = RecordComparison.Of(Record(Line("small", 0, 0), Line("large", 1.6, 0)), Record(Line("small", 1, 0), Line("large", 2, 0)));
        Assert.Equal(["large", "small"], comparison.Operations.Select(change => change.Path));
    }

    [Fact]
    public void Other_images_are_refused()
    {
        Refused(SampleRecord.Create() with { Images = 10 }, "compare: expected two inspections of the same images, found 1000 of cifar-10-sample.bin and 10 of cifar-10-sample.bin");
        Refused(SampleRecord.Create() with { Provenance = new Dictionary<string, string> { ["data"] = "test_batch.bin" } }, "compare: expected two inspections of the same images, found 1000 of cifar-10-sample.bin and 1000 of test_batch.bin");
    }

    /// <summary>Of one network against ReLUs and against itself the predictions are the same, and the errors are not: no operation is to blame for that.</summary>
    [Fact]
    public void Other_ideals_are_refused()
        => Refused(SampleRecord.Create() with { Ideal = "self" }, "compare: expected two inspections against the same ideal, found relu and self: their errors are no errors from the same thing; give both the same --ideal");

    [Fact]
    public void Where_the_data_lie_does_not_matter()
        => RecordComparison.Of(SampleRecord.Create(), SampleRecord.Create() with { Provenance = new Dictionary<string, string> { ["data"] = Path.Combine("elsewhere", "cifar-10-sample.bin") } });

    [Fact]
    public void Other_networks_are_refused()
    {
        RunRecord record = SampleRecord.Create();
        Refused(record with { Architecture = "resnet14", Operations = [.. record.Operations.Take(40)] }, "compare: expected two inspections of the same network, found resnet20 with 70 operations and resnet14 with 40");
        Refused(
            record with { Operations = [.. record.Operations.Select((line, i) => i == 4 ? line with { Path = "elsewhere" } : line)] },
            "compare: expected two inspections of the same network, found resnet20 with 70 operations and resnet20 with 70: operation 5 is layer1.0.bn1 in one and elsewhere in the other");
    }

    private static void Refused(RunRecord other, string message) => Assert.Equal(message, Assert.Throws<BadInputException>(() => RecordComparison.Of(SampleRecord.Create(), other)).Message);

    private static RunRecord Record(params OperationRecord[] operations) => SampleRecord.Create() with { Operations = operations, Layers = [] };

    private static OperationRecord Line(string path, double approximation, double arithmetic)
        => new(path, "op", new(4, 4, 0), None with { Rms = approximation }, None with { Rms = arithmetic }, new(3, 3, 0), 2, 0, null, null, null, null, null, 0, null, null, 0, 0);
}
