using PannCore.Diagnostics;

namespace PannCore.Reports.Sections;

/// <summary>Proved bounds on the error of every operation beside the largest error measured.</summary>
internal static class BoundSection
{
    private const double Width = 1060, Height = 340, Left = 66, Right = 1046, Top = 24, Bottom = 310;

    // Bounds beforehand grow without end; the axis follows them this many decades above the largest error.
    private const int Above = 12;

    public static void Write(Markup page, RunRecord record)
    {
        BoundRecord bounds = record.Bounds!;
        page.Element("p", "Measured errors hold for the images that were run. A bound holds by proof: at a linear map what arrives times the weights' magnitudes, plus its rounding; at an activation what arrives times the ideal function's steepest slope, plus the polynomial's own error. "
            + "The bound afterwards takes that error at the values that each image really had, inside the range or outside; the bound beforehand takes the certified one, and holds for every image whose inputs stay in range.");
        page.Element("p", $"The bound afterwards proves {Figures.Count(bounds.DecidedImages)} of {Figures.Count(bounds.Images, "prediction")} to be the ideal network's. "
            + (bounds.VacuousAt is { } path ? $"Beforehand nothing can be said from {Figures.Name(path)} on: the bound exceeds the range itself." : "Beforehand the bound stays within the ranges to the end."));
        if (bounds.Operations.Count == 0) return;

        double[] measured = [.. bounds.Operations.Select(o => o.Measured).Where(v => v > 0 && double.IsFinite(v))];
        int ceiling = (int)Math.Ceiling(Math.Log10(measured.Append(1e-8).Max()));
        Axis y = Axis.Decades(bounds.Operations.SelectMany(o => new[] { o.Measured, o.Bound, o.APriori }), ceiling - 8, ceiling + Above, Bottom, Top);
        double X(int i) => Left + (Right - Left) * (i + 0.5) / bounds.Operations.Count;
        using (page.Open("figure"))
        {
            using (page.Box("Bounds along depth"))
            using (page.Open("svg", ("class", "chart"), ("viewBox", $"0 0 {Width} {Height}"), ("role", "img"), ("aria-labelledby", "bounds-name")))
            {
                OperationBound last = bounds.Operations[^1];
                page.Element("title", $"Largest error and its bounds along the network; at the end {Figures.Number(last.Measured)} measured, at most {Figures.NumberAbove(last.Bound)} proved afterwards, {Figures.NumberAbove(last.APriori)} beforehand.", ("id", "bounds-name"));
                for (int i = y.Ticks.Count - 1; i >= 0; i -= 3)
                {
                    double at = y.At(y.Ticks[i]);
                    page.Empty("line", ("class", "grid"), ("x1", Left), ("x2", Right), ("y1", at), ("y2", at));
                    page.Element("text", Figures.Tick(y.Ticks[i]), ("class", "end"), ("x", Left - 8), ("y", at + 4));
                }

                Curve("bound", o => o.APriori);
                Curve("outside", o => o.Bound);
                Curve("curve", o => o.Measured);
                for (int i = 0; i < bounds.Operations.Count; i++)
                {
                    OperationBound o = bounds.Operations[i];
                    using var spot = page.Open("rect", ("class", "spot"), ("data-say", $"{Figures.Name(o.Path)}: largest error {Figures.Number(o.Measured)}, bound afterwards {Figures.NumberAbove(o.Bound)}, beforehand {Figures.NumberAbove(o.APriori)}"),
                        ("x", X(i) - (Right - Left) / bounds.Operations.Count / 2), ("y", Top), ("width", (Right - Left) / bounds.Operations.Count), ("height", Bottom - Top));
                }

                page.Element("text", "largest |error|", ("x", 4), ("y", 12));
                page.Element("text", $"operations in order of execution, 1 to {Figures.Count(bounds.Operations.Count)}", ("class", "end"), ("x", Right), ("y", Height - 8));
            }

            using (page.Open("ul", ("class", "legend")))
            {
                Sample("curve", "measured");
                Sample("outside", "proved afterwards");
                Sample("bound", "proved beforehand");
            }

            page.Element("figcaption", "Logarithmic scale, in the units of each output; what is larger than its upper end is drawn there, and a line ends where nothing finite is proved. The gap between measured and proved is the price of certainty: a proof must assume that all errors point the same, worst way.");
        }

        using var details = page.Open("details");
        page.Element("summary", "Bounds of all operations");
        using var box = page.Box("Bounds of all operations");
        using var table = page.Open("table");
        page.Head("Operation", "Largest error measured", "Bound afterwards", "over measured, median image", "Bound beforehand");
        using var body = page.Open("tbody");
        foreach (OperationBound o in bounds.Operations)
        {
            using (page.OperationRow(o.Path)) page.Cells(Figures.Number(o.Measured), Figures.NumberAbove(o.Bound), Figures.Number(o.Looseness), Figures.NumberAbove(o.APriori));
            page.Line();
        }

        void Curve(string kind, Func<OperationBound, double> value)
            => page.Empty("path", ("class", kind), ("d", Lines.Through(bounds.Operations.Select((o, i) => (X(i), value(o) is var v && (v == 0 || !double.IsFinite(v)) ? double.NaN : y.At(v))))));

        void Sample(string kind, string meaning)
        {
            using var item = page.Open("li");
            using (page.Open("svg", ("width", 30), ("height", 16), ("aria-hidden", "true"))) page.Empty("path", ("class", kind), ("d", "M1 8H29"));
            page.Element("span", meaning);
        }
    }
}
