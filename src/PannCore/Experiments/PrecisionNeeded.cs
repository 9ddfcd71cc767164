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
        int last = Array.FindLastIndex(rising, row => row.Accuracy < limit);
        if (last == rising.Length - 1) return null;
        if (last < 0) return rising[0].Alpha;
        ((double from, double low), (double to, double high)) = (rising[last], rising[last + 1]);
        return from + ((to - from) * (limit - low) / (high - low));
    }
}
