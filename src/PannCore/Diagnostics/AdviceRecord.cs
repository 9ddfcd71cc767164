namespace PannCore.Diagnostics;

/// <summary>What advice keeps least.</summary>
public enum AdviceGoal
{
    /// <summary>The sum of the CKKS levels of the activations.</summary>
    Levels,

    /// <summary>The products of ciphertexts, in elements.</summary>
    Multiplications,
}

/// <summary>A network's answers for some images, against the ideal network's.</summary>
/// <param name="Images">Images.</param>
/// <param name="Correct">Right answers.</param>
/// <param name="Lost">Images that the ideal network gets right and this one does not.</param>
/// <param name="Gained">Images that this one gets right and the ideal network does not.</param>
/// <param name="ExpectedLoss">Right answers lost, in points, if the change of each margin had met another image of about that margin: without the luck of single images, and with nothing gained.</param>
public sealed record AdviceScore(int Images, int Correct, int Lost, int Gained, double ExpectedLoss)
{
    /// <summary>Percent right.</summary>
    public double Accuracy => 100.0 * Correct / Images;

    /// <summary>Points below the ideal network on the same images.</summary>
    public double Loss => 100.0 * (Lost - Gained) / Images;

    /// <summary>95 % interval of the accuracy, in percent: <see cref="BinomialInterval"/>.</summary>
    public BinomialInterval Interval => BinomialInterval.Of(Correct, Images);
}

/// <summary>A network that was considered: what it costs and what it answers.</summary>
/// <param name="Name">For instance <c>composite:alpha=9</c>, at every activation.</param>
/// <param name="ActivationLevels">Sum of the CKKS levels of its activations; 0 for the ideal network, which cannot be evaluated on encrypted data.</param>
/// <param name="NetworkLevels">CKKS levels of its longest path, convolutions and all: <see cref="NetworkCost"/>; 0 as above.</param>
/// <param name="Multiplications">Products of ciphertexts, in elements; 0 as above.</param>
/// <param name="ExplodedImages">Images judged in which a polynomial answered beyond twice its range.</param>
/// <param name="Chosen">On the images that the choice was made by: flattering, because it was made by them.</param>
/// <param name="Judged">On other images.</param>
public sealed record AdviceTrial(string Name, int ActivationLevels, int NetworkLevels, long Multiplications, int ExplodedImages, AdviceScore Chosen, AdviceScore Judged);

/// <summary>The polynomial chosen for one activation.</summary>
/// <param name="Path">The activation.</param>
/// <param name="Activation">The polynomial's specification text.</param>
/// <param name="Log2MaxError">log2 of its certified maximum error on [-1, 1].</param>
/// <param name="Levels">Its CKKS levels.</param>
/// <param name="Multiplications">Its products of ciphertexts, in elements.</param>
/// <param name="MarginRms">RMS change of the ideal prediction's margin by this polynomial alone, in logit units.</param>
public sealed record AdvisedActivation(string Path, string Activation, double Log2MaxError, int Levels, long Multiplications, double MarginRms);

/// <summary>A polynomial for each activation, chosen for the least cost within a stated loss of accuracy.</summary>
/// <param name="Goal">What was kept least.</param>
/// <param name="Loss">Points of accuracy that may be lost against the ideal network: as expected (<see cref="AdviceScore.ExpectedLoss"/>) on the images the choice is made by, as counted on those that judge it.</param>
/// <param name="ChosenOn">These images, in words.</param>
/// <param name="JudgedOn">The images kept apart, in words.</param>
/// <param name="Ideal">The network that the loss is against.</param>
/// <param name="Uniform">The cheapest candidate that stays within the loss at every activation alike.</param>
/// <param name="Advised">The network advised.</param>
/// <param name="Evaluations">Networks that were run to find it.</param>
/// <param name="Layers">One line an activation, in the order of execution.</param>
public sealed record AdviceRecord(
    AdviceGoal Goal, double Loss, string ChosenOn, string JudgedOn, AdviceTrial Ideal, AdviceTrial Uniform, AdviceTrial Advised, int Evaluations, IReadOnlyList<AdvisedActivation> Layers)
{
    /// <summary>The advice as patches: what <see cref="ActivationPatches"/> reads from a file.</summary>
    public IReadOnlyDictionary<string, string> Patches => Layers.ToDictionary(layer => layer.Path, layer => layer.Activation);

    /// <summary>Whether the loss is within the stated one on the images kept apart, too.</summary>
    public bool Kept => Advised.Judged.Loss <= Loss;
}
