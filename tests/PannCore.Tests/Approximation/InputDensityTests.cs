using System.Globalization;
using MathNet.Numerics;
using PannCore.Approximation;
using Xunit;

namespace PannCore.Tests.Approximation;

public sealed class InputDensityTests
{
    // Closed forms of N(0, s) on [-1, 1], s = 1/ratio, z = ratio/sqrt 2: mass erf z; E|t| = s sqrt(2/π) (1 - e^-z²) / erf z; E t² = s² - s sqrt(2/π) e^-z² / erf z.
    [Theory]
    [InlineData(0.5)]
    [InlineData(1)]
    [InlineData(8)]
    [InlineData(16)]
    [InlineData(64)]
    [InlineData(1000)]
    public void Moments_of_a_normal_density_have_their_closed_forms(double ratio)
    {
        double s = 1 / ratio, z = ratio / Math.Sqrt(2), mass = SpecialFunctions.Erf(z), end = Math.Exp(-z * z), factor = s * Math.Sqrt(2 / Math.PI);
        var density = InputDensity.Gaussian(ratio);
        Assert.Equal(1, density.Integrate(_ => 1, 0), 1e-15);
        Assert.Equal(0, density.Integrate(t => t, 1), 1e-14 * s);
        Assert.Equal(factor * (1 - end) / mass, density.Integrate(Math.Abs, 1), 1e-13 * s);
        Assert.Equal((s * s) - (factor * end / mass), density.Integrate(t => t * t, 2), 1e-13 * s * s);
        Assert.Equal(factor * (1 - end) / mass / 2, density.Integrate(t => Math.Max(t, 0), 1), 1e-13 * s);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(30)]
    [InlineData(255)]
    [InlineData(4096)]
    [InlineData(65536)]
    public void Polynomials_of_the_stated_degree_are_integrated_over_a_histogram(int degree)
    {
        // U_n, n the degree, oscillates as fast as the degree allows: its integral is T_{n+1} / (n+1).
        double[] edges = [-1, -0.75, -0.1, 0.2, 0.25, 1];
        long[] counts = [5, 0, 7, 1, 2];
        double expected = 0;
        for (int bin = 0; bin < counts.Length; bin++)
            expected += counts[bin] / 15.0 / (edges[bin + 1] - edges[bin]) * (T(edges[bin + 1]) - T(edges[bin])) / (degree + 1);
        double found = InputDensity.Histogram(edges, counts).Integrate(U, degree);

        // The values reach degree + 1 at the ends, and the arccosine here loses digits there: 1e-15 degree at the angle.
        Assert.Equal(expected, found, 1e-13 * Math.Sqrt(degree));

        double T(double t) => Math.Cos((degree + 1) * Math.Acos(t));
        double U(double t)
        {
            double angle = Math.Acos(t);
            return angle is 0 ? degree + 1 : Math.Sin((degree + 1) * angle) / Math.Sin(angle);
        }
    }

    [Fact]
    public void The_kink_at_0_may_lie_inside_a_bin()
        => Assert.Equal(((0.3 * 0.3) + (0.7 * 0.7)) / 2, InputDensity.Histogram([-0.3, 0.7], [3]).Integrate(Math.Abs, 1), 1e-15);

    [Fact]
    public void A_gap_at_0_is_no_mass()
        => Assert.Equal(0.75, InputDensity.Histogram([-1, -0.5, 0.5, 1], [1, 0, 1]).Integrate(Math.Abs, 1), 1e-15);

    [Fact]
    public void What_lies_outside_is_counted_apart_and_left_out()
    {
        var density = InputDensity.Histogram([-3, -2, 0, 1, 5], [10, 40, 20, 30], outside: 100);
        // Of 40 in [-2, 0] half lie inside; of 200, 20 + 20 do.
        Assert.Equal(0.8, density.Outside, 1e-15);
        Assert.Equal(0, density.Integrate(t => t, 1), 1e-15);
        Assert.Equal(0, InputDensity.Gaussian(8).Outside);
    }

