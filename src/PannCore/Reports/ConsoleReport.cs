using PannCore.Diagnostics;

namespace PannCore.Reports;

/// <summary>A table as plain text, for whoever prints it.</summary>
/// <param name="Title">What it shows, and in which order.</param>
/// <param name="Header">One name per column.</param>
/// <param name="Rows">One text per column in every row.</param>
public sealed record ReportTable(string Title, IReadOnlyList<string> Header, IReadOnlyList<IReadOnlyList<string>> Rows);

/// <summary>
/// A <see cref="RunRecord"/> as lines and tables of plain text. Nothing in them is markup: names come from files, so a printer that
/// gives brackets a meaning must escape them; control characters are replaced already.
/// </summary>
public static class ConsoleReport
{
    /// <summary>The record in a few lines: warnings first, then both accuracies, the cause and the changed predictions.</summary>
    public static IReadOnlyList<string> Summary(RunRecord record)
    {
        ArgumentNullException.ThrowIfNull(record);
        Findings findings = new(record);
        IEnumerable<string> lines = [.. findings.Warnings.Select(w => $"WARNING: {w}"), findings.Setting, .. findings.Variations, .. findings.Causes, findings.FlipsInWords];
        return [.. lines.Select(PlainText.OneLine)];
    }

    /// <summary>
    /// The operations where the network breaks: first those with values that are not finite, in the order of execution (the first is
    /// the root), then by injected error over signal, RMS(approximation and arithmetic) / RMS(ideal output), largest first.
    /// Injected and not total error orders them, because total error grows with depth wherever it came from.
    /// </summary>
    /// <param name="record">The record.</param>
    /// <param name="count">The most rows to give.</param>
    public static ReportTable WorstOperations(RunRecord record, int count)
    {
        ArgumentNullException.ThrowIfNull(record);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        Dictionary<string, double> margins = [];
        foreach (LayerShare layer in record.Layers) margins.TryAdd(layer.Path, layer.LogitShare);

        // OrderBy is stable: equals stay in the order of execution.
        bool anyNonFinite = record.Operations.Any(o => o.NonFinite > 0);
        IEnumerable<string[]> rows = record.Operations
            .OrderBy(o => o.NonFinite == 0)
            .ThenByDescending(o => o.NonFinite > 0 ? 0 : o.RelativeInjected)
            .Take(count)
            .Select(o => (string[])
            [
                Figures.Name(o.Path),
                Figures.Ratio(o.RelativeInjected),
                Figures.Number(o.Bias),
                Figures.Ratio(o.RelativeTotal),
                Figures.Number(o.Gain),
                Figures.Count(o.OutOfRange),
                .. anyNonFinite ? [Figures.Count(o.NonFinite)] : Array.Empty<string>(),
                margins.TryGetValue(o.Path, out double margin) ? Figures.Number(margin) : "–",
            ]);
        return Table(
            "Operations that inject the most error (injected and total: RMS over the signal's; bias: |mean|/RMS of what is injected;\n"
            + "gain: inherited over incoming error; outside: inputs outside [-B, B]; margin: what switching to the polynomial does to the winner's lead)",
            ["operation", "injected", "bias", "total", "gain", "outside", .. anyNonFinite ? ["not finite"] : Array.Empty<string>(), "margin change"],
            rows);
    }

    /// <summary>Changed predictions per class: how many left it and how many ended in it.</summary>
    public static ReportTable Flips(RunRecord record)
    {
        ArgumentNullException.ThrowIfNull(record);
        return Table(
            "Changed predictions by class",
            ["class", "left", "arrived"],
            new FlipSummary(record).Classes.Select(c => (string[])[c.Name, Figures.Count(c.Left), Figures.Count(c.Arrived)]));
    }

    /// <summary>The checks that failed; no rows when all passed.</summary>
    public static ReportTable FailedChecks(RunRecord record)
    {
        ArgumentNullException.ThrowIfNull(record);
        return Table(
            "Failed checks",
            ["check", "detail"],
            record.Checks.Where(c => !c.Passed).Select(c => (string[])[c.Name, c.Detail]));
    }

    private static ReportTable Table(string title, string[] header, IEnumerable<string[]> rows)
        => new(title, header, [.. rows.Select(row => Array.ConvertAll(row, PlainText.OneLine))]);
}
