using PannCore.Engine;
using PannCore.Nn;

namespace PannCore.Diagnostics;

/// <summary>
/// What one image costs when a network is evaluated on encrypted data: read off a run, operation by operation, so that any network of known operations has a price.
/// </summary>
/// <remarks>
/// <para>The model, in units of one element of a tensor (an image packed into slots costs a ciphertext operation for every vector of slots that the elements fill):</para>
/// <list type="bullet">
/// <item>a polynomial activation costs what <see cref="Approximation.EvaluationPlan"/> counts; 1/B and B are folded into the linear maps before and after it;</item>
/// <item>a convolution or linear layer: one level, and as many plaintext products an element as its kernel has weights (R S C), those that meet the border's zeros included;</item>
/// <item>batch-norm is folded into the convolution before it, the division of a mean into the linear layer after it: no level, no product;</item>
/// <item>an addition brings both branches to the lower of their levels. The branch that has consumed less has no linear map that could take the ratio of the two scales (ranges,
/// folded coefficients, the mask of a shortcut), so it is multiplied by a constant first: one product an element and one of its own levels. Branches that have consumed equally much need none;</item>
/// <item>rotations and key switches are left out, because they depend on how images are packed.</item>
/// </list>
/// <para>
/// Bootstraps are placed greedily: a fresh ciphertext has L levels; where an operation needs more than its input has left, that input is refreshed to L, for every later use of it.
/// That is not the least number: a refresh inside a block helps the branch it is in, and the sum falls to the level of the other one, so that a cheaper activation can even need more of them.
/// </para>
/// </remarks>
/// <param name="LeadingCoefficientFolded">Whether the weights next to an activation take its input and output factors: see <see cref="Approximation.Cost.LeadingCoefficientFolded"/>.</param>
/// <param name="UsableLevels">L; null where no bootstraps were asked for.</param>
/// <param name="Operations">Every operation in the order of execution.</param>
public sealed record NetworkCost(bool LeadingCoefficientFolded, int? UsableLevels, IReadOnlyList<OperationCost> Operations)
{
    /// <summary>Ciphertext products on the longest path to the last operation.</summary>
    public int Depth => Operations[^1].DepthAfter;

    /// <summary>CKKS levels of the longest path to the last operation.</summary>
    public int Levels => Operations[^1].LevelsAfter;

    /// <summary>Levels of the operation that needs most: the least L with which bootstraps between operations suffice.</summary>
    public int LeastUsableLevels => Operations.Max(o => o.Levels);

    /// <summary>Products of ciphertexts, in elements.</summary>
    public long NonScalarMultiplications => Operations.Sum(o => (long)o.Elements * o.NonScalarMultiplications);

    /// <summary>Products of a ciphertext and a constant, in elements.</summary>
    public long ScalarMultiplications => Operations.Sum(o => (long)o.Elements * o.ScalarMultiplications);

    /// <summary>Tensors refreshed; null without L.</summary>
    public int? Bootstraps => UsableLevels is null ? null : Operations.Sum(o => o.Bootstraps);

    /// <summary>Elements of these tensors; null without L.</summary>
    public long? BootstrappedElements => UsableLevels is null ? null : Operations.Sum(o => o.BootstrappedElements);

    /// <summary>
    /// Rounds of a secret-sharing protocol: one for each product of shares on the longest path. Additions and products with public constants are local, and so is the truncation after them.
    /// </summary>
    public int Rounds => Depth;

    /// <summary>The price of one image.</summary>
    /// <param name="network">The network; its weights do not matter.</param>
    /// <param name="image">The shape of its input, one image.</param>
    /// <param name="workspace">Threads and memory.</param>
    /// <param name="usableLevels">L: levels of a fresh or refreshed ciphertext; null leaves bootstraps out.</param>
    /// <param name="foldLeadingCoefficient">Let the weights next to an activation take its input and output factors.</param>
    /// <exception cref="BadInputException">An activation that is no polynomial, an operation without a known price, or one that needs more than L levels.</exception>
    /// <exception cref="ShapeException">The network does not take such an image.</exception>
    public static NetworkCost Of(Module network, Shape image, Workspace workspace, int? usableLevels = null, bool foldLeadingCoefficient = false)
    {
        ArgumentNullException.ThrowIfNull(network);
        if (usableLevels is int levels) ArgumentOutOfRangeException.ThrowIfNegativeOrZero(levels);
        var walk = new CostWalk(usableLevels, foldLeadingCoefficient);
        using var run = new Run(workspace, Statistics.Evaluation, tape: false, [walk]);
        network.Call(run.Input(image, new float[image.Length]));
        return walk.Result;
    }
}

/// <summary>The price of one operation; products are for one element of its output.</summary>
/// <param name="Path">Where in the network.</param>
/// <param name="Op">The operation's name.</param>
/// <param name="Elements">Elements of the output.</param>
/// <param name="Depth">Ciphertext products on its longest path.</param>
/// <param name="Levels">CKKS levels it consumes of its input; of an addition, of the branch that has consumed more.</param>
/// <param name="NonScalarMultiplications">Products of ciphertexts an element.</param>
/// <param name="ScalarMultiplications">Products with constants an element.</param>
/// <param name="DepthAfter">Ciphertext products on the longest path from the network's input to its output.</param>
/// <param name="LevelsAfter">Levels of that path, as if no ciphertext were ever refreshed.</param>
/// <param name="Bootstraps">Inputs refreshed before it.</param>
/// <param name="BootstrappedElements">Their elements.</param>
public sealed record OperationCost(
    string Path,
    string Op,
    int Elements,
    int Depth,
    int Levels,
    int NonScalarMultiplications,
    int ScalarMultiplications,
    int DepthAfter,
    int LevelsAfter,
    int Bootstraps,
    long BootstrappedElements);
