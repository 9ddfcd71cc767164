using PannCore.Diagnostics;

namespace PannCore.Reports.Sections;

/// <summary>The error of the polynomial over its interval, with its certified maximum.</summary>
internal static class PolynomialSection
{
    private const double Width = 1060, Height = 320, Left = 86, Right = 1046, Top = 24, Bottom = 276;

    public static void Write(Markup page, RunRecord record)
    {
        double bound = double.Exp2(record.Log2MaxError);
        page.Element("p", $"Polynomial minus ideal function for {record.Activation}, over inputs from -B to B. Both axes are in units of the range B: "
            + $"at an activation with B = 10 the same curve is ten times as wide and ten times as high. Its certified maximum is {Figures.Bound(record.Log2MaxError)} = {Figures.NumberAbove(bound)}. "
            + "Where there are more ripples than the drawing has room for, it joins the least and the largest error of each stretch.");

        List<CurvePoint> points = [.. record.ErrorCurve.Where(p => double.IsFinite(p.X))];
        List<CurvePoint> finite = [.. points.Where(p => double.IsFinite(p.Error))];
        if (finite.Count == 0)
        {
            page.Element("p", "No error curve was recorded.", ("class", "soft"));
            return;
        }

        double reach = double.IsFinite(bound) ? bound : 0;
        Axis x = Axis.Linear(-1, 1, Left, Right);
        Axis y = Axis.Linear(Math.Min(finite.Min(p => p.Error), -reach), Math.Max(finite.Max(p => p.Error), reach), Bottom, Top);
        CurvePoint worst = finite.MaxBy(p => Math.Abs(p.Error))!;
        using var figure = page.Open("figure");
        using (page.Box("Error of the polynomial"))
        using (page.Open("svg", ("class", "chart"), ("viewBox", $"0 0 {Width} {Height}"), ("role", "img"), ("aria-labelledby", "polynomial-name polynomial-text")))
        {
            page.Element("title", "Error of the polynomial over its range", ("id", "polynomial-name"));
            page.Element("desc", $"The largest drawn error is {Figures.Number(worst.Error)} B at input {Figures.Number(worst.X)} B; the certified maximum is {Figures.NumberAbove(bound)} B.", ("id", "polynomial-text"));
            Lines.Columns(page, x, Top, Bottom, t => t == 0 ? "0" : Figures.Tick(t) + " B");
            Lines.Rows(page, y, Left, Right, Figures.Tick);

            page.Empty("line", ("class", "axis"), ("x1", Left), ("x2", Right), ("y1", y.At(0)), ("y2", y.At(0)));
            if (double.IsFinite(bound) && bound > 0)
            {
                page.Empty("path", ("class", "bound"), ("d", $"M{Left} {Markup.Coordinate(y.At(bound))}H{Right}M{Left} {Markup.Coordinate(y.At(-bound))}H{Right}"));
                page.Element("text", $"certified maximum {Figures.Bound(record.Log2MaxError)}", ("class", "strong end"), ("x", Right - 6), ("y", y.At(bound) + 15));
            }

            page.Empty("path", ("class", "error"), ("d", Lines.Curve(points, x, y)));
            double wx = x.At(worst.X), wy = y.At(worst.Error);
            page.Empty("circle", ("class", "approximation"), ("cx", wx), ("cy", wy), ("r", 4.5));
            page.Element("text", $"largest: {Figures.Number(worst.Error)} B at {Figures.Number(worst.X)} B",
                ("class", wx > (Left + Right) / 2 ? "strong end" : "strong"), ("x", wx + (wx > (Left + Right) / 2 ? -10 : 10)), ("y", wy + (wy > (Top + Bottom) / 2 ? -10 : 18)));
            page.Element("text", "error, in units of B", ("x", 4), ("y", 12));
            page.Element("text", "input", ("class", "end"), ("x", Right), ("y", Height - 6));
        }
    }
}
