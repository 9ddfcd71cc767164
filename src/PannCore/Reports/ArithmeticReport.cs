using PannCore.Diagnostics;

namespace PannCore.Reports;

/// <summary>An <see cref="ArithmeticRecord"/> as a table of plain text.</summary>
public static class ArithmeticReport
{
    /// <summary>The operations that inject the most arithmetic error over their signal, largest first.</summary>
    /// <param name="record">The record; without operations the table has no rows.</param>
    /// <param name="count">The most rows to give.</param>
    public static ReportTable WorstOperations(ArithmeticRecord record, int count)
    {
        ArgumentNullException.ThrowIfNull(record);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        Dictionary<string, long> wraps = record.WrapArounds.ToDictionary(w => w.Path, w => w.Elements);
        return new ReportTable(
            $"Operations that inject the most error because of {record.Name} (RMS over the signal's; bias: |mean|/RMS of what is injected;\n"
            + "accumulated: against the same polynomials in float64 throughout)",
            ["operation", "injected", "bias", "accumulated", "left the ring"],
            [.. record.Operations.Where(o => o.SignalRms > 0).OrderByDescending(o => o.Injected.Rms / o.SignalRms).Take(count).Select(o => (string[])
            [
                Figures.Name(o.Path), Figures.Ratio(o.Injected.Rms / o.SignalRms), Figures.Number(o.Injected.Rms > 0 ? Math.Abs(o.Injected.Mean) / o.Injected.Rms : null as double?),
                Figures.Ratio(o.Accumulated.Rms / o.SignalRms), Figures.Count(wraps.GetValueOrDefault(o.Path)),
            ])]);
    }
}
