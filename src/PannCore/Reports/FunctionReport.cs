using PannCore.Approximation;

namespace PannCore.Reports;

/// <summary>One <see cref="MinimaxFunction"/> as lines and tables of plain text.</summary>
public static class FunctionReport
{
    private static readonly double[] Outside = [-1.05, -1.01, -1.001, 1.001, 1.01, 1.05];

    /// <summary>The polynomial in a few lines.</summary>
    public static IReadOnlyList<string> Summary(MinimaxFunction function)
    {
        ArgumentNullException.ThrowIfNull(function);
        StageCertificate certificate = function.Certificate;
        return
        [
            PolynomialReport.Line("polynomial", function.Spec),
            PolynomialReport.Line("stands for", FormattableString.Invariant($"{function.Target.Name} on [-B, B], B = {function.Target.Range}, as p(x/B); errors below are absolute")),
            PolynomialReport.Line("maximum error", $"{Figures.Bound(Math.Log2(function.MaxError))} = {Figures.NumberAbove(function.MaxError)} proved; {Size(certificate.ScannedError)} found at x = {Figures.Number(certificate.At * function.Target.Range)}"),
            PolynomialReport.Line("at 0", $"p(0) - f(0) = {Figures.SignedPowerOfTwo(function.Polynomial.Evaluate(0) - function.Target.Evaluate(0))}"),
            PolynomialReport.Line("certificate", function.IsAtRounding ? "the error is lost in the rounding of double: only its bound is claimed"
                : certificate.Objection is { } objection ? $"NOT PROVED: {objection}"
                : FormattableString.Invariant($"passed: no polynomial of degree {certificate.Degree} is nearer than {Figures.NumberBelow(certificate.LevelledError, 8)}, shown by {certificate.ReferencePoints.Count} points of alternating error")),
            .. PolynomialReport.Price(function.Cost, function.Cost),
        ];
    }

    /// <summary>What happens just outside the range.</summary>
    public static ReportTable OutOfRange(MinimaxFunction function)
    {
        ArgumentNullException.ThrowIfNull(function);
        return new ReportTable(
            "Outside the range",
            ["x", "p(x/B)", "should be", "error"],
            [.. Outside.Select(t => (string[])
            [
                FormattableString.Invariant($"{t} B"), Figures.Number(function.Polynomial.Evaluate(t)), Figures.Number(function.Target.Evaluate(t)),
                Figures.Number(function.Polynomial.Evaluate(t) - function.Target.Evaluate(t)),
            ])]);
    }

    private static string Size(double value) => Figures.SignedPowerOfTwo(value);
}
