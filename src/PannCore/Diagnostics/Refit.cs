using MathNet.Numerics.LinearAlgebra;
using MathNet.Numerics.LinearAlgebra.Factorization;
using PannCore.Approximation;
using PannCore.Data;
using PannCore.Engine;
using PannCore.Kernels;
using PannCore.Nn;
using PannCore.Ops;
using Tensor = PannCore.Engine.Tensor;

namespace PannCore.Diagnostics;

/// <summary>One weighted layer that was fitted again.</summary>
/// <param name="Path">The layer.</param>
/// <param name="Target">The operation whose output it was to bring back to the ideal network's.</param>
/// <param name="Before">RMS of that output's error over the RMS of the ideal output, before.</param>
/// <param name="After">The same as the fit has it, on the images it was fitted on.</param>
/// <param name="ImagesLeftOut">Images in which a polynomial had answered beyond twice its range, up to the end of the block.</param>
public sealed record RefitLayer(string Path, string Target, double Before, double After, int ImagesLeftOut);

/// <summary>
/// Repair by linear least squares, without training: every weighted layer behind a polynomial is fitted again so that, with what the PANN feeds it, it gives what the ideal network has there.
/// Of the error that a polynomial makes, all that is a linear function of the inputs of the next layer goes, not only its mean; and the second convolution of a block also makes up for the error that comes along the skip connection,
/// because it is fitted to the block's sum. Layers are fitted in order, each behind the ones before it as fitted. The network keeps its operations: no level, no multiplication more.
/// </summary>
/// <remarks>
/// For a layer with inputs x (the K values under a window, and 1) and weights W, whose output reaches the target through a scale s a channel (batch-norm's gamma / sqrt(variance + epsilon)):
/// minimise over D the sum of |D x - e / s|^2 + n ridge t |D|^2, with e = ideal target - PANN's target at the same place, n places, and t the mean square of the K values. W + D are the new weights; the part of D
/// at the 1 moves batch-norm's running mean, or the bias.
/// </remarks>
public static class Refit
{
    /// <summary>The weight of staying near the old weights, unless another is given: see the formula.</summary>
    public const double UsualRidge = 1e-3;

    /// <summary>Changes with the weights that the fit finds, be it by rounding: figures of another version are measured again.</summary>
    internal const int Version = 2;

    private const int Batch = 16;

    /// <summary>How many layers are fitted: all behind an activation.</summary>
    public static int Steps(ResNet backbone) => backbone.Trunk.Sum(part => Layers(part).Length) + 1;

