using System.Globalization;

namespace PannCore.Reports;

/// <summary>A point of a plot.</summary>
/// <param name="X">Across.</param>
/// <param name="Y">Up.</param>
/// <param name="Label">Told when it is pointed at.</param>
/// <param name="Low">Lower end of a bar through it; null for none.</param>
/// <param name="High">Upper end.</param>
/// <param name="Labelled">Whether the label is drawn too: beside the point or, where there is no room, farther off at the end of a line; not at all where there is none either.</param>
public sealed record PlotPoint(double X, double Y, string Label = "", double? Low = null, double? High = null, bool Labelled = true)
{
    /// <summary>The mean of some values, with a bar from the least to the greatest.</summary>
    public static PlotPoint Mean(double x, IReadOnlyCollection<double> values) => new(x, values.Average(), Low: values.Min(), High: values.Max());
}

/// <summary>Points of one kind.</summary>
/// <param name="Name">In the legend.</param>
/// <param name="Points">The points; those that are not finite are left out, and no line goes across them.</param>
/// <param name="Joined">Whether a line joins them in their order.</param>
public sealed record PlotSeries(string Name, IReadOnlyList<PlotPoint> Points, bool Joined)
{
    /// <summary>Whether it is drawn as a curve, without its points: there are so many of them that they would hide it.</summary>
    internal bool IsCurve => Joined && Points.Count > 100;
}

/// <summary>One pair of axes.</summary>
/// <param name="Title">Above it.</param>
/// <param name="Across">What x is.</param>
/// <param name="Up">What y is.</param>
/// <param name="Series">What is drawn; a series of the same name looks the same in every panel.</param>
/// <param name="Lowest">The least y shown: points below lie on the edge; null shows all.</param>
public sealed record PlotPanel(string Title, string Across, string Up, IReadOnlyList<PlotSeries> Series, double? Lowest = null);

/// <summary>
/// Experiments as one self-contained SVG that follows the reader's light or dark setting: panels side by side, two in a row, an odd last one over the whole width. The same data give the same text in every culture.
/// </summary>
public static class SeriesPlot
{
    private const double Width = 1100, Left = 62, Gap = 34, PanelTop = 34, PanelBottom = 48, PanelHeight = 300, LegendLine = 20, LegendTop = 66;

    private static readonly string[] Colours = ["--approximation", "--inherited", "--arithmetic", "--ink", "--bad", "--soft"];

    /// <summary>Writes the drawing; the writer should encode UTF-8.</summary>
    /// <param name="writer">Where to.</param>
    /// <param name="title">What is shown.</param>
    /// <param name="note">A line of explanation.</param>
    /// <param name="panels">The panels.</param>
    public static void Write(TextWriter writer, string title, string note, IReadOnlyList<PlotPanel> panels)
    {
        ArgumentNullException.ThrowIfNull(writer);
        ArgumentNullException.ThrowIfNull(panels);
        string[] names = [.. panels.SelectMany(panel => panel.Series).Select(series => series.Name).Distinct()];
        (string Name, double X, double Y)[] legend = Legend(names);
        double header = legend.Length == 0 ? LegendTop : legend[^1].Y + 20, width = (Width - Gap) / 2;
        int rows = (panels.Count + 1) / 2;
        double height = header + (rows * (PanelTop + PanelHeight + PanelBottom)) + 8;
        using (Markup svg = new(writer))
        using (svg.Drawing(("viewBox", $"0 0 {Markup.Coordinate(Width)} {Markup.Coordinate(height)}"), ("width", Width), ("height", height), ("role", "img"), ("aria-labelledby", "name text")))
        {
            svg.Element("title", title, ("id", "name"));
            svg.Element("desc", note, ("id", "text"));
            svg.Verbatim("style", PageStyle.Palette + PageStyle.Drawing + Style);
            svg.Empty("rect", ("class", "paper"), ("width", "100%"), ("height", "100%"));
            svg.Element("text", title, ("class", "strong head"), ("x", 16), ("y", 28));
            svg.Element("text", note, ("x", 16), ("y", 48));
            foreach ((string name, double x, double y) in legend)
            {
                svg.Line();
                Mark(svg, Array.IndexOf(names, name), x, y - 4);
                svg.Element("text", name, ("x", x + 11), ("y", y));
            }
            for (int i = 0; i < panels.Count; i++)
            {
                svg.Line();
                double span = i % 2 == 0 && i == panels.Count - 1 ? Width : width; // The last one alone in its row.
                double left = Left + (i % 2 * (width + Gap)), top = header + (i / 2 * (PanelTop + PanelHeight + PanelBottom)) + PanelTop;
                Panel(svg, panels[i], names, left, left + span - Left - 18, top, top + PanelHeight);
            }
        }

        writer.Write('\n');
    }

    private static (string Name, double X, double Y)[] Legend(IReadOnlyList<string> names)
    {
        var places = new List<(string, double, double)>();
        double x = 22, y = LegendTop + 6;
        foreach (string name in names)
        {
            double length = 34 + (LabelPlaces.CharacterWidth * name.Length);
            if (x + length > Width && x > 22) (x, y) = (22, y + LegendLine);
            places.Add((name, x, y));
            x += length;
        }
        return [.. places];
    }

