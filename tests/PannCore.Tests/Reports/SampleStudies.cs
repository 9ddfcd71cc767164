using PannCore.Diagnostics;

namespace PannCore.Tests.Reports;

/// <summary>
/// The studies that an inspection may add to a record, for every one of <see cref="SampleRecord"/>'s operations. Like the record's own, their figures come from formulas and
/// only have to be of the right kind and size.
/// </summary>
internal static class SampleStudies
{
    private static readonly int[] Alphas = [4, 5, 6, 7, 8, 9, 10, 11, 12];

    /// <summary>The record with everything that a report can show.</summary>
    public static RunRecord AddedTo(RunRecord record)
    {
        OperationRecord[] activations = [.. record.Operations.Where(o => o.Range is not null)];
        CauseRecord causes = Causes(record, activations);
        return record with
        {
            Operations = [.. record.Operations.Select(Widened)],
            Flips = [.. record.Flips.Select((f, i) => f with { FlippedAt = activations[(7 * i + 3) % activations.Length].Path })],
            Patches = new Dictionary<string, string> { ["layer1.0.relu1"] = "composite:alpha=12" },
            Causes = causes,
            Inside = [.. activations.Select(Inside)],
            Ranging = Ranging(activations),
            Bounds = Bounds(record),
            Sweep = new SweepRecord(500, [.. Alphas.Select(alpha => Step(record, alpha))]),
            Pictures = record.Flips.Take(24).Select(f => f.Image).Append(1).Append(412).Distinct().ToDictionary(i => i, Picture),
            OtherArithmetic = Arithmetic(record),
        };
    }

    private static OperationRecord Widened(OperationRecord o, int i) => o with
    {
        Cosine = Math.Cos(Math.Min(1.2, o.Total.Rms / o.IdealRms)),
        RelativeGain = o.Gain * (0.9 + 0.2 * Math.Cos(i)),
        Accumulated = new AccumulatedError(Times(o.Total, 0.999), Times(o.Arithmetic, 40)),
        Branches = o.Op == "add" ? [Times(o.Inherited, 0.8), Times(o.Inherited, 0.45)] : null,
        Spread = new ImageSpread(0.93 * o.Total.Rms / o.IdealRms, 1.4 * o.Total.Rms / o.IdealRms, 2.2 * o.Total.Rms / o.IdealRms, 412),
    };

    private static ErrorSize Times(ErrorSize size, double factor) => new(factor * size.Max, factor * size.Rms, factor * size.Mean);

    private static CauseRecord Causes(RunRecord record, OperationRecord[] activations)
    {
        LayerCause[] layers = [.. activations.Select((o, i) =>
        {
            double share = record.Layers[i].LogitShare, logits = record.Layers[i].LogitRms;
            SwitchShare Share(double factor, double accuracy) => new(factor * share, Math.Abs(factor) * logits, accuracy);
            double[] factors = [1, 1.4 - 0.02 * i, 0.55 + 0.02 * i, 1.7];
            return new LayerCause(
                o.Path, Share(factors[0], record.Layers[i].Accuracy), Share(factors[1], 61.3 + 1.6 * i), Share(factors[2], 92.1 - 0.1 * i), Share(factors[3], 61.3 + 0.4 * i),
                Math.Abs(share) * (factors.Max() - factors.Min()), share * (0.5 + 0.02 * i), (5 * i) % 14);
        })];
        return new CauseRecord(record.Images, layers.Sum(l => l.Forward.Margin), 3.1e-12, 2.8e-12, layers)
        {
            FlippedAt = record.Flips.Select((f, i) => (f.Image, activations[(7 * i + 3) % activations.Length].Path)).ToDictionary(),
        };
    }

    private static InsideRecord Inside(OperationRecord activation, int index)
    {
        double range = activation.Range!.Value, typical = 0.02 + 0.004 * index;
        double[] positive = [.. Enumerable.Range(0, 31).Select(i => Math.Pow(10, -3 + i / 10.0))];
        double[] edges = [.. positive.Reverse().Select(v => -v), 0, .. positive];
        long[] counts = [.. edges.Zip(edges.Skip(1)).Select(bin => (long)(4e6 * (bin.Second - bin.First) / typical * Math.Exp(-0.5 * Math.Pow((bin.First + bin.Second) / (2 * typical), 2))))];
        double Ripple(double x) => -double.Exp2(-8.04) * (0.35 + 0.65 * Math.Cos(14 * Math.Asinh(40 * x)) * Math.Min(1, Math.Abs(x) * 60)) * Math.Min(1, Math.Abs(x) * 200);
        CurvePoint[] curve = [.. Enumerable.Range(-600, 1201).Select(i => Math.Sinh(i / 600.0 * Math.Asinh(1000)) / 1000).Select(x => new CurvePoint(x, Ripple(x)))];
        int channels = index < 7 ? 16 : index < 13 ? 32 : 64;
        return new InsideRecord(
            activation.Path, index == 1 ? "composite:alpha=12" : "composite:alpha=8", range, edges, counts, index == 18 ? 2 : 0, index == 18 ? 3 : 0,
            [.. edges.Zip(edges.Skip(1)).Select(bin => Ripple((bin.First + bin.Second) / 2))], curve,
            [
                new StageError(1, 15, 1, 0.62, 0.981, 0.44 + 0.01 * index),
                new StageError(2, 15, 0.62, 0.031, 0.92, 0.08 + 0.01 * index),
            ],
            [.. Enumerable.Range(0, channels).Select(c => new ChannelError(activation.Approximation.Mean * (1 + 0.6 * Math.Sin(2.1 * c + index)), activation.Approximation.Rms * (0.4 + 0.2 * Math.Cos(c))))],
            0.61 + 0.01 * index);
    }

