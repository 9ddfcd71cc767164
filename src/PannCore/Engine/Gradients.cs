namespace PannCore.Engine;

/// <summary>The gradients one backward pass found, by parameter. Their memory is valid until the run is disposed.</summary>
public sealed class Gradients
{
    private readonly Dictionary<Parameter, Memory<float>> _byParameter = [];
    private bool _released;

    /// <summary>The gradient of a parameter, in PyTorch's order.</summary>
    /// <exception cref="KeyNotFoundException">The parameter had no part in the result.</exception>
    /// <exception cref="ObjectDisposedException">The run that found it has been disposed.</exception>
    public ReadOnlySpan<float> this[Parameter parameter]
        => _released ? throw new ObjectDisposedException(null, $"the gradient of {parameter.Name} was used after its run was disposed")
            : _byParameter.TryGetValue(parameter, out Memory<float> gradient)
                ? gradient.Span
                : throw new KeyNotFoundException($"parameter {parameter.Name} has no gradient: it had no part in the result");

    /// <summary>Whether the parameter had a part in the result.</summary>
    public bool Contains(Parameter parameter) => _byParameter.ContainsKey(parameter);

    internal bool TryGet(Parameter parameter, out Memory<float> gradient) => _byParameter.TryGetValue(parameter, out gradient);

    internal void Add(Parameter parameter, Memory<float> gradient) => _byParameter.Add(parameter, gradient);

    internal void Release(BufferPool pool)
    {
        foreach (Memory<float> gradient in _byParameter.Values) pool.Return(gradient);
        _byParameter.Clear();
        _released = true;
    }
}
