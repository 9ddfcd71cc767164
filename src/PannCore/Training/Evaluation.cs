using PannCore.Data;
using PannCore.Engine;
using PannCore.Kernels;
using PannCore.Nn;

namespace PannCore.Training;

/// <summary>What a model answered for a list of images.</summary>
/// <param name="Predictions">The class with the largest logit; -1 where a logit is not finite.</param>
/// <param name="Logits">N x 10, row-major.</param>
/// <param name="Correct">Number of right predictions.</param>
public sealed record Evaluation(int[] Predictions, float[] Logits, int Correct)
{
    private const int LeastBatch = 32, ImagesOfThread = 8;

    /// <summary>Batches between two reports of progress where threads work apart: some 60 ms of two.</summary>
    private const int BatchesInWave = 64;

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
    /// <param name="batch">Images at a time, by all threads; the answers do not depend on it. By default as many as <see cref="BatchFor"/> says where somebody observes; else each thread takes eight images
    /// through the whole network, so that no thread waits for another between layers, and what a layer has written is still in the thread's own cache when the next one reads it; activations are then applied by several threads at once.</param>
    /// <param name="observers">Who sees the operations, each those that it watches.</param>
    /// <param name="progress">Told the number of images done.</param>
    /// <param name="convolution">How convolutions are computed; null takes <see cref="Workspace.Convolution"/>.</param>
    /// <param name="cancellation">Stops between batches.</param>
    /// <exception cref="ArgumentOutOfRangeException">An index is none of an image, or the batch is not positive.</exception>
    public static Evaluation Of(
        ResNet model, Cifar10 data, int[] indices, Normalization normalization, Workspace workspace, int? batch = null,
        IReadOnlyList<IRunObserver>? observers = null, IProgress<int>? progress = null, ConvAlgorithm? convolution = null, CancellationToken cancellation = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(batch ?? 1, nameof(batch));
        data.CheckIndices(indices, nameof(indices));
        ArgumentNullException.ThrowIfNull(workspace);
        bool apart = batch is null && observers is null or { Count: 0 };
        int share = Math.Max(1, (indices.Length + workspace.Threads - 1) / workspace.Threads);
        int size = apart ? Math.Min(ImagesOfThread, share) : batch ?? BatchFor(workspace), wave = apart ? BatchesInWave * size : size;
        var job = new Job(model, new BatchLoader(data, normalization), indices, size, observers, convolution, apart ? workspace : null, new float[(indices.Length + size - 1) / size][]);
        for (int first = 0; first < indices.Length; first += wave)
        {
            cancellation.ThrowIfCancellationRequested();
            int count = Math.Min(wave, indices.Length - first);
            if (apart) workspace.Workers.Run(job with { First = first / size }, (count + size - 1) / size);
            else job.Batch(first / size, workspace);
            progress?.Report(first + count);
        }
        float[] logits = [.. job.Logits.SelectMany(part => part)];
        int classes = indices.Length == 0 ? 0 : logits.Length / indices.Length, correct = 0;
        int[] predictions = new int[indices.Length];
        for (int i = 0; i < predictions.Length; i++)
        {
            predictions[i] = Predict(logits.AsSpan(i * classes, classes));
            if (predictions[i] == data.Labels[indices[i]]) correct++;
        }
        return new(predictions, logits, correct);
    }

    /// <summary>
    /// Images at a time, max(32, 8 threads): few, so that the tensors of a layer still lie in the caches when the next layer reads them, which shows most where observers keep them apart;
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

    /// <summary>The logits of each batch: a chunk takes one through the network in one of the owner's workspaces of one thread; without an owner batches are done one after the other.</summary>
    private readonly record struct Job(
        ResNet Model, BatchLoader Loader, int[] Indices, int Size, IReadOnlyList<IRunObserver>? Observers, ConvAlgorithm? Convolution, Workspace? Owner, float[][] Logits) : IJob
    {
        /// <summary>Number of the first chunk's batch.</summary>
        public int First { get; init; }

        public void Run(int chunk, Scratch scratch)
        {
            Workspace own = Owner!.TakeSingle();
            try
            {
                Batch(First + chunk, own);
            }
            finally
            {
                Owner.GiveBack(own);
            }
        }

        public void Batch(int number, Workspace workspace)
        {
            using var run = new Run(workspace, Statistics.Evaluation, tape: false, Observers, Convolution);
            Logits[number] = Model.Call(Loader.Load(run, Indices.AsMemory(number * Size, Math.Min(Size, Indices.Length - (number * Size))))).Values.ToArray();
        }
    }
}
