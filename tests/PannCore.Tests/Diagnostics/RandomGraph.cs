using PannCore.Approximation;
using PannCore.Engine;
using PannCore.Ops;

namespace PannCore.Tests.Diagnostics;

/// <summary>A small random network of every operation: convolutions, batch-norms, activations, shortcuts and sums in random order, then pool and linear.</summary>
internal static class RandomGraph
{
    private static readonly ReluPolynomial[] Polynomials = [.. new[] { "composite:3,5", "composite:7,7,leak=0.25", "direct:8" }.Select(spec => ActivationSpec.Parse(spec).Build())];

    /// <summary>Runs the network of a seed; its weights do not depend on the shape.</summary>
    public static Tensor Run(Run run, int seed, Shape images, bool polynomials, double largest = double.PositiveInfinity)
    {
        var random = new CounterRandom(seed, RandomStream.Order, 1);
        float[] pixels = [.. Enumerable.Range(0, images.Length).Select(i => (float)Math.Clamp(new CounterRandom(seed, RandomStream.StressImage, 3).Normal(i), -largest, largest))];
        var tensors = new List<Tensor> { run.Input(images, pixels) };
        for (int step = 0; step < 10; step++)
        {
            Tensor x = tensors[^1];
            int stream = 100 * (seed + 1) + (10 * step);
            tensors.Add((step % 3 == 0 ? 0 : random.Below(step, 6)) switch
            {
                0 => x.Conv2d(Normal("weight", stream, new(16, 16, 3, 3), 0.08), 1, 1),
                1 => x.BatchNorm(Normal("gamma", stream, new(16), 1), Normal("beta", stream + 1, new(16), 0.5), Normal("mean", stream + 2, new(16), 0.5), Variance(stream + 3)),
                2 => polynomials ? x.PolynomialRelu(Polynomials[random.Below(100 + step, 3)], range: 40) : x.Relu(),
                3 => x.Relu(0.1f),
                4 => x.Add(tensors[Math.Max(0, tensors.Count - 3)]),
                _ => x.Shortcut(16, 1),
            });
        }
        return tensors[^1].GlobalAveragePool().Linear(Normal("linear.weight", seed, new(10, 16), 0.5), Normal("linear.bias", seed + 1, new(10), 1));
    }

    public static Parameter Normal(string name, int stream, Shape shape, double deviation)
    {
        var random = new CounterRandom(1, RandomStream.Weights, stream);
        var parameter = new Parameter(name, shape, trainable: false);
        parameter.Set([.. Enumerable.Range(0, shape.Length).Select(i => (float)(deviation * random.Normal(i)))]);
        return parameter;
    }

    private static Parameter Variance(int stream)
    {
        Parameter variance = Normal("variance", stream, new(16), 1);
        variance.Update(values =>
        {
            for (int i = 0; i < values.Length; i++) values[i] = 0.5f + (values[i] * values[i]);
        });
        return variance;
    }
}

/// <summary>The errors of a run against the ideal network, evaluated by naive float64 loops.</summary>
internal sealed class NaiveErrors : IRunObserver
{
    private readonly Dictionary<Tensor, DoubleTensor> _ideal = [];
    private readonly Dictionary<Tensor, double[]> _errors = [];

    /// <summary>Largest |error| of each operation.</summary>
    public Dictionary<string, double> Largest { get; } = [];

    public double[] ErrorOf(Tensor output) => _errors[output];

    public void Forward(Op op, string path, IReadOnlyList<Tensor> inputs, Tensor output)
    {
        DoubleTensor[] x = [.. inputs.Select(input => _ideal.TryGetValue(input, out DoubleTensor? known) ? known : _ideal[input] = DoubleTensor.From(input.Shape, input.Values))];
        var y = new DoubleTensor(output.Shape);
        double slope = op is Relu relu ? relu.Slope : op is PolynomialRelu polynomial ? polynomial.Polynomial.Leak : 0;
        if (op.Activation is null) op.Reference(x, [.. op.Parameters.Select(p => DoubleTensor.From(p.Shape, p.Values))], y);
        else x[0].Values.Select(v => v > 0 ? v : slope * v).ToArray().CopyTo(y.Values, 0);
        _ideal[output] = y;
        double[] working = DoubleTensor.From(output.Shape, output.Values).Values;
        _errors[output] = [.. working.Select((v, i) => v - y.Values[i])];
        Largest[path] = _errors[output].Max(Math.Abs);
    }
}

/// <summary>Calls somebody for every operation.</summary>
internal sealed class Watch(Action<Op, string, Tensor> seen) : IRunObserver
{
    public void Forward(Op op, string path, IReadOnlyList<Tensor> inputs, Tensor output) => seen(op, path, output);
}

/// <summary>Stands for the identity and adds a given error to it.</summary>
internal sealed class Offset(float[] error) : Op
{
    public override string Name => "offset";

    public override Shape OutputShape(ReadOnlySpan<Shape> inputs) => inputs[0];

    public override void Reference(IReadOnlyList<DoubleTensor> inputs, IReadOnlyList<DoubleTensor> parameters, DoubleTensor output) => inputs[0].Values.CopyTo(output.Values, 0);

    public override void RoundingBound(Workspace workspace, IReadOnlyList<DoubleTensor> inputs, double unitRoundoff, DoubleTensor bound) => Array.Clear(bound.Values);

    public override void PropagateBound(Workspace workspace, IReadOnlyList<DoubleTensor>? inputs, IReadOnlyList<DoubleTensor> inputBounds, DoubleTensor bound)
        => inputBounds[0].Values.CopyTo(bound.Values, 0);

    protected internal override void Forward(Forwarding pass, IReadOnlyList<Tensor> inputs, Memory<float> y)
    {
        ReadOnlySpan<float> x = inputs[0].Values;
        for (int i = 0; i < x.Length; i++) y.Span[i] = x[i] + error[i];
    }

    protected internal override void Backward(Backpropagation pass, IReadOnlyList<Tensor> inputs, Tensor output, ReadOnlyMemory<float> dy) => throw new NotSupportedException();
}
