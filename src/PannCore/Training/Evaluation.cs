using PannCore.Data;
using PannCore.Engine;
using PannCore.Nn;

namespace PannCore.Training;

/// <summary>What a model answered for a list of images.</summary>
/// <param name="Predictions">The class with the largest logit; -1 where a logit is not finite.</param>
/// <param name="Logits">N x 10, row-major.</param>
/// <param name="Correct">Number of right predictions.</param>
public sealed record Evaluation(int[] Predictions, float[] Logits, int Correct)
{
    private const int LeastBatch = 16, ImagesOfThread = 8;

    /// <summary>Percent right; logits that are not finite count as wrong. NaN of no images.</summary>
    public double Accuracy => 100.0 * Correct / Predictions.Length;

    /// <summary>Images whose logits are not all finite.</summary>
    public int NonFinite => Predictions.Count(p => p < 0);

    /// <summary>Runs a model in evaluation over the images of these indices.</summary>
    /// <param name="model">The model.</param>
    /// <param name="data">The data set.</param>
    /// <param name="indices">Which images; there may be none.</param>
    /// <param name="normalization">The normalisation the model was trained with.</param>
    /// <param name="workspace">Threads and memory.</param>
    /// <param name="batch">Images at a time; the answers do not depend on it. By default as many as <see cref="BatchFor"/> says.</param>
    /// <param name="observers">Who sees the operations, each those that it watches.</param>
    /// <param name="progress">Told the number of images done.</param>
    /// <param name="convolution">How convolutions are computed; null takes <see cref="Workspace.Convolution"/>.</param>
    /// <param name="cancellation">Stops between batches.</param>
    /// <exception cref="ArgumentOutOfRangeException">An index is none of an image, or the batch is not positive.</exception>
    public static Evaluation Of(
        ResNet model, Cifar10 data, int[] indices, Normalization normalization, Workspace workspace, int? batch = null,
        IReadOnlyList<IRunObserver>? observers = null, IProgress<int>? progress = null, ConvAlgorithm? convolution = null, CancellationToken cancellation = default)
    {
        int size = batch ?? BatchFor(workspace);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(size, nameof(batch));
        data.CheckIndices(indices, nameof(indices));
        var loader = new BatchLoader(data, normalization);
        int[] predictions = new int[indices.Length];
        float[] logits = [];
        int correct = 0, classes = 0;
        for (int first = 0; first < indices.Length; first += size)
        {
            cancellation.ThrowIfCancellationRequested();
            ReadOnlyMemory<int> chosen = indices.AsMemory(first, Math.Min(size, indices.Length - first));
            using var run = new Run(workspace, Statistics.Evaluation, tape: false, observers, convolution);
            ReadOnlySpan<float> values = model.Call(loader.Load(run, chosen)).Values;
            classes = values.Length / chosen.Length;
            if (first == 0) logits = new float[indices.Length * classes];
            values.CopyTo(logits.AsSpan(first * classes));
            for (int i = 0; i < chosen.Length; i++)
            {
                predictions[first + i] = Predict(values.Slice(i * classes, classes));
                if (predictions[first + i] == data.Labels[chosen.Span[i]]) correct++;
            }
            progress?.Report(first + chosen.Length);
        }
        return new(predictions, logits, correct);
    }

    /// <summary>
    /// Images at a time, max(16, 8 threads): few, so that the tensors of a layer still lie in the caches when the next layer reads them, which shows most where observers keep them apart;
    /// but some for each thread.
    /// </summary>
    public static int BatchFor(Workspace workspace)
    {
        ArgumentNullException.ThrowIfNull(workspace);
        return Math.Max(LeastBatch, ImagesOfThread * workspace.Threads);
    }

    /// <summary>The first class with the largest logit, or -1 if a logit is not finite.</summary>
    public static int Predict(ReadOnlySpan<float> logits)
    {
        int best = 0;
        for (int k = 0; k < logits.Length; k++)
        {
            if (!float.IsFinite(logits[k])) return -1;
            if (logits[k] > logits[best]) best = k;
        }
        return best;
    }
}
