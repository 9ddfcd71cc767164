using PannCore.Approximation;

namespace PannCore.Reports;

/// <summary>One <see cref="ReluPolynomial"/> as lines and tables of plain text: what it is, what is proved about it, what it costs.</summary>
public static class PolynomialReport
{
    private const int NameWidth = 16;

    /// <summary>The polynomial in a few lines.</summary>
    /// <param name="polynomial">r.</param>
    /// <param name="cost">What its evaluation costs.</param>
    /// <param name="folded">The same with the leading coefficient folded into the weights next to it.</param>
    public static IReadOnlyList<string> Summary(ReluPolynomial polynomial, Cost cost, Cost folded)
    {
        ArgumentNullException.ThrowIfNull(polynomial);
        ArgumentNullException.ThrowIfNull(cost);
        ArgumentNullException.ThrowIfNull(folded);
        Certificate certificate = polynomial.Certificate;
        List<string> lines =
        [
            Line("activation", polynomial.Spec),
            Line("polynomial", Formula(polynomial)),
            Line("stands for", polynomial.Leak == 0 ? "ReLU on [-B, B], as B r(x/B); all errors below are in units of B" : $"leaky ReLU of slope {Figures.Number(polynomial.Leak)} on [-B, B], as B r(x/B); all errors below are in units of B"),
            Line("maximum error", $"{Bound(polynomial.MaxError)} = {Figures.NumberAbove(polynomial.MaxError)} proved; {Log2(certificate.ScannedError)} found at t = {Figures.Number(certificate.At)}"),
        ];
        if (certificate is { WithinGap: { } within, BeyondGap: { } beyond })
            lines.Add(Line("", $"{Bound(within.Bound)} within the gap |t| <= {Figures.Number(within.Hi)}, {Bound(beyond.Bound)} beyond it"));
        lines.Add(Line("at 0", $"r(0) = {(Math.Abs(certificate.ValueAtZero) <= certificate.Rounding ? "0" : Signed(certificate.ValueAtZero))}"));
        lines.Add(Line("certificate", certificate switch
        {
            { Objection: { } objection } => $"NOT PROVED: {objection}",
            { IsAtRounding: true } => "passed: each stage is the best polynomial of its degree on its interval, or errs by no more than the rounding of double",
            { ClaimsMinimax: true } => "passed: each stage is the best polynomial of its degree on its interval",
            _ => "passed: the error is bounded; that no other polynomial of this degree is better is not claimed",
        }));
        lines.AddRange(Price(cost, folded));
        return lines;
    }

    /// <summary>The stages with their proofs; no rows where nothing is claimed of them.</summary>
    public static ReportTable Stages(ReluPolynomial polynomial)
    {
        ArgumentNullException.ThrowIfNull(polynomial);
        return new ReportTable(
            polynomial.Certificate.Stages.All(stage => stage.Passed)
                ? "Stages: each the best approximation of its degree on its interval, shown by an error that is equally large, with alternating signs, at that many points"
                : "Stages: the error at points where it should be equally large, with alternating signs, and the proved bound on the interval",
            ["stage", "stands for", "degree", "interval", "levelled error", "proved bound", "points"],
            [.. polynomial.Certificate.Stages.Select((stage, i) => (string[])
            [
                Figures.Count(i + 1),
                polynomial.Stages[i].Parity == Parity.Odd ? "sign" : "|t|",
                Figures.Count(stage.Degree),
                FormattableString.Invariant($"[{stage.Lo:g6}, {stage.Hi:g6}]"),
                Figures.NumberBelow(stage.LevelledError, 8),
                Figures.NumberAbove(stage.ProvedError, 8),
                Figures.Count(stage.ReferencePoints.Count),
            ])]);
    }

    /// <summary>Mean and RMS error by input density.</summary>
    public static ReportTable Densities(IReadOnlyList<ErrorStatistics> errors)
    {
        ArgumentNullException.ThrowIfNull(errors);
        return new ReportTable(
            "Error over the inputs of a network",
            ["inputs", "mean error", "RMS error", "mean / RMS"],
            [.. errors.Select(e => (string[])[DensityText.Of(e.Density), Signed(e.Mean), Log2(e.Rms), Figures.Number(e.Rms == 0 ? null : e.Mean / e.Rms)])]);
    }

