using PannCore.Diagnostics;

namespace PannCore.Reports.Sections;

/// <summary>Inside one polynomial activation: its inputs over the ripple of its error, the stages of a composition, and its channels.</summary>
internal static class InsideDrawing
{
    private const double Width = 470, Left = 62, Right = 462;

    public static void Write(Markup page, InsideRecord inside, string id)
    {
        page.Element("h4", "Where its inputs lie on the polynomial's error");
        using (page.Box($"Inputs over the error of the polynomial: {Figures.Name(inside.Path)}")) Ripple(page, inside, id);
        page.Element("p", Caption(inside), ("class", "note"));
        if (inside.Stages.Count > 0) Stages(page, inside);
        if (inside.Channels.Count > 0)
        {
            page.Element("h4", "Channel by channel");
            using (page.Box($"Channels: {Figures.Name(inside.Path)}")) Channels(page, inside, id);
            page.Element("p", $"Dot: the mean error of a channel, its bias; stroke: one standard deviation about it. {Figures.Ratio(inside.BiasShare)} of the squared error is bias: a constant of each channel, "
                + "which a shift can take away without another polynomial.", ("class", "note"));
        }
    }

    /// <summary>The histogram of inputs, as areas, with the error curve and its mean in each bin on top.</summary>
    public static void Ripple(Markup page, InsideRecord inside, string id, string kind = "part", double width = Width, double height = 230)
    {
        double right = width - (Width - Right), top = 22, bottom = height - 40;
        double[] edges = [.. inside.Edges.Where(double.IsFinite)];
        Axis x = Axis.SignedLog(edges.Where(e => e > 0).DefaultIfEmpty(1e-3).Min(), Left, right);
        CurvePoint[] finite = [.. inside.Curve.Where(p => double.IsFinite(p.Error) && double.IsFinite(p.X))];
        Axis y = Axis.Linear(finite.Select(p => p.Error).Append(0).Min(), finite.Select(p => p.Error).Append(0).Max(), bottom, top);

        using var svg = page.Open("svg", ("class", kind), ("viewBox", $"0 0 {Markup.Coordinate(width)} {Markup.Coordinate(height)}"), ("role", "img"), ("aria-labelledby", id + "-title"));
        page.Element("title", $"Inputs of {Figures.Name(inside.Path)} over the error of its polynomial. {Caption(inside)}", ("id", id + "-title"));
        Mass(page, inside, x, top, bottom);
        Lines.Rows(page, y, Left, right, Figures.Tick);

        double last = double.NegativeInfinity;
        foreach (double tick in x.Ticks)
        {
            double at = x.At(tick);
            page.Empty("line", ("class", "grid"), ("x1", at), ("x2", at), ("y1", bottom), ("y2", bottom + 4));
            string text = tick == 0 ? "0" : $"{(tick < 0 ? "-" : "")}{(Math.Abs(tick) == 1 ? "B" : Figures.Tick(Math.Abs(tick)))}";
            double half = 3.6 * text.Length;
            if (at - half < last) continue;
            page.Element("text", text, ("class", "middle"), ("x", Math.Min(at, width - half - 1)), ("y", bottom + 17));
            last = at + half + 4;
        }

        page.Empty("line", ("class", "axis"), ("x1", Left), ("x2", right), ("y1", y.At(0)), ("y2", y.At(0)));
        page.Empty("path", ("class", "error"), ("d", Lines.Curve(inside.Curve, x, y)));
        page.Empty("path", ("class", "means"), ("d", Means(inside, x, y)));
        page.Element("text", "error / B", ("x", 2), ("y", 12));
        page.Element("text", "input / B, logarithmic on both sides of 0", ("class", "end"), ("x", right), ("y", height - 4));
    }

    /// <summary>What the drawing shows, in words.</summary>
    public static string Caption(InsideRecord inside)
    {
        double all = inside.Counts.Sum(c => (double)c) + inside.Below + inside.Above;
        double within = 0, median = 0;
        foreach (var (size, count) in inside.Counts.Select((c, i) => (Math.Max(Math.Abs(inside.Edges[i]), Math.Abs(inside.Edges[i + 1])), c)).OrderBy(bin => bin.Item1))
        {
            within += count;
            median = size;
            if (2 * within >= all) break;
        }

        string outside = inside.Below + inside.Above == 0 ? "none is outside" : $"{Figures.Count(inside.Below)} are below -B and {Figures.Count(inside.Above)} above B";
        return all == 0 ? "No input was counted."
            : $"Grey: the {Figures.Count((long)all)} inputs (each bar's area is its share). Line: what {Figures.Name(inside.Activation)} answers wrongly at that input; thick: its mean over the inputs of a bar. "
                + $"Half of the inputs are within {Figures.Ratio(median)} of B; {outside}.";
    }

