using PannCore.Data;
using PannCore.Engine;
using PannCore.Nn;
using PannCore.Training;

namespace PannCore.Diagnostics;

/// <summary>Switches the activations of a network from ideal to polynomial one after the other and follows the logits.</summary>
public static class LayerSwitch
{
    /// <summary>
    /// One share an activation, first to last. The changes of the logits sum exactly to the change between ideal network and PANN, for this order;
    /// another order gives other shares. Shares are taken over the images whose logits stay finite to the end, accuracies over all.
    /// </summary>
    /// <param name="pann">The network, with polynomials in all its activations.</param>
    /// <param name="data">The data set.</param>
    /// <param name="images">Indices of the images.</param>
    /// <param name="normalization">The normalisation the network was trained with.</param>
    /// <param name="workspace">Threads and memory.</param>
    /// <param name="progress">Told the number of activations done.</param>
    /// <param name="cancellation">Stops between batches.</param>
    /// <returns>One record an activation, in the order of switching.</returns>
    public static IReadOnlyList<LayerShare> FirstToLast(
        ResNet pann, Cifar10 data, int[] images, Normalization normalization, Workspace workspace,
        IProgress<int>? progress = null, CancellationToken cancellation = default)
    {
        Evaluation Run(ResNet network) => Evaluation.Of(network, data, images, normalization, workspace, cancellation: cancellation);
        string[] paths = [.. pann.Activations.Select(activation => activation.Path)];
        Dictionary<string, ActivationFunction> functions = pann.Ideal().Activations.ToDictionary(activation => activation.Path, activation => activation.Function);
        var evaluations = new List<Evaluation> { Run(pann.Ideal()) };
        foreach (Activation activation in pann.Activations)
        {
            functions[activation.Path] = activation.Function;
            evaluations.Add(Run(pann.With(path => functions[path])));
            progress?.Report(evaluations.Count - 1);
        }

        int[] predicted = evaluations[0].Predictions;
        int[] finite = [.. Enumerable.Range(0, images.Length).Where(n => evaluations[^1].Predictions[n] >= 0)];
        return [.. paths.Select((path, k) => Share(path, evaluations[k], evaluations[k + 1], predicted, finite))];
    }

    private static LayerShare Share(string path, Evaluation before, Evaluation after, int[] predicted, int[] finite)
    {
        int classes = after.Logits.Length / predicted.Length;
        double margin = 0, squares = 0;
        foreach (int n in finite)
        {
            ReadOnlySpan<float> old = before.Logits.AsSpan(n * classes, classes), now = after.Logits.AsSpan(n * classes, classes);
            margin += Margin(now, predicted[n]) - Margin(old, predicted[n]);
            for (int k = 0; k < classes; k++) squares += Math.Pow((double)now[k] - old[k], 2);
        }
        return new(path, margin / finite.Length, Math.Sqrt(squares / (finite.Length * classes)), after.Accuracy);
    }

    /// <summary>Logit of a class minus the largest other logit.</summary>
    private static double Margin(ReadOnlySpan<float> logits, int predicted)
    {
        double other = double.NegativeInfinity;
        for (int k = 0; k < logits.Length; k++)
        {
            if (k != predicted) other = Math.Max(other, logits[k]);
        }
        return logits[Math.Max(0, predicted)] - other;
    }
}
