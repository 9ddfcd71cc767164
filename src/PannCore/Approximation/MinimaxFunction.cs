namespace PannCore.Approximation;

/// <summary>
/// The minimax polynomial of a function f on [-B, B], in t = x/B on [-1, 1]: for the functions of the field that are no ReLU, named <c>minimax:FUNCTION,degree=N[,range=B]</c>.
/// B is for functions with a scale of their own: sigmoid, SiLU, GELU and tanh. Of the others p(x/B) serves any range: |x| and ReLU are B times what they are at x/B, a power B^N times.
/// </summary>
public sealed class MinimaxFunction
{
    private const string Form = "minimax:FUNCTION,degree=N[,range=B]";

    // Dropping coefficients of rounding's size may move the error by this part of it; what a symmetrical function excludes is rounding whatever its size. The certificate is made of what is left.
    private const double Negligible = 1e-6;

    private MinimaxFunction(Target target, int degree)
    {
        Target = target;
        Spec = FormattableString.Invariant($"minimax:{target.Name},degree={degree}") + (target.Range == 1 ? "" : FormattableString.Invariant($",range={target.Range}"));
        RemezResult result = Remez.Minimax(target, degree);
        double negligible = Negligible * result.LevelledError / (degree + 1);
        double[] coefficients = [.. result.Polynomial.Coefficients.Select((c, k) => Excluded(k) || Math.Abs(c) < negligible ? 0 : c)];
        Polynomial = new Polynomial(Parity.None, 1, coefficients);
        Certificate = StageCertificate.Of(Polynomial, target, -1, 1, result.ReferencePoints);
        double dropped = result.Polynomial.Coefficients.Zip(coefficients, (before, after) => Math.Abs(before - after)).Sum();
        MaxError = Math.Min(Certificate.ProvedError, result.ProvedError + dropped + Certificate.Rounding);
        IsAtRounding = !Certificate.Passed && (Certificate.IsAtRounding || result.Status == RemezStatus.AtRounding);
        Cost = EvaluationPlan.Of(Polynomial).Cost;

        // The minimax polynomial of an odd or even function is as it is.
        bool Excluded(int k) => target.Parity != Parity.None && int.IsOddInteger(k) != (target.Parity == Parity.Odd);
    }

    /// <summary>The canonical text.</summary>
    public string Spec { get; }

    /// <summary>f, as a function of t.</summary>
    public Target Target { get; }

    /// <summary>The polynomial, in the Chebyshev basis of [-1, 1].</summary>
    public Polynomial Polynomial { get; }

    /// <summary>Proved bound of |p - f| on [-1, 1], in units of f.</summary>
    public double MaxError { get; }

    /// <summary>The error is lost in the rounding of double: nothing is claimed of it but <see cref="MaxError"/>.</summary>
    public bool IsAtRounding { get; }

    /// <summary>The proof that no other polynomial of the degree has a smaller maximum error; it does not pass where <see cref="IsAtRounding"/>.</summary>
    public StageCertificate Certificate { get; }

    /// <summary>What one evaluation costs; a polynomial that is odd or even is evaluated as such.</summary>
    public Cost Cost { get; }

    /// <summary>Reads a text and generates what it names.</summary>
    /// <exception cref="BadInputException">The text is not of the form, says something twice, or function, degree or range is none that is known.</exception>
    /// <exception cref="RemezConvergenceException">The exchange did not converge.</exception>
    public static MinimaxFunction Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        string[] arguments = (SpecText.Suffix(text, "minimax:") ?? throw Bad("it begins otherwise")).Split(',');
        if (arguments[0].Length == 0) throw Bad($"no function given, one of {Target.KnownNames}");
        int? degree = null;
        double? given = null;
        foreach (string argument in arguments.Skip(1))
        {
            if (SpecText.Suffix(argument, "degree=") is string number) degree = degree is null ? SpecText.Whole(number) ?? throw Bad($"degree '{number}' is not a whole number") : throw Bad("degree given twice");
            else if (SpecText.Suffix(argument, "range=") is string width) given = given is null ? SpecText.Real(width) ?? throw Bad($"range '{width}' is not a number") : throw Bad("range given twice");
            else throw Bad($"unexpected '{argument}'");
        }

        double range = given ?? 1;
        var target = Target.Parse(arguments[0], range);
        if (target.Range != range) throw Bad(FormattableString.Invariant($"range {range} given, but {target.Name} has no scale of its own: its polynomial on [-1, 1] serves any range"));
        return new MinimaxFunction(target, degree ?? throw Bad("no degree given"));

        BadInputException Bad(string why) => new($"polynomial '{text}': {why}; expected {Form}");
    }
}
