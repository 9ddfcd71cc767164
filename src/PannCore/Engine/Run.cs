using PannCore.Kernels;

namespace PannCore.Engine;

/// <summary>Which statistics batch-norm uses.</summary>
public enum Statistics
{
    /// <summary>The running statistics, left unchanged.</summary>
    Evaluation,

    /// <summary>The statistics of the batch; the running ones are updated.</summary>
    Training,
}

/// <summary>
/// One pass of one thread through a model: whether batch-norm trains, whether a tape is kept for <see cref="Backward"/>, who observes, and how convolutions are computed.
/// These settings are independent of each other. All memory of the pass goes back to the workspace when it is disposed, most of it earlier.
/// </summary>
public sealed class Run : IDisposable
{
    private readonly bool _tape;
    private readonly IReadOnlyList<IRunObserver> _observers;
    private RunNotes? _notes;
    private Gradients? _gradients;

    /// <summary>Begins a pass.</summary>
    /// <param name="workspace">Threads and memory.</param>
    /// <param name="statistics">Which statistics batch-norm uses.</param>
    /// <param name="tape">Whether <see cref="Backward"/> will be called.</param>
    /// <param name="observers">Who sees the operations, each those that it watches.</param>
    /// <param name="convolution">How convolutions are computed, forward and backward; null takes <see cref="Workspace.Convolution"/>.</param>
    /// <exception cref="InvalidOperationException">A run of another thread in this workspace has not been disposed.</exception>
    public Run(
        Workspace workspace, Statistics statistics = Statistics.Evaluation, bool tape = false, IReadOnlyList<IRunObserver>? observers = null, ConvAlgorithm? convolution = null)
    {
        Workspace = workspace;
        Statistics = statistics;
        Convolution = convolution ?? workspace.Convolution;
        _tape = tape;
        _observers = observers ?? [];
        _notes = workspace.Begin();
    }

    /// <summary>Threads and memory.</summary>
    public Workspace Workspace { get; }

    /// <summary>Which statistics batch-norm uses.</summary>
    public Statistics Statistics { get; }

    /// <summary>How convolutions are computed.</summary>
    public ConvAlgorithm Convolution { get; }

    private RunNotes Notes
    {
        get
        {
            ObjectDisposedException.ThrowIf(_notes is null, this);
            return _notes;
        }
    }

    /// <summary>A tensor of this pass with a copy of these values.</summary>
    /// <param name="shape">The shape.</param>
    /// <param name="values">The values.</param>
    /// <param name="needsGradient">Whether <see cref="Backward"/> also finds the gradient with respect to this input.</param>
    /// <exception cref="ShapeException">Another number of values.</exception>
    public Tensor Input(Shape shape, ReadOnlySpan<float> values, bool needsGradient = false)
    {
        if (values.Length != shape.Length) throw new ShapeException($"input: shape {shape} has {shape.Length} values, found {values.Length}");
        Tensor tensor = Rent(shape, needsGradient);
        values.CopyTo(tensor.Memory.Span);
        return tensor;
    }

    /// <summary>
    /// The gradients of sum(seed * output) with respect to every trainable parameter, and every input that asked for one, that had a part in it; none where no such had. Can be called once.
    /// If an operation fails in the middle, what memory it held is left to the garbage collector.
    /// </summary>
    /// <param name="output">A tensor of this pass.</param>
    /// <param name="seed">Gradient of the output; by default all ones.</param>
    /// <exception cref="InvalidOperationException">The run keeps no tape, was asked before, or is not the output's.</exception>
    /// <exception cref="ShapeException">A seed of another length than the output.</exception>
    public Gradients Backward(Tensor output, ReadOnlySpan<float> seed = default)
    {
        if (!_tape) throw new InvalidOperationException("backward: this run keeps no tape");
        if (_gradients is not null) throw new InvalidOperationException("backward: this run has been asked already");
        if (output.Run != this) throw new InvalidOperationException($"backward: the output of {output.Origin} belongs to another run");
        if (!seed.IsEmpty && seed.Length != output.Shape.Length)
            throw new ShapeException($"backward: output {output.Shape} has {output.Shape.Length} elements, seed has {seed.Length}");
        RunNotes notes = Notes;
        _gradients = new(notes.Gradients, notes.InputGradients);
        if (!output.NeedsGradient) return _gradients;
        output.Gradient = Buffer(Workspace.Pool.Rent(output.Shape.Length));
        if (seed.IsEmpty) output.Gradient.Memory.Span.Fill(1);
        else seed.CopyTo(output.Gradient.Memory.Span);
        var pass = new Backpropagation(this);
        for (int i = notes.Tape.Count - 1; i >= 0; i--)
        {
            Tensor made = notes.Tape[i];
            if (made.Gradient is { } gradient)
            {
                foreach (IRunObserver observer in _observers) observer.Gradient(made.Maker!, made.Path, made, Settled(gradient).Span);
                BackwardStep(made, gradient, pass);
            }

            // Operations before this one cannot have read its output.
            if (made != output) made.Release();
        }
        notes.Tape.Clear();
        foreach (Tensor input in notes.Live)
        {
            if (input is { Maker: null, NeedsGradient: true, Gradient: { } found }) notes.InputGradients[input] = Kept(found);
        }
        return _gradients;
    }

