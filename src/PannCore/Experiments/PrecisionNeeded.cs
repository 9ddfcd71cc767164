using PannCore.Diagnostics;

namespace PannCore.Experiments;

/// <summary>
/// The precision needed, alpha*: the least precision 2^-alpha, interpolated between whole alphas, from which on the accuracy stays within a given loss of the network's own backbone.
/// It moves less from network to network than the accuracy at one alpha does, which can fall by tens of points from one alpha to the next.
/// </summary>
public static class PrecisionNeeded
{
    /// <summary>alpha* of accuracies at some precisions.</summary>
    /// <param name="rows">alpha and accuracy in percent, in any order; each alpha once.</param>
    /// <param name="backbone">Accuracy of the ideal network in percent.</param>
    /// <param name="loss">Points that may be lost.</param>
    /// <returns>
    /// Where the straight line between the last alpha that loses more and the next one crosses the limit; the least alpha measured if none loses more, which says "at most";
    /// null if the largest alpha measured still loses more, which says "more than that".
    /// </returns>
    /// <exception cref="ArgumentException">No rows, or one alpha twice.</exception>
    public static double? Of(IReadOnlyCollection<(double Alpha, double Accuracy)> rows, double backbone, double loss)
    {
        (double Alpha, double Accuracy)[] rising = [.. rows.OrderBy(row => row.Alpha)];
        if (rising.Length == 0 || rising.Zip(rising.Skip(1)).Any(pair => pair.First.Alpha == pair.Second.Alpha))
            throw new ArgumentException("precision needed: expected at least one precision, none of them twice", nameof(rows));
        double limit = backbone - loss;
        int last = Array.FindLastIndex(rising, row => !(row.Accuracy >= limit));
        if (last == rising.Length - 1) return null;
        if (last < 0) return rising[0].Alpha;
        ((double from, double low), (double to, double high)) = (rising[last], rising[last + 1]);
        return from + ((to - from) * (limit - low) / (high - low));
    }

    /// <summary>Whether a PANN that loses so many of the images that its backbone has right, and wins some of the others, can have so many right.</summary>
    public static bool Fits(int correct, int lost, int backboneCorrect, int images)
        => lost >= 0 && lost <= backboneCorrect && correct - (backboneCorrect - lost) is >= 0 and var won && won <= images - backboneCorrect;

    /// <summary>
    /// The 95 % interval of alpha* over images: alpha* of the two limits of every accuracy. A PANN loses b of the n images that its backbone has right and wins c; the loss (b - c)/n has the variance (b + c - (b - c)^2/n)/n^2
    /// (the variance of a mean of answers that differ by -1, 0 or 1), and its limits are z = 1.96 of its roots to both sides. As alpha* falls when accuracies rise, the limits of accuracy give those of alpha*.
    /// It says nothing of other seeds.
    /// </summary>
    /// <param name="cells">alpha, right answers, and b; null where it was not counted. In any order, each alpha once.</param>
    /// <param name="backboneCorrect">Right answers of the ideal network.</param>
    /// <param name="images">n.</param>
    /// <param name="loss">Points that may be lost.</param>
    /// <returns>
    /// The ends, each as <see cref="Of"/> gives it. Null if b was not counted where it can matter: as b + c is at most n, no accuracy's limits are farther than 1.96 / sqrt(n) from it (1.96 points for 10,000 images),
    /// so a cell that is farther from what may be lost than that, like its neighbours and on the same side, has no part in the ends.
    /// </returns>
    /// <exception cref="ArgumentException">No cells, one alpha twice, no images, or lost answers that do not make the right ones from the backbone's.</exception>
    public static (double? Low, double? High)? Interval(IReadOnlyCollection<(double Alpha, int Correct, int? Lost)> cells, int backboneCorrect, int images, double loss)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(images);
        foreach ((double alpha, int correct, int? lost) in cells)
        {
            if (lost is { } b && !Fits(correct, b, backboneCorrect, images))
                throw new ArgumentException(FormattableString.Invariant($"precision needed: alpha {alpha}: expected lost answers that make {correct} right ones of {images} from the backbone's {backboneCorrect}, found {b}"), nameof(cells));
        }
        double backbone = 100.0 * backboneCorrect / images, widest = 100 * BinomialInterval.Z / Math.Sqrt(images);
        double Accuracy((double Alpha, int Correct, int? Lost) cell) => 100.0 * cell.Correct / images;
        // -1 and 1: below and above what may be lost by more than any limits reach; 0: near.
        int Side((double Alpha, int Correct, int? Lost) cell) => Accuracy(cell) - backbone + loss is var above && Math.Abs(above) > widest ? Math.Sign(above) : 0;
        (double Alpha, int Correct, int? Lost)[] rising = [.. cells.OrderBy(cell => cell.Alpha)];
        bool Matters(int i) => Side(rising[i]) is var side && (side == 0 || (i > 0 && Side(rising[i - 1]) != side) || (i + 1 < rising.Length && Side(rising[i + 1]) != side));
        if (Enumerable.Range(0, rising.Length).Any(i => rising[i].Lost is null && Matters(i))) return null;
        double? Alpha(double errors) => Of([.. cells.Select(cell => (cell.Alpha, Accuracy(cell) + (errors * Error(cell))))], backbone, loss);
        return (Alpha(BinomialInterval.Z), Alpha(-BinomialInterval.Z));

        double Error((double Alpha, int Correct, int? Lost) cell)
        {
            double difference = backboneCorrect - cell.Correct;
            return cell.Lost is int lost ? 100 * Math.Sqrt(Math.Max(0, (2 * lost) - difference - (difference * difference / images))) / images : 0;
        }
    }
}
