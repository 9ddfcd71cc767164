using PannCore.Diagnostics;

namespace PannCore.Reports;

/// <summary>What a record says, in sentences. Every figure in them is computed from the record.</summary>
internal sealed class Findings
{
    private const int Named = 3;

    private readonly RunRecord _record;
    private readonly List<OperationRecord> _injecting;

    public Findings(RunRecord record)
    {
        _record = record;
        _injecting = [.. record.Operations.Where(o => o.RelativeApproximation is > 0 and < double.PositiveInfinity).OrderByDescending(o => o.RelativeApproximation)];
        Flips = new FlipSummary(record);
    }

    public FlipSummary Flips { get; }

    /// <summary>One line: both accuracies and the changed predictions.</summary>
    public string Headline =>
        $"From {Figures.Accuracy(_record.IdealAccuracy)} right to {Figures.Accuracy(_record.PannAccuracy)}: "
        + $"{Figures.Count(_record.Flips.Count)} of {Figures.Count(_record.Images, "prediction")} changed";

    /// <summary>What was run.</summary>
    public string Setting
    {
        get
        {
            string network = $"{_record.Architecture} ({_record.Model})", images = Figures.Count(_record.Images, "image"), ideal = Figures.Accuracy(_record.IdealAccuracy), pann = Figures.Accuracy(_record.PannAccuracy);
            if (double.IsNegativeInfinity(_record.Log2MaxError) && _record.Patches.Count == 0) return $"{_record.Activation}, no polynomial: {network} gets {pann} of {images} right in float32.";
            string what = $"{_record.Activation}{(_record.Patches.Count > 0 ? $", {Figures.Count(_record.Patches.Count, "activation")} patched," : "")} with {RangesInWords(_record.Ranges)}: {network} gets ";
            return _record.Ideal switch
            {
                "self" => $"{what}{pann} of {images} right in float32; it is compared with itself in exact arithmetic.",
                _ when _record.Ideal.StartsWith("model:", StringComparison.Ordinal) => $"{what}{pann} of {images} right; the network that it is compared with gets {ideal}.",
                _ => $"{what}{ideal} of {images} right with its ideal activations and {pann} with polynomials in their place.",
            };
        }
    }

    /// <summary>What every operation is compared with and what was patched: no sentence where that is ReLU and nothing.</summary>
    public IReadOnlyList<string> Variations
    {
        get
        {
            List<string> sentences = [];
            if (_record.Ideal != "relu") sentences.Add($"Compared with: {Reference(_record.Ideal)}.");
            foreach (var patch in _record.Patches.GroupBy(patch => patch.Value, patch => patch.Key))
                sentences.Add($"Patched with {Figures.Name(patch.Key)}: {List(patch.Select(Figures.Name))}.");
            return sentences;
        }
    }

    /// <summary>What makes the figures unsafe to use; empty when nothing does.</summary>
    public IReadOnlyList<string> Warnings
    {
        get
        {
            List<string> warnings = [.. _record.Diagnoses];
            OperationRecord? root = _record.Operations.FirstOrDefault(o => o.NonFinite > 0);
            if (_record.NonFiniteImages > 0)
                warnings.Add($"{Figures.Count(_record.NonFiniteImages)} of {Figures.Count(_record.Images, "image")} end in logits that are not finite; they count as wrong.");
            if (root is not null)
                warnings.Add($"Values that are not finite first appear at {Figures.Name(root.Path)} ({Figures.Count(root.NonFinite, "element")}); error sizes leave those images out.");
            foreach (CheckRecord check in _record.Checks.Where(c => !c.Passed))
                warnings.Add($"Check failed: {check.Name}. {check.Detail}");
            return warnings;
        }
    }

