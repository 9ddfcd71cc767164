using PannCore.Engine;
using PannCore.Kernels;
using TensorPrimitives = System.Numerics.Tensors.TensorPrimitives;

namespace PannCore.Ops;

/// <summary>y[n, k] = sum over c of x[n, c] w[k, c] + b[k].</summary>
internal sealed class Linear(Parameter weight, Parameter bias) : Op
{
    public override string Name => "linear";

    public override IReadOnlyList<Parameter> Parameters { get; } = [weight, bias];

    protected internal override bool BackwardReadsOutput => false;

    public override Shape OutputShape(ReadOnlySpan<Shape> inputs)
    {
        Shape x = inputs[0], w = weight.Shape;
        if (x.Rank != 2) throw new ShapeException($"linear: input {x} must be [N,C]");
        if (w.Rank != 2) throw new ShapeException($"linear: weight {w} must be [K,C]");
        if (w[1] != x[1]) throw new ShapeException($"linear: weight {w} expects {w[1]} inputs, input {x} has {x[1]}");
        if (bias.Shape.Length != w[0]) throw new ShapeException($"linear: bias {bias.Shape} must have the {w[0]} outputs of weight {w}");
        return new(x[0], w[0]);
    }

    protected internal override void Forward(Forwarding pass, IReadOnlyList<Tensor> inputs, Memory<float> y)
    {
        int outputs = weight.Shape[0], features = weight.Shape[1];
        ReadOnlySpan<float> x = inputs[0].Values;
        Span<float> result = y.Span;
        for (int i = 0; i < result.Length; i++)
            result[i] = TensorPrimitives.Dot(x.Slice(i / outputs * features, features), weight.Values.Slice(i % outputs * features, features)) + bias.Values[i % outputs];
    }

    protected internal override void Backward(Backpropagation pass, IReadOnlyList<Tensor> inputs, Tensor output, ReadOnlyMemory<float> dy)
    {
        int outputs = weight.Shape[0], features = weight.Shape[1];
        ReadOnlySpan<float> x = inputs[0].Values, gradient = dy.Span;
        Span<float> dx = pass.InputGradient(0).Span, dw = pass.ParameterGradient(0).Span, db = pass.ParameterGradient(1).Span;
        dx.Clear();
        dw.Clear();
        db.Clear();
        for (int i = 0; i < gradient.Length; i++)
        {
            int n = i / outputs, k = i % outputs;
            if (!db.IsEmpty) db[k] += gradient[i];
            if (!dw.IsEmpty)
            {
                Span<float> row = dw.Slice(k * features, features);
                FloatLines.AddScaled(x.Slice(n * features, features), gradient[i], row);
            }
            if (dx.IsEmpty) continue;
            Span<float> input = dx.Slice(n * features, features);
            FloatLines.AddScaled(weight.Values.Slice(k * features, features), gradient[i], input);
        }
    }

    public override void Reference(IReadOnlyList<DoubleTensor> inputs, IReadOnlyList<DoubleTensor> parameters, DoubleTensor output)
    {
        int outputs = weight.Shape[0], features = weight.Shape[1];
        for (int i = 0; i < output.Values.Length; i++)
        {
            double sum = parameters[1].Values[i % outputs];
            for (int c = 0; c < features; c++)
                sum += inputs[0].Values[(i / outputs * features) + c] * parameters[0].Values[(i % outputs * features) + c];
            output.Values[i] = sum;
        }
    }

    public override bool IsAffine => true;

    /// <summary>gamma_(n+2) (sum |x| |w| + |b|) for n products, and n times what one below the normal numbers loses.</summary>
    public override void RoundingBound(Workspace workspace, IReadOnlyList<DoubleTensor> inputs, double unitRoundoff, DoubleTensor bound)
    {
        static DoubleTensor Magnitudes(DoubleTensor x) => new(x.Shape, [.. x.Values.Select(Math.Abs)]);
        Reference([Magnitudes(inputs[0])], [.. Parameters.Select(p => Magnitudes(DoubleTensor.From(p.Shape, p.Values)))], bound);
        double gamma = Rounding.Gamma(weight.Shape[1] + 2, unitRoundoff), underflow = weight.Shape[1] * Rounding.Underflow(unitRoundoff);
        for (int i = 0; i < bound.Values.Length; i++) bound.Values[i] = (bound.Values[i] * gamma) + underflow;
    }

    /// <summary>Sums of |w| times the input's bound.</summary>
    public override void PropagateBound(Workspace workspace, IReadOnlyList<DoubleTensor>? inputs, IReadOnlyList<DoubleTensor> inputBounds, DoubleTensor bound)
    {
        int outputs = weight.Shape[0], features = weight.Shape[1];
        double[] magnitudes = new double[weight.Shape.Length];
        TensorPrimitives.ConvertChecked(weight.Values, magnitudes);
        TensorPrimitives.Abs(magnitudes, magnitudes);
        double outwards = Rounding.Outwards(features + 1), underflow = Math.ScaleB(features, -1074);
        for (int i = 0; i < bound.Values.Length; i++)
        {
            double sum = TensorPrimitives.Dot(inputBounds[0].Values.AsSpan(i / outputs * features, features), magnitudes.AsSpan(i % outputs * features, features));
            bound.Values[i] = (sum * outwards) + underflow;
        }
    }
}

/// <summary>A fully connected layer.</summary>
public static class LinearExtensions
{
    /// <summary>x w^T + b: x [N,C], weight [K,C], bias [K], result [N,K].</summary>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    public static Tensor Linear(this Tensor x, Parameter weight, Parameter bias) => new Linear(weight, bias).Apply(x);
}
