using PannCore.Approximation;
using PannCore.Nn;
using PannCore.Ops;
using Tensor = PannCore.Engine.Tensor;

namespace PannCore.Training;

/// <summary>Training with polynomials in the place of the activations, by their own derivatives: the network learns to live with them, and no longer approximates one with ReLUs.</summary>
/// <param name="Activation">The polynomial's specification text.</param>
/// <param name="Ranges">B of each activation: fixed.</param>
/// <param name="Penalty">Weight of the penalty on inputs near the end of a range; see <see cref="RangePenalty"/>.</param>
/// <param name="PenaltyFrom">Where it begins, in units of the range.</param>
public sealed record PolynomialInTheLoop(string Activation, IReadOnlyDictionary<string, double> Ranges, double Penalty = 0.1, double PenaltyFrom = 0.9);

/// <summary>A polynomial as it is while training: inputs clamped to its range.</summary>
internal sealed record ClampedPolynomial(ReluPolynomial Approximation, double Range, RangePenalty Penalty) : ActivationFunction
{
    public override ActivationFunction Ideal => new Relu((float)Approximation.Leak);

    public override Tensor Apply(Tensor x) => x.ClampedPolynomialRelu(Approximation, Range, Penalty);
}