    // Heights are counts over widths on the axis, so that areas compare.
    private static void Mass(Markup page, InsideRecord inside, Axis x, double top, double bottom)
    {
        double[] from = [.. inside.Counts.Select((_, i) => x.At(inside.Edges[i]))], to = [.. inside.Counts.Select((_, i) => x.At(inside.Edges[i + 1]))];
        double[] density = [.. inside.Counts.Select((c, i) => to[i] > from[i] ? c / (to[i] - from[i]) : 0)];
        double most = density.Append(0).Max();
        if (!(most > 0)) return;
        page.Empty("path", ("class", "mass"), ("d", string.Concat(density.Select((d, i) => d > 0
            ? $"M{Markup.Coordinate(from[i])} {Markup.Coordinate(bottom)}V{Markup.Coordinate(bottom - (bottom - top) * d / most)}H{Markup.Coordinate(to[i])}V{Markup.Coordinate(bottom)}z" : ""))));
    }

    private static string Means(InsideRecord inside, Axis x, Axis y)
        => string.Concat(inside.Counts.Select((c, i) => c > 0 && double.IsFinite(inside.MeanErrors[i])
            ? $"M{Markup.Coordinate(x.At(inside.Edges[i]))} {Markup.Coordinate(y.At(inside.MeanErrors[i]))}H{Markup.Coordinate(x.At(inside.Edges[i + 1]))}" : ""));

    private static void Stages(Markup page, InsideRecord inside)
    {
        page.Element("h4", "Stage by stage");
        page.Element("p", "A composition comes closer to the sign of its input at every stage. The columns entering and leaving say how far its value still is from it; the last says what the activation's error would be, "
            + "as a share of its signal, if the composition ended there.", ("class", "note"));
        using var box = page.Box($"Stages: {Figures.Name(inside.Path)}");
        using var table = page.Open("table");
        page.Head("Stage", "degree", "entering, RMS", "leaving, RMS", "leaving, largest", "error if it ended here");
        using var body = page.Open("tbody");
        foreach (StageError stage in inside.Stages)
        {
            using var row = page.Open("tr");
            page.Element("th", Figures.Count(stage.Stage), ("scope", "row"));
            page.Cells(Figures.Count(stage.Degree), Figures.Number(stage.EnteringRms), Figures.Number(stage.LeavingRms), Figures.Number(stage.LeavingMax), Figures.Ratio(stage.ReluRms));
        }
    }

    private static void Channels(Markup page, InsideRecord inside, string id)
    {
        const double height = 150, top = 12, bottom = height - 22;
        ChannelError[] channels = [.. inside.Channels];
        double[] ends = [.. channels.SelectMany(c => new[] { c.Mean - c.Fluctuation, c.Mean + c.Fluctuation }).Where(double.IsFinite).Append(0)];
        Axis y = Axis.Linear(ends.Min(), ends.Max(), bottom, top);
        double X(int c) => Left + (Right - Left) * (c + 0.5) / channels.Length;
        using var svg = page.Open("svg", ("class", "part"), ("viewBox", $"0 0 {Width} {height}"), ("role", "img"), ("aria-labelledby", id + "-channels"));
        page.Element("title", $"Mean and standard deviation of the error injected in each of {Figures.Count(channels.Length, "channel")}; means from {Figures.Number(channels.Min(c => c.Mean))} to {Figures.Number(channels.Max(c => c.Mean))}", ("id", id + "-channels"));
        Lines.Rows(page, y, Left, Right, Figures.Tick);
        page.Empty("line", ("class", "axis"), ("x1", Left), ("x2", Right), ("y1", y.At(0)), ("y2", y.At(0)));
        page.Empty("path", ("class", "whiskers"), ("d", string.Concat(channels.Select((c, i) =>
            $"M{Markup.Coordinate(X(i))} {Markup.Coordinate(y.At(c.Mean - c.Fluctuation))}V{Markup.Coordinate(y.At(c.Mean + c.Fluctuation))}"))));
        page.Empty("path", ("class", "dots"), ("d", string.Concat(channels.Select((c, i) => $"M{Markup.Coordinate(X(i))} {Markup.Coordinate(y.At(c.Mean))}h0"))));
        page.Element("text", $"channels 1 to {Figures.Count(channels.Length)}", ("class", "end"), ("x", Right), ("y", height - 5));
    }
}
