using PannCore.Kernels;

namespace PannCore.Engine;

/// <summary>
/// A float32 array of one <see cref="Run"/>: an input, or the output of an operation. Its memory belongs to the run's workspace and goes
/// back as soon as nothing in the run needs it; a tensor used after that throws and says where it came from.
/// </summary>
public sealed class Tensor
{
    private Memory<float> _memory;
    private bool _released;

    /// <summary>An input.</summary>
    internal Tensor(Run run, Shape shape, Memory<float> memory, bool needsGradient)
    {
        Run = run;
        Shape = shape;
        _memory = memory;
        NeedsGradient = needsGradient;
    }

    /// <summary>The output of an operation.</summary>
    internal Tensor(Run run, Shape shape, Memory<float> memory, Op maker, string path, Tensor[] inputs, bool needsGradient) : this(run, shape, memory, needsGradient)
    {
        Maker = maker;
        Path = path;
        Inputs = inputs;
        IsReadBackward = maker.BackwardReadsOutput;
    }

    /// <summary>The pass this tensor belongs to.</summary>
    public Run Run { get; }

    /// <summary>The shape.</summary>
    public Shape Shape { get; }

    /// <summary>Operation and path that made it, or <c>input</c>.</summary>
    public string Origin => Maker is null ? "input" : Path == Maker.Name ? Path : $"{Maker.Name} at {Path}";

    /// <summary>The values, row-major. Elementwise work may have been put off until now: the first reading is the run's thread's, while it is between operations.</summary>
    /// <exception cref="ObjectDisposedException">The run has already taken the memory back, or the workspace is gone.</exception>
    /// <exception cref="InvalidOperationException">The workspace is busy on another thread, or computing the values has failed before.</exception>
    public ReadOnlySpan<float> Values => Memory.Span;

    /// <summary>The operation that made it; null for an input.</summary>
    internal Op? Maker { get; }

    /// <summary>Where in the model it was made.</summary>
    internal string Path { get; } = "";

    /// <summary>What it was made from.</summary>
    internal Tensor[] Inputs { get; } = [];

    internal bool NeedsGradient { get; }

    /// <summary>Its gradient as far as the backward pass has summed it up; null before and after.</summary>
    internal GradientBuffer? Gradient { get; set; }

    /// <summary>Elementwise work that has to be done before the values are there.</summary>
    internal ElementwiseChain? Pending { get => field is { IsDone: false } ? field : null; set; }

    internal bool IsLastUse { get; private set; }

    /// <summary>Whether the backward pass of an operation reads its values.</summary>
    internal bool IsReadBackward { get; set; }

    /// <summary>The values; pending work is done first.</summary>
    internal Memory<float> Memory
    {
        get
        {
            ThrowIfReleased();
            if (Pending is { } pending) Run.Settle(pending);
            return _memory;
        }
    }

    /// <summary>
    /// Says that the next operation is the last to use this tensor: where no observer looks at that operation, none at all on a tape, and no backward pass needs its values, an elementwise operation
    /// may then write its result over it, which saves memory traffic and changes no bit. Using a tensor that was written over throws.
    /// </summary>
    public Tensor LastUse()
    {
        IsLastUse = true;
        return this;
    }

    /// <summary>Whether the run has taken the memory back.</summary>
    internal bool IsReleased => _released;

    internal void ThrowIfReleased()
    {
        if (_released) throw new ObjectDisposedException(null, $"the output of {Origin} was used after its run took the memory back");
    }

    /// <summary>The pending work, which the caller does; <see cref="Memory"/> is then read as if it had been done.</summary>
    internal ElementwiseChain? TakePending()
    {
        ElementwiseChain? pending = Pending;
        Pending = null;
        return pending;
    }

    /// <summary>The memory has become another tensor's; this one counts as released.</summary>
    internal void HandOver()
    {
        _released = true;
        _memory = default;
    }

    internal void Release()
    {
        if (_released) return;
        // Nobody has read it: the work is not needed.
        Run.Done(TakePending());
        Run.Return(_memory);
        HandOver();
    }
}
