namespace PannCore.Approximation;

/// <summary>
/// The constants of <see cref="ClenshawForm"/>, and of a series in the same shape: <c>w = Scale t</c>; per stage <c>v = w w - 2</c> (series: v = w), <c>b_k = c_k + v b_{k+1} - b_{k+2}</c>, the next
/// <c>w = w (b_0 - b_1)</c>; the result is <c>t (Linear + w (b_0 - b_1))</c> (composite) or <c>Linear t + b_0 - v b_1 / 2</c>.
/// </summary>
internal sealed record EvaluationConstants(ReluFamily Family, double Scale, double Linear, double[][] Values)
{
    public static EvaluationConstants Of(ReluPolynomial polynomial)
    {
        if (polynomial.Family == ReluFamily.Series)
            return new(ReluFamily.Series, 2 / polynomial.Stages[0].HalfWidth, 0, [[.. polynomial.Stages[0].Coefficients]]);
        var form = ClenshawForm.Of(polynomial);
        return new(polynomial.Family, form.Scale, form.Linear, form.Values);
    }
}
