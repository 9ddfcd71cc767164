using PannCore.Data;
using PannCore.Diagnostics;
using PannCore.Engine;
using PannCore.Nn;
using PannCore.Tests.Support;
using PannCore.Training;
using Xunit;

namespace PannCore.Tests.Diagnostics;

/// <summary>What the ledger says of single images, of branches and of whole runs.</summary>
public sealed class LedgerSpreadTests : IDisposable
{
    private readonly Workspace _workspace = new(2, fillWithNaN: true);

    public void Dispose() => _workspace.Dispose();

    [Fact]
    public void The_spread_is_that_of_the_images_alone()
    {
        // Of twelve images one in ten, rounded down to one, exceeds the worst decile.
        int[] images = [.. Enumerable.Range(0, 12).Select(i => 77 * i)];
        // Ranges that all of them keep.
        ResNet pann = RandomNetwork.Pann("composite:alpha=6", margin: 2);
        IReadOnlyList<OperationRecord> together = ErrorLedger.Of(pann, RandomNetwork.Sample, images, Normalization.Cifar10, _workspace).Operations;
        IReadOnlyList<OperationRecord>[] alone = [.. images.Select(image => ErrorLedger.Of(pann, RandomNetwork.Sample, [image], Normalization.Cifar10, _workspace).Operations)];
        for (int i = 0; i < together.Count; i++)
        {
            double signal = Math.Sqrt(alone.Average(a => a[i].IdealRms * a[i].IdealRms));
            double[] errors = [.. alone.Select(a => a[i].Total.Rms / signal)], sorted = [.. errors.Order()];
            ImageSpread spread = together[i].Spread!;

            // The same sums of squares, added in another order.
            Assert.Equal(signal, together[i].IdealRms, 1e-12 * signal);
            Assert.Equal((sorted[5] + sorted[6]) / 2, spread.Median, 1e-12);
            Assert.Equal(sorted[10], spread.WorstDecile, 1e-12);
            Assert.Equal(sorted[11], spread.Worst, 1e-12);
            Assert.Equal(images[Array.IndexOf(errors, errors.Max())], spread.WorstImage);
            Assert.True(spread.Median < spread.WorstDecile && spread.WorstDecile < spread.Worst, together[i].Path);
        }
    }

    [Fact]
    public void Branches_sum_to_what_is_inherited()
    {
        IReadOnlyList<OperationRecord> operations = ErrorLedger.Of(RandomNetwork.Pann("composite:alpha=5"), RandomNetwork.Sample, [1, 2, 3], Normalization.Cifar10, _workspace).Operations;
        OperationRecord[] additions = [.. operations.Where(line => line.Op == "add")];
        Assert.Equal(9, additions.Length);
        foreach (OperationRecord line in additions)
        {
            // Means are linear; sizes obey the triangle inequality. Roundings of sums of terms of this size stay below 1e-12 of them.
            ErrorSize main = line.Branches![0], shortcut = line.Branches[1];
            double rounding = 1e-12 * (main.Max + shortcut.Max);
            Assert.Equal(line.Inherited.Mean, main.Mean + shortcut.Mean, rounding);
            Assert.InRange(line.Inherited.Rms, Math.Abs(main.Rms - shortcut.Rms) - rounding, main.Rms + shortcut.Rms + rounding);
            Assert.InRange(line.Inherited.Max, 0, main.Max + shortcut.Max + rounding);

            // Main first: what arrives there is the total error of the batch-norm before it, and on the shortcut that of an earlier operation.
            string block = line.Path[..^".add".Length];
            Assert.Equal(operations.Single(other => other.Path == $"{block}.bn2").Total, main);
            string[] order = [.. operations.Select(other => other.Path)];
            int before = Array.IndexOf(order, $"{block}.shortcut");
            Assert.Equal(operations[before >= 0 ? before : Array.IndexOf(order, $"{block}.conv1") - 1].Total, shortcut);
        }
    }

    [Fact]
    public void What_accumulates_is_the_difference_of_whole_runs_and_sums_to_the_total()
    {
        IReadOnlyList<OperationRecord> operations = ErrorLedger.Of(RandomNetwork.Pann("composite:alpha=5"), RandomNetwork.Sample, [1, 2, 3], Normalization.Cifar10, _workspace).Operations;
        foreach (OperationRecord line in operations)
        {
            AccumulatedError parts = line.Accumulated!;
            double rounding = 1e-12 * line.Total.Max;
            Assert.Equal(line.Total.Mean, parts.Approximation.Mean + parts.Arithmetic.Mean, rounding);
            Assert.InRange(Math.Abs(line.Total.Max - parts.Approximation.Max), 0, parts.Arithmetic.Max + rounding);
            Assert.InRange(Math.Abs(line.Total.Rms - parts.Approximation.Rms), 0, parts.Arithmetic.Rms + rounding);
        }
        // Approximation accumulates; what one operation injects is another number.
        Assert.All(operations.Where(line => line.Op == "conv2d" && line.Path != "conv1"), line => Assert.True(line.Approximation.Rms == 0 && line.Accumulated!.Approximation.Rms > 0, line.Path));
    }

    [Fact]
    public void Without_polynomials_nothing_accumulates_but_rounding()
    {
        IReadOnlyList<OperationRecord> operations = ErrorLedger.Of(RandomNetwork.Backbone, RandomNetwork.Sample, [1, 2], Normalization.Cifar10, _workspace).Operations;
        Assert.All(operations, line =>
        {
            Assert.Equal(new ErrorSize(0, 0, 0), line.Accumulated!.Approximation);
            Assert.Equal(line.Total, line.Accumulated.Arithmetic);
        });
    }

    [Fact]
    public void As_an_observer_of_an_evaluation_it_says_the_same()
    {
        ResNet pann = RandomNetwork.Pann("composite:alpha=7");
        var observer = new ErrorLedger(_workspace);
        Evaluation.Of(pann, RandomNetwork.Sample, [0, 1, 2, 3, 4], Normalization.Cifar10, _workspace, batch: 2, observers: [observer]);
        Assert.Equal(ErrorLedger.Of(pann, RandomNetwork.Sample, [0, 1, 2, 3, 4], Normalization.Cifar10, _workspace).Operations, observer.Operations);
        Assert.Equal([0, 1, 2, 3, 4], observer.Images);
    }

    [Fact]
    public void What_stays_of_an_image_is_eight_bytes_an_operation()
    {
        long few = Bytes(8), many = Bytes(72);
        const int operations = 70;
        // And its number.
        Assert.InRange(many - few, 0, 64 * ((8 * operations) + sizeof(int)));

        long Bytes(int images) => ObjectSize.Of(ErrorLedger.Of(RandomNetwork.Backbone, RandomNetwork.Sample, [.. Enumerable.Range(0, images)], Normalization.Cifar10, _workspace), typeof(Workspace), typeof(IdealNetwork));
    }
}
