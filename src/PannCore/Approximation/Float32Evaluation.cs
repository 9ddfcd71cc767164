using System.Runtime.CompilerServices;

namespace PannCore.Approximation;

/// <summary>The evaluation of a ReLU polynomial with every operation in float32, to measure its rounding.</summary>
/// <remarks>
/// The operations of <see cref="ClenshawForm"/> in the order in which the kernels do them, its constants rounded once:
/// <c>b_k = (c_k - b_{k+2}) + v b_{k+1}</c>, no operation fused. A kernel that fuses multiply and add rounds less often.
/// </remarks>
internal sealed class Float32Evaluation
{
    private readonly ReluFamily _family;
    private readonly float _scale, _linear;
    private readonly float[][] _values;

    public Float32Evaluation(ReluPolynomial polynomial)
    {
        var constants = ClenshawForm.Of(polynomial);
        _family = constants.Family;
        (_scale, _linear) = ((float)constants.Scale, (float)constants.Linear);
        _values = Array.ConvertAll(constants.Values, stage => Array.ConvertAll(stage, c => (float)c));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)] // measured once per polynomial: tiering would come too late
    public float Evaluate(float t)
    {
        float w = t * _scale, v = 0, b0 = 0, b1 = 0;
        for (int stage = 0; stage < _values.Length; stage++)
        {
            if (stage > 0) w *= b0 - b1;
            v = _family == ReluFamily.Series ? w : w * w - 2;
            (b0, b1) = (0, 0);
            float[] c = _values[stage];
            for (int k = c.Length - 1; k >= 0; k--)
                (b0, b1) = (c[k] - b1 + v * b0, b0);
        }

        return _family == ReluFamily.Composite ? t * (_linear + w * (b0 - b1)) : _linear * t + (b0 - v / 2 * b1);
    }

    /// <summary>max |fl(r)(t) - r(t)| over float32 points of both signs.</summary>
    public static double LargestError(ReluPolynomial polynomial)
    {
        var evaluation = new Float32Evaluation(polynomial);
        return EvaluationPoints.LargestError(polynomial, t => (float)t, t => evaluation.Evaluate((float)t));
    }
}
