using PannCore.Engine;
using PannCore.Ops;

namespace PannCore.Nn;

/// <summary>Batch normalisation with a learnt scale and shift; momentum 0.1 and epsilon 1e-5, PyTorch's defaults.</summary>
public sealed class BatchNorm2d : Module
{
    private readonly Parameter _gamma, _beta, _mean, _variance;

    /// <summary>Four parameters of one value a channel, under PyTorch's names.</summary>
    public BatchNorm2d(string path, ParameterSet parameters, int channels) : base(path)
    {
        _gamma = parameters.Get($"{path}.weight", new(channels));
        _beta = parameters.Get($"{path}.bias", new(channels));
        _mean = parameters.Get($"{path}.running_mean", new(channels), trainable: false);
        _variance = parameters.Get($"{path}.running_var", new(channels), trainable: false);
    }

    /// <inheritdoc/>
    protected override Tensor Forward(Tensor x) => x.BatchNorm(_gamma, _beta, _mean, _variance);
}
