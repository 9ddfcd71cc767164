using PannCore.Diagnostics;

namespace PannCore.Reports.Sections;

/// <summary>One row per activation: its range, the inputs that arrived, and on which side of 0 the error falls.</summary>
internal static class ActivationSection
{
    public static void Write(Markup page, RunRecord record)
    {
        List<OperationRecord> activations = [.. record.Operations.Where(o => o.IsActivation)];
        if (activations.Count == 0)
        {
            page.Element("p", "No activation was recorded.");
            return;
        }

        bool polynomial = activations.Any(o => o.Range is not null);
        if (polynomial)
        {
            page.Element("p", "The absolute error of a polynomial is proportional to its range B, so a range wider than its inputs costs precision: each doubling is one bit. "
                + "An input outside the range is worse: there the polynomial stands for nothing and may grow without limit.");
            page.Element("p", "Where the ideal function answers 0 below 0, as ReLU does, whatever the polynomial answers there is error; compare the share of the squared error there with the share of the inputs there.");
        }

        Dictionary<string, double> largest = []; // of all images, where that was studied
        foreach (LayerRange range in record.Ranging?.Layers ?? []) largest.TryAdd(range.Path, range.Largest);
        using var box = page.Box("Activations");
        using var table = page.Open("table");
        page.Head(
            "Activation", "Range B", "Largest |x|", "Range used", "Bits unused", "Inputs outside", "Inputs below 0", "Squared error below 0", "Mean error below 0", "Mean error above 0", "|mean| / RMS", "Gain");

        using var body = page.Open("tbody");
        foreach (OperationRecord o in activations)
        {
            using (page.OperationRow(o.Path))
            {
                page.Element("td", Figures.Number(o.Range));
                double? input = largest.TryGetValue(o.Path, out double all) && double.IsFinite(all) ? all : o.LargestInput;
                page.Element("td", Figures.Number(input));
                Used(page, input / o.Range);
                page.Element("td", Figures.Number((o with { LargestInput = input }).UnusedBits));
                if (o.OutOfRange > 0) page.Element("td", Figures.Count(o.OutOfRange), ("class", "failed"));
                else page.Element("td", "0");
                page.Element("td", Figures.Ratio(o.NegativeElements));
                page.Element("td", Figures.Ratio(o.NegativeShare));
                page.Element("td", Figures.Number(o.NegativeMean));
                page.Element("td", Figures.Number(o.PositiveMean));
                page.Element("td", Figures.Number(o.Bias));
                page.Element("td", Figures.Number(o.Gain));
            }

            page.Line();
        }
    }

    private static void Used(Markup page, double? share)
    {
        using var cell = page.Open("td", ("class", "used"));
        if (share is not (>= 0 and var used))
        {
            page.Text("–");
            return;
        }

        using (page.Open("svg", ("width", 50), ("height", 6), ("aria-hidden", "true")))
        {
            page.Empty("rect", ("class", "rest"), ("width", 50), ("height", 6));
            page.Empty("rect", ("class", used > 1 ? "approximation" : "plain"), ("width", 50 * Math.Min(used, 1)), ("height", 6));
        }

        page.Text(Figures.Ratio(used));
    }
}
