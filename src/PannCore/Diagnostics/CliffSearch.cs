using PannCore.Data;
using PannCore.Engine;
using PannCore.Nn;
using PannCore.Training;

namespace PannCore.Diagnostics;

/// <summary>Finds the common factor on all ranges below which an input is outside, by trying factors.</summary>
/// <param name="pann">The network.</param>
/// <param name="data">The data set.</param>
/// <param name="images">Indices of the images.</param>
/// <param name="normalization">The normalisation the network was trained with.</param>
/// <param name="workspace">Threads and memory.</param>
internal sealed class CliffSearch(ResNet pann, Cifar10 data, int[] images, Normalization normalization, Workspace workspace)
{
    /// <summary>Ratio of the two factors between which the answer lies at the end, and of the first two that are tried.</summary>
    private const double Precision = 1.0001, FirstStep = 1.01;

    /// <summary>Steps of squared size reach a factor of 160 either way.</summary>
    private const int MostSteps = 9;
    private const int MostRounds = 8;

    /// <summary>The network with all ranges multiplied by a factor; a shift that a repair has found stays.</summary>
    public static ResNet Scaled(ResNet pann, double factor)
    {
        var functions = pann.Activations.ToDictionary(
            activation => activation.Path, activation => activation.Function is ActivationFunction.Polynomial p ? p with { Range = p.Range * factor } : activation.Function);
        return pann.With(path => functions[path]);
    }

    /// <summary>A factor at which an input is outside while none is at <see cref="Precision"/> times it, with the image that is farthest out there; null if none was found.</summary>
    /// <param name="predicted">Where to begin.</param>
    /// <param name="nearest">Positions of the images, nearest to the end of a range first.</param>
    /// <param name="candidates">How many of these are tried at every factor; all are where the candidates are inside.</param>
    /// <param name="cancellation">Stops between batches.</param>
    public (double Factor, NearImage Image)? From(double predicted, IReadOnlyList<int> nearest, int candidates, CancellationToken cancellation)
    {
        HashSet<int> tried = [.. nearest.Take(candidates)];
        double start = predicted;
        for (int round = 0; round < MostRounds; round++)
        {
            if (Bisect(start, [.. tried], cancellation) is not { } found) return null;
            start = found.Outside * Precision;
            int[] missed = [.. Outside(start, nearest, cancellation).Select(outside => outside.Position)];
            if (missed.Length == 0) return (found.Outside, found.Image);
            tried.UnionWith(missed);
        }
        return null;
    }

    private (double Outside, NearImage Image)? Bisect(double start, int[] candidates, CancellationToken cancellation)
    {
        NearImage? image = Farthest(start);
        double outside = start, inside = start, step = FirstStep;
        for (int i = 0; image is null && i < MostSteps; i++, step *= step)
        {
            outside = inside / step;
            image = Farthest(outside);
            if (image is null) inside = outside;
        }
        if (image is null) return null;
        for (int i = 0; inside == outside; i++, step *= step)
        {
            if (i == MostSteps) return null;
            inside = outside * step;
            if (Farthest(inside) is not { } farther) break;
            (image, outside) = (farther, inside);
        }
        while (inside / outside > Precision)
        {
            double middle = Math.Sqrt(inside * outside);
            if (Farthest(middle) is { } farthest) (image, outside) = (farthest, middle);
            else inside = middle;
        }
        return (outside, image);

        NearImage? Farthest(double factor) => Outside(factor, candidates, cancellation).Select(one => one.Image).MaxBy(near => near.Share);
    }

    /// <summary>Those of some images that leave a range at a factor.</summary>
    private List<(int Position, NearImage Image)> Outside(double factor, IReadOnlyList<int> positions, CancellationToken cancellation)
    {
        var probe = new RangeProbe();
        Evaluation.Of(Scaled(pann, factor), data, [.. positions.Select(position => images[position])], normalization, workspace, observers: [probe], cancellation: cancellation);
        return [.. positions
            .Select((position, i) => (position, new NearImage(images[position], probe.Nearest[i].Path, probe.Nearest[i].Share)))
            .Where(one => one.Item2.Share > 1)];
    }
}
