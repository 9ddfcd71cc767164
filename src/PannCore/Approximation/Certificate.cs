namespace PannCore.Approximation;

/// <summary>What is known about the error of a <see cref="ReluPolynomial"/> on [-1, 1], and how it is known.</summary>
/// <remarks>
/// <para>
/// <b>Proved, for the very coefficients held (exact arithmetic).</b> The error r(t) - leakyReLU(t) of a composite or direct polynomial is an even function of t, and on [0, 1] it is
/// r(t) - t, an algebraic polynomial of known degree (composite: 1 + the product of the degrees). An adaptive scan bounds it between the samples: the bounds of M. Riesz
/// and S. Bernstein for the second derivative of a polynomial in the angle (H. Ehlich and K. Zeller 1964). Of a series, whose error is not even, both sides are scanned.
/// The rounding of the samples is bounded by a forward error analysis of the recurrence, and added: <see cref="Rounding"/>.
/// Per stage: the lower bound of the minimax error by alternation (de la Vallée Poussin) and the upper bound of the stage's error by the same scan.
/// </para>
/// <para>
/// <b>Scanned, not proved.</b> <see cref="ScannedError"/> and <see cref="At"/>: the largest sample, refined to the local maximum next to it.
/// It is an error that really occurs, so the true maximum lies between <see cref="ScannedError"/> and <see cref="MaxError"/>. What happens outside [-1, 1]: <see cref="OutOfRange"/>.
/// </para>
/// <para>
/// <b>Evaluation</b> in float32, double or fixed point adds its own error, which is given apart: <see cref="Evaluation"/>.
/// </para>
/// </remarks>
public sealed class Certificate
{
    private readonly Lazy<EvaluationErrors> _evaluation;
    private readonly Lazy<OutOfRange> _outOfRange;

    private Certificate(ReluPolynomial polynomial, IReadOnlyList<StageCertificate> stages, IReadOnlyList<ErrorBound> parts, double rounding)
    {
        Stages = stages;
        ClaimsMinimax = stages.Count > 0;
        Rounding = rounding;
        ErrorBound worst = parts.MaxBy(part => part.Found)!;
        (ScannedError, At, MaxError) = (worst.Found, worst.At, parts.Max(part => part.Bound));
        ValueAtZero = polynomial.Evaluate(0);
        if (polynomial.Family == ReluFamily.Composite && parts.Count == 2) (WithinGap, BeyondGap) = (parts[0], parts[1]);
        Objection = FirstObjection();
        _evaluation = new(() => EvaluationErrors.Of(polynomial));
        _outOfRange = new(() => OutOfRange.Of(polynomial));
    }

    /// <summary>Left end of the input interval.</summary>
    public double Lo => -1;

    /// <summary>Right end of the input interval.</summary>
    public double Hi => 1;

    /// <summary>Whether every stage is said to be minimax, which <see cref="Stages"/> must then prove; otherwise the error is bounded and no optimality is claimed.</summary>
    public bool ClaimsMinimax { get; }

    /// <summary>One entry per stage; for a direct polynomial the one even polynomial on [0, 1]. Empty where nothing is claimed.</summary>
    public IReadOnlyList<StageCertificate> Stages { get; }

    /// <summary>Largest |r - leakyReLU| found on [-1, 1].</summary>
    public double ScannedError { get; }

    /// <summary>The t where it was found: in [0, 1], the error at -t being the same, unless the polynomial is a series of both parities.</summary>
    public double At { get; }

    /// <summary>Proved upper bound of |r - leakyReLU| on [-1, 1], at most 1.002 <see cref="ScannedError"/> when <see cref="Passed"/>.</summary>
    public double MaxError { get; }

    /// <summary>Composite: the error for |t| up to the gap, where no stage is near sgn and the error has one hump. Null for the other families.</summary>
    public ErrorBound? WithinGap { get; }

    /// <summary>Composite: the error for |t| from the gap to 1, where it is at most half the last stage's. Null for the other families.</summary>
    public ErrorBound? BeyondGap { get; }

    /// <summary>r(0): 0 for every composite, about +<see cref="MaxError"/> for direct minimax polynomials.</summary>
    public double ValueAtZero { get; }

    /// <summary>Proved bound of |fl(r)(t) - r(t)|, r evaluated in double: it is part of <see cref="MaxError"/>.</summary>
    public double Rounding { get; }

    /// <summary>The evaluation errors of float32, double and fixed point; computed when first asked for.</summary>
    public EvaluationErrors Evaluation => _evaluation.Value;

    /// <summary>What happens to inputs outside [-1, 1]; computed when first asked for.</summary>
    public OutOfRange OutOfRange => _outOfRange.Value;

    /// <summary>Some stage's error is lost in the rounding of double: that stage is as good as double can tell, which is not the same as minimax.</summary>
    public bool IsAtRounding => Stages.Any(stage => stage.IsAtRounding);

    /// <summary>Every claim is proved: stages minimax to 0.2 % (or <see cref="IsAtRounding"/>) and chained, <see cref="MaxError"/> at most 1.002 <see cref="ScannedError"/>.</summary>
    public bool Passed => Objection is null;

    /// <summary>The first claim that is not proved, in one line; null when <see cref="Passed"/>.</summary>
    public string? Objection { get; }

    /// <summary>Examines r and its stages.</summary>
    internal static Certificate Of(ReluPolynomial polynomial, IReadOnlyList<StageCertificate> stages)
    {
        int degree = Math.Max(1, polynomial.Degree);
        double rounding = ClenshawRounding.Of(polynomial, RoundingModel.Double), leak = polynomial.Leak;
        double gap = polynomial.Family == ReluFamily.Composite && stages.Count > 0 ? stages[0].Lo : 0;
        ErrorBound[] parts = ErrorScan.Polynomial(t => polynomial.Evaluate(t) - t, degree, rounding, gap > 0 && gap < 1 ? [0, gap, 1] : [0, 1]);
        if (polynomial.Family == ReluFamily.Series)
            parts = [.. parts, .. ErrorScan.Polynomial(t => polynomial.Evaluate(t) - (leak * t), degree, rounding, -1, 0)];
        return new Certificate(polynomial, stages, parts, rounding);
    }

    private string? FirstObjection()
    {
        if (!double.IsFinite(MaxError)) return "no finite bound can be computed on [-1, 1]";
        for (int i = 0; i < Stages.Count; i++)
        {
            if (Stages[i].Objection is string objection) return FormattableString.Invariant($"stage {i + 1}: {objection}");
            if (i == 0) continue;

            // The next stage must be minimax where the values of this one lie; what it may lie outside is what the proofs leave open.
            double slack = Stages[i - 1].ProvedError - Stages[i - 1].LevelledError + (1e-9 * Stages[i - 1].ProvedError);
            if (Stages[i].Lo - slack > 1 - Stages[i - 1].ProvedError + slack || Stages[i].Hi + slack < 1 + Stages[i - 1].ProvedError - slack)
            {
                return FormattableString.Invariant(
                    $"stage {i + 1}: its interval [{Stages[i].Lo}, {Stages[i].Hi}] does not hold the values of stage {i}, which reach 1 -/+ {Stages[i - 1].ProvedError:g6}");
            }
        }

        return MaxError <= ErrorBound.Tightness * ScannedError
            ? null
            : FormattableString.Invariant($"the bound {MaxError:g6} is above 1.002 x the largest error found, {ScannedError:g6}");
    }
}
