using PannCore.Data;
using PannCore.Engine;
using PannCore.Kernels;
using PannCore.Nn;
using PannCore.Training;
using Tensor = PannCore.Engine.Tensor;

namespace PannCore.Diagnostics;

/// <summary>
/// Watches the inputs of activations: the largest |x| of each, and for polynomials how many lie outside [-B, B].
/// An image whose first overflow is at a layer is counted there as a root overflow: what follows in it may be its consequence.
/// </summary>
public sealed class RangeProbe : IDivisibleObserver
{
    private readonly OrderedDictionary<string, Watch> _byPath = [];
    private readonly HashSet<int> _overflowed = [], _exploded = [];
    private readonly List<(string Path, double Share)> _nearest = [];
    private float[] _largestInputs = [], _largestOutputs = [];
    private Run? _run;
    private int _firstImage;

    /// <summary>What was seen at one activation.</summary>
    public sealed record Watch
    {
        /// <summary>Largest |x|; infinity where an input was not finite.</summary>
        public double Largest { get; internal set; }

        /// <summary>Position, in the order of evaluation, of the image that had it.</summary>
        public int WorstImage { get; internal set; } = -1;

        /// <summary>The range B; null for an activation that has none.</summary>
        public double? Range { get; internal set; }

        /// <summary>Inputs outside [-B, B]; NaN counts.</summary>
        public long OutOfRange { get; internal set; }

        /// <summary>Largest |x| among the images that had left no range before: what comes after a range was left may be its consequence.</summary>
        public double SoundLargest { get; internal set; }

        /// <summary>Position of the image that had it; -1 if there is none.</summary>
        public int SoundWorstImage { get; internal set; } = -1;

        /// <summary>Images that leave a range here for the first time; overflows further on in them may be consequences.</summary>
        public int RootImages { get; internal set; }

        /// <summary>Images that leave this range after having left another.</summary>
        public int ConsequenceImages { get; internal set; }

        /// <summary>Largest |x| among the images counted by <see cref="RootImages"/>, here.</summary>
        public double RootLargest { get; internal set; }

        /// <summary>Position of the image that had it; -1 if there is none.</summary>
        public int RootWorstImage { get; internal set; } = -1;

        /// <summary>Takes over what was seen of later images, whose positions begin at <paramref name="first"/>; of equal values the earlier image has the largest.</summary>
        internal void Add(Watch later, int first)
        {
            Range = later.Range;
            if (later.WorstImage >= 0 && (WorstImage < 0 || later.Largest > Largest)) (Largest, WorstImage) = (later.Largest, first + later.WorstImage);
            if (later.SoundWorstImage >= 0 && (SoundWorstImage < 0 || later.SoundLargest > SoundLargest)) (SoundLargest, SoundWorstImage) = (later.SoundLargest, first + later.SoundWorstImage);
            if (later.RootWorstImage >= 0 && (RootWorstImage < 0 || later.RootLargest > RootLargest)) (RootLargest, RootWorstImage) = (later.RootLargest, first + later.RootWorstImage);
            OutOfRange += later.OutOfRange;
            RootImages += later.RootImages;
            ConsequenceImages += later.ConsequenceImages;
        }
    }

    /// <summary>What was seen, by the activation's path, in the order of execution.</summary>
    public IReadOnlyDictionary<string, Watch> ByPath => _byPath;

    /// <summary>Inputs outside their range, all activations together.</summary>
    public long OutOfRange => _byPath.Values.Sum(w => w.OutOfRange);

    /// <summary>Images with at least one input outside its range.</summary>
    public int OutOfRangeImages => _overflowed.Count;

    /// <summary>
    /// Positions, in the order of evaluation, of the images in which a polynomial of range B answered beyond [-2 B, 2 B] or with no number:
    /// there it stands for nothing, and one such value drowns every mean it enters.
    /// </summary>
    public IReadOnlySet<int> Exploded => _exploded;

    /// <summary>
    /// Of each image, in the order of evaluation, its largest |x|/B and the activation that had it, up to and including the first whose range it left.
    /// A share above 1 is an overflow that has no other before it. Zero and no path where no activation has a range.
    /// </summary>
    public IReadOnlyList<(string Path, double Share)> Nearest => _nearest;

    /// <inheritdoc/>
    public bool Watches(Op op) => op.Activation is not null;

