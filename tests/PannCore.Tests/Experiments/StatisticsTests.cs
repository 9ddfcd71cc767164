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

    // Tables drawn from known losses must have the true alpha* inside their interval in 95 % of the cases. An image is lost from the alpha down that its own difficulty says, so that losses of one table go together, as they do
    // in a network; so the loss between two alphas has the interpolated error, and the interval its nominal cover. 2,000 tables: three standard errors of a proportion of 0.95 are 0.015.
    [Fact]
    public void The_interval_of_the_precision_needed_holds_the_true_one_as_often_as_it_says()
    {
        const int Images = 10_000, Tables = 2_000, BackboneCorrect = 9_200;
        double[] lost = [0.4, 0.08, 0.02, 0.009, 0.004, 0.003], won = [0.002, 0.003, 0.004, 0.003, 0.002, 0.001];
        double truth = PrecisionNeeded.Of([.. lost.Select((share, i) => (4.0 + i, 92 - (100 * (share - won[i]))))], 92, 0.5)!.Value;
        var random = new CounterRandom(7, RandomStream.Weights, 0);
        int inside = 0;
        for (int table = 0; table < Tables; table++)
        {
            (int[] losses, int[] wins) = (new int[lost.Length], new int[lost.Length]);
            for (int image = 0; image < Images; image++)
            {
                double difficulty = random.Uniform(((long)table * Images) + image);
                for (int i = 0; i < lost.Length; i++)
                {
                    if (difficulty < lost[i]) losses[i]++;
                    if (difficulty > 1 - won[i]) wins[i]++;
                }
            }
            var (low, high) = PrecisionNeeded.Interval([.. losses.Select((b, i) => (4.0 + i, BackboneCorrect - b + wins[i], (int?)b))], BackboneCorrect, Images, 0.5)!.Value;
            if (low <= truth && truth <= high) inside++;
        }
        Assert.InRange((double)inside / Tables, 0.935, 0.965);
    }

    [Fact]
    public void The_interval_of_the_precision_needed_is_unknown_only_where_a_count_that_is_missing_can_matter()
    {
        // n = 10,000: limits are at most 1.96 points from the accuracy, and the limit is 91.5.
        (double, int, int?)[] cells = [(3, 8_000, null), (4, 8_900, 400), (5, 9_100, 150), (6, 9_190, 40), (7, 9_200, 0)];
        var (low, high) = PrecisionNeeded.Interval(cells, 9_200, 10_000, 0.5)!.Value;
        double Error(int b, int c) => 100 * Math.Sqrt(b + c - ((b - c) * (b - c) / 1e4)) / 1e4;
        double five = 1.959963984540054 * Error(150, 50), six = 1.959963984540054 * Error(40, 30);
        Assert.Equal(5 + ((0.5 - five) / (0.9 + six - five)), low!.Value, 1e-12);
        Assert.Equal(5 + ((0.5 + five) / (0.9 - six + five)), high!.Value, 1e-12);
        Assert.Null(PrecisionNeeded.Interval([(4, 8_900, null), (5, 9_100, null), (6, 9_190, 40), (7, 9_200, 0)], 9_200, 10_000, 0.5));
        Assert.Null(PrecisionNeeded.Interval([(4, 8_900, null), (5, 9_100, 150), (6, 9_190, 40), (7, 9_200, 0)], 9_200, 10_000, 0.5)); // Far away, but what the crossing is interpolated with.
        Assert.Null(PrecisionNeeded.Interval([(3, 8_000, null), (4, 8_955, null), (5, 9_100, 150), (6, 9_190, 40), (7, 9_200, 0)], 9_200, 10_000, 0.5));
        // 9,100 right of 9,200 need at least 100 lost; and no more than 800 can be won.
        foreach ((int correct, int lost) in new[] { (9_100, 99), (9_100, 901), (9_201, -1) }) Assert.Throws<ArgumentException>(() => PrecisionNeeded.Interval([(5, correct, lost), (6, 9_200, 0)], 9_200, 10_000, 0.5));
        // More than the largest alpha, and at most the least.
        Assert.Equal((null, null), PrecisionNeeded.Interval([(4, 1_000, null), (5, 2_000, null)], 9_200, 10_000, 0.5));
        Assert.Equal((4, 4), PrecisionNeeded.Interval([(4, 9_199, 1), (5, 9_200, 0)], 9_200, 10_000, 0.5));
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

    [Theory]
    [InlineData(76, 60, 10_000)]
    [InlineData(3, 0, 12)]
    [InlineData(0, 0, 1)]
    public void The_difference_of_two_networks_is_the_mean_over_images_with_its_standard_error(int first, int second, int images)
    {
        double[] each = [.. Enumerable.Repeat(1.0, first), .. Enumerable.Repeat(-1.0, second), .. Enumerable.Repeat(0.0, images - first - second)];
        double mean = each.Average(), error = Math.Sqrt(each.Sum(d => (d - mean) * (d - mean)) / images / images);
        (double points, double half) = new McNemar(first, second).Difference(images);
        Assert.Equal(100 * mean, points, 1e-10);
        Assert.Equal(100 * 1.9599639845400545 * error, half, 1e-9);
        Assert.Throws<ArgumentOutOfRangeException>(() => new McNemar(first + 1, second).Difference(first + second));
    }
}
