using MathNet.Numerics.Distributions;

namespace PannCore.Experiments;

/// <summary>A share of right answers with its 95 % interval.</summary>
/// <param name="Count">Right answers.</param>
/// <param name="Of">Answers.</param>
public readonly record struct Proportion(int Count, int Of)
{
    private const double Tail = 0.025;

    /// <summary>In percent.</summary>
    public double Percent => 100.0 * Count / Of;

    /// <summary>Lower end of the exact interval (Clopper and Pearson 1934), in percent: the share at which so many or more would come with probability 2.5 %.</summary>
    public double Lower => Count == 0 ? 0 : 100 * Beta.InvCDF(Count, Of - Count + 1, Tail);

    /// <summary>Upper end, in percent.</summary>
    public double Upper => Count == Of ? 100 : 100 * Beta.InvCDF(Count + 1, Of - Count, 1 - Tail);
}
