using System.Numerics.Tensors;
using PannCore.Approximation;
using PannCore.Data;
using PannCore.Engine;
using PannCore.Kernels;
using PannCore.Nn;
using PannCore.Ops;
using Tensor = PannCore.Engine.Tensor;

namespace PannCore.Diagnostics;

/// <summary>Looks inside the polynomials of a PANN while images pass through it. See <see cref="InsideRecord"/>.</summary>
public static class InsideStudy
{
    /// <summary>Stages are evaluated one by one in float64 for so many images at most.</summary>
    public const int MostStageImages = 64;

    private const int Batch = 64;

    /// <summary>Runs a PANN over some images.</summary>
    /// <param name="pann">The network.</param>
    /// <param name="data">The data set.</param>
    /// <param name="images">Indices of the images; those in which a polynomial explodes (<see cref="RangeProbe.Exploded"/>), or whose logits are not finite, are left out.</param>
    /// <param name="normalization">The normalisation the network was trained with.</param>
    /// <param name="workspace">Threads and memory.</param>
    /// <param name="progress">Told the number of images done.</param>
    /// <param name="cancellation">Stops between batches.</param>
    /// <returns>One record for each activation that is a polynomial, in the order of execution.</returns>
    public static IReadOnlyList<InsideRecord> Of(
        ResNet pann, Cifar10 data, int[] images, Normalization normalization, Workspace workspace, IProgress<int>? progress = null, CancellationToken cancellation = default)
    {
        var loader = new BatchLoader(data, normalization);
        var layers = new OrderedDictionary<string, Layer>();
        int sound = 0;
        for (int first = 0; first < images.Length; first += Batch)
        {
            cancellation.ThrowIfCancellationRequested();
            ReadOnlyMemory<int> chosen = images.AsMemory(first, Math.Min(Batch, images.Length - first));
            var probe = new RangeProbe();
            using var run = new Run(workspace, observers: [probe, new Watch(layers, withStages: sound < MostStageImages)]);
            ReadOnlySpan<float> logits = pann.Call(loader.Load(run, chosen)).Values;
            int classes = logits.Length / chosen.Length;
            for (int n = 0; n < chosen.Length; n++)
            {
                // Whether an image explodes is known only now.
                if (probe.Exploded.Contains(n) || !TensorPrimitives.IsFiniteAll(logits.Slice(n * classes, classes))) continue;
                foreach (Layer layer in layers.Values) layer.Add(n, withStages: sound < MostStageImages);
                sound++;
            }
            progress?.Report(first + chosen.Length);
        }
        var curves = layers.Values.Select(layer => layer.Polynomial).Distinct().ToDictionary(polynomial => polynomial, polynomial =>
        {
            cancellation.ThrowIfCancellationRequested();
            return ErrorCurve.Of(polynomial);
        });
        return [.. layers.Select(layer => layer.Value.Record(layer.Key, curves[layer.Value.Polynomial], sound))];
    }

    private sealed class Watch(OrderedDictionary<string, Layer> layers, bool withStages) : IRunObserver
    {
        public bool Watches(Op op) => op is PolynomialRelu;

        public void Forward(Op op, string path, IReadOnlyList<Tensor> inputs, Tensor output)
        {
            var activation = (PolynomialRelu)op;
            if (!layers.TryGetValue(path, out Layer? layer)) layers[path] = layer = new Layer(activation, output.Shape[output.Shape.Rank - 1]);
            int images = output.Shape[0];
            layer.Begin(images);
            output.Run.Workspace.Workers.Run(new Job(layer, withStages, inputs[0].Memory, output.Memory, output.Shape.Length / images), images);
        }
    }

    /// <summary>One image a chunk.</summary>
    private readonly struct Job(Layer layer, bool withStages, ReadOnlyMemory<float> x, ReadOnlyMemory<float> y, int size) : IJob
    {
        public void Run(int chunk, Scratch scratch)
        {
            ReadOnlySpan<float> input = x.Span.Slice(chunk * size, size);
            layer.Images[chunk].Measure(layer.Polynomial.Leak, layer.Range, input, y.Span.Slice(chunk * size, size));
            if (withStages && layer.IsComposite) layer.Images[chunk].MeasureStages(layer.Polynomial, layer.Range, input);
        }
    }

    /// <summary>One activation: sums over the images so far, and over each image of the batch that passes.</summary>
    private sealed class Layer(PolynomialRelu activation, int channels)
    {
        private readonly InsideSums _all = new(channels, activation.Polynomial.Stages.Count);

        public ReluPolynomial Polynomial { get; } = activation.Polynomial;

        public double Range { get; } = activation.Range;

        public bool IsComposite { get; } = activation.Polynomial.Family == ReluFamily.Composite;

        public List<InsideSums> Images { get; } = [];

        public void Begin(int images)
        {
            while (Images.Count < images) Images.Add(new InsideSums(channels, Polynomial.Stages.Count));
            foreach (InsideSums image in Images) image.Clear();
        }

        public void Add(int image, bool withStages) => _all.Add(Images[image], withStages);

        public InsideRecord Record(string path, IReadOnlyList<CurvePoint> curve, int images) => new(
            path, Polynomial.Spec, Range, InsideSums.Bins.Edges, _all.Counts, _all.Below, _all.Above, [.. _all.Counts.Select((count, bin) => _all.Errors[bin] / (Range * Math.Max(1, count)))],
            curve, IsComposite ? _all.Stages(Polynomial) : [], _all.Channels(), _all.BiasShare())
        {
            Images = images,
            StageImages = IsComposite ? Math.Min(images, MostStageImages) : 0,
        };
    }
}
