using PannCore.Approximation;
using PannCore.Checkpoints;
using PannCore.Data;
using PannCore.Engine;
using PannCore.Nn;

namespace PannCore.Diagnostics;

/// <summary>A network from a file with all that belongs to it: pixel normalisation, the function it was trained with, measured ranges. Its PANNs are made, and inspected, in one call.</summary>
/// <example>
/// <code>
/// PannModel model = PannModel.Load("data/models/resnet20.safetensors");
/// Cifar10 images = Cifar10.ReadFile("data/cifar-10-sample.bin");
/// ErrorLedger ledger = ErrorLedger.Run(model, images, "composite:alpha=9", ranges: "layer", count: 64);
/// foreach (OperationRecord line in ledger.Operations) Console.WriteLine($"{line.Path}: {line.SqnrDb:F1} dB");
/// </code>
/// </example>
public sealed class PannModel
{
    /// <summary>The ranges' text of a file that holds a PANN.</summary>
    public const string StoredRanges = "stored";

    /// <summary>Factor on measured ranges, unless another is given.</summary>
    public const double DefaultMargin = 1.05;

    private PannModel(string file, ResNet backbone, ModelDescription description) => (File, Backbone, Description) = (file, backbone, description);

    /// <summary>Where it was read.</summary>
    public string File { get; }

    /// <summary>The network with the function it was trained with.</summary>
    public ResNet Backbone { get; }

    /// <summary>What the file says about it.</summary>
    public ModelDescription Description { get; }

    /// <summary>Reads a model file or a PyTorch checkpoint: <see cref="ModelFile.Load"/>.</summary>
    /// <param name="file">The file.</param>
    /// <param name="architecture">The architecture of a PyTorch checkpoint, which does not say.</param>
    /// <param name="normalization">The normalisation of a PyTorch checkpoint, which does not say; refused where a model file says otherwise.</param>
    /// <exception cref="BadInputException">Not such a file, or not such a network.</exception>
    public static PannModel Load(string file, string? architecture = null, Normalization? normalization = null)
    {
        (ResNet backbone, ModelDescription description) = ModelFile.Load(file, architecture, normalization);
        return new(file, backbone, description);
    }

    /// <summary>The ranges of the activations.</summary>
    /// <param name="spec">The activation they are for.</param>
    /// <param name="ranges">The text: see <see cref="ActivationRanges"/>; <see cref="StoredRanges"/> for the ones of a network that holds its own, repaired or trained with polynomials.</param>
    /// <param name="margin">Factor on measured ranges.</param>
    /// <param name="measure">Measures the largest inputs anew, called only if they are needed; null takes those in the model file.</param>
    /// <param name="leastMargin">The least factor that is allowed: see <see cref="ActivationRanges.Parse"/>.</param>
    /// <exception cref="BadInputException">A text that is none; no measurements, or those of another function; a network that holds its own, with another polynomial or other ranges.</exception>
    public ActivationRanges Ranges(ActivationSpec spec, string ranges, double margin = DefaultMargin, Func<IReadOnlyDictionary<string, double>>? measure = null, double leastMargin = 1)
    {
        ArgumentNullException.ThrowIfNull(spec);
        string[] paths = [.. Backbone.Activations.Select(a => a.Path)];
        if (Description.Pann is { } pann && spec.IsPolynomial)
        {
            if (!spec.Equals(pann.Activation) || ranges != StoredRanges || measure is not null)
                throw new BadInputException($"{File}: {pann.Origin} over ranges of its own, which it holds; found {spec} over ranges '{ranges}'{(measure is null ? "" : " and --calibrate")}; give the model as it was before that");
            return ActivationRanges.Of(StoredRanges, paths, pann.Ranges);
        }
        IReadOnlyDictionary<string, double>? largest = Description.LargestInputs;
        if (ActivationRanges.NeedsCalibration(ranges))
        {
            if (measure is null && spec.Leak != Description.Activation.Leak)
                throw new BadInputException($"ranges '{ranges}': {File} holds the ranges of {Description.Activation}, {spec} has another leak; give it that leak, or --calibrate N");
            if (measure is not null) largest = measure();
        }
        return ActivationRanges.Parse(ranges, paths, largest, margin, leastMargin);
    }

    /// <summary>The PANN: the network with this activation, and others at single places.</summary>
    /// <param name="activation">The specification, such as <c>composite:alpha=9</c>.</param>
    /// <param name="ranges">The ranges' text: see <see cref="ActivationRanges"/>; <see cref="StoredRanges"/> for the ones of a network that holds its own.</param>
    /// <param name="margin">Factor on measured ranges.</param>
    /// <param name="patches">Single activations that are other functions: see <see cref="ActivationPatches"/>.</param>
    /// <exception cref="BadInputException">A text that is none, or ranges that the model has not.</exception>
    public ResNet Convert(string activation, string ranges = "layer", double margin = DefaultMargin, params IReadOnlyList<string> patches)
        => Convert(activation, ranges, margin, patches, out _);

