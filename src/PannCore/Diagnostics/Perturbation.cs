using PannCore.Approximation;
using PannCore.Data;
using PannCore.Engine;
using PannCore.Nn;
using PannCore.Ops;
using PannCore.Training;

namespace PannCore.Diagnostics;

/// <summary>What the size of a perturbation is measured in. Layers are measured on training images in the network that is not perturbed.</summary>
public enum PerturbationUnit
{
    /// <summary>c is the size, in every layer.</summary>
    Absolute,

    /// <summary>c is the size times the root mean square of the layer's ReLU output: noise over signal where it falls. A polynomial's own error is multiplied by the size.</summary>
    Rms,

    /// <summary>
    /// c makes the perturbation's root mean square over <em>all</em> elements of the layer the size times that of the ReLU output, for every side and form:
    /// a side with few elements, or a small error, gets a larger c.
    /// </summary>
    Energy,
}

/// <summary>One perturbation of the whole network.</summary>
/// <param name="Side">Which inputs.</param>
/// <param name="Form">What is added.</param>
/// <param name="Size">How much, in the experiment's unit.</param>
public sealed record PerturbationTrial(PerturbedSide Side, PerturbationForm Form, double Size);

/// <summary>What a perturbed network answered.</summary>
/// <param name="Trial">The perturbation.</param>
/// <param name="Predictions">The class of each image; -1 where a logit is not finite.</param>
/// <param name="Right">Whether each is right.</param>
public sealed record PerturbationOutcome(PerturbationTrial Trial, IReadOnlyList<int> Predictions, IReadOnlyList<bool> Right)
{
    /// <summary>Number of right predictions.</summary>
    public int Correct => Right.Count(right => right);

    /// <summary>Percent right; logits that are not finite count as wrong.</summary>
    public double Accuracy => 100.0 * Correct / Right.Count;

    /// <summary>Images whose logits are not all finite.</summary>
    public int NonFinite => Predictions.Count(p => p < 0);
}

/// <summary>The same perturbation on either side, over the same images.</summary>
/// <param name="Negative">On negative inputs.</param>
/// <param name="Positive">On positive inputs.</param>
public sealed record SideComparison(PerturbationOutcome Negative, PerturbationOutcome Positive)
{
    private const double StandardErrors = 2;

    /// <summary>Images that are right with the perturbation on the negative side only.</summary>
    public int RightWithNegativeOnly => Negative.Right.Zip(Positive.Right).Count(pair => pair.First && !pair.Second);

    /// <summary>Images that are right with the perturbation on the positive side only.</summary>
    public int RightWithPositiveOnly => Negative.Right.Zip(Positive.Right).Count(pair => !pair.First && pair.Second);

    /// <summary>
    /// The side that costs more, where the difference of the counts exceeds two standard errors of paired counts, 2 sqrt(sum) (McNemar 1947); null where it does not.
    /// </summary>
    public PerturbedSide? Worse
    {
        get
        {
            int negative = RightWithPositiveOnly, positive = RightWithNegativeOnly;
            if (Math.Abs(negative - positive) <= StandardErrors * Math.Sqrt(negative + positive)) return null;
            return negative > positive ? PerturbedSide.Negative : PerturbedSide.Positive;
        }
    }
}

/// <summary>What an experiment found.</summary>
/// <param name="Baseline">The network as it is; its trial is of size 0.</param>
/// <param name="Outcomes">One for each trial, in their order.</param>
public sealed record PerturbationResult(PerturbationOutcome Baseline, IReadOnlyList<PerturbationOutcome> Outcomes)
{
    /// <summary>Each form and size that was tried on both the negative and the positive side.</summary>
    public IReadOnlyList<SideComparison> Comparisons =>
        [.. from negative in Outcomes
            where negative.Trial.Side == PerturbedSide.Negative
            from positive in Outcomes
            where positive.Trial == negative.Trial with { Side = PerturbedSide.Positive }
            select new SideComparison(negative, positive)];
}

/// <summary>
/// Which perturbations of a ReLU's output hurt a network: the same perturbation is put into the chosen layers, all at once, and the images are classified again.
/// Random numbers depend on seed, layer, image and element only: the same seed gives the same bits for any batch and number of threads, and another size scales the same noise.
/// </summary>
public sealed class Perturbation
{
    private readonly ResNet _ideal;
    private readonly PerturbationUnit _unit;
    private readonly long _seed;
    private readonly ReluStatistics? _statistics;
    private readonly ReluPolynomial? _polynomial;
    private readonly ActivationRanges? _ranges;
    private readonly float _slope;

    /// <summary>An experiment on one network.</summary>
    /// <param name="backbone">The network; polynomials in it are taken for what they stand for.</param>
    /// <param name="unit">What sizes are measured in.</param>
    /// <param name="seed">Seed of noise and tossed signs.</param>
    /// <param name="layers">Paths of the activations to perturb; null for all.</param>
    /// <param name="statistics">The layers' measurements; needed but for <see cref="PerturbationUnit.Absolute"/>.</param>
    /// <param name="polynomial">The polynomial whose own error is used; needed by those forms.</param>
    /// <param name="ranges">Its ranges.</param>
    /// <exception cref="BadInputException">A layer that is no activation of the network, or a polynomial with another leak than the network's activations.</exception>
    /// <exception cref="ArgumentNullException">Statistics that the unit needs, or ranges that the polynomial needs, are missing.</exception>
    public Perturbation(
        ResNet backbone, PerturbationUnit unit, long seed, IReadOnlyCollection<string>? layers = null, ReluStatistics? statistics = null, ReluPolynomial? polynomial = null, ActivationRanges? ranges = null)
    {
        _ideal = backbone.Ideal();
        string[] paths = [.. _ideal.Activations.Select(activation => activation.Path)];
        if (layers is { Count: 0 }) throw new BadInputException("perturbation: expected at least one layer, found none");
        foreach (string layer in layers ?? [])
        {
            if (!paths.Contains(layer)) throw new BadInputException($"perturbation: {backbone.Name} has no activation '{layer}'; it has {string.Join(", ", paths)}");
        }
        if (unit != PerturbationUnit.Absolute) ArgumentNullException.ThrowIfNull(statistics);
        if (polynomial is not null) ArgumentNullException.ThrowIfNull(ranges);
        _slope = _ideal.Activations[0].Function is ActivationFunction.Relu relu ? relu.Slope : 0;
        if (polynomial is not null && (float)polynomial.Leak != _slope)
            throw new BadInputException(FormattableString.Invariant($"perturbation: {polynomial.Spec} stands for leak {polynomial.Leak}, the network's activations have {_slope}"));
        (_unit, _seed, _statistics, _polynomial, _ranges) = (unit, seed, statistics, polynomial, ranges);
        Layers = [.. paths.Where(path => layers is null || layers.Contains(path))];
    }

