using System.Globalization;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using PannCore.Approximation;
using PannCore.Reports;
using PannCore.Tests.Approximation;
using Xunit;

namespace PannCore.Tests.Reports;

public partial class FrontierPlotTests
{
    private static readonly XNamespace Svg = "http://www.w3.org/2000/svg";

    private static readonly Lazy<Frontier> Sample = new(() => Frontier.Of(
        [.. new[] { "composite:alpha=7", "composite:alpha=9", "composite:15,31", "direct:2", "direct:16", "direct:254" }.Select(ActivationSpec.Parse)],
        [InputDensity.Gaussian(8), InputDensity.Gaussian(16)], 1));

    [Fact]
    public void Every_polynomial_is_a_point_with_its_figures_in_every_panel()
    {
        var drawing = XDocument.Parse(FrontierPlot.ToText(Sample.Value));
        Assert.Equal(Svg + "svg", drawing.Root!.Name);
        Assert.All(drawing.Descendants(), element => Assert.Equal(Svg, element.Name.Namespace));
        string[] titles = [.. drawing.Descendants(Svg + "g").Select(g => g.Element(Svg + "title")!.Value)];
        foreach (FrontierRow row in Sample.Value.Rows)
        {
            string title = $"{row.Spec}, degrees {string.Join(',', row.Degrees)}: maximum error 2^";
            Assert.Equal(6, titles.Count(text => text.StartsWith(title, StringComparison.Ordinal)));
            Assert.Equal(6, titles.Count(text => text.EndsWith(FormattableString.Invariant($"{row.Cost.Levels} levels, depth {row.Cost.Depth}, {row.Cost.NonScalarMultiplications} multiplications"), StringComparison.Ordinal)
                && text.StartsWith(title, StringComparison.Ordinal)));
        }

        // Composites are circles, direct polynomials squares.
        Assert.Equal(6 * 3, drawing.Descendants(Svg + "g").Count(g => g.Element(Svg + "circle") is not null));
        Assert.Equal(6 * 3, drawing.Descendants(Svg + "g").Count(g => g.Element(Svg + "rect") is not null));
    }

    [Fact]
    public void Points_stand_where_their_figures_are()
    {
        // In the first panel, RMS against levels, both orders must agree with the data: further right is dearer, lower is less wrong.
        var drawing = XDocument.Parse(FrontierPlot.ToText(Sample.Value));
        (double X, double Y)[] points = [.. drawing.Descendants(Svg + "g").Take(Sample.Value.Rows.Count).Select(Centre)];
        IReadOnlyList<FrontierRow> rows = Sample.Value.Rows;
        for (int i = 0; i < rows.Count; i++)
        {
            for (int j = 0; j < rows.Count; j++)
            {
                Assert.Equal(rows[i].Cost.Levels.CompareTo(rows[j].Cost.Levels), points[i].X.CompareTo(points[j].X));
                Assert.Equal(rows[j].Errors[1].Rms.CompareTo(rows[i].Errors[1].Rms), points[i].Y.CompareTo(points[j].Y));
            }
        }

        static (double, double) Centre(XElement g)
        {
            if (g.Element(Svg + "circle") is { } circle) return (Number(circle, "cx"), Number(circle, "cy"));
            XElement rect = g.Element(Svg + "rect")!;
            return (Number(rect, "x") + Number(rect, "width") / 2, Number(rect, "y") + Number(rect, "height") / 2);
        }

        static double Number(XElement element, string name) => Math.Round(double.Parse(element.Attribute(name)!.Value, CultureInfo.InvariantCulture), 1);
    }

    [Fact]
    public void Coordinates_are_numbers_within_the_drawing()
    {
        // No error at all, an infinite one, and equal points.
        foreach (Frontier frontier in new[] { Sample.Value, FrontierTests.Make(), FrontierTests.Make(("direct:2", 2, 1, double.PositiveInfinity, 0, 0), ("composite:3", 2, 1, 0.1, double.NaN, 1e-300)) })
        {
            var drawing = XDocument.Parse(FrontierPlot.ToText(frontier));
            double[] box = [.. drawing.Root!.Attribute("viewBox")!.Value.Split(' ').Select(text => double.Parse(text, CultureInfo.InvariantCulture))];
            foreach (XAttribute attribute in drawing.Descendants().Attributes().Where(a => a.Name.LocalName is "x" or "y" or "cx" or "cy" or "x1" or "x2" or "y1" or "y2"))
            {
                double value = double.Parse(attribute.Value, CultureInfo.InvariantCulture);
                Assert.InRange(value, 0, attribute.Name.LocalName.Contains('x') ? box[2] : box[3]);
            }

            Assert.All(drawing.Descendants(Svg + "path"), path => Assert.Matches(PathData(), path.Attribute("d")!.Value));
        }
    }

    [Fact]
    public void The_drawing_needs_nothing_from_outside_and_no_culture()
    {
        string text = FrontierPlot.ToText(Sample.Value);
        Assert.DoesNotContain("href", text, StringComparison.Ordinal);
        Assert.DoesNotContain("url(", text, StringComparison.Ordinal);
        Assert.DoesNotContain("<script", text, StringComparison.Ordinal);
        Assert.Contains("prefers-color-scheme: dark", text, StringComparison.Ordinal);
        CultureInfo before = CultureInfo.CurrentCulture;
        try
        {
            CultureInfo.CurrentCulture = new CultureInfo("de-DE");
            Assert.Equal(text, FrontierPlot.ToText(Sample.Value));
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    [Fact]
    public void Labels_do_not_cover_each_other()
    {
        // Text is measured as the drawing measures it: 6.4 a character, 13 high.
        var drawing = XDocument.Parse(FrontierPlot.ToText(Sample.Value));
        (double Left, double Right, double Bottom)[] boxes =
        [
            .. drawing.Descendants(Svg + "text").Where(t => t.Attribute("class")?.Value is { } c && (c.Contains("composite", StringComparison.Ordinal) || c.Contains("direct", StringComparison.Ordinal))).Select(t =>
            {
                double x = double.Parse(t.Attribute("x")!.Value, CultureInfo.InvariantCulture), width = 6.4 * t.Value.Length;
                bool end = t.Attribute("class")!.Value.EndsWith("end", StringComparison.Ordinal);
                return (end ? x - width : x, end ? x : x + width, double.Parse(t.Attribute("y")!.Value, CultureInfo.InvariantCulture));
            }),
        ];
        Assert.True(boxes.Length >= 30, $"only {boxes.Length} labels");
        for (int i = 0; i < boxes.Length; i++)
        {
            for (int j = 0; j < i; j++)
            {
                bool apart = boxes[i].Left >= boxes[j].Right - 0.02 || boxes[j].Left >= boxes[i].Right - 0.02 || Math.Abs(boxes[i].Bottom - boxes[j].Bottom) >= 12.98;
                Assert.True(apart, $"labels {i} and {j}");
            }
        }
    }

    [GeneratedRegex(@"^([MHVLhv][-0-9. ]+)+$")]
    private static partial Regex PathData();
}
