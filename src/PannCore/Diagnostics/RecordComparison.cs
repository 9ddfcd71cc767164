namespace PannCore.Diagnostics;

/// <summary>One of two inspections that are compared.</summary>
/// <param name="Title">What was inspected.</param>
/// <param name="IdealAccuracy">Percent right, ideal network.</param>
/// <param name="PannAccuracy">Percent right, PANN.</param>
/// <param name="Flips">Predictions other than the ideal network's.</param>
/// <param name="ExplodedImages">Images in which a polynomial answered beyond twice its range.</param>
/// <param name="Margin">Mean change of the predicted class's margin from ideal network to PANN: the sum of its layers' shares; null where they were not measured.</param>
public sealed record ComparedRecord(string Title, double IdealAccuracy, double PannAccuracy, int Flips, int ExplodedImages, double? Margin);

/// <summary>One operation in both inspections.</summary>
/// <param name="Path">The operation.</param>
/// <param name="A">Its errors in the first.</param>
/// <param name="B">Its errors in the second.</param>
/// <param name="Share">Its part, 0 to 1, in all that changed: |B^2 - A^2| of the injected shares over the sum of these over all operations. NaN where the change is not finite.</param>
/// <param name="MarginA">Mean change of the margin by switching this activation, in the first; null for other operations.</param>
/// <param name="MarginB">The same in the second.</param>
public sealed record OperationChange(string Path, RelativeError A, RelativeError B, double Share, double? MarginA, double? MarginB);

/// <summary>Two inspections of the same images by networks of the same operations: where their difference comes from.</summary>
/// <param name="Images">Images of both.</param>
/// <param name="A">The first.</param>
/// <param name="B">The second.</param>
/// <param name="Operations">Every operation, the largest change of what is injected first.</param>
/// <param name="FlipsInBoth">Images whose prediction both change.</param>
/// <param name="OnlyA">Changed predictions of the first that the second leaves.</param>
/// <param name="OnlyB">Changed predictions of the second that the first leaves.</param>
public sealed record RecordComparison(
    int Images, ComparedRecord A, ComparedRecord B, IReadOnlyList<OperationChange> Operations, int FlipsInBoth, IReadOnlyList<Flip> OnlyA, IReadOnlyList<Flip> OnlyB)
{
    private const string Data = "data";

    /// <summary>Compares two inspections. Their weights may differ, as before and after a repair.</summary>
    /// <exception cref="BadInputException">They are of other images, against other ideals, or of networks with other operations.</exception>
    public static RecordComparison Of(RunRecord a, RunRecord b)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        string dataA = a.Provenance.GetValueOrDefault(Data, "unknown data"), dataB = b.Provenance.GetValueOrDefault(Data, "unknown data");
        if (a.Images != b.Images || Path.GetFileName(dataA) != Path.GetFileName(dataB))
            throw new BadInputException($"compare: expected two inspections of the same images, found {a.Images} of {dataA} and {b.Images} of {dataB}");
        if (a.Ideal != b.Ideal)
            throw new BadInputException($"compare: expected two inspections against the same ideal, found {a.Ideal} and {b.Ideal}: their errors are no errors from the same thing; give both the same --ideal");
        CheckOperations(a, b);

        Dictionary<string, double> marginsA = Margins(a), marginsB = Margins(b);
        (OperationRecord Line, RelativeError A, RelativeError B)[] pairs = [.. a.Operations.Zip(b.Operations, (x, y) => (x, RelativeError.Of(x), RelativeError.Of(y)))];
        double[] squares = [.. pairs.Select(p => Math.Abs((p.B.Injected * p.B.Injected) - (p.A.Injected * p.A.Injected)))];
        double all = squares.Where(double.IsFinite).Sum();

        // OrderBy is stable: equals stay in the order of execution. What is not finite is the largest change of all.
        IEnumerable<OperationChange> changes = pairs
            .Select((p, i) => new OperationChange(
                p.Line.Path, p.A, p.B, !double.IsFinite(squares[i]) ? double.NaN : all == 0 ? 0 : squares[i] / all,
                marginsA.TryGetValue(p.Line.Path, out double marginA) ? marginA : null, marginsB.TryGetValue(p.Line.Path, out double marginB) ? marginB : null))
            .OrderByDescending(change => double.IsNaN(change.Share) ? double.PositiveInfinity : change.Share);

        HashSet<int> flippedA = [.. a.Flips.Select(flip => flip.Image)], flippedB = [.. b.Flips.Select(flip => flip.Image)];
        return new(
            a.Images, Compared(a), Compared(b), [.. changes], flippedA.Count(flippedB.Contains),
            [.. a.Flips.Where(flip => !flippedB.Contains(flip.Image))], [.. b.Flips.Where(flip => !flippedA.Contains(flip.Image))]);
    }

    private static void CheckOperations(RunRecord a, RunRecord b)
    {
        string found = $"found {a.Architecture} with {a.Operations.Count} operations and {b.Architecture} with {b.Operations.Count}";
        for (int i = 0; i < Math.Min(a.Operations.Count, b.Operations.Count); i++)
        {
            if (a.Operations[i].Path != b.Operations[i].Path)
                throw new BadInputException($"compare: expected two inspections of the same network, {found}: operation {i + 1} is {a.Operations[i].Path} in one and {b.Operations[i].Path} in the other");
        }
        if (a.Operations.Count != b.Operations.Count) throw new BadInputException($"compare: expected two inspections of the same network, {found}");
    }

    // A doctored record may name an activation twice.
    private static Dictionary<string, double> Margins(RunRecord record) => record.Layers.DistinctBy(layer => layer.Path).ToDictionary(layer => layer.Path, layer => layer.LogitShare);

    private static ComparedRecord Compared(RunRecord record)
        => new(record.Title, record.IdealAccuracy, record.PannAccuracy, record.Flips.Count, record.ExplodedImages, record.Layers.Count == 0 ? null : record.Layers.Sum(layer => layer.LogitShare));
}
