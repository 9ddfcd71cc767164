using PannCore.Engine;

namespace PannCore.Tests.Diagnostics;

/// <summary>One operation as it ran: copies of what went in and what came out; <c>From</c> says which entry made each input, -1 for the network's input.</summary>
internal sealed record RecordedOp(Op Op, string Path, int[] From, Shape[] InputShapes, double[][] Inputs, Shape OutputShape, double[] Output);

/// <summary>Copies everything a run computes.</summary>
internal sealed class Recorder : IRunObserver
{
    private readonly Dictionary<Tensor, int> _made = [];

    public List<RecordedOp> Ops { get; } = [];

    public void Forward(Op op, string path, IReadOnlyList<Tensor> inputs, Tensor output)
    {
        Ops.Add(new(
            op, path, [.. inputs.Select(x => _made.GetValueOrDefault(x, -1))], [.. inputs.Select(x => x.Shape)],
            [.. inputs.Select(x => Doubles(x.Values))], output.Shape, Doubles(output.Values)));
        _made[output] = Ops.Count - 1;
    }

    private static double[] Doubles(ReadOnlySpan<float> values)
    {
        double[] copy = new double[values.Length];
        for (int i = 0; i < copy.Length; i++) copy[i] = values[i];
        return copy;
    }
}
