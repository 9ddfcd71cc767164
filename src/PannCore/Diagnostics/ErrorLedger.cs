using System.Numerics.Tensors;
using PannCore.Data;
using PannCore.Engine;
using PannCore.Nn;
using Tensor = PannCore.Engine.Tensor;

namespace PannCore.Diagnostics;

/// <summary>
/// The error ledger: runs a PANN in float32 and, in lock-step in float64, the ideal network and the network of polynomials in exact arithmetic. It splits the error of every
/// element of every operation into what was injected there (arithmetic, approximation) and what was inherited. See <see cref="OperationRecord"/> for the definition.
/// </summary>
/// <remarks>
/// An image in which a value is not finite, or a polynomial of range B answered beyond [-2 B, 2 B], is left out of all sums and checks: the figures are those of a run without it,
/// to the bit. Only <see cref="OperationRecord.NonFinite"/> and <see cref="OperationRecord.OutOfRange"/> count it; and where an operation makes a value that is not finite
/// though its inputs and its rounding give it no reason to, the arithmetic check fails and names it.
/// No figure depends on the size of the batch or the number of threads, to the bit.
/// </remarks>
public sealed class ErrorLedger : IRunObserver
{
    /// <summary>Images at a time: measured to be the fastest; the figures do not depend on it.</summary>
    private const int DefaultBatch = 8;

    private readonly Workspace _workspace;
    private readonly IdealNetwork _ideal;
    private readonly int _capacity;
    private readonly DoubleBuffers _buffers = new();
    private readonly Dictionary<Tensor, InAllRuns> _values = [];
    private readonly List<Tensor> _released = [];
    private readonly List<LedgerLine> _lines = [], _batchLines = [];
    private readonly Dictionary<string, LedgerLine> _byPath = [];
    private readonly LedgerChecks _checks = new();
    private readonly List<int> _images, _leftOut = [];
    private readonly SortedSet<string> _unbounded = new(StringComparer.Ordinal);
    private ReadOnlyMemory<int> _indices;
    private Run? _run;
    private ImageState[] _states = [];
    private int _seen;

    /// <summary>An empty ledger, to be the observer of runs; each is one batch.</summary>
    /// <param name="workspace">Threads; that of the runs.</param>
    /// <param name="ideal">What to compare with; by default what each operation stands for.</param>
    /// <param name="capacity">Number of images expected.</param>
    internal ErrorLedger(Workspace workspace, IdealNetwork? ideal = null, int capacity = 0) => (_workspace, _ideal, _capacity, _images) = (workspace, ideal ?? IdealNetwork.Own, capacity, new(capacity));

    /// <summary>One line an operation, in the order of execution. Sizes are NaN where no image is sound.</summary>
    public IReadOnlyList<OperationRecord> Operations
    {
        get
        {
            Finish();
            return [.. _lines.Select(line => line.Record(_images))];
        }
    }

    /// <summary>The independent checks: those that had anything to compare.</summary>
    public IReadOnlyList<CheckRecord> Checks
    {
        get
        {
            Finish();
            return _checks.Records(_images.Count == 0 ? null : IdentityResidual);
        }
    }

    /// <summary>Largest identity residual of all operations.</summary>
    public double IdentityResidual
    {
        get
        {
            Finish();
            return _lines.Select(line => line.Residual).DefaultIfEmpty().Max();
        }
    }

    /// <summary>The images in the sums, by their index in the data set, in the order in which they were run.</summary>
    public IReadOnlyList<int> Images
    {
        get
        {
            Finish();
            return _images;
        }
    }

    /// <summary>The images left out, likewise.</summary>
    public IReadOnlyList<int> LeftOut
    {
        get
        {
            Finish();
            return _leftOut;
        }
    }

    /// <summary>Activations whose approximation error is not checked, because no bound of their distance from this ideal is known.</summary>
    public IReadOnlyCollection<string> Unbounded => _unbounded;

    /// <summary>The text of what it compares with: see <see cref="IdealNetwork"/>.</summary>
    public string Ideal => _ideal.Text;

