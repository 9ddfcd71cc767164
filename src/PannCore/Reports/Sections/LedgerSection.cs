using PannCore.Diagnostics;

namespace PannCore.Reports.Sections;

/// <summary>
/// One row per operation, in the order of execution, with its three error terms as bars on one axis of RMS over signal.
/// The bars stand beside each other, not on top of each other: neither sizes nor squares of the terms add up, since they may reinforce
/// or cancel. The axis is linear, so that lengths compare as they look; what rounding adds is mostly too short for it and stands in figures.
/// </summary>
internal static class LedgerSection
{
    private const double Width = 400, Left = 4, Right = 386, Height = 24;

    // At twice the signal nothing is left of it; larger errors are cut off here, or one of them would flatten all other bars.
    private const double Ruin = 2;

    public static void Write(Markup page, RunRecord record)
    {
        if (record.Operations.Count > 0 && record.Operations.All(o => double.IsNaN(o.RelativeTotal)))
        {
            page.Element("p", "No image is left to measure errors on: all of them exploded.");
            return;
        }

        page.Element("p", "Two networks run on the same images, the ideal one and the one that is inspected. "
            + "At every operation the difference of their outputs splits exactly into what this operation injects and what it was handed:");
        page.Element("pre", "total = approximation + arithmetic + inherited\n"
            + "fl(p)(x') - f(x) = [p(x') - f(x')] + [fl(p)(x') - p(x')] + [f(x') - f(x)]");
        page.Element("p", "Here f is the operation in the ideal network, p the same in the one inspected, at an activation the polynomial, in exact arithmetic, fl(p) its float32 evaluation, x the input of the ideal network and x' the input that really arrived.", ("class", "note"));
        Legend(page);

        double largest = record.Operations.SelectMany(Ratios).Where(double.IsFinite).Append(0).Max();
        Axis axis = Axis.Linear(0, Math.Min(largest, Ruin), Left, Right);
        page.Element("p", "Each bar is the RMS of one term over the RMS of the signal (the ideal output), all rows on the same linear axis"
            + (largest > Ruin ? $", cut off at {Figures.RatioTick(axis.High)} (arrow). " : ". ")
            + "The bars are not parts of a whole: terms may reinforce or cancel, and the stroke shows what came of them. Tinted rows are activations, the only places where a polynomial injects error. "
            + "Point at a row, or walk through the names with Tab and the arrow keys, to read what happens there; Enter shows everything.", ("id", "ledger-note"), ("class", "note wide"));
        using (page.Box("Errors of every operation", "box tall"))
        using (page.Open("table", ("class", "ledger"), ("aria-describedby", "ledger-note")))
        {
            using (page.Open("thead"))
            using (page.Open("tr"))
            {
                page.Element("th", "Operation", ("scope", "col"));
                using (page.Open("th", ("scope", "col"), ("class", "bars"))) Scale(page, axis);
                foreach (string name in (string[])["Total RMS", "Total / signal", "Approx. / signal", "Arithm. / signal", "Gain"])
                    page.Element("th", name, ("scope", "col"));
            }

            using (page.Open("tbody"))
            {
                string block = "";
                for (int i = 0; i < record.Operations.Count; i++)
                {
                    OperationRecord operation = record.Operations[i];
                    string parent = operation.Path[..Math.Max(0, operation.Path.LastIndexOf('.'))];
                    Row(page, operation, i, axis, starts: i > 0 && parent != block);
                    block = parent;
                }
            }
        }

        AllNumbers(page, record);
    }

    /// <summary>The full text of one operation: its meaning and all its figures.</summary>
    private static string Describe(OperationRecord o)
    {
        string text = $"{Figures.Name(o.Path)} ({Figures.Name(o.Op)}): {Findings.Meaning(o)} "
            + $"Total error: RMS {Figures.Number(o.Total.Rms)}, that is {Figures.OfSignal(o.RelativeTotal)}, largest {Figures.Number(o.Total.Max)}, mean {Figures.Number(o.Total.Mean)}. "
            + $"Injected approximation: RMS {Figures.Number(o.Approximation.Rms)}, mean {Figures.Number(o.Approximation.Mean)}. "
            + $"Injected arithmetic: RMS {Figures.Number(o.Arithmetic.Rms)}. Inherited: RMS {Figures.Number(o.Inherited.Rms)}, gain {Figures.Number(o.Gain)}. SQNR {Figures.Number(o.SqnrDb)} dB.";
        return o.Range is { } range ? text + $" Range B {Figures.Number(range)}, largest input {Figures.Number(o.LargestInput)}, {Figures.Count(o.OutOfRange)} outside." : text;
    }

    private static IEnumerable<double> Ratios(OperationRecord o)
        => [o.RelativeTotal, o.RelativeApproximation, o.RelativeArithmetic, o.RelativeInherited];

    private static void Legend(Markup page)
    {
        using var list = page.Open("ul", ("class", "legend"));
        Sample(page, "injected approximation (solid)", svg => svg.Empty("rect", ("class", "approximation"), ("x", 1), ("y", 5), ("width", 28), ("height", 5)));
        Sample(page, "inherited (hollow)", svg => svg.Empty("rect", ("class", "inherited"), ("x", 1), ("y", 5), ("width", 28), ("height", 5)));
        Sample(page, "injected arithmetic (dashed)", svg => Line(svg, "arithmetic", 1, 8, 29, 8));
        Sample(page, "total (stroke)", svg => Line(svg, "total", 15, 1, 15, 15));
    }

