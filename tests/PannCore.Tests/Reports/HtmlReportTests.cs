using System.Buffers.Binary;
using System.Globalization;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
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

    [Fact]
    public void Where_every_image_exploded_the_page_says_so_and_has_no_figures_that_are_none()
    {
        ErrorSize none = new(double.NaN, double.NaN, double.NaN);
        RunRecord full = SampleRecord.Full();
        RunRecord record = full with
        {
            ExplodedImages = full.Images,
            Operations = [.. full.Operations.Select(o => o with { Total = none, Approximation = none, Arithmetic = none, Inherited = none, IdealRms = double.NaN, SqnrDb = double.NaN, Cosine = null, Gain = null, RelativeGain = null, Branches = null, Spread = null, Accumulated = null })],
            Sweep = full.Sweep! with { Steps = [.. full.Sweep.Steps.Select(s => s with { Accuracy = 0, Operations = [.. s.Operations.Select(o => o with { Injected = double.NaN, Inherited = double.NaN, Total = double.NaN })] })] },
            Inside = null,
            Bounds = null,
            Causes = null,
            Layers = [],
            Ranging = null,
            OtherArithmetic = null,
        };
        XElement root = Parse(HtmlReport.ToText(record));
        Assert.Contains("No image is left to measure errors on", Section(root, "ledger").Value, StringComparison.Ordinal);
        Assert.Contains("No image is left to measure errors on", Section(root, "depth").Value, StringComparison.Ordinal);
        Assert.Empty(Section(root, "ledger").Descendants("table"));
        Assert.DoesNotContain("Every operation at every precision", Section(root, "sweep").Value, StringComparison.Ordinal);
        Assert.DoesNotContain("not a number", Section(root, "network").Value, StringComparison.Ordinal);

        static XElement Section(XElement root, string id) => root.Descendants("section").Single(s => s.Attribute("id")?.Value == id);
    }

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
        foreach (string loader in (string[])["image", "iframe", "object", "embed", "video", "audio", "source", "base", "form", "use", "foreignObject"])
            Assert.DoesNotContain(loader, elements);
        foreach (XAttribute attribute in root.DescendantsAndSelf().Attributes())
        {
            if (attribute.Name.LocalName == "src") Assert.StartsWith("data:image/png;base64,", attribute.Value, StringComparison.Ordinal);
            Assert.DoesNotContain(attribute.Name.LocalName, (string[])["srcset", "style", "action", "background", "xmlns"]);
            Assert.False(attribute.Name.LocalName.StartsWith("on", StringComparison.Ordinal), attribute.ToString());
            if (attribute.Name.LocalName == "href") Assert.True(attribute.Value == "data:," || attribute.Value.StartsWith('#'), attribute.ToString());
        }

        string style = root.Descendants("style").Single().Value, script = Script(root).Value;
        foreach (string loader in (string[])["http:", "https:", "//www", "src=", "url(", "@import", "@font-face", "fetch(", "XMLHttpRequest", "import(", "innerHTML", "eval("])
            Assert.DoesNotContain(loader, style + script, StringComparison.Ordinal);
    }

    [Fact]
    public void Page_names_no_address_at_all()
    {
        string page = HtmlReport.ToText(SampleRecord.Full());
        Assert.Contains(" src=\"data:image/png;base64,", page, StringComparison.Ordinal);
        page = page.Replace(" src=\"data:image/png;base64,", "", StringComparison.Ordinal);
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
            $"style-src 'sha256-{Hash(root.Descendants("style").Single())}'", $"script-src 'sha256-{Hash(Script(root))}'",
        ];
        Assert.Equal(expected, policy.Split("; "));

        static string Hash(XElement element) => Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(element.Value)));
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
        Assert.Equal(record.Operations.Select(o => o.Path), root.Descendants("article").Select(a => a.Element("h3")!.Nodes().OfType<XText>().First().Value.TrimEnd()));
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
        Assert.Equal([null, "application/json"], root.Descendants("script").Select(s => (string?)s.Attribute("type")).Order());
        Assert.DoesNotContain("<img src=x", page, StringComparison.Ordinal);
        Assert.DoesNotContain("--><b>", page, StringComparison.Ordinal);
        Assert.DoesNotContain("</style></svg>", page, StringComparison.Ordinal);
        Assert.Single(Regex.Matches(page, "</style>"));
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
                "Check failed: identity. largest residual 0.5 of the largest term",
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
    public void Page_of_the_whole_test_set_stays_below_three_megabytes()
    {
        RunRecord sample = SampleRecord.Full();
        byte[] noise = new byte[3072];
        RunRecord large = sample with
        {
            Images = 10_000,
            Flips = [.. Enumerable.Range(0, 9_000).Select(i => new Flip(i, i % 10, i % 10, (i + 1) % 10))],
            ErrorCurve = [.. Enumerable.Range(0, 200_001).Select(i => new CurvePoint(i / 100_000.0 - 1, Math.Sin(i * 0.37) / 256))],
            Pictures = Enumerable.Range(0, 9_000).ToDictionary(i => i, i => (ReadOnlyMemory<byte>)noise.Select((_, p) => (byte)(2654435761u * (uint)(3072 * i + p) >> 24)).ToArray()),
        };
        Assert.InRange(Encoding.UTF8.GetByteCount(HtmlReport.ToText(large)), 1, 3_000_000);
        Assert.InRange(Encoding.UTF8.GetByteCount(HtmlReport.ToText(sample)), 1, 1_000_000);
        Assert.Contains("The first 200 of 9,000 are shown", HtmlReport.ToText(large), StringComparison.Ordinal);
    }

    /// <summary>No two figures of a row are the same, so that none can stand in the place of another.</summary>
    [Fact]
    public void Tables_of_studies_have_their_figures_in_their_places()
    {
        RunRecord full = SampleRecord.Full();
        XElement root = Parse(HtmlReport.ToText(full with
        {
            Ranging = full.Ranging! with { Layers = [new("relu", Range: 8, Largest: 2, WorstImage: 31, OutOfRange: 5, RootImages: 6, ConsequenceImages: 7)] },
            Bounds = full.Bounds! with { Operations = [new("conv1", "conv2d", Measured: 0.5, Bound: 3, Looseness: 6, APriori: 40)] },
            OtherArithmetic = full.OtherArithmetic! with { Operations = [new("conv1", "conv2d", SignalRms: 8, Injected: new(9, Rms: 2, -1), Inherited: new(9, Rms: 1, 0), Accumulated: new(9, Rms: 4, 0))] },
            Inside = [full.Inside![0] with { Path = "relu", Activation = "direct:4", Range = 8, Counts = [1, 2], Below = 5, Above = 6, BiasShare = 0.25, Channels = [], Stages = [] }],
        }));
        Assert.Equal(["", "25.0 %", "4.00", "8.00", "2.00", "31", "5", "6", "7"], Cells("ranges"));
        Assert.Equal(["0.500", "3.00", "6.00", "40.0"], Cells("bounds"));
        Assert.Equal(["", "25.0 %", "0.500", "12.5 %", "50.0 %"], Cells("arithmetic"));
        Assert.Equal(["direct:4", "8.00", "14", "5", "6", "25.0 %", "–"], Cells("inside"));

        string[] Cells(string section) => [.. Section(root, section).Descendants("tbody").First().Elements("tr").First().Elements("td").Select(cell => cell.Value.Replace('\u00A0', ' '))];
    }

    [Fact]
    public void Sections_follow_what_was_measured()
    {
        string[] always = ["network", "ledger", "depth", "polynomial", "activations", "layers", "checks", "flips", "glossary"];
        Assert.Equal(always, Ids(SampleRecord.Create()));
        Assert.Equal([.. always[..3], "sweep", "polynomial", "inside", .. always[4..6], "ranges", "bounds", "arithmetic", .. always[6..]], Ids(SampleRecord.Full()));
        Assert.Equal(["network", "ledger", "depth", "activations", "checks", "flips", "glossary"], Ids(SampleRecord.Relu()));
        Assert.Equal(["ledger", "polynomial", "checks", "flips", "glossary"], Ids(SampleRecord.Empty()));
        XElement relu = Parse(HtmlReport.ToText(SampleRecord.Relu()));
        Assert.DoesNotContain("in units of its range B", relu.Value, StringComparison.Ordinal);
        Assert.DoesNotContain("injected by the polynomial", relu.Value, StringComparison.Ordinal);

        static string[] Ids(RunRecord record)
        {
            XElement root = Parse(HtmlReport.ToText(record));
            string[] ids = [.. root.Descendants("section").Select(s => s.Attribute("id")!.Value)];
            Assert.Equal(ids.Select(id => "#" + id), root.Descendants("nav").Descendants("a").Select(a => a.Attribute("href")!.Value));
            return ids;
        }
    }

    [Fact]
    public void Diagnoses_come_before_all_other_warnings()
    {
        RunRecord record = SampleRecord.Broken() with { Diagnoses = ["The normalisation is the wrong one; say --normalize cifar10."] };
        XElement first = Parse(HtmlReport.ToText(record)).Descendants("main").Single().Descendants().Skip(1).First();
        Assert.Equal("alert", (string?)first.Attribute("role"));
        Assert.Equal(record.Diagnoses[0], first.Descendants("li").First().Value);
        Assert.Equal(5, first.Descendants("li").Count());
    }

    [Fact]
    public void No_line_ends_between_a_number_and_its_per_cent_sign()
    {
        XElement body = Parse(HtmlReport.ToText(SampleRecord.Full() with { Command = "pann inspect --note '5 % more'" })).Element("body")!;
        Assert.All(body.DescendantNodes().OfType<XText>().Where(t => t.Parent!.Name != "pre"), t => Assert.DoesNotMatch("[0-9] %", t.Value));
        Assert.Contains("92.1\u00A0%", body.Value, StringComparison.Ordinal);
        Assert.Contains("--note '5 % more'", body.Value, StringComparison.Ordinal); // to be copied
    }

    [Fact]
    public void Map_is_coloured_by_the_share_that_it_says()
    {
        double[] ratios = [0, 9e-4, 0.002, 0.02, 0.05, 0.15, 0.4, 0.7, 1.5, 2, 1e9, double.PositiveInfinity, double.NaN];
        RunRecord sample = SampleRecord.Create();
        RunRecord record = sample with { Operations = [.. ratios.Select((r, i) => sample.Operations[i] with { IdealRms = 1, Total = new ErrorSize(r, r, 0) })] };
        XElement[] cells = [.. Parse(HtmlReport.ToText(record)).Descendants("div").Single(d => (string?)d.Attribute("id") == "map").Descendants("a")];
        Assert.Equal(["h0", "h0", "h1", "h2", "h3", "h4", "h5", "h6", "h7", "h8", "h8", "h8", "hx"], cells.Select(c => c.Attribute("class")!.Value.Split(' ')[1]));
        Assert.Equal(
            ["0\u00A0%", "0.0900\u00A0%", "0.200\u00A0%", "2.00\u00A0%", "5.00\u00A0%", "15.0\u00A0%", "40.0\u00A0%", "70.0\u00A0%", "150\u00A0%", "200\u00A0%", "1.00e9 times", "not finite", "not finite"],
            cells.Select(c => c.Element("b")!.Value));
        Assert.Equal(Enumerable.Range(0, ratios.Length).Select(i => $"#op-{i}"), cells.Select(c => c.Attribute("href")!.Value));
    }

    [Fact]
    public void Script_gets_the_texts_and_colours_of_every_precision()
    {
        RunRecord record = SampleRecord.Full();
        XElement root = Parse(HtmlReport.ToText(record));
        using JsonDocument data = JsonDocument.Parse(root.Descendants("script").Single(s => (string?)s.Attribute("id") == "data").Value);
        Assert.Equal(4, data.RootElement.GetProperty("start").GetInt32());
        JsonElement[] steps = [.. data.RootElement.GetProperty("steps").EnumerateArray()];
        Assert.Equal(record.Sweep!.Steps.Select(s => s.Activation), steps.Select(s => s.GetProperty("name").GetString()));
        Assert.Equal(Enumerable.Range(0, 9), steps.Select(s => s.GetProperty("row").GetInt32()));

        // What was inspected is what the page shows without the script; the others are the sweep's.
        XElement[] cells = [.. root.Descendants("div").Single(d => (string?)d.Attribute("id") == "map").Descendants("a")];
        Assert.Equal(cells.Select(c => c.Element("b")!.Value), Texts(4, "total"));
        Assert.Equal(string.Concat(cells.Select(c => c.Attribute("class")!.Value.Split(' ')[1][1])), Colours(4, "total"));
        foreach (int k in (int[])[0, 8])
        {
            foreach (var (cause, value) in new (string, Func<SweepOperation, double>)[] { ("total", o => o.Total), ("injected", o => o.Injected), ("inherited", o => o.Inherited) })
            {
                double[] expected = [.. record.Sweep.Steps[k].Operations.Select(value)];
                Assert.Equal(expected.Select(r => Figures.Ratio(r).Replace(" %", "\u00A0%", StringComparison.Ordinal)), Texts(k, cause));
                Assert.Equal(string.Concat(expected.Select(r => new[] { 0.001, 0.01, 0.03, 0.1, 0.2, 0.5, 1, 2 }.Count(end => r >= end))), Colours(k, cause));
            }
        }

        // A polynomial that the sweep does not contain takes its place among them by its precision.
        using JsonDocument other = JsonDocument.Parse(Parse(HtmlReport.ToText(record with { Activation = "direct:16", Log2MaxError = -6.83 })).Descendants("script").First().Value);
        Assert.Equal(3, other.RootElement.GetProperty("start").GetInt32());
        Assert.Equal(10, other.RootElement.GetProperty("steps").GetArrayLength());

        IEnumerable<string?> Texts(int step, string cause) => steps[step].GetProperty(cause).GetProperty("texts").EnumerateArray().Select(t => t.GetString());
        string Colours(int step, string cause) => steps[step].GetProperty(cause).GetProperty("colours").GetString()!;
    }

    [Fact]
    public void A_sweep_without_operations_has_accuracies_and_no_heat_map()
    {
        RunRecord record = SampleRecord.Full();
        record = record with { Sweep = record.Sweep! with { Steps = [.. record.Sweep.Steps.Select(s => s with { Operations = [] })] } };
        XElement root = Parse(HtmlReport.ToText(record)), sweep = Section(root, "sweep");
        Assert.DoesNotContain(sweep.Descendants("svg"), s => ((string)s.Attribute("class")!).Contains("heat", StringComparison.Ordinal));
        Assert.Single(sweep.Descendants("table"));
        using JsonDocument data = JsonDocument.Parse(root.Descendants("script").First().Value);
        JsonElement coarsest = data.RootElement.GetProperty("steps")[0].GetProperty("total");
        Assert.Equal(new string('x', 70), coarsest.GetProperty("colours").GetString());
        Assert.All(coarsest.GetProperty("texts").EnumerateArray(), t => Assert.Equal("–", t.GetString()));
    }

    [Fact]
    public void A_margin_of_an_exploding_setting_does_not_flatten_the_others()
    {
        RunRecord record = SampleRecord.Full();
        LayerCause[] layers = [.. record.Causes!.Layers];
        layers[7] = layers[7] with { Backward = layers[7].Backward with { Margin = -8e20 } };
        XElement before = Section(Parse(HtmlReport.ToText(record)), "layers"), after = Section(Parse(HtmlReport.ToText(record with { Causes = record.Causes with { Layers = layers } })), "layers");
        double Bar(XElement section, int row) => double.Parse(section.Descendants("tbody").Elements("tr").ElementAt(row).Descendants("rect").Single().Attribute("width")!.Value, CultureInfo.InvariantCulture);
        Assert.InRange(Bar(after, 11), 0.4 * Bar(before, 11), Bar(before, 11));
        Assert.Contains("so do the backward ones (residual 2.80e-12)", before.Value, StringComparison.Ordinal);
        Assert.Contains(
            "the backward ones miss it by up to 65.9",
            Section(Parse(HtmlReport.ToText(record with { Causes = record.Causes with { BackwardResidual = 65.9 } })), "layers").Value, StringComparison.Ordinal);
        Assert.DoesNotContain("beyond it", before.Value, StringComparison.Ordinal);
        Assert.Contains("beyond it", after.Value, StringComparison.Ordinal);
    }

    [Fact]
    public void Pictures_hold_the_pixels_of_their_images()
    {
        RunRecord record = SampleRecord.Full();
        XElement[] images = [.. Section(Parse(HtmlReport.ToText(record)), "flips").Descendants("img")];
        Flip[] pictured = [.. record.Flips.Where(f => record.Pictures.ContainsKey(f.Image))];
        Assert.Equal(pictured.Length, images.Length);
        foreach (var (flip, image) in pictured.Zip(images))
            Assert.Equal(record.Pictures[flip.Image].ToArray(), Planes(Convert.FromBase64String(image.Attribute("src")!.Value["data:image/png;base64,".Length..])));
    }

    [Fact]
    public void A_picture_of_another_size_is_left_out()
    {
        RunRecord record = SampleRecord.Full();
        record = record with { Pictures = record.Pictures.ToDictionary(p => p.Key, p => (ReadOnlyMemory<byte>)new byte[3071]) };
        Assert.Empty(Section(Parse(HtmlReport.ToText(record)), "flips").Descendants("img"));
    }

    [Fact]
    public void Accumulated_error_stands_apart_from_what_is_injected()
    {
        XElement[] panels = [.. Parse(HtmlReport.ToText(SampleRecord.Full())).Descendants("article")];
        Assert.All(panels, panel =>
        {
            XElement aside = panel.Elements("div").Single(d => (string?)d.Attribute("class") == "aside");
            Assert.Contains("never to be added", aside.Value, StringComparison.Ordinal);
            Assert.DoesNotContain("ccumulated", string.Concat(panel.Elements().Where(e => e != aside).Select(e => e.Value)), StringComparison.Ordinal);
        });
    }

    // Back from PNG, by its specification: no chunk but the three, filter 1 in every row, and the check sum of an empty IEND that every PNG ends in.
    private static byte[] Planes(byte[] png)
    {
        Assert.Equal([0x89, 0x50, 0x4E, 0x47, 13, 10, 26, 10, 0, 0, 0, 13, .. "IHDR"u8, 0, 0, 0, 32, 0, 0, 0, 32, 8, 2, 0, 0, 0], png[..29]);
        Assert.Equal([0, 0, 0, 0, .. "IEND"u8, 0xAE, 0x42, 0x60, 0x82], png[^12..]);
        int length = BinaryPrimitives.ReadInt32BigEndian(png.AsSpan(33));
        Assert.Equal([.. "IDAT"u8], png[37..41]);
        Assert.Equal(png.Length, 41 + length + 4 + 12);
        using ZLibStream rows = new(new MemoryStream(png, 41, length), CompressionMode.Decompress);
        byte[] planes = new byte[3072], row = new byte[97];
        for (int y = 0; y < 32; y++)
        {
            rows.ReadExactly(row);
            Assert.Equal(1, row[0]);
            for (int i = 1; i < row.Length; i++)
            {
                if (i > 3) row[i] += row[i - 3];
                planes[1024 * ((i - 1) % 3) + 32 * y + (i - 1) / 3] = row[i];
            }
        }

        Assert.Equal(-1, rows.ReadByte());
        return planes;
    }

    private static XElement Script(XElement root) => root.Descendants("script").Single(s => s.Attribute("type") is null);

    private static XElement Section(XElement root, string id) => root.Descendants("section").Single(s => (string?)s.Attribute("id") == id);

    private static XElement Parse(string page) => XDocument.Parse(page, LoadOptions.PreserveWhitespace).Root!;
}
