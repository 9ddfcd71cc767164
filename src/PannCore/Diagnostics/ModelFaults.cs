using PannCore.Data;
using PannCore.Engine;
using PannCore.Nn;
using PannCore.Ops;

namespace PannCore.Diagnostics;

/// <summary>What can be seen to be wrong with a network before its errors are measured, because it would make every figure meaningless.</summary>
internal static class ModelFaults
{
    // Of 30 random sets of 256 test images of the bundled network none is taken for images of another normalisation, and with cifar10 and imagenet exchanged none is missed;
    // of 150 sets of 64 none and 41, of 16 one and 124. So the data set is asked, not the few images that an inspection may be of.
    private const int MostImages = 256, FewestImages = 32;

    // The first 256 and 1,000 bundled images: 0.015 to 0.039 with a network's own normalisation, at least 0.117 with the other one, for both networks of data/README.md.
    private const double UnsuspiciousDistance = 0.08;

    private static readonly Normalization[] Named = [Normalization.Cifar10, Normalization.ImageNet];

    private static readonly Normalization[] Known =
    [
        .. Named,
        new("none (pixels 0 to 1)", [0, 0, 0], [1, 1, 1]),
        new("none (pixels 0 to 255)", [0, 0, 0], [1 / 255.0, 1 / 255.0, 1 / 255.0]),
        new("mean 0.5, deviation 0.5", [0.5, 0.5, 0.5], [0.5, 0.5, 0.5]),
    ];

    /// <summary>One sentence a fault, the gravest first.</summary>
    public static IReadOnlyList<string> Of(ResNet network, Cifar10 data, Normalization normalization, Workspace workspace)
    {
        if (NotFinite(network) is { } notFinite) return [notFinite];
        if (NegativeVariance(network) is { } negative) return [negative];
        if (Untrained(network) is { } untrained) return [untrained];
        int count = Math.Min(MostImages, data.Count);
        int[] spread = [.. Enumerable.Range(0, count).Select(i => (int)((long)i * data.Count / count))];
        return count >= FewestImages && OtherNormalization(network, data, spread, normalization, workspace) is { } other ? [other] : [];
    }

    private static string? NotFinite(ResNet network)
    {
        foreach (Parameter parameter in network.Parameters.All)
        {
            float[] values = parameter.Values.ToArray();
            int first = Array.FindIndex(values, value => !float.IsFinite(value));
            if (first < 0) continue;
            return FormattableString.Invariant($"Weights that are no numbers: {parameter.Name} {parameter.Shape} has {values.Count(value => !float.IsFinite(value))} of {values.Length} values not finite, the first at element {first}. No figure below means anything.");
        }
        return null;
    }

    private static string? NegativeVariance(ResNet network)
    {
        foreach (Parameter variance in network.Parameters.All.Where(p => p.Name.EndsWith(".running_var", StringComparison.Ordinal)))
        {
            float[] values = variance.Values.ToArray();
            int first = Array.FindIndex(values, value => value < 0);
            if (first >= 0) return FormattableString.Invariant($"A variance below 0: {variance.Name} {variance.Shape} has {values.Count(value => value < 0)} of {values.Length} values below 0, the first at element {first}. No figure below means anything.");
        }
        return null;
    }

    private static string? Untrained(ResNet network)
    {
        string? Initial(Parameter variance)
        {
            string path = variance.Name[..^".running_var".Length];
            bool isInitial = variance.Values.IndexOfAnyExcept(1f) < 0 && network.Parameters.All.First(p => p.Name == path + ".running_mean").Values.IndexOfAnyExcept(0f) < 0;
            return isInitial ? path : null;
        }
        string[] initial = [.. network.Parameters.All.Where(p => p.Name.EndsWith(".running_var", StringComparison.Ordinal)).Select(Initial).OfType<string>()];
        return initial.Length == 0 ? null
            : $"Batch-norm without statistics: {initial[0]}{(initial.Length > 1 ? $" and {initial.Length - 1} more have" : " has")} mean 0 and variance 1, as before training. The network was not trained, or was trained without keeping running statistics.";
    }

    /// <summary>
    /// The first batch-norm's running statistics are those of training images, normalised as the network was trained and augmented. These images, treated so, should have them too:
    /// the distance is the root mean square over the channels of the difference of means in deviations, and of the logarithm of the ratio of deviations.
    /// </summary>
    private static string? OtherNormalization(ResNet network, Cifar10 data, int[] images, Normalization given, Workspace workspace)
    {
        double own = Distance(network, data, images, given, workspace);
        if (own <= UnsuspiciousDistance) return null;
        (Normalization best, double distance) = Known.Select(known => (known, Distance(network, data, images, known, workspace))).MinBy(pair => pair.Item2);
        if (distance > own / 2) return null;
        return FormattableString.Invariant($"Wrong normalisation: the statistics of {network.Trunk[1].Path} fit images normalised as '{best.Name}' (distance {distance:F3}), not as '{given.Name}' (distance {own:F3}), which was used.{(Named.Contains(best) ? $" Read its checkpoint with --normalize {best.Name}." : "")}");
    }

    private static double Distance(ResNet network, Cifar10 data, int[] images, Normalization normalization, Workspace workspace)
    {
        using var run = new Run(workspace);
        Tensor y = network.Trunk[0].Call(new BatchLoader(data, normalization).Load(run, images, new Augmentation(Seed: 1, Epoch: 0)));
        int channels = y.Shape[3];
        double[] sums = new double[channels], squares = new double[channels];
        ReadOnlySpan<float> values = y.Values;
        for (int i = 0; i < values.Length; i++)
        {
            sums[i % channels] += values[i];
            squares[i % channels] += (double)values[i] * values[i];
        }
        ReadOnlySpan<float> Statistic(string name) => network.Parameters.All.First(p => p.Name == $"{network.Trunk[1].Path}.{name}").Values;
        ReadOnlySpan<float> runningMean = Statistic("running_mean"), runningVariance = Statistic("running_var");
        double count = values.Length / channels, distance = 0;
        for (int c = 0; c < channels; c++)
        {
            double mean = sums[c] / count, variance = (squares[c] / count) - (mean * mean);
            // Batch-norm's own epsilon lets a channel that is always the same, of variance 0, count as one that fits.
            double deviations = Math.Pow(mean - runningMean[c], 2) / (runningVariance[c] + BatchNorm.Epsilon);
            distance += deviations + Math.Pow(Math.Log((variance + BatchNorm.Epsilon) / (runningVariance[c] + BatchNorm.Epsilon)) / 2, 2);
        }
        return Math.Sqrt(distance / channels);
    }
}
