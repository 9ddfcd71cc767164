using System.Numerics.Tensors;
using PannCore.Data;
using PannCore.Engine;
using PannCore.Nn;
using PannCore.Ops;
using PannCore.Training;
using Tensor = PannCore.Engine.Tensor;

namespace PannCore.Diagnostics;

/// <summary>
/// Which activations are to blame for the change of the logits: each is switched from its ideal function to its polynomial in four settings of all the others, and beside
/// that its part is predicted to first order. See <see cref="CauseRecord"/>.
/// </summary>
/// <remarks>
/// A network that differs from the PANN, or from the ideal network, in nothing before the switched part is not run from its beginning: what enters each part is kept for these two, and
/// only the rest is run. 4 x 19 settings of ResNet-20 then cost about as much as 40 passes.
/// </remarks>
public static class CauseStudy
{
    /// <summary>The gradient's tape of one batch of ResNet-20 takes about 3 MB an image.</summary>
    private const int Batch = 32;

    private enum Setting
    {
        Forward,
        Backward,
        Alone,
        LeaveOneOut,
    }

    private static readonly Setting[] Settings = Enum.GetValues<Setting>();

    /// <summary>Switches every activation in every setting.</summary>
    /// <param name="pann">The network.</param>
    /// <param name="ideal">The same network with the functions that its activations stand for, over the same parameters: <see cref="Conversion.Ideal"/>.</param>
    /// <param name="data">The data set.</param>
    /// <param name="images">
    /// Indices of the images. Those in which a polynomial of the PANN explodes (<see cref="RangeProbe.Exploded"/>), or whose logits are not finite in some setting,
    /// are part of <see cref="CauseRecord.FlippedAt"/> and of the counts made from it, and of nothing else.
    /// </param>
    /// <param name="normalization">The normalisation the network was trained with.</param>
    /// <param name="workspace">Threads and memory.</param>
    /// <param name="progress">Told the number of images done.</param>
    /// <param name="cancellation">Stops between batches.</param>
    /// <exception cref="ArgumentException">The two networks do not share their parameters.</exception>
    public static CauseRecord Of(
        ResNet pann, ResNet ideal, Cifar10 data, int[] images, Normalization normalization, Workspace workspace,
        IProgress<int>? progress = null, CancellationToken cancellation = default)
    {
        if (pann.Parameters != ideal.Parameters || pann.Depth != ideal.Depth) throw new ArgumentException("causes: expected an ideal network over the parameters of the PANN", nameof(ideal));
        var switches = new Switches(pann, ideal, workspace);
        var gradient = new MarginGradient(pann, ideal, workspace);
        var loader = new BatchLoader(data, normalization);
        var sums = new Sums([.. pann.Activations.Select(activation => activation.Path)]);
        for (int first = 0; first < images.Length; first += Batch)
        {
            cancellation.ThrowIfCancellationRequested();
            int[] chosen = images[first..Math.Min(first + Batch, images.Length)];
            var probe = new RangeProbe();
            Answers answers;
            using (var run = new Run(workspace, observers: [probe]))
            {
                Tensor pixels = loader.Load(run, chosen);
                (float[] idealLogits, double[][] firstOrder) = gradient.Of(pixels.Shape, pixels.Values);
                answers = new(idealLogits, pann.Call(pixels).Values.ToArray(), switches.Logits(pixels.Shape, pixels.Values.ToArray(), cancellation), firstOrder);
            }
            sums.Add(answers, chosen, loader.Labels(chosen), probe.Exploded);
            progress?.Report(first + chosen.Length);
        }
        return sums.Record();
    }

    /// <summary>Logits of one batch: of the two networks as wholes, and of each setting by setting and activation; and the first-order prediction by activation and image.</summary>
    private sealed record Answers(float[] Ideal, float[] Pann, float[][][] Switched, double[][] FirstOrder)
    {
        /// <summary>Logits just before and just after an activation is switched.</summary>
        public (float[] Before, float[] After) Around(Setting setting, int k)
        {
            float[][] logits = Switched[(int)setting];
            return setting switch
            {
                Setting.Forward => (k == 0 ? Ideal : logits[k - 1], logits[k]),
                Setting.Backward => (k == logits.Length - 1 ? Ideal : logits[k + 1], logits[k]),
                Setting.Alone => (Ideal, logits[k]),
                _ => (logits[k], Pann),
            };
        }
    }

