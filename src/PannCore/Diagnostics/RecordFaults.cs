using System.Globalization;
namespace PannCore.Diagnostics;

/// <summary>What a record shows to be wrong: not that errors are large, but that something is not what it was taken for. Failed checks and values that are not finite speak for themselves.</summary>
internal static class RecordFaults
{
    private const double WrongReference = 5;

    /// <summary>One sentence a fault, the gravest first.</summary>
    /// <param name="record">The record.</param>
    /// <param name="idealInputs">
    /// Largest |x| at each activation in the ideal network, by path, where no polynomial has erred; empty where the ideal is another network than the one that the ranges were measured on.
    /// </param>
    public static IReadOnlyList<string> Of(RunRecord record, IReadOnlyDictionary<string, double> idealInputs)
    {
        List<string> faults = [];
        if (record.IdealAccuracy < record.PannAccuracy - WrongReference)
            faults.Add(FormattableString.Invariant($"The reference is the wrong one: the ideal network ({record.Ideal}) gets {record.IdealAccuracy:F1} % right and the PANN {record.PannAccuracy:F1} %. A network trained with polynomials is to be compared with itself (--ideal self), another one with the network it was made from (--ideal model:FILE).") + Chance(record));
        faults.AddRange(TooSmall(record, idealInputs));
        return faults;
    }

    // The sign test: what two equally good networks get right alone differs by less than two standard deviations, the root of their number, 19 times in 20.
    private static string Chance(RunRecord record)
    {
        int gained = record.Flips.Count(flip => flip.Pann == flip.Label), lost = record.Flips.Count(flip => flip.Ideal == flip.Label);
        return gained + lost > 0 && gained - lost <= 2 * Math.Sqrt(gained + lost) ? FormattableString.Invariant($" Of {record.Images} images it may also be chance: {gained} right only with polynomials, {lost} only without.") : "";
    }

    /// <summary>What margin that is, where ranges have one.</summary>
    private static string Margin(RunRecord record, double factor)
        => double.TryParse(record.Provenance.GetValueOrDefault("margin"), NumberStyles.Float, CultureInfo.InvariantCulture, out double margin) ? FormattableString.Invariant($" (--margin {Math.Ceiling(100 * factor * margin) / 100})") : "";

    /// <summary>A range that the network's own inputs leave, without the error of any polynomial, was measured on something else or written down wrong. Inputs that are no numbers have another reason.</summary>
    private static IEnumerable<string> TooSmall(RunRecord record, IReadOnlyDictionary<string, double> idealInputs)
    {
        (string Path, double Share)[] small = [.. record.Operations
            .Where(o => o.Range is not null && idealInputs.ContainsKey(o.Path)).Select(o => (o.Path, Share: idealInputs[o.Path] / o.Range!.Value))
            .Where(layer => layer.Share > 1 && double.IsFinite(layer.Share)).OrderByDescending(layer => layer.Share)];
        if (small.Length == 0) yield break;
        string others = small.Length > 1 ? $" (and of {small.Length - 1} more activations)" : "";
        yield return FormattableString.Invariant($"Range too small: at {small[0].Path}{others}, inputs of the ideal network, where no polynomial has erred yet, reach {small[0].Share:G4} B. Measure the ranges on more images, or give ranges at least {small[0].Share:G4} times as wide{Margin(record, small[0].Share)}.");
    }
}
