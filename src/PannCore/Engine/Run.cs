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
/// One pass of one thread through a model: whether batch-norm trains, whether a tape is kept for <see cref="Backward"/>, and who observes.
/// The two settings are independent of each other. All memory of the pass goes back to the workspace when it is disposed, most of it earlier.
/// </summary>
public sealed class Run : IDisposable
{
    private readonly List<Tensor> _live = [];
    private readonly List<Step>? _tape;
    private readonly Stack<(string Path, bool Leaf)> _modules = new();
    private readonly IReadOnlyList<IRunObserver> _observers;
    private readonly List<Gradients> _gradients = [];
    private readonly Dictionary<string, int> _paths = [];
    private bool _disposed;

    /// <summary>Begins a pass.</summary>
    /// <param name="workspace">Threads and memory.</param>
    /// <param name="statistics">Which statistics batch-norm uses.</param>
    /// <param name="tape">Whether <see cref="Backward"/> will be called.</param>
    /// <param name="observers">Who sees every operation.</param>
    public Run(Workspace workspace, Statistics statistics = Statistics.Evaluation, bool tape = false, IReadOnlyList<IRunObserver>? observers = null)
    {
        Workspace = workspace;
        Statistics = statistics;
        _tape = tape ? [] : null;
        _observers = observers ?? [];
    }

    /// <summary>Threads and memory.</summary>
    public Workspace Workspace { get; }

    /// <summary>Which statistics batch-norm uses.</summary>
    public Statistics Statistics { get; }

    /// <summary>A tensor of this pass with a copy of these values.</summary>
    /// <exception cref="ShapeException">Another number of values.</exception>
    public Tensor Input(Shape shape, ReadOnlySpan<float> values)
    {
        if (values.Length != shape.Length) throw new ShapeException($"input: shape {shape} has {shape.Length} values, found {values.Length}");
        Tensor tensor = Rent(shape);
        values.CopyTo(tensor.Memory.Span);
        return tensor;
    }

    /// <summary>The gradients of sum(seed * output) with respect to every trainable parameter that had a part in it. Can be called once.</summary>
    /// <param name="output">A tensor of this pass.</param>
    /// <param name="seed">Gradient of the output; by default all ones.</param>
    /// <exception cref="InvalidOperationException">The run keeps no tape, was asked before, or is not the output's.</exception>
    /// <exception cref="ShapeException">A seed of another length than the output.</exception>
    public Gradients Backward(Tensor output, ReadOnlySpan<float> seed = default)
    {
        if (_tape is null) throw new InvalidOperationException("backward: this run keeps no tape");
        if (_gradients.Count > 0) throw new InvalidOperationException("backward: this run has been asked already");
        if (output.Run != this) throw new InvalidOperationException($"backward: the output of {output.Origin} belongs to another run");
        if (!seed.IsEmpty && seed.Length != output.Shape.Length)
            throw new ShapeException($"backward: output {output.Shape} has {output.Shape.Length} elements, seed has {seed.Length}");
        var gradients = new Gradients();
        _gradients.Add(gradients);
        var flowing = new Dictionary<Tensor, Memory<float>>();
        Memory<float> first = Workspace.Pool.Rent(output.Shape.Length);
        if (seed.IsEmpty) first.Span.Fill(1);
        else seed.CopyTo(first.Span);
        flowing[output] = first;
        var pass = new Backpropagation(this);
        for (int i = _tape.Count - 1; i >= 0; i--)
        {
            Step step = _tape[i];
            if (flowing.Remove(step.Output, out Memory<float> dy))
            {
                foreach (IRunObserver observer in _observers) observer.Gradient(step.Op, step.Path, step.Output, dy.Span);
                if (!BackwardStep(step, dy, pass, flowing, gradients)) Workspace.Pool.Return(dy);
            }

            // Steps before this one cannot have read its output.
            if (step.Output != output) step.Output.Release(Workspace.Pool);
        }
        _tape.Clear();
        return gradients;
    }

    /// <summary>Gives all memory of the pass back.</summary>
    public void Dispose()
    {
        _disposed = true;
        foreach (Tensor tensor in _live) tensor.Release(Workspace.Pool);
        foreach (Gradients gradients in _gradients) gradients.Release(Workspace.Pool);
        _live.Clear();
        _gradients.Clear();
        _tape?.Clear();
    }

