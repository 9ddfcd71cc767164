using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using PannCore.Diagnostics;
using PannCore.Reports;
using Xunit;

namespace PannCore.Tests.Reports;

public class HtmlReportTests
{
    private static readonly Func<RunRecord>[] Makers = [SampleRecord.Create, SampleRecord.Broken, SampleRecord.Empty, SampleRecord.Full, SampleRecord.Relu, SampleRecord.Hostile];

    public static TheoryData<int> Records => [.. Enumerable.Range(0, Makers.Length)];

    [Theory]
    [MemberData(nameof(Records))]
    public void Page_is_well_formed_html(int record)
    {
        string page = HtmlReport.ToText(Makers[record]());
        Assert.StartsWith("<!DOCTYPE html>\n<html lang=\"en\">", page, StringComparison.Ordinal);
        XElement root = Parse(page);

        // HTML ignores the slash of <div/>: only void elements and SVG shapes may be closed that way.
        Assert.Subset(
            new HashSet<string> { "meta", "link", "input", "img", "br", "rect", "line", "path", "circle" },
            Regex.Matches(page, "<([a-z0-9]+)[^<>]*/>").Select(m => m.Groups[1].Value).ToHashSet());

        string[] ids = [.. root.Descendants().Attributes("id").Select(a => a.Value)];
        Assert.Equal(ids.Length, ids.Distinct().Count());
        IEnumerable<string> references = root.Descendants().Attributes().Where(a => a.Name.LocalName.StartsWith("aria-", StringComparison.Ordinal) && a.Name.LocalName is "aria-labelledby" or "aria-describedby")
            .SelectMany(a => a.Value.Split(' '))
            .Concat(root.Descendants("a").Select(a => a.Attribute("href")!.Value.TrimStart('#')));
        Assert.All(references, id => Assert.Contains(id, ids));
    }

    [Theory]
    [MemberData(nameof(Records))]
    public void Nothing_is_asked_from_outside(int record)
    {
        XElement root = Parse(HtmlReport.ToText(Makers[record]()));
        string[] elements = [.. root.Descendants().Select(e => e.Name.LocalName).Distinct()];
        foreach (string loader in (string[])["img", "image", "iframe", "object", "embed", "video", "audio", "source", "base", "form", "use", "foreignObject"])
            Assert.DoesNotContain(loader, elements);
        foreach (XAttribute attribute in root.DescendantsAndSelf().Attributes())
        {
            Assert.DoesNotContain(attribute.Name.LocalName, (string[])["src", "srcset", "style", "action", "background", "xmlns"]);
            Assert.False(attribute.Name.LocalName.StartsWith("on", StringComparison.Ordinal), attribute.ToString());
            if (attribute.Name.LocalName == "href") Assert.True(attribute.Value == "data:," || attribute.Value.StartsWith('#'), attribute.ToString());
        }

        string style = root.Descendants("style").Single().Value, script = root.Descendants("script").Single().Value;
        foreach (string loader in (string[])["http:", "https:", "//www", "src=", "url(", "@import", "@font-face", "fetch(", "XMLHttpRequest", "import(", "innerHTML", "eval("])
            Assert.DoesNotContain(loader, style + script, StringComparison.Ordinal);
    }

    [Fact]
    public void Page_names_no_address_at_all()
    {
        string page = HtmlReport.ToText(SampleRecord.Create());
        foreach (string sign in (string[])["http:", "https:", "src=", "url(", "file:"]) Assert.DoesNotContain(sign, page, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public void Policy_allows_its_own_style_and_script_and_nothing_else()
    {
        XElement root = Parse(HtmlReport.ToText(SampleRecord.Create()));
        string policy = root.Descendants("meta").Single(m => (string?)m.Attribute("http-equiv") == "Content-Security-Policy").Attribute("content")!.Value;
        string[] expected =
        [
            "default-src 'none'", "img-src data:", "base-uri 'none'", "form-action 'none'",
            $"style-src 'sha256-{Hash("style")}'", $"script-src 'sha256-{Hash("script")}'",
        ];
        Assert.Equal(expected, policy.Split("; "));

        string Hash(string element) => Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(root.Descendants(element).Single().Value)));
    }

    [Fact]
    public void Network_table_has_every_operation_in_order_and_marks_the_19_activations()
    {
        RunRecord record = SampleRecord.Create();
        XElement root = Parse(HtmlReport.ToText(record));
        List<XElement> rows = [.. root.Descendants("tr").Where(r => r.Attribute("data-row") is not null)];
        Assert.Equal(70, rows.Count);
        Assert.Equal(record.Operations.Select(o => o.Path + o.Op), rows.Select(r => r.Element("th")!.Value));
        Assert.Equal(
            record.Operations.Where(o => o.Op == "activation").Select(o => o.Path + o.Op),
            rows.Where(r => ((string?)r.Attribute("class") ?? "").Split(' ').Contains("activation")).Select(r => r.Element("th")!.Value));
        Assert.Equal(19, Section(root, "activations").Descendants("tbody").Elements("tr").Count());
        Assert.Equal(19, Section(root, "layers").Descendants("tbody").Elements("tr").Count());
        Assert.All(rows, row => Assert.All((string[])["title", "desc"], text => Assert.NotEqual("", row.Descendants(text).Single().Value)));
    }

