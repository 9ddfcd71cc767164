namespace PannCore.Approximation;

/// <summary>The evaluation of a ReLU polynomial with every operation in float32, to measure its rounding.</summary>
/// <remarks>
/// Constants are rounded once: 1/b, c_k, (1+a)/2, (1-a)/2. Per stage <c>s = t (1/b)</c>, <c>u = 2 s s - 1</c>,
/// <c>b_k = (c_k - b_{k+2}) + 2u b_{k+1}</c>, no operation fused. Composite: <c>r = t ((1+a)/2 + (1-a)/2 p)</c>;
/// direct: <c>r = (1+a)/2 t + (1-a)/2 q</c>. A kernel that fuses multiply and add rounds less often.
/// </remarks>
internal sealed class Float32Evaluation
{
    private readonly (bool Odd, float InverseHalfWidth, float[] Coefficients)[] _stages;
    private readonly bool _composite;
    private readonly float _halfSum, _halfDifference;

    public Float32Evaluation(ReluPolynomial polynomial)
    {
        _composite = polynomial.Family == ReluFamily.Composite;
        _halfSum = (float)((1 + polynomial.Leak) / 2);
        _halfDifference = (float)((1 - polynomial.Leak) / 2);
        _stages = polynomial.Stages
            .Select(p => (p.Parity == Parity.Odd, (float)(1 / p.HalfWidth), p.Coefficients.Select(c => (float)c).ToArray()))
            .ToArray();
    }

    public float Evaluate(float t)
    {
        float p = t;
        foreach ((bool odd, float inverseHalfWidth, float[] c) in _stages)
        {
            float s = p * inverseHalfWidth;
            float u = 2 * s * s - 1;
            float twoU = 2 * u;
            float b0 = 0, b1 = 0;
            for (int k = c.Length - 1; k >= 0; k--)
                (b0, b1) = (c[k] - b1 + twoU * b0, b0);
            p = odd ? s * (b0 - b1) : b0 - u * b1;
        }

        return _composite ? t * (_halfSum + _halfDifference * p) : _halfSum * t + _halfDifference * p;
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
