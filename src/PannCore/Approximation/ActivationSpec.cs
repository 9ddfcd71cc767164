using System.Globalization;

namespace PannCore.Approximation;

/// <summary>
/// The text that names an activation, the same in commands, files and reports: <c>relu</c>, <c>leaky:0.1</c>, <c>composite:alpha=9</c>, <c>composite:7,7,27</c>,
/// <c>direct:4,leak=0.1</c>. Culture-invariant both ways; immutable; equal when the canonical texts are equal.
/// </summary>
/// <remarks>
/// <para>
/// <c>relu</c> | <c>leaky:A</c> | <c>file:PATH</c>, everything after the colon being the path, or one of these with <c>,leak=A</c> at the end (0 &lt;= A &lt; 1; 0 is not printed):
/// <list type="bullet">
/// <item><c>composite:alpha=N</c>: the degrees by which the state of the art reaches a maximum ReLU error of about 2^-N on [-1, 1]:
/// 4 {5}, 5 {13}, 6 {3,7}, 7 {7,7}, 8 {7,15}, 9 {15,15}, 10 {7,7,13}, 11 {7,7,27}, 12 {7,15,27}, 13 {15,15,27}, 14 {15,27,29};</item>
/// <item><c>composite:alpha=N,min=depth</c> or <c>,min=mults</c>: degrees searched for that reach it with the least depth, or the fewest multiplications;</item>
/// <item><c>composite:D,D,...</c>: odd degrees from 3 to 63 with a tuned gap, or a given one: <c>,gap=G</c>, 1e-9 &lt;= G &lt; 1;</item>
/// <item><c>direct:N</c>; among polynomials with r(0) = 0: <c>,zero</c>; with no mean error under a density: <c>,unbiased=DENSITY</c>;</item>
/// <item><c>taylor:N</c>, <c>chebyshev:N</c>, <c>interpolation:N</c>, <c>hermite:N[,density=RATIO]</c>, <c>lsq:N[,density=DENSITY]</c>, <c>square</c>, <c>quadratic</c>: for teaching.</item>
/// </list>
/// N of the last two groups is an even degree from 2 to 256. A density is the ratio B/s of a normal one (hermite's is 8 unless given), or the JSON file of a histogram: <see cref="InputDensity.Parse"/>.
/// </para>
/// Lower case, no spaces. Files are read when the polynomial is built, not before.
/// </remarks>
public sealed class ActivationSpec : IEquatable<ActivationSpec>
{
    /// <summary>Smallest alpha that has degrees.</summary>
    public const int SmallestAlpha = 4;

    /// <summary>Largest alpha that has degrees.</summary>
    public const int LargestAlpha = 14;

    private const string KnownForms =
        "relu, leaky:A, composite:alpha=N, composite:D,D,..., direct:N, taylor:N, lsq:N, chebyshev:N, interpolation:N, hermite:N, square, quadratic, file:PATH";

    private const int SmallestStageDegree = 3;
    private const double SmallestGap = 1e-9, HermiteRatio = 8;

    private readonly string _text;
    private readonly double _leak;
    private readonly Lock _building = new();
    private ReluPolynomial? _polynomial;

    /// <summary>A spec from its parts, checked like a parsed one.</summary>
    internal ActivationSpec(ActivationKind kind, double leak, IReadOnlyList<int> degrees)
        : this(kind, null, leak, [.. degrees])
    {
    }

    private ActivationSpec(
        ActivationKind kind, string? source, double leak = 0, int[]? degrees = null, int? alpha = null, CompositeGoal? goal = null,
        double? gap = null, bool vanishes = false, string? density = null, string? path = null)
    {
        Kind = kind;
        _leak = leak + 0.0; // -0 becomes 0, so that equal slopes print alike
        (Alpha, Goal, Gap, VanishesAtZero, Density, Path) = (alpha, goal, gap, vanishes, density, path);
        Degrees = Array.AsReadOnly(degrees ?? []);
        _text = Print();
        Check(source ?? _text);
    }

    /// <summary>What the activation computes.</summary>
    public ActivationKind Kind { get; }

    /// <summary>a: the slope on negative inputs of the function the activation stands for; 0 for ReLU. A file's is in the file, which is read for it.</summary>
    /// <exception cref="BadInputException">The file is missing or wrong.</exception>
    public double Leak => Kind == ActivationKind.File ? Build().Leak : _leak;

    /// <summary>The degree of every stage (composite), the degree (other polynomials), or empty (no polynomial; a file, or a search: the polynomial that is built has them).</summary>
    public IReadOnlyList<int> Degrees { get; }