    /// <summary>Gives all memory of the pass back.</summary>
    public void Dispose()
    {
        if (_notes is null) return;
        _gradients?.Release();
        foreach (Tensor tensor in _notes.Live) tensor.Release();
        while (_notes.PutOff.Count > 0) Done(_notes.PutOff[^1]);
        _notes.Clear(Workspace.Pool);
        Workspace.End(_notes);
        _notes = null;
    }

    /// <summary>A tensor that no operation made: an input.</summary>
    internal Tensor Rent(Shape shape, bool needsGradient = false)
    {
        RunNotes notes = Notes;
        var tensor = new Tensor(this, shape, Workspace.Pool.Rent(shape.Length), needsGradient);
        notes.Live.Add(tensor);
        return tensor;
    }

    /// <summary>Memory until the run is disposed.</summary>
    internal Memory<float> Save(int length)
    {
        RunNotes notes = Notes;
        Memory<float> buffer = Workspace.Pool.Rent(length);
        notes.Saved.Add(buffer);
        return buffer;
    }

    /// <summary>Whether nobody will ask for the values of a tensor after an operation has used it: no observer of the operation, and on a tape no observer and no backward pass.</summary>
    internal bool MayOverwrite(Tensor tensor, Op user)
    {
        if (!tensor.IsLastUse || (_tape && (_observers.Count > 0 || user.BackwardReadsInputs || tensor.IsReadBackward))) return false;
        foreach (IRunObserver observer in _observers)
        {
            if (observer.Watches(user)) return false;
        }
        return true;
    }

    /// <summary>Takes note of what an operation has made.</summary>
    internal void Record(Tensor output)
    {
        Notes.Live.Add(output);
        if (_tape && output.NeedsGradient) Notes.Tape.Add(output);
        foreach (IRunObserver observer in _observers)
        {
            if (observer.Watches(output.Maker!)) observer.Forward(output.Maker!, output.Path, output.Inputs, output);
        }
    }

    /// <summary>
    /// A leaf module's operation carries the module's path; a composite module's own operations add their name, and without a module the name is all.
    /// A path met before in this run gets <c>#2</c>, <c>#3</c>, ...: no two operations of a run share one.
    /// </summary>
    internal string PathOf(Op op)
    {
        string path = !Notes.Modules.TryPeek(out (string Path, bool Leaf) module) || (module.Path.Length == 0) ? op.Name : module.Leaf ? module.Path : $"{module.Path}.{op.Name}";
        int count = Notes.Paths[path] = Notes.Paths.GetValueOrDefault(path) + 1;
        return count == 1 ? path : FormattableString.Invariant($"{path}#{count}");
    }

    /// <summary>Calls a module; without a tape, everything it made but its result is given back when it returns.</summary>
    internal Tensor Call(string path, bool leaf, Tensor x, Func<Tensor, Tensor> forward)
    {
        RunNotes notes = Notes;
        int mark = notes.Live.Count;
        notes.Modules.Push((path, leaf));
        try
        {
            Tensor result = forward(x);
            if (_tape) return result;
            bool made = false;
            for (int i = notes.Live.Count - 1; i >= mark; i--)
            {
                if (notes.Live[i] == result) made = true;
                else notes.Live[i].Release();
            }
            notes.Live.RemoveRange(mark, notes.Live.Count - mark);
            if (made) notes.Live.Add(result);
            return result;
        }
        finally
        {
            notes.Modules.Pop();
        }
    }

    /// <summary>The work pending on what the operation that runs now reads or writes.</summary>
    internal ElementwiseChain? Pending { private get; set; }

    /// <summary>The same, for the operation to do or to hand on.</summary>
    internal ElementwiseChain? TakePending()
    {
        ElementwiseChain? pending = Pending;
        Pending = null;
        return pending;
    }

    /// <summary>Puts elementwise work on the operation's result off until somebody reads it.</summary>
    internal void PutOff<TWork>(in TWork work, Memory<float> target) where TWork : struct, IElementwise
    {
        if (Pending is null)
        {
            Pending = Notes.SpareChains.Take();
            Pending.Begin(target);
            Notes.PutOff.Add(Pending);
        }
        Pending.Add(work);
    }

    /// <summary>Does work that was put off.</summary>
    internal void Settle(ElementwiseChain pending)
    {
        pending.ThrowIfBroken();
        try
        {
            pending.Run(Workspace.Workers);
        }
        catch
        {
            pending.IsBroken = true;
            throw;
        }
        Done(pending);
    }

    /// <summary>Work that was put off has been done, or is not needed; saying so again changes nothing.</summary>
    internal void Done(ElementwiseChain? pending)
    {
        if (pending is null or { IsDone: true }) return;
        Notes.PutOff.Remove(pending);
        pending.IsDone = true;
        foreach (Memory<float> buffer in pending.Kept) Return(buffer);
    }

