namespace PannCore.Engine;

/// <summary>The gradients one backward pass found, by parameter. Their memory is valid until the run is disposed.</summary>
public sealed class Gradients
{
    private Dictionary<Parameter, Memory<float>>? _byParameter;

    internal Gradients(Dictionary<Parameter, Memory<float>> byParameter) => _byParameter = byParameter;

    /// <summary>The gradient of a parameter, in PyTorch's order.</summary>
    /// <exception cref="KeyNotFoundException">The parameter had no part in the result.</exception>
    /// <exception cref="ObjectDisposedException">The run that found it has been disposed.</exception>
    public ReadOnlySpan<float> this[Parameter parameter]
        => _byParameter is null ? throw new ObjectDisposedException(null, $"the gradient of {parameter.Name} was used after its run was disposed")
            : _byParameter.TryGetValue(parameter, out Memory<float> gradient)
                ? gradient.Span
                : throw new KeyNotFoundException($"parameter {parameter.Name} has no gradient: it had no part in the result");

    /// <summary>Whether the parameter had a part in the result.</summary>
    public bool Contains(Parameter parameter) => _byParameter?.ContainsKey(parameter) ?? false;

    /// <summary>The run takes the memory back.</summary>
    internal void Release() => _byParameter = null;
}