    /// <inheritdoc/>
    public void Forward(Op op, string path, IReadOnlyList<Tensor> inputs, Tensor output)
    {
        ActivationTraits activation = op.Activation!;
        ReadOnlySpan<float> x = inputs[0].Values;
        int images = inputs[0].Shape[0], size = x.Length / images;
        if (_largestInputs.Length < images) (_largestInputs, _largestOutputs) = (new float[images], new float[images]);
        output.Run.Workspace.Workers.Run(new Job(inputs[0].Memory, activation.Range is null ? default : output.Memory, size, _largestInputs, _largestOutputs), images, small: x.Length <= Chunks.SmallLength);
        if (output.Run != _run)
        {
            // Each batch is a run of its own.
            (_run, _firstImage) = (output.Run, _nearest.Count);
            for (int n = 0; n < images; n++) _nearest.Add(("", 0));
        }
        Watch watch = At(path);
        watch.Range = activation.Range;
        for (int n = 0; n < images; n++)
        {
            double largest = _largestInputs[n];
            if (double.IsNaN(largest)) largest = double.PositiveInfinity;
            if (largest > watch.Largest || watch.WorstImage < 0) (watch.Largest, watch.WorstImage) = (largest, _firstImage + n);
            if (watch.Range is not double range) continue;
            if (!(_largestOutputs[n] <= 2 * range)) _exploded.Add(_firstImage + n);
            if (!_overflowed.Contains(_firstImage + n))
            {
                if (largest / range > _nearest[_firstImage + n].Share) _nearest[_firstImage + n] = (path, largest / range);
                if (largest > watch.SoundLargest || watch.SoundWorstImage < 0) (watch.SoundLargest, watch.SoundWorstImage) = (largest, _firstImage + n);
            }
            if (largest <= range) continue;
            foreach (float value in x.Slice(n * size, size))
            {
                if (!(Math.Abs((double)value) <= range)) watch.OutOfRange++;
            }
            if (!_overflowed.Add(_firstImage + n))
            {
                watch.ConsequenceImages++;
                continue;
            }
            watch.RootImages++;
            if (watch.RootWorstImage < 0 || largest > watch.RootLargest) (watch.RootLargest, watch.RootWorstImage) = (largest, _firstImage + n);
        }
    }

    /// <inheritdoc/>
    public IDivisibleObserver Part() => new RangeProbe();

    /// <inheritdoc/>
    public void Add(IDivisibleObserver part)
    {
        if (part is not RangeProbe later || later == this) throw new ArgumentException("expected another range probe", nameof(part));
        int first = _nearest.Count;
        _nearest.AddRange(later._nearest);
        _overflowed.UnionWith(later._overflowed.Select(image => first + image));
        _exploded.UnionWith(later._exploded.Select(image => first + image));
        foreach ((string path, Watch seen) in later._byPath) At(path).Add(seen, first);
    }

    /// <summary>Largest |x| at each activation of the network that <paramref name="model"/> stands for, over unaugmented training images; convolutions are computed as said, else as the workspace says.</summary>
    /// <exception cref="BadInputException">The network's activations are not finite on some image.</exception>
    public static Dictionary<string, double> Calibrate(
        ResNet model, Cifar10 training, int[] indices, Normalization normalization, Workspace workspace,
        IProgress<int>? progress = null, ConvAlgorithm? convolution = null, CancellationToken cancellation = default)
    {
        var probe = new RangeProbe();
        Evaluation.Of(model.Ideal(), training, indices, normalization, workspace, observers: [probe], progress: progress, convolution: convolution, cancellation: cancellation);
        foreach ((string path, Watch watch) in probe.ByPath)
        {
            if (!double.IsFinite(watch.Largest)) throw new BadInputException($"calibration: at {path}, image {indices[watch.WorstImage]} of {training.Source}: expected finite inputs, found one that is not");
        }
        return probe.ByPath.ToDictionary(pair => pair.Key, pair => pair.Value.Largest);
    }

    private Watch At(string path) => _byPath.TryGetValue(path, out Watch? watch) ? watch : _byPath[path] = new();

    /// <summary>The largest |x| and |y| of every image; a chunk is an image.</summary>
    private readonly struct Job(ReadOnlyMemory<float> x, ReadOnlyMemory<float> y, int size, float[] inputs, float[] outputs) : IJob
    {
        public void Run(int chunk, Scratch scratch)
        {
            inputs[chunk] = LargestMagnitude.Of(x.Span.Slice(chunk * size, size));
            if (!y.IsEmpty) outputs[chunk] = LargestMagnitude.Of(y.Span.Slice(chunk * size, size));
        }
    }
}
