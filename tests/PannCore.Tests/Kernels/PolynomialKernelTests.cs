using System.Globalization;
using System.Numerics;
using PannCore.Approximation;
using PannCore.Engine;
using PannCore.Kernels;
using PannCore.Ops;
using PannCore.Tests.Support;
using Xunit;

namespace PannCore.Tests.Kernels;

/// <summary>
/// The kernel of polynomial activations against a second program, in float32, float64 and float64 over float32 memory, inside and outside the range.
/// </summary>
public sealed class PolynomialKernelTests
{
    /// <summary>More than one block of the widest kernel, 128 elements, and a rest.</summary>
    private const int Longest = 200;

    private static readonly double Single = Math.ScaleB(1, -24), Double = Math.ScaleB(1, -53);

    [Theory]
    [InlineData("direct:2", 1.0)]
    [InlineData("direct:16", 50.0)]
    [InlineData("direct:64", 3.0)]
    [InlineData("direct:64,leak=0.2", 3.0)]
    [InlineData("composite:5", 1e-3)]
    [InlineData("composite:alpha=4", 0.5)]
    [InlineData("composite:7,7,leak=0.1", 20.0)]
    [InlineData("composite:alpha=9", 7.0)]
    [InlineData("composite:7,7,27", 50.0)]
    [InlineData("composite:alpha=12", 11.0)]
    [InlineData("square", 2.0)]
    [InlineData("square,leak=0.3", 2.0)]
    [InlineData("series:1", 3.0)]
    [InlineData("series:12", 3.0)]
    [InlineData("series:33", 0.1)]
    public void ValuesAndDerivativesAgree(string spec, double range)
    {
        ReluPolynomial polynomial = Build(spec);
        Agree<float, float>(polynomial, range, Single);
        Agree<double, double>(polynomial, range, Double);
        Agree<float, double>(polynomial, range, Double);
    }

    [Theory]
    [InlineData("direct:2")]
    [InlineData("direct:16")]
    [InlineData("series:8")]
    [InlineData("composite:7,7")]
    public void EveryLengthGivesTheSameBitsAndStaysInside(string spec)
    {
        ReluPolynomial polynomial = Build(spec);
        EveryLength<float, float>(polynomial);
        EveryLength<double, double>(polynomial);
        EveryLength<float, double>(polynomial);
    }

    [Theory]
    [InlineData("direct:16")]
    [InlineData("series:8")]
    [InlineData("composite:7,7")]
    public void AResultMayLieInAnArgument(string spec)
    {
        ReluPolynomial polynomial = Build(spec);
        InPlace<float, float>(polynomial);
        InPlace<double, double>(polynomial);
        InPlace<float, double>(polynomial);
    }

    [Theory]
    [InlineData("direct:4")]
    [InlineData("square")]
    [InlineData("composite:7,7")]
    public void SpecialValuesGoThrough(string spec)
    {
        ReluPolynomial polynomial = ActivationSpec.Parse(spec).Build();
        Special<float>(polynomial);
        Special<double>(polynomial);
    }

    /// <summary>What is measured as the rounding of float32 is the kernel's own sequence of operations, where none is fused: one element a register.</summary>
    [Theory]
    [InlineData("direct:2")]
    [InlineData("direct:16,leak=0.1")]
    [InlineData("composite:7,7,leak=0.1")]
    [InlineData("composite:7,7,27")]
    [InlineData("series:9")]
    public void TheMeasuredEvaluationIsTheKernels(string spec)
    {
        ReluPolynomial polynomial = Build(spec);
        var evaluation = new Float32Evaluation(polynomial);
        float[] t = [0, 1, -1, .. Inputs(Longest).Select(v => (float)v)], y = new float[t.Length];
        PolynomialKernel.Run<float, float, float, Lanes1<float>, Port1<float, float>>(Form<float>(polynomial, 1), slope: false, t, t, y);
        Assert.Equal(t.Select(evaluation.Evaluate), y);
    }

