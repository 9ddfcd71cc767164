using PannCore.Diagnostics;

namespace PannCore.Reports.Sections;

/// <summary>What came out, in plain words: warnings first, then both accuracies, then the cause.</summary>
internal static class HeadlineSection
{
    public static void Write(Markup page, RunRecord record)
    {
        Findings findings = new(record);
        using var header = page.Open("header");
        Warnings(page, findings.Warnings);
        page.Element("p", record.Title, ("class", "eyebrow"));
        page.Element("h1", findings.Headline);
        page.Element("p", findings.Setting, ("class", "lead"));
        foreach (string sentence in findings.Variations) page.Element("p", sentence);
        foreach (string sentence in findings.Causes) page.Element("p", sentence);

        using var tiles = page.Open("dl", ("class", "tiles"));
        Tile(page, Figures.Accuracy(record.IdealAccuracy), "right, ideal network");
        Tile(page, Figures.Accuracy(record.PannAccuracy), double.IsNegativeInfinity(record.Log2MaxError) ? "right, inspected network" : "right, with polynomials");
        Tile(page, Figures.Count(record.Flips.Count), $"of {Figures.Count(record.Images, "prediction")} changed");
        if (double.IsNegativeInfinity(record.Log2MaxError)) return;
        Tile(page, Figures.Count(record.OutOfRangeImages), "images with an input outside its range");
        Tile(page, Figures.Bound(record.Log2MaxError), "largest error of the polynomial, in units of its range B");
    }

    private static void Warnings(Markup page, IReadOnlyList<string> warnings)
    {
        if (warnings.Count == 0) return;
        using var alarm = page.Open("div", ("class", "alarm"), ("role", "alert"));
        page.Element("p", "Do not trust these figures before reading this");
        using var list = page.Open("ul");
        foreach (string warning in warnings) page.Element("li", warning);
    }

    private static void Tile(Markup page, string figure, string meaning)
    {
        using var tile = page.Open("div");
        page.Element("dt", meaning);
        using var value = page.Open("dd");
        int power = figure.IndexOf('^', StringComparison.Ordinal);
        page.Text(power < 0 ? figure : figure[..power]);
        if (power >= 0) page.Element("sup", figure[(power + 1)..]);
    }
}
