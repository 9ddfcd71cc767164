using PannCore.Diagnostics;

namespace PannCore.Reports.Sections;

/// <summary>Where the inputs lie on the polynomials' errors: one activation drawn, all as a table; each activation's own drawing is in its panel.</summary>
internal static class InsideSection
{
    public static void Write(Markup page, RunRecord record)
    {
        IReadOnlyList<InsideRecord> all = record.Inside!;
        page.Element("p", "A polynomial's largest error says little about what it does to a network: what counts is the error where the inputs are. Most inputs of a trained network are small, so they sit in the first ripples around 0, "
            + "and the rest of the range is kept for a few. If the ripple there lies on one side of 0, every output is shifted the same way: that is bias, and it does not average out.");
        Dictionary<string, double> injected = [];
        foreach (OperationRecord o in record.Operations) injected.TryAdd(o.Path, double.IsFinite(o.RelativeApproximation) ? o.RelativeApproximation : 0);
        InsideRecord worst = all.MaxBy(a => injected.GetValueOrDefault(a.Path))!;
        using (page.Open("figure"))
        {
            page.Element("h3", $"{Figures.Name(worst.Path)}, which injects most");
            using (page.Box("Inputs over the error of the polynomial")) InsideDrawing.Ripple(page, worst, "inside-worst", "chart", 1060, 320);
            page.Element("figcaption", InsideDrawing.Caption(worst));
        }

        page.Element("h3", "All activations");
        page.Element("p", "Bias is the share of the squared injected error that is a constant of each channel: what a repair without training can take away. Choose one to see its own drawing, its stages and its channels.");
        using var box = page.Box("Inside all activations");
        using var table = page.Open("table");
        bool stages = all.Any(a => a.Stages.Count > 0);
        page.Head(["Activation", "<Polynomial", "Range B", "Inputs", "below \u2212B", "above B", "Bias", "Worst channel's mean error", .. stages ? ["Last stage off by, RMS", "at most"] : Array.Empty<string>()]);
        using var body = page.Open("tbody");
        foreach (InsideRecord a in all)
        {
            using (page.OperationRow(a.Path))
            {
                page.Element("td", Figures.Name(a.Activation), ("class", "text keep"));
                page.Cells(
                    Figures.Number(a.Range), Figures.Count(a.Counts.Sum() + a.Below + a.Above), Figures.Count(a.Below), Figures.Count(a.Above), Figures.Ratio(a.BiasShare),
                    Figures.Number(a.Channels.Count == 0 ? null : a.Channels.MaxBy(c => Math.Abs(c.Mean))!.Mean));
                if (stages) page.Cells(Figures.Number(a.Stages.Count == 0 ? null : a.Stages[^1].LeavingRms), Figures.Number(a.Stages.Count == 0 ? null : a.Stages[^1].LeavingMax));
            }

            page.Line();
        }
    }
}