    /// <summary>Gives a buffer back, at once or when the work that still reads it has been done.</summary>
    internal void Return(Memory<float> buffer)
    {
        foreach (ElementwiseChain pending in Notes.PutOff)
        {
            if (!pending.Reads(buffer)) continue;
            pending.Kept.Add(buffer);
            return;
        }
        Workspace.Pool.Return(buffer);
    }

    /// <summary>Does the work that reads a buffer before its values go.</summary>
    internal void BeforeOverwriting(Memory<float> buffer)
    {
        for (int i = Notes.PutOff.Count - 1; i >= 0; i--)
        {
            ElementwiseChain pending = Notes.PutOff[i];
            if (!pending.Target.Equals(buffer) && pending.Reads(buffer)) Settle(pending);
        }
    }

    /// <summary>One operation backward.</summary>
    private void BackwardStep(Tensor output, GradientBuffer dy, Backpropagation pass)
    {
        BufferPool pool = Workspace.Pool;
        Op op = output.Maker!;
        output.Gradient = null;
        Tensor[] inputs = output.Inputs;
        if (op.GradientPassesOn)
        {
            foreach (Tensor input in inputs)
            {
                if (!input.NeedsGradient) continue;
                dy.Owners++;
                AddGradient(input, dy);
            }
            Drop(dy);
            return;
        }
        IReadOnlyList<Parameter> parameters = op.Parameters;
        bool inPlace = op.GradientInPlace && inputs[0].NeedsGradient && dy.Owners == 1;
        if (!op.DoesPending && !(inPlace && op.IsElementwise)) Settled(dy);
        if (inPlace) BeforeOverwriting(dy.Memory);
        Pending = dy.Pending;
        dy.Pending = null;
        pass.InputDestinations.Clear();
        for (int i = 0; i < inputs.Length; i++)
            pass.InputDestinations.Add(!inputs[i].NeedsGradient ? default : inPlace && i == 0 ? dy.Memory : pool.Rent(inputs[i].Shape.Length));
        pass.ParameterDestinations.Clear();
        for (int i = 0; i < parameters.Count; i++)
            pass.ParameterDestinations.Add(parameters[i].Trainable ? pool.Rent(parameters[i].Shape.Length) : default);
        try
        {
            op.Backward(pass, inputs, output, dy.Memory);
        }
        finally
        {
            pass.ReturnTemporaries();
        }
        ElementwiseChain? pending = TakePending();
        for (int i = 0; i < inputs.Length; i++)
        {
            if (inputs[i].NeedsGradient) AddGradient(inputs[i], Buffer(pass.InputDestinations[i], i == 0 ? pending : null));
        }
        for (int i = 0; i < parameters.Count; i++)
        {
            if (!parameters[i].Trainable) continue;
            Memory<float> gradient = pass.ParameterDestinations[i];
            if (Notes.Gradients.TryAdd(parameters[i], gradient)) continue;
            Memory<float> sum = Notes.Gradients[parameters[i]];
            FloatLines.Add(sum.Span, gradient.Span, sum.Span);
            pool.Return(gradient);
        }
        if (!inPlace) Drop(dy);
    }

    private void AddGradient(Tensor tensor, GradientBuffer addend)
    {
        if (tensor.Gradient is not { } sum)
        {
            tensor.Gradient = addend;
            return;
        }
        Settled(addend);
        if (sum.Owners > 1)
        {
            tensor.Gradient = Buffer(Workspace.Pool.Rent(sum.Memory.Length));
            Settled(sum);
        }
        BeforeOverwriting(tensor.Gradient.Memory);
        Pending = tensor.Gradient.Pending;
        PutOff(new ElementwiseAdd(sum.Memory, addend.Memory, tensor.Gradient.Memory), tensor.Gradient.Memory);
        tensor.Gradient.Pending = TakePending();
        if (tensor.Gradient != sum) Drop(sum);
        Drop(addend);
    }

    private GradientBuffer Buffer(Memory<float> memory, ElementwiseChain? pending = null)
    {
        GradientBuffer buffer = Notes.SpareGradients.Take();
        buffer.Begin(memory, pending);
        return buffer;
    }

    /// <summary>One tensor less has this as its gradient.</summary>
    private void Drop(GradientBuffer gradient)
    {
        if (--gradient.Owners > 0) return;
        Done(gradient.Pending);
        Return(gradient.Memory);
    }

    /// <summary>A copy that lasts until the run is disposed: the buffer may be another tensor's gradient as well.</summary>
    private Memory<float> Kept(GradientBuffer gradient)
    {
        Memory<float> copy = Save(gradient.Memory.Length);
        Settled(gradient).CopyTo(copy);
        Drop(gradient);
        return copy;
    }

    private Memory<float> Settled(GradientBuffer gradient)
    {
        if (gradient.Pending is { } pending) Settle(pending);
        gradient.Pending = null;
        return gradient.Memory;
    }
}