    /// <summary>A tensor that no operation made: an input.</summary>
    internal Tensor Rent(Shape shape)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return Adopt(shape, Workspace.Pool.Rent(shape.Length), "input", needsGradient: false, isReadByItsMaker: false);
    }

    /// <summary>Whether nobody will ask for the values of a tensor after an operation has used it: no observer, and on a tape no backward pass.</summary>
    internal bool MayOverwrite(Tensor tensor, bool backwardReadsInputs)
        => tensor.IsLastUse && _observers.Count == 0 && (_tape is null || (!backwardReadsInputs && !tensor.IsReadByItsMaker));

    /// <summary>A tensor over memory of the workspace's pool.</summary>
    internal Tensor Adopt(Shape shape, Memory<float> memory, string origin, bool needsGradient, bool isReadByItsMaker)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        var tensor = new Tensor(this, shape, memory, origin, needsGradient, isReadByItsMaker);
        _live.Add(tensor);
        return tensor;
    }

    internal void Record(Op op, string path, Tensor[] inputs, Tensor output)
    {
        if (_tape is not null && output.NeedsGradient) _tape.Add(new(op, path, inputs, output));
        foreach (IRunObserver observer in _observers) observer.Forward(op, path, inputs, output);
    }

    /// <summary>
    /// A leaf module's operation carries the module's path; a composite module's own operations add their name, and without a module the name is all.
    /// A path met before in this run gets <c>#2</c>, <c>#3</c>, ...: no two operations of a run share one.
    /// </summary>
    internal string PathOf(Op op)
    {
        string path = !_modules.TryPeek(out (string Path, bool Leaf) module) || (module.Path.Length == 0) ? op.Name : module.Leaf ? module.Path : $"{module.Path}.{op.Name}";
        int count = _paths[path] = _paths.GetValueOrDefault(path) + 1;
        return count == 1 ? path : FormattableString.Invariant($"{path}#{count}");
    }

    /// <summary>Calls a module; without a tape, everything it made but its result is given back when it returns.</summary>
    internal Tensor Call(string path, bool leaf, Tensor x, Func<Tensor, Tensor> forward)
    {
        int mark = _live.Count;
        _modules.Push((path, leaf));
        try
        {
            Tensor result = forward(x);
            if (_tape is not null) return result;
            bool made = false;
            for (int i = _live.Count - 1; i >= mark; i--)
            {
                if (_live[i] == result) made = true;
                else _live[i].Release(Workspace.Pool);
            }
            _live.RemoveRange(mark, _live.Count - mark);
            if (made) _live.Add(result);
            return result;
        }
        finally
        {
            _modules.Pop();
        }
    }

    /// <summary>One operation backward; whether the gradient of its output has become that of its first input.</summary>
    private bool BackwardStep(Step step, Memory<float> dy, Backpropagation pass, Dictionary<Tensor, Memory<float>> flowing, Gradients gradients)
    {
        BufferPool pool = Workspace.Pool;
        IReadOnlyList<Parameter> parameters = step.Op.Parameters;
        bool inPlace = step.Op.GradientInPlace && step.Inputs[0].NeedsGradient;
        pass.InputDestinations = [.. step.Inputs.Select((x, i) => !x.NeedsGradient ? default : inPlace && i == 0 ? dy : pool.Rent(x.Shape.Length))];
        pass.ParameterDestinations = [.. parameters.Select(p => p.Trainable ? pool.Rent(p.Shape.Length) : default)];
        try
        {
            step.Op.Backward(pass, step.Inputs, step.Output, dy);
        }
        finally
        {
            pass.ReturnTemporaries();
        }
        for (int i = 0; i < step.Inputs.Length; i++)
        {
            if (!step.Inputs[i].NeedsGradient) continue;
            if (flowing.TryGetValue(step.Inputs[i], out Memory<float> sum)) AddInto(sum, pass.InputDestinations[i]);
            else flowing[step.Inputs[i]] = pass.InputDestinations[i];
        }
        for (int i = 0; i < parameters.Count; i++)
        {
            if (!parameters[i].Trainable) continue;
            if (gradients.TryGet(parameters[i], out Memory<float> sum)) AddInto(sum, pass.ParameterDestinations[i]);
            else gradients.Add(parameters[i], pass.ParameterDestinations[i]);
        }
        return inPlace;
    }

    private void AddInto(Memory<float> sum, Memory<float> addend)
    {
        Workspace.Workers.Run(new AddJob(sum, addend, sum), Chunks.Count(sum.Length));
        Workspace.Pool.Return(addend);
    }

    private sealed record Step(Op Op, string Path, Tensor[] Inputs, Tensor Output);
}
