using System.Globalization;

namespace PannCore.Approximation;

/// <summary>Numbers and keys in specification texts, the same in every culture.</summary>
internal static class SpecText
{
    /// <summary>A whole number without sign; null for any other text.</summary>
    public static int? Whole(string number)
        => int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out int value) ? value : null;

    /// <summary>A number in decimal or exponent form; null for any other text, so for one with spaces, groups or a comma.</summary>
    public static double? Real(string number)
        => double.TryParse(number, NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent | NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out double value)
            ? value
            : null;

    /// <summary>What follows the prefix; null if the text does not start with it.</summary>
    public static string? Suffix(string text, string prefix)
        => text.StartsWith(prefix, StringComparison.Ordinal) ? text[prefix.Length..] : null;
}
