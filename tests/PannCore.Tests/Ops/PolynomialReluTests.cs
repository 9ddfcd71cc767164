using PannCore.Approximation;
using PannCore.Engine;
using PannCore.Nn;
using PannCore.Ops;
using PannCore.Tests.Kernels;
using Xunit;

namespace PannCore.Tests.Ops;

/// <summary>The arithmetic a polynomial ReLU is evaluated in: which it is, what it costs in accuracy, and what is said about that.</summary>
public sealed class PolynomialReluTests
{
    private const double Range = 3;
    private static readonly ReluPolynomial Composite = ActivationSpec.Parse("composite:7,7,27").Build();
    private static readonly double Single = Math.ScaleB(1, -24);

    /// <summary>Both signs of the range and between, crowded at 0, where the recurrence's own rounding is largest.</summary>
    private static readonly float[] Inside = [(float)Range, (float)-Range, .. Enumerable.Range(0, 4000).Select(i => (float)(Range * Math.Sin((i * 0.37) + 0.1) * Math.Pow(10, -(i % 5))))];

    [Fact]
    public void AutomaticTakesFloat32WhereItsErrorIsBelowAnEighth()
    {
        Assert.Equal(PolynomialArithmetic.Float32, new PolynomialRelu(Composite, Range).Arithmetic);
        Assert.Equal(PolynomialArithmetic.Float32, new PolynomialRelu(Composite, Range, PolynomialArithmetic.Float32).Arithmetic);
        Assert.Equal(PolynomialArithmetic.Float64, new PolynomialRelu(Composite, Range, PolynomialArithmetic.Float64).Arithmetic);
    }

    [Fact]
    public void AnArithmeticThatIsNoneIsRefused()
        => Assert.StartsWith(
            "polynomialRelu: the arithmetic must be Automatic, Float32 or Float64",
            Assert.Throws<ArgumentOutOfRangeException>(() => new PolynomialRelu(Composite, Range, (PolynomialArithmetic)3)).Message, StringComparison.Ordinal);

    [Fact]
    public void AShiftThatWouldNeedAGradientIsRefused()
        => Assert.StartsWith(
            "polynomialRelu: relu.shift: expected a parameter that is not trainable",
            Assert.Throws<ArgumentException>(() => new PolynomialRelu(Composite, Range, shift: new Parameter("relu.shift", new(4)))).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData(PolynomialArithmetic.Automatic)]
    [InlineData(PolynomialArithmetic.Float32)]
    [InlineData(PolynomialArithmetic.Float64)]
    public void AnActivationFunctionHandsItsArithmeticOn(PolynomialArithmetic arithmetic)
    {
        using var workspace = new Workspace(1);
        using var run = new Run(workspace);
        ReadOnlySpan<float> direct = run.Input(new(Inside.Length), Inside).PolynomialRelu(Composite, Range, arithmetic).Values;
        ReadOnlySpan<float> function = new ActivationFunction.Polynomial(Composite, Range, arithmetic).Apply(run.Input(new(Inside.Length), Inside)).Values;
        Assert.Equal(direct.ToArray(), function.ToArray());
        Assert.Equal(Forward(arithmetic == PolynomialArithmetic.Float64 ? PolynomialArithmetic.Float64 : PolynomialArithmetic.Float32), function.ToArray());
    }

    /// <summary>Float64's result is the exact one rounded to nearest: its bound is half a unit in the last place, reached within 5 %, and float32 breaks it.</summary>
    [Theory]
    [InlineData("composite:7,7,27")]
    [InlineData("composite:alpha=14")]
    [InlineData("direct:64,leak=0.1")]
    public void Float64RoundsOnce(string spec)
    {
        ReluPolynomial polynomial = ActivationSpec.Parse(spec).Build();
        double[] bound = Bound(polynomial, PolynomialArithmetic.Float64, Single), single = Bound(polynomial, PolynomialArithmetic.Float32, Single);
        float[] y = Forward(PolynomialArithmetic.Float64, polynomial), narrow = Forward(PolynomialArithmetic.Float32, polynomial);
        double tightest = 0;
        int broken = 0;
        for (int i = 0; i < y.Length; i++)
        {
            // The reference's own rounding, in float64, is some 2^-29 of float32's bound.
            double exact = Range * polynomial.Evaluate(Inside[i] / Range), own = single[i] * 1e-6;
            Assert.InRange(Math.Abs(y[i] - exact), 0, bound[i] + own);
            Assert.InRange(Math.Abs(narrow[i] - exact), 0, single[i] + own);
            Assert.InRange(bound[i], 0, (Single * Math.Abs(exact) * (1 + 1e-6)) + (Range * 1e-11));
            tightest = Math.Max(tightest, Math.Abs(y[i] - exact) / bound[i]);
            if (Math.Abs(narrow[i] - exact) > bound[i] + own) broken++;
        }
        Assert.InRange(tightest, 0.95, 1);
        Assert.True(broken > y.Length / 4, $"float32 keeps float64's bound at all but {broken} of {y.Length}: the bound says nothing");
    }