    [Fact]
    public void A_number_is_a_ratio_in_every_culture_and_a_file_a_histogram()
    {
        string file = Path.GetTempFileName();
        CultureInfo before = CultureInfo.CurrentCulture;
        try
        {
            CultureInfo.CurrentCulture = new CultureInfo("de-DE");
            Assert.Equal("16", InputDensity.Parse("16.0").Name);
            Assert.Equal("0.5", InputDensity.Parse("5e-1").Name);
            File.WriteAllText(file, """{ "model": "m", "edges": [-0.5, 0, 1], "counts": [1, 3], "outside": 4 }""");
            var density = InputDensity.Parse(file);
            Assert.Equal(file, density.Name);
            Assert.Equal(0.5, density.Outside);
            Assert.Equal((-0.25 / 4) + (0.5 * 3 / 4), density.Integrate(t => t, 1), 1e-15);

            Refused("{ \"edges\": [0, 1] }", "expected an array of numbers 'counts'");
            Refused("[1]", "expected an array of numbers 'edges'");
            Refused("{ \"edges\": [0, \"x\"], \"counts\": [1] }", "expected an array of numbers 'edges'");
            Refused("{ \"edges\": [0, 1], \"counts\": [1.5] }", "1.5 is not a whole number of inputs");
            Refused("{ \"edges\": [0, 1e999], \"counts\": [1] }", "bin 0 from 0 to Infinity, expected ascending finite edges");
            Refused("{ \"edges\": [0, 1", "at line 1: expected JSON, found something else");
            Refused("{ \"edges\": [0, 1], \"counts\": [1], \"counts\": [2] }", "expected JSON in which no name stands twice: Duplicate property 'counts' encountered during deserialization.");
            Refused("{ \"edges\": [0, 5e-324, 1], \"counts\": [3, 1] }", "bin 0 from 0 to 5E-324 is too narrow for 3 inputs");
            File.WriteAllText(file, """{ "edges": [0, 1], "layers": [{ "path": "\ud800", "counts": [1] }] }""");
            Assert.Equal($"density '{file}': a text is half of a surrogate pair", Assert.Throws<BadInputException>(() => InputDensity.Parse(file + "#a")).Message);
            File.WriteAllBytes(file, new byte[(8 << 20) + 1]);
            Assert.Equal($"density '{file}': at length: expected at most 8388608 bytes, found 8388609", Assert.Throws<BadInputException>(() => InputDensity.Parse(file)).Message);
            if (File.Exists("/dev/zero")) Assert.Equal("density '/dev/zero': at length: expected at most 8388608 bytes, found more", Assert.Throws<BadInputException>(() => InputDensity.Parse("/dev/zero")).Message);
            File.Delete(file);
            Refused(null, "neither a ratio B/s nor a histogram: there is no such file");
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
            File.Delete(file);
        }

        void Refused(string? json, string why)
        {
            if (json is not null) File.WriteAllText(file, json);
            Assert.Equal($"density '{file}': {why}", Assert.Throws<BadInputException>(() => InputDensity.Parse(file)).Message);
        }
    }

    [Theory]
    [InlineData("0")]
    [InlineData("-8")]
    [InlineData("NaN")]
    [InlineData("10001")]
    public void Bad_ratios_are_refused(string ratio)
        => Assert.Equal($"density '{ratio}': expected a ratio B/s from 0.01 to 10000", Assert.Throws<BadInputException>(() => InputDensity.Parse(ratio)).Message);

    [Fact]
    public void Bad_histograms_are_refused()
    {
        Refused("0 counts, expected 1 to 65536", [0.0], []);
        Refused("2 edges for 2 counts, expected 3", [0.0, 1], [1, 1]);
        Refused("bin 1 from 1 to 1, expected ascending finite edges", [0.0, 1, 1], [1, 1]);
        Refused("bin 0 from NaN to 1, expected ascending finite edges", [double.NaN, 1], [1]);
        Refused("bin 0 counts -1, expected none or more", [0.0, 1], [-1]);
        Refused("no input inside the range, nothing to weigh by", [-1.0, 1, 2], [0, 5]);
        Assert.Equal("density 'histogram': -1 inputs outside, expected none or more", Assert.Throws<BadInputException>(() => InputDensity.Histogram([0, 1], [1], -1)).Message);

        static void Refused(string why, double[] edges, long[] counts)
            => Assert.Equal($"density 'histogram': {why}", Assert.Throws<BadInputException>(() => InputDensity.Histogram(edges, counts)).Message);
    }
}
