using PannCore.Engine;
using PannCore.Ops;

namespace PannCore.Nn;

/// <summary>A fully connected layer with bias.</summary>
public sealed class Linear : Module
{
    private readonly Parameter _weight, _bias;

    /// <summary>Weight [outputs, inputs], bias [outputs].</summary>
    public Linear(string path, ParameterSet parameters, int inputs, int outputs) : base(path)
    {
        _weight = parameters.Get($"{path}.weight", new(outputs, inputs));
        _bias = parameters.Get($"{path}.bias", new(outputs));
    }

    /// <inheritdoc/>
    protected override Tensor Forward(Tensor x) => x.Linear(_weight, _bias);
}
