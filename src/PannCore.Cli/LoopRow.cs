using PannCore.Data;
using PannCore.Diagnostics;
using PannCore.Engine;
using PannCore.Experiments;
using PannCore.Nn;

namespace PannCore.Cli;

/// <summary>A network that was trained on from a backbone, with polynomials or, as their control, with ReLU.</summary>
/// <param name="Name">Its name, which is also its file's.</param>
/// <param name="Tuning">The way it was trained on.</param>
/// <param name="Activation">The polynomial; null with ReLU.</param>
/// <param name="Seed">Its seed, and its backbone's.</param>
/// <param name="Command">The command that trains it from the backbone.</param>
/// <param name="Backbone">The backbone's name.</param>
/// <param name="Weights">SHA-256 of its weights.</param>
/// <param name="Images">Images that judge.</param>
/// <param name="BackboneCorrect">Right answers of the backbone, which was trained for fewer epochs.</param>
/// <param name="Correct">Right answers.</param>
/// <param name="Interval">95 % interval of the accuracy, over images: it says nothing of other seeds.</param>
/// <param name="Right">Which: see <see cref="RightAnswers"/>.</param>
/// <param name="SampleCorrect">Right answers among the bundled images; null where others judge.</param>
/// <param name="Price">What an encrypted evaluation costs; null with ReLU.</param>
/// <param name="Ranges">Inputs outside, nearest images, images that are no photographs, a search; null with ReLU.</param>
internal sealed record LoopRow(
    string Name, string Tuning, string? Activation, long Seed, string Command, string Backbone, string Weights, int Images, int BackboneCorrect, int Correct, BinomialInterval Interval, string Right, int? SampleCorrect, LoopPrice? Price, LoopRanges? Ranges) : IResultRow
{
    /// <summary>Percent right.</summary>
    public double Accuracy => 100.0 * Correct / Images;

    string? IResultRow.Fault => IResultRow.CountFault(Images, BackboneCorrect, Correct) ?? IResultRow.AnswerFault(Right, Images)
        ?? (!Name.StartsWith($"{Backbone}.{Tuning}", StringComparison.Ordinal) ? $"a name that begins with {Backbone}.{Tuning}, found another" : null)
        ?? (Ranges is { } ranges && (ranges.Study.Nearest.Count == 0 || ranges.Study.Nearest.Any(image => image is null)) ? "the images nearest to the ends of the ranges, found none" : null);
}

/// <summary>The price of one image, leading coefficients folded into the weights beside them.</summary>
/// <param name="Levels">CKKS levels.</param>
/// <param name="Depth">Ciphertext products one after the other.</param>
/// <param name="Multiplications">Ciphertext products, in elements.</param>
internal sealed record LoopPrice(int Levels, int Depth, long Multiplications)
{
    /// <summary>The price of an image through a network of polynomials.</summary>
    public static LoopPrice Of(ResNet network, Workspace workspace)
    {
        var cost = NetworkCost.Of(network, Cifar10.OneImage, workspace, foldLeadingCoefficient: true);
        return new(cost.Levels, cost.Depth, cost.NonScalarMultiplications);
    }
}

/// <summary>How far inputs are from the ends of the ranges.</summary>
/// <param name="OutOfRange">Inputs outside.</param>
/// <param name="OutOfRangeImages">Images with one.</param>
/// <param name="Study">By layer, nearest images, stress images, search.</param>
internal sealed record LoopRanges(long OutOfRange, int OutOfRangeImages, RangeRecord Study)
{
    /// <summary>Largest |x|/B among the images that judge.</summary>
    public double Largest => Study.Nearest[0].Share;
}
