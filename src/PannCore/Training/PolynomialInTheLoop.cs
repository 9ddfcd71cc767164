using System.Text.Json.Serialization;
using PannCore.Approximation;
using PannCore.Engine;
using PannCore.Nn;
using PannCore.Ops;
using Tensor = PannCore.Engine.Tensor;

namespace PannCore.Training;

/// <summary>How much of the polynomial the activations of training are: y = u polynomial + (1 - u) ReLU.</summary>
public enum PolynomialShare
{
    /// <summary>All of it, u = 1, from the first step.</summary>
    Full,

    /// <summary>u rises in a straight line from 0 to 1 over the first half of the steps and stays: the progressive way.</summary>
    Rising,

    /// <summary>
    /// u is uniform in [0, 1), drawn anew for each step and activation, and 0 in the last tenth of the steps. The network meets its polynomial's own error in all sizes and goes on standing for one with ReLUs,
    /// whose statistics batch-norm finds again in the last steps: the bias of the error has moved them.
    /// </summary>
    Random,
}

/// <summary>
/// Training with polynomials in the place of the activations, by their own derivatives: the network learns to live with them and, unless their share is random, no longer approximates one with ReLUs.
/// </summary>
/// <param name="Activation">The polynomial's specification text.</param>
/// <param name="Ranges">B of each activation; where they are learnt, what they begin from.</param>
/// <param name="Penalty">Weight of the penalty on inputs near the end of a range; see <see cref="RangePenalty"/>.</param>
/// <param name="PenaltyFrom">Where it begins, in units of the range.</param>
/// <param name="Share">How much of the polynomial.</param>
/// <param name="PenaltyRises">Whether the penalty's weight rises in a straight line from 0 to <paramref name="Penalty"/> over all steps: the network first learns, then draws its inputs in.</param>
/// <param name="LearnRanges">Whether each B = e^l R is learnt: l begins at 0 and is trained as a weight is; weight decay draws B back to what it began from. The trained network's are fixed.</param>
public sealed record PolynomialInTheLoop(string Activation, IReadOnlyDictionary<string, double> Ranges, double Penalty = 0.1, double PenaltyFrom = 0.9, PolynomialShare Share = PolynomialShare.Full, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] bool PenaltyRises = false, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] bool LearnRanges = false)
{
    /// <summary>Whether the trained network is one of its own, rather than one with ReLUs that stands polynomials.</summary>
    [JsonIgnore]
    public bool StandsForItself => Share != PolynomialShare.Random;

    /// <summary>Weight of the penalty at a step.</summary>
    /// <param name="step">0, 1, ...</param>
    /// <param name="steps">All steps.</param>
    public double PenaltyAt(long step, long steps) => PenaltyRises ? Penalty * (step + 1) / steps : Penalty;

    /// <summary>u of an activation at a step.</summary>
    /// <param name="seed">The recipe's seed.</param>
    /// <param name="step">0, 1, ...</param>
    /// <param name="steps">All steps.</param>
    /// <param name="layer">Number of the activation: 0, 1, ...</param>
    public double ShareAt(long seed, long step, long steps, int layer) => Share switch
    {
        PolynomialShare.Rising => Math.Min(1, 2.0 * step / steps),
        PolynomialShare.Random when 10 * step >= 9 * steps => 0,
        PolynomialShare.Random => new CounterRandom(seed, RandomStream.Share, step).Uniform(layer),
        _ => 1,
    };
}

/// <summary>A polynomial as it is while training: inputs clamped to its range, which may be learnt, and a share of it.</summary>
internal sealed record ClampedPolynomial(ReluPolynomial Approximation, double Range, RangePenalty Penalty, double Share, Parameter? Logarithm) : ActivationFunction
{
    public override ActivationFunction Ideal => new Relu((float)Approximation.Leak);

    public override Tensor Apply(Tensor x) => x.ClampedPolynomialRelu(Approximation, Range, Penalty, Share, Logarithm);
}
