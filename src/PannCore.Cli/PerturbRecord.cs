using PannCore.Approximation;
using PannCore.Diagnostics;
using PannCore.Nn;
using PannCore.Ops;
using PannCore.Reports;

namespace PannCore.Cli;

/// <summary>What <c>pann perturb --json</c> writes; accuracies in percent.</summary>
/// <param name="Model">Name of the model file.</param>
/// <param name="Provenance">What the figures depend on besides.</param>
/// <param name="Activation">The polynomial whose own error is used; null for none.</param>
/// <param name="Ranges">Its ranges; null for none.</param>
/// <param name="Unit">absolute, rms or energy.</param>
/// <param name="Seed">Seed of noise and signs.</param>
/// <param name="Images">Number of images.</param>
/// <param name="Accuracy">Of the network as it is.</param>
/// <param name="Summary">The outcome in words.</param>
/// <param name="Rows">Each perturbation.</param>
/// <param name="Comparisons">Each form and size that was tried on either side.</param>
/// <param name="Layers">The perturbed layers.</param>
/// <param name="Seconds">Time.</param>
internal sealed record PerturbRecord(
    string Model, IReadOnlyDictionary<string, string> Provenance, string? Activation, string? Ranges, string Unit, long Seed, int Images, double Accuracy, IReadOnlyList<string> Summary,
    IReadOnlyList<PerturbRow> Rows, IReadOnlyList<PerturbComparison> Comparisons, IReadOnlyList<PerturbLayer> Layers, double Seconds)
{
    public static PerturbRecord Of(
        string model, IReadOnlyDictionary<string, string> provenance, ActivationSpec? spec, ActivationRanges? ranges, PerturbationUnit unit, long seed,
        Perturbation experiment, ReluStatistics? statistics, PerturbationResult result, double seconds)
        => new(
            model, provenance, spec?.ToString(), ranges?.Spec, PerturbationReport.Name(unit), seed, result.Baseline.Right.Count, result.Baseline.Accuracy, PerturbationReport.Summary(result),
            [.. result.Outcomes.Select(outcome => new PerturbRow(
                PerturbationReport.Name(outcome.Trial.Side), PerturbationReport.Name(outcome.Trial.Form), outcome.Trial.Size, outcome.Accuracy, outcome.Correct, outcome.NonFinite))],
            [.. result.Comparisons.Select(c => new PerturbComparison(
                PerturbationReport.Name(c.Negative.Trial.Form), c.Negative.Trial.Size, c.Negative.Accuracy, c.Positive.Accuracy, c.RightWithNegativeOnly, c.RightWithPositiveOnly,
                c.Worse is PerturbedSide worse ? PerturbationReport.Name(worse) : null))],
            [.. experiment.Layers.Select(path => PerturbLayer.Of(path, ranges, statistics?.ByPath[path]))], seconds);
}

/// <summary>One perturbation.</summary>
internal sealed record PerturbRow(string Side, string Form, double Size, double Accuracy, int Correct, int NonFiniteImages);

/// <summary>The same form and size on either side: images that are right with the one only, and the side that clearly costs more, if any.</summary>
internal sealed record PerturbComparison(string Form, double Size, double NegativeAccuracy, double PositiveAccuracy, int RightWithNegativeOnly, int RightWithPositiveOnly, string? CostsMore);

/// <summary>A perturbed layer; measurements on training images, null where the unit needs none.</summary>
internal sealed record PerturbLayer(string Path, double? Range, double? NegativeShare, double? InputRms, double? OutputRms, double? ErrorRmsNegative, double? ErrorRmsPositive)
{
    public static PerturbLayer Of(string path, ActivationRanges? ranges, ReluStatistics.Layer? layer)
        => new(
            path, ranges?[path], layer?.NegativeShare, layer?.InputRms, layer?.OutputRms,
            ranges is null ? null : layer?.PerturbationRms(PerturbedSide.Negative, PerturbationForm.Own), ranges is null ? null : layer?.PerturbationRms(PerturbedSide.Positive, PerturbationForm.Own));
}
