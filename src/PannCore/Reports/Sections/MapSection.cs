using PannCore.Diagnostics;

namespace PannCore.Reports.Sections;

/// <summary>
/// The network as a map: one cell an operation, coloured by its error, in blocks by module; each cell is a link to the operation's panel beside the map.
/// With the script, one panel shows at a time, the colours follow the chosen cause, and a slider goes through the precisions that were run.
/// </summary>
internal static class MapSection
{
    public static void Write(Markup page, RunRecord record)
    {
        bool slides = record.Sweep is { Steps.Count: > 1 };
        page.Element("p", "Each cell is one operation, in the order of execution from top to bottom and block by block; rounded cells are activations. The colour and the figure say how large its error is, "
            + "as a share of the signal: the RMS of the error over the RMS of what the ideal network has there. Injected is what goes wrong at this place; inherited is what came in from above and was passed on; "
            + "total is what the next operation is handed. Where the figure jumps from one cell to the next, something breaks; where it falls, the network heals.");
        page.Element("p", "Choose a cell to see everything that was measured there." + (slides ? " Move the slider to see the same network with coarser and finer polynomials." : ""));
        Tools(page, record, slides);
        Heat.Legend(page);
        using (page.Open("div", ("class", "explorer")))
        {
            using (page.Open("div", ("class", "map"), ("id", "map"), ("role", "group"), ("aria-label", "Network map"))) Blocks(page, record.Operations);
            using (page.Box("Everything about the chosen operation", "box panels")) new OperationPanels(record).Write(page);
        }
    }

    private static void Tools(Markup page, RunRecord record, bool slides)
    {
        int worst = record.Operations.Select((o, i) => (o.RelativeApproximation, i)).Where(o => double.IsFinite(o.RelativeApproximation)).OrderByDescending(o => o.RelativeApproximation).Select(o => o.i).FirstOrDefault();
        using var tools = page.Open("div", ("class", "tools"), ("id", "tools"), ("data-first", worst), ("hidden", "hidden"));
        using (page.Open("fieldset"))
        {
            page.Element("legend", "Colour by");
            foreach (string cause in (string[])["total", "injected", "inherited"])
            {
                using var label = page.Open("label");
                if (cause == "total") page.Empty("input", ("type", "radio"), ("name", "cause"), ("value", cause), ("checked", "checked"));
                else page.Empty("input", ("type", "radio"), ("name", "cause"), ("value", cause));
                page.Text(cause);
            }
        }

        if (!slides) return;
        using var slider = page.Open("div", ("class", "slider"));
        page.Element("label", "Polynomial, from coarse to fine", ("for", "precision"));
        page.Empty("input", ("type", "range"), ("id", "precision"), ("min", 0), ("max", 0), ("step", 1), ("value", 0));
        page.Element("output", "", ("id", "precision-figures"), ("for", "precision"));
    }

    private static void Blocks(Markup page, IReadOnlyList<OperationRecord> operations)
    {
        for (int first = 0, next; first < operations.Count; first = next)
        {
            string module = Module(operations[first].Path);
            next = first + 1;
            while (next < operations.Count && Module(operations[next].Path) == module) next++;
            bool joins = Enumerable.Range(first, next - first).Any(i => operations[i].Op == "add");
            using var block = page.Open("div", ("class", joins ? "module joins" : "module"));
            page.Element("p", module.Length > 0 ? Figures.Name(module) : first == 0 ? "start" : "end");
            using var list = page.Open("ol");
            for (int i = first; i < next; i++) Cell(page, operations[i], i, module);
        }
    }

    private static void Cell(Markup page, OperationRecord operation, int index, string module)
    {
        using var item = page.Open("li");
        string kind = $"cell h{Heat.Step(operation.RelativeTotal)}{(operation.IsActivation ? " activation" : "")}";
        using var cell = page.Open("a", ("class", kind), ("href", $"#op-{index}"), ("data-op", index));
        string name = Figures.Name(operation.Path);
        int shown = module.Length > 0 && name.StartsWith(module + ".", StringComparison.Ordinal) ? module.Length + 1 : 0;
        if (shown > 0) page.Element("span", name[..shown], ("class", "away"));
        page.Element("span", name.Length == 0 ? "(no name)" : name[shown..]);
        page.Text(" ");
        page.Element("b", Heat.Text(operation.RelativeTotal));
    }

    private static string Module(string path) => path[..Math.Max(0, path.LastIndexOf('.'))];
}
