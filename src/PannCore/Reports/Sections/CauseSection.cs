using PannCore.Diagnostics;

namespace PannCore.Reports.Sections;

/// <summary>
/// Each activation's part in the change of the margin, in four settings of the others and as the gradient predicts it. Where only the switch from first to last was made,
/// <see cref="LayerSwitchSection"/> shows that.
/// </summary>
internal static class CauseSection
{
    // The shares add up exactly but for rounding; beyond this a setting has exploded.
    private const double LargestResidual = 1e-6;

    private const double Width = 250, Height = 22, Middle = 11;

    public static void Write(Markup page, RunRecord record)
    {
        if (record.Causes is not { } causes)
        {
            LayerSwitchSection.Write(page, record);
            return;
        }

        page.Element("p", "How much does one activation's polynomial hurt the answer? Change it alone from ideal to polynomial and see what that does to the margin, the lead of the predicted class over the next one, "
            + "in logits. The answer depends on what the other activations are at that moment, so it is asked four times:");
        using (page.Open("ul", ("class", "legend")))
        {
            Sample(page, "forward: earlier ones polynomial, later ones ideal (bar)", svg => Bar(svg, 3, 27, hurts: true));
            Sample(page, "the same, where the margin grows (hollow bar)", svg => Bar(svg, 3, 27, hurts: false));
            Sample(page, "backward: later ones polynomial, earlier ones ideal (ring)", svg => Mark(svg, "ring", 15));
            Sample(page, "alone: all others ideal (dot)", svg => Mark(svg, "dot", 15));
            Sample(page, "leave-one-out: all others polynomial (diamond)", svg => Mark(svg, "diamond", 15));
            Sample(page, "first order: what the gradient predicts (stroke)", svg => Mark(svg, "stroke", 15));
        }

        page.Element("p", $"Left of the line hurts: the mean margin falls. (A mean can also rise while answers are lost: it says how far answers move, not how many of them cross over, which the columns on the right do.) Where the marks lie together, the activation acts by itself; where they are far apart, its part depends on the others, and their distance is given as interaction. "
            + $"The forward changes add up to the whole change of {Figures.Number(causes.Margin)} logits, mean of {Figures.Count(causes.Images, "image")} whose values stay finite and in which no polynomial explodes, whichever activations are switched (largest residual over all logits {Figures.Number(causes.ForwardResidual)}); "
            + (causes.BackwardResidual <= LargestResidual ? $"so do the backward ones (residual {Figures.Number(causes.BackwardResidual)})."
                : $"the backward ones miss it by up to {Figures.Number(causes.BackwardResidual)}, because a polynomial explodes on the way and what it adds and takes off again is astronomical."));
        page.Element("p", "Right so far: the accuracy, of the same images, with this activation and all earlier ones polynomial. Right if perfect: the accuracy if this activation alone were ideal, all others polynomial; "
            + "what a perfect polynomial here would buy. Flips for good: the predictions that change here and stay changed, from first to last.");
        if (Worst(causes) is { } worst) page.Element("p", worst);
        Table(page, causes);
    }

    private static string? Worst(CauseRecord causes)
    {
        if (causes.Layers.Where(l => l.Forward.Margin < 0).MinBy(l => l.Forward.Margin) is not { } forward) return null;
        LayerCause alone = causes.Layers.MinBy(l => l.Alone.Margin)!;
        string text = $"From first to last, {Figures.Name(forward.Path)} takes most away ({Figures.Number(forward.Forward.Margin)} logits)";
        text += alone.Path == forward.Path ? "; it is also the worst alone." : alone.Alone.Margin < 0 ? $"; alone, {Figures.Name(alone.Path)} does ({Figures.Number(alone.Alone.Margin)})." : "; alone, none takes any.";
        LayerCause flips = causes.Layers.MaxBy(l => l.FirstFlips)!;
        return flips.FirstFlips == 0 ? text : $"{text} Most predictions that change for good do so at {Figures.Name(flips.Path)}: {Figures.Count(flips.FirstFlips)}.";
    }

