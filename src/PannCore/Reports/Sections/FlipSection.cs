using PannCore.Diagnostics;

namespace PannCore.Reports.Sections;

/// <summary>Images whose predicted class changed: where they went, and which they are.</summary>
internal static class FlipSection
{
    // A page for reading; the JSON file has all of them.
    private const int Shown = 200;

    public static void Write(Markup page, RunRecord record)
    {
        Findings findings = new(record);
        page.Element("p", findings.FlipsInWords);
        if (record.Flips.Count == 0) return;

        page.Element("h3", "By class");
        double most = findings.Flips.Classes.Max(c => Math.Max(c.Left, c.Arrived));
        using (page.Box("Changed predictions by class"))
        using (page.Open("table", ("class", "narrow")))
        {
            Header(page, span: "2", "Class", "Predictions that left it", "Predictions that ended in it");
            using var body = page.Open("tbody");
            foreach (ClassFlips c in findings.Flips.Classes)
            {
                using var row = page.Open("tr");
                page.Element("th", c.Name, ("scope", "row"));
                Bar(page, "better", c.Left, most);
                Bar(page, "worse", c.Arrived, most);
            }
        }

        page.Element("h3", "Image by image");
        using (page.Box("Changed predictions image by image"))
        using (page.Open("table", ("class", "narrow")))
        {
            Header(page, span: "1", "Image", "True class", "Ideal network", "With polynomials", "Outcome");
            using var body = page.Open("tbody");
            foreach (Flip flip in record.Flips.Take(Shown))
            {
                using (page.Open("tr"))
                {
                    page.Element("th", Figures.Count(flip.Image), ("scope", "row"));
                    foreach (int c in (int[])[flip.Label, flip.Ideal, flip.Pann]) page.Element("td", FlipSummary.NameOf(record, c), ("class", "text"));
                    page.Element("td", flip.Ideal == flip.Label ? "✗ right to wrong" : flip.Pann == flip.Label ? "✓ wrong to right" : "wrong to wrong", ("class", "text"));
                }

                page.Line();
            }
        }

        if (record.Flips.Count > Shown)
            page.Element("p", $"The first {Figures.Count(Shown)} of {Figures.Count(record.Flips.Count)} are shown; the JSON file has all of them.", ("class", "note"));
    }

    private static void Header(Markup page, string span, params ReadOnlySpan<string> names)
    {
        using var head = page.Open("thead");
        using var row = page.Open("tr");
        for (int i = 0; i < names.Length; i++)
            page.Element("th", names[i], ("scope", "col"), ("class", "text"), ("colspan", i == 0 ? "1" : span));
    }

    private static void Bar(Markup page, string kind, int count, double most)
    {
        using (page.Open("td", ("class", "text")))
        using (page.Open("svg", ("width", 120), ("height", 12), ("aria-hidden", "true")))
        {
            if (count > 0) page.Empty("rect", ("class", kind), ("x", 1), ("y", 2), ("width", 116 * count / most), ("height", 8));
        }

        page.Element("td", Figures.Count(count));
    }
}
