using System.Text.Json.Serialization;

namespace PannCore.Diagnostics;

/// <summary>The range of one activation and what arrived there.</summary>
/// <param name="Path">The activation.</param>
/// <param name="Range">B.</param>
/// <param name="Largest">Largest |x|, in the PANN, among the images that had left no range before; NaN if there was none. What follows in an image that has left a range may be astronomical.</param>
/// <param name="WorstImage">The image that had it, by its index in the data set; -1 if there was none.</param>
/// <param name="OutOfRange">Inputs outside [-B, B].</param>
/// <param name="RootImages">Images that leave a range here for the first time.</param>
/// <param name="ConsequenceImages">Images that leave it here after having left another before: it may be the consequence.</param>
public sealed record LayerRange(string Path, double Range, double Largest, int WorstImage, long OutOfRange, int RootImages, int ConsequenceImages)
{
    /// <summary>B / largest |x|: below 1, inputs are outside.</summary>
    public double Headroom => Range / Largest;
}

/// <summary>How near one image comes to the end of a range.</summary>
/// <param name="Image">Index in the data set.</param>
/// <param name="Path">The activation where it comes nearest, none after the first whose range it leaves.</param>
/// <param name="Share">|x| / B there; above 1 it is outside.</param>
public sealed record NearImage(int Image, string Path, double Share);

/// <summary>The network with all its ranges multiplied by a factor.</summary>
/// <param name="Factor">The factor.</param>
/// <param name="OutOfRangeImages">Images with an input outside its range.</param>
/// <param name="ExplodedImages">Images in which a polynomial answers beyond twice its range.</param>
/// <param name="Accuracy">Percent right.</param>
public sealed record RangeFactor(double Factor, int OutOfRangeImages, int ExplodedImages, double Accuracy);

/// <summary>The first failure as ranges shrink, predicted from |x|/B at the ranges as they are and then checked by changing them. A factor above 1: inputs are outside already.</summary>
/// <param name="PredictedFactor">The largest |x|/B seen: with ranges multiplied by less, an input is outside.</param>
/// <param name="PredictedPath">The activation where.</param>
/// <param name="PredictedImage">The image where.</param>
/// <param name="FoundFactor">
/// The factor at which an input first was outside, found by bisection over the images nearest to their ends and then confirmed on all: with 1.0001 times this factor, none is.
/// Other ranges give other polynomials, so it differs a little from the prediction.
/// </param>
/// <param name="FoundPath">The activation where.</param>
/// <param name="FoundImage">The image where.</param>
/// <param name="Steps">What happens on the way, largest factor first; some are above 1: wider ranges hold more and approximate worse.</param>
public sealed record Cliff(double PredictedFactor, string PredictedPath, int PredictedImage, double FoundFactor, string FoundPath, int FoundImage, IReadOnlyList<RangeFactor> Steps);

/// <summary>How the network bears an image that is no photograph.</summary>
/// <param name="Name">For instance <c>checkerboard</c>.</param>
/// <param name="Share">Largest |x|/B.</param>
/// <param name="Path">The activation where.</param>
/// <param name="Exploded">Whether a polynomial answered beyond twice its range.</param>
public sealed record StressImage(string Name, double Share, string Path, bool Exploded)
{
    /// <summary>The image: 3,072 bytes as CIFAR-10 stores them. Not part of the JSON.</summary>
    [JsonIgnore]
    public ReadOnlyMemory<byte> Pixels { get; init; }
}

/// <summary>A search, by the gradient, for an image with inputs as far out as possible; every pixel stays a whole number from 0 to 255, so that the image can exist.</summary>
/// <param name="Image">The image it began from.</param>
/// <param name="Steps">Steps taken.</param>
/// <param name="StartShare">Largest |x|/B at the start.</param>
/// <param name="Share">Largest |x|/B found.</param>
/// <param name="Path">The activation where.</param>
/// <param name="Exploded">Whether a polynomial answered beyond twice its range there.</param>
public sealed record RangeSearch(int Image, int Steps, double StartShare, double Share, string Path, bool Exploded)
{
    /// <summary>The image found: 3,072 bytes as CIFAR-10 stores them. Not part of the JSON.</summary>
    [JsonIgnore]
    public ReadOnlyMemory<byte> Pixels { get; init; }
}

/// <summary>How far the inputs of the activations are from the ends of their ranges, and what could push them over.</summary>
/// <param name="Layers">One line an activation.</param>
/// <param name="Nearest">The images nearest to the end of a range, nearest first.</param>
/// <param name="Cliff">The first failure, predicted and checked; null where no factor was found, as with inputs that are no numbers, and for networks whose ranges cannot be scaled (repaired, or trained with their polynomials).</param>
/// <param name="Stress">Images that are no photographs.</param>
/// <param name="Search">What a search by the gradient found.</param>
public sealed record RangeRecord(IReadOnlyList<LayerRange> Layers, IReadOnlyList<NearImage> Nearest, Cliff? Cliff, IReadOnlyList<StressImage> Stress, RangeSearch? Search);
