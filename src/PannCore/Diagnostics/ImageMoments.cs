using PannCore.Data;
using PannCore.Engine;
using PannCore.Nn;
using PannCore.Ops;
using PannCore.Training;
using Tensor = PannCore.Engine.Tensor;

namespace PannCore.Diagnostics;

/// <summary>
/// Watches activations and batch-norms and keeps, for each image and channel, sums over the pixels, in float64: of an activation its output and the error it injects,
/// of a batch-norm its input and the input's square. Images are kept apart so that those in which a polynomial has exploded can be left out.
/// </summary>
internal sealed class ImageMoments : IRunObserver
{
    private readonly OrderedDictionary<string, Sums> _byPath = [];
    private readonly string? _only;
    private readonly int _images;
    private readonly RangeProbe _probe = new();
    private readonly Workspace _workspace;
    private Run? _run;
    private int _first, _batch;

    private ImageMoments(Workspace workspace, int images, string? only) => (_workspace, _images, _only) = (workspace, images, only);

    /// <summary>What was summed up at one operation.</summary>
    /// <param name="IsActivation">Whether it is an activation; otherwise a batch-norm.</param>
    /// <param name="Channels">Channels C.</param>
    /// <param name="Pixels">Pixels of one image.</param>
    /// <param name="First">[images, C]: an activation's output, a batch-norm's input.</param>
    /// <param name="Second">[images, C]: an activation's injected error, a batch-norm's squared input.</param>
    /// <param name="Sound">Whether no polynomial has exploded in an image, this one included.</param>
    internal sealed record Sums(bool IsActivation, int Channels, int Pixels, double[] First, double[] Second, bool[] Sound)
    {
        /// <summary>Mean over pixels and over the images chosen, for each channel.</summary>
        public double[] Mean(double[] sums, bool[] chosen)
        {
            double[] means = new double[Channels];
            int count = chosen.Count(c => c);
            for (int n = 0; n < chosen.Length; n++)
            {
                if (!chosen[n]) continue;
                for (int c = 0; c < Channels; c++) means[c] += sums[(n * Channels) + c];
            }
            for (int c = 0; c < Channels; c++) means[c] /= (double)count * Pixels;
            return means;
        }
    }

    /// <summary>What was seen, in the order of execution.</summary>
    public IReadOnlyDictionary<string, Sums> ByPath => _byPath;

    /// <summary>Runs a network over some images and watches it.</summary>
    /// <param name="model">The network.</param>
    /// <param name="data">The data set.</param>
    /// <param name="images">Indices of the images.</param>
    /// <param name="normalization">The normalisation the network was trained with.</param>
    /// <param name="workspace">Threads and memory.</param>
    /// <param name="only">The one operation to watch; null for all.</param>
    /// <param name="progress">Told the number of images done.</param>
    /// <param name="cancellation">Stops between batches.</param>
    public static ImageMoments Of(
        ResNet model, Cifar10 data, int[] images, Normalization normalization, Workspace workspace, string? only = null, IProgress<int>? progress = null, CancellationToken cancellation = default)
    {
        var moments = new ImageMoments(workspace, images.Length, only);
        Evaluation.Of(model, data, images, normalization, workspace, observers: [moments._probe, moments], progress: progress, cancellation: cancellation);
        return moments;
    }

    /// <inheritdoc/>
    public void Forward(Op op, string path, IReadOnlyList<Tensor> inputs, Tensor output)
    {
        Shape shape = output.Shape;
        if (output.Run != _run)
        {
            // Each batch is a run of its own.
            _first += _batch;
            (_run, _batch) = (output.Run, shape[0]);
        }
        bool isActivation = op.Activation is not null;
        if ((!isActivation && op is not BatchNorm) || (_only is not null && path != _only)) return;
        int channels = shape[shape.Rank - 1], size = shape.Length / shape[0];
        if (!_byPath.TryGetValue(path, out Sums? sums))
            _byPath[path] = sums = new(isActivation, channels, size / channels, new double[_images * channels], new double[_images * channels], new bool[_images]);
        ReadOnlySpan<float> first = isActivation ? output.Values : inputs[0].Values;
        double[] ideal = [];
        if (isActivation)
        {
            var result = new DoubleTensor(shape);
            op.Ideal(_workspace, [DoubleTensor.From(shape, inputs[0].Values)], result);
            ideal = result.Values;
        }
        for (int n = 0; n < shape[0]; n++)
        {
            // The range probe, which looks first, has seen the activations up to here.
            sums.Sound[_first + n] = !_probe.Exploded.Contains(_first + n);
            Span<double> a = sums.First.AsSpan((_first + n) * channels, channels), b = sums.Second.AsSpan((_first + n) * channels, channels);
            for (int i = n * size; i < (n + 1) * size; i += channels)
            {
                for (int c = 0; c < channels; c++)
                {
                    double value = first[i + c];
                    a[c] += value;
                    b[c] += isActivation ? value - ideal[i + c] : value * value;
                }
            }
        }
    }
}
