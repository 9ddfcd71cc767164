using System.Security.Cryptography;
using System.Text;
using PannCore.Diagnostics;
using PannCore.Reports.Sections;

namespace PannCore.Reports;

/// <summary>
/// A <see cref="RunRecord"/> as one self-contained HTML page that is also well-formed XML. It asks for nothing from outside: style,
/// script and drawings are inside, and its content security policy allows only its own style sheet and its own script, by their hashes.
/// Without the script the page shows the same figures; the script adds a line of explanation for what is pointed at.
/// The same record gives the same text in every culture.
/// </summary>
public static class HtmlReport
{
    private static readonly (string Id, string Title, Action<Markup, RunRecord> Write)[] Sections =
    [
        ("network", "The network, operation by operation", NetworkSection.Write),
        ("depth", "How the error grows with depth", DepthSection.Write),
        ("polynomial", "The polynomial", PolynomialSection.Write),
        ("activations", "The activations", ActivationSection.Write),
        ("layers", "Which layer hurts the answer", LayerSwitchSection.Write),
        ("checks", "Checks", CheckSection.Write),
        ("flips", "Changed predictions", FlipSection.Write),
        ("glossary", "Words used here", GlossarySection.Write),
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
        writer.Write("<!DOCTYPE html>\n");
        using Markup page = new(writer);
        using (page.Open("html", ("lang", "en")))
        {
            Head(page, record);
            using (page.Open("body"))
            {
                page.Element("a", "Skip to the report", ("class", "skip"), ("href", "#main"));
                using (page.Open("main", ("id", "main")))
                {
                    HeadlineSection.Write(page, record);
                    Contents(page);
                    foreach (var (id, title, write) in Sections)
                    {
                        using var section = page.Open("section", ("id", id), ("aria-labelledby", id + "-title"));
                        page.Element("h2", title, ("id", id + "-title"));
                        write(page, record);
                    }
                }

                page.Element("p", "", ("id", "readout"), ("role", "status"), ("hidden", "hidden"));
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

    private static void Contents(Markup page)
    {
        using var nav = page.Open("nav", ("aria-label", "Contents"));
        using var list = page.Open("ul");
        foreach (var (id, title, _) in Sections)
        {
            using var item = page.Open("li");
            page.Element("a", title, ("href", "#" + id));
        }
    }

    private static string Hash(string text) => $"'sha256-{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(text)))}'";
}
