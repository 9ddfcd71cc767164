using PannCore.Nn;
using PannCore.Ops;
using Tensor = PannCore.Engine.Tensor;

namespace PannCore.Training;

/// <summary>An activation with a penalty on what stands out of its inputs: in training only.</summary>
/// <param name="Penalty">The penalty.</param>
/// <param name="Function">The activation.</param>
internal sealed record CrestPenalised(CrestPenalty Penalty, ActivationFunction Function) : ActivationFunction
{
    public override ActivationFunction Ideal => Function.Ideal;

    public override Tensor Apply(Tensor x) => Function.Apply(x.PenaliseCrest(Penalty));
}
