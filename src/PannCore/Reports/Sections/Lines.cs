using System.Text;
using PannCore.Diagnostics;

namespace PannCore.Reports.Sections;

/// <summary>Lines, frames and marks of the drawings.</summary>
internal static class Lines
{
    /// <summary>A line through points; it has a gap where a coordinate is not a number.</summary>
    public static string Through(IEnumerable<(double X, double Y)> points)
    {
        StringBuilder path = new();
        bool drawing = false;
        foreach (var (x, y) in points)
        {
            bool drawn = double.IsFinite(x) && double.IsFinite(y);
            if (drawn) path.Append(drawing ? 'L' : 'M').Append(Markup.Coordinate(x)).Append(' ').Append(Markup.Coordinate(y));
            drawing = drawn;
        }

        return path.ToString();
    }

    /// <summary>
    /// An error curve. Of the points within 1.5 pixels only the lowest and the highest are drawn: that looks the same, and a curve of a million points stays small.
    /// </summary>
    public static string Curve(IEnumerable<CurvePoint> points, Axis x, Axis y)
        => Through(points.Where(p => double.IsFinite(p.X)).OrderBy(p => p.X).GroupBy(p => Math.Round(x.At(p.X) / 1.5)).SelectMany(Ends)
            .Select(p => (Math.Round(x.At(p.X), 1), double.IsFinite(p.Error) ? Math.Round(y.At(p.Error), 1) : double.NaN)));

    /// <summary>Horizontal lines at the ticks, with their texts on the left.</summary>
    public static void Rows(Markup page, Axis y, double left, double right, Func<double, string> text)
    {
        page.Empty("path", ("class", "grid"), ("d", string.Concat(y.Ticks.Select(t => $"M{Markup.Coordinate(left)} {Markup.Coordinate(y.At(t))}H{Markup.Coordinate(right)}"))));
        foreach (double tick in y.Ticks) page.Element("text", text(tick), ("class", "end"), ("x", left - 8), ("y", y.At(tick) + 4));
    }

    /// <summary>Vertical lines at the ticks, with their texts below, as many as there is room for.</summary>
    public static void Columns(Markup page, Axis x, double top, double bottom, Func<double, string> text)
    {
        page.Empty("path", ("class", "grid"), ("d", string.Concat(x.Ticks.Select(t => $"M{Markup.Coordinate(x.At(t))} {Markup.Coordinate(top)}V{Markup.Coordinate(bottom)}"))));
        foreach (double tick in x.Ticks) page.Element("text", text(tick), ("class", "middle"), ("x", x.At(tick)), ("y", bottom + 17));
    }

    private static IEnumerable<CurvePoint> Ends(IEnumerable<CurvePoint> column)
    {
        CurvePoint[] all = [.. column], finite = [.. all.Where(p => double.IsFinite(p.Error))];
        if (finite.Length < all.Length || all.Length <= 2) return all.Take(3);
        CurvePoint low = finite.MinBy(p => p.Error)!, high = finite.MaxBy(p => p.Error)!;
        return low.X < high.X ? [low, high] : [high, low];
    }
}
