using PannCore.Engine;
using PannCore.Experiments;
using Xunit;

namespace PannCore.Tests.Experiments;

public sealed class StatisticsTests
{
    public static TheoryData<double[], double?> Curves => new()
    {
        // Backbone 92, limit 91.5; alphas 4, 5, ...
        { [10, 50, 91, 91.75, 92], 6 + (0.5 / 0.75) },
        { [10, 50, 91, 91.5, 92], 7 }, // The limit itself is within.
        { [91.6, 91.7, 92], 4 }, // At most 4.
        { [10, 20, 30], null }, // More than 6.
        { [10, 91.9, 80, 91.9], 6 + (11.5 / 11.9) }, // From which on it stays within: the last crossing.
    };

    [Theory]
    [MemberData(nameof(Curves))]
    public void Precision_needed_is_where_the_last_crossing_lies(double[] accuracies, double? expected)
    {
        (double, double)[] rows = [.. accuracies.Select((accuracy, i) => (4.0 + i, accuracy))];
        foreach ((double, double)[] order in new[] { rows, [.. rows.Reverse()] })
        {
            double? found = PrecisionNeeded.Of(order, 92, 0.5);
            Assert.Equal(expected is null, found is null);
            if (expected is { } value) Assert.Equal(value, found!.Value, 1e-12);
        }
    }

    [Fact]
    public void Precision_needed_refuses_nothing_and_twice_the_same()
    {
        Assert.Throws<ArgumentException>(() => PrecisionNeeded.Of([], 92, 0.5));
        Assert.Throws<ArgumentException>(() => PrecisionNeeded.Of([(4, 10), (4, 11)], 92, 0.5));
    }

    [Theory]
    [InlineData(0, 10)]
    [InlineData(3, 10)]
    [InlineData(10, 10)]
    [InlineData(9171, 10000)]
    public void The_ends_of_the_interval_are_where_the_tails_hold_a_fortieth(int count, int of)
    {
        var share = new Proportion(count, of);
        Assert.InRange(share.Percent, share.Lower, share.Upper);
        // By the definition: sums of binomial probabilities, by recurrence.
        if (count > 0) Assert.Equal(0.025, 1 - Below(share.Lower / 100, count, of), 1e-6);
        else Assert.Equal(0, share.Lower);
        if (count < of) Assert.Equal(0.025, Below(share.Upper / 100, count + 1, of), 1e-6);
        else Assert.Equal(100, share.Upper);

        // P(X < count).
        static double Below(double p, int count, int of)
        {
            double sum = 0, logTerm = of * Math.Log(1 - p);
            for (int k = 0; k < count; k++)
            {
                sum += Math.Exp(logTerm);
                logTerm += Math.Log((of - k) / (k + 1.0)) + Math.Log(p / (1 - p));
            }
            return sum;
        }
    }

    [Fact]
    public void No_image_of_ten_thousand_is_below_4_in_ten_thousand()
        // 1 - 0.025^(1 / 10000) = 3.688e-4, two-sided.
        => Assert.Equal(100 * (1 - Math.Pow(0.025, 1e-4)), new Proportion(0, 10000).Upper, 1e-8);

    [Theory]
    [InlineData(0, 0, 1)]
    [InlineData(5, 5, 1)]
    [InlineData(1, 7, 2 * (1 + 8) / 256.0)]
    [InlineData(10, 2, 2 * (1 + 12 + 66) / 4096.0)]
    public void Differences_are_judged_by_the_images_that_only_one_gets_right(int first, int second, double expected)
    {
        Assert.Equal(expected, new McNemar(first, second).Probability, 1e-12);
        Assert.Equal(expected, new McNemar(second, first).Probability, 1e-12);
        var random = new CounterRandom(1, RandomStream.Weights, 0);
        (bool, bool)[] answers = [.. Enumerable.Repeat((true, false), first), .. Enumerable.Repeat((false, true), second), .. Enumerable.Repeat((true, true), 9), .. Enumerable.Repeat((false, false), 4)];
        int[] order = random.Permutation(answers.Length);
        Assert.Equal(new McNemar(first, second), McNemar.Of([.. order.Select(i => answers[i].Item1)], [.. order.Select(i => answers[i].Item2)]));
    }
}