    private static RangeRecord Ranging(OperationRecord[] activations)
    {
        LayerRange[] layers = [.. activations.Select((o, i) => new LayerRange(o.Path, o.Range!.Value, o.LargestInput!.Value, 412, o.OutOfRange, o.OutOfRange > 0 ? 2 : 0, o.OutOfRange > 0 ? 1 : 0))];
        NearImage[] nearest = [.. Enumerable.Range(0, 10).Select(i => new NearImage(i == 0 ? 412 : 3 * i + 1, activations[18 - i % 3].Path, 1.013 - 0.06 * i))];
        RangeFactor[] steps = [.. Enumerable.Range(0, 12).Select(i => new RangeFactor(1.4 - 0.1 * i, i < 4 ? 0 : 2 << i, i < 6 ? 0 : 1 << i, i < 7 ? 61.3 + 2.2 * i : 76 - 11 * (i - 6)))];
        return new RangeRecord(
            layers, nearest, new Cliff(1.0136, activations[18].Path, 412, 1.0129, activations[18].Path, 412, steps),
            [
                new StressImage("black", 0.31, activations[2].Path, false) { Pixels = new byte[3072] }, new StressImage("white", 0.42, activations[2].Path, false),
                new StressImage("checkerboard", 1.31, activations[4].Path, true), new StressImage("noise", 0.77, activations[18].Path, false),
            ],
            new RangeSearch(412, 40, 1.0136, 2.61, activations[17].Path, true));
    }

    private static BoundRecord Bounds(RunRecord record)
        => new(record.Images, [.. record.Operations.Select((o, i) => new OperationBound(
            o.Path, o.Op, o.Total.Max, (o.Total.Max + 1e-7) * Math.Pow(1.28, i), Math.Pow(1.28, i) * 1.2, i > 55 ? double.PositiveInfinity : (o.Total.Max + 1e-7) * Math.Pow(2.9, i)))], "layer1.2.relu1", 37);

    private static SweepStep Step(RunRecord record, int alpha)
    {
        double factor = Math.Pow(2, 8 - alpha), drop = Math.Min(80, 30.8 * Math.Pow(factor, 0.8));
        return new SweepStep(
            $"composite:alpha={alpha}", -alpha - 0.04, 4 + alpha / 2, Math.Round(92.1 - drop, 1), (int)(5.6 * drop), alpha < 6 ? 40 - 6 * alpha : 0,
            [.. record.Operations.Select(o => new SweepOperation(
                o.Path, factor * o.Approximation.Rms / o.IdealRms, Math.Min(30, factor * o.Inherited.Rms / o.IdealRms), Math.Min(30, factor * o.Total.Rms / o.IdealRms), alpha < 6 ? o.OutOfRange : 0))]);
    }

    private static ArithmeticRecord Arithmetic(RunRecord record)
        => new(
            "fixed:12,32", 60.9, 61.3, 14, 1, [new WrapAround("layer3.2.relu2", "activation", 3, 1)],
            [.. record.Operations.Select((o, i) => new ArithmeticOperation(
                o.Path, o.Op, Times(o.Arithmetic, 9e3), Times(o.Arithmetic, 9e3 * Math.Sqrt(i + 1.0)), Times(o.Arithmetic, 9e3 * Math.Sqrt(i + 2.0)), o.IdealRms))]);

    /// <summary>A disc before a sky, its colours and place by index.</summary>
    private static ReadOnlyMemory<byte> Picture(int index)
    {
        byte[] pixels = new byte[3072];
        double cx = 10 + index * 7 % 13, cy = 10 + index * 5 % 13, radius = 5 + index % 6;
        for (int p = 0; p < 1024; p++)
        {
            bool disc = double.Hypot(p % 32 - cx, p / 32 - cy) < radius;
            for (int c = 0; c < 3; c++) pixels[1024 * c + p] = (byte)(disc ? 40 + (index * 53 * (c + 1)) % 180 : 90 + 4 * (p / 32) + (index * 31 * (c + 2)) % 40);
        }

        return pixels;
    }
}