    /// <summary>The networks of all settings, each from the part on that holds the switched activation.</summary>
    private sealed class Switches
    {
        private readonly Module[] _pann, _ideal;
        private readonly Tail[,] _tails;
        private readonly int[] _activations;
        private readonly Workspace _workspace;

        public Switches(ResNet pann, ResNet ideal, Workspace workspace)
        {
            _workspace = workspace;
            (_pann, _ideal) = ([.. pann.Trunk], [.. ideal.Trunk]);
            _activations = [.. _pann.Select(part => part.Tree.Count(module => module is Activation))];
            int[] parts = [.. _activations.SelectMany((count, part) => Enumerable.Repeat(part, count))];
            var indices = pann.Activations.Index().ToDictionary(pair => pair.Item.Path, pair => pair.Index);
            ActivationFunction[] polynomials = [.. pann.Activations.Select(a => a.Function)], ideals = [.. ideal.Activations.Select(a => a.Function)];
            _tails = new Tail[Settings.Length, parts.Length];
            foreach (Setting setting in Settings)
            {
                for (int k = 0; k < parts.Length; k++)
                    _tails[(int)setting, k] = new(pann.With(path => IsPolynomial(setting, k, indices[path]) ? polynomials[indices[path]] : ideals[indices[path]]), parts[k]);
            }
        }

        /// <summary>The logits of each setting and activation.</summary>
        public float[][][] Logits(Shape images, float[] pixels, CancellationToken cancellation)
        {
            float[][][] logits = [.. Settings.Select(_ => new float[_tails.GetLength(1)][])];
            (Shape Shape, float[] Values) pann = (images, pixels), ideal = pann;
            int k = 0;
            for (int part = 0; part < _pann.Length; part++)
            {
                for (int end = k + _activations[part]; k < end; k++)
                {
                    cancellation.ThrowIfCancellationRequested();
                    foreach (Setting setting in Settings)
                        logits[(int)setting][k] = Call(_tails[(int)setting, k], setting is Setting.Forward or Setting.LeaveOneOut ? pann : ideal).Values;
                }
                if (k == _tails.GetLength(1)) break;
                (pann, ideal) = (Call(_pann[part], pann), Call(_ideal[part], ideal));
            }
            return logits;
        }

        private static bool IsPolynomial(Setting setting, int switched, int index) => setting switch
        {
            Setting.Forward => index <= switched,
            Setting.Backward => index >= switched,
            Setting.Alone => index == switched,
            _ => index != switched,
        };

        private (Shape Shape, float[] Values) Call(Module module, (Shape Shape, float[] Values) input)
        {
            using var run = new Run(_workspace);
            Tensor output = module.Call(run.Input(input.Shape, input.Values));
            return (output.Shape, output.Values.ToArray());
        }
    }

    /// <summary>A network from one part of its trunk to the logits.</summary>
    private sealed class Tail(ResNet network, int from) : Module("")
    {
        private readonly Module[] _parts = [.. network.Trunk.Skip(from)];
        private readonly Module _head = network.Children[^1];

        protected override Tensor Forward(Tensor x)
        {
            foreach (Module part in _parts) x = part.Call(x);
            return _head.Call(x.GlobalAveragePool());
        }
    }

    /// <summary>Running sums over batches.</summary>
    private sealed class Sums
    {
        private readonly string[] _paths;
        private readonly double[,] _margins, _squares;
        private readonly int[,] _right;
        private readonly double[] _firstOrder;
        private readonly int[] _flips;
        private readonly Dictionary<int, string> _flippedAt = [];
        private double _margin;
        private double _forwardResidual, _backwardResidual;
        private int _images, _classes = 1;

