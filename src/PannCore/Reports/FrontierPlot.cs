using System.Text;
using PannCore.Approximation;

namespace PannCore.Reports;

/// <summary>
/// A <see cref="Frontier"/> as one self-contained SVG that follows the reader's light or dark setting: RMS, mean and maximum error against levels and against
/// multiplications. Composites are solid circles, direct polynomials hollow squares; a staircase joins the Pareto set; every point tells its figures when pointed at.
/// The same frontier gives the same text in every culture.
/// </summary>
public static class FrontierPlot
{
    private const double Width = 1100, Header = 112, Left = 62, Gap = 34, PanelTop = 34, PanelBottom = 44;

    // Below this nothing in the drawing could be told apart, and 0 has no logarithm.
    private const int Floor = -24;

    private static readonly (FrontierError Error, string Title, double Height)[] Lines =
    [
        (FrontierError.Rms, "RMS error", 300),
        (FrontierError.Mean, "Bias: |mean error|", 210),
        (FrontierError.Maximum, "Maximum error", 210),
    ];

    private static readonly (FrontierPrice Price, string Title)[] Columns = [(FrontierPrice.Levels, "CKKS levels"), (FrontierPrice.Multiplications, "multiplications of ciphertexts")];

    /// <summary>The drawing as a text.</summary>
    public static string ToText(Frontier frontier)
    {
        using StringWriter writer = new();
        Write(writer, frontier);
        return writer.ToString();
    }

    /// <summary>Writes the drawing; the writer should encode UTF-8.</summary>
    public static void Write(TextWriter writer, Frontier frontier)
    {
        ArgumentNullException.ThrowIfNull(writer);
        ArgumentNullException.ThrowIfNull(frontier);
        double height = Header + Lines.Sum(line => line.Height + PanelTop + PanelBottom) + 12, width = (Width - Gap) / 2;
        using (Markup svg = new(writer))
        using (svg.Drawing(("viewBox", $"0 0 {Markup.Coordinate(Width)} {Markup.Coordinate(height)}"), ("width", Width), ("height", height), ("role", "img"), ("aria-labelledby", "name text")))
        {
            svg.Element("title", "Error of polynomial ReLUs against their price", ("id", "name"));
            svg.Element("desc", Description(frontier), ("id", "text"));
            svg.Verbatim("style", PageStyle.Palette + PageStyle.Drawing + Style);
            svg.Empty("rect", ("class", "paper"), ("width", "100%"), ("height", "100%"));
            Legend(svg, frontier);
            double top = Header;
            foreach (var (error, title, panelHeight) in Lines)
            {
                for (int column = 0; column < Columns.Length; column++)
                {
                    double left = Left + column * (width + Gap);
                    svg.Line();
                    Panel(svg, frontier, error, title, Columns[column].Price, Columns[column].Title, left, left + width - Left - 8, top + PanelTop, top + PanelTop + panelHeight);
                }

                top += panelHeight + PanelTop + PanelBottom;
            }
        }

        writer.Write('\n');
    }

    private static string Description(Frontier frontier)
    {
        string Names(FrontierPrice price) => string.Join(", ", frontier.Pareto(FrontierError.Rms, price).Select(row => row.Spec));
        return $"Inputs {DensityText.Of(frontier.Density)}. No other polynomial has a smaller RMS error at as few levels: {Names(FrontierPrice.Levels)}; at as few multiplications: {Names(FrontierPrice.Multiplications)}.";
    }

    private static void Legend(Markup svg, Frontier frontier)
    {
        svg.Element("text", "What a polynomial ReLU costs, and how wrong it is", ("class", "strong head"), ("x", 16), ("y", 32));
        svg.Element("text", $"Errors in units of the range B, input density {DensityText.Of(frontier.Density)}. Labels are degrees. Lower and further left is better.", ("x", 16), ("y", 54));
        svg.Element("text", "At 0 itself a composite is exact and a direct minimax polynomial has its whole maximum error.", ("x", 16), ("y", 72));
        double y = 92, x = 22;
        foreach (var (family, text) in new[] { (ReluFamily.Composite, "composite: degrees of the stages"), (ReluFamily.Direct, "direct: degree") })
        {
            Mark(svg, family, x, y, true);
            svg.Element("text", text, ("x", x + 11), ("y", y + 4));
            x += 40 + LabelPlaces.CharacterWidth * text.Length;
        }

        svg.Empty("path", ("class", "pareto"), ("d", $"M{Markup.Coordinate(x)} {Markup.Coordinate(y - 5)}h12v8h12"));
        svg.Element("text", "Pareto set: no other is as cheap and less wrong", ("x", x + 32), ("y", y + 4));
    }

