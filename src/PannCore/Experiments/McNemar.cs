using MathNet.Numerics.Distributions;
using PannCore.Diagnostics;

namespace PannCore.Experiments;

/// <summary>McNemar's test of two networks that answered the same images: only those count on which exactly one of them is right.</summary>
/// <param name="First">Images that only the first network got right.</param>
/// <param name="Second">Images that only the second one did.</param>
public readonly record struct McNemar(int First, int Second)
{
    /// <summary>Counts of two lists of answers to the same images.</summary>
    /// <exception cref="ArgumentException">Lists of different lengths.</exception>
    public static McNemar Of(ReadOnlySpan<bool> first, ReadOnlySpan<bool> second)
    {
        if (first.Length != second.Length) throw new ArgumentException($"McNemar's test: expected answers to the same images, found {first.Length} and {second.Length}", nameof(second));
        (int onlyFirst, int onlySecond) = (0, 0);
        for (int i = 0; i < first.Length; i++)
        {
            if (first[i] && !second[i]) onlyFirst++;
            if (!first[i] && second[i]) onlySecond++;
        }
        return new(onlyFirst, onlySecond);
    }

    /// <summary>
    /// The exact two-sided probability that two equally good networks differ at least so much: each of the n images on which one is right is a fair coin,
    /// p = min(1, 2 P(X &lt;= min(first, second))), X binomial with n and 1/2.
    /// </summary>
    public double Probability => First + Second == 0 ? 1 : Math.Min(1, 2 * Binomial.CDF(0.5, First + Second, Math.Min(First, Second)));

    /// <summary>
    /// By how much the first network's accuracy is above the second's, in percentage points, and half the length of its 95 % interval over images:
    /// d = (first - second) / n, 1.96 sqrt((first + second) / n - d^2) / sqrt(n), n images in all, of which each gives 1, 0 or -1.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">Fewer images than differ, or none.</exception>
    public (double Points, double HalfWidth) Difference(int images)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(images, Math.Max(1, First + Second));
        double difference = (First - Second) / (double)images, variance = ((First + Second) / (double)images) - (difference * difference);
        return (100 * difference, 100 * BinomialInterval.Z * Math.Sqrt(variance / images));
    }
}
