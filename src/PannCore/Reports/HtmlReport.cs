using System.Security.Cryptography;
using System.Text;
using PannCore.Diagnostics;
using PannCore.Reports.Sections;

namespace PannCore.Reports;

/// <summary>
/// A <see cref="RunRecord"/> as one self-contained HTML page that is also well-formed XML. It asks for nothing from outside: style,
/// script and drawings are inside, and its content security policy allows only its own style sheet and its own script, by their hashes.
/// Without the script the page shows the figures of the precision that was asked for, and the totals of the others; the script adds a line of explanation for what is pointed at,
/// shows one operation at a time beside the map, and recolours the map by cause, at other precisions too.
/// The same record gives the same text in every culture.
/// </summary>
public static class HtmlReport
{
    private const int LongestTitle = 200;

    private static readonly Section[] Sections =
    [
        new("network", "The network", MapSection.Write, r => r.Operations.Count > 0),
        new("ledger", "Operation by operation", LedgerSection.Write, _ => true),
        new("depth", "How the error grows with depth", DepthSection.Write, r => r.Operations.Count > 0),
        new("sweep", "Other precisions", SweepSection.Write, r => r.Sweep is { Steps.Count: > 0 }),
        new("polynomial", "The polynomial", PolynomialSection.Write, HasPolynomial),
        new("inside", "Where the inputs lie", InsideSection.Write, r => r.Inside is { Count: > 0 }),
        new("activations", "The activations", ActivationSection.Write, r => r.Operations.Any(o => o.IsActivation)),
        new("layers", "Which layer hurts the answer", CauseSection.Write, r => r.Causes is not null || r.Layers.Count > 0),
        new("ranges", "Room in the ranges", RangeSection.Write, r => r.Ranging is not null),
        new("bounds", "What is proved", BoundSection.Write, r => r.Bounds is not null),
        new("arithmetic", "Another arithmetic", ArithmeticSection.Write, r => r.OtherArithmetic is not null),
        new("checks", "Checks", CheckSection.Write, _ => true),
        new("flips", "Changed predictions", FlipSection.Write, _ => true),
        new("glossary", "Words used here", GlossarySection.Write, _ => true),
    ];

    /// <summary>The page as a text.</summary>
    public static string ToText(RunRecord record)
    {
        using StringWriter writer = new();
        Write(writer, record);
        return writer.ToString();
    }

    /// <summary>Writes the page; the writer should encode UTF-8, as the page says it does.</summary>
    public static void Write(TextWriter writer, RunRecord record)
    {
        ArgumentNullException.ThrowIfNull(writer);
        ArgumentNullException.ThrowIfNull(record);
        record = Shortened(record);
        Section[] sections = [.. Sections.Where(s => s.Applies(record))];
        Dictionary<string, int> panels = [];
        for (int i = 0; i < record.Operations.Count; i++) panels.TryAdd(record.Operations[i].Path, i);
        writer.Write("<!DOCTYPE html>\n");
        using Markup page = new(writer) { Panels = panels };
        using (page.Open("html", ("lang", "en")))
        {
            Head(page, record);
            using (page.Open("body"))
            {
                page.Element("a", "Skip to the report", ("class", "skip"), ("href", "#main"));
                using (page.Open("main", ("id", "main")))
                {
                    HeadlineSection.Write(page, record);
                    Contents(page, sections);
                    foreach (Section part in sections)
                    {
                        using var section = page.Open("section", ("id", part.Id), ("aria-labelledby", part.Id + "-title"));
                        page.Element("h2", part.Title, ("id", part.Id + "-title"));
                        part.Write(page, record);
                    }
                }

                page.Element("p", "", ("id", "readout"), ("role", "status"), ("hidden", "hidden"));
                page.Line();
                page.Verbatim("script", PageData.Json(record), ("type", "application/json"), ("id", "data"));
                page.Line();
                page.Verbatim("script", PageScript.Text);
            }
        }

        page.Line();
    }

    private static void Head(Markup page, RunRecord record)
    {
        using var head = page.Open("head");
        page.Empty("meta", ("charset", "utf-8"));
        page.Element("title", record.Title);
        page.Empty("meta", ("name", "viewport"), ("content", "width=device-width, initial-scale=1"));
        page.Empty("meta", ("name", "color-scheme"), ("content", "light dark"));
        page.Empty("meta", ("http-equiv", "Content-Security-Policy"), ("content", $"default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'; style-src {Hash(PageStyle.Text)}; script-src {Hash(PageScript.Text)}"));
        page.Empty("link", ("rel", "icon"), ("href", "data:,"));
        page.Line();
        page.Verbatim("style", PageStyle.Text);
    }

    private static void Contents(Markup page, Section[] sections)
    {
        using var nav = page.Open("nav", ("aria-label", "Contents"));
        using var list = page.Open("ul");
        foreach (Section section in sections)
        {
            using var item = page.Open("li");
            page.Element("a", section.Title, ("href", "#" + section.Id));
        }
    }

    private static bool HasPolynomial(RunRecord record) => record.ErrorCurve.Count > 0 || double.IsFinite(record.Log2MaxError);

    // Sentences name these in full; a name of thousands of letters would bury them.
    private static RunRecord Shortened(RunRecord record) => record with
    {
        Title = record.Title.Length <= LongestTitle ? record.Title : Figures.Name(record.Title),
        Model = Figures.Name(record.Model),
        Architecture = Figures.Name(record.Architecture),
        Activation = Figures.Name(record.Activation),
        Ranges = Figures.Name(record.Ranges),
        Ideal = Figures.Name(record.Ideal),
        Sweep = record.Sweep is { } sweep ? sweep with { Steps = [.. sweep.Steps.Select(s => s with { Activation = Figures.Name(s.Activation) })] } : null,
    };

    private static string Hash(string text) => $"'sha256-{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(text)))}'";

    /// <summary>A section, and whether a record has anything to show in it.</summary>
    private sealed record Section(string Id, string Title, Action<Markup, RunRecord> Write, Func<RunRecord, bool> Applies);
}
