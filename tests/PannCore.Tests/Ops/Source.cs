using PannCore.Engine;

namespace PannCore.Tests.Ops;

/// <summary>A trainable array as an operation, so that the gradient of an operation's input can be read like a parameter's.</summary>
internal sealed class Source : Op
{
    private readonly Parameter _value;

    public Source(float[] values, Shape shape)
    {
        _value = new Parameter("source", shape);
        _value.Set(values);
        Parameters = [_value];
    }

    public override string Name => "source";

    public override IReadOnlyList<Parameter> Parameters { get; }

    public override Shape OutputShape(ReadOnlySpan<Shape> inputs) => _value.Shape;

    /// <summary>The array as a tensor of a run.</summary>
    public Tensor In(Run run) => Apply(run.Input(new(1), [0]));

    public override void Reference(IReadOnlyList<DoubleTensor> inputs, IReadOnlyList<DoubleTensor> parameters, DoubleTensor output)
        => parameters[0].Values.CopyTo(output.Values, 0);

    protected internal override void Forward(Forwarding pass, IReadOnlyList<Tensor> inputs, Memory<float> y) => _value.Values.CopyTo(y.Span);

    protected internal override void Backward(Backpropagation pass, IReadOnlyList<Tensor> inputs, Tensor output, ReadOnlyMemory<float> dy)
        => dy.CopyTo(pass.ParameterGradient(0));
}
