using PannCore.Engine;
using PannCore.Kernels;
using TensorPrimitives = System.Numerics.Tensors.TensorPrimitives;

namespace PannCore.Ops;

/// <summary>
/// y[n, oy, ox, k] = sum over r, s, c of x[n, stride oy + r - padding, stride ox + s - padding, c] w[k, c, r, s]; zero outside the image, no bias.
/// </summary>
internal sealed class Conv2d(Parameter weight, int stride, int padding) : Op
{
    public override string Name => "conv2d";

    public override IReadOnlyList<Parameter> Parameters { get; } = [weight];

    public override Shape OutputShape(ReadOnlySpan<Shape> inputs)
    {
        Shape x = inputs[0], w = weight.Shape;
        if (x.Rank != 4) throw new ShapeException($"conv2d: input {x} must be [N,H,W,C]");
        if (w.Rank != 4) throw new ShapeException($"conv2d: weight {w} must be [K,C,R,S]");
        if (w[2] % 2 == 0 || w[3] % 2 == 0) throw new ShapeException($"conv2d: weight {w} must have odd kernel sizes");
        if (stride < 1) throw new ShapeException($"conv2d: stride must be at least 1, is {stride}");
        if (padding < 0) throw new ShapeException($"conv2d: padding must be at least 0, is {padding}");
        if (w[1] != x[3]) throw new ShapeException($"conv2d: weight {w} expects {w[1]} input channels, input {x} has {x[3]}");
        if (x[1] + (2L * padding) < w[2] || x[2] + (2L * padding) < w[3])
            throw new ShapeException($"conv2d: weight {w} does not fit into input {x} with padding {padding}");
        // Scratch holds an image with its halo, and a tile more than a row; packed weights whole tiles of channels.
        long across = x[2] + (2L * padding) + (64L * stride), haloed = (x[1] + (2L * padding) + stride) * across * Math.Max(x[3], w[0]);
        long packed = (long)w[2] * w[3] * (x[3] + 64L) * (w[0] + 64L);
        if (Math.Max(haloed, packed) > int.MaxValue / 8)
            throw new ShapeException($"conv2d: input {x} with weight {w}, stride {stride} and padding {padding} needs working memory of {Math.Max(haloed, packed)} elements, at most {int.MaxValue / 8} can be had");
        ConvGeometry g = Geometry(x);
        return new(x[0], g.OutH, g.OutW, g.K);
    }

    protected internal override void Forward(Forwarding pass, IReadOnlyList<Tensor> inputs, Memory<float> y)
    {
        Tensor x = inputs[0];
        (ConvPlan<float> plan, Memory<float> packed) = Forward<float>(Geometry(x.Shape));
        pass.Workers.Run(new ConvForwardJob<float>(plan, x.Memory, packed, y), x.Shape[0]);
    }

    protected internal override void Backward(Backpropagation pass, IReadOnlyList<Tensor> inputs, Tensor output, ReadOnlyMemory<float> dy)
    {
        Tensor x = inputs[0];
        ConvGeometry g = Geometry(x.Shape);
        int images = x.Shape[0];
        if (!pass.InputGradient(0).IsEmpty)
        {
            (ConvPlan<float> plan, Memory<float> packed) = weight.Packed((g, "data gradient"), values =>
            {
                ConvPlan<float> made = ConvPlan<float>.DataGradient(g);
                return (made, made.Pack(values, g.S));
            });
            pass.Workers.Run(new ConvForwardJob<float>(plan, dy, packed, pass.InputGradient(0)), images);
        }
        if (!pass.ParameterGradient(0).IsEmpty)
        {
            var gradient = new ConvWeightGradient(g, Forward<float>(g).Plan);
            Memory<float> partials = pass.Temporary(ConvWeightGradient.Partials(images) * gradient.PartialLength);
            gradient.Run(images, x.Memory, dy, partials, pass.ParameterGradient(0).Span, pass.Workers);
        }
    }

