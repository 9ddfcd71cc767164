using PannCore.Engine;
using Xunit;

namespace PannCore.Tests.Engine;

/// <summary>The random numbers against an independent SplitMix64 and against what their distributions must show.</summary>
public sealed class CounterRandomTests
{
    [Fact]
    public void TheIndependentGeneratorIsSplitMix64()
    {
        // Outputs for seed 1234567, as published with the algorithm's reference implementation.
        ulong state = 1234567;
        ulong[] known = [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431, 16408922859458223821];
        Assert.Equal(known, known.Select(_ => SplitMix64(ref state)));
    }

    [Theory]
    [InlineData(0, RandomStream.Weights, 0, 0)]
    [InlineData(1, RandomStream.Order, 2, 3)]
    [InlineData(-5, RandomStream.Augmentation, 1000, 123456789)]
    [InlineData(long.MaxValue, RandomStream.Split, long.MaxValue, long.MaxValue)]
    [InlineData(long.MinValue, RandomStream.Split, -1, -1)]
    public void BitsAreSplitMix64OfTheKeysInTurn(long seed, RandomStream stream, long step, long index)
    {
        ulong key = First((ulong)seed);
        key = First(unchecked(key + (ulong)stream));
        key = First(unchecked(key + (ulong)step));
        Assert.Equal(First(unchecked(key + (ulong)index)), new CounterRandom(seed, stream, step).Bits(index));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(37)]
    public void MoreBitsAtOnceAreTheBitsOneByOne(int count)
    {
        var random = new CounterRandom(9, RandomStream.Noise, 3);
        foreach (long index in (long[])[0, 12345, -7, long.MaxValue - 3])
        {
            ulong[] bits = new ulong[count];
            random.Bits(index, bits);
            Assert.Equal(Enumerable.Range(0, count).Select(i => random.Bits(unchecked(index + i))), bits);
        }
    }

    [Fact]
    public void UniformIsUniform()
    {
        var random = new CounterRandom(42, RandomStream.Weights, 0);
        const int count = 160_000;
        int[] bins = new int[16];
        double serial = 0;
        for (int i = 0; i < count; i++)
        {
            double value = random.Uniform(i);
            Assert.InRange(value, 0, 1 - Math.ScaleB(1, -53));
            bins[(int)(16 * value)]++;
            serial += (value - 0.5) * (random.Uniform(i + 1) - 0.5);
        }

        // Chi-squared with 15 degrees of freedom exceeds 50 with probability 1e-5. Neighbours are uncorrelated: the sum has deviation sqrt(count) / 12.
        Assert.InRange(bins.Sum(bin => (bin - 1e4) * (bin - 1e4) / 1e4), 0, 50);
        Assert.InRange(Math.Abs(serial), 0, 5 * Math.Sqrt(count) / 12);
    }

    [Fact]
    public void BelowIsUniformOverItsBound()
    {
        var random = new CounterRandom(43, RandomStream.Order, 1);
        int[] counts = new int[9];
        for (int i = 0; i < 90_000; i++) counts[random.Below(i, 9)]++;
        Assert.InRange(counts.Sum(bin => (bin - 1e4) * (bin - 1e4) / 1e4), 0, 40); // 8 degrees of freedom: probability 3e-6.
        Assert.All(Enumerable.Range(0, 100), i => Assert.Equal(0, random.Below(i, 1)));
        Assert.All(Enumerable.Range(0, 100), i => Assert.InRange(random.Below(i, int.MaxValue), 0, int.MaxValue - 1));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(int.MinValue)]
    public void BelowNothingIsNoNumber(int bound)
        => Assert.Throws<ArgumentOutOfRangeException>("bound", () => new CounterRandom(43, RandomStream.Order, 1).Below(0, bound));

    /// <summary>The very numbers, not only their distribution: by them published networks follow from their seeds.</summary>
    [Fact]
    public void NormalsAreBoxAndMullersOfTwoUniforms()
    {
        ulong key = First(unchecked(First(unchecked(First(44) + (ulong)RandomStream.Weights)) + 7));
        double Uniform(ulong index) => (First(unchecked(key + index)) >> 11) / 9007199254740992.0;
        var random = new CounterRandom(44, RandomStream.Weights, 7);
        for (int i = 0; i < 100; i++)
        {
            double radius = Math.Sqrt(-2 * Math.Log(1 - Uniform((ulong)(2 * i))));
            // A few roundings, and mathematics libraries that differ in the last digit.
            Assert.Equal(radius * Math.Cos(2 * Math.PI * Uniform((ulong)((2 * i) + 1))), random.Normal(i), 1e-14 * (1 + radius));
        }
    }

