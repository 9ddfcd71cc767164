using PannCore.Engine;
using PannCore.Ops;
using Xunit;

namespace PannCore.Tests.Ops;

/// <summary>The function an operation stands for: itself, but for polynomials and perturbations.</summary>
public sealed class IdealTests
{
    [Fact]
    public void OnlyPolynomialsAndPerturbationsStandForAnotherFunction()
    {
        using var workspace = new Workspace(1);
        foreach (OpRow row in OpTable.Rows.Where(row => row.Statistics == Statistics.Evaluation))
        {
            Op op = OpTable.Application(row, 1);
            DoubleTensor[] inputs = [.. row.Inputs.Select((shape, i) => DoubleTensor.From(shape, OpTable.Values(shape.Length, i + 1)))];
            DoubleTensor exact = new(op.OutputShape([.. row.Inputs])), ideal = new(exact.Shape);
            op.Exact(workspace, inputs, exact);
            op.Ideal(workspace, inputs, ideal);
            if (op is PolynomialRelu or PerturbedRelu or ClampedPolynomialRelu) Assert.NotEqual(exact.Values, ideal.Values);
            else Assert.Equal(exact.Values, ideal.Values);
        }
    }

    [Fact]
    public void APolynomialIsWithinItsCertifiedErrorOfItsRelu()
    {
        using var workspace = new Workspace(1);
        foreach (OpRow row in OpTable.Rows)
        {
            if (OpTable.Application(row, 1) is not PolynomialRelu op) continue;
            DoubleTensor x = DoubleTensor.From(row.Inputs[0], OpTable.Values(row.Inputs[0].Length, 1)), exact = new(x.Shape), ideal = new(x.Shape);
            op.Exact(workspace, [x], exact);
            op.Ideal(workspace, [x], ideal);
            double leak = op.Polynomial.Leak, largest = op.Range * op.Polynomial.MaxError;
            int inside = 0;
            for (int i = 0; i < x.Values.Length; i++)
            {
                Assert.Equal(Math.Max(x.Values[i], leak * x.Values[i]), ideal.Values[i]);
                if (Math.Abs(x.Values[i]) > op.Range) continue;
                inside++;
                double shift = op.Shift is null ? 0 : op.Shift.Values[i % op.Shift.Shape.Length];
                Assert.InRange(Math.Abs(exact.Values[i] - shift - ideal.Values[i]), 0, largest);
                Assert.InRange(Math.Abs(exact.Values[i] - ideal.Values[i]), 0, op.Activation!.ApproximationBound);
            }
            Assert.InRange(inside, x.Values.Length / 2, x.Values.Length);
        }
    }
}