    private static void Sample(Markup page, string meaning, Action<Markup> draw)
    {
        using var item = page.Open("li");
        using (page.Open("svg", ("width", 30), ("height", 16), ("aria-hidden", "true"))) draw(page);
        page.Element("span", meaning);
    }

    private static void Scale(Markup page, Axis axis)
    {
        page.Text("Error / signal, by cause");
        using var svg = page.Open("svg", ("width", Width), ("height", 20), ("role", "img"));
        page.Element("title", $"Linear axis from 0 to {Figures.RatioTick(axis.High)} of the signal");
        foreach (double tick in axis.Ticks)
        {
            double x = axis.At(tick);
            string side = x > Right - 20 ? "end" : x < Left + 20 ? "start" : "middle";
            page.Element("text", tick == 0 ? "0" : Figures.RatioTick(tick), ("class", side), ("x", x), ("y", 12));
            Line(page, "axis", x, 15, x, 20);
        }
    }

    private static void Row(Markup page, OperationRecord operation, int index, Axis axis, bool starts)
    {
        string kind = (starts ? "block " : "") + (operation.IsActivation ? "activation" : "");
        using (page.Open("tr", ("class", kind.TrimEnd()), ("data-row", index)))
        {
            using (page.Open("th", ("scope", "row")))
            {
                page.OperationName(operation.Path);
                page.Element("span", Figures.Name(operation.Op), ("class", "op"));
            }

            using (page.Open("td", ("class", "bars"))) Bars(page, operation, axis);
            page.Element("td", Figures.Number(operation.Total.Rms));
            page.Element("td", Figures.Ratio(operation.RelativeTotal));
            page.Element("td", operation.IsActivation || operation.Approximation.Rms > 0 ? Figures.Ratio(operation.RelativeApproximation) : "–");
            page.Element("td", Figures.Number(operation.RelativeArithmetic), ("class", "soft"));
            page.Element("td", Figures.Number(operation.Gain));
        }

        page.Line();
    }

    private static void Bars(Markup page, OperationRecord operation, Axis axis)
    {
        using var svg = page.Open("svg", ("width", Width), ("height", Height), ("role", "img"));
        page.Element("title", $"{Figures.Name(operation.Path)}: {Findings.Meaning(operation)}");
        page.Element("desc", Describe(operation));
        page.Empty("path", ("class", "grid"), ("d", string.Concat(axis.Ticks.Select(t => $"M{Markup.Coordinate(axis.At(t))} 0V{Markup.Coordinate(Height)}"))));

        Bar(page, "approximation", operation.RelativeApproximation, axis, 3, 5);
        Bar(page, "inherited", operation.RelativeInherited, axis, 10, 4);
        double arithmetic = operation.RelativeArithmetic;
        if (arithmetic > 0) Line(page, "arithmetic", Left, 19, End(axis, arithmetic), 19);

        double total = operation.RelativeTotal;
        if (total > 0) Line(page, "total", axis.At(total), 1, axis.At(total), Height - 1);
        if (total > axis.High) page.Empty("path", ("class", "plain"), ("d", "M388 7l8 5l-8 5z"));
        if (double.IsNaN(total)) page.Element("text", Figures.Number(total), ("class", "strong"), ("x", Left + 6), ("y", 15));
    }

    private static void Bar(Markup page, string cause, double ratio, Axis axis, double y, double height)
    {
        if (ratio > 0) page.Empty("rect", ("class", cause), ("x", Left), ("y", y), ("width", End(axis, ratio) - Left), ("height", height));
    }

    // What is not zero stays visible, even below the axis.
    private static double End(Axis axis, double ratio) => Math.Max(axis.At(ratio), Left + 1.5);

    private static void Line(Markup page, string cause, double x1, double y1, double x2, double y2)
        => page.Empty("line", ("class", cause), ("x1", x1), ("y1", y1), ("x2", x2), ("y2", y2));

    private static void AllNumbers(Markup page, RunRecord record)
    {
        using var details = page.Open("details");
        page.Element("summary", "All figures of all operations, in the units of each output");
        using var box = page.Box("All figures of all operations");
        using var table = page.Open("table");
        string[] causes = ["total", "approximation", "arithmetic", "inherited"];
        page.Head(
            ["Operation", .. causes.SelectMany(c => new[] { $"{c}, max", $"{c}, RMS", $"{c}, mean" }), "signal RMS", "SQNR, dB", "bits", "cosine", "gain", "relative gain",
            "median image", "worst decile", "worst image", "out of range", "not finite", "identity residual"]);

        using var body = page.Open("tbody");
        foreach (OperationRecord o in record.Operations)
        {
            using (page.OperationRow(o.Path))
            {
                foreach (ErrorSize size in (ErrorSize[])[o.Total, o.Approximation, o.Arithmetic, o.Inherited])
                    page.Cells(Figures.Number(size.Max), Figures.Number(size.Rms), Figures.Number(size.Mean));

                page.Cells(
                    Figures.Number(o.IdealRms), Figures.Number(o.SqnrDb), Figures.Number(o.Bits), Figures.Number(o.Cosine), Figures.Number(o.Gain), Figures.Number(o.RelativeGain),
                    Figures.Ratio(o.Spread?.Median), Figures.Ratio(o.Spread?.WorstDecile), Figures.Ratio(o.Spread?.Worst),
                    Figures.Count(o.OutOfRange), Figures.Count(o.NonFinite), Figures.Number(o.IdentityResidual));
            }

            page.Line();
        }
    }
}