    /// <summary>The ledger of a PANN over some images.</summary>
    /// <param name="pann">The network, with evaluation statistics.</param>
    /// <param name="data">The data set.</param>
    /// <param name="images">Indices of the images.</param>
    /// <param name="normalization">The normalisation the network was trained with.</param>
    /// <param name="workspace">Threads and memory.</param>
    /// <param name="ideal">What to compare with; by default the functions that the activations stand for.</param>
    /// <param name="batch">Images at a time: about 10 MB each for ResNet-20.</param>
    /// <param name="progress">Told the number of images done.</param>
    /// <param name="cancellation">Stops between batches.</param>
    /// <exception cref="BadInputException">The ideal is another network, and its modules differ.</exception>
    public static ErrorLedger Of(
        ResNet pann, Cifar10 data, int[] images, Normalization normalization, Workspace workspace, IdealNetwork? ideal = null, int batch = DefaultBatch,
        IProgress<int>? progress = null, CancellationToken cancellation = default)
    {
        ideal ??= IdealNetwork.Of(pann);
        // A model that does not fit is refused before anything is run.
        _ = ideal.Network(pann);
        var ledger = new ErrorLedger(workspace, ideal, images.Length);
        var loader = new BatchLoader(data, normalization);
        for (int first = 0; first < images.Length; first += batch)
        {
            cancellation.ThrowIfCancellationRequested();
            ReadOnlyMemory<int> chosen = images.AsMemory(first, Math.Min(batch, images.Length - first));
            ledger.Begin(chosen);
            using var run = new Run(workspace, Statistics.Evaluation, tape: false, [ledger]);
            pann.Call(loader.Load(run, chosen));
            ledger.Finish();
            progress?.Report(first + chosen.Length);
        }
        ledger._buffers.Clear();
        ledger._indices = default;
        return ledger;
    }

    /// <inheritdoc/>
    public void Forward(Op op, string path, IReadOnlyList<Tensor> inputs, Tensor output)
    {
        if (output.Run.Statistics == Statistics.Training)
            throw new InvalidOperationException($"ledger: {path}: batch-norm must use evaluation statistics, the run uses training statistics");
        if (output.Run.Convolution != _workspace.Convolution)
            throw new InvalidOperationException($"ledger: {path}: rounding is bounded for {_workspace.Convolution} convolutions, the run's are {output.Run.Convolution}");
        if (_run != output.Run)
        {
            Finish();
            _run = output.Run;
            _states = new ImageState[inputs.All(input => input.Shape[0] == output.Shape[0]) ? output.Shape[0] : 1];
        }
        TakeBackReleased();
        InAllRuns[] x = [.. inputs.Select(input => _values.TryGetValue(input, out InAllRuns? known) ? known : _values[input] = Input(input))];
        IdealOperation ideal = _ideal.Of(op, path);
        var step = new LedgerStep(_workspace, _buffers, op, ideal, x, output);
        _values[output] = step.Outputs;

        if (!_byPath.TryGetValue(path, out LedgerLine? line)) _lines.Add(_byPath[path] = line = new LedgerLine(path, op.Name, _capacity));
        if (op.Activation is not null && double.IsPositiveInfinity(ideal.ApproximationBound)) _unbounded.Add(path);
        step.AddTo(line, _states, _batchLines.Count);
        _batchLines.Add(line);
        step.Return();
    }

    private void Begin(ReadOnlyMemory<int> indices)
    {
        Finish();
        if (indices.Length != _indices.Length) _buffers.Clear();
        _indices = indices;
    }

    /// <summary>At the end of a batch: what has been found in each of its images is added in the order of the images, if the image is sound.</summary>
    private void Finish()
    {
        if (_run is null) return;
        foreach (InAllRuns values in _values.Values) values.Return(_buffers);
        _values.Clear();
        for (int n = 0; n < _states.Length; n++)
        {
            bool isSound = !_states[n].IsLost;
            (isSound ? _images : _leftOut).Add(_indices.IsEmpty ? _seen + n : _indices.Span[n]);
            int operations = isSound ? _batchLines.Count : _states[n].CheckedOperations;
            for (int i = 0; i < operations; i++) AddImage(_batchLines[i], n);
        }
        _seen += _states.Length;
        _batchLines.Clear();
        _run = null;
    }

    private void AddImage(LedgerLine line, int n)
    {
        // What is not one result an image, as a mean over the batch, counts with the first image, if all are sound.
        if (line.BatchImages != _states.Length && (n > 0 || Array.Exists(_states, state => state.IsLost))) return;
        if (!_states[n].IsLost) line.Add(n);
        _checks.Add(line[n].Checks, new(line.Path, _indices.IsEmpty ? null : _indices.Span[n], n * line.ImageSize));
    }

    private InAllRuns Input(Tensor input)
    {
        DoubleTensor values = _buffers.Rent(input.Shape);
        TensorPrimitives.ConvertTruncating(input.Values, values.Values.AsSpan());
        int size = values.Values.Length / _states.Length;
        for (int n = 0; n < _states.Length; n++)
        {
            if (!LedgerStep.Within(values.Values.AsSpan(n * size, size), double.MaxValue)) _states[n].IsLost = true;
        }
        return new(values, values, values);
    }

    /// <summary>What nobody can use any more goes back: the next operation then works in memory that is still in the caches.</summary>
    private void TakeBackReleased()
    {
        foreach ((Tensor tensor, InAllRuns values) in _values)
        {
            if (!tensor.IsReleased) continue;
            values.Return(_buffers);
            _released.Add(tensor);
        }
        foreach (Tensor tensor in _released) _values.Remove(tensor);
        _released.Clear();
    }
}
