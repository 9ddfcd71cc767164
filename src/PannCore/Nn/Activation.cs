using PannCore.Engine;
using PannCore.Ops;

namespace PannCore.Nn;

/// <summary>What an activation computes.</summary>
public abstract record ActivationFunction
{
    /// <summary>max(x, 0) + slope min(x, 0).</summary>
    public sealed record Relu(float Slope = 0) : ActivationFunction;
}

/// <summary>The place of a non-linear function in a model. Converting a model to a PANN puts other functions in these places.</summary>
public sealed class Activation(string path, Func<string, ActivationFunction> functions) : Module(path)
{
    /// <summary>The function here.</summary>
    public ActivationFunction Function { get; } = functions(path);

    /// <inheritdoc/>
    protected override Tensor Forward(Tensor x) => Function switch
    {
        ActivationFunction.Relu relu => x.Relu(relu.Slope),
        _ => throw new InvalidOperationException($"activation {Path}: unknown function {Function}"),
    };
}
