using PannCore.Engine;
using PannCore.Ops;
using Xunit;

namespace PannCore.Tests.Ops;

/// <summary>What operations compute in float64 for an image depends on that image only: neither on its neighbours, nor on threads, nor on what the memory held before.</summary>
public sealed class ExactBatchTests
{
    private const double Single = 1.0 / (1 << 24);
    private static readonly double Double = Math.ScaleB(1, -53);

    /// <summary>Evaluation, one result an image: a perturbation knows its images by number, and a loss is one number for all.</summary>
    public static TheoryData<string, string> Cases
    {
        get
        {
            var data = new TheoryData<string, string>();
            foreach (OpRow row in OpTable.Rows.Where(row => row.Statistics == Statistics.Evaluation && OpTable.Application(row, 1) is not (PerturbedRelu or SoftmaxCrossEntropy or DistillationLoss))) data.Add(OpTable.Name(row), row.Case);
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void An_image_is_computed_as_if_it_were_alone(string operation, string name)
    {
        OpRow row = OpTable.Find(operation, name);
        Op op = OpTable.Application(row, 1);
        using Workspace one = new(1), three = new(3);
        Shape[] single = [.. row.Inputs.Select(shape => Images(shape, 1))];
        DoubleTensor[] alone = [.. single.Select((shape, j) => DoubleTensor.From(shape, OpTable.Values(shape.Length, 70 + j)))];

        // Before it an image of 1e30 and one of NaN, after it one more.
        DoubleTensor[] batch = [.. alone.Select(x => new DoubleTensor(Images(x.Shape, 4), [.. x.Values.Select(v => 1e30 * v), .. x.Values.Select(_ => double.NaN), .. x.Values, .. x.Values.Select(v => v / 3)]))];
        foreach (Action<Workspace, DoubleTensor[], DoubleTensor> function in new Action<Workspace, DoubleTensor[], DoubleTensor>[]
        {
            op.Exact, op.Ideal, (workspace, x, y) => op.RoundingBound(workspace, x, Single, y), (workspace, x, y) => op.RoundingBound(workspace, x, Double, y),
        })
        {
            double[] expected = Apply(function, one, alone, 0);
            Assert.Equal(expected, Apply(function, one, alone, double.NaN));
            Assert.Equal(expected, Apply(function, one, batch, double.NaN).AsSpan(2 * expected.Length, expected.Length).ToArray());
            Assert.Equal(expected, Apply(function, three, batch, 7).AsSpan(2 * expected.Length, expected.Length).ToArray());
        }

        double[] Apply(Action<Workspace, DoubleTensor[], DoubleTensor> function, Workspace workspace, DoubleTensor[] x, double content)
        {
            var y = new DoubleTensor(op.OutputShape([.. x.Select(input => input.Shape)]));
            Array.Fill(y.Values, content);
            function(workspace, x, y);
            return y.Values;
        }
    }

    private static Shape Images(Shape shape, int images)
    {
        int[] sizes = shape.ToArray();
        sizes[0] = images;
        return new(sizes);
    }
}
