using PannCore.Training;
using Xunit;

namespace PannCore.Tests.Training;

public sealed class PolynomialShareTests
{
    private static PolynomialInTheLoop With(PolynomialShare share) => new("direct:4", new Dictionary<string, double>(), Share: share);

    [Fact]
    public void Full_is_one_and_rising_reaches_it_at_half_of_the_steps()
    {
        Assert.Equal(1, With(PolynomialShare.Full).ShareAt(seed: 1, step: 0, steps: 10, layer: 0));
        double[] rising = [.. Enumerable.Range(0, 10).Select(step => With(PolynomialShare.Rising).ShareAt(1, step, 10, layer: 3))];
        Assert.Equal([0, 0.2, 0.4, 0.6, 0.8, 1, 1, 1, 1, 1], rising);
    }

    [Fact]
    public void A_penalty_that_rises_reaches_its_weight_in_the_last_step()
    {
        PolynomialInTheLoop constant = With(PolynomialShare.Full) with { Penalty = 8 }, rising = constant with { PenaltyRises = true };
        Assert.Equal([8, 8, 8, 8], Enumerable.Range(0, 4).Select(step => constant.PenaltyAt(step, 4)));
        Assert.Equal([2, 4, 6, 8], Enumerable.Range(0, 4).Select(step => rising.PenaltyAt(step, 4)));
    }

    [Fact]
    public void Random_shares_are_uniform_and_differ_between_steps_layers_and_seeds()
    {
        const int steps = 1000, layers = 19;
        double[] shares = [.. Enumerable.Range(0, steps * layers).Select(i => With(PolynomialShare.Random).ShareAt(7, i / layers, 10L * steps, i % layers))];
        Assert.All(shares, share => Assert.InRange(share, 0, 1));
        Assert.Equal(shares.Length, shares.Distinct().Count());
        // Standard errors of the first two moments of n uniform numbers: sqrt(1/12 / n) and sqrt(4/45 / n); five of them.
        Assert.Equal(0.5, shares.Average(), 5 * Math.Sqrt(1 / 12.0 / shares.Length));
        Assert.Equal(1 / 3.0, shares.Average(share => share * share), 5 * Math.Sqrt(4 / 45.0 / shares.Length));
        Assert.NotEqual(With(PolynomialShare.Random).ShareAt(7, 3, steps, 2), With(PolynomialShare.Random).ShareAt(8, 3, steps, 2));
    }

    [Fact]
    public void The_last_tenth_of_the_steps_is_without_a_random_polynomial()
        => Assert.Equal([false, true], Enumerable.Range(899, 2).Select(step => With(PolynomialShare.Random).ShareAt(7, step, 1000, 0) == 0));

    [Fact]
    public void Only_random_shares_leave_a_network_with_relus()
        => Assert.Equal([PolynomialShare.Random], Enum.GetValues<PolynomialShare>().Where(share => !With(share).StandsForItself));
}
