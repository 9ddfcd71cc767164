using PannCore.Engine;

namespace PannCore.Diagnostics;

/// <summary>Every operation in float64.</summary>
/// <param name="workspace">Threads and memory.</param>
public sealed class Float64Arithmetic(Workspace workspace) : IArithmetic<DoubleTensor>
{
    /// <inheritdoc/>
    public DoubleTensor Encode(Tensor x)
    {
        ArgumentNullException.ThrowIfNull(x);
        return DoubleTensor.From(x.Shape, x.Values);
    }

    /// <inheritdoc/>
    public DoubleTensor Decode(DoubleTensor x) => x;

    /// <inheritdoc/>
    public DoubleTensor Evaluate(Op op, string path, IReadOnlyList<DoubleTensor> inputs, Shape output)
    {
        ArgumentNullException.ThrowIfNull(op);
        var y = new DoubleTensor(output);
        op.Exact(workspace, inputs, y);
        return y;
    }
}
