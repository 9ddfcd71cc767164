using PannCore.Engine;

namespace PannCore.Nn;

/// <summary>The place of a non-linear function in a model. Converting a model to a PANN puts other functions in these places.</summary>
public sealed class Activation(string path, Func<string, ActivationFunction> functions) : Module(path)
{
    /// <summary>The function here.</summary>
    public ActivationFunction Function { get; } = functions(path);

    /// <inheritdoc/>
    protected override Tensor Forward(Tensor x) => Function.Apply(x);
}
