using PannCore.Diagnostics;

namespace PannCore.Reports.Sections;

/// <summary>The same network and images at several precisions: accuracy, and the error of every operation as a heat map.</summary>
internal static class SweepSection
{
    private const double Width = 1060, Left = 150, Right = 976;

    public static void Write(Markup page, RunRecord record)
    {
        SweepRecord sweep = record.Sweep!;
        string prefix = CommonPrefix([.. sweep.Steps.Select(s => s.Activation)]);
        string[] names = [.. sweep.Steps.Select(s => Short(s.Activation, prefix))];
        page.Element("p", $"{Figures.Count(sweep.Images, "image")} with {Figures.Count(sweep.Steps.Count, "polynomial")}, from coarse to fine" + (prefix.Length > 0 ? $"; names below go on after {Figures.Name(prefix)}" : "") + ". "
            + "A finer polynomial needs more levels of the encryption scheme. Where the curve becomes flat, more precision buys nothing.");
        Accuracies(page, sweep, names);
        if (!sweep.Steps.SelectMany(s => s.Operations).Any(o => double.IsFinite(o.Total)))
        {
            Table(page, sweep, names);
            return;
        }

        page.Element("h3", "Every operation at every precision");
        using (page.Open("p"))
        {
            page.Text("One row a polynomial, one column an operation, input of the network on the left. Colours mean what they mean in the map above: ");
            page.Element("span", "total", ("class", "heat-cause"));
            page.Text(" error over signal. Vertical stripes are operations that always suffer; rows that darken to the right show how error piles up with depth."
                + (sweep.LedgerImages > 0 ? $" At each precision these errors are those of the first {Figures.Count(sweep.LedgerImages, "image")} that do not explode; accuracies are those of all." : ""));
        }

        Map(page, record, sweep, names);
        Table(page, sweep, names);
    }

    private static void Accuracies(Markup page, SweepRecord sweep, string[] names)
    {
        const double height = 300, left = 66, right = 1046, top = 24, bottom = 240;
        Axis y = Axis.Linear(0, 100, bottom, top);
        double X(int k) => left + (right - left) * (k + 0.5) / sweep.Steps.Count;
        using var figure = page.Open("figure");
        using (page.Box("Accuracy against precision"))
        using (page.Open("svg", ("class", "chart"), ("viewBox", $"0 0 {Width} {height}"), ("role", "img"), ("aria-labelledby", "sweep-name")))
        {
            page.Element("title", "Right answers at each precision: " + string.Join(", ", sweep.Steps.Select((s, k) => $"{names[k]} {Figures.Accuracy(s.Accuracy)}")), ("id", "sweep-name"));
            Lines.Rows(page, y, left, right, t => Figures.Tick(t) + " %");
            if (sweep.IdealAccuracy is { } ideal && double.IsFinite(ideal))
            {
                page.Empty("line", ("class", "bound"), ("x1", left), ("x2", right), ("y1", y.At(ideal)), ("y2", y.At(ideal)));
                page.Element("text", $"ideal network {Figures.Accuracy(ideal)}", ("class", "strong"), ("x", left + 6), ("y", y.At(ideal) - 6));
            }

            page.Empty("path", ("class", "curve"), ("d", Lines.Through(sweep.Steps.Select((s, k) => (X(k), double.IsFinite(s.Accuracy) ? y.At(s.Accuracy) : double.NaN)))));
            for (int k = 0; k < sweep.Steps.Count; k++)
            {
                SweepStep step = sweep.Steps[k];
                page.Element("text", names[k], ("class", "middle"), ("x", X(k)), ("y", bottom + 18));
                page.Element("text", Figures.Count(step.Levels, "level"), ("class", "middle"), ("x", X(k)), ("y", bottom + 34));
                if (double.IsFinite(step.Accuracy))
                {
                    page.Empty("circle", ("class", "point"), ("cx", X(k)), ("cy", y.At(step.Accuracy)), ("r", 4.5), ("data-step", k));
                    if (sweep.Steps.Count <= 16) page.Element("text", Figures.Accuracy(step.Accuracy), ("class", "strong middle"), ("x", X(k)), ("y", y.At(step.Accuracy) + (step.Accuracy < 12 ? -10 : 20))); // above, where the axis' names are below
                }
            }

            page.Element("text", "right answers", ("x", 4), ("y", 12));
            page.Element("text", "polynomial, from coarse to fine; CKKS levels of one activation", ("class", "end"), ("x", right), ("y", height - 6));
        }
    }

