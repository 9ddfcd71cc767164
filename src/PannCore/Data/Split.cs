using PannCore.Engine;

namespace PannCore.Data;

/// <summary>A seeded, class-balanced division of a training set into images to learn from and images to choose by.</summary>
/// <param name="Training">Indices to learn from, rising.</param>
/// <param name="Validation">Indices held out, rising.</param>
public sealed record Split(int[] Training, int[] Validation)
{
    /// <summary>Holds out <paramref name="validation"/> images, the same number of each class.</summary>
    /// <exception cref="BadInputException">Not a multiple of the number of classes, or more than a class has.</exception>
    public static Split Balanced(Cifar10 data, int validation, long seed)
    {
        int classes = Cifar10.ClassNames.Count, perClass = validation / classes;
        if (validation < 0 || validation % classes != 0) throw new BadInputException($"validation: expected a multiple of {classes} images, found {validation}");
        var held = new HashSet<int>();
        int[] taken = new int[classes];
        foreach (int image in new CounterRandom(seed, RandomStream.Split, 0).Permutation(data.Count))
        {
            if (taken[data.Labels[image]] == perClass) continue;
            taken[data.Labels[image]]++;
            held.Add(image);
        }
        int scarce = Array.FindIndex(taken, count => count < perClass);
        if (scarce >= 0) throw new BadInputException($"validation: expected {perClass} images of class {Cifar10.ClassNames[scarce]}, found {taken[scarce]} in {data.Source}");
        return new([.. Enumerable.Range(0, data.Count).Where(i => !held.Contains(i))], [.. held.Order()]);
    }
}
