using System.Numerics;
using PannCore.Approximation;
using PannCore.Engine;
using PannCore.Kernels;
using PannCore.Tests.Support;
using Xunit;

namespace PannCore.Tests.Kernels;

/// <summary>The kernel of polynomial activations against a second program, in float32 and float64, inside and outside the range.</summary>
public sealed class PolynomialKernelTests
{
    private const int Longest = 200;

    [Theory]
    [InlineData("direct:2", 1.0)]
    [InlineData("direct:16", 50.0)]
    [InlineData("direct:64", 3.0)]
    [InlineData("direct:64,leak=0.2", 3.0)]
    [InlineData("composite:alpha=4", 0.5)]
    [InlineData("composite:7,7,leak=0.1", 20.0)]
    [InlineData("composite:alpha=9", 7.0)]
    [InlineData("composite:alpha=12", 11.0)]
    public void ValuesAndDerivativesAgree(string spec, double range)
    {
        ReluPolynomial polynomial = ActivationSpec.Parse(spec).Build();
        Agree<float>(polynomial, range, Math.ScaleB(1, -24));
        Agree<double>(polynomial, range, Math.ScaleB(1, -53));
    }

    [Theory]
    [InlineData("direct:16")]
    [InlineData("composite:7,7")]
    public void EveryLengthGivesTheSameBitsAndStaysInside(string spec)
    {
        ReluPolynomial polynomial = ActivationSpec.Parse(spec).Build();
        EveryLength<float>(polynomial);
        EveryLength<double>(polynomial);
    }

    [Fact]
    public void SpecialValuesGoThrough()
    {
        PolynomialForm<float> form = Form(ActivationSpec.Parse("composite:7,7").Build(), 4).Convert<float>();
        float[] y = new float[3];
        PolynomialKernel.Forward(form, [float.NaN, 0, 4], y);
        Assert.True(float.IsNaN(y[0]));
        Assert.Equal(0, y[1]); // t (1 + p(t)) / 2 is 0 at 0.
        Assert.Equal(4, y[2], tolerance: 4 * ActivationSpec.Parse("composite:7,7").Build().MaxError * 1.01);
    }

    private static void Agree<T>(ReluPolynomial polynomial, double range, double unitRoundoff) where T : unmanaged, IFloatingPointIeee754<T>, IMinMaxValue<T>
    {
        PolynomialForm<T> form = Form(polynomial, range).Convert<T>();
        // Up to 5 % beyond the range, where degree 64 reaches 1e8 times the range: nothing may be clamped.
        T[] x = [.. Inputs(Longest).Select(t => T.CreateChecked((float)(t * 1.05 * range)))], y = new T[x.Length], dx = new T[x.Length];
        T[] dy = [.. x.Select((_, i) => T.CreateChecked(i % 2 == 0 ? 1 : -0.5))];
        PolynomialKernel.Forward(form, x, y);
        PolynomialKernel.Gradient(form, x, dy, dx);
        int outside = 0;
        for (int i = 0; i < x.Length; i++)
        {
            double at = double.CreateChecked(x[i]), seed = double.CreateChecked(dy[i]);
            (Bounded value, Bounded derivative) = ClenshawBound.Of(polynomial, range, at, unitRoundoff);
            // The second program is rounded in float64 itself.
            (Bounded own, Bounded ownDerivative) = ClenshawBound.Of(polynomial, range, at, Math.ScaleB(1, -53));
            double found = double.CreateChecked(y[i]), slope = double.CreateChecked(dx[i]);
            double seeding = unitRoundoff * Math.Abs(derivative.Value);
            AssertClose<T>(value.Value, found, value.Error + own.Error, $"value at {at}");
            AssertClose<T>(seed * derivative.Value, slope, derivative.Error + ownDerivative.Error + seeding, $"slope at {at}");
            if (Math.Abs(at) > range) outside++;
        }
        Assert.True(outside > 5);
    }

    private static void AssertClose<T>(double expected, double found, double tolerance, string what) where T : IFloatingPointIeee754<T>, IMinMaxValue<T>
    {
        // What float32 cannot hold must not look like a result.
        bool right = Math.Abs(expected) > double.CreateChecked(T.MaxValue) ? !double.IsFinite(found) : Math.Abs(found - expected) <= tolerance;
        Assert.True(right, $"{what}: {found} for {expected}, tolerance {tolerance}");
    }

    private static void EveryLength<T>(ReluPolynomial polynomial) where T : unmanaged, IFloatingPointIeee754<T>
    {
        PolynomialForm<T> form = Form(polynomial, 2).Convert<T>();
        T[] inputs = [.. Inputs(Longest).Select(t => T.CreateChecked(2 * t))], seeds = [.. Inputs(Longest).Select(t => T.CreateChecked(1 - t))];
        var values = new Guarded<T>(Longest);
        var slopes = new Guarded<T>(Longest);
        PolynomialKernel.Forward(form, inputs, values.Span);
        PolynomialKernel.Gradient(form, inputs, seeds, slopes.Span);
        for (int length = 0; length <= Longest; length++)
        {
            Guarded<T> x = new(inputs.AsSpan(0, length)), dy = new(seeds.AsSpan(0, length)), y = new(length), dx = new(length);
            PolynomialKernel.Forward(form, x.Span, y.Span);
            PolynomialKernel.Gradient(form, x.Span, dy.Span, dx.Span);
            y.AssertIntact();
            dx.AssertIntact();
            Assert.Equal(values.Values[..length], y.Values);
            Assert.Equal(slopes.Values[..length], dx.Values);
        }
    }

    private static double[] Inputs(int count)
    {
        var random = new CounterRandom(3, RandomStream.Weights, 0);
        return [.. Enumerable.Range(0, count).Select(i => (2 * random.Uniform(i)) - 1)];
    }

    private static PolynomialForm<double> Form(ReluPolynomial polynomial, double range)
        => new(
            polynomial.Family == ReluFamily.Composite, (1 + polynomial.Leak) / 2, (1 - polynomial.Leak) / 2, range,
            [.. polynomial.Stages.Select(stage => 1 / stage.HalfWidth)], [.. polynomial.Stages.Select(stage => stage.Coefficients.ToArray())]);
}
