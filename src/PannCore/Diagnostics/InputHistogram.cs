using PannCore.Engine;
using PannCore.Nn;

namespace PannCore.Diagnostics;

/// <summary>
/// Watches the inputs x of activations and counts x/B, B being the activation's range: how often a polynomial is asked where.
/// Eight bins of equal width in every octave from 2^-12 to 1, on either side of 0, and one bin on either side below 2^-12.
/// </summary>
/// <remarks>
/// A bin holds its lower end in magnitude; 1 and -1 lie in the outermost ones. What is larger in magnitude than 1, or is no number, is counted apart.
/// A histogram by which a polynomial is chosen must come from training images.
/// </remarks>
public sealed class InputHistogram : IDivisibleObserver
{
    private static readonly LogBins Bins = new(octaves: 12, log2Parts: 3);

    private readonly ActivationRanges? _ranges;
    private readonly OrderedDictionary<string, Layer> _byPath = [];

    /// <summary>A histogram of a network with polynomials, or of one with other activations and these ranges.</summary>
    /// <param name="ranges">B of each activation that has no range of its own; null where all have one.</param>
    public InputHistogram(ActivationRanges? ranges = null) => _ranges = ranges;

    /// <summary>What was counted at one activation.</summary>
    public sealed class Layer
    {
        internal Layer(double range) => Range = range;

        /// <summary>B.</summary>
        public double Range { get; }

        /// <summary>How many inputs lie in each bin.</summary>
        public IReadOnlyList<long> Counts => CountsByBin;

        /// <summary>Inputs outside [-B, B]; NaN counts.</summary>
        public long Outside { get; internal set; }

        internal long[] CountsByBin { get; } = new long[Bins.Count];
    }

    /// <summary>The ends of the bins in units of B, ascending from -1 to 1: one more than there are bins.</summary>
    public static IReadOnlyList<double> Edges => Bins.Edges;

    /// <summary>What was counted, by the activation's path, in the order of execution.</summary>
    public IReadOnlyDictionary<string, Layer> ByPath => _byPath;

    /// <summary>Counts of all activations together.</summary>
    public IReadOnlyList<long> Counts => [.. Enumerable.Range(0, Bins.Count).Select(bin => _byPath.Values.Sum(layer => layer.CountsByBin[bin]))];

    /// <summary>Inputs outside their range, all activations together.</summary>
    public long Outside => _byPath.Values.Sum(layer => layer.Outside);

    /// <inheritdoc/>
    public bool Watches(Op op) => op.Activation is not null;

    /// <inheritdoc/>
    public IDivisibleObserver Part() => new InputHistogram(_ranges);

    /// <inheritdoc/>
    public void Add(IDivisibleObserver part)
    {
        if (part is not InputHistogram other || other == this) throw new ArgumentException("expected another histogram of inputs", nameof(part));
        foreach ((string path, Layer seen) in other._byPath)
        {
            if (!_byPath.TryGetValue(path, out Layer? layer)) _byPath[path] = layer = new Layer(seen.Range);
            if (layer.Range != seen.Range) throw Differs(path, layer.Range, seen.Range);
            for (int bin = 0; bin < Bins.Count; bin++) layer.CountsByBin[bin] += seen.CountsByBin[bin];
            layer.Outside += seen.Outside;
        }
    }

    /// <inheritdoc/>
    /// <exception cref="InvalidOperationException">An activation has no range, and none was given for it, or has another one than before.</exception>
    public void Forward(Op op, string path, IReadOnlyList<Tensor> inputs, Tensor output)
    {
        ActivationTraits activation = op.Activation!;
        if (!_byPath.TryGetValue(path, out Layer? layer))
        {
            double range = activation.Range ?? _ranges?[path] ?? throw new InvalidOperationException($"histogram: {path} has no range, and none was given");
            _byPath[path] = layer = new Layer(range);
        }
        else if (activation.Range is double now && now != layer.Range)
        {
            throw Differs(path, layer.Range, now);
        }

        float b = (float)layer.Range;
        long[] counts = layer.CountsByBin;
        LogBins bins = Bins;
        foreach (float x in inputs[0].Values)
        {
            float t = x / b;
            if (Math.Abs(t) <= 1) counts[bins.Of(t)]++;
            else layer.Outside++;
        }
    }

    private static InvalidOperationException Differs(string path, double before, double now) => new(FormattableString.Invariant($"histogram: at {path}: expected the range {before} of before, found {now}"));
}
