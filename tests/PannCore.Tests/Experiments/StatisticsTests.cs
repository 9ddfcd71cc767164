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