    /// <summary>Below the normal numbers of float32 one rounding is half of the least subnormal number, however small the result.</summary>
    [Theory]
    [InlineData(PolynomialArithmetic.Float32)]
    [InlineData(PolynomialArithmetic.Float64)]
    public void TheBoundHoldsForSubnormalResults(PolynomialArithmetic arithmetic)
    {
        double range = Math.ScaleB(1, -125);
        float[] x = [.. Inside.Select(v => (float)(v / Range * range))];
        using var workspace = new Workspace(1);
        using var run = new Run(workspace);
        var op = new PolynomialRelu(Composite, range, arithmetic);
        ReadOnlySpan<float> y = op.Apply(run.Input(new(x.Length), x)).Values;
        DoubleTensor inputs = DoubleTensor.From(new(x.Length), x), exact = new(inputs.Shape), bound = new(inputs.Shape);
        op.Reference([inputs], [], exact);
        op.RoundingBound(workspace, [inputs], Single, bound);
        int subnormal = 0;
        for (int i = 0; i < x.Length; i++)
        {
            if (Math.Abs(x[i]) > range) continue;
            Assert.InRange(Math.Abs(y[i] - exact.Values[i]), 0, bound.Values[i]);
            if (y[i] != 0 && float.IsSubnormal(y[i])) subnormal++;
        }
        Assert.True(subnormal > 1000, $"only {subnormal} results are subnormal");
    }

    [Theory]
    [InlineData(PolynomialArithmetic.Float32)]
    [InlineData(PolynomialArithmetic.Float64)]
    public void OutsideTheRangeNoBoundIsKnown(PolynomialArithmetic arithmetic)
    {
        using var workspace = new Workspace(1);
        DoubleTensor x = new(new(5), [Range, -Range, Range * 1.01, double.NaN, double.PositiveInfinity]), bound = new(x.Shape);
        foreach (double unitRoundoff in new[] { Single, Math.ScaleB(1, -53) })
        {
            new PolynomialRelu(Composite, Range, arithmetic).RoundingBound(workspace, [x], unitRoundoff, bound);
            Assert.Equal([true, true, false, false, false], bound.Values.Select(double.IsFinite));
        }
    }

    [Theory]
    [InlineData(PolynomialArithmetic.Float32)]
    [InlineData(PolynomialArithmetic.Float64)]
    public void TheGradientIsTheDerivative(PolynomialArithmetic arithmetic)
    {
        using var workspace = new Workspace(2, fillWithNaN: true);
        using var run = new Run(workspace, Statistics.Evaluation, tape: true);
        var source = new Source(Inside, new(Inside.Length));
        Tensor y = source.In(run).PolynomialRelu(Composite, Range, arithmetic);
        float[] seed = [.. Inside.Select((_, i) => i % 3 == 0 ? 1f : -0.25f)];
        ReadOnlySpan<float> dx = run.Backward(y, seed)[source.Parameters[0]];
        double unit = arithmetic == PolynomialArithmetic.Float32 ? Single : Math.ScaleB(1, -53);
        for (int i = 0; i < dx.Length; i++)
        {
            // The kernel's rounding, its product with the seed, and one rounding to float32; the library's derivative, in float64, errs by far less than the last.
            double error = ClenshawBound.Of(Composite, Range, Inside[i], unit).Derivative.Error;
            double expected = Composite.Derivative(Inside[i] / Range), tolerance = error + (2 * Single * (Math.Abs(expected) + error));
            Assert.InRange(dx[i], seed[i] * expected - tolerance, seed[i] * expected + tolerance);
        }
    }

    private static float[] Forward(PolynomialArithmetic arithmetic, ReluPolynomial? polynomial = null)
    {
        using var workspace = new Workspace(2, fillWithNaN: true);
        using var run = new Run(workspace);
        return run.Input(new(Inside.Length), Inside).PolynomialRelu(polynomial ?? Composite, Range, arithmetic).Values.ToArray();
    }

    private static double[] Bound(ReluPolynomial polynomial, PolynomialArithmetic arithmetic, double unitRoundoff)
    {
        using var workspace = new Workspace(1);
        DoubleTensor x = DoubleTensor.From(new(Inside.Length), Inside), bound = new(x.Shape);
        new PolynomialRelu(polynomial, Range, arithmetic).RoundingBound(workspace, [x], unitRoundoff, bound);
        return bound.Values;
    }
}
