using PannCore.Approximation;
using PannCore.Kernels;

namespace PannCore.Ops;

/// <summary>y = B r(x / B) and its slopes for lines of float32, in the arithmetic that <see cref="PolynomialRelu"/> chooses for the polynomial.</summary>
internal sealed class PolynomialLine
{
    private readonly PolynomialForm<float>? _single;
    private readonly PolynomialForm<double>? _exact;

    /// <summary>A polynomial over a range.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The range is not a positive finite number.</exception>
    public PolynomialLine(ReluPolynomial polynomial, double range)
    {
        if (PolynomialRelu.Choice(polynomial, range) == PolynomialArithmetic.Float32) _single = PolynomialRelu.Form<float>(polynomial, range);
        else _exact = PolynomialRelu.Form<double>(polynomial, range);
    }

    /// <summary>result = B r(x / B).</summary>
    public void Values(ReadOnlySpan<float> x, Span<float> result)
    {
        if (_single is { } single) PolynomialKernel.Forward(single, x, result);
        else PolynomialKernel.Forward(_exact!, x, result);
    }

    /// <summary>result = r'(x / B) factor.</summary>
    public void Slopes(ReadOnlySpan<float> x, ReadOnlySpan<float> factor, Span<float> result)
    {
        if (_single is { } single) PolynomialKernel.Gradient(single, x, factor, result);
        else PolynomialKernel.Gradient(_exact!, x, factor, result);
    }
}
