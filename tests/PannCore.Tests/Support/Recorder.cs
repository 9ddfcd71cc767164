using PannCore.Engine;

namespace PannCore.Tests.Support;

/// <summary>One operation as an observer saw it, with copies of its values.</summary>
internal sealed record Seen(Op Op, string Path, Tensor Tensor, Shape Shape, float[] Values);

/// <summary>Keeps everything a run shows: outputs in the order of execution, gradients in the order of the backward pass.</summary>
internal sealed class Recorder : IRunObserver
{
    public List<Seen> Outputs { get; } = [];

    public List<Seen> Gradients { get; } = [];

    public Seen this[string path] => Outputs.Single(seen => seen.Path == path);

    public void Forward(Op op, string path, IReadOnlyList<Tensor> inputs, Tensor output)
        => Outputs.Add(new(op, path, output, output.Shape, output.Values.ToArray()));

    public void Gradient(Op op, string path, Tensor output, ReadOnlySpan<float> gradient)
        => Gradients.Add(new(op, path, output, output.Shape, gradient.ToArray()));
}
