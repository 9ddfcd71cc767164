namespace PannCore.Engine;

/// <summary>
/// A float32 array of one <see cref="Run"/>: an input, or the output of an operation. Its memory belongs to the run's workspace and goes
/// back as soon as nothing in the run needs it; a tensor used after that throws and says where it came from.
/// </summary>
public sealed class Tensor
{
    private Memory<float> _memory;
    private bool _released;

    internal Tensor(Run run, Shape shape, Memory<float> memory, string origin, bool needsGradient, bool isReadByItsMaker)
    {
        Run = run;
        Shape = shape;
        Origin = origin;
        NeedsGradient = needsGradient;
        IsReadByItsMaker = isReadByItsMaker;
        _memory = memory;
    }

    /// <summary>The pass this tensor belongs to.</summary>
    public Run Run { get; }

    /// <summary>The shape.</summary>
    public Shape Shape { get; }

    /// <summary>Operation and path that made it, or <c>input</c>.</summary>
    public string Origin { get; }

    /// <summary>The values, row-major.</summary>
    /// <exception cref="ObjectDisposedException">The run has already taken the memory back.</exception>
    public ReadOnlySpan<float> Values => Memory.Span;

    internal bool NeedsGradient { get; }

    internal bool IsLastUse { get; private set; }

    /// <summary>Whether the backward pass of the operation that made it reads its values.</summary>
    internal bool IsReadByItsMaker { get; }

    internal Memory<float> Memory => _released
        ? throw new ObjectDisposedException(null, $"the output of {Origin} was used after its run took the memory back")
        : _memory;

    /// <summary>
    /// Says that the next operation is the last to use this tensor: where no observer looks and no backward pass needs its values, an elementwise operation
    /// may then write its result over it, which saves memory traffic and changes no bit. Using the tensor afterwards throws.
    /// </summary>
    public Tensor LastUse()
    {
        IsLastUse = true;
        return this;
    }

    /// <summary>Gives the memory to another tensor; this one counts as released.</summary>
    internal Memory<float> HandOver()
    {
        Memory<float> memory = Memory;
        _released = true;
        _memory = default;
        return memory;
    }

    internal void Release(BufferPool pool)
    {
        if (_released) return;
        _released = true;
        pool.Return(_memory);
        _memory = default;
    }
}
