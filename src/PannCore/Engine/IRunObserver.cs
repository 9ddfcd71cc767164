namespace PannCore.Engine;

/// <summary>
/// Sees every operation of a run as it happens; operations know nothing of it. Tensors and spans are valid during the call only:
/// copy what you keep. Attaching an observer changes no bit of any result.
/// </summary>
public interface IRunObserver
{
    /// <summary>
    /// Whether it looks at an operation: <see cref="Forward"/> is called for no other. An elementwise operation that nobody looks at may write its result over an input that
    /// was given up (<see cref="Tensor.LastUse"/>), which saves memory traffic; what it has been shown before may be gone then.
    /// </summary>
    bool Watches(Op op) => true;

    /// <summary>An operation that it watches has run forward.</summary>
    void Forward(Op op, string path, IReadOnlyList<Tensor> inputs, Tensor output);

    /// <summary>The gradient of an operation's output is complete.</summary>
    void Gradient(Op op, string path, Tensor output, ReadOnlySpan<float> gradient) { }
}