    /// <summary>The refitted PANN.</summary>
    /// <param name="backbone">The trained network.</param>
    /// <param name="spec">The polynomial.</param>
    /// <param name="ranges">B of each activation.</param>
    /// <param name="training">Training images, which are used unaugmented.</param>
    /// <param name="images">Indices of those to fit on; about 210 kB of memory each.</param>
    /// <param name="normalization">The normalisation the network was trained with.</param>
    /// <param name="workspace">Threads and memory.</param>
    /// <param name="ridge">The weight of staying near the old weights.</param>
    /// <param name="progress">Told the number of layers fitted, of <see cref="Steps"/>.</param>
    /// <param name="cancellation">Stops between batches.</param>
    /// <returns>The PANN over weights of its own, and one line a layer.</returns>
    /// <exception cref="ArgumentException">No images.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A ridge that is not positive.</exception>
    /// <exception cref="BadInputException">The activation is no polynomial, or the images differ too little to fit the weights.</exception>
    /// <exception cref="ExplodedException">The polynomials explode in every image.</exception>
    public static (ResNet Pann, IReadOnlyList<RefitLayer> Layers) Of(
        ResNet backbone, ActivationSpec spec, ActivationRanges ranges, Cifar10 training, int[] images, Normalization normalization, Workspace workspace,
        double ridge = UsualRidge, IProgress<int>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(backbone);
        if (images.Length == 0) throw new ArgumentException("refit: expected at least one image", nameof(images));
        if (!spec.IsPolynomial) throw new BadInputException($"refit: expected a polynomial activation, found {spec}");
        if (!(ridge > 0)) throw new ArgumentOutOfRangeException(nameof(ridge), ridge, "refit: expected a positive ridge");
        var copy = new ResNet(backbone.Depth);
        copy.Parameters.CopyFrom(backbone.Parameters);
        ResNet pann = copy.With(spec, ranges), ideal = backbone.With(_ => new ActivationFunction.Relu((float)spec.Leak));
        ImageValues pixels = ImageValues.Of(training, images, normalization, workspace), found = pixels, wanted = pixels;
        var lines = new List<RefitLayer>();
        foreach ((Module part, Module like) in pann.Trunk.Zip(ideal.Trunk))
        {
            foreach (Layer layer in Layers(part)) FitOne(layer, part, like);
            // What the next part gets: behind the layers as fitted. One after the other, so that the images are there three times and not four.
            found = ImageMoments.Of(part, found, workspace, "", cancellation).Output;
            wanted = ImageMoments.Of(like, wanted, workspace, "", cancellation).Output;
        }
        // The pool and the last layer are no part of their own: the whole network runs.
        (found, wanted) = (pixels, pixels);
        FitOne(new("linear", null, "linear"), pann, ideal);
        return (pann, lines);

        void FitOne(Layer layer, Module part, Module like)
        {
            var fit = new Fit(copy.Parameters, layer);
            int leftOut = 0;
            for (int first = 0; first < images.Length; first += Batch)
            {
                cancellation.ThrowIfCancellationRequested();
                int count = Math.Min(Batch, images.Length - first);
                Watch target = new("", layer.Target), seen = new(layer.Path, layer.Target);
                var probe = new RangeProbe();
                Call(like, wanted, first, count, target);
                Call(part, found, first, count, seen, probe);
                int[] sound = [.. Enumerable.Range(0, count).Where(n => found.Sound[first + n] && !probe.Exploded.Contains(n))];
                leftOut += count - sound.Length;
                fit.Add(seen, target.Output, sound, workspace);
            }
            if (leftOut == images.Length)
                throw new ExplodedException($"refit: at {layer.Path}, {spec} over ranges '{ranges.Spec}' has answered beyond twice its range in every one of the {images.Length} images; give a wider range");
            (double before, double after) = fit.Solve(ridge);
            lines.Add(new(layer.Path, layer.Target, before, after, leftOut));
            progress?.Report(lines.Count);
        }

        void Call(Module part, ImageValues input, int first, int count, params IReadOnlyList<IRunObserver> observers)
        {
            using var run = new Run(workspace, Statistics.Evaluation, tape: false, observers);
            part.Call(run.Input(input.Image.WithFirst(count), input.Values.AsSpan(first * input.Image.Length, count * input.Image.Length)));
        }
    }

    /// <summary>The layers of a part that lie behind an activation: the first of a block is fitted to its batch-norm, the second to the block's sum.</summary>
    private static Layer[] Layers(Module part) => part is BasicBlock block
        ? [new($"{block.Path}.conv1", $"{block.Path}.bn1", $"{block.Path}.bn1"), new($"{block.Path}.conv2", $"{block.Path}.bn2", $"{block.Path}.add")]
        : [];

    /// <summary>A layer, the batch-norm behind it, and the operation whose output is compared.</summary>
    private sealed record Layer(string Path, string? Norm, string Target);

    /// <summary>Keeps the input of one operation and the output of one, over one batch.</summary>
    private sealed class Watch(string layer, string target) : IRunObserver
    {
        public float[] Input { get; private set; } = [];

        public Shape InputShape { get; private set; }

        public float[] Output { get; private set; } = [];

        public Shape OutputShape { get; private set; }

        public void Forward(Op op, string path, IReadOnlyList<Tensor> inputs, Tensor output)
        {
            if (path == layer) (Input, InputShape) = (inputs[0].Values.ToArray(), inputs[0].Shape);
            if (path == target) (Output, OutputShape) = (output.Values.ToArray(), output.Shape);
        }
    }

    /// <summary>The normal equations of one layer.</summary>
    private sealed class Fit
    {
        private readonly string _path;
        private readonly Parameter _weight;
        private readonly Parameter? _mean, _bias;
        private readonly double[] _scale, _errors, _sums;
        private readonly int _inputs, _kernel, _size, _channels, _panels, _columns;

