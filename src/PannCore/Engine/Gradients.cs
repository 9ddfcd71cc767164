namespace PannCore.Engine;

/// <summary>The gradients one backward pass found, by parameter and by input. Their memory is valid until the run is disposed.</summary>
public sealed class Gradients
{
    private readonly Dictionary<Tensor, Memory<float>> _byInput;
    private Dictionary<Parameter, Memory<float>>? _byParameter;

    internal Gradients(Dictionary<Parameter, Memory<float>> byParameter, Dictionary<Tensor, Memory<float>> byInput) => (_byParameter, _byInput) = (byParameter, byInput);

    /// <summary>The gradient of a parameter, in PyTorch's order.</summary>
    /// <exception cref="KeyNotFoundException">The parameter had no part in the result.</exception>
    /// <exception cref="ObjectDisposedException">The run that found it has been disposed.</exception>
    public ReadOnlySpan<float> this[Parameter parameter]
        => _byParameter is null ? throw new ObjectDisposedException(null, $"the gradient of {parameter.Name} was used after its run was disposed")
            : _byParameter.TryGetValue(parameter, out Memory<float> gradient)
                ? gradient.Span
                : throw new KeyNotFoundException($"parameter {parameter.Name} has no gradient: it had no part in the result");

    /// <summary>The gradient of an input of the run.</summary>
    /// <exception cref="KeyNotFoundException">The input had no part in the result, or did not ask for a gradient (<see cref="Run.Input"/>), or is none.</exception>
    /// <exception cref="ObjectDisposedException">The run that found it has been disposed.</exception>
    public ReadOnlySpan<float> this[Tensor input]
        => _byParameter is null ? throw new ObjectDisposedException(null, "the gradient of an input was used after its run was disposed")
            : _byInput.TryGetValue(input, out Memory<float> gradient)
                ? gradient.Span
                : throw new KeyNotFoundException($"the {(input.Maker is null ? "input" : $"output of {input.Origin}")} has no gradient: only inputs have one that were made with needsGradient and had a part in the result");

    /// <summary>Whether the parameter had a part in the result.</summary>
    public bool Contains(Parameter parameter) => _byParameter?.ContainsKey(parameter) ?? false;

    /// <summary>The run takes the memory back.</summary>
    internal void Release() => _byParameter = null;
}
