using PannCore.Diagnostics;

namespace PannCore.Reports.Sections;

/// <summary>Images whose predicted class changed: where they went, and which they are.</summary>
internal static class FlipSection
{
    // A page for reading; the JSON file has all of them.
    private const int Shown = 200, Pictured = 48;

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

        Gallery(page, record);
        page.Element("h3", "Image by image");
        using (page.Box("Changed predictions image by image"))
        using (page.Open("table", ("class", "narrow")))
        {
            Header(page, span: "1", "Image", "True class", "Ideal network", double.IsNegativeInfinity(record.Log2MaxError) ? "Inspected" : "With polynomials", "Outcome", "Changed for good at");
            using var body = page.Open("tbody");
            foreach (Flip flip in record.Flips.Take(Shown))
            {
                using (page.Open("tr"))
                {
                    page.Element("th", Figures.Count(flip.Image), ("scope", "row"));
                    foreach (int c in (int[])[flip.Label, flip.Ideal, flip.Pann]) page.Element("td", FlipSummary.NameOf(record, c), ("class", "text"));
                    page.Element("td", Outcome(flip), ("class", "text"));
                    using var at = page.Open("td", ("class", "text"));
                    if (Place(record, flip) is { } path) page.OperationName(path);
                    else page.Text("–");
                }

                page.Line();
            }
        }

        if (record.Flips.Count > Shown)
            page.Element("p", $"The first {Figures.Count(Shown)} of {Figures.Count(record.Flips.Count)} are shown; the JSON file has all of them.", ("class", "note"));
    }

    /// <summary>The pixels of an image, where the record has them.</summary>
    public static void Picture(Markup page, RunRecord record, int image)
    {
        if (record.Pictures.TryGetValue(image, out ReadOnlyMemory<byte> pixels) && PictureData.Address(pixels.Span) is { } address)
            page.Empty("img", ("src", address), ("width", 96), ("height", 96), ("alt", $"Image {Figures.Count(image)}"));
    }

    private static void Gallery(Markup page, RunRecord record)
    {
        Flip[] pictured = [.. record.Flips.Where(f => record.Pictures.ContainsKey(f.Image)).Take(Pictured)];
        if (pictured.Length == 0) return;
        page.Element("h3", "What they look like");
        page.Element("p", "Images that the two networks answer differently: would you have known? Where the polynomials were switched on one after the other, from first to last, the activation is named from which on the answer stays changed.");
        using var list = page.Open("ul", ("class", "gallery"));
        foreach (Flip flip in pictured)
        {
            using var item = page.Open("li");
            Picture(page, record, flip.Image);
            using var text = page.Open("p");
            page.Element("b", $"{FlipSummary.NameOf(record, flip.Label)}");
            page.Text($" (image {Figures.Count(flip.Image)})");
            Line("ideal: " + FlipSummary.NameOf(record, flip.Ideal) + Mark(flip.Ideal == flip.Label));
            Line("polynomials: " + FlipSummary.NameOf(record, flip.Pann) + Mark(flip.Pann == flip.Label));
            if (Place(record, flip) is { } path)
            {
                page.Empty("br");
                page.Text("from ");
                page.OperationName(path);
            }
        }

        void Line(string text)
        {
            page.Empty("br");
            page.Text(text);
        }

        static string Mark(bool right) => right ? " ✓" : " ✗";
    }

    private static string Outcome(Flip flip) => flip.Ideal == flip.Label ? "✗ right to wrong" : flip.Pann == flip.Label ? "✓ wrong to right" : "wrong to wrong";

    private static string? Place(RunRecord record, Flip flip) => flip.FlippedAt ?? record.Causes?.FlippedAt.GetValueOrDefault(flip.Image);

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
