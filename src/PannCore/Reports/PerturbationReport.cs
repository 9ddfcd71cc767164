using System.Globalization;
using System.Text.Json;
using PannCore.Diagnostics;
using PannCore.Ops;

namespace PannCore.Reports;

/// <summary>A <see cref="PerturbationResult"/> in words and as tables of plain text.</summary>
public static class PerturbationReport
{
    /// <summary>The name of a side, form or unit on the command line and in files: <c>own-random-sign</c>.</summary>
    public static string Name<T>(T value) where T : struct, Enum => JsonNamingPolicy.KebabCaseLower.ConvertName(value.ToString());

    /// <summary>What was found, whichever way it falls.</summary>
    public static IReadOnlyList<string> Summary(PerturbationResult result)
    {
        double unperturbed = result.Baseline.Accuracy;
        List<string> lines = [Invariant($"Without a perturbation: {unperturbed:F2} % of {result.Baseline.Right.Count} images right.")];
        if (result.Outcomes.Count > 1)
        {
            PerturbationOutcome worst = result.Outcomes.MinBy(outcome => outcome.Correct)!, best = result.Outcomes.MaxBy(outcome => outcome.Correct)!;
            lines.Add($"Most harmful is {Words(worst, unperturbed)}, least {Words(best, unperturbed)}.");
        }
        if (result.Comparisons.Count > 0) lines.Add(Sides(result.Comparisons));
        foreach (PerturbationOutcome own in result.Outcomes.Where(outcome => outcome.Trial.Form == PerturbationForm.Own))
        {
            PerturbationOutcome? tossed = result.Outcomes.FirstOrDefault(outcome => outcome.Trial == own.Trial with { Form = PerturbationForm.OwnRandomSign });
            double lost = unperturbed - own.Accuracy;
            if (tossed is null || lost <= 0) continue;
            double left = unperturbed - tossed.Accuracy;
            lines.Add(Invariant($"The polynomial's own error costs {lost:F2} points on {Inputs(own.Trial.Side)} at size {own.Trial.Size:G4}, and {left:F2} with its sign tossed: ")
                + (left < lost / 2 ? "most of that damage is bias." : "most of that damage is not bias."));
        }
        return lines;
    }

    /// <summary>Accuracy by form and size, a column a side.</summary>
    public static ReportTable Accuracies(PerturbationResult result)
    {
        PerturbedSide[] sides = [.. result.Outcomes.Select(outcome => outcome.Trial.Side).Distinct().Order()];
        bool compared = result.Comparisons.Count > 0;
        var rows = new List<IReadOnlyList<string>>();
        foreach (var group in result.Outcomes.GroupBy(outcome => (outcome.Trial.Form, outcome.Trial.Size)))
        {
            List<string> row = [Name(group.Key.Form), group.Key.Size.ToString("G4", CultureInfo.InvariantCulture)];
            foreach (PerturbedSide side in sides)
                row.Add(group.FirstOrDefault(outcome => outcome.Trial.Side == side) is { } outcome ? outcome.Accuracy.ToString("F2", CultureInfo.InvariantCulture) : "");
            SideComparison? comparison = result.Comparisons.FirstOrDefault(c => c.Negative.Trial.Form == group.Key.Form && c.Negative.Trial.Size == group.Key.Size);
            if (compared) row.Add(comparison is null ? "" : comparison.Worse is { } worse ? Name(worse) : "not clear");
            rows.Add(row);
        }
        return new("Accuracy in percent", [.. new[] { "form", "size" }.Concat(sides.Select(Name)).Concat(compared ? ["costs more"] : [])], rows);
    }

    private static string Sides(IReadOnlyList<SideComparison> comparisons)
    {
        string[] negative = [.. comparisons.Where(c => c.Worse == PerturbedSide.Negative).Select(Label)], positive = [.. comparisons.Where(c => c.Worse == PerturbedSide.Positive).Select(Label)];
        int unclear = comparisons.Count - negative.Length - positive.Length;
        string verdict = (negative.Length, positive.Length) switch
        {
            (0, 0) => "Neither side clearly costs more",
            (_, 0) => "Negative inputs are the more sensitive side here",
            (0, _) => "Positive inputs are the more sensitive side here",
            _ => "Neither side is the more sensitive one as such, it depends on what is added",
        };
        return $"{verdict}: at the same form and size, negative inputs cost clearly more in {Count(negative)}, positive inputs in {Count(positive)}, and {unclear} of {comparisons.Count} comparisons lie within two standard errors.";

        static string Label(SideComparison c) => Invariant($"{Name(c.Negative.Trial.Form)} {c.Negative.Trial.Size:G4}");
        static string Count(string[] labels) => labels.Length == 0 ? "0" : $"{labels.Length} ({string.Join(", ", labels)})";
    }

    private static string Words(PerturbationOutcome outcome, double unperturbed)
        => Invariant($"{Name(outcome.Trial.Form)} on {Inputs(outcome.Trial.Side)} at size {outcome.Trial.Size:G4}: {outcome.Accuracy:F2} % ({outcome.Accuracy - unperturbed:+0.00;-0.00;0.00} points)");

    private static string Inputs(PerturbedSide side) => side == PerturbedSide.Both ? "all inputs" : $"{Name(side)} inputs";

    private static string Invariant(FormattableString text) => FormattableString.Invariant(text);
}
