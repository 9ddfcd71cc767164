using System.Text.Json;
using MathNet.Numerics.Integration;

namespace PannCore.Approximation;

/// <summary>
/// How the inputs of an activation are distributed over its range [-B, B], in units of B: a probability density on [-1, 1]. What a network feels of an error depends on it.
/// </summary>
/// <remarks>
/// A normal density N(0, s) is given by the ratio B/s; a measured one by a histogram, constant within each bin. Either is cut off at -1 and 1 and normalised there.
/// </remarks>
public sealed class InputDensity
{
    /// <summary>Most bins of a histogram.</summary>
    public const int MostBins = 65_536;

    internal const double SmallestRatio = 0.01, LargestRatio = 10_000;
    private const int LargestFile = 8 << 20;

    // 32 Gauss points integrate exp(i w x) on [-1, 1] to 1e-16 for w up to 24, 16 points up to 8, 8 points up to 1.3: (w/2)^2m / (2m)! for m points.
    private static readonly (double Turns, GaussLegendreRule Rule)[] Rules =
        [(1.3, new GaussLegendreRule(-1, 1, 8)), (8, new GaussLegendreRule(-1, 1, 16)), (24, new GaussLegendreRule(-1, 1, 32))];

    private readonly double[] _edges, _heights;
    private readonly double _ratio;

    private InputDensity(string name, double ratio, double[] edges, double[] heights, double outside)
        => (Name, _ratio, _edges, _heights, Outside) = (name, ratio, edges, heights, outside);

    /// <summary>The text that <see cref="Parse"/> reads back: the ratio, or the histogram's file; or what else it is called.</summary>
    public string Name { get; }

    /// <summary>The share of a histogram's inputs outside [-1, 1], left out of the density; 0 for a normal one.</summary>
    public double Outside { get; }

    /// <summary>Every input in [-1, 1] alike.</summary>
    public static InputDensity Uniform { get; } = new("uniform", 0, [-1, 0, 1], [1, 1], 0);

    /// <summary>B/s of a normal density; 0 for others.</summary>
    internal double Ratio => _ratio;

    /// <summary>Whether it is known to be even about 0: a histogram is not.</summary>
    internal bool IsEven => _ratio > 0 || this == Uniform;

    /// <summary>N(0, s) for inputs in units of B, s = 1/ratio, on [-1, 1].</summary>
    /// <param name="ratio">B/s, from 0.01 to 10,000.</param>
    /// <exception cref="BadInputException">The ratio is not one of those.</exception>
    public static InputDensity Gaussian(double ratio)
        => IsRatio(ratio)
            ? new(FormattableString.Invariant($"{ratio}"), ratio, [-1, 0, 1], [1, 1], 0)
            : throw new BadInputException(FormattableString.Invariant($"density '{ratio}': expected a ratio B/s from {SmallestRatio} to {LargestRatio}"));

    /// <summary>A measured density of x/B.</summary>
    /// <param name="edges">The ends of the bins in units of B, ascending: one more than there are bins. Bins beyond -1 and 1 are left out, cut bins counted in proportion.</param>
    /// <param name="counts">How many inputs lie in each bin.</param>
    /// <param name="outside">Inputs that lie in no bin.</param>
    /// <param name="name">Where it comes from.</param>
    /// <exception cref="BadInputException">The edges do not ascend, the numbers do not match, a count is negative, or nothing lies inside [-1, 1].</exception>
    public static InputDensity Histogram(IReadOnlyList<double> edges, IReadOnlyList<long> counts, long outside = 0, string name = "histogram")
    {
        ArgumentNullException.ThrowIfNull(edges);
        ArgumentNullException.ThrowIfNull(counts);
        if (counts.Count is 0 or > MostBins)
            throw new BadInputException($"density '{name}': {counts.Count} counts, expected 1 to {MostBins}");
        if (edges.Count != counts.Count + 1)
            throw new BadInputException($"density '{name}': {edges.Count} edges for {counts.Count} counts, expected {counts.Count + 1}");
        if (outside < 0)
            throw new BadInputException($"density '{name}': {outside} inputs outside, expected none or more");

        List<double> ends = [], heights = [];
        double all = outside, inside = 0;
        for (int bin = 0; bin < counts.Count; bin++)
        {
            (double lo, double hi) = (edges[bin], edges[bin + 1]);
            if (!(lo < hi && double.IsFinite(hi - lo)))
                throw new BadInputException(FormattableString.Invariant($"density '{name}': bin {bin} from {lo} to {hi}, expected ascending finite edges"));
            if (counts[bin] < 0)
                throw new BadInputException($"density '{name}': bin {bin} counts {counts[bin]}, expected none or more");
            all += counts[bin];
            double height = counts[bin] / (hi - lo);
            if (!double.IsFinite(height))
                throw new BadInputException(FormattableString.Invariant($"density '{name}': bin {bin} from {lo} to {hi} is too narrow for {counts[bin]} inputs"));
            (lo, hi) = (Math.Max(lo, -1), Math.Min(hi, 1));
            if (lo >= hi) continue;
            inside += height * (hi - lo);
            Add(lo, lo < 0 && hi > 0 ? 0 : hi, height);
            if (lo < 0 && hi > 0) Add(0, hi, height);
        }

        if (inside == 0)
            throw new BadInputException($"density '{name}': no input inside the range, nothing to weigh by");
        return new(name, 0, [.. ends], [.. heights], (all - inside) / all);

        void Add(double lo, double hi, double height)
        {
            if (ends.Count == 0) ends.Add(lo);
            ends.Add(hi);
            heights.Add(height);
        }
    }

