using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using PannCore.Data;
using PannCore.Engine;
using PannCore.Kernels;
using PannCore.Nn;
using PannCore.Ops;
using Tensor = PannCore.Engine.Tensor;

namespace PannCore.Diagnostics;

/// <summary>What a part of a network gives, or gets, for some images.</summary>
/// <param name="Image">Shape of one image, with 1 as its first dimension.</param>
/// <param name="Values">The images, one after the other.</param>
/// <param name="Sound">Of each image, whether no polynomial has exploded in it so far (<see cref="RangeProbe.Exploded"/>).</param>
internal sealed record ImageValues(Shape Image, float[] Values, bool[] Sound)
{
    /// <summary>The pixels of some images, as a network gets them.</summary>
    public static ImageValues Of(Cifar10 data, int[] images, Normalization normalization, Workspace workspace)
    {
        using var run = new Run(workspace);
        Tensor pixels = new BatchLoader(data, normalization).Load(run, images);
        return new(pixels.Shape.WithFirst(1), pixels.Values.ToArray(), [.. images.Select(_ => true)]);
    }
}

/// <summary>Sums over the pixels of each image and channel at one operation, in float64. Images are kept apart so that some can be left out.</summary>
/// <param name="IsActivation">Whether it is an activation; otherwise a batch-norm.</param>
/// <param name="Channels">Channels C.</param>
/// <param name="Pixels">Pixels of one image.</param>
/// <param name="First">[images, C]: an activation's output, a batch-norm's input.</param>
/// <param name="Second">[images, C]: the error that an activation injects, a batch-norm's squared input.</param>
/// <param name="Sound">Of each image, whether no polynomial has exploded in it up to and including this operation.</param>
internal sealed record ImageSums(bool IsActivation, int Channels, int Pixels, double[] First, double[] Second, bool[] Sound)
{
    /// <summary>Mean over pixels and over the images chosen, for each channel.</summary>
    public double[] Mean(double[] sums, bool[] chosen)
    {
        double[] means = new double[Channels];
        for (int n = 0; n < chosen.Length; n++)
        {
            if (!chosen[n]) continue;
            for (int c = 0; c < Channels; c++) means[c] += sums[(n * Channels) + c];
        }
        double count = (double)chosen.Count(c => c) * Pixels;
        for (int c = 0; c < Channels; c++) means[c] /= count;
        return means;
    }
}

/// <summary>Watches the activations and batch-norms of a part of a network, all of them or one.</summary>
internal sealed class ImageMoments : IRunObserver
{
    /// <summary>Images at a time at least: few, so that what one operation has written is still in the caches when this observer and the next operation read it; but four for each thread.</summary>
    private const int LeastBatch = 16;

    private readonly OrderedDictionary<string, ImageSums> _byPath = [];
    private readonly Workspace _workspace;
    private readonly RangeProbe _probe = new();
    private readonly DoubleBuffers _buffers = new();
    private readonly bool[] _soundBefore;
    private readonly string? _only;
    private int _first;

    private ImageMoments(Workspace workspace, bool[] soundBefore, string? only) => (_workspace, _soundBefore, _only) = (workspace, soundBefore, only);

    /// <summary>Runs a part of a network over some images.</summary>
    /// <param name="part">The part.</param>
    /// <param name="input">What it gets.</param>
    /// <param name="workspace">Threads and memory.</param>
    /// <param name="only">The one operation to watch; null for all.</param>
    /// <param name="cancellation">Stops between batches.</param>
    /// <returns>The sums by path, in the order of execution, and what the part gives.</returns>
    public static (IReadOnlyDictionary<string, ImageSums> ByPath, ImageValues Output) Of(Module part, ImageValues input, Workspace workspace, string? only = null, CancellationToken cancellation = default)
    {
        int images = input.Sound.Length, size = input.Image.Length, batch = Math.Max(LeastBatch, 4 * workspace.Threads);
        var moments = new ImageMoments(workspace, input.Sound, only);
        float[] values = [];
        Shape shape = input.Image;
        for (int first = 0; first < images; first += batch)
        {
            cancellation.ThrowIfCancellationRequested();
            int count = Math.Min(batch, images - first);
            moments._first = first;
            using var run = new Run(workspace, Statistics.Evaluation, tape: false, [moments._probe, moments]);
            Tensor output = part.Call(run.Input(input.Image.WithFirst(count), input.Values.AsSpan(first * size, count * size)));
            if (first == 0)
            {
                shape = output.Shape.WithFirst(1);
                values = new float[images * shape.Length];
            }
            output.Values.CopyTo(values.AsSpan(first * shape.Length));
        }
        return (moments._byPath, new(shape, values, [.. input.Sound.Select((_, n) => moments.IsSound(n))]));
    }