    /// <summary>N of <c>composite:alpha=N</c>; null for every other form.</summary>
    public int? Alpha { get; }

    /// <summary>What the search for the degrees of alpha keeps least; null where the degrees are given.</summary>
    public CompositeGoal? Goal { get; }

    /// <summary>The gap given for a composite; null where it is tuned.</summary>
    public double? Gap { get; }

    /// <summary>Whether a direct polynomial is the nearest of those with r(0) = 0.</summary>
    public bool VanishesAtZero { get; }

    /// <summary>The density of <c>unbiased=</c> or <c>density=</c>, as <see cref="InputDensity.Parse"/> reads it; null without.</summary>
    public string? Density { get; }

    /// <summary>The path of <c>file:PATH</c>; null for every other form.</summary>
    public string? Path { get; }

    /// <summary>Whether a polynomial stands for the function; false for <c>relu</c> and <c>leaky:A</c>.</summary>
    public bool IsPolynomial => Kind is not (ActivationKind.Relu or ActivationKind.Leaky);

    /// <summary>Reads a spec.</summary>
    /// <exception cref="BadInputException">The text is none of the known forms; the message names it, the offending part and the forms.</exception>
    public static ActivationSpec Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        int end = text.IndexOf(':');
        if (end < 0) end = text.IndexOf(',');
        (string name, string rest) = end < 0 ? (text, "") : (text[..end], text[end..]);
        return (name, rest.StartsWith(',')) switch
        {
            ("relu", _) => rest.Length == 0 ? new ActivationSpec(ActivationKind.Relu, text) : throw Bad(text, $"relu takes no argument, found '{rest}'"),
            ("square", _) => ParseBare(ActivationKind.Square, text, name, rest),
            ("quadratic", _) => ParseBare(ActivationKind.Quadratic, text, name, rest),
            ("leaky", false) => new ActivationSpec(ActivationKind.Leaky, text, Slope(text, Arguments(rest))),
            ("composite", false) => ParseComposite(text, Arguments(rest)),
            ("direct", false) => ParseDegree(ActivationKind.Direct, text, Arguments(rest), "unbiased=", zero: true),
            ("taylor", false) => ParseDegree(ActivationKind.Taylor, text, Arguments(rest)),
            ("chebyshev", false) => ParseDegree(ActivationKind.Chebyshev, text, Arguments(rest)),
            ("interpolation", false) => ParseDegree(ActivationKind.Interpolation, text, Arguments(rest)),
            ("hermite", false) => ParseDegree(ActivationKind.Hermite, text, Arguments(rest), "density="),
            ("lsq", false) => ParseDegree(ActivationKind.LeastSquares, text, Arguments(rest), "density="),
            ("file", false) => rest.Length > 1 ? new ActivationSpec(ActivationKind.File, text, path: rest[1..]) : throw Bad(text, "no path given"),
            _ => throw Bad(text, $"unknown kind '{(rest.StartsWith(',') ? text : name)}'"),
        };
    }

    /// <summary>
    /// The polynomial: generated and certified, or read, by the first call on this instance, and kept. It takes well under a second, but for a search.
    /// </summary>
    /// <param name="cancellation">Ends a search that this call makes; for one that another call is making it waits.</param>
    /// <exception cref="BadInputException">The activation is no polynomial, or the file of it or of its density cannot be used.</exception>
    /// <exception cref="RemezConvergenceException">An exchange did not converge.</exception>
    /// <exception cref="OperationCanceledException">It was ended; a later call begins anew.</exception>
    public ReluPolynomial Build(CancellationToken cancellation = default)
    {
        if (!IsPolynomial) throw new BadInputException($"activation '{_text}': not a polynomial, nothing to generate");
        lock (_building) return _polynomial ??= Path is null ? ReluPolynomial.Generate(this, cancellation) : PolynomialFile.Read(Path);
    }

    /// <summary>The canonical text, which <see cref="Parse"/> reads back to an equal spec.</summary>
    public override string ToString() => _text;

    /// <inheritdoc/>
    public bool Equals(ActivationSpec? other) => other is not null && other._text == _text;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as ActivationSpec);

    /// <inheritdoc/>
    public override int GetHashCode() => _text.GetHashCode(StringComparison.Ordinal);

    private static string[] Arguments(string rest) => rest.Length == 0 ? [] : rest[1..].Split(',');

    private static ActivationSpec ParseBare(ActivationKind kind, string text, string name, string rest)
    {
        if (rest.Length > 0 && SpecText.Suffix(rest, ",leak=") is null) throw Bad(text, $"{name} takes no argument but leak, found '{rest}'");
        return new ActivationSpec(kind, text, TakeLeak(text, Arguments(rest)).Leak, [2]);
    }

    private static ActivationSpec ParseComposite(string text, string[] arguments)
    {
        (double leak, arguments) = TakeLeak(text, arguments);
        if (arguments.Length == 0 || arguments is [""])
            throw Bad(text, "no degrees given");
        if (SpecText.Suffix(arguments[0], "alpha=") is string number)
        {
            CompositeGoal? goal = null;
            if (arguments.Length > 1)
            {
                goal = arguments[1] switch
                {
                    "min=depth" => CompositeGoal.Depth,
                    "min=mults" => CompositeGoal.Multiplications,
                    _ => throw Bad(text, SpecText.Suffix(arguments[1], "min=") is string found ? $"minimum '{found}' is neither depth nor mults" : $"unexpected '{arguments[1]}' after {arguments[0]}"),
                };
            }

            Nothing(text, arguments, 2);
            int alpha = SpecText.Whole(number) ?? -1, most = goal is null ? LargestAlpha : CompositeSearch.LargestAlpha;
            if (alpha < SmallestAlpha || alpha > most)
            {
                throw Bad(text, FormattableString.Invariant(
                    $"alpha '{number}' is not a whole number from {SmallestAlpha} to {most} (double certifies degrees with a product of at most {ReluPolynomial.LargestDegreeProduct}: a maximum error of about 2^-15)"));
            }

            return new ActivationSpec(ActivationKind.Composite, text, leak, goal is null ? DegreesOf(alpha) : null, alpha, goal);
        }

        int last = arguments.Length - 1;
        double? gap = null;
        if (SpecText.Suffix(arguments[last], "gap=") is string width)
        {
            gap = SpecText.Real(width) is double value and >= SmallestGap and < 1 ? value : throw Bad(text, FormattableString.Invariant($"gap '{width}' is not a number from {SmallestGap} to below 1"));
            if (last == 0) throw Bad(text, "no degrees given");
            arguments = arguments[..last];
        }

        int[] degrees = new int[arguments.Length];
        for (int i = 0; i < degrees.Length; i++)
            degrees[i] = SpecText.Whole(arguments[i]) ?? throw BadStage(text, i, arguments[i]);
        return new ActivationSpec(ActivationKind.Composite, text, leak, degrees, gap: gap);
    }

    /// <summary>A degree, perhaps <c>zero</c>, perhaps a density under the given key.</summary>
    private static ActivationSpec ParseDegree(ActivationKind kind, string text, string[] arguments, string? key = null, bool zero = false)
    {
        (double leak, arguments) = TakeLeak(text, arguments);
        if (arguments.Length == 0 || arguments is [""])
            throw Bad(text, "no degree given");
        int degree = SpecText.Whole(arguments[0]) ?? throw BadDegree(text, arguments[0]), next = 1;
        bool vanishes = zero && arguments.Length > next && arguments[next] == "zero";
        if (vanishes) next++;
        string? density = key is not null && arguments.Length > next ? SpecText.Suffix(arguments[next], key) : null;
        if (density is not null) next++;
        if (arguments.Length > next) throw Bad(text, next == 1 ? $"unexpected '{arguments[1]}' after degree {arguments[0]}" : $"unexpected '{arguments[next]}' after {arguments[next - 1]}");

        if (density is not null)
        {
            double? ratio = SpecText.Real(density);
            if (density.Length == 0 || (ratio is null ? kind == ActivationKind.Hermite : !InputDensity.IsRatio(ratio.Value)))
            {
                throw Bad(text, FormattableString.Invariant(
                    $"density '{density}' is not a ratio B/s from {InputDensity.SmallestRatio} to {InputDensity.LargestRatio}{(kind == ActivationKind.Hermite ? "" : " and no file")}"));
            }

            if (ratio is double number) density = FormattableString.Invariant($"{number}");
        }
        else if (kind == ActivationKind.Hermite)
        {
            density = FormattableString.Invariant($"{HermiteRatio}");
        }

        return new ActivationSpec(kind, text, leak, [degree], vanishes: vanishes, density: density);
    }

    /// <summary>The degrees behind alpha, as the state of the art chose them.</summary>
    private static int[] DegreesOf(int alpha) => alpha switch
    {
        4 => [5],
        5 => [13],
        6 => [3, 7],
        7 => [7, 7],
        8 => [7, 15],
        9 => [15, 15],
        10 => [7, 7, 13],
        11 => [7, 7, 27],
        12 => [7, 15, 27],
        13 => [15, 15, 27],
        14 => [15, 27, 29],
        _ => throw new ArgumentOutOfRangeException(nameof(alpha)),
    };

    /// <summary>Splits off <c>leak=A</c>, which must come last.</summary>
    private static (double Leak, string[] Arguments) TakeLeak(string text, string[] arguments)
    {
        int at = Array.FindIndex(arguments, argument => argument.StartsWith("leak=", StringComparison.Ordinal));
        if (at < 0) return (0, arguments);
        Nothing(text, arguments, at + 1);
        string number = arguments[at]["leak=".Length..];
        return (SpecText.Real(number) ?? throw BadLeak(text, number), arguments[..at]);
    }

    private static void Nothing(string text, string[] arguments, int from)
    {
        if (arguments.Length > from) throw Bad(text, $"unexpected '{arguments[from]}' after {arguments[from - 1]}");
    }

    private static double Slope(string text, string[] arguments)
    {
        if (arguments.Length == 0 || arguments is [""]) throw Bad(text, "no slope given");
        if (arguments.Length > 1) throw Bad(text, $"unexpected '{arguments[1]}' after slope {arguments[0]}");
        return SpecText.Real(arguments[0]) ?? throw BadLeak(text, arguments[0]);
    }

    private static BadInputException Bad(string text, string why)
        => new($"activation '{text}': {why}; known: {KnownForms}");

    private static BadInputException BadLeak(string text, string found)
        => Bad(text, $"slope '{found}' is not a number from 0 to below 1 in float32");

    private static BadInputException BadStage(string text, int index, string found)
        => Bad(text, $"degree '{found}' of stage {index + 1} is not an odd number from {SmallestStageDegree} to {Remez.LargestSignDegree}");

    private static BadInputException BadDegree(string text, string found)
        => Bad(text, $"degree '{found}' is not an even number from 2 to {Remez.LargestAbsoluteValueDegree}");

    private string Print()
    {
        string text = Kind switch
        {
            ActivationKind.Relu => "relu",
            ActivationKind.Leaky => Invariant($"leaky:{_leak}"),
            ActivationKind.File => $"file:{Path}",
            ActivationKind.Square => "square",
            ActivationKind.Quadratic => "quadratic",
            ActivationKind.Composite when Alpha is not null => Invariant($"composite:alpha={Alpha}"),
            ActivationKind.Composite => "composite:" + string.Join(',', Degrees.Select(degree => Invariant($"{degree}"))),
            ActivationKind.LeastSquares => Invariant($"lsq:{Degrees[0]}"),
            _ => Invariant($"{Kind.ToString().ToLowerInvariant()}:{Degrees[0]}"),
        };
        text += Goal switch { CompositeGoal.Depth => ",min=depth", CompositeGoal.Multiplications => ",min=mults", _ => "" };
        if (Gap is not null) text += Invariant($",gap={Gap}");
        if (VanishesAtZero) text += ",zero";
        if (Density is not null && !(Kind == ActivationKind.Hermite && Density == Invariant($"{HermiteRatio}")))
            text += (Kind == ActivationKind.Direct ? ",unbiased=" : ",density=") + Density;
        return _leak == 0 || Kind == ActivationKind.Leaky ? text : text + Invariant($",leak={_leak}");

        static string Invariant(FormattableString text) => FormattableString.Invariant(text);
    }

    /// <summary>Whether a slope for negative inputs is at least 0 and, in the float32 of the kernels, below 1: 0.99999999 is not.</summary>
    internal static bool IsSlope(double slope) => slope >= 0 && (float)slope < 1;

    private void Check(string text)
    {
        if (!IsSlope(_leak)) throw BadLeak(text, _leak.ToString(CultureInfo.InvariantCulture));
        if (!IsPolynomial || Kind == ActivationKind.File || Goal is not null) return;
        if (Kind != ActivationKind.Composite)
        {
            if (Degrees[0] < 2 || Degrees[0] > Remez.LargestAbsoluteValueDegree || int.IsOddInteger(Degrees[0]))
                throw BadDegree(text, Degrees[0].ToString(CultureInfo.InvariantCulture));
            return;
        }

        if (Degrees.Count == 0) throw Bad(text, "no degrees given");
        long product = 1;
        for (int i = 0; i < Degrees.Count; i++)
        {
            if (Degrees[i] < SmallestStageDegree || Degrees[i] > Remez.LargestSignDegree || int.IsEvenInteger(Degrees[i]))
                throw BadStage(text, i, Degrees[i].ToString(CultureInfo.InvariantCulture));
            product *= Degrees[i];
            if (product > ReluPolynomial.LargestDegreeProduct)
                throw Bad(text, $"the product of the degrees is above {ReluPolynomial.LargestDegreeProduct}");
        }
    }
}