    /// <summary>Reads a density: a number is the ratio B/s of a normal one, anything else the path of a histogram.</summary>
    /// <remarks>
    /// The file is a JSON object with <c>edges</c> (numbers), <c>counts</c> (whole numbers, one fewer) and perhaps <c>outside</c>; other members are ignored.
    /// <c>FILE#PATH</c> takes <c>counts</c> and <c>outside</c> from that member of its array <c>layers</c> whose <c>path</c> is PATH.
    /// </remarks>
    /// <exception cref="BadInputException">The number is no ratio, or the file is missing, too large or no histogram.</exception>
    public static InputDensity Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return SpecText.Real(text) is double ratio ? Gaussian(ratio) : Read(text);
    }

    /// <summary>
    /// The mean of g over the density. Right to about 1e-14 of the largest |g| if g is, on [-1, 0] and on [0, 1], a polynomial of at most the given degree:
    /// so for the error of a polynomial against a function with a kink at 0, and, with twice the degree, for its square. The weights sum to 1.
    /// </summary>
    /// <remarks>
    /// In θ with t = sin θ a polynomial of degree n oscillates at most n times per turn everywhere. [-1, 1] is cut at 0, at the bins and
    /// into panels short enough in θ for at most 32 Gauss-Legendre points each.
    /// </remarks>
    /// <param name="g">A function on [-1, 1].</param>
    /// <param name="degree">At least 0.</param>
    public double Integrate(Func<double, double> g, int degree)
    {
        ArgumentNullException.ThrowIfNull(g);
        double sum = 0, weights = 0;
        foreach ((double t, double weight) in Nodes(degree))
        {
            weights += weight;
            sum += weight * g(t);
        }

        return sum / weights;
    }

    /// <summary>Points and weights (not normalised) of that quadrature, ascending.</summary>
    internal IEnumerable<(double At, double Weight)> Nodes(int degree)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(degree);

        // The cosine of dt = cos θ dθ adds one; exp(-t^2 ratio^2 / 2) is resolved by panels of 6 s.
        double frequency = degree + 1 + (8 * _ratio);
        for (int bin = 0; bin < _heights.Length; bin++)
        {
            if (_heights[bin] == 0) continue;
            double lo = Math.Asin(_edges[bin]), hi = Math.Asin(_edges[bin + 1]), turns = frequency * (hi - lo) / 2;
            int panels = (int)Math.Ceiling(turns / Rules[^1].Turns);
            GaussLegendreRule rule = Array.Find(Rules, r => turns / panels <= r.Turns).Rule ?? Rules[^1].Rule;
            double half = (hi - lo) / panels / 2;
            for (int panel = 0; panel < panels; panel++)
            {
                double middle = lo + (((2 * panel) + 1) * half);
                for (int i = 0; i < rule.Order; i++)
                {
                    (double t, double cosine) = Math.SinCos(middle + (half * rule.GetAbscissa(i)));
                    yield return (t, half * rule.GetWeight(i) * cosine * Density(bin, t));
                }
            }
        }
    }

    /// <summary>Whether a number can be the ratio B/s of a normal density.</summary>
    internal static bool IsRatio(double ratio) => ratio is >= SmallestRatio and <= LargestRatio;

    private double Density(int bin, double t) => _heights[bin] * Math.Exp(-t * t * _ratio * _ratio / 2);

    private static InputDensity Read(string text)
    {
        // A file of several layers: FILE#PATH names one of them, unless a file has that very name.
        int hash = File.Exists(text) ? -1 : text.LastIndexOf('#');
        (string path, string? layer) = hash < 0 ? (text, null) : (text[..hash], text[(hash + 1)..]);
        return InputFile.ReadJson(
            path,
            $"density '{path}'",
            LargestFile,
            root =>
            {
                JsonElement counted = layer is null ? root : Layer(root, layer, path);
                return Histogram(
                    [.. Numbers(root, "edges", path).Select(edge => edge.TryGetDouble(out double value) ? value : double.NaN)],
                    [.. Numbers(counted, "counts", path).Select(count => Count(count, path))],
                    counted.TryGetProperty("outside", out JsonElement outside) ? Count(outside, path) : 0,
                    text);
            },
            "neither a ratio B/s nor a histogram: there is no such file");
    }

    private static JsonElement Layer(JsonElement root, string layer, string path)
    {
        JsonElement[] layers = root.ValueKind == JsonValueKind.Object && root.TryGetProperty("layers", out JsonElement list) && list.ValueKind == JsonValueKind.Array ? [.. list.EnumerateArray()] : [];
        JsonElement found = Array.Find(layers, element => Name(element) == layer);
        return found.ValueKind == JsonValueKind.Object
            ? found
            : throw new BadInputException($"density '{path}#{layer}': the file has no layer '{layer}'; it has {(layers.Length == 0 ? "none" : string.Join(", ", layers.Select(Name)))}");

        static string? Name(JsonElement element)
            => element.ValueKind == JsonValueKind.Object && element.TryGetProperty("path", out JsonElement name) && name.ValueKind == JsonValueKind.String ? name.GetString() : null;
    }

    private static IEnumerable<JsonElement> Numbers(JsonElement root, string name, string path)
        => root.ValueKind == JsonValueKind.Object && root.TryGetProperty(name, out JsonElement array) && array.ValueKind == JsonValueKind.Array
            && array.EnumerateArray().All(element => element.ValueKind == JsonValueKind.Number)
            ? array.EnumerateArray()
            : throw new BadInputException($"density '{path}': expected an array of numbers '{name}'");

    private static long Count(JsonElement element, string path)
        => element.ValueKind == JsonValueKind.Number && element.TryGetInt64(out long count)
            ? count
            : throw new BadInputException($"density '{path}': {element.GetRawText()} is not a whole number of inputs");
}
