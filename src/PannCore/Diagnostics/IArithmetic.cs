using PannCore.Engine;

namespace PannCore.Diagnostics;

/// <summary>
/// A number system in which whole networks can be evaluated: what each operation gives when its inputs are values of that system. A model of the arithmetic of a protocol or of an
/// encryption scheme implements it; <see cref="LockStep{T}"/> walks it through a network, of which it need not know more than its operations.
/// </summary>
/// <typeparam name="T">A tensor of that system: integers, numbers with noise, ciphertexts.</typeparam>
public interface IArithmetic<T>
{
    /// <summary>The network's input: the nearest values of the system. Begins a batch.</summary>
    T Encode(Tensor x);

    /// <summary>The numbers that a tensor stands for.</summary>
    DoubleTensor Decode(T x);

    /// <summary>The output of an operation.</summary>
    /// <param name="op">The operation, with its settings and parameters.</param>
    /// <param name="path">Where in the network; no two operations of a run share one.</param>
    /// <param name="inputs">Its inputs.</param>
    /// <param name="output">The shape of its output.</param>
    /// <exception cref="BadInputException">The system cannot do this operation, or cannot hold one of its constants.</exception>
    T Evaluate(Op op, string path, IReadOnlyList<T> inputs, Shape output);
}