    [Fact]
    public void NormalHasTheMomentsOfANormal()
    {
        var random = new CounterRandom(44, RandomStream.Weights, 0);
        const int count = 100_000;
        double[] values = [.. Enumerable.Range(0, count).Select(i => random.Normal(i))];

        // Deviations of the sample moments: 1, sqrt 2, sqrt 96 over sqrt count. Five of them.
        double root = Math.Sqrt(count);
        Assert.InRange(values.Average(), -5 / root, 5 / root);
        Assert.InRange(values.Average(v => v * v) - 1, -5 * Math.Sqrt(2) / root, 5 * Math.Sqrt(2) / root);
        Assert.InRange(values.Average(v => v * v * v * v) - 3, -5 * Math.Sqrt(96) / root, 5 * Math.Sqrt(96) / root);
        Assert.All(values, v => Assert.True(double.IsFinite(v)));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(1000)]
    public void APermutationIsOne(int count)
    {
        int[] order = new CounterRandom(45, RandomStream.Order, 0).Permutation(count);
        Assert.Equal(Enumerable.Range(0, count), order.Order());
        Assert.Equal(order, new CounterRandom(45, RandomStream.Order, 0).Permutation(count));
        if (count == 1000) Assert.NotEqual(Enumerable.Range(0, count), order);
    }

    /// <summary>Fisher and Yates from the top: place i changes with the place floor(bits (i + 1) / 2^64), bits number i.</summary>
    [Fact]
    public void APermutationIsThatOfItsSeed()
    {
        const int count = 50;
        ulong key = First(unchecked(First(unchecked(First(45) + (ulong)RandomStream.Order)) + 3));
        List<int> left = [.. Enumerable.Range(0, count)];
        int[] expected = new int[count];
        for (int i = count - 1; i >= 0; i--)
        {
            // What is drawn leaves the list, and the last one takes its place.
            int drawn = i == 0 ? 0 : (int)(((UInt128)First(unchecked(key + (ulong)i)) * (uint)(i + 1)) >> 64);
            expected[i] = left[drawn];
            left[drawn] = left[^1];
            left.RemoveAt(left.Count - 1);
        }
        Assert.Equal(expected, new CounterRandom(45, RandomStream.Order, 3).Permutation(count));
    }

    [Fact]
    public void AllPermutationsAreEquallyFrequent()
    {
        var counts = new Dictionary<string, int>();
        for (int step = 0; step < 24_000; step++)
        {
            string order = string.Join(',', new CounterRandom(46, RandomStream.Order, step).Permutation(4));
            counts[order] = counts.GetValueOrDefault(order) + 1;
        }
        Assert.Equal(24, counts.Count);
        Assert.InRange(counts.Values.Sum(count => (count - 1e3) * (count - 1e3) / 1e3), 0, 65); // 23 degrees of freedom: probability 6e-6.
    }

    [Fact]
    public void SeedsStreamsStepsAndIndicesShareNothing()
    {
        var seen = new HashSet<ulong>();
        int drawn = 0;
        for (long seed = -2; seed <= 2; seed++)
        {
            foreach (RandomStream stream in Enum.GetValues<RandomStream>())
            {
                for (long step = 0; step < 5; step++)
                {
                    var random = new CounterRandom(seed, stream, step);
                    for (long index = 0; index < 50; index++, drawn++) seen.Add(random.Bits(index));
                }
            }
        }
        Assert.Equal(drawn, seen.Count);
    }

    /// <summary>S. Vigna's SplitMix64: a Weyl sequence and a finaliser (variant 13 of D. Stafford).</summary>
    private static ulong SplitMix64(ref ulong state)
    {
        unchecked
        {
            ulong z = state += 0x9e3779b97f4a7c15;
            z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
            z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
            return z ^ (z >> 31);
        }
    }

    private static ulong First(ulong seed) => SplitMix64(ref seed);
}
