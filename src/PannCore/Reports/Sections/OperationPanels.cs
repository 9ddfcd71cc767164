using PannCore.Diagnostics;

namespace PannCore.Reports.Sections;

/// <summary>Everything that was measured at one operation, in a panel of its own.</summary>
internal sealed class OperationPanels
{
    private readonly RunRecord _record;
    private readonly Dictionary<string, InsideRecord> _inside = [];
    private readonly Dictionary<string, LayerCause> _causes = [];
    private readonly Dictionary<string, LayerRange> _ranges = [];
    private readonly Dictionary<string, OperationBound> _bounds = [];
    private readonly Dictionary<string, ArithmeticOperation> _arithmetic = [];

    public OperationPanels(RunRecord record)
    {
        _record = record;
        foreach (InsideRecord inside in record.Inside ?? []) _inside.TryAdd(inside.Path, inside);
        foreach (LayerCause cause in record.Causes?.Layers ?? []) _causes.TryAdd(cause.Path, cause);
        foreach (LayerRange range in record.Ranging?.Layers ?? []) _ranges.TryAdd(range.Path, range);
        foreach (OperationBound bound in record.Bounds?.Operations ?? []) _bounds.TryAdd(bound.Path, bound);
        foreach (ArithmeticOperation operation in record.OtherArithmetic?.Operations ?? []) _arithmetic.TryAdd(operation.Path, operation);
    }

    public void Write(Markup page)
    {
        for (int i = 0; i < _record.Operations.Count; i++)
        {
            Panel(page, _record.Operations[i], i);
            page.Line();
        }
    }

    private void Panel(Markup page, OperationRecord o, int index)
    {
        using var panel = page.Open("article", ("class", o.IsActivation ? "panel activation" : "panel"), ("id", $"op-{index}"), ("tabindex", "-1"), ("aria-labelledby", $"op-{index}-name"));
        using (page.Open("h3", ("id", $"op-{index}-name")))
        {
            page.Text(Figures.Name(o.Path) + " ");
            page.Element("span", Figures.Name(o.Op), ("class", "soft"));
        }

        page.Element("p", Findings.Meaning(o));
        if (!double.IsNaN(o.Total.Rms)) Terms(page, o);
        if (o.Branches is [_, _, ..] branches) Branches(page, branches);
        if (_inside.GetValueOrDefault(o.Path) is { } inside) InsideDrawing.Write(page, inside, $"op-{index}-inside");
        if (o.Range is not null || o.LargestInput is not null) Range(page, o);
        if (_causes.GetValueOrDefault(o.Path) is { } cause) Cause(page, cause);
        Facts(page, o);
        if (o.Accumulated is { } accumulated && !double.IsNaN(accumulated.Approximation.Rms)) Accumulated(page, o, accumulated);
        using var back = page.Open("p", ("class", "note"));
        page.Element("a", "Back to the map", ("href", "#network"));
    }

    private static void Terms(Markup page, OperationRecord o)
    {
        Sizes(page, "The error here",
            ("total", o.Total), (o.Range is null ? "injected by another function" : "injected by the polynomial", o.Range is not null || o.Approximation.Rms > 0 ? o.Approximation : null),
            ("injected by rounding", o.Arithmetic), ("inherited", o.Inherited));
        page.Element("p", $"In the units of this output, whose signal has RMS {Figures.Number(o.IdealRms)}. The three terms add up to the total at every element, but their sizes do not: they may reinforce or cancel.", ("class", "note"));

        void Sizes(Markup page, string name, params ReadOnlySpan<(string Term, ErrorSize? Size)> terms)
        {
            using var box = page.Box($"{name}: {Figures.Name(o.Path)}");
            using var table = page.Open("table");
            page.Head("Error", "RMS", "of signal", "mean", "largest");
            using var body = page.Open("tbody");
            foreach (var (term, size) in terms)
            {
                if (size is null) continue;
                using var row = page.Open("tr");
                page.Element("th", term, ("scope", "row"));
                page.Cells(Figures.Number(size.Rms), Figures.Ratio(RelativeError.OverSignal(o, size.Rms)), Figures.Number(size.Mean), Figures.Number(size.Max));
            }
        }
    }

    private static void Branches(Markup page, IReadOnlyList<ErrorSize> branches)
    {
        string[] rest = [.. branches.Skip(1).Select(b => Figures.Number(b.Rms))];
        page.Element("p", $"Inherited through the main branch: RMS {Figures.Number(branches[0].Rms)} (mean {Figures.Number(branches[0].Mean)}); through the shortcut: RMS {string.Join(" and ", rest)} "
            + $"(mean {Figures.Number(branches[1].Mean)}). Element by element the two add up to what is inherited.");
    }

