using PannCore.Engine;
using PannCore.Ops;
using Xunit;

namespace PannCore.Tests.Ops;

/// <summary>
/// <see cref="Op.PropagateBound"/> of every row of <see cref="OpTable"/> that evaluates: pairs of inputs as far apart as allowed, and the loops of <see cref="Op.Reference"/>;
/// for operations that are linear, the pair along the signs of the weights, at which the bound must be attained.
/// </summary>
public sealed class PropagateBoundTests
{
    private static readonly double UnitRoundoff = Math.ScaleB(1, -53);

    private static readonly Workspace Serial = new(1);

    public static TheoryData<string, string> Cases
    {
        get
        {
            var data = new TheoryData<string, string>();
            foreach (OpRow row in OpTable.Rows.Where(row => row.Statistics == Statistics.Evaluation)) data.Add(OpTable.Name(row), row.Case);
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void NoTwoInputsGoFartherApart(string operation, string name)
    {
        OpRow row = OpTable.Find(operation, name);
        using var workspace = new Workspace(2);
        for (int seed = 1; seed <= 6; seed++)
        {
            Op op = OpTable.Application(row, seed);
            DoubleTensor[] x = [.. Inputs(row, seed)], d = [.. Distances(row, seed)], z = [.. x.Select((v, j) => Shifted(v, d[j], (100 * seed) + j))];
            double[] here = Ideal(op, x), there = Ideal(op, z);
            double[] local = Bound(op, workspace, x, d, here.Length), anywhere = Bound(op, workspace, null, d, here.Length);
            double[] rounding = Rounding(op, workspace, x, d, here.Length);
            for (int i = 0; i < here.Length; i++)
            {
                double moved = Math.Abs(there[i] - here[i]);
                Assert.True(moved <= local[i] + rounding[i], $"seed {seed}, element {i}: moved by {moved}, bound {local[i]}");
                // Both are rounded outwards, by up to 16 2^-53.
                Assert.True(local[i] <= anywhere[i] * (1 + (16 * UnitRoundoff)), $"seed {seed}, element {i}: bound {local[i]}, for any input {anywhere[i]}");
            }
        }
    }

    /// <summary>
    /// A linear map y = W x + c with an input error of d sign(W[i, .]) moves y[i] by the whole of sum |W| d, so the bound can be no smaller: it must be equal to within rounding.
    /// The signs are found by trying each input on its own.
    /// </summary>
    [Theory]
    [MemberData(nameof(Cases))]
    public void ALinearMapAttainsItsBoundAlongTheSigns(string operation, string name)
    {
        OpRow row = OpTable.Find(operation, name);
        Op op = OpTable.Application(row, 1);
        // Each input costs an evaluation of the loops.
        if (!op.IsAffine || row.Inputs.Sum(shape => shape.Length) > 4000) return;
        using var workspace = new Workspace(2);
        DoubleTensor[] d = [.. Distances(row, 1)], zero = [.. row.Inputs.Select(shape => new DoubleTensor(shape))];
        double[] constant = Ideal(op, zero), bound = Bound(op, workspace, null, d, constant.Length);
        int element = constant.Length / 2;
        DoubleTensor[] error = [.. d.Select(v => new DoubleTensor(v.Shape))];
        for (int j = 0; j < d.Length; j++)
        {
            for (int i = 0; i < d[j].Values.Length; i++)
            {
                zero[j].Values[i] = d[j].Values[i];
                error[j].Values[i] = d[j].Values[i] * Math.Sign(Ideal(op, zero)[element] - constant[element]);
                zero[j].Values[i] = 0;
            }
        }
        double attained = Math.Abs(Ideal(op, error)[element] - constant[element]);
        Assert.True(bound[element] == 0 ? attained == 0 : attained / bound[element] is >= 1 - 1e-12 and <= 1 + 1e-12, $"attained {attained}, bound {bound[element]}");
    }

    [Fact]
    public void TheseHaveABound()
    {
        using var workspace = new Workspace(1);
        var bounded = new HashSet<string>();
        foreach (OpRow row in OpTable.Rows.Where(row => row.Statistics == Statistics.Evaluation))
        {
            Op op = OpTable.Application(row, 1);
            if (Bound(op, workspace, null, [.. Distances(row, 1)], op.OutputShape([.. row.Inputs]).Length).All(double.IsFinite)) bounded.Add(op.Name);
        }
        Assert.Equal(["add", "batchNorm", "clampedPolynomialRelu", "conv2d", "linear", "perturbedRelu", "polynomialRelu", "pool", "relu", "shortcut"], bounded.Order(StringComparer.Ordinal));
    }

    /// <summary>A negative input that stays negative moves a leaky ReLU by a d only, one that becomes positive by less than d, a positive one by d.</summary>
    [Theory]
    [InlineData(0, -3, 1, 0)]
    [InlineData(0, -3, 5, 2)]
    [InlineData(0, 0, 5, 5)]
    [InlineData(0, 2, 5, 5)]
    [InlineData(0.25, -3, 1, 0.25)]
    [InlineData(0.25, -3, 5, 2.75)] // From -0.75 to 2.
    [InlineData(0.25, -3, 3.5, 1.25)] // From -0.75 to 0.5, or to -1.625.
    [InlineData(0.25, 2, 5, 5)]
    public void ALeakyReluMovesByNoMoreThanItCan(double slope, double x, double d, double expected)
    {
        double[] bound = [0];
        Relu.LeakyBound(slope, [x], [d], bound);
        Assert.InRange(bound[0], expected, expected + (20 * UnitRoundoff * d));
    }

    private static IEnumerable<DoubleTensor> Inputs(OpRow row, int seed) => row.Inputs.Select((shape, j) => DoubleTensor.From(shape, OpTable.Values(shape.Length, (1000 * seed) + j)));

    /// <summary>Some small, some as large as the inputs, some 0.</summary>
    private static IEnumerable<DoubleTensor> Distances(OpRow row, int seed) => row.Inputs.Select((shape, j) => new DoubleTensor(
        shape, [.. OpTable.Values(shape.Length, (2000 * seed) + j, positive: true).Select((v, i) => i % 3 == 0 ? v / 128 : i % 7 == 1 ? 0 : v)]));

    /// <summary>Both ends of what is allowed, and points between. All are float32 numbers of similar size or few bits: their sums are exact in float64.</summary>
    private static DoubleTensor Shifted(DoubleTensor x, DoubleTensor d, int seed)
    {
        var random = new CounterRandom(seed, RandomStream.Weights, 1);
        return new(x.Shape, [.. x.Values.Select((v, i) => v + (d.Values[i] * (random.Below(i, 9) - 4) / 4))]);
    }

    /// <summary>The naive loops; for an activation what it stands for.</summary>
    private static double[] Ideal(Op op, DoubleTensor[] inputs)
    {
        var y = new DoubleTensor(op.OutputShape([.. inputs.Select(x => x.Shape)]));
        if (op.Activation is null) op.Reference(inputs, [.. op.Parameters.Select(p => DoubleTensor.From(p.Shape, p.Values))], y);
        else op.Ideal(Serial, inputs, y);
        return y.Values;
    }

    private static double[] Bound(Op op, Workspace workspace, DoubleTensor[]? x, DoubleTensor[] d, int length)
    {
        var bound = new DoubleTensor(op.OutputShape([.. d.Select(v => v.Shape)]));
        Assert.Equal(length, bound.Values.Length);
        op.PropagateBound(workspace, x, d, bound);
        return bound.Values;
    }

    /// <summary>What float64 rounds in both evaluations and in the shifted input: four times the bound at |x| + d, as batch-norm's scale takes three roundings more.</summary>
    private static double[] Rounding(Op op, Workspace workspace, DoubleTensor[] x, DoubleTensor[] d, int length)
    {
        DoubleTensor[] largest = [.. x.Select((v, j) => new DoubleTensor(v.Shape, [.. v.Values.Select((value, i) => Math.Abs(value) + d[j].Values[i])]))];
        var rounding = new DoubleTensor(op.OutputShape([.. x.Select(v => v.Shape)]));
        if (op.Activation is null) op.RoundingBound(workspace, largest, UnitRoundoff, rounding);
        else largest[0].Values.Select(v => 4 * UnitRoundoff * v).ToArray().CopyTo(rounding.Values, 0);
        Assert.Equal(length, rounding.Values.Length);
        return [.. rounding.Values.Select(r => double.IsFinite(r) ? 4 * r : 0)];
    }
}