    /// <summary>Everything about one PANN of this network: what <c>pann inspect</c> shows, for <see cref="Reports.RunRecordJson"/> and <see cref="Reports.HtmlReport"/>.</summary>
    /// <param name="images">The data set.</param>
    /// <param name="activation">The specification, such as <c>composite:alpha=9</c>.</param>
    /// <param name="ranges">The ranges' text: see <see cref="ActivationRanges"/>.</param>
    /// <param name="count">The first so many images.</param>
    /// <param name="margin">Factor on measured ranges.</param>
    /// <param name="patches">Single activations that are other functions: see <see cref="ActivationPatches"/>.</param>
    /// <param name="studies">Further parts; <see cref="InspectionStudy.All"/> by default.</param>
    /// <param name="workspace">Threads and memory; by default its own, with one thread. The result does not depend on the number of threads.</param>
    /// <param name="progress">Asked, for each part as it begins, who is told the units of it that are done; it gets the part's name and how many units there are.</param>
    /// <param name="cancellation">Stops between batches.</param>
    /// <exception cref="BadInputException">A text that is none, or ranges that the model has not.</exception>
    public RunRecord Inspect(
        Cifar10 images, string activation, string ranges = "layer", int count = int.MaxValue, double margin = DefaultMargin, IReadOnlyList<string>? patches = null,
        IReadOnlyList<InspectionStudy>? studies = null, Workspace? workspace = null, Func<string, int, IProgress<int>?>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(images);
        ResNet pann = Convert(activation, ranges, margin, patches ?? [], out Conversion conversion);
        int[] indices = [.. Enumerable.Range(0, Math.Min(count, images.Count))];
        string name = Path.GetFileName(File);
        var request = new InspectionRequest(
            Title(name, conversion.Activation, conversion.Ranges, conversion.Patches, indices.Length), "", name, conversion.Activation, conversion.Ranges?.Spec ?? "none", Provenance(images, conversion.Ranges, margin))
        {
            Patches = conversion.Patches,
            MadeForPolynomials = MadeForPolynomials,
        };
        return Using(workspace, used => Inspection.Run(request, pann, images, indices, Description.Normalization, used, progress, cancellation, studies: studies ?? InspectionStudy.All, ideal: Ideal(pann)));
    }

    /// <summary>Whether the weights were trained with polynomials that the file holds, or fitted to them.</summary>
    public bool MadeForPolynomials => Description.Pann is { StandsForItself: true };

    /// <summary>What a PANN of this network is compared with where nothing is said: itself, if the weights were trained with its polynomials or fitted to them and it has any of them left, else the function that they stand for.</summary>
    public IdealNetwork Ideal(ResNet pann)
    {
        ArgumentNullException.ThrowIfNull(pann);
        return MadeForPolynomials && pann.Activations.Any(activation => activation.Function is ActivationFunction.Polynomial) ? IdealNetwork.Self : IdealNetwork.Of(pann);
    }

    /// <summary>What the figures of an evaluation depend on, besides model, activation and ranges.</summary>
    /// <param name="data">The data set.</param>
    /// <param name="ranges">The ranges; null without polynomials.</param>
    /// <param name="margin">Factor on measured ranges.</param>
    /// <param name="calibration">Training images that ranges were measured on anew; null where the model file's measurements were taken.</param>
    public Dictionary<string, string> Provenance(Cifar10 data, ActivationRanges? ranges, double margin, int? calibration = null)
    {
        ArgumentNullException.ThrowIfNull(data);
        return new()
        {
            ["data"] = data.Source,
            ["normalisation"] = Description.Normalization.Name,
            ["ranges measured on"] = ranges?.Spec == StoredRanges ? $"not measured: held by the model file, whose network {Description.Pann?.Origin}" : ranges is null || !ActivationRanges.NeedsCalibration(ranges.Spec) ? "nothing" : $"{calibration ?? Description.CalibrationImages} training images",
            ["margin"] = ranges is null || !ActivationRanges.NeedsCalibration(ranges.Spec) ? "none" : FormattableString.Invariant($"{margin}"),
            ["weights"] = $"SHA-256 {ModelFile.WeightHash(Backbone)}",
        };
    }

    /// <summary>The ledger over the images that do not explode: see the extension of <see cref="ErrorLedger"/>.</summary>
    internal ErrorLedger Ledger(
        Cifar10 images, string activation, string ranges, int count, double margin, IReadOnlyList<string> patches, Workspace? workspace, IProgress<int>? progress, CancellationToken cancellation)
    {
        ResNet pann = Convert(activation, ranges, margin, patches);
        int[] indices = [.. Enumerable.Range(0, Math.Min(count, images.Count))];
        return Using(workspace, used =>
        {
            return ErrorLedger.Of(pann, images, indices, Description.Normalization, used, Ideal(pann), progress: progress, cancellation: cancellation);
        });
    }

    /// <summary>One line that says what was inspected.</summary>
    internal static string Title(string name, ActivationSpec activation, ActivationRanges? ranges, IReadOnlyDictionary<string, ActivationSpec> patches, int images)
        => $"{name} with {activation}, {(patches.Count == 0 ? "" : $"{patches.Count} of its activations patched, ")}{(ranges is null ? "no ranges" : $"ranges {ranges.Spec}")}, {images} images";

    private ResNet Convert(string activation, string ranges, double margin, IReadOnlyList<string> patches, out Conversion conversion)
    {
        var spec = ActivationSpec.Parse(activation);
        IReadOnlyDictionary<string, ActivationSpec> parsed = ActivationPatches.Parse(patches, Backbone, spec);
        ActivationSpec? ranged = parsed.Values.Prepend(spec).FirstOrDefault(s => s.IsPolynomial);
        ActivationRanges? used = ranged is null ? null : Ranges(ranged, ranges, margin);
        conversion = new(spec, used, parsed);
        return Backbone.With(spec, used).With(parsed, used);
    }

    private static T Using<T>(Workspace? given, Func<Workspace, T> work)
    {
        if (given is not null) return work(given);
        using var own = new Workspace(threads: 1);
        return work(own);
    }

    private sealed record Conversion(ActivationSpec Activation, ActivationRanges? Ranges, IReadOnlyDictionary<string, ActivationSpec> Patches);
}
