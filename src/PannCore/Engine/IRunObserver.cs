namespace PannCore.Engine;

/// <summary>
/// Sees every operation of a run as it happens; operations know nothing of it. Tensors and spans are valid during the call only:
/// copy what you keep. Attaching an observer changes no bit of any result.
/// </summary>
public interface IRunObserver
{
    /// <summary>An operation has run forward.</summary>
    void Forward(Op op, string path, IReadOnlyList<Tensor> inputs, Tensor output);

    /// <summary>The gradient of an operation's output is complete.</summary>
    void Gradient(Op op, string path, Tensor output, ReadOnlySpan<float> gradient) { }
}
