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

    /// <summary>Batches of each thread between two reports of progress, some 60 ms: at its end a thread waits for others, half a batch as a rule.</summary>
    private const int BatchesOfThread = 32;

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
    /// <param name="batch">
    /// Images at a time, by all threads; the answers do not depend on it. By default each thread takes eight images through the whole network: no thread waits for another between layers, and what
    /// a layer has written is still in the thread's own cache when the next one reads it. Where somebody observes who is no <see cref="IDivisibleObserver"/>, all threads take as many as <see cref="BatchFor"/> says.
    /// </param>
    /// <param name="observers">Who sees the operations, each those that it watches.</param>
    /// <param name="progress">Told the number of images done.</param>
    /// <param name="convolution">How convolutions are computed; null takes <see cref="Workspace.Convolution"/>.</param>
    /// <param name="cancellation">Stops between batches.</param>
    /// <exception cref="ArgumentException">An observer is there twice.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An index is none of an image, or the batch is not positive.</exception>
    /// <exception cref="InvalidOperationException">A run of another thread in this workspace has not been disposed.</exception>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    public static Evaluation Of(
        ResNet model, Cifar10 data, int[] indices, Normalization normalization, Workspace workspace, int? batch = null,
        IReadOnlyList<IRunObserver>? observers = null, IProgress<int>? progress = null, ConvAlgorithm? convolution = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(workspace);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(batch ?? 1, nameof(batch));
        data.CheckIndices(indices, nameof(indices));
        if (observers is not null && observers.Distinct(ReferenceEqualityComparer.Instance).Count() != observers.Count) throw new ArgumentException("evaluation: expected each observer once", nameof(observers));
        IDivisibleObserver[] divisible = [.. (observers ?? []).OfType<IDivisibleObserver>()];
        bool apart = batch is null && divisible.Length == (observers?.Count ?? 0);
        int most = Math.Max(1, indices.Length), share = (most + workspace.Threads - 1) / workspace.Threads;
        int size = Math.Min(apart ? Math.Min(ImagesOfThread, share) : batch ?? BatchFor(workspace), most), batches = (indices.Length + size - 1) / size, wave = apart ? BatchesOfThread * workspace.Threads : 1;
        var answers = new Answers(model, new BatchLoader(data, normalization), indices, size, convolution, new float[batches][]);
        for (int first = 0; first < batches; first += wave)
        {
            cancellation.ThrowIfCancellationRequested();
            int count = Math.Min(wave, batches - first);
            if (apart) answers.Apart(first, count, workspace, divisible, cancellation);
            else answers.Batch(first, workspace, observers);
            progress?.Report(Math.Min((first + count) * size, indices.Length));
        }
        return Judged(answers.Logits, data, indices);
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

    private static Evaluation Judged(float[][] parts, Cifar10 data, int[] indices)
    {
        float[] logits = new float[parts.Sum(part => part.Length)];
        int classes = indices.Length == 0 ? 0 : logits.Length / indices.Length, correct = 0, at = 0;
        foreach (float[] part in parts)
        {
            part.CopyTo(logits, at);
            at += part.Length;
        }
        int[] predictions = new int[indices.Length];
        for (int i = 0; i < predictions.Length; i++)
        {
            predictions[i] = Predict(logits.AsSpan(i * classes, classes));
            if (predictions[i] == data.Labels[indices[i]]) correct++;
        }
        return new(predictions, logits, correct);
    }

    /// <summary>The logits of batches of <c>Size</c> images.</summary>
    private sealed record Answers(ResNet Model, BatchLoader Loader, int[] Indices, int Size, ConvAlgorithm? Convolution, float[][] Logits)
    {
        public void Batch(int number, Workspace workspace, IReadOnlyList<IRunObserver>? observers)
        {
            using var run = new Run(workspace, Statistics.Evaluation, tape: false, observers, Convolution);
            Logits[number] = Model.Call(Loader.Load(run, Indices.AsMemory(number * Size, Math.Min(Size, Indices.Length - (number * Size))))).Values.ToArray();
        }

        /// <summary>Several batches, each on one of the workspace's threads, seen by parts of the observers.</summary>
        public void Apart(int first, int count, Workspace workspace, IDivisibleObserver[] observers, CancellationToken cancellation)
        {
            using var owner = new Run(workspace); // The workspace is in use, for other threads too.
            IDivisibleObserver[][] parts = [.. Enumerable.Range(0, count).Select(_ => observers.Select(observer => observer.Part()).ToArray())];
            workspace.Workers.Run(new Job(this, first, workspace, parts, cancellation), count, longChunks: true);
            // In the order of the images, whichever thread was first.
            foreach (IDivisibleObserver[] seen in parts)
            {
                for (int i = 0; i < observers.Length; i++) observers[i].Add(seen[i]);
            }
        }
    }

    private readonly struct Job(Answers answers, int first, Workspace workspace, IDivisibleObserver[][] observers, CancellationToken cancellation) : IJob
    {
        public void Run(int chunk, Scratch scratch)
        {
            cancellation.ThrowIfCancellationRequested();
            Workspace single = workspace.TakeSingle();
            try
            {
                answers.Batch(first + chunk, single, observers[chunk]);
            }
            finally
            {
                workspace.GiveBack(single);
            }
        }
    }
}
