using PannCore.Approximation;
using PannCore.Data;
using PannCore.Engine;
using PannCore.Nn;
using PannCore.Training;

namespace PannCore.Diagnostics;

/// <summary>Runs a PANN with other polynomials of the same family, at the same ranges.</summary>
public static class PrecisionSweep
{
    private const int LargestDirectDegree = 64;

    /// <summary>
    /// The polynomials that a sweep shows beside the given one, coarse to fine by their certified error: <c>direct:2, 4, 8 ... 64</c> for a direct polynomial,
    /// <c>composite:alpha=4 ... 14</c> for every other, with the same leak, and direct ones with the same value at 0 or density; and the given one itself. Empty for a function that is no polynomial.
    /// </summary>
    /// <remarks>Building all composites takes about a second.</remarks>
    public static IReadOnlyList<ActivationSpec> Family(ActivationSpec spec)
    {
        ArgumentNullException.ThrowIfNull(spec);
        if (!spec.IsPolynomial) return [];
        string leak = spec.Leak == 0 ? "" : FormattableString.Invariant($",leak={spec.Leak}");
        IEnumerable<string> texts = spec.Kind == ActivationKind.Direct
            ? Powers(LargestDirectDegree).Select(degree => FormattableString.Invariant($"direct:{degree}{(spec.VanishesAtZero ? ",zero" : "")}{(spec.Density is null ? "" : $",unbiased={spec.Density}")}{leak}"))
            : Alphas(ActivationSpec.SmallestAlpha, ActivationSpec.LargestAlpha, spec.Leak).Select(alpha => alpha.ToString());

        // The given instance may have been built already.
        return [.. texts.Select(ActivationSpec.Parse).Where(other => !other.Equals(spec)).Append(spec).OrderByDescending(s => s.Build().MaxError)];
    }

    /// <summary><c>composite:alpha=N</c> for N from <paramref name="first"/> to <paramref name="last"/>.</summary>
    public static IEnumerable<ActivationSpec> Alphas(int first, int last, double leak = 0)
        => Enumerable.Range(first, last - first + 1).Select(alpha => ActivationSpec.Parse(FormattableString.Invariant($"composite:alpha={alpha}{(leak == 0 ? "" : FormattableString.Invariant($",leak={leak}"))}")));

    /// <summary>The sweep.</summary>
    /// <param name="pann">The network: its ranges are kept, and so is whatever stands at a patched activation.</param>
    /// <param name="steps">The polynomials, coarse to fine.</param>
    /// <param name="patched">Activations that keep their function.</param>
    /// <param name="data">The data set.</param>
    /// <param name="images">Indices of the images whose predictions are counted.</param>
    /// <param name="ledgerImages">How many of them, the first that do not explode, the operations' errors are measured on; 0 leaves them out.</param>
    /// <param name="normalization">The normalisation the network was trained with.</param>
    /// <param name="workspace">Threads and memory.</param>
    /// <param name="progress">Told the number of steps done.</param>
    /// <param name="cancellation">Stops between batches.</param>
    public static SweepRecord Of(
        ResNet pann, IReadOnlyList<ActivationSpec> steps, IReadOnlySet<string> patched, Cifar10 data, int[] images, int ledgerImages, Normalization normalization, Workspace workspace,
        IProgress<int>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(steps);
        Evaluation ideal = Evaluation.Of(pann.Ideal(), data, images, normalization, workspace, cancellation: cancellation);
        var done = new List<SweepStep>();
        foreach (ActivationSpec spec in steps)
        {
            done.Add(Step(pann, spec, patched, data, images, ideal.Predictions, ledgerImages, normalization, workspace, cancellation));
            progress?.Report(done.Count);
        }

        // Where every image explodes no error exists, but the operations and what left its range there do.
        string[] paths = [.. done.Select(step => step.Operations).MaxBy(operations => operations.Count)?.Select(operation => operation.Path) ?? []];
        return new(images.Length, [.. done.Select(step => step.Operations.Count == paths.Length ? step : step with { Operations = Unmeasured(paths, step.Operations) })]) { LedgerImages = Math.Min(ledgerImages, images.Length), IdealAccuracy = ideal.Accuracy };
    }