    /// <summary>What the arithmetic of the evaluation adds.</summary>
    public static ReportTable Evaluation(Certificate certificate)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        EvaluationErrors errors = certificate.Evaluation;
        return new ReportTable(
            "Evaluation error, to be added to the above (Clenshaw's recurrence; the proved bounds are coarse)",
            ["arithmetic", "found", "proved bound"],
            [
                ["double", Found(null), Proved(EvaluationErrors.Telling(certificate.Rounding))],
                ["float32", Found(errors.Float32.Found), Proved(errors.Float32.Bound)],
                .. errors.FixedPoint.Select(e => (string[])[$"fixed point, {e.FractionBits} fraction bits, {(e.Rounding == FixedPointRounding.Nearest ? "rounded" : "truncated")}", Found(e.Found), Proved(e.Bound)]),
            ]);

        static string Proved(double? value) => value is > 0 and < double.PositiveInfinity and var v ? Bound(v) : Found(value);
        static string Found(double? value) => value is { } v ? double.IsFinite(v) ? Signed(v) : "overflow" : "–";
    }

    /// <summary>What happens just outside the range.</summary>
    public static ReportTable OutOfRange(OutOfRange outside)
    {
        ArgumentNullException.ThrowIfNull(outside);
        return new ReportTable(
            $"Outside the range: {Cliff(outside.CliffAbove, "above")}; {Cliff(outside.CliffBelow, "below")}",
            ["x", "B r(x/B)", "should be", "error / |x|"],
            [.. outside.Samples.Select(sample => (string[])
            [
                FormattableString.Invariant($"{sample.T} B"), $"{Figures.Number(sample.Value)} B", sample.Ideal == 0 ? "0" : FormattableString.Invariant($"{sample.Ideal} B"), Figures.Ratio(sample.RelativeError),
            ])]);

        static string Cliff(double? distance, string side) => distance is { } d
            ? FormattableString.Invariant($"{side}, the error first reaches 10 % of |x| at {(side == "above" ? "" : "-")}{1 + d:0.0####} B")
            : FormattableString.Invariant($"{side}, it stays below 10 % of |x| as far as {Approximation.OutOfRange.Farthest} B");
    }

    private static string Formula(ReluPolynomial polynomial)
    {
        string leak = polynomial.Leak == 0 ? "" : $", a = {Figures.Number(polynomial.Leak)}";
        (string plus, string times) = polynomial.Leak == 0 ? ("1", "") : ("(1+a)", "(1-a) ");
        string degrees = string.Join(", ", polynomial.Degrees);
        return polynomial.Family switch
        {
            ReluFamily.Composite => $"r(t) = t ({plus} + {times}{polynomial.Stages.Count switch { 1 => "p1(t)", 2 => "p2(p1(t))", 3 => "p3(p2(p1(t)))", var k => $"p{k}(...p1(t))" }}) / 2, odd polynomials of degree {degrees}{leak}",
            ReluFamily.Direct => $"r(t) = ({(polynomial.Leak == 0 ? "" : plus + " ")}t + {times}q(t)) / 2, an even polynomial of degree {degrees}{leak}",
            _ => $"r(t) of degree {degrees}{leak}",
        };
    }

    /// <summary>What one evaluation costs, in two lines.</summary>
    internal static IReadOnlyList<string> Price(Cost cost, Cost folded)
    {
        return
        [
            Line("price", $"{Figures.Count(cost.Levels, "CKKS level")}{Folded(cost.Levels, folded.Levels)}, depth {cost.Depth}"),
            Line("", $"{Figures.Count(cost.NonScalarMultiplications, "multiplication")} of ciphertexts{Folded(cost.NonScalarMultiplications, folded.NonScalarMultiplications)}, {cost.ScalarMultiplications} with constants, {Figures.Count(cost.Additions, "addition")}"),
        ];

        static string Folded(int without, int with) => with == without ? "" : $" ({with} if the leading coefficient is folded into neighbouring weights)";
    }

    internal static string Line(string name, string text) => name.PadRight(NameWidth) + text;

    private static string Bound(double value) => Figures.Bound(Math.Log2(value));

    private static string Log2(double value) => Figures.PowerOfTwo(Math.Log2(value));

    private static string Signed(double value) => Figures.SignedPowerOfTwo(value);
}
