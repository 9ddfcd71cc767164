using System.Globalization;
using System.Xml.Linq;
using PannCore.Reports;
using Xunit;

namespace PannCore.Tests.Reports;

public sealed class SeriesPlotTests
{
    private static readonly XNamespace Svg = "http://www.w3.org/2000/svg";

    private static readonly PlotPanel Left = new(
        "left", "x", "y", [new("joined", [new(0, 10), new(1, 20), new(2, double.NaN), new(4, 50, "last", 45, 55)], Joined: true), new("alone", [new(3, 30, "here")], Joined: false)]);

    private static readonly PlotPanel Right = new("right", "u", "v", [new("alone", [new(7, 0.5), new(8, 0.9)], Joined: false)], Lowest: 0.8);

    [Fact]
    public void Points_stand_where_their_figures_are()
    {
        XDocument drawing = Draw([Left, Right]);
        XElement[] points = [.. drawing.Descendants(Svg + "g")];
        Assert.Equal(["joined: 0, 10", "joined: 1, 20", "joined, last: 4, 50 (45 to 55)", "alone, here: 3, 30", "alone: 7, 0.5", "alone: 8, 0.9"], points.Select(g => g.Element(Svg + "title")!.Value));
        double[] x = [.. points.Select(g => At(g, "cx"))], y = [.. points.Select(g => At(g, "cy"))];
        // Linear axes: equal ratios, to the drawing's two digits.
        Assert.Equal((x[1] - x[0]) * 4, x[2] - x[0], 0.1);
        Assert.Equal((y[1] - y[0]) * 4, y[2] - y[0], 0.1);
        Assert.Equal(y[0] + (2 * (y[1] - y[0])), y[3], 0.1);
        XElement bar = points[2].Element(Svg + "line")!;
        Assert.Equal((y[1] - y[0]) / 2, Number(bar, "y2") - y[2], 0.1);
        // Below the least shown: on the edge, below the other.
        double bottom = drawing.Descendants(Svg + "path").Where(p => (string?)p.Attribute("class") == "axis").Select(p => p.Attribute("d")!.Value).Select(d => double.Parse(d[(d.IndexOf('V', StringComparison.Ordinal) + 1)..d.IndexOf('H', StringComparison.Ordinal)], CultureInfo.InvariantCulture)).Last();
        Assert.Equal(bottom, y[4], 0.1);
        Assert.True(y[5] < bottom);
        // The line ends before what is no number and begins anew after it.
        string path = drawing.Descendants(Svg + "path").Single(p => (string?)p.Attribute("class") == "joined").Attribute("d")!.Value;
        Assert.Matches("^M[^LM]+L[^LM]+M[^LM]+$", path);
        Assert.Contains(drawing.Descendants(Svg + "text"), text => text.Value == "here");
    }

    [Fact]
    public void A_series_looks_the_same_in_every_panel_and_the_legend()
    {
        XDocument drawing = Draw([Left, Right]);
        string[] alone = [.. drawing.Descendants(Svg + "g").Where(g => g.Element(Svg + "title")!.Value.StartsWith("alone", StringComparison.Ordinal)).Select(g => g.Element(Svg + "circle")!.Attribute("style")!.Value)];
        Assert.Single(alone.Distinct());
        XElement[] legend = [.. drawing.Root!.Elements(Svg + "circle")];
        Assert.Equal(2, legend.Length);
        Assert.Equal(alone[0], legend[1].Attribute("style")!.Value);
    }

    [Fact]
    public void Of_many_points_a_curve_is_drawn_and_no_marks()
    {
        XDocument drawing = Draw([new("curve", "x", "y", [new("many", [.. Enumerable.Range(0, 101).Select(i => new PlotPoint(i, i * i))], Joined: true)])]);
        Assert.Empty(drawing.Descendants(Svg + "g"));
        Assert.Equal(100, drawing.Descendants(Svg + "path").Single(p => (string?)p.Attribute("class") == "joined").Attribute("d")!.Value.Count(c => c == 'L'));
    }

    [Fact]
    public void It_is_the_same_in_every_culture_and_without_data()
    {
        CultureInfo before = CultureInfo.CurrentCulture;
        string here = Text([Left, Right]);
        try
        {
            CultureInfo.CurrentCulture = CultureInfo.GetCultureInfo("de-DE");
            Assert.Equal(here, Text([Left, Right]));
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
        Assert.Empty(Draw([]).Descendants(Svg + "g"));
        Assert.Empty(Draw([new("empty", "x", "y", [])]).Descendants(Svg + "g"));
    }

    private static double At(XElement g, string name) => Number(g.Element(Svg + "circle")!, name);

    private static double Number(XElement element, string name) => double.Parse(element.Attribute(name)!.Value, CultureInfo.InvariantCulture);

    private static XDocument Draw(IReadOnlyList<PlotPanel> panels) => XDocument.Parse(Text(panels));

    private static string Text(IReadOnlyList<PlotPanel> panels)
    {
        using var writer = new StringWriter();
        SeriesPlot.Write(writer, "title", "note", panels);
        return writer.ToString();
    }
}
