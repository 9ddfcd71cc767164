using PannCore.Diagnostics;

namespace PannCore.Reports.Sections;

/// <summary>The same network in another arithmetic than float32.</summary>
internal static class ArithmeticSection
{
    private const double Width = 260;

    private const int Worst = 10;

    public static void Write(Markup page, RunRecord record)
    {
        ArithmeticRecord other = record.OtherArithmetic!;
        string name = Figures.Name(other.Name);
        page.Element("p", $"The same polynomials computed in {name}: {Figures.Accuracy(other.Accuracy)} right, where float32 has {Figures.Accuracy(other.Float32Accuracy)} on the same images; "
            + $"{Figures.Count(other.ChangedPredictions, "prediction")} differ. " + (other.WrapArounds.Count == 0 ? "No value left the numbers that it has."
                : $"In {Figures.Count(other.WrappedImages, "image")} a value left the ring and came back on its other side."));
        if (other.WrapArounds.Count > 0)
        {
            using var wraps = page.Open("ul");
            foreach (WrapAround wrap in other.WrapArounds)
                page.Element("li", $"{Figures.Name(wrap.Path)} ({Figures.Name(wrap.Op)}): {Figures.Count(wrap.Elements, "element")} left the ring, for the first time in {Figures.Count(wrap.RootImages, "image")}");
        }

        if (other.Operations.Count == 0) return;
        page.Element("p", "Injected: what this arithmetic does to the operation's output at the inputs that arrived. Accumulated: against the same polynomials in float64 throughout; never to be added to what is injected.");
        double largest = other.Operations.SelectMany(o => new[] { Ratio(o.Injected, o), Ratio(o.Accumulated, o) }).Where(double.IsFinite).Append(0).Max();
        Axis axis = Axis.Linear(0, largest, 1, Width - 1);
        page.Element("h3", "Where it injects most");
        Table(page, [.. other.Operations.OrderByDescending(o => double.IsNaN(Ratio(o.Injected, o)) ? 0 : Ratio(o.Injected, o)).Take(Worst)], axis);
        if (other.Operations.Count <= Worst) return;
        using var details = page.Open("details");
        page.Element("summary", "All operations");
        Table(page, other.Operations, axis);
    }

    private static void Table(Markup page, IReadOnlyList<ArithmeticOperation> operations, Axis axis)
    {
        using var box = page.Box("Error of the other arithmetic");
        using var table = page.Open("table");
        page.Head("Operation", $"<Injected (bar) and accumulated (stroke), 0 to {Figures.RatioTick(axis.High)}", "Injected / signal", "mean / RMS", "Inherited / signal", "Accumulated / signal");
        using var body = page.Open("tbody");
        foreach (ArithmeticOperation o in operations)
        {
            using (page.OperationRow(o.Path))
            {
                using (page.Open("td", ("class", "text")))
                using (page.Open("svg", ("width", Width), ("height", 14), ("aria-hidden", "true")))
                {
                    if (Ratio(o.Injected, o) > 0) page.Empty("rect", ("class", "rounding"), ("x", 1), ("y", 4), ("width", Math.Max(1, axis.At(Ratio(o.Injected, o)) - 1)), ("height", 6));
                    if (Ratio(o.Accumulated, o) > 0) page.Empty("line", ("class", "total"), ("x1", axis.At(Ratio(o.Accumulated, o))), ("x2", axis.At(Ratio(o.Accumulated, o))), ("y1", 0), ("y2", 14));
                }

                page.Cells(
                    Figures.Ratio(Ratio(o.Injected, o)), Figures.Number(o.Injected.Rms > 0 ? Math.Abs(o.Injected.Mean) / o.Injected.Rms : null as double?),
                    Figures.Ratio(Ratio(o.Inherited, o)), Figures.Ratio(Ratio(o.Accumulated, o)));
            }

            page.Line();
        }
    }

    private static double Ratio(ErrorSize size, ArithmeticOperation o) => size.Rms == 0 ? 0 : size.Rms / o.SignalRms;
}
