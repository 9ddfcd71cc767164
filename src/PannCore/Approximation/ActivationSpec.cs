using System.Globalization;

namespace PannCore.Approximation;

/// <summary>
/// The text that names an activation, the same in commands, files and reports: <c>relu</c>, <c>leaky:0.1</c>, <c>composite:alpha=9</c>, <c>composite:7,7,27</c>,
/// <c>composite:alpha=9,leak=0.1</c>, <c>direct:4</c>, <c>direct:4,leak=0.1</c>. Culture-invariant both ways; immutable; equal when the canonical texts are equal.
/// </summary>
/// <remarks>
/// <c>alpha=N</c> stands for the degrees by which the state of the art reaches a maximum ReLU error of about 2^-N on [-1, 1]:
/// 4 {5}, 5 {13}, 6 {3,7}, 7 {7,7}, 8 {7,15}, 9 {15,15}, 10 {7,7,13}, 11 {7,7,27}, 12 {7,15,27}, 13 {15,15,27}, 14 {15,27,29}.
/// Grammar: <c>relu | leaky:A | composite:(alpha=N | D,D,...)[,leak=A] | direct:N[,leak=A]</c>; lower case, no spaces; 0 &lt;= A &lt; 1.
/// A leak of 0 may be written and is not printed.
/// </remarks>
public sealed class ActivationSpec : IEquatable<ActivationSpec>
{
    /// <summary>Smallest alpha that has degrees.</summary>
    public const int SmallestAlpha = 4;

    /// <summary>Largest alpha that has degrees.</summary>
    public const int LargestAlpha = 14;

    private const string KnownForms = "relu, leaky:A, composite:alpha=N, composite:D,D,..., direct:N";
    private const int SmallestStageDegree = 3;

    private readonly string _text;
    private readonly Lazy<ReluPolynomial> _polynomial;

    /// <summary>A spec from its parts, checked like a parsed one.</summary>
    internal ActivationSpec(ActivationKind kind, double leak, IReadOnlyList<int> degrees)
        : this(kind, leak, [.. degrees], null, null)
    {
    }

    private ActivationSpec(ActivationKind kind, double leak, int[] degrees, int? alpha, string? source)
    {
        Kind = kind;
        Leak = leak + 0.0; // -0 becomes 0, so that equal slopes print alike
        Alpha = alpha;
        Degrees = Array.AsReadOnly(degrees);
        _text = Print();
        Check(source ?? _text);
        _polynomial = new Lazy<ReluPolynomial>(() => ReluPolynomial.Generate(this));
    }

    /// <summary>What the activation computes.</summary>
    public ActivationKind Kind { get; }

    /// <summary>a: the slope on negative inputs of the function the activation stands for; 0 for ReLU.</summary>
    public double Leak { get; }

    /// <summary>The degree of every stage (composite), the degree (direct), or empty.</summary>
    public IReadOnlyList<int> Degrees { get; }

    /// <summary>N of <c>composite:alpha=N</c>; null for every other form.</summary>
    public int? Alpha { get; }

    /// <summary>Whether a polynomial stands for the function; false for <c>relu</c> and <c>leaky:A</c>.</summary>
    public bool IsPolynomial => Kind is ActivationKind.Composite or ActivationKind.Direct;