    /// <summary>Where the error enters and of what kind it is: one to three sentences.</summary>
    public IReadOnlyList<string> Causes
    {
        get
        {
            if (_record.Operations.Count == 0) return ["No operation was recorded."];
            if (_record.ExplodedImages > 0 && _record.ExplodedImages == _record.Images)
                return [$"No image is left to measure errors on: in each a polynomial answered beyond twice its range, or a value is not finite.{(_record.OutOfRangeImages > 0 ? $" {Overflow()}" : "")}"];
            double rounding = Root(_record.Operations.Select(o => o.RelativeArithmetic));
            double approximation = Root(_injecting.Select(o => o.RelativeApproximation));
            if (_injecting.Count == 0 || rounding > approximation) return [Rounding(rounding)];

            List<OperationRecord> worst = [.. _injecting.Take(Named)];
            List<string> sentences = [$"The most error enters at {List(worst.Select(o => $"{Figures.Name(o.Path)} ({Figures.OfSignal(o.RelativeApproximation)})"))}: {Kind(worst, rounding)}."];
            if (_record.OutOfRangeImages > 0 || _record.Operations.Any(o => o.OutOfRange > 0)) sentences.Add(Overflow());
            if (UnusedRange() is { } unused) sentences.Add(unused);
            return sentences;
        }
    }

    /// <summary>The changed predictions in one or two sentences.</summary>
    public string FlipsInWords
    {
        get
        {
            if (_record.Flips.Count == 0) return "No prediction changed.";
            string text = $"Of {Figures.Count(_record.Flips.Count, "changed prediction")}, {Figures.Count(Flips.RightToWrong)} went from right to wrong, "
                + $"{Figures.Count(Flips.WrongToRight)} from wrong to right and {Figures.Count(Flips.WrongToWrong)} from one wrong class to another"
                + (Flips.NotFinite > 0 ? $"; {Figures.Count(Flips.NotFinite)} of them ended in logits that are not finite." : ".");
            return Flips.Sink is { } sink ? text + $" {Figures.Count(sink.Arrived)} of them now say {sink.Name}." : text;
        }
    }

    /// <summary>What one operation does to the error, for a reader who knows no formula.</summary>
    public static string Meaning(OperationRecord operation)
    {
        if (operation.NonFinite > 0) return $"{Figures.Count(operation.NonFinite, "element")} here are not finite.";
        if (double.IsNaN(operation.Total.Rms)) return "No image is left to measure an error on: all of them exploded.";
        double a = operation.Approximation.Rms, r = operation.Arithmetic.Rms, i = operation.Inherited.Rms;
        if (operation.Total.Rms == 0) return "No error here: the same values as in the ideal network.";
        if (a == 0 || a < r)
        {
            if (i <= r) return "Adds only rounding, no less than it passes on.";
            return operation.Gain is { } gain
                ? $"Adds only rounding and passes the arriving error on {Figures.Number(gain)} times as large."
                : "Adds only rounding and passes the arriving error on.";
        }

        string text = operation.OutOfRange > 0 ? $"{Figures.Count(operation.OutOfRange, "input")} fell outside [-B, B], where the polynomial stands for nothing. " : "";
        string cause = operation.Range is null ? "This operation" : "The polynomial";
        text += a > i ? $"{cause} injects more error than is passed on from above" : $"{cause} injects error, {Figures.Ratio(a / i)} of what is passed on from above";
        if (operation.Bias is >= 0.5) text += $"; it is mostly a shift {(operation.Approximation.Mean < 0 ? "downwards" : "upwards")} (bias)";
        return text + operation.Alignment switch
        {
            >= 0.2 and var c => $", and the two reinforce each other (correlation {Figures.Number(c)}).",
            <= -0.2 and var c => $", and the two partly cancel (correlation {Figures.Number(c)}).",
            _ => ".",
        };
    }

