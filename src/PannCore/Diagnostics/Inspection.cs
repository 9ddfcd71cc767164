using PannCore.Approximation;
using PannCore.Data;
using PannCore.Engine;
using PannCore.Nn;
using PannCore.Training;
using Tensor = PannCore.Engine.Tensor;

namespace PannCore.Diagnostics;

/// <summary>What was asked for, to be repeated in the record.</summary>
/// <param name="Title">One line.</param>
/// <param name="Command">The command that produces the record again.</param>
/// <param name="Model">Name of the model file.</param>
/// <param name="Activation">The activation's specification.</param>
/// <param name="Ranges">The ranges' text.</param>
/// <param name="Provenance">What else the figures depend on.</param>
public sealed record InspectionRequest(string Title, string Command, string Model, ActivationSpec Activation, string Ranges, IReadOnlyDictionary<string, string> Provenance)
{
    /// <summary>Activations that are another function than <see cref="Activation"/>: see <see cref="ActivationPatches"/>.</summary>
    public IReadOnlyDictionary<string, ActivationSpec> Patches { get; init; } = new Dictionary<string, ActivationSpec>();
}

/// <summary>Predictions, ledger, layer switch and further studies of a PANN over a set of images, as one record.</summary>
public static class Inspection
{
    private const int CurvePoints = 801, MostPictures = 60;

    /// <summary>Inspects a PANN.</summary>
    /// <param name="request">What was asked for.</param>
    /// <param name="pann">The network.</param>
    /// <param name="data">The data set.</param>
    /// <param name="images">Indices of the images.</param>
    /// <param name="normalization">The normalisation the network was trained with.</param>
    /// <param name="workspace">Threads and memory.</param>
    /// <param name="progress">Asked, for each part as it begins, who is told the units of it that are done; it gets the part's name and how many units there are.</param>
    /// <param name="cancellation">Stops between batches.</param>
    /// <param name="arithmetic">Another arithmetic to evaluate the network in as well; it must not have seen images before.</param>
    /// <param name="studies">Further parts, <see cref="InspectionStudy.All"/> or some of them; none by default.</param>
    public static RunRecord Run(
        InspectionRequest request, ResNet pann, Cifar10 data, int[] images, Normalization normalization, Workspace workspace,
        Func<string, int, IProgress<int>?>? progress = null, CancellationToken cancellation = default, ArithmeticModel? arithmetic = null, IReadOnlyList<InspectionStudy>? studies = null)
    {
        var probe = new RangeProbe();
        var nonFinite = new NonFiniteCounter();
        var idealProbe = new RangeProbe();
        IReadOnlyList<string> faults = ModelFaults.Of(pann, data, images, normalization, workspace);
        Evaluation ideal = Evaluation.Of(pann.Ideal(), data, images, normalization, workspace, observers: [idealProbe], cancellation: cancellation);
        Evaluation polynomial = Evaluation.Of(pann, data, images, normalization, workspace, observers: [probe, nonFinite], progress: progress?.Invoke("predictions", images.Length), cancellation: cancellation);
        int[] sound = [.. images.Where((_, i) => polynomial.Predictions[i] >= 0 && !probe.Exploded.Contains(i))];
        ErrorLedger ledger = ErrorLedger.Of(pann, data, sound, normalization, workspace, progress: progress?.Invoke("error of every operation", sound.Length), cancellation: cancellation);
        CauseRecord? causes = pann.Activations.Any(activation => activation.Function is ActivationFunction.Polynomial) && sound.Length > 0
            ? CauseStudy.Of(pann, pann.Ideal(), data, images, normalization, workspace, progress?.Invoke("switching layer by layer", images.Length), cancellation)
            : null;
        ArithmeticRecord? other = null;
        if (arithmetic is not null && sound.Length > 0)
        {
            Evaluation single = Evaluation.Of(
                pann, data, sound, normalization, workspace, ArithmeticModel.LargestBatch, [arithmetic.Observer], progress?.Invoke("other arithmetic", sound.Length), cancellation);
            other = arithmetic.Record([.. sound.Select(i => data.Labels[i])], single, out _);
        }
        List<Flip> flips = [];
        for (int i = 0; i < images.Length; i++)
        {
            if (ideal.Predictions[i] != polynomial.Predictions[i]) flips.Add(new(images[i], data.Labels[images[i]], ideal.Predictions[i], polynomial.Predictions[i]) { FlippedAt = causes?.FlippedAt.GetValueOrDefault(images[i]) });
        }
        ReluPolynomial? approximation = pann.Activations.Where(a => !request.Patches.ContainsKey(a.Path)).Select(a => a.Function).OfType<ActivationFunction.Polynomial>().FirstOrDefault()?.Approximation
            ?? (request.Activation.IsPolynomial ? request.Activation.Build() : null);
        RunRecord record = new(
            RunRecord.CurrentSchema, request.Title, request.Command, request.Model, pann.Name, request.Activation.ToString(), request.Ranges, images.Length,
            ideal.Accuracy, polynomial.Accuracy, polynomial.NonFinite, images.Length - sound.Length, probe.OutOfRangeImages,
            approximation is null ? double.NegativeInfinity : Math.Log2(approximation.MaxError), Curve(approximation),
            [.. (sound.Length > 0 ? ledger.Operations : nonFinite.Operations).Select(o => Survey(o, probe, nonFinite))],
            ledger.IdentityResidual, ledger.Checks, causes?.FirstToLast ?? [], flips, Cifar10.ClassNames, request.Provenance)
        {
            Causes = causes,
            OtherArithmetic = other,
            Patches = request.Patches.ToDictionary(patch => patch.Key, patch => patch.Value.ToString()),
            Pictures = flips.Take(MostPictures).ToDictionary(flip => flip.Image, flip => (ReadOnlyMemory<byte>)data.Image(flip.Image).ToArray()),
        };
        InspectionSubject subject = new(request, pann, data, images, sound, normalization, workspace);
        foreach (InspectionStudy study in studies ?? [])
        {
            if (study.Units(subject) is > 0 and int units) record = study.Add(record, subject, progress?.Invoke(study.Name, units), cancellation);
        }
        return record with { Diagnoses = [.. faults, .. RecordFaults.Of(record, idealProbe.ByPath.ToDictionary(pair => pair.Key, pair => pair.Value.Largest))] };
    }

