using PannCore.Data;
using PannCore.Engine;
using PannCore.Nn;
using PannCore.Training;

namespace PannCore.Diagnostics;

/// <summary>
/// How near the inputs of a PANN's activations come to the ends of their ranges, where it breaks first as ranges shrink, and what images other than
/// photographs, or made on purpose, do to it.
/// </summary>
public static class RangeStudy
{
    /// <summary>The units of progress: passes over the images, of which the other parts of the study count as one.</summary>
    public static int Units => Factors.Length + 1;

    private const int NearestImages = 10;

    /// <summary>Images tried at every factor of the search for the cliff.</summary>
    private const int CliffCandidates = 32;

    /// <summary>Wider ranges cost precision, narrower ones leave inputs outside: accuracy has its maximum somewhere between.</summary>
    private static readonly double[] Factors = [1.4, 1.2, 1, 0.9, 0.8, 0.7, 0.6, 0.5];

    /// <summary>The study. It costs about ten evaluations of the images.</summary>
    /// <param name="pann">The network.</param>
    /// <param name="data">The data set.</param>
    /// <param name="images">Indices of the images.</param>
    /// <param name="normalization">The normalisation the network was trained with.</param>
    /// <param name="workspace">Threads and memory.</param>
    /// <param name="progress">Told how many of <see cref="Units"/> are done.</param>
    /// <param name="cancellation">Stops between batches.</param>
    /// <param name="scale">
    /// Whether to look for the first failure by scaling the ranges. A polynomial over another range is another function: a repair's shifts are wrong for it (such networks are never scaled),
    /// and so are weights that were trained with it.
    /// </param>
    /// <returns>What was found; null if no activation has a range, or there is no image.</returns>
    public static RangeRecord? Of(
        ResNet pann, Cifar10 data, int[] images, Normalization normalization, Workspace workspace,
        IProgress<int>? progress = null, CancellationToken cancellation = default, bool scale = true)
    {
        scale &= pann.Activations.All(activation => activation.Function is not ActivationFunction.Polynomial { Shift: not null });
        var steps = new List<RangeFactor>();
        var first = new RangeProbe();
        foreach (double factor in scale ? Factors : [1])
        {
            var probe = factor == 1 ? first : new RangeProbe();
            Evaluation evaluation = Evaluation.Of(CliffSearch.Scaled(pann, factor), data, images, normalization, workspace, observers: [probe], cancellation: cancellation);
            if (images.Length == 0 || probe.ByPath.Values.All(watch => watch.Range is null)) return null;
            steps.Add(new(factor, probe.OutOfRangeImages, Enumerable.Range(0, images.Length).Count(n => evaluation.Predictions[n] < 0 || probe.Exploded.Contains(n)), evaluation.Accuracy));
            progress?.Report(steps.Count);
        }

        int[] nearest = [.. Enumerable.Range(0, images.Length).OrderByDescending(n => first.Nearest[n].Share)];
        NearImage Near(int position) => new(images[position], first.Nearest[position].Path, first.Nearest[position].Share);
        NearImage worst = Near(nearest[0]);
        Cliff? cliff = null;
        if (scale && double.IsFinite(worst.Share) && worst.Share > 0
            && new CliffSearch(pann, data, images, normalization, workspace).From(worst.Share, nearest, CliffCandidates, cancellation) is ({ } found, { } image))
        {
            cliff = new(worst.Share, worst.Path, worst.Image, found, image.Path, image.Image, steps);
        }

        byte[] pixels = new PixelSearch(pann, normalization, workspace).From(data.Image(worst.Image), cancellation);
        StressImage searched = Stress(pann, new Cifar10(pixels, [0], "search"), ["search"], normalization, workspace)[0];
        var record = new RangeRecord(
            [.. first.ByPath.Where(pair => pair.Value.Range is not null).Select(pair => Layer(pair.Key, pair.Value, images))],
            [.. nearest.Take(NearestImages).Select(Near)],
            cliff,
            Stress(pann, StressImages.All(), StressImages.Names, normalization, workspace),
            new(worst.Image, PixelSearch.Steps, worst.Share, searched.Share, searched.Path, searched.Exploded) { Pixels = searched.Pixels });
        progress?.Report(Units);
        return record;
    }

    private static LayerRange Layer(string path, RangeProbe.Watch watch, int[] images)
    {
        bool any = watch.SoundWorstImage >= 0;
        return new(path, watch.Range!.Value, any ? watch.SoundLargest : double.NaN, any ? images[watch.SoundWorstImage] : -1, watch.OutOfRange, watch.RootImages, watch.ConsequenceImages);
    }

    private static StressImage[] Stress(ResNet pann, Cifar10 data, IReadOnlyList<string> names, Normalization normalization, Workspace workspace)
    {
        var probe = new RangeProbe();
        Evaluation evaluation = Evaluation.Of(pann, data, [.. Enumerable.Range(0, data.Count)], normalization, workspace, observers: [probe]);
        return [.. names.Select((name, n) => new StressImage(name, probe.Nearest[n].Share, probe.Nearest[n].Path, probe.Exploded.Contains(n) || evaluation.Predictions[n] < 0)
        {
            Pixels = data.Image(n).ToArray(),
        })];
    }
}
