using PannCore.Engine;
using PannCore.Kernels;
using TensorPrimitives = System.Numerics.Tensors.TensorPrimitives;

namespace PannCore.Ops;

/// <summary>y[n, c] = mean over pixels of x[n, h, w, c].</summary>
internal sealed class GlobalAveragePool : Op
{
    public override string Name => "pool";

    protected internal override bool BackwardReadsInputs => false;

    protected internal override bool BackwardReadsOutput => false;

    public override Shape OutputShape(ReadOnlySpan<Shape> inputs)
        => inputs[0].Rank == 4 ? new(inputs[0][0], inputs[0][3]) : throw new ShapeException($"pool: input {inputs[0]} must be [N,H,W,C]");

    protected internal override void Forward(Forwarding pass, IReadOnlyList<Tensor> inputs, Memory<float> y)
        => pass.Workers.Run(new MeanJob(inputs[0].Memory, inputs[0].Shape, y), inputs[0].Shape[0], small: inputs[0].Shape.Length <= Chunks.SmallLength);

    protected internal override void Backward(Backpropagation pass, IReadOnlyList<Tensor> inputs, Tensor output, ReadOnlyMemory<float> dy)
        => pass.Workers.Run(new GradientJob(dy, inputs[0].Shape, pass.InputGradient(0)), inputs[0].Shape[0], small: inputs[0].Shape.Length <= Chunks.SmallLength);

    public override void Reference(IReadOnlyList<DoubleTensor> inputs, IReadOnlyList<DoubleTensor> parameters, DoubleTensor output)
    {
        int channels = inputs[0].Shape[3], pixels = inputs[0].Shape[1] * inputs[0].Shape[2];
        Array.Clear(output.Values);
        for (int i = 0; i < inputs[0].Values.Length; i++)
            output.Values[(i / channels / pixels * channels) + (i % channels)] += inputs[0].Values[i] / pixels;
    }

    /// <summary>The sum of the pixels, divided once.</summary>
    public override void Exact(Workspace workspace, IReadOnlyList<DoubleTensor> inputs, DoubleTensor output) => Mean(workspace, inputs[0], ofMagnitudes: false, output);

    public override bool IsAffine => true;

    /// <summary>gamma_(n+1) mean |x| for n pixels summed and one division, and what that loses below the normal numbers.</summary>
    public override void RoundingBound(Workspace workspace, IReadOnlyList<DoubleTensor> inputs, double unitRoundoff, DoubleTensor bound)
    {
        Mean(workspace, inputs[0], ofMagnitudes: true, bound);
        TensorPrimitives.Multiply(bound.Values, Rounding.Gamma((inputs[0].Shape[1] * inputs[0].Shape[2]) + 1, unitRoundoff), bound.Values);
        TensorPrimitives.Add(bound.Values, Rounding.Underflow(unitRoundoff), bound.Values);
    }

    private static void Mean(Workspace workspace, DoubleTensor input, bool ofMagnitudes, DoubleTensor output)
    {
        Shape shape = input.Shape;
        double[] x = input.Values, y = output.Values;
        int channels = shape[3], pixels = shape[1] * shape[2];
        Parts.Each(workspace, shape[0], n =>
        {
            Span<double> sum = y.AsSpan(n * channels, channels), term = new double[channels];
            sum.Clear();
            for (int pixel = 0; pixel < pixels; pixel++)
            {
                x.AsSpan(((n * pixels) + pixel) * channels, channels).CopyTo(term);
                if (ofMagnitudes) TensorPrimitives.Abs(term, term);
                TensorPrimitives.Add(sum, term, sum);
            }
            TensorPrimitives.Divide(sum, pixels, sum);
        });
    }

    private readonly struct MeanJob(ReadOnlyMemory<float> x, Shape shape, Memory<float> y) : IJob
    {
        public void Run(int chunk, Scratch scratch)
        {
            int channels = shape[3], image = shape.Length / shape[0];
            PixelMean.Forward(x.Span.Slice(chunk * image, image), y.Span.Slice(chunk * channels, channels), scratch);
        }
    }

    private readonly struct GradientJob(ReadOnlyMemory<float> dy, Shape shape, Memory<float> dx) : IJob
    {
        public void Run(int chunk, Scratch scratch)
        {
            int channels = shape[3], image = shape.Length / shape[0];
            PixelMean.Gradient(dy.Span.Slice(chunk * channels, channels), dx.Span.Slice(chunk * image, image));
        }
    }

    /// <summary>The mean of the input's bounds.</summary>
    public override void PropagateBound(Workspace workspace, IReadOnlyList<DoubleTensor>? inputs, IReadOnlyList<DoubleTensor> inputBounds, DoubleTensor bound)
    {
        Reference(inputBounds, [], bound);
        TensorPrimitives.Multiply(bound.Values, Rounding.Outwards((inputBounds[0].Shape[1] * inputBounds[0].Shape[2]) + 1), bound.Values);
    }
}

/// <summary>Global average pooling.</summary>
public static class GlobalAveragePoolExtensions
{
    /// <summary>The mean over all pixels: [N,H,W,C] to [N,C].</summary>
    /// <exception cref="ShapeException">The input is no image batch.</exception>
    public static Tensor GlobalAveragePool(this Tensor x) => new GlobalAveragePool().Apply(x);
}
