using PannCore.Training;
using Xunit;

namespace PannCore.Tests.Training;

public sealed class MixupTests
{
    [Theory]
    [InlineData(0.2)]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(1_000_000)]
    public void Weights_have_the_moments_of_a_beta_distribution(double strength)
    {
        const int steps = 4000;
        double[] weights = [.. Enumerable.Range(0, steps).Select(step => Mixup.Of(strength, [1, 2, 3], seed: 5, step).Weight)];
        Assert.All(weights, weight => Assert.InRange(weight, 0, 1));
        // Beta(a, a) has mean 1/2 and variance v = 1 / (4 (2 a + 1)). The mean of n has deviation sqrt(v / n); a squared deviation is at most 1/4, so the mean of n has deviation at most 1 / (8 sqrt n). Five of each.
        double variance = 1 / (4 * ((2 * strength) + 1));
        Assert.Equal(0.5, weights.Average(), 5 * Math.Sqrt(variance / steps));
        Assert.Equal(variance, weights.Average(w => Math.Pow(w - 0.5, 2)), 5 / (8 * Math.Sqrt(steps)));
    }

    [Fact]
    public void Partners_are_the_batch_in_another_order_that_changes_with_the_step()
    {
        int[] images = [.. Enumerable.Range(0, 32).Select(i => 10 * i)];
        int[] first = Mixup.Of(1, images, 5, 0).Partners.ToArray(), second = Mixup.Of(1, images, 5, 1).Partners.ToArray();
        Assert.Equal(images, first.Order());
        Assert.Equal(images, second.Order());
        Assert.NotEqual(first, second);
        Assert.Equal(first, Mixup.Of(1, images, 5, 0).Partners.ToArray());
        Assert.NotEqual(first, Mixup.Of(1, images, 6, 0).Partners.ToArray());
    }

    [Fact]
    public void Targets_are_shared_between_both_classes()
        => Assert.Equal([0, 0.25f, 0.75f, 0, 0, 1], Mixup.Targets([2, 2], [1, 2], 0.75, 3));
}
