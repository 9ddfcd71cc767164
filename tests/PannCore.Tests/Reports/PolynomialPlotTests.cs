using System.Globalization;
using System.Xml.Linq;
using PannCore.Approximation;
using PannCore.Reports;
using Xunit;

namespace PannCore.Tests.Reports;

public sealed class PolynomialPlotTests
{
    private static readonly XNamespace Svg = "http://www.w3.org/2000/svg";

    /// <summary>|t| is replaced by t^2 + 1/8 in (t + |t|) / 2: the error is (t^2 + 1/8 - |t|) / 2, 1/16 at 0 and at the ends, -1/16 at +-1/2.</summary>
    [Fact]
    public void The_curve_is_the_error()
    {
        using var writer = new StringWriter();
        PolynomialPlot.Write(writer, ActivationSpec.Parse("direct:2").Build());
        var drawing = XDocument.Parse(writer.ToString());
        (double X, double Y)[] curve = Points(drawing.Descendants(Svg + "path").First(p => (string?)p.Attribute("class") == "joined"));
        double left = curve[0].X, right = curve[^1].X, high = curve[0].Y, low = curve.Max(p => p.Y); // y grows downwards.
        Assert.Equal(2000, curve.Length);
        foreach ((double x, double y) in curve)
        {
            double t = (2 * (x - left) / (right - left)) - 1, error = ((t * t) + 0.125 - Math.Abs(t)) / 2;
            // The ends of the curve give the scale; coordinates have two digits, and |error'| is at most 1/2.
            Assert.Equal(high + ((0.0625 - error) / 0.125 * (low - high)), y, 0.03 + (0.02 * (low - high) / (right - left) / 0.125));
        }
    }

    /// <summary>Towards the ends a column holds several ripples, of heights that grow with |t|: each shows its least and its greatest.</summary>
    [Fact]
    public void Ripples_narrower_than_a_column_show_their_height()
    {
        ReluPolynomial polynomial = ActivationSpec.Parse("composite:alpha=14").Build();
        using var writer = new StringWriter();
        PolynomialPlot.Write(writer, polynomial);
        double[] heights = [.. Points(XDocument.Parse(writer.ToString()).Descendants(Svg + "path").First(p => (string?)p.Attribute("class") == "joined")).Select(p => p.Y)];
        Assert.All(heights.TakeLast(100).Chunk(2), column => Assert.True(Math.Abs(column[1] - column[0]) > 0.8 * (heights.Max() - heights.Min())));
    }

    private static (double X, double Y)[] Points(XElement path)
        => [.. path.Attribute("d")!.Value[1..].Split('L').Select(pair => pair.Split(' ')).Select(pair => (double.Parse(pair[0], CultureInfo.InvariantCulture), double.Parse(pair[1], CultureInfo.InvariantCulture)))];
}
