using PannCore.Approximation;
using PannCore.Data;
using PannCore.Engine;
using PannCore.Nn;
using PannCore.Training;

namespace PannCore.Diagnostics;

/// <summary>How ranges are measured again once the network has been repaired: the same text, over the largest inputs of the repaired network.</summary>
/// <param name="Spec"><c>layer</c> or <c>global</c>.</param>
/// <param name="Images">Indices of the training images to measure on: as many as the first ranges were measured on, or the new ones are smaller for that alone.</param>
/// <param name="Margin">Factor on measured values, at least 1.</param>
public sealed record RangesAgain(string Spec, int[] Images, double Margin);

/// <summary>
/// Repair without training. A polynomial's error is mostly bias; each activation's mean error, measured for each channel on training images, becomes a constant that is taken off
/// the activation's output. It is stored beside the weights as the activation's shift, <c>PATH.shift</c>, rather than folded into the next batch-norm, because an
/// activation's output goes two ways, into a convolution and along a skip connection, and because zero padding, which carries no error, would make the fold wrong at the borders. On encrypted data it is the addition
/// of a known constant, and could as well be the polynomial's own constant term: no level, no multiplication.
/// Activations are repaired in order, so that each is measured on what the repaired ones before it pass on: one sweep is exact, and a second one would find nothing.
/// </summary>
public static class Repair
{
    /// <summary>Repairs a PANN by the best of the ways, judged by held-out training images alone; whether it is better than none is for the caller to see in the record, whose first candidate is no repair.</summary>
    /// <param name="backbone">The network; it is not changed.</param>
    /// <param name="spec">The polynomial.</param>
    /// <param name="ranges">B of each activation.</param>
    /// <param name="training">Training images, which are used unaugmented.</param>
    /// <param name="images">Indices of those that errors are measured on.</param>
    /// <param name="heldOut">Indices of those that choices are made by.</param>
    /// <param name="normalization">The normalisation the network was trained with.</param>
    /// <param name="workspace">Threads and memory.</param>
    /// <param name="again">How to measure the ranges again; null keeps them.</param>
    /// <param name="progress">Told the number of activations handled; <see cref="Steps"/> says how many there will be at most.</param>
    /// <param name="cancellation">Stops between batches.</param>
    /// <returns>The repaired PANN over weights of its own, the ranges it has, and what was done.</returns>
    /// <exception cref="ArgumentException">The two sets of images share one, or one is empty.</exception>
    /// <exception cref="BadInputException">The activation is no polynomial.</exception>
    /// <exception cref="ExplodedException">The polynomials explode in every image.</exception>
    public static (ResNet Pann, ActivationRanges Ranges, RepairRecord Record) Of(
        ResNet backbone, ActivationSpec spec, ActivationRanges ranges, Cifar10 training, int[] images, int[] heldOut, Normalization normalization, Workspace workspace,
        RangesAgain? again = null, IProgress<int>? progress = null, CancellationToken cancellation = default)
    {
        if (images.Length == 0 || heldOut.Length == 0 || images.Intersect(heldOut).Any()) throw new ArgumentException("repair: expected two sets of images without a common one, none of them empty", nameof(heldOut));
        if (!spec.IsPolynomial) throw new BadInputException($"repair: expected a polynomial activation, found {spec}");
        var bench = new Bench(backbone, spec, training, images, normalization, workspace, progress, cancellation);
        double ideal = Evaluation.Of(bench.Ideal, training, heldOut, normalization, workspace, cancellation: cancellation).Accuracy;
        List<Trial> trials = [bench.Judge("no repair", null, false, ranges, heldOut)];
        Trial? best = null;
        foreach (bool batchNorm in new[] { false, true })
        {
            foreach (RepairShift shift in Enum.GetValues<RepairShift>())
                Consider(bench.Judge($"{shift.ToString().ToLowerInvariant()} mean{(batchNorm ? ", batch-norm" : "")}", shift, batchNorm, ranges, heldOut));
        }
        if (again is not null && bench.Largest(best!.Pann, again.Images) is { } largest)
            Consider(bench.Judge($"{best.Name}, ranges", best.Shift, best.BatchNorm, ActivationRanges.Parse(again.Spec, [.. ranges.ByPath.Keys], largest, again.Margin), heldOut));
        return (best!.Pann, best.Ranges, new(
            best.Shift!.Value, best.BatchNorm, best.Ranges != ranges, images.Length, heldOut.Length, ideal,
            [.. trials.Select(t => new RepairCandidate(t.Name, t.Result.Accuracy, t.Probe.OutOfRange, t.Probe.OutOfRangeImages, t.Result.NonFinite, t == best))], best.Layers));

        void Consider(Trial trial)
        {
            trials.Add(trial);
            if (best is null || trial.IsBetterThan(best)) best = trial;
        }
    }