    private static void Agree<TMemory, T>(ReluPolynomial polynomial, double range, double unitRoundoff)
        where TMemory : unmanaged, IFloatingPointIeee754<TMemory>, IMinMaxValue<TMemory>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        PolynomialForm<T> form = Form<T>(polynomial, range);
        // Up to 5 % beyond the range, where degree 64 reaches 1e8 times the range: nothing may be clamped.
        TMemory[] x = [.. Inputs(Longest).Select(t => TMemory.CreateChecked((float)(t * 1.05 * range)))], y = new TMemory[x.Length], dx = new TMemory[x.Length];
        TMemory[] dy = [.. x.Select((_, i) => TMemory.CreateChecked(i % 2 == 0 ? 1 : -0.5))];
        PolynomialKernel.Forward(form, x, y);
        PolynomialKernel.Gradient(form, x, dy, dx);
        // The result is rounded to what memory holds, where that is narrower; the bound is of first order and the value already off by it.
        double narrowing = typeof(TMemory) == typeof(T) ? 0 : Single;
        int outside = 0;
        for (int i = 0; i < x.Length; i++)
        {
            double at = double.CreateChecked(x[i]), seed = double.CreateChecked(dy[i]);
            (Bounded value, Bounded derivative) = ClenshawBound.Of(polynomial, range, at, unitRoundoff);
            // The second program is rounded in float64 itself.
            (Bounded own, Bounded ownDerivative) = ClenshawBound.Of(polynomial, range, at, Double);
            double found = double.CreateChecked(y[i]), slope = double.CreateChecked(dx[i]);
            double exact = value.Error + own.Error, exactSlope = derivative.Error + ownDerivative.Error + (unitRoundoff * Math.Abs(derivative.Value));
            AssertClose<TMemory>(value.Value, found, exact + (narrowing * (Math.Abs(value.Value) + exact)), $"value at {at}");
            AssertClose<TMemory>(seed * derivative.Value, slope, exactSlope + (narrowing * (Math.Abs(derivative.Value) + exactSlope)), $"slope at {at}");
            // The library's derivative differentiates the recurrence itself. In float64 its rounding, of the same order as the bound there, is nothing beside float32's.
            if (unitRoundoff == Single) AssertClose<TMemory>(seed * polynomial.Derivative(at / range), slope, exactSlope * (1 + 1e-3), $"slope by the other form at {at}");
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

    private static void EveryLength<TMemory, T>(ReluPolynomial polynomial)
        where TMemory : unmanaged, IFloatingPointIeee754<TMemory>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        PolynomialForm<T> form = Form<T>(polynomial, 2);
        (TMemory[] inputs, TMemory[] seeds) = Arguments<TMemory>();
        var values = new Guarded<TMemory>(Longest);
        var slopes = new Guarded<TMemory>(Longest);
        PolynomialKernel.Forward(form, inputs, values.Span);
        PolynomialKernel.Gradient(form, inputs, seeds, slopes.Span);
        for (int length = 0; length <= Longest; length++)
        {
            Guarded<TMemory> x = new(inputs.AsSpan(0, length)), dy = new(seeds.AsSpan(0, length)), y = new(length), dx = new(length);
            PolynomialKernel.Forward(form, x.Span, y.Span);
            PolynomialKernel.Gradient(form, x.Span, dy.Span, dx.Span);
            y.AssertIntact();
            dx.AssertIntact();
            Assert.Equal(values.Values[..length], y.Values);
            Assert.Equal(slopes.Values[..length], dx.Values);
        }
    }

