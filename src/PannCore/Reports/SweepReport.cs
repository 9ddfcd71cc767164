using PannCore.Diagnostics;

namespace PannCore.Reports;

/// <summary>A <see cref="SweepRecord"/> as a table of plain text.</summary>
public static class SweepReport
{
    /// <summary>One row a polynomial.</summary>
    /// <param name="sweep">The sweep.</param>
    /// <param name="idealAccuracy">Percent right of the ideal network on the same images; null leaves out what is lost.</param>
    public static ReportTable Accuracies(SweepRecord sweep, double? idealAccuracy = null)
    {
        ArgumentNullException.ThrowIfNull(sweep);
        return new(
            $"Accuracy against precision, {Figures.Count(sweep.Images, "image")} (levels: CKKS levels of one activation; {(idealAccuracy is null ? "" : "lost: points below the ideal network; ")}changed: predictions other than the ideal network's)",
            ["activation", "largest error", "levels", "accuracy", .. idealAccuracy is null ? Array.Empty<string>() : ["lost"], "changed", "exploded images"],
            [.. sweep.Steps.Select(step => (IReadOnlyList<string>)
            [
                PlainText.OneLine(step.Activation), Figures.Bound(step.Log2MaxError), Figures.Count(step.Levels), FormattableString.Invariant($"{step.Accuracy:F2} %"),
                .. idealAccuracy is double ideal ? [FormattableString.Invariant($"{ideal - step.Accuracy:F2}")] : Array.Empty<string>(), Figures.Count(step.Changed), Figures.Count(step.ExplodedImages),
            ])]);
    }
}