    private static void Table(Markup page, CauseRecord causes)
    {
        // Where a polynomial explodes in one setting only, margins of 1e20 would flatten all the others: three settings that hardly ever do make the axis.
        double[] margins = [.. causes.Layers.SelectMany(l => new[] { l.Forward.Margin, l.Alone.Margin, l.FirstOrder }).Where(double.IsFinite).Append(0)];
        double reach = 1.5 * Math.Max(margins.Max(), -margins.Min());
        double[] drawn = [.. causes.Layers.SelectMany(Margins).Where(double.IsFinite).Select(m => Math.Clamp(m, -reach, reach)).Append(0)];
        Axis axis = Axis.Linear(drawn.Min(), drawn.Max(), 6, Width - 6);
        if (causes.Layers.SelectMany(Margins).Any(m => m < axis.Low || m > axis.High))
            page.Element("p", "A mark at an end of its drawing lies beyond it: in that setting a polynomial was driven far out of its range.", ("class", "note"));
        using var box = page.Box("Each activation's part in the answer");
        using var table = page.Open("table", ("class", "tight"));
        using (page.Open("thead"))
        using (page.Open("tr"))
        {
            page.Element("th", "Activation", ("scope", "col"));
            using (page.Open("th", ("scope", "col"), ("class", "text")))
            {
                page.Text("Change of margin");
                Scale(page, axis);
            }

            foreach (string name in (string[])["Forward", "Backward", "Alone", "Leave one out", "Inter\u00ADaction", "First order", "Flips for good", "Right so far", "Right if perfect"]) page.Element("th", name, ("scope", "col"));
        }

        using var body = page.Open("tbody");
        foreach (LayerCause layer in causes.Layers)
        {
            using (page.OperationRow(layer.Path))
            {
                using (page.Open("td", ("class", "text"))) Drawing(page, layer, axis);
                page.Cells(
                    Figures.Number(layer.Forward.Margin), Figures.Number(layer.Backward.Margin), Figures.Number(layer.Alone.Margin), Figures.Number(layer.LeaveOneOut.Margin),
                    Figures.Number(layer.Interaction), Figures.Number(layer.FirstOrder), Figures.Count(layer.FirstFlips), Figures.Accuracy(layer.Forward.Accuracy), Figures.Accuracy(layer.LeaveOneOut.Accuracy));
            }

            page.Line();
        }
    }

    private static IEnumerable<double> Margins(LayerCause layer) => [layer.Forward.Margin, layer.Backward.Margin, layer.Alone.Margin, layer.LeaveOneOut.Margin, layer.FirstOrder];

    private static void Drawing(Markup page, LayerCause layer, Axis axis)
    {
        using var svg = page.Open("svg", ("width", Width), ("height", Height), ("aria-hidden", "true"));
        double zero = axis.At(0);
        page.Empty("line", ("class", "axis"), ("x1", zero), ("x2", zero), ("y1", 0), ("y2", Height));
        double[] settings = [.. Margins(layer).Take(4).Where(double.IsFinite)];
        if (double.IsFinite(layer.Forward.Margin)) Bar(page, zero, axis.At(layer.Forward.Margin), layer.Forward.Margin < 0);
        if (settings.Length > 1) page.Empty("line", ("class", "reach"), ("x1", axis.At(settings.Min())), ("x2", axis.At(settings.Max())), ("y1", Middle), ("y2", Middle));
        foreach (var (kind, margin) in new[] { ("stroke", layer.FirstOrder), ("ring", layer.Backward.Margin), ("dot", layer.Alone.Margin), ("diamond", layer.LeaveOneOut.Margin) })
            if (double.IsFinite(margin)) Mark(page, kind, axis.At(margin));
    }

    private static void Bar(Markup page, double from, double to, bool hurts)
        => page.Empty("rect", ("class", hurts ? "worse pale" : "better"), ("x", Math.Min(from, to)), ("y", 4), ("width", Math.Max(1, Math.Abs(to - from))), ("height", 14));

    private static void Mark(Markup page, string kind, double x)
    {
        string at = Markup.Coordinate(x);
        page.Empty("path", ("class", $"mark {kind}"), ("d", kind switch
        {
            "diamond" => $"M{at} {Middle - 5}l5 5l-5 5l-5 -5z",
            "stroke" => $"M{at} 1V{Height - 1}",
            _ => $"M{Markup.Coordinate(x - 4)} {Middle}a4 4 0 1 1 8 0a4 4 0 1 1 -8 0z",
        }));
    }

    private static void Sample(Markup page, string meaning, Action<Markup> draw)
    {
        using var item = page.Open("li");
        using (page.Open("svg", ("width", 30), ("height", Height), ("aria-hidden", "true"))) draw(page);
        page.Element("span", meaning);
    }

    /// <summary>The ends of an axis of margins, and 0 where there is room.</summary>
    public static void Scale(Markup page, Axis axis, double width = Width)
    {
        using var svg = page.Open("svg", ("width", width), ("height", 20), ("role", "img"));
        page.Element("title", $"Change of margin, from {Figures.Tick(axis.Low)} to {Figures.Tick(axis.High)} logits");
        foreach (double tick in (double[])[axis.Low, 0, axis.High])
        {
            if (tick == 0 && (axis.At(0) < 40 || axis.At(0) > width - 40) && axis.Low * axis.High != 0) continue;
            double x = axis.At(tick);
            page.Element("text", Figures.Tick(tick), ("class", x > width - 40 ? "end" : x < 40 ? "" : "middle"), ("x", x), ("y", 13));
        }
    }
}