    private static void Map(Markup page, RunRecord record, SweepRecord sweep, string[] names)
    {
        const double row = 22, top = 24;
        double height = top + row * sweep.Steps.Count + 26, column = (Right - Left) / Math.Max(1, record.Operations.Count);
        using var box = page.Box("Heat map of operation and precision");
        using var svg = page.Open("svg", ("class", "chart heat"), ("viewBox", $"0 0 {Width} {Markup.Coordinate(height)}"), ("role", "img"), ("aria-labelledby", "heat-title"));
        page.Element("title", "Total error over signal of every operation at every precision; the table below has the figures", ("id", "heat-title"));
        for (int k = 0; k < sweep.Steps.Count; k++)
        {
            Dictionary<string, SweepOperation> operations = Lookup(sweep.Steps[k]);
            double y = top + row * k;
            page.Element("text", names[k], ("class", "end"), ("x", Left - 8), ("y", y + 15));
            page.Element("text", Figures.Accuracy(sweep.Steps[k].Accuracy), ("x", Right + 8), ("y", y + 15));
            using var group = page.Open("g", ("data-step", k));
            for (int i = 0; i < record.Operations.Count; i++)
            {
                double? ratio = operations.TryGetValue(record.Operations[i].Path, out SweepOperation? o) ? o.Total : null;
                page.Empty("rect", ("class", $"h{Heat.Step(ratio)}"), ("x", Left + column * i), ("y", y), ("width", column), ("height", row - 1), ("data-op", i));
            }
        }

        page.Element("text", "right", ("x", Right + 8), ("y", 14));
        page.Element("text", "operations in order of execution", ("x", Left), ("y", height - 6));
    }

    private static void Table(Markup page, SweepRecord sweep, string[] names)
    {
        using var details = page.Open("details");
        page.Element("summary", "All precisions as a table");
        using (page.Box("Precisions"))
        using (page.Open("table"))
        {
            page.Head("Polynomial", "Largest error, of B", "Levels", "Right", "Predictions changed", "Images that explode");
            using var body = page.Open("tbody");
            foreach (SweepStep step in sweep.Steps)
            {
                using var row = page.Open("tr");
                page.Element("th", Figures.Name(step.Activation), ("scope", "row"));
                page.Cells(Figures.Bound(step.Log2MaxError), Figures.Count(step.Levels), Figures.Accuracy(step.Accuracy), Figures.Count(step.Changed), Figures.Count(step.ExplodedImages));
            }
        }

        if (!sweep.Steps.SelectMany(s => s.Operations).Any(o => double.IsFinite(o.Total))) return;
        using (page.Box("Total error over signal of every operation at every precision"))
        using (page.Open("table"))
        {
            page.Head(["Total error over signal", .. names.Select(n => n.TrimStart('<'))]);
            using var body = page.Open("tbody");
            Dictionary<string, SweepOperation>[] steps = [.. sweep.Steps.Select(Lookup)];
            foreach (string path in sweep.Steps.SelectMany(s => s.Operations).Select(o => o.Path).Distinct())
            {
                using (page.OperationRow(path)) page.Cells([.. steps.Select(s => s.TryGetValue(path, out SweepOperation? o) ? Heat.Text(o.Total) : "–")]);
                page.Line();
            }
        }
    }

    /// <summary>A step's operations by their path.</summary>
    public static Dictionary<string, SweepOperation> Lookup(SweepStep step)
    {
        Dictionary<string, SweepOperation> operations = [];
        foreach (SweepOperation operation in step.Operations) operations.TryAdd(operation.Path, operation);
        return operations;
    }

    // Up to the last character that is no letter and no digit: "composite:alpha=" and not "composite:alpha=1".
    private static string CommonPrefix(string[] names)
    {
        if (names.Length < 2) return "";
        string first = names[0];
        int length = names.Min(n => n.Zip(first).TakeWhile(pair => pair.First == pair.Second).Count());
        while (length > 0 && char.IsLetterOrDigit(first[length - 1])) length--;
        return names.Any(n => n.Length == length) ? "" : first[..length];
    }

    private static string Short(string name, string prefix)
    {
        string rest = Figures.Name(name[prefix.Length..]);
        return rest.Length <= 16 ? rest : rest[..15] + "…";
    }
}
