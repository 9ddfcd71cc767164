namespace PannCore.Approximation;

/// <summary>
/// The constants of a ReLU polynomial and its derivative as an evaluation needs them, every factor that can be folded in advance folded, in float64:
/// an arithmetic rounds each once.
/// </summary>
/// <remarks>
/// Per stage, with s the argument over the half-width, <c>w = 2 s</c>, <c>v = w w - 2 = 2 T_2(s)</c> and <c>b_k = c_k + v b_{k+1} - b_{k+2}</c>
/// (<c>f_k = g_k + v f_{k+1} - f_{k+2}</c> for the derivative):
/// <list type="bullet">
/// <item>Composite, every stage but the last: the next w is <c>w (b_0 - b_1)</c>, its derivative with respect to this w <c>f_0 + f_1</c>, since
/// T_(2k+1)' / (2k+1) = U_(2k), which obeys the same recurrence with U_0 = 1 and U_2 = v + 1.</item>
/// <item>Composite, last stage: <c>r = t (a + w (b_0 - b_1))</c>, <c>r' = a + w (b_0 - b_1) + w_1 (product of all f_0 + f_1)</c>, w_1 the w of the first stage.</item>
/// <item>Direct: <c>r = a t + b_0 - v b_1 / 2</c>, <c>r' = a + w f_0</c>, since T_2k' / 2k = U_(2k-1) = w (1, v, v^2 - 1, ...).</item>
/// <item>Series: here v = w, the recurrence of T_k itself; <c>r = b_0 - v b_1 / 2</c>, <c>r' = f_0</c>, since T_k' / k = U_(k-1).</item>
/// </list>
/// Here a = (1 + leak) / 2 (series: 0, the leak is in its terms), w = <see cref="Scale"/> t in the first stage; series are padded with a zero to an even number of terms.
/// </remarks>
/// <param name="Family">Odd stages, composed; one even stage beside a t; or one series of both parities.</param>
/// <param name="Scale">2 / h of the first stage: w = Scale t.</param>
/// <param name="Linear">a.</param>
/// <param name="Values">c_k of each stage: times 1 / h of the next one, or, in the last stage, times (1 - leak) / 4 (composite), (1 - leak) / 2 (direct) or 1 (series).</param>
/// <param name="Slopes">g_k of each stage: (2k + 1) c_k (composite), (k + 1) Scale c_(k+1) (direct) or half of that (series).</param>
internal sealed record ClenshawForm(ReluFamily Family, double Scale, double Linear, double[][] Values, double[][] Slopes)
{
    public static ClenshawForm Of(ReluPolynomial polynomial)
    {
        bool composite = polynomial.Family == ReluFamily.Composite, series = polynomial.Family == ReluFamily.Series;
        double scale = 2 / polynomial.Stages[0].HalfWidth, gain = (1 - polynomial.Leak) / 2;
        double[][] values = new double[polynomial.Stages.Count][], slopes = new double[values.Length][];
        for (int stage = 0; stage < values.Length; stage++)
        {
            IReadOnlyList<double> terms = polynomial.Stages[stage].Coefficients;
            int count = terms.Count;
            values[stage] = new double[count + (count % 2)];
            slopes[stage] = new double[values[stage].Length];
            double factor = stage < values.Length - 1 ? 1 / polynomial.Stages[stage + 1].HalfWidth : series ? 1 : composite ? gain / 2 : gain;
            for (int k = 0; k < count; k++)
            {
                double c = values[stage][k] = factor * terms[k];
                if (composite) slopes[stage][k] = ((2 * k) + 1) * c;
                else if (k > 0) slopes[stage][k - 1] = k * (series ? scale / 2 : scale) * c;
            }
        }
        return new(polynomial.Family, scale, series ? 0 : (1 + polynomial.Leak) / 2, values, slopes);
    }
}
