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
                Figures.SignedPowerOfTwo(row.MaxError),
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

    /// <summary>What to take for a budget, and why, in a line or two.</summary>
    public static IReadOnlyList<string> Recommendation(Frontier frontier, int? levels, int? multiplications)
    {
        ArgumentNullException.ThrowIfNull(frontier);
        string budget = string.Join(" and ", new[] { Limit(levels, "level"), Limit(multiplications, "multiplication") }.OfType<string>());
        if (budget.Length == 0) return [];
        if (frontier.Recommend(levels, multiplications) is not { } best) return [$"Nothing here costs at most {budget}."];
        ErrorStatistics errors = frontier.Statistics(best);
        List<string> lines =
        [
            $"Within {budget}, inputs {DensityText.Of(frontier.Density)}: {best.Spec} ({Price(best)}; RMS error {Figures.SignedPowerOfTwo(errors.Rms)} B, mean {Figures.SignedPowerOfTwo(errors.Mean)} B)",
        ];
        FrontierRow sharpest = frontier.Affordable(levels, multiplications).MinBy(row => row.MaxError)!;
        if (sharpest != best)
        {
            ErrorStatistics other = frontier.Statistics(sharpest);
            lines.Add($"By the maximum alone it would be {sharpest.Spec} ({Price(sharpest)}; maximum {Figures.PowerOfTwo(Math.Log2(sharpest.MaxError))} against {Figures.PowerOfTwo(Math.Log2(best.MaxError))}, "
                + $"but RMS error {Figures.SignedPowerOfTwo(other.Rms)} B, mean {Figures.SignedPowerOfTwo(other.Mean)} B).");
        }

        return lines;

        static string? Limit(int? most, string noun) => most is { } count ? Figures.Count(count, noun) : null;
        static string Price(FrontierRow row) => $"{Figures.Count(row.Cost.Levels, "level")}, {Figures.Count(row.Cost.NonScalarMultiplications, "multiplication")}";
    }
}
