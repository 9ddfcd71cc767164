using System.Globalization;
using System.Text.Json;
using PannCore.Ops;

namespace PannCore.Nn;

/// <summary>
/// The range B of each activation: inputs are expected in [-B, B]. From a text: <c>layer</c> (each activation its own largest |x|, times a margin),
/// <c>global</c> (the largest of them for all), <c>global:50</c> (a given number for all), <c>file:ranges.json</c> (an object path: B).
/// </summary>
public sealed class ActivationRanges
{
    private const int MaxFileBytes = 1 << 20;

    private readonly Dictionary<string, double> _byPath;

    private ActivationRanges(string spec, Dictionary<string, double> byPath)
    {
        Spec = spec;
        _byPath = byPath;
    }

    /// <summary>The text they were made from.</summary>
    public string Spec { get; }

    /// <summary>B of each activation's path.</summary>
    public IReadOnlyDictionary<string, double> ByPath => _byPath;

    /// <summary>B of one activation.</summary>
    public double this[string path] => _byPath[path];

    /// <summary>Whether a text needs measured inputs: <c>layer</c> and <c>global</c> do.</summary>
    public static bool NeedsCalibration(string spec) => spec is "layer" or "global";

    /// <summary>Ranges from a text.</summary>
    /// <param name="spec">The text.</param>
    /// <param name="paths">The network's activations.</param>
    /// <param name="largest">Largest |x| measured at each path on training images; only used by <c>layer</c> and <c>global</c>.</param>
    /// <param name="margin">Factor on measured values, at least <paramref name="leastMargin"/>.</param>
    /// <param name="leastMargin">1, so that what was measured lies inside; less where training will bring it inside.</param>
    /// <exception cref="BadInputException">Unknown text; a number, file or measurement that is missing, zero or not finite, or not after the margin.</exception>
    public static ActivationRanges Parse(string spec, IReadOnlyList<string> paths, IReadOnlyDictionary<string, double>? largest, double margin, double leastMargin = 1)
    {
        if (!(margin >= leastMargin && double.IsFinite(margin))) throw new BadInputException(FormattableString.Invariant($"margin: expected a number of at least {leastMargin}, found {margin}"));
        if (NeedsCalibration(spec))
        {
            if (largest is null) throw new BadInputException($"ranges '{spec}': the model file carries no measured ranges; give --calibrate N or global:B");
            Dictionary<string, double> measured = Check($"ranges '{spec}'", paths, largest);
            double global = measured.Values.Max();
            return new(spec, Check(FormattableString.Invariant($"ranges '{spec}', {margin} times what was measured"), paths, paths.ToDictionary(path => path, path => margin * (spec == "global" ? global : measured[path]))));
        }
        if (spec.StartsWith("global:", StringComparison.Ordinal))
        {
            string number = spec["global:".Length..];
            if (!double.TryParse(number, NumberStyles.Float, CultureInfo.InvariantCulture, out double b) || !PolynomialRelu.IsUsable(b))
                throw new BadInputException($"ranges '{spec}': expected a positive number after 'global:', found '{number}'");
            return new(spec, paths.ToDictionary(path => path, _ => b));
        }
        if (spec.StartsWith("file:", StringComparison.Ordinal)) return FromFile(spec, spec["file:".Length..], paths);
        throw new BadInputException($"ranges '{spec}': unknown; known: layer, global, global:B, file:PATH");
    }

    /// <summary>Given ranges.</summary>
    /// <param name="spec">The text they go by.</param>
    /// <param name="paths">The network's activations.</param>
    /// <param name="values">B of each.</param>
    /// <exception cref="BadInputException">Ranges that are missing, surplus or not usable; the message names <paramref name="spec"/>.</exception>
    public static ActivationRanges Of(string spec, IReadOnlyList<string> paths, IReadOnlyDictionary<string, double> values) => new(spec, Check($"ranges '{spec}'", paths, values));

    private static ActivationRanges FromFile(string spec, string path, IReadOnlyList<string> paths)
    {
        Dictionary<string, double> values = InputFile.ReadJson(path, path, MaxFileBytes, root => root.ValueKind == JsonValueKind.Object
            ? root.EnumerateObject().ToDictionary(property => property.Name, property => property.Value.ValueKind == JsonValueKind.Number && property.Value.TryGetDouble(out double b)
                ? b
                : throw BadInputException.At(path, $"key {property.Name}", "a positive number", property.Value.GetRawText()))
            : throw BadInputException.At(path, "the root", "an object of path: B", root.ValueKind.ToString()));
        return new(spec, Check(path, paths, values));
    }

    private static Dictionary<string, double> Check(string source, IReadOnlyList<string> paths, IReadOnlyDictionary<string, double> values)
    {
        string[] missing = [.. paths.Where(path => !values.ContainsKey(path))], surplus = [.. values.Keys.Where(path => !paths.Contains(path))];
        if (missing.Length > 0 || surplus.Length > 0)
        {
            throw new BadInputException(
                $"{source}: expected a range for each of the {paths.Count} activations, found {values.Count}"
                + (missing.Length > 0 ? $"; missing: {string.Join(", ", missing)}" : "") + (surplus.Length > 0 ? $"; unknown: {string.Join(", ", surplus)}" : ""));
        }
        foreach ((string path, double value) in values)
        {
            if (!PolynomialRelu.IsUsable(value))
                throw BadInputException.At(source, $"key {path}", "a positive number", value.ToString(CultureInfo.InvariantCulture));
        }
        return paths.ToDictionary(path => path, path => values[path]);
    }
}
