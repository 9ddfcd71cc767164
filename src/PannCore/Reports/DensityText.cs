using System.Globalization;

namespace PannCore.Reports;

/// <summary>How a density of inputs is written in every report.</summary>
internal static class DensityText
{
    /// <summary>A normal one, whose name is the ratio B/s, as <c>N(0, B/16)</c>; a measured one by the name of its file, without the folder.</summary>
    public static string Of(string name)
        => double.TryParse(name, NumberStyles.Float, CultureInfo.InvariantCulture, out _) ? $"N(0, B/{name})" : PlainText.OneLine(Figures.Name(Path.GetFileName(name)));
}