    /// <inheritdoc/>
    public bool Watches(Op op) => op.Activation is not null || op is BatchNorm;

    /// <inheritdoc/>
    public void Forward(Op op, string path, IReadOnlyList<Tensor> inputs, Tensor output)
    {
        bool isActivation = op.Activation is not null;
        if (_only is not null && path != _only) return;
        Shape shape = output.Shape;
        int channels = shape[shape.Rank - 1], size = shape.Length / shape[0];
        if (!_byPath.TryGetValue(path, out ImageSums? sums))
            _byPath[path] = sums = new(isActivation, channels, size / channels, new double[_soundBefore.Length * channels], new double[_soundBefore.Length * channels], new bool[_soundBefore.Length]);
        for (int n = 0; n < shape[0]; n++) sums.Sound[_first + n] = IsSound(_first + n);
        DoubleTensor? ideal = isActivation ? Ideal(op, inputs[0]) : null;
        _workspace.Workers.Run(new Job((isActivation ? output : inputs[0]).Memory, ideal?.Values ?? default(ReadOnlyMemory<double>), size, sums, _first), shape[0]);
        if (ideal is not null) _buffers.Return(ideal);
    }

    private DoubleTensor Ideal(Op op, Tensor input)
    {
        DoubleTensor x = _buffers.Rent(input.Shape), ideal = _buffers.Rent(input.Shape);
        TensorPrimitives.ConvertChecked(input.Values, x.Values);
        op.Ideal(_workspace, [x], ideal);
        _buffers.Return(x);
        return ideal;
    }

    /// <summary>The range probe looks before this observer: it has seen the activations up to here.</summary>
    private bool IsSound(int image) => _soundBefore[image] && !_probe.Exploded.Contains(image);

    /// <summary>The sums of one image a chunk, each over the pixels in their order.</summary>
    private readonly struct Job(ReadOnlyMemory<float> values, ReadOnlyMemory<double> ideal, int size, ImageSums sums, int firstImage) : IJob
    {
        public void Run(int chunk, Scratch scratch)
        {
            int at = (firstImage + chunk) * sums.Channels;
            ReadOnlySpan<double> image = ideal.IsEmpty ? default : ideal.Span.Slice(chunk * size, size);
            Sum(values.Span.Slice(chunk * size, size), image, sums.First.AsSpan(at, sums.Channels), sums.Second.AsSpan(at, sums.Channels));
        }
    }

    /// <summary>For each channel, over rows of channels in their order: the sum of the values, and of their squares, or, where there are ideal ones, of the differences.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Sum(ReadOnlySpan<float> values, ReadOnlySpan<double> ideal, Span<double> first, Span<double> second)
    {
        int channels = first.Length, lanes = Vector<double>.Count, c = 0;
        ref float v = ref MemoryMarshal.GetReference(values);
        ref double i = ref MemoryMarshal.GetReference(ideal);
        for (; c + (2 * lanes) <= channels; c += 2 * lanes)
        {
            Vector<double> firstLow = default, firstHigh = default, secondLow = default, secondHigh = default;
            for (int at = c; at < values.Length; at += channels)
            {
                Vector.Widen(Vector.LoadUnsafe(ref v, (nuint)at), out Vector<double> low, out Vector<double> high);
                firstLow += low;
                firstHigh += high;
                secondLow += ideal.IsEmpty ? low * low : low - Vector.LoadUnsafe(ref i, (nuint)at);
                secondHigh += ideal.IsEmpty ? high * high : high - Vector.LoadUnsafe(ref i, (nuint)(at + lanes));
            }
            firstLow.CopyTo(first[c..]);
            firstHigh.CopyTo(first[(c + lanes)..]);
            secondLow.CopyTo(second[c..]);
            secondHigh.CopyTo(second[(c + lanes)..]);
        }
        for (; c < channels; c++)
        {
            (first[c], second[c]) = (0, 0);
            for (int at = c; at < values.Length; at += channels)
            {
                double value = values[at];
                first[c] += value;
                second[c] += ideal.IsEmpty ? value * value : value - ideal[at];
            }
        }
    }
}
