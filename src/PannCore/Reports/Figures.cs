using System.Globalization;

namespace PannCore.Reports;

/// <summary>How numbers and names are written in every report: culture-invariant, three significant digits, words for what is not finite.</summary>
internal static class Figures
{
    // Enough for every path of a real network; a longer name keeps its two ends, and the JSON file has all of it.
    private const int LongestName = 96;

    /// <summary>Three significant digits: <c>0.0123</c>, <c>4.57</c>, <c>1230</c>, <c>1.23e-7</c>.</summary>
    public static string Number(double value)
    {
        if (double.IsNaN(value)) return "not a number";
        if (double.IsInfinity(value)) return value > 0 ? "infinity" : "-infinity";
        if (value == 0) return "0";

        // Round first, then choose the form: 9.999 is 10.0, not 10.00.
        string scientific = value.ToString("E2", CultureInfo.InvariantCulture);
        int at = scientific.IndexOf('E', StringComparison.Ordinal);
        int exponent = int.Parse(scientific.AsSpan(at + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        if (exponent is < -3 or > 3) return string.Create(CultureInfo.InvariantCulture, $"{scientific.AsSpan(0, at)}e{exponent}");
        double rounded = double.Parse(scientific, CultureInfo.InvariantCulture);
        return rounded.ToString("F" + Math.Max(0, 2 - exponent).ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
    }

    /// <summary>A number, or an en dash where there is none.</summary>
    public static string Number(double? value) => value is { } v ? Number(v) : "–";

    /// <summary>A ratio as a percentage, as a multiple from 10 on, and as a plain number where a percentage would be all zeros.</summary>
    public static string Ratio(double ratio)
    {
        if (!double.IsFinite(ratio)) return Number(ratio);
        double size = Math.Abs(ratio);
        if (size == 0) return "0 %";
        if (size < 1e-5) return Number(ratio);
        return size < 10 ? $"{Number(100 * ratio)} %" : $"{Number(ratio)} times";
    }

    /// <summary>A ratio, or an en dash where there is none.</summary>
    public static string Ratio(double? ratio) => ratio is { } r ? Ratio(r) : "–";

    /// <summary>A ratio to the signal, in words that follow a size: <c>12.3 % of the signal</c>, <c>40.0 times the signal</c>.</summary>
    public static string OfSignal(double ratio)
    {
        string text = Ratio(ratio);
        return text.EndsWith("times", StringComparison.Ordinal) ? $"{text} the signal" : $"{text} of the signal";
    }

    /// <summary>A large multiple without a power of ten where it can be read: <c>429,000</c>.</summary>
    public static string Multiple(double factor)
    {
        if (factor is not (>= 1000 and < 1e9)) return Number(factor);
        double unit = Math.Pow(10, Math.Floor(Math.Log10(factor)) - 2);
        return Count((long)(Math.Round(factor / unit) * unit));
    }

    /// <summary>The shortest form of a round number, for an axis: <c>0.5</c>, <c>100</c>, <c>1e-6</c>.</summary>
    public static string Tick(double value)
    {
        double size = Math.Abs(value);
        if (size is 0 or (>= 1e-3 and < 1e4)) return value.ToString("0.#####", CultureInfo.InvariantCulture);
        return value.ToString("0.##e0", CultureInfo.InvariantCulture);
    }

    /// <summary>A ratio on an axis: <c>1 %</c>, and <c>10×</c> or <c>1e-6</c> where percent help nobody.</summary>
    public static string RatioTick(double ratio) => ratio switch
    {
        >= 9 => Tick(ratio) + "×",
        >= 0.9e-4 => Tick(100 * ratio) + " %",
        _ => Tick(ratio),
    };

    /// <summary>An accuracy in percent; it is a count, so it keeps up to two decimals.</summary>
    public static string Accuracy(double percent)
        => double.IsFinite(percent) ? percent.ToString("0.0#", CultureInfo.InvariantCulture) + " %" : Number(percent);

    /// <summary><c>12,345</c>.</summary>
    public static string Count(long count) => count.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary><c>1 image</c>, <c>1,000 images</c>.</summary>
    public static string Count(long count, string noun) => $"{Count(count)} {noun}{(count == 1 ? "" : "s")}";

    /// <summary>A proved bound as a power of two, its exponent rounded up to two decimals, so that what is printed is proved too: 2^-8.047 is <c>2^-8.04</c>.</summary>
    public static string Bound(double log2) => PowerOfTwo(Math.Ceiling(100 * log2) / 100);

    /// <summary>A proved bound, rounded up to significant digits.</summary>
    public static string NumberAbove(double bound, int digits = 3) => Outward(bound, digits, up: true);

    /// <summary>What is proved to be reached at least, rounded down to significant digits.</summary>
    public static string NumberBelow(double bound, int digits = 3) => Outward(bound, digits, up: false);

    /// <summary>A power of two with its exponent to two decimals: <c>2^-8.04</c>.</summary>
    public static string PowerOfTwo(double log2)
        => double.IsFinite(log2) ? "2^" + log2.ToString("0.##", CultureInfo.InvariantCulture) : Number(double.Exp2(log2));

    /// <summary>A value by its sign and the power of two of its size: <c>-2^-8.04</c>; <c>0</c> for zero.</summary>
    public static string SignedPowerOfTwo(double value)
        => value == 0 ? "0" : (value < 0 ? "-" : "") + PowerOfTwo(Math.Log2(Math.Abs(value)));

    /// <summary>A path, operation or class name short enough to show.</summary>
    public static string Name(string name)
        => name.Length <= LongestName ? name : $"{name[..60]}…{name[^30..]}";

    private static string Outward(double value, int digits, bool up)
    {
        if (!(value > 0) || double.IsInfinity(value)) return Number(value);
        double digit = Math.Pow(10, Math.Floor(Math.Log10(value)) - digits + 1), steps = value / digit;
        double rounded = digit * (up ? Math.Ceiling(steps) : Math.Floor(steps));
        // The product is rounded itself, perhaps to the wrong side.
        if (up && rounded < value) rounded += digit;
        else if (!up && rounded > value) rounded -= digit;
        return digits == 3 ? Number(rounded) : rounded.ToString($"g{digits}", CultureInfo.InvariantCulture);
    }
}
