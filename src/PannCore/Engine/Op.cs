using PannCore.Kernels;
using TensorPrimitives = System.Numerics.Tensors.TensorPrimitives;

namespace PannCore.Engine;

/// <summary>
/// One operation. An instance is one application of it: it holds its settings and what its backward pass needs.
/// To add an operation, derive from this class, give it an extension method that calls <see cref="Apply"/>, and add a row to the test table.
/// One outside this library has the calling thread alone, since the workspace's threads are internal, and computes at once instead of putting work off; ledger and bounds
/// take it by what it says here, while fixed point and cost know the library's own operations and refuse any other.
/// </summary>
public abstract class Op
{
    private bool _applied;

    /// <summary>The name in messages, ledgers and reports, for instance <c>conv2d</c>.</summary>
    public abstract string Name { get; }

    /// <summary>What instruments need to know of an activation; null for every other operation.</summary>
    public virtual ActivationTraits? Activation => null;

    /// <summary>The parameters it reads; those that are trainable get gradients.</summary>
    public virtual IReadOnlyList<Parameter> Parameters => [];

    /// <summary>The shape of the output for these inputs.</summary>
    /// <exception cref="ShapeException">The inputs do not fit.</exception>
    public abstract Shape OutputShape(ReadOnlySpan<Shape> inputs);

    /// <summary>Runs the operation: shape check, forward kernel, tape, observers. The only place where an operation runs.</summary>
    /// <exception cref="ShapeException">The inputs do not fit.</exception>
    /// <exception cref="ArgumentException">No input: an operation belongs to the run of its inputs.</exception>
    /// <exception cref="InvalidOperationException">The inputs belong to different runs, the values of one could not be computed, or this instance has been applied before.</exception>
    /// <exception cref="ObjectDisposedException">The run of the inputs is over, or one of them was released.</exception>
    public Tensor Apply(params Tensor[] inputs)
    {
        if (inputs.Length == 0) throw new ArgumentException($"{Name}: expected at least one input", nameof(inputs));
        if (_applied) throw new InvalidOperationException($"{Name}: an instance is one application, this one has been applied before");
        Run run = inputs[0].Run;
        Span<Shape> shapes = inputs.Length <= 8 ? stackalloc Shape[inputs.Length] : new Shape[inputs.Length];
        bool needsGradient = false;
        for (int i = 0; i < Parameters.Count; i++) needsGradient |= Parameters[i].Trainable;
        for (int i = 0; i < inputs.Length; i++)
        {
            if (inputs[i].Run != run) throw new InvalidOperationException($"{Name}: input {i} belongs to another run");
            shapes[i] = inputs[i].Shape;
            needsGradient |= inputs[i].NeedsGradient;
        }
        Shape shape = OutputShape(shapes);
        foreach (Tensor input in inputs)
        {
            input.ThrowIfReleased();
            input.Pending?.ThrowIfBroken();
        }
        _applied = true;
        string path = run.PathOf(this);
        bool inPlace = ForwardInPlace && shape == inputs[0].Shape && run.MayOverwrite(inputs[0], this);
        ElementwiseChain? before = inputs[0].Pending;
        run.Pending = inPlace && IsElementwise ? inputs[0].TakePending() : null;
        Memory<float> memory = inPlace ? inputs[0].Memory : run.Workspace.Pool.Rent(shape.Length);
        if (inPlace) run.BeforeOverwriting(memory);
        try
        {
            Forward(new Forwarding(run), inputs, memory);
        }
        catch
        {
            run.Done(run.TakePending());
            // The input's work was this operation's to do and may be half done, or its memory half overwritten: its values are lost, and using it must not give others.
            bool isLost = inPlace || (before is { IsDone: false } && inputs[0].Pending is null);
            if (isLost)
            {
                run.Done(before);
                inputs[0].Release();
            }
            if (!inPlace) run.Return(memory);
            throw;
        }
        foreach (Tensor input in inputs) input.IsReadBackward |= BackwardReadsInputs;
        if (inPlace) inputs[0].HandOver();
        var output = new Tensor(run, shape, memory, this, path, inputs, needsGradient) { Pending = run.TakePending() };
        run.Record(output);
        return output;
    }

    /// <summary>
    /// Whether the gradient of input 0 may be written over the gradient of the output, element by element: it saves a buffer and the
    /// memory traffic of an elementwise operation. Both then are the same memory.
    /// </summary>
    protected internal virtual bool GradientInPlace => false;

