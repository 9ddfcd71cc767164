using System.Globalization;
using System.Text.Json.Serialization;
using PannCore.Diagnostics;
using PannCore.Experiments;

namespace PannCore.Cli;

/// <summary>The precision needed by one kind of PANN: see <see cref="PrecisionNeeded"/>; null says more than the largest alpha measured.</summary>
/// <param name="Ranges">The ranges' text.</param>
/// <param name="Control">What was done without training.</param>
/// <param name="Half">Within 0.5 points of the row's own backbone.</param>
/// <param name="Five">Within 5 points.</param>
/// <param name="From">The least alpha measured: a need of so much says "at most".</param>
/// <param name="To">The largest alpha measured.</param>
internal sealed record Needed(string Ranges, string Control, double? Half, double? Five, int From, int To)
{
    /// <summary>95 % interval of <see cref="Half"/> over images; null where it is not known.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public NeededInterval? HalfInterval { get; init; }

    /// <summary>What is known of <see cref="Half"/>.</summary>
    [JsonIgnore]
    public string HalfText => HalfInterval is { } ends && ends.Low != ends.High ? $"{Words(Half)} ({Words(ends.Low)} to {Words(ends.High)})" : Words(Half);

    /// <summary>What is known of <see cref="Five"/>.</summary>
    [JsonIgnore]
    public string FiveText => Words(Five);

    private string Words(double? alpha) => alpha is not double known ? $"> {To}" : known == From ? $"<= {From}" : known.ToString("F2", CultureInfo.InvariantCulture);
}

/// <summary>See <see cref="PrecisionNeeded.Interval"/>.</summary>
/// <param name="Low">Lower end; null says more than the largest alpha measured.</param>
/// <param name="High">Upper end; null says the same.</param>
internal sealed record NeededInterval(double? Low, double? High);

/// <summary>One activation of a row's backbone over the training images.</summary>
/// <param name="Path">The activation.</param>
/// <param name="Largest">Largest |x|.</param>
/// <param name="Rms">RMS of x.</param>
internal sealed record CrestFactor(string Path, double Largest, double Rms)
{
    /// <summary>log2(largest / RMS): the bits of precision that rare large inputs cost.</summary>
    public double Bits => Math.Log2(Largest / Rms);

    /// <summary>B of its own.</summary>
    [JsonIgnore]
    public double Range => PannModel.DefaultMargin * Largest;

    /// <summary>The crest factor with a range B: log2(B / RMS).</summary>
    public double Of(double range) => Math.Log2(range / Rms);
}

/// <summary>One network of the table.</summary>
internal sealed record PrecisionRow(
    string Name, string Recipe, long Seed, string Command, string Weights, int Images, int BackboneCorrect, string BackboneRight, int? BackboneSampleCorrect, IReadOnlyList<CrestFactor> CrestFactors, IReadOnlyList<PrecisionCell> Cells) : IResultRow
{
    /// <summary>The one range B for all activations.</summary>
    [JsonIgnore]
    public double Range => CrestFactors.Max(layer => layer.Range);

    /// <summary>Accuracy of the backbone in percent.</summary>
    public double Backbone => Percent(BackboneCorrect);

    /// <summary>Precision needed by each kind of PANN that was measured.</summary>
    public IReadOnlyList<Needed> Needed => [.. Cells.GroupBy(c => (c.Ranges, c.Control)).Select(Need)];

    string? IResultRow.Fault => (CrestFactors.Count == 0 || CrestFactors.Any(layer => layer is null) ? "the crest factor of each activation, found none" : null)
        ?? (Cells.Any(cell => cell is null) ? "cells, found null" : null)
        ?? (Cells.DistinctBy(cell => (cell.Ranges, cell.Control, cell.Alpha)).Count() < Cells.Count ? "each cell once, found one twice" : null)
        ?? IResultRow.CountFault(Images, [BackboneCorrect, .. Cells.SelectMany(cell => (int[])[cell.Correct, cell.Lost ?? 0])])
        ?? IResultRow.AnswerFault(BackboneRight, Images) ?? Cells.Select(cell => IResultRow.AnswerFault(cell.Right, Images)).FirstOrDefault(fault => fault is not null);

    /// <summary>So many right answers as a share of the images.</summary>
    public double Percent(int correct) => 100.0 * correct / Images;

    /// <summary>With one cell more, or one in the place of the same cell of before, in the order of ranges, controls and alphas.</summary>
    public PrecisionRow With(PrecisionCell cell)
    {
        List<string> ranges = [.. PrecisionStudy.RangeTexts], controls = [.. PrecisionStudy.Controls];
        PrecisionCell[] cells = [.. Cells.Where(c => (c.Ranges, c.Control, c.Alpha) != (cell.Ranges, cell.Control, cell.Alpha)).Append(cell)
            .OrderBy(c => ranges.IndexOf(c.Ranges)).ThenBy(c => controls.IndexOf(c.Control)).ThenBy(c => c.Alpha)];
        return this with { Cells = cells };
    }

    /// <summary>Whether nothing that the row says of a kind of PANN hangs on this cell's answers lost, or they are counted, against the row's own answers.</summary>
    public bool IsComplete(PrecisionCell cell) => Lost(cell) is not null || Needed.Single(need => (need.Ranges, need.Control) == (cell.Ranges, cell.Control)).HalfInterval is not null;

    /// <summary>Answers lost; null where they were not counted, or against other answers than the row's: they do not make the right ones then.</summary>
    private int? Lost(PrecisionCell cell) => cell.Lost is int lost && PrecisionNeeded.Fits(cell.Correct, lost, BackboneCorrect, Images) ? lost : null;

    private Needed Need(IGrouping<(string Ranges, string Control), PrecisionCell> cells)
    {
        (double, double)[] rows = [.. cells.Select(c => ((double)c.Alpha, Percent(c.Correct)))];
        return new(cells.Key.Ranges, cells.Key.Control, PrecisionNeeded.Of(rows, Backbone, 0.5), PrecisionNeeded.Of(rows, Backbone, 5), cells.Min(c => c.Alpha), cells.Max(c => c.Alpha))
        {
            HalfInterval = PrecisionNeeded.Interval([.. cells.Select(c => ((double)c.Alpha, c.Correct, Lost(c)))], BackboneCorrect, Images, 0.5) is var (low, high) ? new(low, high) : null,
        };
    }
}