        /// <summary>A row for each place, as <see cref="GramJob"/> has it: the values under the window, 1, and the errors of the channels.</summary>
        private Memory<float> _rows;
        private double _signal;
        private long _places;

        public Fit(ParameterSet parameters, Layer layer)
        {
            _path = layer.Path;
            _weight = parameters.Find($"{layer.Path}.weight")!;
            _channels = _weight.Shape[0];
            _inputs = _weight.Shape[1];
            _kernel = _weight.Shape.Rank == 4 ? _weight.Shape[2] : 1;
            _size = (_inputs * _kernel * _kernel) + 1;
            _scale = [.. Enumerable.Repeat(1.0, _channels)];
            if (layer.Norm is { } norm)
            {
                ReadOnlySpan<float> gamma = parameters.Find($"{norm}.weight")!.Values, variance = parameters.Find($"{norm}.running_var")!.Values;
                for (int c = 0; c < _channels; c++) _scale[c] = gamma[c] / Math.Sqrt(variance[c] + BatchNorm.Epsilon);
                _mean = parameters.Find($"{norm}.running_mean");
            }
            else
            {
                _bias = parameters.Find($"{layer.Path}.bias");
            }
            _errors = new double[_channels];
            _panels = GramJob.Panels(_size + _channels);
            _columns = _panels * GramJob.Panel;
            _sums = new double[GramJob.Panels(_size) * GramJob.Panel * _columns];
        }

        /// <summary>Adds the places of a batch's sound images. Every sum is taken in the same order for any number of threads.</summary>
        public void Add(Watch found, float[] wanted, int[] sound, Workspace workspace)
        {
            if (sound.Length == 0) return;
            int places = sound.Length * Places(found);
            // Columns beyond the channels are never written: they reach only sums that nobody reads.
            if (_rows.Length < places * _columns) _rows = AlignedBuffer.Allocate<float>(places * _columns);
            var squares = new (double Signal, double[] Errors)[sound.Length];
            workspace.Workers.Run(new RowsJob(this, found, wanted, sound, squares), sound.Length);
            foreach ((double signal, double[] errors) in squares)
            {
                _signal += signal;
                for (int c = 0; c < _channels; c++) _errors[c] += errors[c];
            }
            _places += places;
            workspace.Workers.Run(new GramJob(_rows, places, _panels, GramJob.Panels(_size), _sums), GramJob.Chunks(_panels, GramJob.Panels(_size)));
        }

        /// <summary>Solves, moves the weights, and says by how much the target's error was to shrink.</summary>
        public (double Before, double After) Solve(double ridge)
        {
            double mean = Enumerable.Range(0, _size - 1).Average(k => Sum(k, k));
            var system = Matrix<double>.Build.Dense(_size, _size, (i, j) => Sum(Math.Min(i, j), Math.Max(i, j)));
            // The 1 is not drawn back, or biases would stay; the tiny part of it keeps the system definite where an input is constant.
            for (int k = 0; k < _size; k++) system[k, k] += mean * (k < _size - 1 ? ridge : 1e-9);
            Matrix<double> change = Factorised(system).Solve(Matrix<double>.Build.Dense(_size, _channels, (k, c) => Sum(k, _size + c)));
            double after = 0;
            for (int c = 0; c < _channels; c++)
            {
                // |e|^2 - 2 d.r + d.G d, with G d = r - ridge part of d.
                double squares = _errors[c], scale = _scale[c] * _scale[c];
                for (int k = 0; k < _size; k++) squares -= scale * change[k, c] * (Sum(k, _size + c) + (mean * (k < _size - 1 ? ridge : 1e-9) * change[k, c]));
                after += Math.Max(squares, 0);
            }
            _weight.Update(values =>
            {
                // PyTorch's order is channel, row, column; the sums' row, column, channel.
                int taps = _kernel * _kernel;
                for (int c = 0; c < _channels; c++)
                {
                    for (int k = 0; k < _size - 1; k++) values[(c * (_size - 1)) + (k % _inputs * taps) + (k / _inputs)] += (float)change[k, c];
                }
            });
            _mean?.Update(values =>
            {
                for (int c = 0; c < _channels; c++) values[c] -= (float)change[_size - 1, c];
            });
            _bias?.Update(values =>
            {
                for (int c = 0; c < _channels; c++) values[c] += (float)change[_size - 1, c];
            });
            return (Math.Sqrt(_errors.Sum() / _signal), Math.Sqrt(after / _signal));
        }

