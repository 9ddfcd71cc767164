using System.Text.Json.Serialization;

namespace PannCore.Diagnostics;

/// <summary>Size of one error term over all elements of an operation's output, in the units of that output.</summary>
/// <param name="Max">Largest magnitude.</param>
/// <param name="Rms">Root of the mean square.</param>
/// <param name="Mean">Signed mean: the bias.</param>
public sealed record ErrorSize(double Max, double Rms, double Mean);

/// <summary>
/// The ledger line of one operation. For every output element
/// <c>total = approximation + arithmetic + inherited</c>, with f the ideal function, p the polynomial in exact arithmetic,
/// fl(p) its float32 evaluation, x the ideal network's input and x' the input that really arrived:
/// <c>fl(p)(x') - f(x) = [p(x') - f(x')] + [fl(p)(x') - p(x')] + [f(x') - f(x)]</c>.
/// </summary>
/// <param name="Path">Where in the network, for instance <c>layer2.0.conv1</c>.</param>
/// <param name="Op">The operation's name, for instance <c>conv2d</c>.</param>
/// <param name="Total">Working output minus ideal output.</param>
/// <param name="Approximation">Injected here because another function is in the place of the ideal one: at an activation the polynomial; beside another model the difference of weights, at any operation; else 0.</param>
/// <param name="Arithmetic">Injected here by rounding to float32.</param>
/// <param name="Inherited">Already in the input and passed on by the ideal function.</param>
/// <param name="IdealRms">Root mean square of the ideal output: the signal.</param>
/// <param name="SqnrDb">10 log10(sum ideal^2 / sum total^2), in decibels.</param>
/// <param name="Gain">RMS(inherited) / RMS(input error); null where no error came in.</param>
/// <param name="NegativeShare">Share of the injected squared error at inputs below 0; null for operations that are no activation.</param>
/// <param name="NegativeElements">Share of the elements whose input is below 0; null as above.</param>
/// <param name="NegativeMean">Mean injected error over inputs below 0; null as above.</param>
/// <param name="PositiveMean">Mean injected error over inputs of at least 0; null as above.</param>
/// <param name="OutOfRange">Inputs outside [-B, B] in all images, exploded ones included; 0 for operations without a range.</param>
/// <param name="LargestInput">Largest |x| that arrived at an activation; null for other operations.</param>
/// <param name="Range">The range B of a polynomial activation; null for other operations.</param>
/// <param name="NonFinite">Elements that are not finite, in all images, exploded ones included.</param>
/// <param name="IdentityResidual">Largest |total - (arithmetic + approximation + inherited)| over the largest of the four magnitudes.</param>
public sealed record OperationRecord(
    string Path,
    string Op,
    ErrorSize Total,
    ErrorSize Approximation,
    ErrorSize Arithmetic,
    ErrorSize Inherited,
    double IdealRms,
    double SqnrDb,
    double? Gain,
    double? NegativeShare,
    double? NegativeElements,
    double? NegativeMean,
    double? PositiveMean,
    long OutOfRange,
    double? LargestInput,
    double? Range,
    long NonFinite,
    double IdentityResidual)
{
    private readonly ValueList<ErrorSize>? _branches;

    /// <summary>SQNR in bits of a number that is quantised as finely: SqnrDb / 6.02.</summary>
    public double Bits => SqnrDb / (20 * Math.Log10(2));

    /// <summary>Cosine of the angle between working and ideal output, over all elements; null where one of them is 0.</summary>
    public double? Cosine { get; init; }

    /// <summary>Gain of relative errors: inherited RMS over the signal's RMS here, divided by incoming error RMS over the signal's RMS there; null where no error came in.</summary>
    public double? RelativeGain { get; init; }

    /// <summary>Of an activation: the largest approximation error that is possible inside its range, B E for a polynomial, and a repair's largest shift more; null where none is known.</summary>
    public double? ApproximationBound { get; init; }

    /// <summary>Differences between whole runs, never to be added to what is injected here; null where they were not measured.</summary>
    public AccumulatedError? Accumulated { get; init; }

    /// <summary>Of an addition: what was inherited through each of its inputs, main branch first; their sum is <see cref="Inherited"/> element by element. Null for other operations.</summary>
    public IReadOnlyList<ErrorSize>? Branches
    {
        get => _branches;
        init => _branches = value is null ? null : new(value);
    }

    /// <summary>The total error image by image; null where it was not measured.</summary>
    public ImageSpread? Spread { get; init; }
}

