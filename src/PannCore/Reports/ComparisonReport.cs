using PannCore.Diagnostics;

namespace PannCore.Reports;

/// <summary>A <see cref="RecordComparison"/> as lines and tables of plain text.</summary>
public static class ComparisonReport
{
    private const int Named = 5, MostImages = 20;

    /// <summary>Both accuracies, the changed predictions, and the operations that account for most of the difference.</summary>
    public static IReadOnlyList<string> Summary(RecordComparison comparison)
    {
        ArgumentNullException.ThrowIfNull(comparison);
        (ComparedRecord a, ComparedRecord b) = (comparison.A, comparison.B);
        List<string> lines =
        [
            Line("A", a),
            Line("B", b),
            $"From A to B: {Signed(b.PannAccuracy - a.PannAccuracy)} points, {Figures.Count(comparison.FlipsInBoth, "changed prediction")} in both, {Figures.Count(comparison.OnlyA.Count)} only in A, {Figures.Count(comparison.OnlyB.Count)} only in B.",
        ];
        if (a.IdealAccuracy != b.IdealAccuracy) lines.Add("Their ideal networks differ: each error is measured from its own.");
        OperationChange[] broken = [.. comparison.Operations.Where(change => double.IsNaN(change.Share))];
        OperationChange[] sized = [.. comparison.Operations.Where(change => change.Share > 0).OrderByDescending(change => change.Share).Take(Named)];
        if (broken.Length > 0) lines.Add($"In {Figures.Count(broken.Length, "operation")} one of the errors is not finite or has no image to be measured on, first in {Figures.Name(broken[0].Path)}.");
        if (sized.Length > 0 || broken.Length == 0) lines.Add(sized.Length == 0
            ? "No operation injects another error than before."
            : $"What is injected changes most at {string.Join(", ", sized.Select(change => $"{Figures.Name(change.Path)} ({Figures.Ratio(change.Share)} of the change, {(change.B.Injected > change.A.Injected ? "more" : "less")} in B)"))}.");
        return [.. lines.Select(PlainText.OneLine)];

        static string Line(string name, ComparedRecord record)
            => $"{name}: {record.Title}: {Figures.Accuracy(record.PannAccuracy)} right, {Figures.Accuracy(record.IdealAccuracy)} with ideal activations, {Figures.Count(record.Flips, "changed prediction")}"
                + (record.ExplodedImages > 0 ? $", {Figures.Count(record.ExplodedImages, "exploded image")}" : "")
                + (record.Margin is double margin ? $", margin {Signed(margin)}" : "");
    }

    /// <summary>Operations by the change of what they inject, largest first.</summary>
    /// <param name="comparison">The comparison.</param>
    /// <param name="count">The most rows to give.</param>
    public static ReportTable Operations(RecordComparison comparison, int count)
    {
        ArgumentNullException.ThrowIfNull(comparison);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        return Table(
            "Operations by the change of what they inject (RMS over the signal's, in A → in B; share: of all changes of injected squared error;\n"
            + "margin: what switching to the polynomial does to the winner's lead)",
            ["operation", "injected", "inherited", "total", "share", "margin change"],
            comparison.Operations.Take(count).Select(change => (string[])
            [
                Figures.Name(change.Path), Both(change.A.Injected, change.B.Injected), Both(change.A.Inherited, change.B.Inherited), Both(change.A.Total, change.B.Total),
                Figures.Ratio(change.Share), change.MarginA is null && change.MarginB is null ? "–" : $"{Figures.Number(change.MarginA)} → {Figures.Number(change.MarginB)}",
            ]));

        static string Both(double a, double b) => $"{Figures.Ratio(a)} → {Figures.Ratio(b)}";
    }

    /// <summary>Predictions that only one of the two changes.</summary>
    public static ReportTable Flips(RecordComparison comparison, IReadOnlyList<string> classNames)
    {
        ArgumentNullException.ThrowIfNull(comparison);
        ArgumentNullException.ThrowIfNull(classNames);
        return Table(
            $"Predictions that only one of them changes (the first {MostImages} of each)",
            ["only in", "image", "label", "ideal", "PANN"],
            Rows("A", comparison.OnlyA).Concat(Rows("B", comparison.OnlyB)));

        IEnumerable<string[]> Rows(string name, IReadOnlyList<Flip> flips) => flips.Take(MostImages).Select(flip => (string[])
            [name, $"{flip.Image}", Class(flip.Label), Class(flip.Ideal), flip.Pann < 0 ? "not finite" : Class(flip.Pann)]);
        string Class(int index) => index >= 0 && index < classNames.Count ? Figures.Name(classNames[index]) : $"{index}";
    }

    private static string Signed(double value) => value > 0 ? $"+{Figures.Number(value)}" : Figures.Number(value);

    private static ReportTable Table(string title, string[] header, IEnumerable<string[]> rows) => new(title, header, [.. rows.Select(row => Array.ConvertAll(row, PlainText.OneLine))]);
}
