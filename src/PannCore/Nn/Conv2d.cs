using PannCore.Engine;
using PannCore.Ops;

namespace PannCore.Nn;

/// <summary>A square convolution without bias.</summary>
public sealed class Conv2d : Module
{
    private readonly Parameter _weight;
    private readonly int _stride;
    private readonly int _padding;

    /// <summary>Weight [channels, inputs, kernel, kernel].</summary>
    public Conv2d(string path, ParameterSet parameters, int inputs, int channels, int kernel, int stride, int padding) : base(path)
    {
        _weight = parameters.Get($"{path}.weight", new(channels, inputs, kernel, kernel));
        _stride = stride;
        _padding = padding;
    }

    /// <inheritdoc/>
    protected override Tensor Forward(Tensor x) => x.Conv2d(_weight, _stride, _padding);
}