    /// <summary>Reads a spec.</summary>
    /// <exception cref="BadInputException">The text is none of the known forms; the message names it, the offending part and the forms.</exception>
    public static ActivationSpec Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        int colon = text.IndexOf(':');
        string kind = colon < 0 ? text : text[..colon];
        string[] arguments = colon < 0 ? [] : text[(colon + 1)..].Split(',');
        return kind switch
        {
            "relu" => arguments.Length == 0
                ? new ActivationSpec(ActivationKind.Relu, 0, [], null, text)
                : throw Bad(text, $"relu takes no argument, found '{text[colon..]}'"),
            "leaky" => new ActivationSpec(ActivationKind.Leaky, Slope(text, arguments), [], null, text),
            "composite" => ParseComposite(text, arguments),
            "direct" => ParseDirect(text, arguments),
            _ => throw Bad(text, $"unknown kind '{kind}'"),
        };
    }

    /// <summary>
    /// The polynomial: generated and certified by the first call on this instance, in well under a second, and kept.
    /// </summary>
    /// <exception cref="BadInputException">The activation is no polynomial.</exception>
    /// <exception cref="RemezConvergenceException">An exchange did not converge.</exception>
    public ReluPolynomial Build()
        => IsPolynomial ? _polynomial.Value : throw new BadInputException($"activation '{_text}': not a polynomial, nothing to generate");

    /// <summary>The canonical text, which <see cref="Parse"/> reads back to an equal spec.</summary>
    public override string ToString() => _text;

    /// <inheritdoc/>
    public bool Equals(ActivationSpec? other) => other is not null && other._text == _text;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as ActivationSpec);

    /// <inheritdoc/>
    public override int GetHashCode() => _text.GetHashCode(StringComparison.Ordinal);

    private static ActivationSpec ParseComposite(string text, string[] arguments)
    {
        (double leak, arguments) = TakeLeak(text, arguments);
        if (arguments.Length == 0 || arguments is [""])
            throw Bad(text, "no degrees given");
        if (arguments[0].StartsWith("alpha=", StringComparison.Ordinal))
        {
            if (arguments.Length > 1) throw Bad(text, $"unexpected '{arguments[1]}' after {arguments[0]}");
            string number = arguments[0]["alpha=".Length..];
            int alpha = SpecText.Whole(number) ?? -1;
            if (alpha is < SmallestAlpha or > LargestAlpha)
                throw Bad(text, $"alpha '{number}' is not a whole number from {SmallestAlpha} to {LargestAlpha}");
            return new ActivationSpec(ActivationKind.Composite, leak, DegreesOf(alpha), alpha, text);
        }

        int[] degrees = new int[arguments.Length];
        for (int i = 0; i < degrees.Length; i++)
            degrees[i] = SpecText.Whole(arguments[i]) ?? throw BadStage(text, i, arguments[i]);
        return new ActivationSpec(ActivationKind.Composite, leak, degrees, null, text);
    }

    private static ActivationSpec ParseDirect(string text, string[] arguments)
    {
        (double leak, arguments) = TakeLeak(text, arguments);
        if (arguments.Length == 0 || arguments is [""])
            throw Bad(text, "no degree given");
        if (arguments.Length > 1)
            throw Bad(text, $"unexpected '{arguments[1]}' after degree {arguments[0]}");
        return new ActivationSpec(ActivationKind.Direct, leak, [SpecText.Whole(arguments[0]) ?? throw BadDirect(text, arguments[0])], null, text);
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
        if (at < arguments.Length - 1) throw Bad(text, $"unexpected '{arguments[at + 1]}' after {arguments[at]}");
        string number = arguments[at]["leak=".Length..];
        return (SpecText.Real(number) ?? throw BadLeak(text, number), arguments[..at]);
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
        => Bad(text, $"slope '{found}' is not a number from 0 to below 1");

    private static BadInputException BadStage(string text, int index, string found)
        => Bad(text, $"degree '{found}' of stage {index + 1} is not an odd number from {SmallestStageDegree} to {Remez.LargestSignDegree}");

    private static BadInputException BadDirect(string text, string found)
        => Bad(text, $"degree '{found}' is not an even number from 2 to {Remez.LargestAbsoluteValueDegree}");

    private string Print()
    {
        string leak = Leak == 0 ? "" : "," + Invariant($"leak={Leak}");
        return Kind switch
        {
            ActivationKind.Relu => "relu",
            ActivationKind.Leaky => Invariant($"leaky:{Leak}"),
            ActivationKind.Composite when Alpha is not null => Invariant($"composite:alpha={Alpha}") + leak,
            ActivationKind.Composite => "composite:" + string.Join(',', Degrees.Select(degree => Invariant($"{degree}"))) + leak,
            _ => Invariant($"direct:{Degrees[0]}") + leak,
        };

        static string Invariant(FormattableString text) => FormattableString.Invariant(text);
    }

    private void Check(string text)
    {
        if (!(Leak >= 0 && Leak < 1)) throw BadLeak(text, Leak.ToString(CultureInfo.InvariantCulture));
        if (Kind == ActivationKind.Direct && (Degrees[0] < 2 || Degrees[0] > Remez.LargestAbsoluteValueDegree || int.IsOddInteger(Degrees[0])))
            throw BadDirect(text, Degrees[0].ToString(CultureInfo.InvariantCulture));
        if (Kind != ActivationKind.Composite) return;

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
