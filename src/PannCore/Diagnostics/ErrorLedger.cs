using PannCore.Data;
using PannCore.Engine;
using PannCore.Nn;
using Tensor = PannCore.Engine.Tensor;

namespace PannCore.Diagnostics;

/// <summary>
/// The error ledger: runs a PANN in float32 and, in lock-step, the ideal network in float64, and splits the error of every element of every
/// operation into what was injected there (arithmetic, approximation) and what was inherited. See <see cref="OperationRecord"/> for the definition.
/// </summary>
public sealed class ErrorLedger : IRunObserver
{
    private readonly Workspace _workspace;
    private readonly Dictionary<Tensor, DoubleTensor> _ideal = [];
    private readonly List<LedgerLine> _lines = [];
    private readonly Dictionary<string, LedgerLine> _byPath = [];
    private readonly LedgerChecks _checks = new();
    private ReadOnlyMemory<int> _images;

    /// <summary>An empty ledger; networks other than a <see cref="ResNet"/> can be run with it as their observer, one batch.</summary>
    internal ErrorLedger(Workspace workspace) => _workspace = workspace;

    /// <summary>One line an operation, in the order of execution.</summary>
    public IReadOnlyList<OperationRecord> Operations => [.. _lines.Select(line => line.Record())];

    /// <summary>The independent checks.</summary>
    public IReadOnlyList<CheckRecord> Checks => _checks.Records(IdentityResidual);

    /// <summary>Largest identity residual of all operations.</summary>
    public double IdentityResidual => Operations.Select(operation => operation.IdentityResidual).DefaultIfEmpty().Max();

    /// <summary>
    /// The ledger of a PANN over some images. Images whose logits are not finite would swallow every other figure: pass finite ones,
    /// and count the others apart.
    /// </summary>
    /// <param name="pann">The network, with evaluation statistics.</param>
    /// <param name="data">The data set.</param>
    /// <param name="images">Indices of the images.</param>
    /// <param name="normalization">The normalisation the network was trained with.</param>
    /// <param name="workspace">Threads and memory of the working run.</param>
    /// <param name="batch">Images at a time: about 40 MB each for ResNet-20.</param>
    /// <param name="progress">Told the number of images done.</param>
    /// <param name="cancellation">Stops between batches.</param>
    public static ErrorLedger Of(
        ResNet pann, Cifar10 data, int[] images, Normalization normalization, Workspace workspace, int batch = 16,
        IProgress<int>? progress = null, CancellationToken cancellation = default)
    {
        var ledger = new ErrorLedger(workspace);
        var loader = new BatchLoader(data, normalization);
        for (int first = 0; first < images.Length; first += batch)
        {
            cancellation.ThrowIfCancellationRequested();
            ReadOnlyMemory<int> chosen = images.AsMemory(first, Math.Min(batch, images.Length - first));
            ledger._images = chosen;
            using var run = new Run(workspace, Statistics.Evaluation, tape: false, [ledger]);
            pann.Call(loader.Load(run, chosen));
            ledger._ideal.Clear();
            progress?.Report(first + chosen.Length);
        }
        return ledger;
    }

    /// <inheritdoc/>
    public void Forward(Op op, string path, IReadOnlyList<Tensor> inputs, Tensor output)
    {
        if (output.Run.Statistics == Statistics.Training)
            throw new InvalidOperationException($"ledger: {path}: batch-norm must use evaluation statistics, the run uses training statistics");
        DoubleTensor[] working = [.. inputs.Select(x => DoubleTensor.From(x.Shape, x.Values))];
        DoubleTensor[] idealInputs = [.. inputs.Select((x, j) => _ideal.TryGetValue(x, out DoubleTensor? known) ? known : _ideal[x] = working[j])];
        DoubleTensor exact = new(output.Shape), idealOfWorking = new(output.Shape), ideal = new(output.Shape);
        op.Exact(_workspace, working, exact);
        op.Ideal(_workspace, working, idealOfWorking);
        op.Ideal(_workspace, idealInputs, ideal);
        _ideal[output] = ideal;

        if (!_byPath.TryGetValue(path, out LedgerLine? line)) _lines.Add(_byPath[path] = line = new LedgerLine(path, op.Name));
        float[] values = output.Values.ToArray();
        LedgerLine known = line;

        // Neither writes what the other reads, and the line needs no worker of the workspace.
        Task adding = Task.Run(() => known.Add(op, working, idealInputs, values, exact.Values, idealOfWorking.Values, ideal.Values));
        _checks.Add(_workspace, op, new Place(path, output.Shape.Length / output.Shape[0], _images), working, idealInputs, values, exact, idealOfWorking, ideal);
        adding.GetAwaiter().GetResult();
    }
}