    /// <summary>What is counted over all images; every other figure leaves out those that explode.</summary>
    private static OperationRecord Survey(OperationRecord operation, RangeProbe probe, NonFiniteCounter nonFinite)
    {
        long outOfRange = probe.ByPath.TryGetValue(operation.Path, out RangeProbe.Watch? watch) ? watch.OutOfRange : 0;
        return operation with { NonFinite = nonFinite.Of(operation.Path), OutOfRange = outOfRange };
    }

    /// <summary>Polynomial minus the function it stands for, on a grid over [-1, 1].</summary>
    private static IReadOnlyList<CurvePoint> Curve(ReluPolynomial? polynomial)
    {
        if (polynomial is null) return [];
        return [.. Enumerable.Range(0, CurvePoints).Select(i => (2.0 * i / (CurvePoints - 1)) - 1).Select(t => new CurvePoint(t, polynomial.Evaluate(t) - (t <= 0 ? polynomial.Leak * t : t)))];
    }

    private sealed class NonFiniteCounter : IRunObserver
    {
        private static readonly ErrorSize Unknown = new(double.NaN, double.NaN, double.NaN);
        private readonly Dictionary<string, long> _byPath = [];
        private readonly Dictionary<string, string> _names = [];

        /// <summary>Lines for a run without a finite image: no error can be measured, but the first line with non-finite elements is where it broke.</summary>
        public IEnumerable<OperationRecord> Operations => _names.Select(pair => new OperationRecord(
            pair.Key, pair.Value, Unknown, Unknown, Unknown, Unknown, double.NaN, double.NaN, null, null, null, null, null, 0, null, null, 0, 0));

        public long Of(string path) => _byPath.GetValueOrDefault(path);

        public void Forward(Op op, string path, IReadOnlyList<Tensor> inputs, Tensor output)
        {
            _names.TryAdd(path, op.Name);
            long count = 0;
            foreach (float value in output.Values)
            {
                if (!float.IsFinite(value)) count++;
            }
            _byPath[path] = _byPath.GetValueOrDefault(path) + count;
        }
    }
}
