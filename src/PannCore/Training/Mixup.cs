using MathNet.Numerics.Distributions;
using PannCore.Data;
using PannCore.Engine;

namespace PannCore.Training;

/// <summary>
/// Mixup (Zhang et al. 2018): image and target of place i are w times those of image i plus 1 - w times those of another image of the batch, with w drawn from Beta(a, a) once a step.
/// </summary>
internal static class Mixup
{
    /// <summary>The mixture of one step.</summary>
    /// <param name="strength">a.</param>
    /// <param name="images">The batch.</param>
    /// <param name="seed">The recipe's seed.</param>
    /// <param name="step">The step, counted from the beginning of training.</param>
    public static Mixture Of(double strength, ReadOnlySpan<int> images, long seed, long step)
    {
        var random = new CounterRandom(seed, RandomStream.Mixup, step);
        int[] partners = new int[images.Length], order = random.Permutation(images.Length);
        for (int i = 0; i < partners.Length; i++) partners[i] = images[order[i]];
        // The permutation uses indices below the batch's size.
        double weight = strength == 1 ? random.Uniform(images.Length) : Beta.InvCDF(strength, strength, random.Uniform(images.Length));
        return new(weight, partners);
    }

    /// <summary>Target probabilities, images x classes.</summary>
    public static float[] Targets(ReadOnlySpan<byte> labels, ReadOnlySpan<byte> partners, double weight, int classes)
    {
        float[] targets = new float[labels.Length * classes];
        for (int i = 0; i < labels.Length; i++)
        {
            targets[(i * classes) + labels[i]] += (float)weight;
            targets[(i * classes) + partners[i]] += (float)(1 - weight);
        }
        return targets;
    }
}