    /// <summary>Whether the gradient of each input, all of the output's shape, is that of the output: nothing is computed then, and nothing copied.</summary>
    internal virtual bool GradientPassesOn => false;

    /// <summary>Whether the output may be written over input 0, element by element.</summary>
    protected internal virtual bool ForwardInPlace => false;

    /// <summary>Whether <see cref="Backward"/> reads values of the inputs.</summary>
    protected internal virtual bool BackwardReadsInputs => true;

    /// <summary>Whether <see cref="Backward"/> reads values of the output.</summary>
    protected internal virtual bool BackwardReadsOutput => true;

    /// <summary>
    /// Whether all that the forward pass does is put off, element by element (<see cref="Forwarding.PutOff"/>), and all that a backward pass in place does as well:
    /// then work still pending on input 0 or on the gradient of the output need not be done first.
    /// </summary>
    internal virtual bool IsElementwise => false;

    /// <summary>Whether the backward pass itself does the work pending on the gradient of the output.</summary>
    internal virtual bool DoesPending => false;

    /// <summary>Computes the output in float32.</summary>
    protected internal abstract void Forward(Forwarding pass, IReadOnlyList<Tensor> inputs, Memory<float> y);

    /// <summary>
    /// Computes, from the gradient of the output, the gradient of each input and parameter that <paramref name="pass"/> asks for.
    /// The destinations hold arbitrary values and are overwritten.
    /// </summary>
    protected internal abstract void Backward(Backpropagation pass, IReadOnlyList<Tensor> inputs, Tensor output, ReadOnlyMemory<float> dy);

    /// <summary>
    /// What the operation computes, as naive loops in float64: the definition that kernels are tested against.
    /// For a polynomial activation this is the polynomial in exact arithmetic.
    /// </summary>
    /// <param name="inputs">The inputs.</param>
    /// <param name="parameters">Values for <see cref="Parameters"/>, in their order.</param>
    /// <param name="output">Receives the result.</param>
    public abstract void Reference(IReadOnlyList<DoubleTensor> inputs, IReadOnlyList<DoubleTensor> parameters, DoubleTensor output);

    /// <summary>The same function as <see cref="Reference"/> in float64, but fast enough for whole networks; by default the reference itself.</summary>
    public virtual void Exact(Workspace workspace, IReadOnlyList<DoubleTensor> inputs, DoubleTensor output)
        => Reference(inputs, [.. Parameters.Select(p => DoubleTensor.From(p.Shape, p.Values))], output);

    /// <summary>
    /// Whether the operation is a linear map plus a constant: then f(x + e) - f(x) = f(e) - f(0), which the error ledger checks.
    /// </summary>
    public virtual bool IsAffine => false;

    /// <summary>
    /// An upper bound on the rounding error of each output element when the operation is computed in an arithmetic with this unit roundoff
    /// (2^-24 for float32, 2^-53 for float64). Infinity, the default, where none is known. That of a convolution in float32 is for <see cref="Workspace.Convolution"/>.
    /// </summary>
    public virtual void RoundingBound(Workspace workspace, IReadOnlyList<DoubleTensor> inputs, double unitRoundoff, DoubleTensor bound)
        => Array.Fill(bound.Values, double.PositiveInfinity);

    /// <summary>The function the operation stands for, in float64: ReLU for a polynomial ReLU; for any other operation the operation itself.</summary>
    public virtual void Ideal(Workspace workspace, IReadOnlyList<DoubleTensor> inputs, DoubleTensor output) => Exact(workspace, inputs, output);

    /// <summary>
    /// How far apart two values of the ideal function can be whose inputs are near each other: where |x_j - z_j| is at most <paramref name="inputBounds"/>[j], element by element,
    /// |Ideal(x) - Ideal(z)| is at most <paramref name="bound"/>. Rounded outwards. For a linear map the map of absolute weights; for an activation, unless it knows better,
    /// the Lipschitz constant of its ideal times the input's bound. Infinity, the default, where none is known.
    /// </summary>
    /// <param name="workspace">Threads.</param>
    /// <param name="inputs">x; null for a bound that holds for every x.</param>
    /// <param name="inputBounds">One for each input, finite.</param>
    /// <param name="bound">Receives the bound.</param>
    public virtual void PropagateBound(Workspace workspace, IReadOnlyList<DoubleTensor>? inputs, IReadOnlyList<DoubleTensor> inputBounds, DoubleTensor bound)
    {
        if (Activation is { } activation) TensorPrimitives.Multiply(inputBounds[0].Values, activation.IdealLipschitz * Rounding.Outwards(2), bound.Values);
        else Array.Fill(bound.Values, double.PositiveInfinity);
    }
}

