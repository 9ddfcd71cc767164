using PannCore.Engine;

namespace PannCore.Nn;

/// <summary>The place of a non-linear function in a model. Converting a model to a PANN puts other functions in these places.</summary>
/// <param name="path">Its path in the model.</param>
/// <param name="functions">The function, by path; asked when the place is made.</param>
/// <param name="channels">Channels of its input and output.</param>
public sealed class Activation(string path, Func<string, ActivationFunction> functions, int channels) : Module(path)
{
    /// <summary>Channels of its input and output.</summary>
    public int Channels { get; } = channels;

    /// <summary>The name of the parameter that holds the shift of each channel of a repaired network.</summary>
    public static string ShiftOf(string path) => $"{path}.shift";

    /// <summary>The function here.</summary>
    public ActivationFunction Function { get; } = functions(path);

    /// <inheritdoc/>
    protected override Tensor Forward(Tensor x) => Function.Apply(x);
}