/// <summary>
/// What has accumulated up to an operation: differences between whole runs of the network, in the ideal function in float64, in the polynomials in float64, and in float32.
/// Injected terms are made at one operation; these are made at all operations so far.
/// </summary>
/// <param name="Approximation">Polynomials in float64 less ideal network in float64.</param>
/// <param name="Arithmetic">Polynomials in float32 less polynomials in float64.</param>
public sealed record AccumulatedError(ErrorSize Approximation, ErrorSize Arithmetic);

/// <summary>RMS of the total error of single images, over the RMS of the ideal output in all images.</summary>
/// <param name="Median">Of the median image.</param>
/// <param name="WorstDecile">Exceeded by one image in ten.</param>
/// <param name="Worst">Of the worst image.</param>
/// <param name="WorstImage">Index of that image in the data set.</param>
public sealed record ImageSpread(double Median, double WorstDecile, double Worst, int WorstImage);

/// <summary>One independent check of the ledger: a bound or an equality that the identity alone does not imply.</summary>
/// <param name="Name">What was checked.</param>
/// <param name="Passed">Whether it held at every element of every operation.</param>
/// <param name="Detail">The tightest place, or the operation, element and term that failed.</param>
public sealed record CheckRecord(string Name, bool Passed, string Detail);

/// <summary>
/// What switching one activation from the ideal function to its polynomial does to the logits, all earlier ones being switched already.
/// The shares of all layers sum exactly to the change of the logits, for this one (forward) order.
/// </summary>
/// <param name="Path">The activation.</param>
/// <param name="LogitShare">Mean over images of the change of the predicted class's margin, in logit units; negative hurts.</param>
/// <param name="LogitRms">RMS change over all logits.</param>
/// <param name="Accuracy">Accuracy in percent once this activation is switched, over the images that do not explode.</param>
public sealed record LayerShare(string Path, double LogitShare, double LogitRms, double Accuracy);

/// <summary>An image whose prediction differs between the ideal network and the PANN.</summary>
/// <param name="Image">Index in the data set.</param>
/// <param name="Label">True class.</param>
/// <param name="Ideal">Class predicted by the ideal network.</param>
/// <param name="Pann">Class predicted by the PANN; -1 where its logits are not finite.</param>
public sealed record Flip(int Image, int Label, int Ideal, int Pann)
{
    /// <summary>The activation from whose switching on, first to last, the prediction stays changed; null where that was not measured.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? FlippedAt { get; init; }
}

/// <summary>One point of an approximation's error curve on its normalised interval [-1, 1].</summary>
/// <param name="X">Position, in units of the range B.</param>
/// <param name="Error">Polynomial minus ideal function, in units of B.</param>
public sealed record CurvePoint(double X, double Error);