    /// <summary>Paths of the activations that are perturbed, in the order in which an image meets them.</summary>
    public IReadOnlyList<string> Layers { get; }

    /// <summary>c of one layer: see <see cref="PerturbationUnit"/>.</summary>
    /// <exception cref="BadInputException">The energy cannot be matched: nothing lies on the side.</exception>
    public double Size(PerturbationTrial trial, string path)
    {
        if (_unit == PerturbationUnit.Absolute || (_unit == PerturbationUnit.Rms && ReluPerturbation.IsOwn(trial.Form))) return trial.Size;
        ReluStatistics.Layer layer = _statistics!.ByPath[path];
        double rms = trial.Size * layer.OutputRms;
        if (_unit == PerturbationUnit.Rms) return rms;
        double unmatched = layer.PerturbationRms(trial.Side, trial.Form);
        return unmatched > 0 && double.IsFinite(unmatched) ? rms / unmatched
            : throw new BadInputException(FormattableString.Invariant($"perturbation: at {path}, a perturbation {trial.Form} of side {trial.Side} and size 1 has RMS {unmatched}, which no factor brings to {rms}"));
    }

    /// <summary>The perturbed network, for one batch: <see cref="Evaluation.Of"/> is to be told its size, so that threads do not take it apart.</summary>
    /// <param name="trial">The perturbation.</param>
    /// <param name="images">The indices of the batch's images in their data set, from which their random numbers follow.</param>
    /// <exception cref="ArgumentException">The form is a polynomial's own error, and this was made without one.</exception>
    public ResNet Network(PerturbationTrial trial, ReadOnlyMemory<int> images)
    {
        if (ReluPerturbation.IsOwn(trial.Form) && _polynomial is null) throw new ArgumentException($"perturbation: {trial.Form} needs a polynomial", nameof(trial));
        Dictionary<string, ActivationFunction> functions = _ideal.Activations.Select((activation, layer) =>
            (activation.Path, Layers.Contains(activation.Path) ? Perturbed(trial, activation.Path, layer, images) : activation.Function)).ToDictionary();
        return _ideal.With(path => functions[path]);
    }

    /// <summary>Classifies the images with the network as it is and with each perturbation.</summary>
    /// <param name="trials">The perturbations.</param>
    /// <param name="data">The data set.</param>
    /// <param name="images">Indices of the images.</param>
    /// <param name="normalization">The normalisation the network was trained with.</param>
    /// <param name="workspace">Threads and memory.</param>
    /// <param name="batch">Images at a time; the answers do not depend on it. By default as many as <see cref="Evaluation.BatchFor"/> says.</param>
    /// <param name="progress">Told the number of images done, of (1 + trials) x images.</param>
    /// <param name="cancellation">Stops between batches.</param>
    public PerturbationResult Run(
        IReadOnlyList<PerturbationTrial> trials, Cifar10 data, int[] images, Normalization normalization, Workspace workspace, int? batch = null,
        IProgress<int>? progress = null, CancellationToken cancellation = default)
    {
        int done = 0;
        PerturbationOutcome Outcome(PerturbationTrial trial, Func<int[], ResNet> network)
        {
            var predictions = new List<int>(images.Length);
            foreach (int[] chosen in images.Chunk(batch ?? Evaluation.BatchFor(workspace)))
            {
                predictions.AddRange(Evaluation.Of(network(chosen), data, chosen, normalization, workspace, chosen.Length, cancellation: cancellation).Predictions);
                progress?.Report(done += chosen.Length);
            }
            return new(trial, predictions, [.. predictions.Select((predicted, n) => predicted == data.Labels[images[n]])]);
        }
        PerturbationOutcome baseline = Outcome(new(PerturbedSide.Both, PerturbationForm.Plus, 0), _ => _ideal);
        return new(baseline, [.. trials.Select(trial => Outcome(trial, chosen => Network(trial, chosen)))]);
    }

    private Function Perturbed(PerturbationTrial trial, string path, int layer, ReadOnlyMemory<int> images)
    {
        bool own = ReluPerturbation.IsOwn(trial.Form);
        var perturbation = new ReluPerturbation(trial.Side, trial.Form, Size(trial, path), own ? _polynomial : null, own ? _ranges![path] : 1, _slope);
        return new(perturbation, new CounterRandom(_seed, RandomStream.Perturbation, layer), images);
    }

    private sealed record Function(ReluPerturbation Perturbation, CounterRandom Random, ReadOnlyMemory<int> Images) : ActivationFunction
    {
        public override Tensor Apply(Tensor x) => x.PerturbedRelu(Perturbation, Random, Images);
    }
}
