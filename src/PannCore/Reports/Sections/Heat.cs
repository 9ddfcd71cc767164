namespace PannCore.Reports.Sections;

/// <summary>
/// The colour of an error, from its RMS over the signal's: the same nine steps for every cause, every network and every precision, so that pictures compare.
/// A step is a class of the style sheet, since the page's policy allows no style of an element's own.
/// </summary>
internal static class Heat
{
    // Upper ends; the first step is what rounding alone makes.
    private static readonly double[] Ends = [0.001, 0.01, 0.03, 0.1, 0.2, 0.5, 1, 2];

    /// <summary>0 to 8, or x where there is no figure.</summary>
    public static char Step(double ratio)
    {
        if (double.IsNaN(ratio)) return 'x';
        int step = Array.FindIndex(Ends, end => ratio < end);
        return (char)('0' + (step < 0 ? Ends.Length : step));
    }

    /// <summary>The same for a figure that may not have been measured.</summary>
    public static char Step(double? ratio) => Step(ratio ?? double.NaN);

    /// <summary>The figure that stands beside the colour; a dash where none was measured.</summary>
    public static string Text(double? ratio) => ratio is not { } r ? "–" : double.IsFinite(r) ? Figures.Ratio(r) : "not finite";

    /// <summary>The steps, with their limits.</summary>
    public static void Legend(Markup page)
    {
        using var list = page.Open("ul", ("class", "scale"), ("aria-label", "Colours: error over signal"));
        for (int i = 0; i <= Ends.Length; i++)
        {
            string text = i == Ends.Length ? $"{Figures.RatioTick(Ends[^1])} and more" : i == 0 ? $"below {Figures.RatioTick(Ends[0])}" : $"{Figures.RatioTick(Ends[i - 1])} to {Figures.RatioTick(Ends[i])}";
            page.Element("li", text, ("class", $"h{i}"));
        }
    }
}