    private string Kind(List<OperationRecord> worst, double rounding)
    {
        OperationRecord left = worst.MaxBy(o => o.OverflowShare)!;
        double overflow = left.OverflowShare;
        string overRounding = rounding > 0
            ? $"float32 rounding is {Figures.Multiple(Root(_injecting.Select(o => o.RelativeApproximation)) / rounding)} times smaller"
            : "float32 rounding adds nothing";
        if (overflow >= 0.5)
        {
            string share = overflow < 0.999 ? $"at least {Figures.Ratio(overflow)}" : "practically all";
            return $"inputs outside the range make {share} of the squared error injected at {Figures.Name(left.Path)}, since inside [-B, B] it could not be as large";
        }

        double bias = Root(worst.Select(o => o.Approximation.Mean / o.IdealRms)) / Root(worst.Select(o => o.RelativeApproximation));
        string figure = $"|mean| is {Figures.Number(bias)} of the RMS";
        return bias >= 0.5
            ? $"it is mostly bias, a steady {Direction(worst)} that does not average out ({figure}); {overRounding}"
            : $"it is mostly scatter around a small mean ({figure}); {overRounding}";
    }

    private static string Direction(List<OperationRecord> worst)
        => worst.All(o => o.Approximation.Mean < 0) ? "shift downwards" : worst.All(o => o.Approximation.Mean > 0) ? "shift upwards" : "shift";

    private string Rounding(double rounding)
    {
        if (!(rounding > 0)) return "No operation injects any error.";
        OperationRecord worst = _record.Operations.MaxBy(o => o.RelativeArithmetic)!;
        return $"The error is arithmetic: float32 rounding injects more than any polynomial, most at {Figures.Name(worst.Path)} ({Figures.OfSignal(worst.RelativeArithmetic)}).";
    }

    private string Overflow()
    {
        List<OperationRecord> outside = [.. _record.Operations.Where(o => o.OutOfRange > 0)];
        string images = $"{Figures.Count(_record.OutOfRangeImages, "image")} had an activation input outside its range";
        string text = outside.Count == 0 ? images + "." : $"{images}, first at {Figures.Name(outside[0].Path)}; {Figures.Count(outside.Sum(o => o.OutOfRange), "input")} in all.";
        return _record.ExplodedImages == 0 ? text : text
            + $" In {Figures.Count(_record.ExplodedImages, "image")} a polynomial answered beyond twice its range, or a value is not finite: they count in the accuracies and are left out of every error size.";
    }

    private string? UnusedRange()
    {
        double[] bits = [.. _record.Operations.Select(o => o.UnusedBits).OfType<double>()];
        if (bits.Length == 0 || Median.Of(bits) is not (>= 1 and < double.PositiveInfinity and var median)) return null;
        return $"The ranges are wide: at the median activation the largest input fills only {Figures.Ratio(double.Exp2(-median))} of [-B, B], which costs {Figures.Number(median)} bits of precision there.";
    }

    private static string Reference(string ideal) => ideal switch
    {
        "self" => "the same polynomials in exact arithmetic (self), so that only rounding is error",
        _ when ideal.StartsWith("leaky:", StringComparison.Ordinal) => $"the same weights with leaky ReLU, slope {ideal["leaky:".Length..]} below 0",
        _ when ideal.StartsWith("model:", StringComparison.Ordinal) => $"another model, {ideal["model:".Length..]}",
        "own" => "the same weights with the function that each activation stands for",
        _ => $"the same weights with {ideal}",
    };

    private static string RangesInWords(string ranges) => ranges switch
    {
        "global" => "one range for all layers",
        "layer" => "a range of its own for each layer",
        _ when ranges.StartsWith("global:", StringComparison.Ordinal) => $"the range B = {ranges["global:".Length..]} for all layers",
        "stored" => "the ranges in its file",
        _ => $"the ranges {ranges}",
    };

    private static string List(IEnumerable<string> items)
    {
        string[] all = [.. items];
        return all.Length <= 1 ? string.Concat(all) : $"{string.Join(", ", all[..^1])} and {all[^1]}";
    }

    // Root of a sum of squares over what is finite; an operation without signal has no relative size. Hypot: the squares may overflow.
    private static double Root(IEnumerable<double> values) => values.Where(double.IsFinite).Aggregate(0.0, double.Hypot);
}