    private static void Panel(Markup svg, PlotPanel panel, string[] names, double left, double right, double top, double bottom)
    {
        (PlotSeries Series, PlotPoint[] Points)[] all = [.. panel.Series.Select(series => (series, series.Points.Where(IsFinite).ToArray()))];
        PlotPoint[] points = [.. all.SelectMany(pair => pair.Points)];
        double lowest = panel.Lowest ?? (points.Length == 0 ? 0 : points.Min(point => point.Low ?? point.Y)), highest = points.Length == 0 ? 1 : points.Max(point => point.High ?? point.Y);
        Axis x = Axis.Between(points.Length == 0 ? 0 : points.Min(point => point.X), points.Length == 0 ? 1 : points.Max(point => point.X), left, right), y = Axis.Between(lowest, highest, bottom, top);
        svg.Element("text", panel.Title, ("class", "strong"), ("x", left), ("y", top - 12));
        foreach (double tick in x.Ticks)
        {
            svg.Empty("line", ("class", "grid"), ("x1", x.At(tick)), ("x2", x.At(tick)), ("y1", top), ("y2", bottom));
            svg.Element("text", Figures.Tick(tick), ("class", "middle"), ("x", x.At(tick)), ("y", bottom + 16));
        }
        foreach (double tick in y.Ticks)
        {
            svg.Empty("line", ("class", "grid"), ("x1", left), ("x2", right), ("y1", y.At(tick)), ("y2", y.At(tick)));
            svg.Element("text", Figures.Tick(tick), ("class", "end"), ("x", left - 7), ("y", y.At(tick) + 4));
        }
        svg.Empty("path", ("class", "axis"), ("d", $"M{Markup.Coordinate(left)} {Markup.Coordinate(top)}V{Markup.Coordinate(bottom)}H{Markup.Coordinate(right)}"));
        svg.Element("text", panel.Across, ("class", "end"), ("x", right), ("y", bottom + 34));
        svg.Element("text", panel.Up, ("x", left), ("y", bottom + 34));

        foreach ((PlotSeries series, PlotPoint[] places) in all)
        {
            int number = Array.IndexOf(names, series.Name);
            if (series.Joined && places.Length > 1)
                svg.Empty("path", ("class", "joined"), ("style", $"stroke: var({Colour(number)})"), ("d", Line(series.Points, x, y)));
            if (series.IsCurve) continue;
            foreach (PlotPoint point in places)
            {
                using (svg.Open("g"))
                {
                    svg.Element("title", Told(series, point));
                    if (point is { Low: double low, High: double high })
                        svg.Empty("line", ("style", $"stroke: var({Colour(number)})"), ("x1", x.At(point.X)), ("x2", x.At(point.X)), ("y1", y.At(low)), ("y2", y.At(high)));
                    Mark(svg, number, x.At(point.X), y.At(point.Y));
                }
            }
        }
        var labels = new LabelPlaces(left, right, top, bottom, points.SelectMany(point => Covered(point, x, y)));
        // From the right: points near the edge have the fewest places for a label.
        foreach (PlotPoint point in points.Where(point => point.Labelled && point.Label.Length > 0).OrderByDescending(point => point.X)) labels.Write(svg, (x.At(point.X), y.At(point.Y)), point.Label);
    }

    /// <summary>A point and, every eight pixels, its bar: no label may lie there.</summary>
    private static IEnumerable<(double X, double Y)> Covered(PlotPoint point, Axis x, Axis y)
    {
        yield return (x.At(point.X), y.At(point.Y));
        if (point is not { Low: double low, High: double high }) yield break;
        for (double at = y.At(high); at <= y.At(low); at += 8) yield return (x.At(point.X), at);
    }

    private static bool IsFinite(PlotPoint point) => double.IsFinite(point.X) && double.IsFinite(point.Y);

    private static string Line(IReadOnlyList<PlotPoint> points, Axis x, Axis y)
        => string.Concat(points.Select((point, i) => IsFinite(point) ? $"{(i > 0 && IsFinite(points[i - 1]) ? 'L' : 'M')}{Markup.Coordinate(x.At(point.X))} {Markup.Coordinate(y.At(point.Y))}" : ""));

    private static string Told(PlotSeries series, PlotPoint point)
        => string.Create(CultureInfo.InvariantCulture, $"{series.Name}{(point.Label.Length > 0 ? ", " + point.Label : "")}: {point.X:0.##}, {point.Y:0.##}{(point is { Low: double low, High: double high } ? $" ({low:0.##} to {high:0.##})" : "")}");

    /// <summary>Colours first, then the same with hollow marks: no two series of a dozen look the same.</summary>
    private static void Mark(Markup svg, int number, double x, double y)
    {
        string colour = Colour(number);
        svg.Empty("circle", ("style", number < Colours.Length ? $"fill: var({colour})" : $"fill: var(--paper); stroke: var({colour}); stroke-width: 1.5"), ("cx", x), ("cy", y), ("r", 4));
    }

    private static string Colour(int number) => Colours[number % Colours.Length];

    private static readonly string Style = """
        text { font-family: system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
        .paper { fill: var(--paper); }
        svg .head { font-size: 19px; }
        .joined { stroke-width: 1.6; fill: none; stroke-linejoin: round; }
        g:hover > circle { stroke: var(--ink); stroke-width: 2; }

        """.ReplaceLineEndings("\n");
}