    /// <summary>Repairs a PANN in one given way; parameters and exceptions as in <see cref="Of"/>. Without a kind of shift only batch-norm's statistics are moved.</summary>
    /// <returns>The repaired PANN over weights of its own, and one line an activation.</returns>
    public static (ResNet Pann, IReadOnlyList<RepairedLayer> Layers) InOneWay(
        ResNet backbone, ActivationSpec spec, ActivationRanges ranges, RepairShift? shift, bool batchNorm, Cifar10 training, int[] images, Normalization normalization, Workspace workspace,
        IProgress<int>? progress = null, CancellationToken cancellation = default)
    {
        if (images.Length == 0) throw new ArgumentException("repair: expected at least one image", nameof(images));
        if (!spec.IsPolynomial) throw new BadInputException($"repair: expected a polynomial activation, found {spec}");
        return new Bench(backbone, spec, training, images, normalization, workspace, progress, cancellation).Repaired(shift, batchNorm, ranges);
    }

    /// <summary>How many activations a repair handles, counting one as often as it is tried.</summary>
    public static int Steps(ResNet backbone, RangesAgain? again) => backbone.Activations.Count * (again is null ? 4 : 5);

    /// <summary>Whether winning some images and losing others is a gain by more than one standard error: the root of their number.</summary>
    internal static bool IsClear(int won, int lost) => won - lost > Math.Sqrt(won + lost);

    /// <summary>A repaired network and its answers for the held-out images.</summary>
    private sealed record Trial(
        string Name, RepairShift? Shift, bool BatchNorm, ActivationRanges Ranges, ResNet Pann, IReadOnlyList<RepairedLayer> Layers, Evaluation Result, bool[] Right, RangeProbe Probe)
    {
        /// <summary>Whether it gets more images right than another, by more than one standard error of the difference: the root of the number on which only one of them is right.</summary>
        public bool IsBetterThan(Trial other)
        {
            return IsClear(Right.Zip(other.Right).Count(pair => pair.First && !pair.Second), Right.Zip(other.Right).Count(pair => !pair.First && pair.Second));
        }
    }

    /// <summary>What all trials of one repair share.</summary>
    private sealed class Bench
    {
        private readonly ResNet _backbone;
        private readonly ActivationSpec _spec;
        private readonly Cifar10 _training;
        private readonly int[] _images;
        private readonly Normalization _normalization;
        private readonly Workspace _workspace;
        private readonly CancellationToken _cancellation;
        private readonly IProgress<int>? _progress;
        private readonly ImageValues _pixels;
        private readonly Dictionary<string, ImageSums> _ideal = [];
        private int _done;

        public Bench(
            ResNet backbone, ActivationSpec spec, Cifar10 training, int[] images, Normalization normalization, Workspace workspace, IProgress<int>? progress, CancellationToken cancellation)
        {
            (_backbone, _spec, _training, _images, _normalization, _workspace, _progress, _cancellation) = (backbone, spec, training, images, normalization, workspace, progress, cancellation);
            Ideal = backbone.With(_ => new ActivationFunction.Relu((float)spec.Leak));
            _pixels = ImageValues.Of(training, images, normalization, workspace);
            ImageValues values = _pixels;
            foreach (Module part in Ideal.Trunk)
            {
                (IReadOnlyDictionary<string, ImageSums> sums, values) = ImageMoments.Of(part, values, workspace, cancellation: cancellation);
                foreach ((string path, ImageSums of) in sums) _ideal.Add(path, of);
            }
        }

        public ResNet Ideal { get; }

        /// <summary>Largest |x| at each activation of a PANN; null where one is not finite, or where all are 0.</summary>
        public Dictionary<string, double>? Largest(ResNet pann, int[] images)
        {
            var probe = new RangeProbe();
            Evaluation.Of(pann, _training, images, _normalization, _workspace, observers: [probe], cancellation: _cancellation);
            return probe.ByPath.Values.All(watch => double.IsFinite(watch.Largest) && watch.Largest > 0) ? probe.ByPath.ToDictionary(pair => pair.Key, pair => pair.Value.Largest) : null;
        }

