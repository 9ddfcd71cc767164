using PannCore.Data;
using PannCore.Engine;
using PannCore.Kernels;
using PannCore.Nn;
using Tensor = PannCore.Engine.Tensor;

namespace PannCore.Diagnostics;

/// <summary>
/// Which activations are to blame for the change of the logits: each is switched from its ideal function to its polynomial in four settings of all the others, and beside
/// that its part is predicted to first order. See <see cref="CauseRecord"/>.
/// </summary>
public static class CauseStudy
{
    /// <summary>Images of a thread at a time at most, which goes through all settings with them: what one layer writes still lies in the thread's cache when the next reads it. Memory is what the gradient's tape takes, about 3 MB an image with ResNet-20.</summary>
    private const int LargestBatch = 8;

    /// <summary>Batches of each thread between two reports of progress at most; fewer, but at least one, where that would be more than a tenth of all.</summary>
    private const int BatchesOfThread = 4;

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
    /// <param name="cancellation">Stops between the activations of each thread's batch.</param>
    /// <exception cref="ArgumentException">The two networks do not share their parameters.</exception>
    public static CauseRecord Of(
        ResNet pann, ResNet ideal, Cifar10 data, int[] images, Normalization normalization, Workspace workspace,
        IProgress<int>? progress = null, CancellationToken cancellation = default)
    {
        if (pann.Parameters != ideal.Parameters || pann.Depth != ideal.Depth) throw new ArgumentException("causes: expected an ideal network over the parameters of the PANN", nameof(ideal));
        var loader = new BatchLoader(data, normalization);
        int share = (images.Length + workspace.Threads - 1) / workspace.Threads, size = Math.Clamp(share, 1, LargestBatch), batches = (images.Length + size - 1) / size;
        int wave = workspace.Threads * Math.Clamp(batches / (10 * workspace.Threads), 1, BatchesOfThread);
        using var switching = new Switching(pann, ideal, loader, images, size, workspace);
        var sums = new CauseSums([.. pann.Activations.Select(activation => activation.Path)]);
        for (int first = 0; first < batches; first += wave)
        {
            var answers = new (SwitchedLogits Logits, HashSet<int> Exploded)[Math.Min(wave, batches - first)];
            using (new Run(workspace)) workspace.Workers.Run(new Job(switching, first, answers, cancellation), answers.Length, longChunks: true); // The run: the workspace is in use, for other threads too.
            // In the order of the images, whichever thread was first.
            for (int i = 0; i < answers.Length; i++)
            {
                int[] chosen = switching.Images(first + i);
                sums.Add(answers[i].Logits, chosen, loader.Labels(chosen), answers[i].Exploded);
            }
            progress?.Report(Math.Min((first + answers.Length) * size, images.Length));
        }
        return sums.Record();
    }

    /// <summary>All settings of one batch, on whichever thread asks.</summary>
    private sealed class Switching(ResNet pann, ResNet ideal, BatchLoader loader, int[] images, int size, Workspace workspace) : IDisposable
    {
        private readonly LayerSwitch _layers = new(pann, ideal);
        private readonly MarginGradient _gradient = new(pann, ideal);
        private readonly Stack<Workspace> _singles = [];

        /// <summary>The images of a batch.</summary>
        public int[] Images(int batch) => images[(batch * size)..Math.Min((batch + 1) * size, images.Length)];

        public (SwitchedLogits Logits, HashSet<int> Exploded) Of(int batch, CancellationToken cancellation)
        {
            cancellation.ThrowIfCancellationRequested();
            Workspace single = Take();
            try
            {
                var exploded = new HashSet<int>();
                using var run = new Run(single);
                Tensor pixels = loader.Load(run, Images(batch));
                (float[] idealLogits, double[][] firstOrder) = _gradient.Of(single, pixels.Shape, pixels.Values);
                // The two networks run as wholes, so that the residuals test what LayerSwitch makes of their parts.
                return (new(idealLogits, pann.Call(pixels).Values.ToArray(), _layers.Logits(single, pixels.Shape, pixels.Values, exploded, cancellation), firstOrder), exploded);
            }
            finally
            {
                lock (_singles) _singles.Push(single);
            }
        }

        /// <summary>Lets go of the threads' memory: no other part of an inspection needs a tape.</summary>
        public void Dispose()
        {
            foreach (Workspace single in _singles) single.Dispose();
        }

        private Workspace Take()
        {
            lock (_singles) return _singles.TryPop(out Workspace? single) ? single : workspace.TakeSingle();
        }
    }

    private readonly struct Job(Switching switching, int first, (SwitchedLogits Logits, HashSet<int> Exploded)[] answers, CancellationToken cancellation) : IJob
    {
        public void Run(int chunk, Scratch scratch) => answers[chunk] = switching.Of(first + chunk, cancellation);
    }
}