        public Sums(string[] paths)
        {
            _paths = paths;
            (_margins, _squares, _right) = (new double[Settings.Length, paths.Length], new double[Settings.Length, paths.Length], new int[Settings.Length, paths.Length]);
            (_firstOrder, _flips) = (new double[paths.Length], new int[paths.Length]);
        }

        public void Add(Answers answers, int[] images, byte[] labels, IReadOnlySet<int> exploded)
        {
            _classes = answers.Ideal.Length / images.Length;
            for (int n = 0; n < images.Length; n++)
            {
                System.Range row = (n * _classes)..((n + 1) * _classes);
                Follow(answers, row, images[n]);
                bool isSound = !exploded.Contains(n) && IsFinite(answers.Ideal[row]) && IsFinite(answers.Pann[row]) && answers.Switched.All(setting => setting.All(logits => IsFinite(logits[row])));
                if (isSound) Add(answers, row, n, labels[n]);
            }
        }

        public CauseRecord Record()
        {
            int images = Math.Max(1, _images);
            return new(_images, _margin / images, _forwardResidual, _backwardResidual, [.. _paths.Select(Layer)]) { FlippedAt = _flippedAt };

            LayerCause Layer(string path, int k)
            {
                SwitchShare[] shares = [.. Settings.Select(setting => new SwitchShare(
                    _margins[(int)setting, k] / images, Math.Sqrt(_squares[(int)setting, k] / ((double)images * _classes)), 100.0 * _right[(int)setting, k] / images))];
                return new(
                    path, shares[(int)Setting.Forward], shares[(int)Setting.Backward], shares[(int)Setting.Alone], shares[(int)Setting.LeaveOneOut],
                    shares.Max(share => share.Margin) - shares.Min(share => share.Margin), _firstOrder[k] / images, _flips[k]);
            }
        }

        private void Add(Answers answers, System.Range row, int n, byte label)
        {
            _images++;
            int predicted = Evaluation.Predict(answers.Ideal[row]);
            _margin += Margin(answers.Pann[row], predicted) - Margin(answers.Ideal[row], predicted);
            double[] forward = new double[_classes], backward = new double[_classes];
            for (int k = 0; k < _paths.Length; k++)
            {
                _firstOrder[k] += answers.FirstOrder[k][n];
                foreach (Setting setting in Settings)
                {
                    (float[] allBefore, float[] allAfter) = answers.Around(setting, k);
                    float[] before = allBefore[row], after = allAfter[row];
                    _margins[(int)setting, k] += Margin(after, predicted) - Margin(before, predicted);
                    if (Evaluation.Predict(setting == Setting.LeaveOneOut ? before : after) == label) _right[(int)setting, k]++;
                    for (int c = 0; c < _classes; c++)
                    {
                        double share = (double)after[c] - before[c];
                        _squares[(int)setting, k] += share * share;
                        if (setting == Setting.Forward) forward[c] += share;
                        if (setting == Setting.Backward) backward[c] += share;
                    }
                }
            }
            _forwardResidual = Math.Max(_forwardResidual, Residual(forward));
            _backwardResidual = Math.Max(_backwardResidual, Residual(backward));

            double Residual(double[] shares) => shares.Select((share, c) => Math.Abs(share - ((double)answers.Pann[row][c] - answers.Ideal[row][c]))).Max();
        }

        /// <summary>Finds where an image's prediction leaves the ideal network's for good.</summary>
        private void Follow(Answers answers, System.Range row, int image)
        {
            int ideal = Evaluation.Predict(answers.Ideal[row]), k = _paths.Length - 1;
            if (Evaluation.Predict(answers.Pann[row]) == ideal) return;
            float[][] forward = answers.Switched[(int)Setting.Forward];
            while (k > 0 && Evaluation.Predict(forward[k - 1][row]) != ideal) k--;
            _flippedAt[image] = _paths[k];
            _flips[k]++;
        }

        private static double Margin(ReadOnlySpan<float> logits, int predicted) => (double)logits[predicted] - logits[MarginGradient.RunnerUp(logits, predicted)];

        private static bool IsFinite(ReadOnlySpan<float> logits) => TensorPrimitives.IsFiniteAll(logits);
    }
}
