using PannCore.Approximation;

namespace PannCore.Reports;

/// <summary>A <see cref="Frontier"/> as lines and a table of plain text.</summary>
public static class FrontierReport
{
    /// <summary>One line per polynomial, in the frontier's order.</summary>
    public static ReportTable Rows(Frontier frontier)
    {
        ArgumentNullException.ThrowIfNull(frontier);
        var sets = (
            from error in new[] { FrontierError.Rms, FrontierError.Maximum }
            from price in new[] { FrontierPrice.Levels, FrontierPrice.Multiplications }
            select frontier.Pareto(error, price).ToHashSet()).ToArray();
        return new ReportTable(
            $"Error against price. Errors in units of the range B; mean and RMS for inputs {DensityText.Of(frontier.Density)}; mult.: products of ciphertexts, scalar: with constants;\n"
            + "levels in brackets: with the leading coefficient folded into neighbouring weights;\n"
            + "best: on the Pareto set of RMS error against levels (L), against multiplications (M); of maximum error (l, m)",
            ["activation", "degrees", "maximum", "r(0)", "mean", "RMS", "levels", "depth", "mult.", "scalar", "best"],
            [.. frontier.Rows.Select(row => (string[])
            [
                row.Spec,
                string.Join(',', row.Degrees),
                Figures.Bound(Math.Log2(row.MaxError)),
                Figures.SignedPowerOfTwo(row.ValueAtZero),
                Figures.SignedPowerOfTwo(frontier.Statistics(row).Mean),
                Figures.SignedPowerOfTwo(frontier.Statistics(row).Rms),
                row.Folded.Levels < row.Cost.Levels ? $"{row.Cost.Levels} ({row.Folded.Levels})" : Figures.Count(row.Cost.Levels),
                Figures.Count(row.Cost.Depth),
                Figures.Count(row.Cost.NonScalarMultiplications),
                Figures.Count(row.Cost.ScalarMultiplications),
                string.Concat("LMlm".Where((_, set) => sets[set].Contains(row))),
            ])]);
    }

    /// <summary>Mean and RMS error under every density.</summary>
    public static ReportTable Densities(Frontier frontier)
    {
        ArgumentNullException.ThrowIfNull(frontier);
        return new ReportTable(
            "Mean and RMS error by input density, in units of B",
            ["activation", .. frontier.Densities.SelectMany(density => new[] { $"mean {DensityText.Of(density)}", "RMS" })],
            [.. frontier.Rows.Select(row => (string[])
                [row.Spec, .. row.Errors.SelectMany(errors => new[] { Figures.SignedPowerOfTwo(errors.Mean), Figures.SignedPowerOfTwo(errors.Rms) })])]);
    }

    /// <summary>
    /// What to take for a budget, in a few lines: the least RMS error, in which the mean counts like the rest. Beside it, where they differ, what the maximum alone would
    /// choose, and what is best if the mean error is folded into the shift that follows and only the spread remains.
    /// </summary>
    public static IReadOnlyList<string> Recommendation(Frontier frontier, int? levels, int? multiplications)
    {
        ArgumentNullException.ThrowIfNull(frontier);
        string budget = string.Join(" and ", new[] { Limit(levels, "level"), Limit(multiplications, "multiplication") }.OfType<string>());
        if (budget.Length == 0) return [];
        if (frontier.Recommend(levels, multiplications) is not { } best) return [$"Nothing here costs at most {budget}."];
        List<string> lines = [$"At most {budget}, inputs {DensityText.Of(frontier.Density)}: take {best.Spec}, the least RMS error (bias included): {Price(best)}; {Errors(best)}."];
        FrontierRow[] affordable = [.. frontier.Affordable(levels, multiplications)];
        FrontierRow sharpest = affordable.MinBy(row => row.MaxError)!, steadiest = affordable.MinBy(row => frontier.Statistics(row).Spread)!;
        if (sharpest != best) lines.Add($"By the maximum alone it would be {sharpest.Spec}: {Price(sharpest)}; {Errors(sharpest)}.");
        if (steadiest != best) lines.Add($"If the mean error is folded into the shift that follows, {steadiest.Spec}: {Price(steadiest)}; {Errors(steadiest)}, spread {Figures.SignedPowerOfTwo(frontier.Statistics(steadiest).Spread)}.");
        return lines;

        string Errors(FrontierRow row)
            => $"RMS {Figures.SignedPowerOfTwo(frontier.Statistics(row).Rms)}, mean {Figures.SignedPowerOfTwo(frontier.Statistics(row).Mean)}, maximum {Figures.Bound(Math.Log2(row.MaxError))}";
        static string? Limit(int? most, string noun) => most is { } count ? Figures.Count(count, noun) : null;
        static string Price(FrontierRow row) => $"{Figures.Count(row.Cost.Levels, "level")}, {Figures.Count(row.Cost.NonScalarMultiplications, "multiplication")}";
    }
}
