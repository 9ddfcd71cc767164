namespace PannCore.Approximation;

/// <summary>The evaluation of a ReLU polynomial with every operation in float32, to measure its rounding.</summary>
/// <remarks>
/// The operations of <see cref="ClenshawForm"/> in the order in which the kernels do them, its constants rounded once:
/// <c>w = Scale t</c>; per stage <c>v = w w - 2</c>, <c>b_k = (c_k - b_{k+2}) + v b_{k+1}</c>, no operation fused. A kernel that fuses multiply and add rounds less often.
/// </remarks>
internal sealed class Float32Evaluation
{
    private readonly bool _composite;
    private readonly float _scale, _linear;
    private readonly float[][] _values;

    public Float32Evaluation(ReluPolynomial polynomial)
    {
        var form = ClenshawForm.Of(polynomial);
        _composite = form.Composite;
        (_scale, _linear) = ((float)form.Scale, (float)form.Linear);
        _values = Array.ConvertAll(form.Values, stage => Array.ConvertAll(stage, c => (float)c));
    }

    public float Evaluate(float t)
    {
        float w = t * _scale, v = 0, b0 = 0, b1 = 0;
        for (int stage = 0; stage < _values.Length; stage++)
        {
            if (stage > 0) w *= b0 - b1;
            v = w * w - 2;
            (b0, b1) = (0, 0);
            float[] c = _values[stage];
            for (int k = c.Length - 1; k >= 0; k--)
                (b0, b1) = (c[k] - b1 + v * b0, b0);
        }

        return _composite ? t * (_linear + w * (b0 - b1)) : _linear * t + (b0 - v / 2 * b1);
    }

    /// <summary>max |fl(r)(t) - r(t)| over both signs of float32 points t = sin^2, which crowd at 0 and at 1.</summary>
    public static double LargestError(ReluPolynomial polynomial, int points)
    {
        var evaluation = new Float32Evaluation(polynomial);
        double largest = 0;
        for (int j = 0; j <= points; j++)
        {
            double sine = Math.Sin(Math.PI / 2 * j / points);
            float t = (float)(sine * sine);
            largest = Math.Max(largest, Math.Abs(evaluation.Evaluate(t) - polynomial.Evaluate(t)));
            largest = Math.Max(largest, Math.Abs(evaluation.Evaluate(-t) - polynomial.Evaluate(-t)));
        }

        return largest;
    }
}