        /// <summary>Repairs in this way, over these ranges, and evaluates; without a kind of shift nothing is repaired.</summary>
        public Trial Judge(string name, RepairShift? shift, bool batchNorm, ActivationRanges ranges, int[] heldOut)
        {
            (ResNet pann, IReadOnlyList<RepairedLayer> layers) = shift is null ? (_backbone.With(_spec, ranges), []) : Repaired(shift, batchNorm, ranges);
            var probe = new RangeProbe();
            Evaluation result = Evaluation.Of(pann, _training, heldOut, _normalization, _workspace, observers: [probe], cancellation: _cancellation);
            return new(name, shift, batchNorm, ranges, pann, layers, result, [.. heldOut.Select((image, n) => result.Predictions[n] == _training.Labels[image])], probe);
        }

        public (ResNet Pann, List<RepairedLayer> Layers) Repaired(RepairShift? shift, bool batchNorm, ActivationRanges ranges)
        {
            ResNet copy = Copy();
            foreach (Activation activation in copy.Activations.Where(_ => shift is not null)) copy.Parameters.Get(Activation.ShiftOf(activation.Path), new(activation.Channels), trainable: false).Update(values => values.Clear());
            ResNet pann = copy.With(_spec, ranges);
            var layers = new List<RepairedLayer>();
            ImageValues values = _pixels;
            foreach (Module part in pann.Trunk)
            {
                foreach (Module leaf in part.Tree.Where(module => (shift is not null && module is Activation) || (batchNorm && module is BatchNorm2d)))
                {
                    ImageSums found = ImageMoments.Of(part, values, _workspace, leaf.Path, _cancellation).ByPath[leaf.Path], ideal = _ideal[leaf.Path];
                    bool[] sound = found.Sound;
                    if (!sound.Contains(true))
                        throw new ExplodedException($"repair: at {leaf.Path}, {_spec} over ranges '{ranges.Spec}' has answered beyond twice its range in every one of the {_images.Length} images; give a wider range");
                    if (leaf is BatchNorm2d)
                    {
                        Match(pann.Parameters, leaf.Path, ideal, found);
                        continue;
                    }
                    double[] error = shift == RepairShift.Injected ? found.Mean(found.Second, sound) : Difference(found.Mean(found.First, sound), ideal.Mean(ideal.First, sound));
                    pann.Parameters.Find(Activation.ShiftOf(leaf.Path))!.Set([.. error.Select(e => (float)-e)]);
                    layers.Add(new(leaf.Path, ranges[leaf.Path], error.Average(), Math.Sqrt(error.Average(e => e * e)), error.MaxBy(Math.Abs), sound.Count(s => !s)));
                    _progress?.Report(++_done);
                }
                (_, values) = ImageMoments.Of(part, values, _workspace, "", _cancellation);
            }
            return (pann, layers);
        }

        /// <summary>
        /// Moves batch-norm's running mean by the difference, and its running variance by the ratio, of what PANN and ideal network show on the same images: how the images
        /// differ from the whole training set drops out of both.
        /// </summary>
        private static void Match(ParameterSet parameters, string path, ImageSums ideal, ImageSums found)
        {
            bool[] sound = found.Sound;
            double[] mean = found.Mean(found.First, sound), square = found.Mean(found.Second, sound);
            double[] idealMean = ideal.Mean(ideal.First, sound), idealSquare = ideal.Mean(ideal.Second, sound);
            parameters.Find($"{path}.running_mean")!.Update(values =>
            {
                for (int c = 0; c < values.Length; c++) values[c] += (float)(mean[c] - idealMean[c]);
            });
            parameters.Find($"{path}.running_var")!.Update(values =>
            {
                for (int c = 0; c < values.Length; c++)
                {
                    double variance = square[c] - (mean[c] * mean[c]), idealVariance = idealSquare[c] - (idealMean[c] * idealMean[c]), scaled = values[c] * variance / idealVariance;
                    // A channel that is constant in the ideal network has no ratio.
                    if (idealVariance > 0 && float.IsFinite((float)scaled) && scaled >= 0) values[c] = (float)scaled;
                }
            });
        }

        private ResNet Copy()
        {
            var copy = new ResNet(_backbone.Depth);
            copy.Parameters.CopyFrom(_backbone.Parameters);
            return copy;
        }

        private static double[] Difference(double[] a, double[] b) => [.. a.Zip(b, (x, y) => x - y)];
    }
}
