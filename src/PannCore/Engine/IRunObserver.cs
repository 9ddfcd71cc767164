namespace PannCore.Engine;

/// <summary>
/// Sees the operations of a run that it watches, as they happen; operations know nothing of it. Tensors and spans are valid during the call only:
/// copy what you keep. Attaching an observer changes no bit of any result.
/// </summary>
public interface IRunObserver
{
    /// <summary>
    /// Whether it looks at an operation, which must depend on the operation only: <see cref="Forward"/> is called for no other. In a run without a tape an elementwise operation that
    /// nobody looks at may write its result over an input that was given up (<see cref="Tensor.LastUse"/>), which saves memory traffic. One observer that hands on to another asks it.
    /// </summary>
    bool Watches(Op op) => true;

    /// <summary>An operation that it watches has run forward.</summary>
    void Forward(Op op, string path, IReadOnlyList<Tensor> inputs, Tensor output);

    /// <summary>The gradient of an operation's output is complete: of every operation, watched or not.</summary>
    void Gradient(Op op, string path, Tensor output, ReadOnlySpan<float> gradient) { }
}
