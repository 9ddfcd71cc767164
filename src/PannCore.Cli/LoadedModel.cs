using System.CommandLine;
using PannCore.Approximation;
using PannCore.Checkpoints;
using PannCore.Data;
using PannCore.Diagnostics;
using PannCore.Engine;
using PannCore.Nn;

namespace PannCore.Cli;

/// <summary>A backbone from a file, and its PANN as the options describe it.</summary>
internal sealed record LoadedModel(PannModel Model)
{
    private const string Bundled = "data/models/resnet20.safetensors";

    public string File => Model.File;

    public ResNet Backbone => Model.Backbone;

    public ModelDescription Description => Model.Description;

    /// <summary>The model of <c>--model</c>, or the bundled one, which lies below the current folder or the program's repository.</summary>
    public static LoadedModel Open(string? file, string? architecture, string? normalization)
        => new(PannModel.Load(file ?? BundledPath(), architecture, normalization is null ? null : Normalization.Parse(normalization)));

    /// <summary>Activation and ranges as the options say; where they say nothing and the file holds a PANN, that PANN's.</summary>
    public (ActivationSpec Activation, string Ranges) Asked(ParseResult parsed, Option<string> activation, Option<string> ranges)
    {
        ActivationSpec spec = Asked(parsed, activation);
        return (spec, Description.Pann is not null && spec.IsPolynomial && !CommonOptions.IsGiven(parsed, ranges) ? PannModel.StoredRanges : parsed.GetValue(ranges)!);
    }

    /// <summary>The activation as the option says; where it says nothing, that of the PANN that the file holds, or else the usual one with the slope below 0 that the network was trained with.</summary>
    public ActivationSpec Asked(ParseResult parsed, Option<string> activation)
    {
        var spec = ActivationSpec.Parse(parsed.GetValue(activation)!);
        return CommonOptions.IsGiven(parsed, activation) ? spec : Description.Pann?.Activation ?? Like(spec);
    }

    /// <summary>The function itself that this network's activations stand for, or a polynomial for it.</summary>
    public ActivationSpec Like(ActivationSpec spec)
        => !spec.IsPolynomial ? Description.Activation : spec.Leak == Description.Activation.Leak ? spec : ActivationSpec.Parse(FormattableString.Invariant($"{spec},leak={Description.Activation.Leak}"));

    /// <summary>Refuses a model that holds a PANN already.</summary>
    /// <param name="why">What is wrong with that, after what the PANN is.</param>
    public void RequireBackbone(string why = "")
    {
        if (Description.Pann is { } stored) throw new BadInputException($"{File}: {stored.Origin}{why}; give the model as it was before that");
    }

    /// <summary>Refuses options on ranges that would do nothing.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="needed">The ranges' text; null where no polynomial needs any.</param>
    /// <param name="ranges">The option of the text.</param>
    /// <param name="calibrate">The option that measures them.</param>
    /// <param name="margin">The option that widens what was measured.</param>
    public static void RefuseIdle(ParseResult parsed, string? needed, Option ranges, Option calibrate, Option margin)
    {
        if (needed is null) CommonOptions.RefuseIdle(parsed, "a polynomial, whose ranges it is about, found none", ranges, calibrate, margin);
        else if (needed == PannModel.StoredRanges) CommonOptions.RefuseIdle(parsed, "measured ranges, which it is a factor on, found those that the model file holds", margin);
        else if (!ActivationRanges.NeedsCalibration(needed)) CommonOptions.RefuseIdle(parsed, $"ranges layer or global, which are measured, found {needed}, which are taken as they are", calibrate, margin);
    }

    /// <summary>The PANN: the polynomial of <paramref name="spec"/> over ranges measured on training images.</summary>
    /// <param name="spec">The activation.</param>
    /// <param name="ranges">The ranges' text.</param>
    /// <param name="calibrate">Training images to measure on; 0 takes the model file's measurements.</param>
    /// <param name="margin">Factor on measured ranges.</param>
    /// <param name="data">Where data were found; read only if images must be measured.</param>
    /// <param name="workspace">Threads and memory.</param>
    /// <param name="cancellation">Stops between batches.</param>
    /// <param name="patches">Single activations that are other functions.</param>
    public (ResNet Model, ActivationRanges? Ranges) Convert(
        ActivationSpec spec, string ranges, int calibrate, double margin, DataFolder data, Workspace workspace, CancellationToken cancellation, IReadOnlyDictionary<string, ActivationSpec>? patches = null)
    {
        patches ??= new Dictionary<string, ActivationSpec>();
        ActivationSpec? ranged = patches.Values.Prepend(spec).FirstOrDefault(s => s.IsPolynomial);
        ActivationRanges? used = ranged is null ? null : Ranges(ranged, ranges, calibrate, margin, data, workspace, cancellation);
        return (Backbone.With(spec, used).With(patches, used), used);
    }

    /// <summary>The ranges of the activations, for whoever needs them without polynomials too; parameters as in <see cref="Convert"/>.</summary>
    public ActivationRanges Ranges(ActivationSpec spec, string ranges, int calibrate, double margin, DataFolder data, Workspace workspace, CancellationToken cancellation)
        => Model.Ranges(spec, ranges, margin, calibrate > 0 ? () => Measure(spec, calibrate, data, workspace, cancellation) : null);

    private Dictionary<string, double> Measure(ActivationSpec spec, int images, DataFolder folder, Workspace workspace, CancellationToken cancellation)
    {
        if (!folder.IsOfficial)
            throw new BadInputException($"--calibrate: expected the official training files, found {folder.Location}; test images are never calibrated on; get the data with: pann data fetch");
        Cifar10 training = images <= Cifar10.BatchRecords ? Cifar10.ReadBatch(folder.Location, 1) : Cifar10.ReadTrain(folder.Location);
        if (images > training.Count) throw new BadInputException($"--calibrate: expected at most {training.Count} images, found {images}");
        ResNet ideal = Backbone.With(_ => new ActivationFunction.Relu((float)spec.Leak));
        int[] indices = [.. Enumerable.Range(0, images)];
        return ProgressBar.Run("measuring ranges", images, progress => RangeProbe.Calibrate(ideal, training, indices, Description.Normalization, workspace, progress, cancellation: cancellation));
    }

    /// <summary>What the figures of an evaluation depend on, besides model, activation and ranges.</summary>
    public Dictionary<string, string> Provenance(Cifar10 data, ActivationRanges? ranges, int calibrate, double margin, Workspace workspace)
    {
        Dictionary<string, string> provenance = Model.Provenance(data, ranges, margin, calibrate > 0 ? calibrate : null);
        provenance["convolution"] = CommonOptions.Name(workspace.Convolution);
        return provenance;
    }

    /// <summary>Where the bundled model is; null if nowhere.</summary>
    public static string? FindBundled() => Starts().SelectMany(Above).Select(folder => Path.Combine(folder, Bundled)).FirstOrDefault(System.IO.File.Exists);

    private static string[] Starts() => [Directory.GetCurrentDirectory(), Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory)];

    private static IEnumerable<string> Above(string start)
    {
        for (string? folder = start; folder is not null; folder = Path.GetDirectoryName(folder)) yield return folder;
    }

    private static string BundledPath()
    {
        if (FindBundled() is string found) return found;
        string[] starts = Starts();
        throw new BadInputException($"no --model given, and the bundled {Bundled} is neither below {starts[0]} nor below {starts[1]}, nor below a folder above them");
    }
}
