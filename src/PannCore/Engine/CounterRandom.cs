using System.Numerics;

namespace PannCore.Engine;

/// <summary>
/// Random numbers as a function of where they are used, f(seed, stream, step, index): nothing to store, nothing to advance,
/// so results depend neither on threads nor on where a run was resumed. The mixing function is SplitMix64's finaliser, applied between the keys.
/// </summary>
public readonly struct CounterRandom
{
    private const ulong Golden = 0x9E3779B97F4A7C15, First = 0xBF58476D1CE4E5B9, Second = 0x94D049BB133111EB;

    private readonly ulong _key;

    /// <summary>The numbers of one purpose at one step.</summary>
    /// <param name="seed">The user's seed.</param>
    /// <param name="stream">Which purpose, so that two purposes never share numbers.</param>
    /// <param name="step">Epoch or step.</param>
    public CounterRandom(long seed, RandomStream stream, long step)
        => _key = Mix(Mix(Mix((ulong)seed) + (ulong)stream) + (ulong)step);

    /// <summary>64 random bits.</summary>
    public ulong Bits(long index) => Mix(_key + (ulong)index);

    /// <summary>64 random bits for each of the indices from <paramref name="index"/> on.</summary>
    public void Bits(long index, Span<ulong> bits)
    {
        int i = 0;
        for (; i <= bits.Length - Vector<ulong>.Count; i += Vector<ulong>.Count)
        {
            Vector<ulong> z = Vector<ulong>.Indices + new Vector<ulong>(unchecked(_key + (ulong)index + (ulong)i + Golden));
            z = (z ^ (z >>> 30)) * First;
            z = (z ^ (z >>> 27)) * Second;
            (z ^ (z >>> 31)).CopyTo(bits[i..]);
        }
        for (; i < bits.Length; i++) bits[i] = Bits(index + i);
    }

    /// <summary>Uniform in [0, 1), 53 bits.</summary>
    public double Uniform(long index) => (Bits(index) >> 11) * (1.0 / (1L << 53));

    /// <summary>Uniform integer in [0, bound).</summary>
    /// <exception cref="ArgumentOutOfRangeException">The bound is not positive.</exception>
    public int Below(long index, int bound)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bound);
        return (int)Math.BigMul(Bits(index), (ulong)bound, out _);
    }

    /// <summary>Standard normal, by Box and Muller's transform; uses indices 2 index and 2 index + 1.</summary>
    public double Normal(long index)
        => Math.Sqrt(-2 * Math.Log(1 - Uniform(2 * index))) * Math.Cos(2 * Math.PI * Uniform((2 * index) + 1));

    /// <summary>A permutation of 0 .. count - 1 by Fisher and Yates's shuffle.</summary>
    public int[] Permutation(int count)
    {
        int[] order = [.. Enumerable.Range(0, count)];
        for (int i = count - 1; i > 0; i--)
        {
            int j = Below(i, i + 1);
            (order[i], order[j]) = (order[j], order[i]);
        }
        return order;
    }

    private static ulong Mix(ulong z)
    {
        z += Golden;
        z = (z ^ (z >> 30)) * First;
        z = (z ^ (z >> 27)) * Second;
        return z ^ (z >> 31);
    }
}

/// <summary>The purposes random numbers are drawn for.</summary>
public enum RandomStream
{
    /// <summary>Initial weights.</summary>
    Weights = 1,

    /// <summary>Order of the training images.</summary>
    Order = 2,

    /// <summary>Crops and flips.</summary>
    Augmentation = 3,

    /// <summary>The split into training and validation images.</summary>
    Split = 5,

    /// <summary>Perturbed activations.</summary>
    Perturbation = 6,

    /// <summary>Stochastic truncation of fixed-point numbers.</summary>
    Truncation = 7,

    /// <summary>Pairs and weights of mixed training images.</summary>
    Mixup = 8,

    /// <summary>Noise on activations in training.</summary>
    Noise = 9,

    /// <summary>Images of noise.</summary>
    StressImage = 10,

    /// <summary>Shares of polynomials in training.</summary>
    Share = 11,

    /// <summary>Contrast of training images.</summary>
    Contrast = 12,
}
