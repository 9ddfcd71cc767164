namespace PannCore.Reports;

/// <summary>Maps values to drawing coordinates, linearly, by decades (on both sides of 0 if need be) or by powers of two; what lies beyond an end is drawn at that end.</summary>
internal sealed class Axis
{
    private readonly Func<double, double> _scale;
    private readonly double _from;
    private readonly double _to;

    private Axis(double low, double high, double from, double to, Func<double, double> scale, IReadOnlyList<double> ticks)
        => (Low, High, _from, _to, _scale, Ticks) = (low, high, from, to, scale, ticks);

    public double Low { get; }

    public double High { get; }

    /// <summary>Round values from <see cref="Low"/> to <see cref="High"/>: every decade of a logarithmic axis.</summary>
    public IReadOnlyList<double> Ticks { get; }

    /// <summary>A linear axis that covers low, high and 0 in about five steps of 1, 2 or 5 times a power of ten.</summary>
    public static Axis Linear(double low, double high, double from, double to) => Between(Math.Min(low, 0), Math.Max(high, 0), from, to);

    /// <summary>A linear axis that covers low and high in about five steps of 1, 2 or 5 times a power of ten; one value other than 0 stands in the middle; 0 to 1 where they are no interval.</summary>
    public static Axis Between(double low, double high, double from, double to)
    {
        if (!double.IsFinite(high - low) || high < low) (low, high) = (0, 1);
        if (low == high) (low, high) = low == 0 ? (0, 1) : (low - 0.5, high + 0.5);
        double raw = (high - low) / 5;
        double power = Math.Pow(10, Math.Floor(Math.Log10(raw)));
        double step = power * (raw / power) switch { <= 1 => 1, <= 2 => 2, <= 5 => 5, _ => 10 };
        long first = (long)Math.Floor(low / step + 1e-9), last = (long)Math.Ceiling(high / step - 1e-9);
        double[] ticks = [.. Enumerable.Range(0, (int)(last - first) + 1).Select(i => (first + i) * step)];
        return new Axis(ticks[0], ticks[^1], from, to, v => v, ticks);
    }

    /// <summary>
    /// An axis from -1 to 1 that is logarithmic on both sides of 0 and linear within about <paramref name="smallest"/> of it: asinh(v / smallest).
    /// Its ticks are 0 and the powers of ten from the first one above <paramref name="smallest"/> to 1, with both signs.
    /// </summary>
    public static Axis SignedLog(double smallest, double from, double to)
    {
        smallest = double.IsFinite(smallest) ? Math.Clamp(smallest, 1e-9, 0.1) : 1e-3;
        int decades = (int)Math.Floor(-Math.Log10(smallest) + 1e-9);
        double[] positive = [.. Enumerable.Range(0, decades + 1).Select(i => Math.Pow(10, i - decades))];
        return new Axis(-1, 1, from, to, v => Math.Asinh(v / smallest), [.. positive.Reverse().Select(v => -v), 0, .. positive]);
    }

    /// <summary>
    /// A logarithmic axis over whole decades that covers the positive finite values among those given,
    /// but starts no lower than <paramref name="floor"/> and ends no higher than <paramref name="ceiling"/> (exponents of ten).
    /// </summary>
    public static Axis Decades(IEnumerable<double> values, int floor, int ceiling, double from, double to)
    {
        double low = double.PositiveInfinity, high = 0;
        foreach (double value in values.Where(v => v > 0 && double.IsFinite(v)))
            (low, high) = (Math.Min(low, value), Math.Max(high, value));
        int last = high == 0 ? Math.Min(0, ceiling) : (int)Math.Clamp(Math.Ceiling(Math.Log10(high)), floor + 1, ceiling);
        int first = high == 0 ? floor : (int)Math.Clamp(Math.Floor(Math.Log10(low)), floor, last - 1);
        double[] ticks = [.. Enumerable.Range(first, last - first + 1).Select(e => Math.Pow(10, e))];
        return new Axis(ticks[0], ticks[^1], from, to, Math.Log10, ticks);
    }

    /// <summary>
    /// A logarithmic axis over whole powers of two that covers the positive finite values among those given, but starts no lower than 2^<paramref name="floor"/>;
    /// at most nine ticks.
    /// </summary>
    public static Axis Octaves(IEnumerable<double> values, int floor, double from, double to)
    {
        double[] logs = [.. values.Where(v => v > 0 && double.IsFinite(v)).Select(Math.Log2)];
        int first = logs.Length == 0 ? floor : Math.Max(floor, (int)Math.Floor(logs.Min()));
        int last = logs.Length == 0 ? floor + 1 : Math.Max(first + 1, (int)Math.Ceiling(logs.Max()));
        int step = Math.Max(1, (last - first + 7) / 8);
        first = last - (last - first + step - 1) / step * step;
        double[] ticks = [.. Enumerable.Range(0, (last - first) / step + 1).Select(i => double.ScaleB(1, first + i * step))];
        return new Axis(ticks[0], ticks[^1], from, to, Math.Log2, ticks);
    }

    public double At(double value)
    {
        double share = (_scale(value) - _scale(Low)) / (_scale(High) - _scale(Low));
        return _from + (_to - _from) * Math.Clamp(double.IsNaN(share) ? 0 : share, 0, 1);
    }
}
