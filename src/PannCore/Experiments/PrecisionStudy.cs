using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Serialization;
using PannCore.Approximation;
using PannCore.Checkpoints;
using PannCore.Data;
using PannCore.Diagnostics;
using PannCore.Engine;
using PannCore.Nn;
using PannCore.Training;

namespace PannCore.Experiments;

/// <summary>A PANN of one network: precision, ranges, and what was done to it without training.</summary>
/// <param name="Ranges">The ranges' text.</param>
/// <param name="Control">One of <see cref="PrecisionStudy.Controls"/>.</param>
/// <param name="Alpha">The polynomials are <c>composite:alpha=</c> this.</param>
/// <param name="Correct">Images answered right; logits that are not finite are wrong.</param>
/// <param name="OutOfRangeImages">Images with an activation input outside its range.</param>
/// <param name="ExplodedImages">Images in which a polynomial answered beyond twice its range.</param>
/// <param name="Key">SHA-256 of all that the figures depend on: a cell whose key is what would be asked for need not be measured again.</param>
public sealed record PrecisionCell(string Ranges, string Control, int Alpha, int Correct, int OutOfRangeImages, int ExplodedImages, string Key)
{
    /// <summary>Of the images that the backbone answers right, those that this PANN does not: what <see cref="PrecisionNeeded.Interval"/> needs. Null in tables of before it was counted.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? Lost { get; init; }

    /// <summary>Right answers among the bundled images, by which a figure can be checked without the whole data set; null where others judge.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? SampleCorrect { get; init; }

    /// <summary>How long it took to measure; null in tables of before it was kept.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? Seconds { get; init; }

    /// <summary>Which images were answered right, for <see cref="McNemar"/>: see <see cref="RightAnswers"/>. Kept where networks are compared.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Right { get; init; }
}

/// <summary>The accuracy of a network's PANNs against precision, for several ranges, plain and with the controls that need no training.</summary>
public sealed class PrecisionStudy
{
    /// <summary>Plain conversion.</summary>
    public const string Plain = "plain";

    /// <summary>Weights fitted again by least squares: <see cref="Refit"/>.</summary>
    public const string Refitted = "refit";

    /// <summary>Channels brought to the same range: <see cref="Equalisation"/>.</summary>
    public const string Equalised = "equalised";

    /// <summary>Channels brought to the same range, then weights fitted again.</summary>
    public const string EqualisedRefitted = "equalised, refit";

    /// <summary>Margin of ranges after equalisation, chosen on images held out: every channel ends at its range, so more of them can leave it.</summary>
    public const double EqualisedMargin = 1.3;

    /// <summary>Changes with what the engine computes: cells of another version are measured again.</summary>
    private const int Version = 1;

    private readonly PannModel _model;
    private readonly Cifar10 _training, _test;
    private readonly Workspace _workspace;
    private readonly string _fixed;
    private readonly int[] _images, _all, _sample;
    private (ResNet Network, IReadOnlyDictionary<string, double> LargestInputs)? _equalised;

    /// <summary>A study of one network.</summary>
    /// <param name="model">The network, with measured ranges.</param>
    /// <param name="training">Training images, unaugmented, that the controls measure on.</param>
    /// <param name="repairImages">How many of them, the first ones.</param>
    /// <param name="test">The images that are answered.</param>
    /// <param name="workspace">Threads and memory.</param>
    /// <param name="sample">Indices of those that are bundled; none by default.</param>
    public PrecisionStudy(PannModel model, Cifar10 training, int repairImages, Cifar10 test, Workspace workspace, int[]? sample = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        (_model, _training, _test, _workspace) = (model, training, test, workspace);
        (_images, _all, _sample) = ([.. Enumerable.Range(0, repairImages)], [.. Enumerable.Range(0, test.Count)], sample ?? []);
        _fixed = string.Join('|', Version, ModelFile.WeightHash(model.Backbone), model.Description.Normalization.Name, Hash(training.Images), repairImages, Hash(test.Images), Hash(test.Labels), workspace.Convolution);
    }

    /// <summary>
    /// Plain conversion; each channel's mean injected error taken off (<c>shift</c>); batch-norm's statistics re-estimated (<c>statistics</c>); both (<c>shift, statistics</c>); weighted layers fitted again (<c>refit</c>);
    /// channels brought to the same range (<c>equalised</c>); that and then fitted (<c>equalised, refit</c>).
    /// A remedy that needs training counts for what it adds over the best of them.
    /// </summary>
    public static IReadOnlyList<string> Controls { get; } = [Plain, "shift", "statistics", "shift, statistics", Refitted, Equalised, EqualisedRefitted];

    /// <summary>Whether a control makes sense with ranges: the scale of equalised networks is arbitrary, so a fixed B says nothing of them.</summary>
    public static bool Applies(string control, string ranges) => control is not (Equalised or EqualisedRefitted) || ActivationRanges.NeedsCalibration(ranges);

    /// <summary>One range for all, one for each layer, and the state of the art's fixed one.</summary>
    public static IReadOnlyList<string> RangeTexts { get; } = ["global", "layer", "global:50"];