/// <summary>Rounding error analysis (Higham, Accuracy and Stability of Numerical Algorithms, section 3.1).</summary>
internal static class Rounding
{
    /// <summary>gamma_n = n u / (1 - n u), the relative bound after n roundings.</summary>
    public static double Gamma(int roundings, double unitRoundoff) => roundings * unitRoundoff / (1 - (roundings * unitRoundoff));

    /// <summary>What a product or a conversion below the normal numbers loses at most, besides: half of the least subnormal number of float32; in float64, where half of it is no number, all of it.</summary>
    public static double Underflow(double unitRoundoff) => unitRoundoff == Math.ScaleB(1, -24) ? Math.ScaleB(1, -150) : double.Epsilon;

    /// <summary>
    /// A sum of terms that are not negative, each rounded at most n times in float64, is not below the exact one once it is multiplied by this. It may be too small by 1 - gamma_n,
    /// whose inverse is 1 + n u / (1 - 2 n u); this factor, 1 + gamma_(2n + 4), and its product are rounded too, and still above it.
    /// </summary>
    public static double Outwards(int roundings) => 1 + Gamma((2 * roundings) + 4, Math.ScaleB(1, -53));
}

/// <summary>What an operation may use while it runs forward.</summary>
public readonly struct Forwarding
{
    private readonly Run _run;

    internal Forwarding(Run run) => _run = run;

    /// <summary>Whether batch-norm uses, and updates from, the statistics of the batch.</summary>
    public bool TrainingStatistics => _run.Statistics == Statistics.Training;

    internal Workers Workers => _run.Workspace.Workers;

    internal ConvAlgorithm Convolution => _run.Convolution;

    /// <summary>Puts elementwise work that writes the output off until somebody reads it.</summary>
    internal void PutOff<TWork>(in TWork work, Memory<float> output) where TWork : struct, IElementwise => _run.PutOff(work, output);

    /// <summary>Says that the work pending on an input has been done.</summary>
    internal void Done(ElementwiseChain? pending) => _run.Done(pending);

    /// <summary>A buffer with arbitrary content until the run is disposed: for what <see cref="Op.Backward"/> needs besides inputs and output.</summary>
    public Memory<float> Saved(int length) => _run.Save(length);
}

/// <summary>What an operation may use while it runs backward: the destinations of its gradients.</summary>
public sealed class Backpropagation
{
    private readonly Run _run;
    private readonly List<Memory<float>> _temporaries = [];

    internal Backpropagation(Run run) => _run = run;

    internal List<Memory<float>> InputDestinations { get; } = [];

    internal List<Memory<float>> ParameterDestinations { get; } = [];

    internal Workers Workers => _run.Workspace.Workers;

    internal ConvAlgorithm Convolution => _run.Convolution;

    /// <summary>Puts elementwise work that writes the gradient of input 0 off until somebody reads it.</summary>
    internal void PutOff<TWork>(in TWork work, Memory<float> gradient) where TWork : struct, IElementwise => _run.PutOff(work, gradient);

    /// <summary>The work pending on the gradient of the output, which the caller does and then reports as <see cref="Done"/>.</summary>
    internal ElementwiseChain? TakePending() => _run.TakePending();

    /// <summary>Says that the work pending on the gradient of the output has been done.</summary>
    internal void Done(ElementwiseChain? pending) => _run.Done(pending);

    /// <summary>Where the gradient of input <paramref name="index"/> goes; empty if nobody needs it.</summary>
    public Memory<float> InputGradient(int index) => InputDestinations[index];

    /// <summary>Where the gradient of parameter <paramref name="index"/> goes, in PyTorch's order; empty if it is not trainable.</summary>
    public Memory<float> ParameterGradient(int index) => ParameterDestinations[index];

    /// <summary>A buffer with arbitrary content until this operation's backward pass ends.</summary>
    public Memory<float> Temporary(int length)
    {
        Memory<float> buffer = _run.Workspace.Pool.Rent(length);
        _temporaries.Add(buffer);
        return buffer;
    }

    internal void ReturnTemporaries()
    {
        foreach (Memory<float> buffer in _temporaries) _run.Return(buffer);
        _temporaries.Clear();
    }
}
