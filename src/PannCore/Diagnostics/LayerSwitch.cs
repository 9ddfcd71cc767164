using PannCore.Data;
using PannCore.Engine;
using PannCore.Nn;
using PannCore.Training;

namespace PannCore.Diagnostics;

/// <summary>Switches the activations of a network from ideal to polynomial one after the other, first to last, and follows the logits.</summary>
public static class LayerSwitch
{
    /// <summary>
    /// One share an activation. The changes of the logits sum exactly to the change between ideal network and PANN, for this order;
    /// another order gives other shares.
    /// </summary>
    public static IReadOnlyList<LayerShare> Forward(
        ResNet pann, Cifar10 data, int[] images, Normalization normalization, Workspace workspace,
        IProgress<int>? progress = null, CancellationToken cancellation = default)
    {
        ResNet ideal = pann.Ideal();
        string[] paths = [.. pann.Activations.Select(a => a.Path)];
        var before = Evaluation.Of(ideal, data, images, normalization, workspace, cancellation: cancellation);
        int[] predicted = before.Predictions;
        var shares = new List<LayerShare>();
        for (int k = 1; k <= paths.Length; k++)
        {
            var switched = paths[..k].ToHashSet();
            var functions = pann.Activations.Concat(ideal.Activations.Where(a => !switched.Contains(a.Path))).GroupBy(a => a.Path).ToDictionary(g => g.Key, g => g.Last().Function);
            var after = Evaluation.Of(pann.With(path => functions[path]), data, images, normalization, workspace, cancellation: cancellation);
            double margin = 0, squares = 0;
            int classes = after.Logits.Length / images.Length;
            for (int n = 0; n < images.Length; n++)
                margin += Margin(after.Logits.AsSpan(n * classes, classes), predicted[n]) - Margin(before.Logits.AsSpan(n * classes, classes), predicted[n]);
            for (int i = 0; i < after.Logits.Length; i++) squares += Math.Pow((double)after.Logits[i] - before.Logits[i], 2);
            shares.Add(new(paths[k - 1], margin / images.Length, Math.Sqrt(squares / after.Logits.Length), after.Accuracy));
            before = after;
            progress?.Report(k);
        }
        return shares;
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