    private void Range(Markup page, OperationRecord o)
    {
        page.Element("h4", o.Range is null ? "Inputs" : "Range");
        LayerRange? range = _ranges.GetValueOrDefault(o.Path);
        double? largest = range?.Largest ?? o.LargestInput;
        string text = o.Range is { } b
            ? $"The polynomial stands for its function on inputs from -{Figures.Number(b)} to {Figures.Number(b)} (B = {Figures.Number(b)}); the largest input that came was {Figures.Number(largest)}, {Figures.Ratio(largest / b)} of B"
            : $"The largest input that came was {Figures.Number(largest)}";
        text += range is { WorstImage: >= 0 } ? $", in image {Figures.Count(range.WorstImage)}." : ".";
        if (o.Range is not null) text += o.OutOfRange == 0 ? " None was outside." : $" {Figures.Count(o.OutOfRange, "input")} fell outside, where the polynomial stands for nothing.";
        if (range is { RootImages: > 0 } or { ConsequenceImages: > 0 })
            text += $" {Figures.Count(range.RootImages, "image")} left a range here for the first time, {Figures.Count(range.ConsequenceImages)} after having left another one before.";
        page.Element("p", text);
        if (o is { Range: not null, NegativeShare: { } share })
            page.Element("p", $"{Figures.Ratio(o.NegativeElements)} of the inputs are below 0; {Figures.Ratio(share)} of the squared injected error is made there. "
                + $"The mean error is {Figures.Number(o.NegativeMean)} below 0 and {Figures.Number(o.PositiveMean)} above it.");
    }

    private static void Cause(Markup page, LayerCause cause)
    {
        page.Element("h4", "Its part in the answer");
        page.Element("p", $"Change of the margin (the lead of the predicted class, in logits; negative hurts) when only this activation changes from ideal to polynomial: {Figures.Number(cause.Alone.Margin)} with all others ideal, "
            + $"{Figures.Number(cause.LeaveOneOut.Margin)} with all others polynomial, {Figures.Number(cause.Forward.Margin)} with the earlier ones polynomial, {Figures.Number(cause.Backward.Margin)} with the later ones polynomial. "
            + $"The gradient alone would predict {Figures.Number(cause.FirstOrder)}. If only this activation were ideal, {Figures.Accuracy(cause.LeaveOneOut.Accuracy)} would be right. {Figures.Count(cause.FirstFlips, "prediction")} {(cause.FirstFlips == 1 ? "changes" : "change")} for good here.");
    }

    private void Facts(Markup page, OperationRecord o)
    {
        page.Element("h4", "Further figures");
        using var list = page.Open("dl", ("class", "facts"));
        if (!double.IsNaN(o.Total.Rms)) Fact("Signal to noise", $"{Figures.Number(o.SqnrDb)} dB", $"as fine as a number with {Figures.Number(o.Bits)} bits");
        if (o.Cosine is { } cosine) Fact("Cosine", Figures.Number(cosine), "1: same direction as the ideal output");
        if (o.Gain is { } gain) Fact("Gain", Figures.Number(gain), "inherited over incoming error: above 1 it grows here");
        if (o.RelativeGain is { } relative) Fact("Relative gain", Figures.Number(relative), "the same with each error over its signal");
        if (o.Spread is { } spread)
        {
            Fact("Half of the images", Figures.Ratio(spread.Median), "of the signal or less");
            Fact("One in ten", Figures.Ratio(spread.WorstDecile), "of the signal or more");
            Fact("Worst image", Figures.Ratio(spread.Worst), $"of the signal, image {Figures.Count(spread.WorstImage)}");
        }

        if (_bounds.GetValueOrDefault(o.Path) is { } bound)
        {
            Fact("Largest error", Figures.Number(bound.Measured), $"measured, of any element of the {Figures.Count(_record.Bounds!.Images, "image")} that bounds are proved for");
            Fact("Proved bound", Figures.NumberAbove(bound.Bound), $"on these images; at the median image {Figures.Number(bound.Looseness)} times its error");
            Fact("Bound beforehand", Figures.NumberAbove(bound.APriori), "for every image that stays in range");
        }

        if (_arithmetic.GetValueOrDefault(o.Path) is { } other)
            Fact(_record.OtherArithmetic!.Name.Length > 0 ? Figures.Name(_record.OtherArithmetic.Name) : "other arithmetic", Figures.Ratio(other.Injected.Rms == 0 ? 0 : other.Injected.Rms / other.SignalRms), "of the signal is injected here by that arithmetic");
        if (o.NonFinite > 0) Fact("Not finite", Figures.Count(o.NonFinite), "elements, in all images");
        Fact("Identity residual", Figures.Number(o.IdentityResidual), "how far the three terms miss the total: rounding of float64 only");

        void Fact(string name, string figure, string meaning)
        {
            using var entry = page.Open("div");
            page.Element("dt", name);
            using var value = page.Open("dd");
            page.Element("b", figure);
            page.Text(" " + meaning);
        }
    }

    private static void Accumulated(Markup page, OperationRecord o, AccumulatedError accumulated)
    {
        using var aside = page.Open("div", ("class", "aside"));
        page.Element("h4", "Accumulated up to here");
        page.Element("p", $"Differences between whole runs, made at all operations so far; never to be added to what is injected here. All polynomials so far: RMS {Figures.Number(accumulated.Approximation.Rms)}, "
            + $"mean {Figures.Number(accumulated.Approximation.Mean)}, {Figures.OfSignal(RelativeError.OverSignal(o, accumulated.Approximation.Rms))}. "
            + $"All rounding so far: RMS {Figures.Number(accumulated.Arithmetic.Rms)}, {Figures.OfSignal(RelativeError.OverSignal(o, accumulated.Arithmetic.Rms))}.");
    }
}
