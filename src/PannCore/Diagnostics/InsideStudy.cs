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

    private static readonly LogBins Bins = new(octaves: 15, log2Parts: 2);

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
        Dictionary<ReluPolynomial, IReadOnlyList<CurvePoint>> curves = [];
        foreach (Layer layer in layers.Values) curves.TryAdd(layer.Polynomial, []);
        foreach (ReluPolynomial polynomial in curves.Keys)
        {
            cancellation.ThrowIfCancellationRequested();
            curves[polynomial] = ErrorCurve.Of(polynomial);
        }
        return [.. layers.Select(layer => layer.Value.Record(layer.Key, curves[layer.Value.Polynomial], sound))];
    }

    private sealed class Watch(OrderedDictionary<string, Layer> layers, bool withStages) : IRunObserver
    {
        public void Forward(Op op, string path, IReadOnlyList<Tensor> inputs, Tensor output)
        {
            if (op is not PolynomialRelu activation) return;
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
            layer.Images[chunk].Measure(layer, input, y.Span.Slice(chunk * size, size));
            if (withStages && layer.IsComposite) layer.Images[chunk].MeasureStages(layer, input);
        }
    }

    /// <summary>One activation: sums over the images so far, and over each image of the batch that passes.</summary>
    private sealed class Layer(PolynomialRelu activation, int channels)
    {
        private readonly Sums _all = new(channels, activation.Polynomial.Stages.Count);

        public ReluPolynomial Polynomial { get; } = activation.Polynomial;

        public double Range { get; } = activation.Range;

        public bool IsComposite { get; } = activation.Polynomial.Family == ReluFamily.Composite;

        public List<Sums> Images { get; } = [];

        public void Begin(int images)
        {
            while (Images.Count < images) Images.Add(new Sums(channels, Polynomial.Stages.Count));
            foreach (Sums image in Images) image.Clear();
        }

        public void Add(int image, bool withStages) => _all.Add(Images[image], withStages);

        public InsideRecord Record(string path, IReadOnlyList<CurvePoint> curve, int images) => new(
            path, Polynomial.Spec, Range, Bins.Edges, _all.Counts, _all.Below, _all.Above, [.. _all.Counts.Select((count, bin) => _all.Errors[bin] / (Range * Math.Max(1, count)))],
            curve, IsComposite ? _all.Stages(Polynomial) : [], _all.Channels(), _all.BiasShare())
        {
            Images = images,
            StageImages = IsComposite ? Math.Min(images, MostStageImages) : 0,
        };
    }

    private sealed class Sums(int channels, int stages)
    {
        private readonly double[] _errors = new double[channels], _squares = new double[channels];
        private readonly double[] _leaving = new double[stages], _largest = new double[stages], _relu = new double[stages];
        private double _entering, _signal;
        private long _pixels, _inRange;

        public long[] Counts { get; } = new long[Bins.Count];

        public double[] Errors { get; } = new double[Bins.Count];

        public long Below { get; private set; }

        public long Above { get; private set; }

        public void Clear()
        {
            foreach (Array array in new Array[] { _errors, _squares, _leaving, _largest, _relu, Counts, Errors }) Array.Clear(array);
            (_entering, _signal, _pixels, _inRange, Below, Above) = (0, 0, 0, 0, 0, 0);
        }

        public void Add(Sums other, bool withStages)
        {
            TensorPrimitives.Add(_errors, other._errors, _errors);
            TensorPrimitives.Add(_squares, other._squares, _squares);
            TensorPrimitives.Add(Counts, other.Counts, Counts);
            TensorPrimitives.Add(Errors, other.Errors, Errors);
            _pixels += other._pixels;
            Below += other.Below;
            Above += other.Above;
            if (!withStages) return;
            TensorPrimitives.Add(_leaving, other._leaving, _leaving);
            TensorPrimitives.Max(_largest, other._largest, _largest);
            TensorPrimitives.Add(_relu, other._relu, _relu);
            _entering += other._entering;
            _signal += other._signal;
            _inRange += other._inRange;
        }

        public void Measure(Layer layer, ReadOnlySpan<float> input, ReadOnlySpan<float> output)
        {
            double range = layer.Range, inverse = 1 / range, leak = layer.Polynomial.Leak;
            LogBins bins = Bins;
            for (int pixel = 0; pixel < input.Length; pixel += channels)
            {
                for (int c = 0; c < channels; c++)
                {
                    double x = input[pixel + c], error = output[pixel + c] - Math.Max(x, leak * x);
                    _errors[c] += error;
                    _squares[c] += error * error;
                    if (Math.Abs(x) <= range)
                    {
                        int bin = bins.Of((float)(x * inverse));
                        Counts[bin]++;
                        Errors[bin] += error;
                    }
                    else if (x < 0)
                    {
                        Below++;
                    }
                    else
                    {
                        Above++;
                    }
                }
            }
            _pixels += input.Length / channels;
        }

        public void MeasureStages(Layer layer, ReadOnlySpan<float> input)
        {
            double leak = layer.Polynomial.Leak;
            IReadOnlyList<Polynomial> polynomials = layer.Polynomial.Stages;
            foreach (float x in input)
            {
                if (!(Math.Abs((double)x) <= layer.Range)) continue;
                double value = x / layer.Range, sign = Math.Sign(x), ideal = Math.Max(x, leak * x);
                _inRange++;
                _signal += ideal * ideal;
                _entering += (value - sign) * (value - sign);
                for (int stage = 0; stage < stages; stage++)
                {
                    value = polynomials[stage].Evaluate(value);
                    double error = value - sign, relu = (x * ((1 + leak) + ((1 - leak) * value)) / 2) - ideal;
                    _leaving[stage] += error * error;
                    _largest[stage] = Math.Max(_largest[stage], Math.Abs(error));
                    _relu[stage] += relu * relu;
                }
            }
        }

        public IReadOnlyList<StageError> Stages(ReluPolynomial polynomial)
        {
            return [.. polynomial.Degrees.Select((degree, stage) => new StageError(
                stage + 1, degree, Rms(stage == 0 ? _entering : _leaving[stage - 1]), Rms(_leaving[stage]), _largest[stage], _signal > 0 ? Math.Sqrt(_relu[stage] / _signal) : 0))];

            double Rms(double squares) => Math.Sqrt(squares / Math.Max(1, _inRange));
        }

        public IReadOnlyList<ChannelError> Channels()
        {
            double pixels = Math.Max(1, _pixels);
            return [.. _errors.Zip(_squares, (error, square) => new ChannelError(error / pixels, Math.Sqrt(Math.Max(0, (square / pixels) - (error / pixels * (error / pixels))))))];
        }

        public double BiasShare()
        {
            double squares = _squares.Sum();
            return squares > 0 ? _errors.Sum(error => error * error) / _pixels / squares : 0;
        }
    }
}
