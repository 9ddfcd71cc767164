using CommunityToolkit.HighPerformance.Buffers;
using PannCore.Engine;
using PannCore.Kernels;
using TensorPrimitives = System.Numerics.Tensors.TensorPrimitives;

namespace PannCore.Ops;

/// <summary>
/// y[n, oy, ox, k] = sum over r, s, c of x[n, stride oy + r - padding, stride ox + s - padding, c] w[k, c, r, s]; zero outside the image, no bias.
/// </summary>
internal sealed class Conv2d(Parameter weight, int stride, int padding) : Op
{
    /// <summary>
    /// Up to so many weights both gradients of an image are computed one after the other, while the gradient of its output is in the cache; from 32 channels on the two
    /// sets of transformed weights would drive each other out of it (measured: 4 % faster steps with 16 channels, 2 to 5 % slower ones with more).
    /// </summary>
    private const int MostWeightsOfBothGradients = 16 * 16 * 9;

    public override string Name => "conv2d";

    public override IReadOnlyList<Parameter> Parameters { get; } = [weight];

    protected internal override bool BackwardReadsOutput => false;

    internal override bool DoesPending => true;

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
        // Scratch holds an image with its halo, and a tile more than a row, or the seven rows of Winograd's algorithms, one of zeros and a strip of six; packed weights whole tiles of channels, and gradients whole registers of them. A product of four ints does not overflow 128 bits.
        Int128 across = x[2] + (2L * padding) + (64L * stride), haloed = Math.Max(x[1] + (2L * padding) + stride, 7) * across * (Math.Max(x[3], w[0]) + 31L);
        Int128 packed = Math.Max((long)w[2] * w[3], 36) * (Int128)(x[3] + 64L) * (w[0] + 64L), needed = Int128.Max(haloed, packed);
        if (needed > int.MaxValue / 8)
            throw new ShapeException($"conv2d: input {x} with weight {w}, stride {stride} and padding {padding} needs working memory of {needed} elements, at most {int.MaxValue / 8} can be had");
        ConvGeometry g = Geometry(x);
        return new(x[0], g.OutH, g.OutW, g.K);
    }

    protected internal override void Forward(Forwarding pass, IReadOnlyList<Tensor> inputs, Memory<float> y)
    {
        Tensor x = inputs[0];
        ElementwiseChain? pending = x.TakePending();
        Run(Geometry(x.Shape), transposed: false, x.Shape[0], x.Memory, pending, y, pass.Convolution, pass.Workers);
        pass.Done(pending);
    }

    protected internal override void Backward(Backpropagation pass, IReadOnlyList<Tensor> inputs, Tensor output, ReadOnlyMemory<float> dy)
    {
        Tensor x = inputs[0];
        ConvGeometry g = Geometry(x.Shape);
        int images = x.Shape[0];
        ElementwiseChain? pending = pass.TakePending();
        // Images go with the partial sums of the weight gradient then: with fewer than two a thread, some threads would have half as much to do.
        bool both = !pass.ParameterGradient(0).IsEmpty && !pass.InputGradient(0).IsEmpty && weight.Shape.Length <= MostWeightsOfBothGradients && 2 * pass.Workers.Threads <= ConvWeightGradient.MaxPartials;
        if (!both)
        {
            if (!pass.InputGradient(0).IsEmpty) Run(g, transposed: true, images, dy, pending, pass.InputGradient(0), pass.Convolution, pass.Workers);
            else pending?.Run(pass.Workers);
            if (!pass.ParameterGradient(0).IsEmpty) WeightGradient(pass, g, x, dy, before: null);
        }
        else
        {
            WeightGradient(pass, g, x, dy, JobOf(g, transposed: true, images, dy, pending, pass.InputGradient(0), pass.Convolution, pass.Workers));
        }
        pass.Done(pending);
    }

    private void WeightGradient(Backpropagation pass, ConvGeometry g, Tensor x, ReadOnlyMemory<float> dy, IImages? before)
    {
        int images = x.Shape[0], partials = ConvWeightGradient.Partials(images);
        if (FormOf(g, pass.Convolution) is { } form)
        {
            WinogradPlan plan = Plan(g, form, transposed: false, pass.Workers);
            WinogradWeightGradient.Run(plan, images, x.Memory, dy, pass.Temporary(partials * plan.PackedLength), pass.ParameterGradient(0), pass.Workers, before);
            return;
        }
        var gradient = new ConvWeightGradient(g);
        gradient.Run(images, x.Memory, dy, pass.Temporary(partials * gradient.PartialLength), pass.ParameterGradient(0), pass.Workers, before);
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

    /// <summary>The direct float32 kernel, compiled for float64.</summary>
    public override void Exact(Workspace workspace, IReadOnlyList<DoubleTensor> inputs, DoubleTensor output)
    {
        (ConvPlan<double> plan, Memory<double> packed) = DirectPlan<double>(Geometry(inputs[0].Shape), transposed: false, workspace.Workers);
        workspace.Workers.Run(new ConvForwardJob<double>(plan, inputs[0].Values, packed, output.Values), inputs[0].Shape[0]);
    }

    public override bool IsAffine => true;

    /// <summary>
    /// Direct: gamma_(n+1) sum |x| |w| for n = R S C products summed in any order, fused or not.
    /// Winograd, where float32 uses it, with the matrices of its form: a value of the transformed patch is at most b^2 S, b the largest |B| and S the sum of |x| over the patch;
    /// a transformed weight at most the sum W of the nine |w|; an output at most a^2 times the largest product, a the largest sum over a column of |A|.
    /// So gamma_(C + roundings of the transforms) a^2 b^2 sum over c of W S, and an allowance for underflow.
    /// </summary>
    public override void RoundingBound(Workspace workspace, IReadOnlyList<DoubleTensor> inputs, double unitRoundoff, DoubleTensor bound)
    {
        ConvGeometry g = Geometry(inputs[0].Shape);
        double[] x = inputs[0].Values, result = bound.Values;
        using MemoryOwner<double> owner = MemoryOwner<double>.Allocate(x.Length);
        Memory<double> magnitudes = owner.Memory;
        Parts.Run(workspace, x.Length, 1, part => TensorPrimitives.Abs(x.AsSpan(part), magnitudes.Span[part]));
        if (unitRoundoff == Math.ScaleB(1, -24) && FormOf(g, workspace.Convolution) is { } form)
        {
            WinogradBound(workspace, g, form, inputs[0].Shape[0], magnitudes, result);
            return;
        }
        (ConvPlan<double> plan, Memory<double> packed) = weight.Packed<MagnitudePacking, (ConvPlan<double>, Memory<double>)>(new(g, SumsOfKernels: false), workspace.Workers);
        workspace.Workers.Run(new ConvForwardJob<double>(plan, magnitudes, packed, result), inputs[0].Shape[0]);
        double gamma = Rounding.Gamma((g.R * g.S * g.C) + 1, unitRoundoff), underflow = g.R * g.S * g.C * Rounding.Underflow(unitRoundoff);
        Parts.Run(workspace, result.Length, 1, part =>
        {
            TensorPrimitives.Multiply(result.AsSpan(part), gamma, result.AsSpan(part));
            TensorPrimitives.Add(result.AsSpan(part), underflow, result.AsSpan(part));
        });
    }

    private void WinogradBound(Workspace workspace, ConvGeometry g, WinogradForm form, int images, ReadOnlyMemory<double> magnitudes, double[] bound)
    {
        int m = form.Output;
        ConvGeometry tiles = new((g.H + m - 1) / m, (g.W + m - 1) / m, g.C, g.K, 1, 1, 1, 0);
        (ConvPlan<double> plan, Memory<double> packed) = weight.Packed<MagnitudePacking, (ConvPlan<double>, Memory<double>)>(new(tiles, SumsOfKernels: true), workspace.Workers);
        int line = g.W * g.C, patchLength = tiles.H * tiles.W * g.C, tileLength = tiles.H * tiles.W * g.K;
        using MemoryOwner<double> patchOwner = MemoryOwner<double>.Allocate(images * patchLength, AllocationMode.Clear), tileOwner = MemoryOwner<double>.Allocate(images * tileLength);
        Memory<double> patches = patchOwner.Memory, perTile = tileOwner.Memory;
        Parts.Each(workspace, images, n =>
        {
            Span<double> rows = new double[line], all = patches.Span.Slice(n * patchLength, patchLength);
            for (int ty = 0; ty < tiles.H; ty++)
            {
                rows.Clear();
                for (int y = Math.Max(0, (m * ty) - 1); y < Math.Min(g.H, (m * ty) + m + 1); y++) TensorPrimitives.Add(rows, magnitudes.Span.Slice(((n * g.H) + y) * line, line), rows);
                for (int tx = 0; tx < tiles.W; tx++)
                {
                    Span<double> patch = all.Slice(((ty * tiles.W) + tx) * g.C, g.C);
                    for (int x = Math.Max(0, (m * tx) - 1); x < Math.Min(g.W, (m * tx) + m + 1); x++) TensorPrimitives.Add(patch, rows.Slice(x * g.C, g.C), patch);
                }
            }
        });
        workspace.Workers.Run(new ConvForwardJob<double>(plan, patches, packed, perTile), images);
        double growth = Math.Pow(form.LargestInput * form.LargestOutput, 2), gamma = Rounding.Gamma(g.C + form.Roundings, Math.ScaleB(1, -24)), safe = float.MaxValue / 16;
        // A weight that is no number says nothing of the other channels.
        double largestWeight = 0;
        foreach (float value in weight.Values)
        {
            if (Math.Abs(value) > largestWeight) largestWeight = Math.Abs(value);
        }
        Parts.Each(workspace, images, n =>
        {
            // Where the transforms come near the largest float32 they may overflow though the result would not: no bound is known.
            double largest = TensorPrimitives.Max<double>(patches.Span.Slice(n * patchLength, patchLength));
            Span<double> sums = perTile.Span.Slice(n * tileLength, tileLength), image = bound.AsSpan(n * g.H * g.W * g.K, g.H * g.W * g.K);
            TensorPrimitives.Multiply(sums, growth, sums);
            if (!(growth * largest < safe))
            {
                image.Fill(double.PositiveInfinity);
                return;
            }
            // Below the normal numbers every rounding of a product is off by up to 2^-150; it reaches the result multiplied by weights, by the patch or by neither, and by the transforms.
            double underflow = Math.ScaleB(growth * (g.C + form.Roundings) * (1 + (g.C * 9.0 * largestWeight) + (g.C * largest)), -149);
            foreach (ref double sum in sums) sum = sum < safe ? (gamma * sum) + underflow : double.PositiveInfinity;
            for (int y = 0; y < g.H; y++)
            {
                for (int x = 0; x < g.W; x++) sums.Slice((((y / m) * tiles.W) + (x / m)) * g.K, g.K).CopyTo(image[(((y * g.W) + x) * g.K)..]);
            }
        });
    }

    internal ConvGeometry Geometry(Shape x) => new(x[1], x[2], x[3], weight.Shape[0], weight.Shape[2], weight.Shape[3], stride, padding);

    /// <summary>The forward pass, or the data gradient, which is one too; first the work pending on its source.</summary>
    private void Run(ConvGeometry g, bool transposed, int images, ReadOnlyMemory<float> from, ElementwiseChain? pending, Memory<float> to, ConvAlgorithm algorithm, Workers workers)
    {
        if (FormOf(g, algorithm) is { } form) Run(WinogradJob(g, form, transposed, images, from, pending, to, workers), images, workers);
        else if (transposed && ThreeChannelGradient.Applies(g)) Run(ThreeChannelJob(g, from, pending, to, workers), images, workers);
        else Run(DirectJob(g, transposed, from, pending, to, workers), images, workers);
    }

    private static void Run<TImages>(in TImages work, int images, Workers workers) where TImages : struct, IImages
    {
        var job = new ImagesJob<TImages>(work, images);
        workers.Run(job, job.Chunks);
    }

    /// <summary>The same as a job, to be done at the beginning of other work; boxed, where the forward pass is not.</summary>
    private IImages JobOf(ConvGeometry g, bool transposed, int images, ReadOnlyMemory<float> from, ElementwiseChain? pending, Memory<float> to, ConvAlgorithm algorithm, Workers workers)
        => FormOf(g, algorithm) is { } form ? WinogradJob(g, form, transposed, images, from, pending, to, workers)
            : transposed && ThreeChannelGradient.Applies(g) ? ThreeChannelJob(g, from, pending, to, workers)
            : DirectJob(g, transposed, from, pending, to, workers);

    private WinogradForward WinogradJob(ConvGeometry g, WinogradForm form, bool transposed, int images, ReadOnlyMemory<float> from, ElementwiseChain? pending, Memory<float> to, Workers workers)
    {
        WinogradPlan plan = Plan(g, form, transposed, workers);
        return new(plan, images, from, weight.Packed<WinogradPacking, Memory<float>>(new(plan), workers), to, pending);
    }

    private ThreeChannelGradient ThreeChannelJob(ConvGeometry g, ReadOnlyMemory<float> dy, ElementwiseChain? pending, Memory<float> dx, Workers workers)
        => new(g, dy, weight.Packed<ThreeChannelPacking, Memory<float>>(new(g), workers), dx, pending);

    private ConvForwardJob<float> DirectJob(ConvGeometry g, bool transposed, ReadOnlyMemory<float> from, ElementwiseChain? pending, Memory<float> to, Workers workers)
    {
        (ConvPlan<float> plan, Memory<float> packed) = DirectPlan<float>(g, transposed, workers);
        return new(plan, from, packed, to, pending);
    }

    /// <summary>The form of Winograd's algorithm to use; null for the direct sum.</summary>
    private static WinogradForm? FormOf(ConvGeometry g, ConvAlgorithm algorithm) => !WinogradPlan.Applies(g) ? null : algorithm switch
    {
        ConvAlgorithm.Direct => null,
        ConvAlgorithm.Automatic or ConvAlgorithm.Winograd2 => WinogradForm.Two,
        ConvAlgorithm.Winograd4 => WinogradForm.Four,
        _ => throw new ArgumentOutOfRangeException(nameof(algorithm), algorithm, "conv2d: no such algorithm"),
    };

    private (ConvPlan<T> Plan, Memory<T> Packed) DirectPlan<T>(ConvGeometry g, bool transposed, Workers workers) where T : unmanaged, System.Numerics.IFloatingPointIeee754<T>
        => weight.Packed<DirectPacking<T>, (ConvPlan<T>, Memory<T>)>(new(g, transposed), workers);

    private WinogradPlan Plan(ConvGeometry g, WinogradForm form, bool transposed, Workers workers) => weight.Packed<WinogradPlanning, WinogradPlan>(new(g, form, transposed), workers);

    private readonly record struct DirectPacking<T>(ConvGeometry Geometry, bool Transposed) : IPacking<(ConvPlan<T> Plan, Memory<T> Packed)>
        where T : unmanaged, System.Numerics.IFloatingPointIeee754<T>
    {
        public (ConvPlan<T> Plan, Memory<T> Packed) Pack(float[] values, (ConvPlan<T> Plan, Memory<T> Packed) old, Workers workers)
        {
            ConvPlan<T> plan = old.Plan ?? (Transposed ? ConvPlan<T>.DataGradient(Geometry) : ConvPlan<T>.Forward(Geometry));
            Memory<T> packed = old.Plan is null ? AlignedBuffer.Allocate<T>(plan.PackedLength) : old.Packed;
            plan.Pack(values, Geometry.S, packed.Span);
            return (plan, packed);
        }
    }

    private readonly record struct ThreeChannelPacking(ConvGeometry Geometry) : IPacking<Memory<float>>
    {
        public Memory<float> Pack(float[] values, Memory<float> old, Workers workers)
        {
            Memory<float> packed = old.IsEmpty ? AlignedBuffer.Allocate<float>(ThreeChannelGradient.PackedLength(Geometry)) : old;
            ThreeChannelGradient.Pack(Geometry, values, packed.Span);
            return packed;
        }
    }

    private readonly record struct WinogradPacking(WinogradPlan Plan) : IPacking<Memory<float>>
    {
        public Memory<float> Pack(float[] values, Memory<float> old, Workers workers)
        {
            Memory<float> packed = old.IsEmpty ? AlignedBuffer.Allocate<float>(Plan.PackedLength) : old;
            var job = new WinogradPackJob(Plan, values, packed);
            workers.Run(job, job.Chunks, small: true);
            return packed;
        }
    }

    /// <summary>A plan depends on shapes only; it is kept like a packed form.</summary>
    private readonly record struct WinogradPlanning(ConvGeometry Geometry, WinogradForm Form, bool Transposed) : IPacking<WinogradPlan>
    {
        public WinogradPlan Pack(float[] values, WinogradPlan? old, Workers workers) => old ?? new(Geometry, Form, Transposed);
    }

    /// <summary>For bounds: the absolute values of the weights; for Winograd's algorithm their sums over each kernel.</summary>
    private readonly record struct MagnitudePacking(ConvGeometry Geometry, bool SumsOfKernels) : IPacking<(ConvPlan<double> Plan, Memory<double> Packed)>
    {
        public (ConvPlan<double> Plan, Memory<double> Packed) Pack(float[] values, (ConvPlan<double> Plan, Memory<double> Packed) old, Workers workers)
        {
            ConvPlan<double> plan = ConvPlan<double>.Forward(Geometry);
            if (!SumsOfKernels) return (plan, plan.Pack([.. values.Select(Math.Abs)], Geometry.S));
            // Rounded to float32 and made a little larger than that rounding.
            float[] sums = [.. Enumerable.Range(0, values.Length / 9).Select(pair => 1.000001f * values.AsSpan(9 * pair, 9).ToArray().Sum(Math.Abs))];
            return (plan, plan.Pack(sums, 1));
        }
    }

    /// <summary>Sums of |w| times the input's bound, by the float64 kernel; products below the normal numbers are off by half of the least subnormal one at most.</summary>
    public override void PropagateBound(Workspace workspace, IReadOnlyList<DoubleTensor>? inputs, IReadOnlyList<DoubleTensor> inputBounds, DoubleTensor bound)
    {
        ConvGeometry g = Geometry(inputBounds[0].Shape);
        int products = g.R * g.S * g.C;
        (ConvPlan<double> plan, Memory<double> packed) = weight.Packed<MagnitudePacking, (ConvPlan<double>, Memory<double>)>(new(g, SumsOfKernels: false), workspace.Workers);
        workspace.Workers.Run(new ConvForwardJob<double>(plan, inputBounds[0].Values, packed, bound.Values), inputBounds[0].Shape[0]);
        TensorPrimitives.Multiply(bound.Values, Rounding.Outwards(products + 1), bound.Values);
        TensorPrimitives.Add(bound.Values, Math.ScaleB(products, -1074), bound.Values);
    }
}

/// <summary>Convolution of a tensor.</summary>
public static class Conv2dExtensions
{
    /// <summary>2-D convolution without bias: x [N,H,W,C], weight [K,C,R,S] with odd R and S, result [N,(H+2p-R)/stride+1,(W+2p-S)/stride+1,K].</summary>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    public static Tensor Conv2d(this Tensor x, Parameter weight, int stride, int padding) => new Conv2d(weight, stride, padding).Apply(x);
}
