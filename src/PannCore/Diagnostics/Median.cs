namespace PannCore.Diagnostics;

/// <summary>The middle of a set of numbers.</summary>
internal static class Median
{
    /// <summary>The middle one in rising order; of an even number, the mean of the two in the middle.</summary>
    /// <exception cref="InvalidOperationException">There is no number.</exception>
    public static double Of(IEnumerable<double> values)
    {
        double[] rising = [.. values.Order()];
        if (rising.Length == 0) throw new InvalidOperationException("median: expected at least one number, found none");
        (double below, double above) = (rising[(rising.Length - 1) / 2], rising[rising.Length / 2]);
        return below == above ? below : (below + above) / 2; // Of infinities, too.
    }
}
