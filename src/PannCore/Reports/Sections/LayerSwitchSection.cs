using PannCore.Diagnostics;

namespace PannCore.Reports.Sections;

/// <summary>The layer switch: what each activation does to the margin once it becomes a polynomial, and the accuracy so far.</summary>
internal static class LayerSwitchSection
{
    private const double Width = 300;

    public static void Write(Markup page, RunRecord record)
    {
        if (record.Layers.Count == 0)
        {
            page.Element("p", "The activations were not switched one by one in this run.");
            return;
        }

        page.Element("p", "Start with the ideal network and switch its activations to polynomials one after the other, from the input to the output. Each step moves the margin, "
            + "the lead of the predicted class over the next one; a bar to the left takes away from it. The steps add up exactly to the whole change, for this order; another order shares it out differently.");

        IEnumerable<double> shares = record.Layers.Select(l => l.LogitShare).Where(double.IsFinite).Append(0);
        Axis axis = Axis.Linear(shares.Min(), shares.Max(), 2, Width - 2);
        using var box = page.Box("Layer switch");
        using var table = page.Open("table");
        using (page.Open("thead"))
        using (page.Open("tr"))
        {
            page.Element("th", "Activation switched", ("scope", "col"));
            using (page.Open("th", ("scope", "col"))) CauseSection.Scale(page, axis, Width);
            foreach (string name in (string[])["Margin change", "RMS change of logits", "Accuracy so far"]) page.Element("th", name, ("scope", "col"), ("colspan", name[0] == 'A' ? "2" : "1"));
        }

        using var body = page.Open("tbody");
        foreach (LayerShare layer in record.Layers)
        {
            using (page.OperationRow(layer.Path))
            {
                using (page.Open("td")) Bar(page, layer.LogitShare, axis);
                page.Element("td", Figures.Number(layer.LogitShare));
                page.Element("td", Figures.Number(layer.LogitRms));
                using (page.Open("td"))
                using (page.Open("svg", ("width", 100), ("height", 8), ("aria-hidden", "true")))
                {
                    page.Empty("rect", ("class", "rest"), ("width", 100), ("height", 8));
                    if (layer.Accuracy > 0) page.Empty("rect", ("class", "plain"), ("width", Math.Min(100, layer.Accuracy)), ("height", 8));
                }

                page.Element("td", Figures.Accuracy(layer.Accuracy));
            }

            page.Line();
        }
    }

    private static void Bar(Markup page, double share, Axis axis)
    {
        using var svg = page.Open("svg", ("width", Width), ("height", 14), ("aria-hidden", "true"));
        double zero = axis.At(0), end = axis.At(share);
        page.Empty("line", ("class", "axis"), ("x1", zero), ("x2", zero), ("y1", 0), ("y2", 14));
        if (double.IsFinite(share) && share != 0)
            page.Empty("rect", ("class", share < 0 ? "worse" : "better"), ("x", Math.Min(zero, end)), ("y", 3), ("width", Math.Max(1, Math.Abs(end - zero))), ("height", 8));
    }
}
