using System.Text;
using PannCore.Diagnostics;

namespace PannCore.Reports.Sections;

/// <summary>RMS of the total error over the signal along the network, with what each activation injects as dots.</summary>
internal static class DepthSection
{
    private const double Width = 1060, Height = 340, Left = 66, Right = 1046, Top = 24, Bottom = 296;

    // Each decade of the axis takes height from the others; what lies below these is drawn on the lower edge.
    private const int Decades = 6;

    public static void Write(Markup page, RunRecord record)
    {
        IReadOnlyList<OperationRecord> operations = record.Operations;
        if (operations.Count == 0)
        {
            page.Element("p", "No operation was recorded.");
            return;
        }

        if (operations.All(o => double.IsNaN(o.RelativeTotal)))
        {
            page.Element("p", "No image is left to measure errors on: all of them exploded.");
            return;
        }

        page.Element("p", "The line is the total error over the signal after each operation; a dot is what the polynomial of that activation injects by itself. "
            + "Where the line is far above the dots, most of the error was inherited.");
        bool spread = operations.Any(o => o.Spread is not null);
        if (spread) page.Element("p", "Not all images suffer alike: half of them lie below the lower edge of the blue band, one in ten above its upper edge.");

        // From the first polynomial on: before it there is only rounding, many decades below.
        List<double> values = [.. operations.SkipWhile(o => o.Approximation.Rms == 0).SelectMany(o => new[] { o.RelativeTotal, o.RelativeApproximation })];
        if (values.Count == 0) values = [.. operations.Select(o => o.RelativeTotal)];
        values.RemoveAll(v => !(v > 0) || !double.IsFinite(v));
        int ceiling = values.Count == 0 ? 0 : Math.Min(3, (int)Math.Ceiling(Math.Log10(values.Max())));
        Axis y = Axis.Decades(values, ceiling - Decades, ceiling, Bottom, Top);
        double X(double i) => Left + (Right - Left) * (i + 0.5) / operations.Count;

        using var figure = page.Open("figure");
        using (page.Box("Error along depth"))
        using (page.Open("svg", ("class", "chart"), ("viewBox", $"0 0 {Width} {Height}"), ("role", "img"), ("aria-labelledby", "depth-name depth-text")))
        {
            OperationRecord last = operations[^1], worst = operations.MaxBy(o => double.IsNaN(o.RelativeTotal) ? -1 : o.RelativeTotal)!;
            page.Element("title", "Error over signal along the depth of the network", ("id", "depth-name"));
            page.Element("desc", $"Over {Figures.Count(operations.Count, "operation")} the total error ends at {Figures.OfSignal(last.RelativeTotal)}; "
                + $"it is largest at {Figures.Name(worst.Path)} with {Figures.OfSignal(worst.RelativeTotal)}.", ("id", "depth-text"));
            Stages(page, operations, X);
            Lines.Rows(page, y, Left, Right, Figures.RatioTick);

            if (spread) page.Empty("path", ("class", "spread"), ("d", Spread(operations, X, y)));
            page.Empty("path", ("class", "axis"), ("d", $"M{Left} {Top}V{Bottom}H{Right}"));
            page.Element("text", "error / signal", ("x", 4), ("y", 12));
            page.Element("text", $"operations in order of execution, 1 to {Figures.Count(operations.Count)}", ("class", "end"), ("x", Right), ("y", Height - 6));

            page.Empty("path", ("class", "curve"), ("d", Lines.Through(operations.Select((o, i) => (X(i), double.IsNaN(o.RelativeTotal) ? double.NaN : y.At(o.RelativeTotal))))));
            for (int i = 0; i < operations.Count; i++)
                if (operations[i].RelativeApproximation is > 0 and var injected)
                    page.Empty("circle", ("class", "approximation"), ("cx", X(i)), ("cy", y.At(injected)), ("r", 4));

            for (int i = 0; i < operations.Count; i++)
            {
                using var spot = page.Open("rect", ("class", "spot"), ("data-spot", i), ("x", X(i - 0.5)), ("y", Top), ("width", (Right - Left) / operations.Count), ("height", Bottom - Top));
                page.Element("title", $"{Figures.Name(operations[i].Path)}: total {Figures.Ratio(operations[i].RelativeTotal)}, injected {Figures.Ratio(operations[i].RelativeApproximation)}");
            }
        }

        page.Element("figcaption", $"Logarithmic scale, {Figures.RatioTick(y.Low)} to {Figures.RatioTick(y.High)}; what is smaller or larger is drawn on its edge. A gap in the line means that no finite figure exists there.");
    }

    // From the median image to the worst decile, for each run of operations where both are finite.
    private static string Spread(IReadOnlyList<OperationRecord> operations, Func<double, double> x, Axis y)
    {
        StringBuilder path = new();
        for (int first = 0, next; first < operations.Count; first = next + 1)
        {
            for (next = first; next < operations.Count && Finite(operations[next].Spread); next++) { }
            if (next <= first) continue;
            var run = Enumerable.Range(first, next - first).ToArray();
            path.Append(Lines.Through([.. run.Select(i => (x(i), y.At(operations[i].Spread!.WorstDecile))), .. run.Reverse().Select(i => (x(i), y.At(operations[i].Spread!.Median)))])).Append('z');
        }

        return path.ToString();

        static bool Finite(ImageSpread? s) => s is not null && double.IsFinite(s.Median) && double.IsFinite(s.WorstDecile);
    }

    // Every second stage (first part of the path) has a band behind it; its name stands where it fits.
    private static void Stages(Markup page, IReadOnlyList<OperationRecord> operations, Func<double, double> x)
    {
        static string Stage(OperationRecord o) => o.Path[..Math.Max(0, o.Path.IndexOf('.', StringComparison.Ordinal))];

        bool shaded = false;
        for (int first = 0, next; first < operations.Count; first = next)
        {
            next = first + 1;
            while (next < operations.Count && Stage(operations[next]) == Stage(operations[first])) next++;
            double from = x(first - 0.5), to = x(next - 0.5);
            if (shaded) page.Empty("rect", ("class", "band"), ("x", from), ("y", Top), ("width", to - from), ("height", Bottom - Top));
            shaded = !shaded;
            string name = Figures.Name(Stage(operations[first]));
            if (7 * name.Length < to - from) page.Element("text", name, ("class", "middle"), ("x", (from + to) / 2), ("y", Bottom + 17));
        }
    }
}