        private Cholesky<double> Factorised(Matrix<double> system)
        {
            try
            {
                return system.Cholesky();
            }
            catch (ArgumentException exception)
            {
                throw new BadInputException($"refit: at {_path}: expected inputs that differ enough to fit {_size - 1} weights, found too few images for so small a ridge", exception);
            }
        }

        /// <summary>Pixels of the layer's output.</summary>
        private static int Places(Watch found) => found.OutputShape.Length / found.OutputShape[0] / found.OutputShape[found.OutputShape.Rank - 1];

        private double Sum(int row, int column) => _sums[(row * _columns) + column];

        /// <summary>The rows of one image's places, and the squares of what is wanted there and of what is wrong with it, summed over the places in their order.</summary>
        /// <param name="found">The layer in the PANN.</param>
        /// <param name="wanted">The target in the ideal network.</param>
        /// <param name="image">Position of the image in the batch.</param>
        /// <param name="firstRow">The image's first row.</param>
        /// <param name="height">Rows of all images.</param>
        private (double Signal, double[] Errors) Rows(Watch found, float[] wanted, int image, int firstRow, int height)
        {
            (int outRows, int outColumns) = found.OutputShape.Rank == 4 ? (found.OutputShape[1], found.OutputShape[2]) : (1, 1);
            double signal = 0;
            double[] errors = new double[_channels];
            Span<float> matrix = _rows.Span;
            for (int tap = 0; tap < _kernel * _kernel; tap++) Gather(found, image, tap, outRows, outColumns, firstRow, height);
            for (int p = 0; p < outRows * outColumns; p++)
            {
                int row = firstRow + p, first = ((image * outRows * outColumns) + p) * _channels;
                matrix[GramJob.At(height, row, _size - 1)] = 1;
                for (int c = 0; c < _channels; c++)
                {
                    double error = (double)wanted[first + c] - found.Output[first + c];
                    signal += (double)wanted[first + c] * wanted[first + c];
                    errors[c] += error * error;
                    // A channel that batch-norm shuts off has no weights to be fitted.
                    matrix[GramJob.At(height, row, _size + c)] = Math.Abs(_scale[c]) < 1e-6 ? 0 : (float)(error / _scale[c]);
                }
            }
            return (signal, errors);
        }

        /// <summary>The values under one tap of the window at all places of an image; 0 beyond the image. Columns are in the order row, column, channel.</summary>
        private void Gather(Watch found, int image, int tap, int outRows, int outColumns, int firstRow, int height)
        {
            (int rows, int columns) = found.InputShape.Rank == 4 ? (found.InputShape[1], found.InputShape[2]) : (1, 1);
            int border = _kernel / 2, stride = rows / outRows;
            Span<float> matrix = _rows.Span;
            ReadOnlySpan<float> pixels = found.Input.AsSpan(image * rows * columns * _inputs, rows * columns * _inputs);
            // A panel's share of the channels at a time.
            for (int channel = 0, length; channel < _inputs; channel += length)
            {
                int column = (tap * _inputs) + channel;
                length = Math.Min(GramJob.Panel - (column % GramJob.Panel), _inputs - channel);
                int to = GramJob.At(height, firstRow, column);
                for (int p = 0; p < outRows * outColumns; p++, to += GramJob.Panel)
                {
                    int y = (p / outColumns * stride) + (tap / _kernel) - border, x = (p % outColumns * stride) + (tap % _kernel) - border;
                    Span<float> values = matrix.Slice(to, length);
                    if (y < 0 || y >= rows || x < 0 || x >= columns) values.Clear();
                    else pixels.Slice((((y * columns) + x) * _inputs) + channel, length).CopyTo(values);
                }
            }
        }

        /// <summary>The rows of one image a chunk.</summary>
        private readonly struct RowsJob(Fit fit, Watch found, float[] wanted, int[] sound, (double Signal, double[] Errors)[] squares) : IJob
        {
            public void Run(int chunk, Scratch scratch)
            {
                int places = Places(found);
                squares[chunk] = fit.Rows(found, wanted, sound[chunk], chunk * places, sound.Length * places);
            }
        }
    }
}