/// <summary>Everything <c>pann inspect</c> found, as plain data: the JSON file, the console tables and the HTML report are all made from it.</summary>
/// <param name="Schema">Version of this record's shape, for readers of the JSON.</param>
/// <param name="Title">One line that says what was inspected.</param>
/// <param name="Command">The command that produces this record again.</param>
/// <param name="Model">Name of the model file.</param>
/// <param name="Architecture">For instance <c>resnet20</c>.</param>
/// <param name="Activation">The activation's specification text.</param>
/// <param name="Ranges">The ranges' specification text.</param>
/// <param name="Images">Number of images run.</param>
/// <param name="IdealAccuracy">Percent right, ideal network in float32: the backbone as it would be used.</param>
/// <param name="PannAccuracy">Percent right, PANN; logits that are not finite count as wrong.</param>
/// <param name="NonFiniteImages">Images whose PANN logits are not finite.</param>
/// <param name="ExplodedImages">
/// Images in which a polynomial answered beyond [-2 B, 2 B], or whose logits are not finite. They count in both accuracies, in <paramref name="Flips"/>, and in
/// the operations' OutOfRange and NonFinite; no other figure contains them, because one of them would drown all others.
/// </param>
/// <param name="OutOfRangeImages">Images with at least one activation input outside its range.</param>
/// <param name="Log2MaxError">log2 of the certified maximum error of the polynomial on [-1, 1].</param>
/// <param name="ErrorCurve">The polynomial's error over its interval, for drawing.</param>
/// <param name="Operations">One line per operation, in the order of execution.</param>
/// <param name="IdentityResidual">The largest identity residual of all operations.</param>
/// <param name="Checks">The independent checks.</param>
/// <param name="Layers">The layer switch, forward order.</param>
/// <param name="Flips">Images whose prediction changed.</param>
/// <param name="ClassNames">Names of the classes.</param>
/// <param name="Provenance">What else the figures depend on: data set, normalisation, margin, calibration, hash of the weights.</param>
public sealed record RunRecord(
    int Schema,
    string Title,
    string Command,
    string Model,
    string Architecture,
    string Activation,
    string Ranges,
    int Images,
    double IdealAccuracy,
    double PannAccuracy,
    int NonFiniteImages,
    int ExplodedImages,
    int OutOfRangeImages,
    double Log2MaxError,
    IReadOnlyList<CurvePoint> ErrorCurve,
    IReadOnlyList<OperationRecord> Operations,
    double IdentityResidual,
    IReadOnlyList<CheckRecord> Checks,
    IReadOnlyList<LayerShare> Layers,
    IReadOnlyList<Flip> Flips,
    IReadOnlyList<string> ClassNames,
    IReadOnlyDictionary<string, string> Provenance)
{
    /// <summary>The version of this shape.</summary>
    public const int CurrentSchema = 2;

    /// <summary>What is wrong with the run as a whole, the gravest first, each with what to do about it; empty where nothing is.</summary>
    public IReadOnlyList<string> Diagnoses { get; init; } = [];

    /// <summary>What the network is compared with: relu, leaky:a, self, model:FILE, or own where its activations stand for different functions.</summary>
    public string Ideal { get; init; } = "relu";

    /// <summary>Activations whose polynomial is another one than <see cref="Activation"/>: path and specification text.</summary>
    public IReadOnlyDictionary<string, string> Patches { get; init; } = new Dictionary<string, string>();

    /// <summary>Activations whose approximation error was not checked, because no bound of their distance from the ideal is known: its slope is another, or it is another network. Null where all were, and in records of programs that did not say.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<string>? Unbounded { get; init; }

    /// <summary>Which layer hurts the answer; null, as are the next four, where it was not asked for.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public CauseRecord? Causes { get; init; }

    /// <summary>Inside each polynomial.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<InsideRecord>? Inside { get; init; }

    /// <summary>How near the inputs come to the ends of their ranges.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public RangeRecord? Ranging { get; init; }

    /// <summary>Sound bounds.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public BoundRecord? Bounds { get; init; }

    /// <summary>The same at other precisions.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public SweepRecord? Sweep { get; init; }

    /// <summary>Pixels of the images that a report shows, by index: 3,072 bytes as CIFAR-10 stores them, red plane, green plane, blue plane. Not part of the JSON.</summary>
    [JsonIgnore]
    public IReadOnlyDictionary<int, ReadOnlyMemory<byte>> Pictures { get; init; } = new Dictionary<int, ReadOnlyMemory<byte>>();

    /// <summary>The network in another arithmetic, over the images that do not explode; null, and left out of the JSON, where none was asked for.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ArithmeticRecord? OtherArithmetic { get; init; }
}