    [Fact]
    public void Bars_are_as_long_as_their_errors()
    {
        RunRecord record = SampleRecord.Create();
        XElement root = Parse(HtmlReport.ToText(record));
        XElement[] rows = [.. root.Descendants("tr").Where(r => r.Attribute("data-row") is not null)];
        for (int i = 0; i < rows.Length; i++)
        {
            OperationRecord o = record.Operations[i];
            Assert.Equal(o.Approximation.Rms > 0, Bar(i, "approximation") is not null);
            Assert.Equal(o.Inherited.Rms > 0, Bar(i, "inherited") is not null);
        }

        // One linear axis for all rows: length / (RMS / signal) is the same number everywhere, up to coordinates rounded to 0.01.
        double scale = Length(68, "inherited") / Relative(record.Operations[68].Inherited, 68);
        for (int i = 2; i < rows.Length; i++)
        {
            if (i > 2) Assert.Equal(scale * Relative(record.Operations[i].Inherited, i), Length(i, "inherited"), tolerance: 0.02);
            if (record.Operations[i].Approximation.Rms > 0) Assert.Equal(scale * Relative(record.Operations[i].Approximation, i), Length(i, "approximation"), tolerance: 0.02);
        }

        double Relative(ErrorSize size, int i) => size.Rms / record.Operations[i].IdealRms;
        XElement? Bar(int i, string cause) => rows[i].Descendants("rect").SingleOrDefault(r => (string?)r.Attribute("class") == cause);
        double Length(int i, string cause) => double.Parse(Bar(i, cause)!.Attribute("width")!.Value, CultureInfo.InvariantCulture);
    }

    [Fact]
    public void Hostile_names_are_inert_text()
    {
        string page = HtmlReport.ToText(SampleRecord.Hostile());
        XElement root = Parse(page);
        Assert.Single(root.Descendants("script"));
        Assert.Empty(root.Descendants("img"));
        Assert.Empty(root.Descendants("b"));
        Assert.Contains(root.Descendants("th"), th => th.Value.StartsWith("<script>alert(1)</script>", StringComparison.Ordinal));
        Assert.DoesNotContain("<script>alert", page, StringComparison.Ordinal);
        foreach (char c in (char[])['\0', '\u001b', '\u0085', '\uD800', '\u202E']) Assert.DoesNotContain(c, page);
        Assert.DoesNotContain(new string('x', 200), page, StringComparison.Ordinal); // a long name is shortened wherever it is a name
    }

    [Fact]
    public void What_is_not_finite_is_said_in_words_and_never_drawn()
    {
        XElement root = Parse(HtmlReport.ToText(SampleRecord.Broken()));
        Assert.All(root.Descendants().Attributes(), a => Assert.DoesNotMatch("NaN|Infinity|∞", a.Value));
        Assert.DoesNotMatch("NaN|Infinity|∞", root.Element("body")!.Element("main")!.Value);
        Assert.Contains("not a number", root.Value, StringComparison.Ordinal);
        Assert.Contains("infinity", root.Value, StringComparison.Ordinal);
    }

    [Fact]
    public void Warnings_come_before_the_headline()
    {
        XElement root = Parse(HtmlReport.ToText(SampleRecord.Broken()));
        XElement first = root.Descendants("header").Single().Elements().First();
        Assert.Equal("alert", (string?)first.Attribute("role"));
        Assert.Equal(
            [
                "1 of 1,000 images end in logits that are not finite; they count as wrong.",
                "Values that are not finite first appear at layer2.0.conv2 (1,024 elements); error sizes leave those images out.",
                "Check failed: |arithmetic| within its rounding bound. conv2d at layer2.1.conv1, element 17: 0.4 of at most 0.1",
                "The ledger does not add up: identity residual not a number, at most 1.00e-12 expected.",
            ],
            first.Descendants("li").Select(li => li.Value));
        Assert.DoesNotContain(Parse(HtmlReport.ToText(SampleRecord.Create())).Descendants(), e => (string?)e.Attribute("role") == "alert");
    }

    [Fact]
    public void Headings_descend_without_gaps()
    {
        int[] levels = [.. Parse(HtmlReport.ToText(SampleRecord.Create())).Descendants().Select(e => e.Name.LocalName).Where(n => Regex.IsMatch(n, "^h[1-6]$")).Select(n => n[1] - '0')];
        Assert.Equal(1, levels[0]);
        Assert.Equal(1, levels.Count(l => l == 1));
        Assert.All(levels.Zip(levels.Skip(1)), pair => Assert.True(pair.Second <= pair.First + 1));
    }

    [Fact]
    public void Page_is_the_same_in_every_culture()
    {
        string expected = HtmlReport.ToText(SampleRecord.Broken());
        CultureInfo before = CultureInfo.CurrentCulture;
        try
        {
            CultureInfo.CurrentCulture = new CultureInfo("de-DE");
            Assert.Equal(expected, HtmlReport.ToText(SampleRecord.Broken()));
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }

        Assert.DoesNotContain('\r', expected);
    }

    [Fact]
    public void Page_of_the_whole_test_set_stays_below_a_megabyte()
    {
        RunRecord sample = SampleRecord.Create();
        RunRecord large = sample with
        {
            Images = 10_000,
            Flips = [.. Enumerable.Range(0, 9_000).Select(i => new Flip(i, i % 10, i % 10, (i + 1) % 10))],
            ErrorCurve = [.. Enumerable.Range(0, 200_001).Select(i => new CurvePoint(i / 100_000.0 - 1, Math.Sin(i * 0.37) / 256))],
        };
        Assert.InRange(Encoding.UTF8.GetByteCount(HtmlReport.ToText(large)), 1, 1_000_000);
        Assert.Contains("The first 200 of 9,000 are shown", HtmlReport.ToText(large), StringComparison.Ordinal);
    }

    private static XElement Section(XElement root, string id) => root.Descendants("section").Single(s => (string?)s.Attribute("id") == id);

    private static XElement Parse(string page) => XDocument.Parse(page, LoadOptions.PreserveWhitespace).Root!;
}
