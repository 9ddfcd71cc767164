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
    /// <summary>Images of a thread at a time, which goes through all settings with them: what one layer writes still lies in the thread's cache when the next reads it. (The gradient's tape of ResNet-20 takes about 3 MB an image.)</summary>
    private const int Batch = 8;

    /// <summary>Batches of each thread between two reports of progress.</summary>
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
    /// <param name="cancellation">Stops between batches.</param>
    /// <exception cref="ArgumentException">The two networks do not share their parameters.</exception>
    public static CauseRecord Of(
        ResNet pann, ResNet ideal, Cifar10 data, int[] images, Normalization normalization, Workspace workspace,
        IProgress<int>? progress = null, CancellationToken cancellation = default)
    {
        if (pann.Parameters != ideal.Parameters || pann.Depth != ideal.Depth) throw new ArgumentException("causes: expected an ideal network over the parameters of the PANN", nameof(ideal));
        var loader = new BatchLoader(data, normalization);
        using var switching = new Switching(pann, ideal, loader, images, workspace);
        var sums = new CauseSums([.. pann.Activations.Select(activation => activation.Path)]);
        int batches = (images.Length + Batch - 1) / Batch, wave = BatchesOfThread * workspace.Threads;
        for (int first = 0; first < batches; first += wave)
        {
            cancellation.ThrowIfCancellationRequested();
            var answers = new (SwitchedLogits Logits, HashSet<int> Exploded)[Math.Min(wave, batches - first)];
            using (new Run(workspace)) workspace.Workers.Run(new Job(switching, first, answers, cancellation), answers.Length, longChunks: true);
            // In the order of the images, whichever thread was first.
            foreach (((SwitchedLogits logits, HashSet<int> exploded), int i) in answers.Select((answer, i) => (answer, i)))
            {
                int[] chosen = switching.Images(first + i);
                sums.Add(logits, chosen, loader.Labels(chosen), exploded);
            }
            progress?.Report(Math.Min((first + answers.Length) * Batch, images.Length));
        }
        return sums.Record();
    }

    /// <summary>What a thread needs to go through all settings by itself.</summary>
    private sealed record Kit(Workspace Workspace, LayerSwitch Layers, MarginGradient Gradient);

    /// <summary>All settings of one batch, on whichever thread asks.</summary>
    private sealed class Switching(ResNet pann, ResNet ideal, BatchLoader loader, int[] images, Workspace workspace) : IDisposable
    {
        private readonly Stack<Kit> _kits = [];

        /// <summary>The images of a batch.</summary>
        public int[] Images(int batch) => images[(batch * Batch)..Math.Min((batch + 1) * Batch, images.Length)];

        public (SwitchedLogits Logits, HashSet<int> Exploded) Of(int batch, CancellationToken cancellation)
        {
            Kit kit = Take();
            try
            {
                var exploded = new HashSet<int>();
                using var run = new Run(kit.Workspace);
                Tensor pixels = loader.Load(run, Images(batch));
                (float[] idealLogits, double[][] firstOrder) = kit.Gradient.Of(pixels.Shape, pixels.Values);
                // The two networks run as wholes, so that the residuals test what LayerSwitch makes of their parts.
                return (new(idealLogits, pann.Call(pixels).Values.ToArray(), kit.Layers.Logits(pixels.Shape, pixels.Values, exploded, cancellation), firstOrder), exploded);
            }
            finally
            {
                lock (_kits) _kits.Push(kit);
            }
        }

        /// <summary>Gives the workspaces back, and with them their memory.</summary>
        public void Dispose()
        {
            foreach (Kit kit in _kits) workspace.GiveBack(kit.Workspace);
        }

        private Kit Take()
        {
            lock (_kits)
            {
                if (_kits.TryPop(out Kit? kit)) return kit;
            }
            Workspace single = workspace.TakeSingle();
            return new(single, new(pann, ideal, single), new(pann, ideal, single));
        }
    }

    private readonly struct Job(Switching switching, int first, (SwitchedLogits Logits, HashSet<int> Exploded)[] answers, CancellationToken cancellation) : IJob
    {
        public void Run(int chunk, Scratch scratch) => answers[chunk] = switching.Of(first + chunk, cancellation);
    }
}
