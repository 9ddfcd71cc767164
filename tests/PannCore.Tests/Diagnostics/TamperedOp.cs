using PannCore.Engine;

namespace PannCore.Tests.Diagnostics;

/// <summary>An operation that promises what another one does, and does something else in float32.</summary>
internal sealed class TamperedOp(Op genuine, Action<IReadOnlyList<Tensor>, Memory<float>> tamper, bool? affine = null) : Op
{
    public override string Name => genuine.Name;

    public override IReadOnlyList<Parameter> Parameters => genuine.Parameters;

    public override Shape OutputShape(ReadOnlySpan<Shape> inputs) => genuine.OutputShape(inputs);

    public override void Reference(IReadOnlyList<DoubleTensor> inputs, IReadOnlyList<DoubleTensor> parameters, DoubleTensor output) => genuine.Reference(inputs, parameters, output);

    public override void Exact(Workspace workspace, IReadOnlyList<DoubleTensor> inputs, DoubleTensor output) => genuine.Exact(workspace, inputs, output);

    public override void Ideal(Workspace workspace, IReadOnlyList<DoubleTensor> inputs, DoubleTensor output) => genuine.Ideal(workspace, inputs, output);

    public override ActivationTraits? Activation => affine is null ? genuine.Activation : null;

    public override bool IsAffine => affine ?? genuine.IsAffine;

    public override void RoundingBound(Workspace workspace, IReadOnlyList<DoubleTensor> inputs, double unitRoundoff, DoubleTensor bound)
        => genuine.RoundingBound(workspace, inputs, unitRoundoff, bound);

    protected internal override void Forward(Forwarding pass, IReadOnlyList<Tensor> inputs, Memory<float> y)
    {
        genuine.Forward(pass, inputs, y);
        if (inputs[0].Run.TakePending() is { } pending) inputs[0].Run.Settle(pending);
        tamper(inputs, y);
    }

    protected internal override void Backward(Backpropagation pass, IReadOnlyList<Tensor> inputs, Tensor output, ReadOnlyMemory<float> dy)
        => throw new NotSupportedException();
}