    /// <summary>The precisions at which networks with one range are compared image by image.</summary>
    public static IReadOnlyList<int> Compared { get; } = [7, 8, 9];

    /// <summary>The ideal network's right answers.</summary>
    public bool[] Backbone(CancellationToken cancellation = default) =>
        Right(Evaluation.Of(_model.Backbone.With(_model.Description.Activation, ranges: null), _test, _all, _model.Description.Normalization, _workspace, cancellation: cancellation));

    /// <summary>The key of a cell.</summary>
    public string Key(string ranges, string control, int alpha)
    {
        (ActivationSpec spec, ActivationRanges used) = Ask(ranges, alpha);
        ReluPolynomial polynomial = spec.Build();
        string coefficients = string.Join(';', polynomial.Stages.Select(stage => string.Join(',', stage.Coefficients.Select(c => c.ToString("R", System.Globalization.CultureInfo.InvariantCulture)))));
        string values = string.Join(',', used.ByPath.Select(pair => FormattableString.Invariant($"{pair.Key}={pair.Value:R}")));
        return Hash(Encoding.UTF8.GetBytes(string.Join('|', _fixed, spec, coefficients, values, control, FormattableString.Invariant($"{(control is Equalised or EqualisedRefitted ? EqualisedMargin : 0)}"), control is Refitted or EqualisedRefitted ? FormattableString.Invariant($"{Refit.UsualRidge}/{Refit.Version}") : "0")));
    }

    /// <summary>Measures one cell. A control that finds no image in which no polynomial explodes has nothing to measure its remedy on, and leaves the network as it is.</summary>
    /// <param name="ranges">One of <see cref="RangeTexts"/>, or any other text of ranges.</param>
    /// <param name="control">One of <see cref="Controls"/>.</param>
    /// <param name="alpha">Precision of the polynomials.</param>
    /// <param name="backboneRight">Which images the backbone answers right, as the row tells that the cell belongs to: <see cref="Backbone"/>, perhaps of another machine, whose rounding may change an answer.</param>
    /// <param name="cancellation">Stops between batches.</param>
    /// <exception cref="BadInputException">The model holds no ranges.</exception>
    public PrecisionCell Measure(string ranges, string control, int alpha, bool[] backboneRight, CancellationToken cancellation = default)
    {
        (ActivationSpec spec, ActivationRanges used) = Ask(ranges, alpha);
        ResNet backbone = _model.Backbone;
        if (control is Equalised or EqualisedRefitted)
        {
            (backbone, IReadOnlyDictionary<string, double> largest) = _equalised ??= Equalisation.Of(
                backbone, Equalisation.Measure(backbone, _training, [.. Enumerable.Range(0, _training.Count)], _model.Description.Normalization, _workspace, cancellation: cancellation));
            used = ActivationRanges.Parse(ranges, [.. used.ByPath.Keys], largest, EqualisedMargin);
        }
        ResNet pann = backbone.With(spec, used);
        if (control is not (Plain or Equalised)) pann = Controlled(backbone, spec, used, control, cancellation) ?? pann;
        var probe = new RangeProbe();
        Evaluation answers = Evaluation.Of(pann, _test, _all, _model.Description.Normalization, _workspace, observers: [probe], cancellation: cancellation);
        bool[] right = Right(answers);
        McNemar changed = McNemar.Of(backboneRight, right);
        return new(ranges, control, alpha, answers.Correct, probe.OutOfRangeImages, probe.Exploded.Count, Key(ranges, control, alpha))
        {
            Lost = changed.First,
            SampleCorrect = _sample.Length == 0 ? null : _sample.Count(image => right[image]),
            Right = ranges == RangeTexts[0] && Compared.Contains(alpha) ? RightAnswers.Write(right) : null,
        };
    }

    private bool[] Right(Evaluation answers) => [.. answers.Predictions.Select((prediction, i) => prediction == _test.Labels[i])];

    private ResNet? Controlled(ResNet backbone, ActivationSpec spec, ActivationRanges ranges, string control, CancellationToken cancellation)
    {
        try
        {
            if (control is Refitted or EqualisedRefitted) return Refit.Of(backbone, spec, ranges, _training, _images, _model.Description.Normalization, _workspace, cancellation: cancellation).Pann;
            return Repair.InOneWay(
                backbone, spec, ranges, control.StartsWith("shift", StringComparison.Ordinal) ? RepairShift.Injected : null, control.EndsWith("statistics", StringComparison.Ordinal),
                _training, _images, _model.Description.Normalization, _workspace, cancellation: cancellation).Pann;
        }
        catch (ExplodedException)
        {
            return null;
        }
    }

    private (ActivationSpec, ActivationRanges) Ask(string ranges, int alpha)
    {
        ActivationSpec spec = PrecisionSweep.Alphas(alpha, alpha, _model.Description.Activation.Leak).Single();
        return (spec, _model.Ranges(spec, ranges));
    }

    private static string Hash(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));
}
