namespace PannCore.Diagnostics;

/// <summary>
/// The 95 % score interval of a proportion, in percent (E. B. Wilson, 1927): with p = k/n and z = 1.96, the centre is (p + z^2/2n) / (1 + z^2/n) and half the width
/// z sqrt(p (1-p)/n + z^2/4n^2) / (1 + z^2/n). Unlike p +- z sqrt(p (1-p)/n) it stays in 0..100 and has a width where k is 0 or n.
/// </summary>
/// <param name="Low">Lower end.</param>
/// <param name="High">Upper end.</param>
public sealed record BinomialInterval(double Low, double High)
{
    /// <summary>A normal variable is within so many standard deviations in 95 % of the cases.</summary>
    internal const double Z = 1.959963984540054;

    /// <summary>The interval of k successes in n trials; 0 to 100 without a trial.</summary>
    public static BinomialInterval Of(int k, int n)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(k);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(k, n);
        if (n == 0) return new(0, 100);
        double p = (double)k / n, square = Z * Z / n, centre = p + (square / 2), half = Z * Math.Sqrt((p * (1 - p) / n) + (square / (4 * n)));
        // Exactly the ends where k is 0 or n, not their rounded difference.
        return new(k == 0 ? 0 : 100 * (centre - half) / (1 + square), k == n ? 100 : 100 * (centre + half) / (1 + square));
    }
}