    private static void Panel(Markup svg, Frontier frontier, FrontierError error, string title, FrontierPrice price, string priceTitle, double left, double right, double top, double bottom)
    {
        Axis x = Axis.Linear(0, frontier.Rows.Count == 0 ? 1 : frontier.Rows.Max(row => row.Price(price)), left, right);
        Axis y = Axis.Octaves(frontier.Rows.Select(row => frontier.Error(row, error)), Floor, bottom, top);
        svg.Element("text", $"{title} against {priceTitle}", ("class", "strong"), ("x", left), ("y", top - 12));
        foreach (double tick in x.Ticks)
        {
            svg.Empty("line", ("class", "grid"), ("x1", x.At(tick)), ("x2", x.At(tick)), ("y1", top), ("y2", bottom));
            svg.Element("text", Figures.Tick(tick), ("class", "middle"), ("x", x.At(tick)), ("y", bottom + 16));
        }

        foreach (double tick in y.Ticks)
        {
            svg.Empty("line", ("class", "grid"), ("x1", left), ("x2", right), ("y1", y.At(tick)), ("y2", y.At(tick)));
            svg.Element("text", Figures.PowerOfTwo(Math.Log2(tick)), ("class", "end"), ("x", left - 7), ("y", y.At(tick) + 4));
        }

        svg.Empty("path", ("class", "axis"), ("d", $"M{Markup.Coordinate(left)} {Markup.Coordinate(top)}V{Markup.Coordinate(bottom)}H{Markup.Coordinate(right)}"));
        svg.Element("text", priceTitle, ("class", "end"), ("x", right), ("y", bottom + 32));

        IReadOnlyList<FrontierRow> pareto = frontier.Pareto(error, price);
        if (pareto.Count > 0) svg.Empty("path", ("class", "pareto"), ("d", Staircase(pareto.Select(Place), right)));
        var labels = new LabelPlaces(left, right, top, bottom, frontier.Rows.Select(Place));
        HashSet<FrontierRow> best = [.. pareto];
        foreach (FrontierRow row in frontier.Rows)
        {
            (double cx, double cy) = Place(row);
            using (svg.Open("g"))
            {
                svg.Element("title", Figure(frontier, row));
                Mark(svg, row.Family, cx, cy, best.Contains(row));
            }
        }

        // The best first: they get the places next to their points.
        foreach (FrontierRow row in pareto.Concat(frontier.Rows.Where(row => !best.Contains(row))))
        {
            labels.Write(svg, Place(row), string.Join(',', row.Degrees), (best.Contains(row) ? "strong " : "") + (row.Family == ReluFamily.Composite ? "composite" : "direct"), far: best.Contains(row));
        }

        (double X, double Y) Place(FrontierRow row) => (x.At(row.Price(price)), y.At(frontier.Error(row, error)));
    }

    private static void Mark(Markup svg, ReluFamily family, double x, double y, bool best)
    {
        double r = best ? 4.6 : 3.2;
        if (family == ReluFamily.Composite) svg.Empty("circle", ("class", "approximation"), ("cx", x), ("cy", y), ("r", r));
        else svg.Empty("rect", ("class", "inherited"), ("x", x - r), ("y", y - r), ("width", 2 * r), ("height", 2 * r));
    }

    private static string Staircase(IEnumerable<(double X, double Y)> points, double right)
    {
        StringBuilder path = new();
        foreach ((double x, double y) in points)
            path.Append(path.Length == 0 ? $"M{Markup.Coordinate(x)} {Markup.Coordinate(y)}" : $"H{Markup.Coordinate(x)}V{Markup.Coordinate(y)}");
        return path.Append("H").Append(Markup.Coordinate(right)).ToString();
    }

    private static string Figure(Frontier frontier, FrontierRow row)
        => $"{row.Spec}, degrees {string.Join(',', row.Degrees)}: maximum error {Figures.Bound(Math.Log2(row.MaxError))}, r(0) {Figures.Number(row.ValueAtZero)}, "
            + $"mean error {Figures.Number(frontier.Statistics(row).Mean)}, RMS {Log2(frontier.Statistics(row).Rms)}; "
            + $"{row.Cost.Levels} levels, depth {row.Cost.Depth}, {row.Cost.NonScalarMultiplications} multiplications";

    private static string Log2(double value) => Figures.PowerOfTwo(Math.Log2(value));

    private static readonly string Style = """
        text { font-family: system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
        .paper { fill: var(--paper); }
        svg .head { font-size: 19px; }
        .pareto { stroke: var(--ink); stroke-width: 1.3; fill: none; stroke-opacity: .55; }
        svg .composite { fill: var(--approximation); }
        svg .direct { fill: var(--inherited); }
        g:hover > circle, g:hover > rect { stroke: var(--ink); stroke-width: 2; }

        """.ReplaceLineEndings("\n");
}