    private static void InPlace<TMemory, T>(ReluPolynomial polynomial)
        where TMemory : unmanaged, IFloatingPointIeee754<TMemory>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        PolynomialForm<T> form = Form<T>(polynomial, 2);
        (TMemory[] inputs, TMemory[] seeds) = Arguments<TMemory>();
        TMemory[] values = new TMemory[Longest], slopes = new TMemory[Longest], x = [.. inputs], overInput = [.. inputs], overSeed = [.. seeds];
        PolynomialKernel.Forward(form, inputs, values);
        PolynomialKernel.Gradient(form, inputs, seeds, slopes);
        PolynomialKernel.Forward(form, x, x);
        PolynomialKernel.Gradient(form, overInput, seeds, overInput);
        PolynomialKernel.Gradient(form, inputs, overSeed, overSeed);
        Assert.Equal(values, x);
        Assert.Equal(slopes, overInput);
        Assert.Equal(slopes, overSeed);
    }

    private static void Special<T>(ReluPolynomial polynomial) where T : unmanaged, IFloatingPointIeee754<T>
    {
        PolynomialForm<T> form = Form<T>(polynomial, 4);
        float[] x = [float.NaN, float.PositiveInfinity, float.NegativeInfinity, float.MaxValue, 0, 4, -4], y = new float[x.Length], dx = new float[x.Length];
        float[] dy = [.. Enumerable.Repeat(1f, x.Length)];
        PolynomialKernel.Forward(form, x, y);
        PolynomialKernel.Gradient(form, x, dy, dx);
        Assert.True(float.IsNaN(y[0]));
        Assert.True(float.IsNaN(dx[0]));
        // The polynomial of what is infinite, or so large that the value cannot be held, must not look like a result.
        Assert.All(y[1..4], v => Assert.False(float.IsFinite(v)));
        Assert.All(dx[1..3], v => Assert.False(float.IsFinite(v)));
        // Float32's rounding is below 1 % of these polynomials' errors.
        double error = 4 * polynomial.MaxError * 1.01;
        Assert.Equal(0, y[4], error);
        Assert.Equal(4, y[5], error);
        Assert.Equal(0, y[6], error);
        if (polynomial.Family == ReluFamily.Composite) Assert.Equal(0, y[4]); // t (1 + p(t)) / 2 is 0 at 0.
        // A gradient that is not a number must arrive, and so must its absence.
        PolynomialKernel.Gradient(form, [1f, 1f, 1f], [float.NaN, 0f, float.PositiveInfinity], dx);
        Assert.True(float.IsNaN(dx[0]));
        Assert.Equal(0, dx[1]);
        Assert.Equal(float.PositiveInfinity, dx[2]);
    }

    private static (T[] Inputs, T[] Seeds) Arguments<T>() where T : IFloatingPointIeee754<T>
        => ([.. Inputs(Longest).Select(t => T.CreateChecked(2 * t))], [.. Inputs(Longest).Select(t => T.CreateChecked(1 - t))]);

    private static double[] Inputs(int count)
    {
        var random = new CounterRandom(3, RandomStream.Weights, 0);
        return [.. Enumerable.Range(0, count).Select(i => (2 * random.Uniform(i)) - 1)];
    }

    private static PolynomialForm<T> Form<T>(ReluPolynomial polynomial, double range) where T : unmanaged, IFloatingPointIeee754<T>
        => PolynomialRelu.Form<T>(polynomial, range);

    /// <summary>A spec's polynomial, or <c>series:N</c>: a series of both parities whose N coefficients shrink at random.</summary>
    private static ReluPolynomial Build(string spec)
    {
        if (!spec.StartsWith("series:", StringComparison.Ordinal)) return ActivationSpec.Parse(spec).Build();
        var random = new CounterRandom(4, RandomStream.Weights, 0);
        double[] coefficients = [.. Enumerable.Range(0, int.Parse(spec.AsSpan("series:".Length), CultureInfo.InvariantCulture)).Select(k => ((2 * random.Uniform(k)) - 1) / (1 + k))];
        return ReluPolynomial.Of(ReluFamily.Series, 0, [new Polynomial(Parity.None, 1, coefficients)], [], spec);
    }
}
