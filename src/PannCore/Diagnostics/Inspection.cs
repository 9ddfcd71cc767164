using PannCore.Approximation;
using PannCore.Data;
using PannCore.Engine;
using PannCore.Nn;
using PannCore.Training;

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

    /// <summary>Whether the weights were trained with these polynomials over these ranges, or fitted to them: whatever they are compared with, other precisions and ranges say nothing of them.</summary>
    public bool MadeForPolynomials { get; init; }
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
    /// <param name="ideal">What the network is compared with; by default what its activations stand for. Causes, insides, bounds and other precisions are of that comparison only.</param>
    public static RunRecord Run(
        InspectionRequest request, ResNet pann, Cifar10 data, int[] images, Normalization normalization, Workspace workspace,
        Func<string, int, IProgress<int>?>? progress = null, CancellationToken cancellation = default, ArithmeticModel? arithmetic = null, IReadOnlyList<InspectionStudy>? studies = null,
        IdealNetwork? ideal = null)
    {
        IdealNetwork own = IdealNetwork.Of(pann);
        ideal ??= own;
        var probe = new RangeProbe();
        IReadOnlyList<string> faults = ModelFaults.Of(pann, data, normalization, workspace);
        ResNet like = ideal.Network(pann);
        Evaluation polynomial = Evaluation.Of(pann, data, images, normalization, workspace, observers: [probe], progress: progress?.Invoke("predictions", images.Length), cancellation: cancellation);
        // In float32 a network that is its own ideal is the same run.
        RangeProbe idealProbe = like == pann ? probe : new();
        Evaluation reference = like == pann ? polynomial : Evaluation.Of(like, data, images, normalization, workspace, observers: [idealProbe], cancellation: cancellation);
        int[] sound = [.. images.Where((_, i) => polynomial.Predictions[i] >= 0 && !probe.Exploded.Contains(i))];
        ErrorLedger ledger = ErrorLedger.Of(pann, data, images, normalization, workspace, ideal, progress: progress?.Invoke("error of every operation", images.Length), cancellation: cancellation);
        InspectionSubject subject = new(request, pann, data, images, sound, normalization, workspace, HasOwnIdeal: ideal.Text == own.Text);
        CauseRecord? causes = subject.ComparesPolynomials
            ? CauseStudy.Of(pann, pann.Ideal(), data, images, normalization, workspace, progress?.Invoke("switching layer by layer", images.Length), cancellation)
            : null;
        ArithmeticRecord? other = null;
        if (arithmetic is not null && sound.Length > 0)
        {
            Evaluation single = Evaluation.Of(
                pann, data, sound, normalization, workspace, ArithmeticModel.LargestBatch, [arithmetic.Observer], progress?.Invoke("other arithmetic", sound.Length), cancellation: cancellation);
            other = arithmetic.Record([.. sound.Select(i => data.Labels[i])], single, out _);
        }
        List<Flip> flips = [];
        for (int i = 0; i < images.Length; i++)
        {
            if (reference.Predictions[i] != polynomial.Predictions[i]) flips.Add(new(images[i], data.Labels[images[i]], reference.Predictions[i], polynomial.Predictions[i]) { FlippedAt = causes?.FlippedAt.GetValueOrDefault(images[i]) });
        }
        ReluPolynomial? approximation = pann.Activations.Where(a => !request.Patches.ContainsKey(a.Path)).Select(a => a.Function).OfType<ActivationFunction.Polynomial>().FirstOrDefault()?.Approximation
            ?? (request.Activation.IsPolynomial ? request.Activation.Build() : null);
        RunRecord record = new(
            RunRecord.CurrentSchema, request.Title, request.Command, request.Model, pann.Name, request.Activation.ToString(), request.Ranges, images.Length,
            reference.Accuracy, polynomial.Accuracy, polynomial.NonFinite, images.Length - sound.Length, probe.OutOfRangeImages,
            approximation is null ? double.NegativeInfinity : Math.Log2(approximation.MaxError), Curve(approximation),
            ledger.Operations, ledger.IdentityResidual, ledger.Checks, causes?.FirstToLast ?? [], flips, Cifar10.ClassNames, request.Provenance)
        {
            Ideal = ideal.Text,
            Causes = causes,
            OtherArithmetic = other,
            Unbounded = ledger.Unbounded.Count > 0 ? [.. ledger.Unbounded] : null,
            Patches = request.Patches.ToDictionary(patch => patch.Key, patch => patch.Value.ToString()),
        };
        foreach (InspectionStudy study in studies ?? [])
        {
            if (study.Units(subject) is > 0 and int units) record = study.Add(record, subject, progress?.Invoke(study.Name, units), cancellation);
        }
        int[] shown = [.. flips.Take(MostPictures).Select(flip => flip.Image).Union(record.Ranging?.Nearest.Select(near => near.Image) ?? [])];
        return record with
        {
            Pictures = shown.ToDictionary(image => image, image => (ReadOnlyMemory<byte>)data.Image(image).ToArray()),
            Diagnoses = [.. faults, .. RecordFaults.Of(record, IdealInputs(ideal, own, idealProbe))],
        };
    }

    /// <summary>
    /// Largest |x| at each activation before any error, in a network that the ranges were measured for: with ideal activations, or, where the polynomials themselves are the ideal,
    /// in images that have left no range before. Another ideal's inputs say nothing about these ranges.
    /// </summary>
    private static Dictionary<string, double> IdealInputs(IdealNetwork ideal, IdealNetwork own, RangeProbe probe)
        => ideal.Text != own.Text && ideal.Text != IdealNetwork.Self.Text ? []
            : probe.ByPath.ToDictionary(pair => pair.Key, pair => pair.Value.Range is null ? pair.Value.Largest : pair.Value.SoundLargest);

    /// <summary>Polynomial minus the function it stands for, on a grid over [-1, 1].</summary>
    private static IReadOnlyList<CurvePoint> Curve(ReluPolynomial? polynomial)
    {
        if (polynomial is null) return [];
        return [.. Enumerable.Range(0, CurvePoints).Select(i => (2.0 * i / (CurvePoints - 1)) - 1).Select(t => new CurvePoint(t, polynomial.Evaluate(t) - (t <= 0 ? polynomial.Leak * t : t)))];
    }
}
