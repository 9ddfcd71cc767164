namespace PannCore.Diagnostics;

/// <summary>
/// Bins over [-1, 1] that are finer towards 0: on either side of it, every octave from 2^-octaves to 1 is cut into equal parts, and one bin holds what is smaller.
/// A bin holds its lower end in magnitude; 1 and -1 lie in the outermost ones.
/// </summary>
internal sealed class LogBins
{
    private const int MantissaBits = 23, ExponentBias = 127;

    private readonly int _shift, _first, _side;

    /// <param name="octaves">Octaves on either side, at most 126.</param>
    /// <param name="log2Parts">log2 of the parts that each is cut into.</param>
    public LogBins(int octaves, int log2Parts)
    {
        _side = (octaves << log2Parts) + 1;
        _shift = MantissaBits - log2Parts;
        _first = ((ExponentBias - octaves) << log2Parts) - 1;
        double[] edges = new double[(2 * _side) + 1];
        for (int bin = 1; bin <= _side; bin++)
        {
            int octave = (bin - 1) >> log2Parts, part = (bin - 1) & ((1 << log2Parts) - 1);
            double end = double.ScaleB(1 + (part / (double)(1 << log2Parts)), octave - octaves);
            (edges[_side - bin], edges[_side + bin]) = (-end, end);
        }
        Edges = edges;
    }

    /// <summary>Number of bins, both sides together.</summary>
    public int Count => 2 * _side;

    /// <summary>The ends of the bins, ascending from -1 to 1: one more than there are bins.</summary>
    public IReadOnlyList<double> Edges { get; }

    /// <summary>The bin of a number; one outside [-1, 1] counts as the end next to it, and NaN as 1 or -1.</summary>
    public int Of(float t)
    {
        // + 0 turns -0 into 0. The sign is taken as a number: as a branch it would be mispredicted every second time.
        int signed = BitConverter.SingleToInt32Bits(t + 0f), bits = signed & int.MaxValue, negative = signed >> 31;

        // Exponent and leading mantissa bits number the bins from the first octave on; ~bin is -1 - bin.
        int bin = Math.Clamp((bits >> _shift) - _first, 0, _side - 1);
        return _side + (bin ^ negative);
    }
}
