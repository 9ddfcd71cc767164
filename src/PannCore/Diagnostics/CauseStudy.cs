using PannCore.Data;
using PannCore.Engine;
using PannCore.Nn;
using Tensor = PannCore.Engine.Tensor;

namespace PannCore.Diagnostics;

/// <summary>
/// Which activations are to blame for the change of the logits: each is switched from its ideal function to its polynomial in four settings of all the others, and beside
/// that its part is predicted to first order. See <see cref="CauseRecord"/>.
/// </summary>
public static class CauseStudy
{
    /// <summary>The gradient's tape of ResNet-20 takes about 3 MB an image, and the tensors of one layer of so many images still lie in the caches when the next reads them.</summary>
    private const int Batch = 16;

    /// <summary>Switches every activation in every setting.</summary>
    /// <param name="pann">The network.</param>
    /// <param name="ideal">The same network with the functions that its activations stand for, over the same parameters: <see cref="Conversion.Ideal"/>.</param>
    /// <param name="data">The data set.</param>
    /// <param name="images">
    /// Indices of the images. Those in which a polynomial explodes (<see cref="RangeProbe.Exploded"/>) or whose logits are not finite, in some setting,
    /// are part of <see cref="CauseRecord.FlippedAt"/> and of the counts made from it, and of nothing else.
    /// </param>
    /// <param name="normalization">The normalisation the network was trained with.</param>
    /// <param name="workspace">Threads and memory.</param>
    /// <param name="progress">Told the number of images done.</param>
    /// <param name="cancellation">Stops between batches.</param>
    /// <exception cref="ArgumentException">The two networks do not share their parameters.</exception>
    public static CauseRecord Of(
        ResNet pann, ResNet ideal, Cifar10 data, int[] images, Normalization normalization, Workspace workspace,
        IProgress<int>? progress = null, CancellationToken cancellation = default)
    {
        if (pann.Parameters != ideal.Parameters || pann.Depth != ideal.Depth) throw new ArgumentException("causes: expected an ideal network over the parameters of the PANN", nameof(ideal));
        var layers = new LayerSwitch(pann, ideal, workspace);
        var gradient = new MarginGradient(pann, ideal, workspace);
        var loader = new BatchLoader(data, normalization);
        var sums = new CauseSums([.. pann.Activations.Select(activation => activation.Path)]);
        for (int first = 0; first < images.Length; first += Batch)
        {
            cancellation.ThrowIfCancellationRequested();
            int[] chosen = images[first..Math.Min(first + Batch, images.Length)];
            var exploded = new HashSet<int>();
            SwitchedLogits answers;
            using (var run = new Run(workspace))
            {
                Tensor pixels = loader.Load(run, chosen);
                (float[] idealLogits, double[][] firstOrder) = gradient.Of(pixels.Shape, pixels.Values);
                // The two networks run as wholes, so that the residuals test what LayerSwitch makes of their parts.
                answers = new(idealLogits, pann.Call(pixels).Values.ToArray(), layers.Logits(pixels.Shape, pixels.Values, exploded, cancellation), firstOrder);
            }
            sums.Add(answers, chosen, loader.Labels(chosen), exploded);
            progress?.Report(first + chosen.Length);
        }
        return sums.Record();
    }
}