    /// <summary>One step of a sweep; parameters as in <see cref="Of"/>.</summary>
    /// <param name="pann">The network.</param>
    /// <param name="spec">The polynomial to put in.</param>
    /// <param name="patched">Activations that keep their function.</param>
    /// <param name="data">The data set.</param>
    /// <param name="images">Indices of the images.</param>
    /// <param name="ideal">The ideal network's predictions for them.</param>
    /// <param name="ledgerImages">How many of them to measure the operations' errors on.</param>
    /// <param name="normalization">The normalisation the network was trained with.</param>
    /// <param name="workspace">Threads and memory.</param>
    /// <param name="cancellation">Stops between batches.</param>
    public static SweepStep Step(
        ResNet pann, ActivationSpec spec, IReadOnlySet<string> patched, Cifar10 data, int[] images, int[] ideal, int ledgerImages, Normalization normalization, Workspace workspace,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(spec);
        ReluPolynomial polynomial = spec.Build();
        ResNet network = With(pann, polynomial, patched);
        var probe = new RangeProbe();
        Evaluation evaluation = Evaluation.Of(network, data, images, normalization, workspace, observers: [probe], cancellation: cancellation);
        int changed = ideal.Where((prediction, i) => prediction != evaluation.Predictions[i]).Count();
        bool[] exploded = [.. images.Select((_, i) => evaluation.Predictions[i] < 0 || probe.Exploded.Contains(i))];
        int[] sound = [.. images.Where((_, i) => !exploded[i]).Take(ledgerImages)];

        SweepOperation[] operations = sound.Length > 0
            ? [.. ErrorLedger.Of(network, data, sound, normalization, workspace, cancellation: cancellation).Operations.Select(line => Line(line, probe))]
            : ledgerImages == 0 ? [] : [.. probe.ByPath.Select(pair => new SweepOperation(pair.Key, double.NaN, double.NaN, double.NaN, pair.Value.OutOfRange))];
        return new(spec.ToString(), Math.Log2(polynomial.MaxError), EvaluationPlan.Of(polynomial).Cost.Levels, evaluation.Accuracy, changed, exploded.Count(e => e), operations);
    }

    /// <summary>The network with a polynomial at every activation that has one and is not patched.</summary>
    private static ResNet With(ResNet pann, ReluPolynomial polynomial, IReadOnlySet<string> patched)
    {
        var functions = pann.Activations.ToDictionary(activation => activation.Path, activation => activation.Function switch
        {
            ActivationFunction.Polynomial here when !patched.Contains(activation.Path) && here.Approximation != polynomial =>
                // A repair's shift is the mean error of the polynomial it was measured with.
                here with { Approximation = polynomial, Shift = null },
            var kept => kept,
        });
        return pann.With(path => functions[path]);
    }

    private static SweepOperation Line(OperationRecord line, RangeProbe probe)
    {
        (double injected, double inherited, double total) = RelativeError.Of(line);
        return new(line.Path, injected, inherited, total, probe.ByPath.TryGetValue(line.Path, out RangeProbe.Watch? watch) ? watch.OutOfRange : 0);
    }

    private static SweepOperation[] Unmeasured(string[] paths, IReadOnlyList<SweepOperation> counted)
    {
        var outside = counted.ToDictionary(operation => operation.Path, operation => operation.OutOfRange);
        return [.. paths.Select(path => new SweepOperation(path, double.NaN, double.NaN, double.NaN, outside.GetValueOrDefault(path)))];
    }

    private static IEnumerable<int> Powers(int last)
    {
        for (int power = 2; power <= last; power *= 2) yield return power;
    }
}
