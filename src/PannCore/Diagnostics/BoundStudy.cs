using PannCore.Data;
using PannCore.Engine;
using PannCore.Nn;
using PannCore.Training;

namespace PannCore.Diagnostics;

/// <summary>Sound bounds on the error of every operation, beside the error measured: <see cref="SoundBounds"/> a posteriori, <see cref="APrioriBounds"/> a priori.</summary>
public static class BoundStudy
{
    private const int Batch = 8;

    /// <summary>The bounds over some images. They cost four float64 convolutions for each convolution: choose a few images.</summary>
    /// <param name="pann">The network, with evaluation statistics.</param>
    /// <param name="data">The data set.</param>
    /// <param name="images">Indices of the images.</param>
    /// <param name="normalization">The normalisation the network was trained with.</param>
    /// <param name="workspace">Threads and memory of the working run.</param>
    /// <param name="progress">Told the number of images done.</param>
    /// <param name="cancellation">Stops between batches.</param>
    public static BoundRecord Of(
        ResNet pann, Cifar10 data, int[] images, Normalization normalization, Workspace workspace,
        IProgress<int>? progress = null, CancellationToken cancellation = default)
    {
        var probe = new RangeProbe();
        Evaluation evaluation = Evaluation.Of(pann, data, images, normalization, workspace, observers: [probe], cancellation: cancellation);
        int[] sound = [.. images.Where((_, i) => evaluation.Predictions[i] >= 0 && !probe.Exploded.Contains(i))];

        var bounds = new SoundBounds(workspace);
        var loader = new BatchLoader(data, normalization);
        for (int first = 0; first < sound.Length; first += Batch)
        {
            cancellation.ThrowIfCancellationRequested();
            ReadOnlyMemory<int> chosen = sound.AsMemory(first, Math.Min(Batch, sound.Length - first));
            using var run = new Run(workspace, Statistics.Evaluation, tape: false, [bounds]);
            pann.Call(loader.Load(run, chosen));
            bounds.Finish();
            progress?.Report(first + chosen.Length);
        }
        APrioriBounds before = APriori(pann, normalization, workspace);
        return new(sound.Length, [.. bounds.Operations.Select(line => line with { APriori = before.ByPath[line.Path] })], before.VacuousAt, bounds.Decided);
    }

    /// <summary>A pixel can have any of 256 values.</summary>
    private static APrioriBounds APriori(ResNet pann, Normalization normalization, Workspace workspace)
    {
        float[] table = normalization.Table();
        double[] largest = [.. Enumerable.Range(0, 3).Select(channel => (double)table.AsSpan(256 * channel, 256).ToArray().Max(Math.Abs))];
        Shape shape = Cifar10.OneImage;
        var bounds = new APrioriBounds(workspace, new(shape, [.. Enumerable.Range(0, shape.Length).Select(i => largest[i % 3])]));
        using var run = new Run(workspace, Statistics.Evaluation, tape: false, [bounds]);
        pann.Call(run.Input(shape, new float[shape.Length]));
        return bounds;
    }
}
