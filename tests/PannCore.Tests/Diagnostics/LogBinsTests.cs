using PannCore.Diagnostics;
using PannCore.Engine;
using Xunit;

namespace PannCore.Tests.Diagnostics;

public sealed class LogBinsTests
{
    [Theory]
    [InlineData(15, 2)]
    [InlineData(15, 4)]
    [InlineData(1, 0)]
    public void Edges_are_symmetrical_and_octaves_are_cut_into_equal_parts(int octaves, int log2Parts)
    {
        var bins = new LogBins(octaves, log2Parts);
        int parts = 1 << log2Parts;
        Assert.Equal(2 * ((octaves * parts) + 1), bins.Count);
        Assert.Equal(bins.Count + 1, bins.Edges.Count);
        Assert.Equal(bins.Edges.Select(edge => -edge).Reverse(), bins.Edges);
        double[] positive = [.. bins.Edges.Where(edge => edge >= 0)];
        Assert.Equal((0, double.ScaleB(1, -octaves), 1), (positive[0], positive[1], positive[^1]));
        for (int octave = 0; octave < octaves; octave++)
        {
            double lower = double.ScaleB(1, octave - octaves);
            for (int part = 0; part < parts; part++) Assert.Equal(lower * (1 + ((double)part / parts)), positive[1 + (octave * parts) + part]);
        }
    }

    [Theory]
    [InlineData(15, 2)]
    [InlineData(12, 3)]
    [InlineData(1, 0)]
    public void The_bin_of_a_number_is_the_one_whose_ends_hold_it(int octaves, int log2Parts)
    {
        var bins = new LogBins(octaves, log2Parts);
        var random = new CounterRandom(7, RandomStream.Weights, 0);
        List<float> numbers = [0, float.NegativeZero, float.Epsilon, -float.Epsilon, float.BitDecrement(1), -float.BitDecrement(1), 1, -1];
        foreach (double edge in bins.Edges.Where(edge => Math.Abs(edge) is > 0 and < 1)) numbers.AddRange([(float)edge, float.BitIncrement((float)edge), float.BitDecrement((float)edge)]);
        for (int i = 0; i < 2000; i++) numbers.Add((float)Math.Clamp(random.Normal(i) * Math.Pow(2, -(i % 20)), -1, 1));
        foreach (float t in numbers)
        {
            int bin = bins.Of(t);
            double lower = bins.Edges[bin], upper = bins.Edges[bin + 1];
            // The lower end in magnitude belongs to the bin, and so do 1 and -1; both zeros count as positive.
            Assert.True(t >= 0 ? lower <= t && (t < upper || t == 1) : t <= upper && (t > lower || t == -1), $"{t} in bin {bin}, [{lower}, {upper}]");
        }
    }

    [Theory]
    [InlineData(1.5f, 121)]
    [InlineData(float.PositiveInfinity, 121)]
    [InlineData(-1.5f, 0)]
    [InlineData(float.NegativeInfinity, 0)]
    public void Numbers_outside_count_as_the_end_next_to_them(float t, int bin) => Assert.Equal(bin, new LogBins(15, 2).Of(t));

    [Fact]
    public void No_number_leads_out_of_the_bins()
        => Assert.All([float.NaN, -float.NaN], t => Assert.InRange(new LogBins(15, 2).Of(t), 0, 121));
}