    public override void Reference(IReadOnlyList<DoubleTensor> inputs, IReadOnlyList<DoubleTensor> parameters, DoubleTensor output)
    {
        double[] x = inputs[0].Values, w = parameters[0].Values, y = output.Values;
        ConvGeometry g = Geometry(inputs[0].Shape);
        for (int n = 0; n < inputs[0].Shape[0]; n++)
        {
            for (int oy = 0; oy < g.OutH; oy++)
            {
                for (int ox = 0; ox < g.OutW; ox++)
                {
                    for (int k = 0; k < g.K; k++)
                    {
                        double sum = 0;
                        for (int r = 0; r < g.R; r++)
                        {
                            int iy = (oy * stride) + r - padding;
                            if (iy < 0 || iy >= g.H) continue;
                            for (int s = 0; s < g.S; s++)
                            {
                                int ix = (ox * stride) + s - padding;
                                if (ix < 0 || ix >= g.W) continue;
                                for (int c = 0; c < g.C; c++)
                                    sum += x[(((((n * g.H) + iy) * g.W) + ix) * g.C) + c] * w[(((((k * g.C) + c) * g.R) + r) * g.S) + s];
                            }
                        }
                        y[(((((n * g.OutH) + oy) * g.OutW) + ox) * g.K) + k] = sum;
                    }
                }
            }
        }
    }

    /// <summary>The float32 kernel's own algorithm, compiled for float64.</summary>
    public override void Exact(Workspace workspace, IReadOnlyList<DoubleTensor> inputs, DoubleTensor output)
    {
        (ConvPlan<double> plan, Memory<double> packed) = Forward<double>(Geometry(inputs[0].Shape));
        workspace.Workers.Run(new ConvForwardJob<double>(plan, inputs[0].Values, packed, output.Values), inputs[0].Shape[0]);
    }

    public override bool IsAffine(Statistics statistics) => true;

    /// <summary>gamma_(n+1) sum |x| |w| for n = R S C products summed in any order, fused or not.</summary>
    public override void RoundingBound(Workspace workspace, IReadOnlyList<DoubleTensor> inputs, double unitRoundoff, DoubleTensor bound)
    {
        ConvGeometry g = Geometry(inputs[0].Shape);
        (ConvPlan<double> plan, Memory<double> packed) = weight.Packed((g, "magnitudes"), values =>
        {
            ConvPlan<double> made = ConvPlan<double>.Forward(g);
            return (made, made.Pack([.. values.Select(Math.Abs)], g.S));
        });
        double[] magnitudes = new double[inputs[0].Values.Length];
        TensorPrimitives.Abs(inputs[0].Values, magnitudes);
        workspace.Workers.Run(new ConvForwardJob<double>(plan, magnitudes, packed, bound.Values), inputs[0].Shape[0]);
        TensorPrimitives.Multiply(bound.Values, Rounding.Gamma((g.R * g.S * g.C) + 1, unitRoundoff), bound.Values);
    }

    private ConvGeometry Geometry(Shape x) => new(x[1], x[2], x[3], weight.Shape[0], weight.Shape[2], weight.Shape[3], stride, padding);

    private (ConvPlan<T> Plan, Memory<T> Packed) Forward<T>(ConvGeometry g) where T : unmanaged, System.Numerics.IFloatingPointIeee754<T>
        => weight.Packed((g, typeof(T)), values =>
        {
            ConvPlan<T> made = ConvPlan<T>.Forward(g);
            return (made, made.Pack(values, g.S));
        });
}

/// <summary>Convolution of a tensor.</summary>
public static class Conv2dExtensions
{
    /// <summary>2-D convolution without bias: x [N,H,W,C], weight [K,C,R,S] with odd R and S, result [N,(H+2p-R)/stride+1,(W+2p-S)/stride+1,K].</summary>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    public static Tensor Conv2d(this Tensor x, Parameter weight, int stride, int padding) => new Conv2d(weight, stride, padding).Apply(x);
}
