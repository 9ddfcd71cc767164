using System.Globalization;
using PannCore.Approximation;
using Xunit;

namespace PannCore.Tests.Approximation;

public sealed class ActivationSpecTests
{
    private const string Known = "; known: relu, leaky:A, composite:alpha=N, composite:D,D,..., direct:N, taylor:N, lsq:N, chebyshev:N, interpolation:N, hermite:N, square, quadratic, file:PATH";

    [Theory]
    [InlineData("relu", ActivationKind.Relu, 0, new int[0], null)]
    [InlineData("leaky:0.1", ActivationKind.Leaky, 0.1, new int[0], null)]
    [InlineData("leaky:0", ActivationKind.Leaky, 0, new int[0], null)]
    [InlineData("composite:alpha=4", ActivationKind.Composite, 0, new[] { 5 }, 4)]
    [InlineData("composite:alpha=9", ActivationKind.Composite, 0, new[] { 15, 15 }, 9)]
    [InlineData("composite:alpha=14,leak=0.25", ActivationKind.Composite, 0.25, new[] { 15, 27, 29 }, 14)]
    [InlineData("composite:7,7,27", ActivationKind.Composite, 0, new[] { 7, 7, 27 }, null)]
    [InlineData("composite:7,7,leak=0.1", ActivationKind.Composite, 0.1, new[] { 7, 7 }, null)]
    [InlineData("direct:4", ActivationKind.Direct, 0, new[] { 4 }, null)]
    [InlineData("direct:256,leak=0.001", ActivationKind.Direct, 0.001, new[] { 256 }, null)]
    [InlineData("composite:15,15,gap=0.004", ActivationKind.Composite, 0, new[] { 15, 15 }, null)]
    [InlineData("composite:15,15,gap=1E-05,leak=0.1", ActivationKind.Composite, 0.1, new[] { 15, 15 }, null)]
    [InlineData("direct:8,zero", ActivationKind.Direct, 0, new[] { 8 }, null)]
    [InlineData("direct:8,unbiased=16,leak=0.1", ActivationKind.Direct, 0.1, new[] { 8 }, null)]
    [InlineData("direct:8,zero,unbiased=inputs/C:1.json,leak=0.1", ActivationKind.Direct, 0.1, new[] { 8 }, null)]
    [InlineData("taylor:8,leak=0.1", ActivationKind.Taylor, 0.1, new[] { 8 }, null)]
    [InlineData("lsq:8", ActivationKind.LeastSquares, 0, new[] { 8 }, null)]
    [InlineData("lsq:8,density=8,leak=0.5", ActivationKind.LeastSquares, 0.5, new[] { 8 }, null)]
    [InlineData("chebyshev:8", ActivationKind.Chebyshev, 0, new[] { 8 }, null)]
    [InlineData("interpolation:8", ActivationKind.Interpolation, 0, new[] { 8 }, null)]
    [InlineData("hermite:8", ActivationKind.Hermite, 0, new[] { 8 }, null)]
    [InlineData("hermite:8,density=16", ActivationKind.Hermite, 0, new[] { 8 }, null)]
    [InlineData("square", ActivationKind.Square, 0, new[] { 2 }, null)]
    [InlineData("square,leak=0.1", ActivationKind.Square, 0.1, new[] { 2 }, null)]
    [InlineData("quadratic", ActivationKind.Quadratic, 0, new[] { 2 }, null)]
    public void Text_and_parts_agree_in_every_culture(string text, ActivationKind kind, double leak, int[] degrees, int? alpha)
    {
        CultureInfo before = CultureInfo.CurrentCulture;
        try
        {
            foreach (string culture in (string[])["", "de-DE", "tr-TR"])
            {
                CultureInfo.CurrentCulture = new CultureInfo(culture);
                ActivationSpec spec = ActivationSpec.Parse(text);
                Assert.Equal(kind, spec.Kind);
                Assert.Equal(leak, spec.Leak);
                Assert.Equal(degrees, spec.Degrees);
                Assert.Equal(alpha, spec.Alpha);
                Assert.Equal(degrees.Length > 0, spec.IsPolynomial);
                Assert.Equal(text, spec.ToString());
                Assert.Equal(spec, ActivationSpec.Parse(spec.ToString()));
            }
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    [Fact]
    public void The_German_comma_is_really_in_force_where_the_cultures_are_tested()
        => Assert.Equal("0,1", 0.1.ToString(new CultureInfo("de-DE")));

    [Fact]
    public void Equal_meanings_written_differently_have_one_canonical_text()
    {
        Assert.Equal("composite:7,7", ActivationSpec.Parse("composite:7,7,leak=0").ToString());
        Assert.Equal("leaky:0.1", ActivationSpec.Parse("leaky:1e-1").ToString());
        Assert.Equal("leaky:0", ActivationSpec.Parse("leaky:-0").ToString());
        Assert.Equal("direct:4,leak=0.1", ActivationSpec.Parse("direct:04,leak=.10").ToString());
        Assert.Equal("direct:4,unbiased=8", ActivationSpec.Parse("direct:4,unbiased=8.0").ToString());
        Assert.Equal("composite:7,gap=0.01", ActivationSpec.Parse("composite:7,gap=1e-2").ToString());
        Assert.Equal("hermite:4", ActivationSpec.Parse("hermite:4,density=8").ToString());
        Assert.Equal(ActivationSpec.Parse("leaky:1e-1"), ActivationSpec.Parse("leaky:0.1"));
        Assert.Equal(ActivationSpec.Parse("leaky:1e-1").GetHashCode(), ActivationSpec.Parse("leaky:0.1").GetHashCode());
        Assert.NotEqual(ActivationSpec.Parse("composite:alpha=9"), ActivationSpec.Parse("composite:15,15"));
    }

    [Theory]
    [InlineData("", "unknown kind ''")]
    [InlineData("compsite:alpha=9", "unknown kind 'compsite'")]
    [InlineData("Relu", "unknown kind 'Relu'")]
    [InlineData(" relu", "unknown kind ' relu'")]
    [InlineData("direct,4", "unknown kind 'direct,4'")]
    [InlineData("file", "no path given")]
    [InlineData("file:", "no path given")]
    [InlineData("relu,leak=0.1", "relu takes no argument, found ',leak=0.1'")]
    [InlineData("square:2", "square takes no argument but leak, found ':2'")]
    [InlineData("square,2", "square takes no argument but leak, found ',2'")]
    [InlineData("quadratic,leak=1", "slope '1' is not a number from 0 to below 1 in float32")]
    [InlineData("quadratic,leak=0.1,leak=0.1", "unexpected 'leak=0.1' after leak=0.1")]
    [InlineData("composite:alpha=40,min=depth", "alpha '40' is not a whole number from 4 to 15 (double certifies degrees with a product of at most 32768: a maximum error of about 2^-15)")]
    [InlineData("composite:alpha=9,min=width", "minimum 'width' is neither depth nor mults")]
    [InlineData("composite:alpha=9,min=depth,min=mults", "unexpected 'min=mults' after min=depth")]
    [InlineData("composite:alpha=9,gap=0.1", "unexpected 'gap=0.1' after alpha=9")]
    [InlineData("composite:7,7,min=depth", "degree 'min=depth' of stage 3 is not an odd number from 3 to 63")]
    [InlineData("composite:7,7,gap=1", "gap '1' is not a number from 1E-09 to below 1")]
    [InlineData("composite:7,7,gap=0", "gap '0' is not a number from 1E-09 to below 1")]
    [InlineData("composite:7,7,gap=NaN", "gap 'NaN' is not a number from 1E-09 to below 1")]
    [InlineData("composite:7,7,gap=", "gap '' is not a number from 1E-09 to below 1")]
    [InlineData("composite:gap=0.1", "no degrees given")]
    [InlineData("composite:7,gap=0.1,7", "degree 'gap=0.1' of stage 2 is not an odd number from 3 to 63")]
    [InlineData("composite:7,leak=0.1,gap=0.1", "unexpected 'gap=0.1' after leak=0.1")]
    [InlineData("direct:4,null", "unexpected 'null' after degree 4")]
    [InlineData("direct:4,zero,zero", "unexpected 'zero' after zero")]
    [InlineData("direct:4,unbiased=8,zero", "unexpected 'zero' after unbiased=8")]
    [InlineData("direct:4,unbiased=", "density '' is not a ratio B/s from 0.01 to 10000 and no file")]
    [InlineData("direct:4,unbiased=0", "density '0' is not a ratio B/s from 0.01 to 10000 and no file")]
    [InlineData("direct:4,unbiased=NaN", "density 'NaN' is not a ratio B/s from 0.01 to 10000 and no file")]
    [InlineData("direct:4,density=8", "unexpected 'density=8' after degree 4")]
    [InlineData("taylor", "no degree given")]
    [InlineData("taylor:7", "degree '7' is not an even number from 2 to 256")]
    [InlineData("taylor:0", "degree '0' is not an even number from 2 to 256")]
    [InlineData("taylor:8,zero", "unexpected 'zero' after degree 8")]
    [InlineData("chebyshev:1000000", "degree '1000000' is not an even number from 2 to 256")]
    [InlineData("interpolation:8,density=8", "unexpected 'density=8' after degree 8")]
    [InlineData("lsq:8,unbiased=8", "unexpected 'unbiased=8' after degree 8")]
    [InlineData("hermite:8,density=a.json", "density 'a.json' is not a ratio B/s from 0.01 to 10000")]
    [InlineData("relu:1", "relu takes no argument, found ':1'")]
    [InlineData("relu:", "relu takes no argument, found ':'")]
    [InlineData("leaky", "no slope given")]
    [InlineData("leaky:", "no slope given")]
    [InlineData("leaky:NaN", "slope 'NaN' is not a number from 0 to below 1 in float32")]
    [InlineData("leaky:1", "slope '1' is not a number from 0 to below 1 in float32")]
    [InlineData("leaky:0.99999999", "slope '0.99999999' is not a number from 0 to below 1 in float32")] // 1 in float32.
    [InlineData("leaky:-0.1", "slope '-0.1' is not a number from 0 to below 1 in float32")]
    [InlineData("leaky:x", "slope 'x' is not a number from 0 to below 1 in float32")]
    [InlineData("leaky:0,1", "unexpected '1' after slope 0")]
    [InlineData("composite", "no degrees given")]
    [InlineData("composite:", "no degrees given")]
    [InlineData("composite:leak=0.1", "no degrees given")]
    [InlineData("composite:alpha=40", "alpha '40' is not a whole number from 4 to 14 (double certifies degrees with a product of at most 32768: a maximum error of about 2^-15)")]
    [InlineData("composite:alpha=3", "alpha '3' is not a whole number from 4 to 14 (double certifies degrees with a product of at most 32768: a maximum error of about 2^-15)")]
    [InlineData("composite:alpha=", "alpha '' is not a whole number from 4 to 14 (double certifies degrees with a product of at most 32768: a maximum error of about 2^-15)")]
    [InlineData("composite:alpha=9.5", "alpha '9.5' is not a whole number from 4 to 14 (double certifies degrees with a product of at most 32768: a maximum error of about 2^-15)")]
    [InlineData("composite:alpha=9x", "alpha '9x' is not a whole number from 4 to 14 (double certifies degrees with a product of at most 32768: a maximum error of about 2^-15)")]
    [InlineData("composite:alpha=9,7", "unexpected '7' after alpha=9")]
    [InlineData("composite:7,8", "degree '8' of stage 2 is not an odd number from 3 to 63")]
    [InlineData("composite:0", "degree '0' of stage 1 is not an odd number from 3 to 63")]
    [InlineData("composite:1,7", "degree '1' of stage 1 is not an odd number from 3 to 63")]
    [InlineData("composite:65", "degree '65' of stage 1 is not an odd number from 3 to 63")]
    [InlineData("composite:-7", "degree '-7' of stage 1 is not an odd number from 3 to 63")]
    [InlineData("composite:7,", "degree '' of stage 2 is not an odd number from 3 to 63")]
    [InlineData("composite:7,7;", "degree '7;' of stage 2 is not an odd number from 3 to 63")]
    [InlineData("composite:7, 7", "degree ' 7' of stage 2 is not an odd number from 3 to 63")]
    [InlineData("composite:7,alpha=9", "degree 'alpha=9' of stage 2 is not an odd number from 3 to 63")]
    [InlineData("composite:99999999999999", "degree '99999999999999' of stage 1 is not an odd number from 3 to 63")]
    [InlineData("composite:63,63,9", "the product of the degrees is above 32768")]
    [InlineData("composite:7,7,leak=NaN", "slope 'NaN' is not a number from 0 to below 1 in float32")]
    [InlineData("composite:7,7,leak=", "slope '' is not a number from 0 to below 1 in float32")]
    [InlineData("composite:7,7,leak=0.1,7", "unexpected '7' after leak=0.1")]
    [InlineData("composite:7,7,leak=0.1x", "slope '0.1x' is not a number from 0 to below 1 in float32")]
    [InlineData("direct", "no degree given")]
    [InlineData("direct:", "no degree given")]
    [InlineData("direct:0", "degree '0' is not an even number from 2 to 256")]
    [InlineData("direct:3", "degree '3' is not an even number from 2 to 256")]
    [InlineData("direct:258", "degree '258' is not an even number from 2 to 256")]
    [InlineData("direct:4x", "degree '4x' is not an even number from 2 to 256")]
    [InlineData("direct:4,6", "unexpected '6' after degree 4")]
    [InlineData("direct:4,leak=1.5", "slope '1.5' is not a number from 0 to below 1 in float32")]
    public void Bad_specs_are_refused_with_the_part_that_is_wrong(string text, string why)
        => Assert.Equal($"activation '{text}': {why}{Known}", Assert.Throws<BadInputException>(() => ActivationSpec.Parse(text)).Message);

    [Fact]
    public void Searched_degrees_are_named_by_their_goal_and_found_when_the_polynomial_is_built()
    {
        ActivationSpec depth = ActivationSpec.Parse("composite:alpha=5,min=depth,leak=0.1"), mults = ActivationSpec.Parse("composite:alpha=5,min=mults");
        Assert.Equal((5, CompositeGoal.Depth, "composite:alpha=5,min=depth,leak=0.1"), (depth.Alpha, depth.Goal, depth.ToString()));
        Assert.Equal((5, CompositeGoal.Multiplications, "composite:alpha=5,min=mults"), (mults.Alpha, mults.Goal, mults.ToString()));
        Assert.Empty(depth.Degrees);
        // A search that was ended leaves nothing behind.
        Assert.ThrowsAny<OperationCanceledException>(() => depth.Build(new(canceled: true)));
        Assert.Equal(new CompositeSearch().LeastDepth(5), depth.Build().Degrees);
        Assert.Same(depth.Build(), depth.Build(new(canceled: true)));
        Assert.Equal("composite:alpha=5,min=depth,leak=0.1", depth.Build().Spec);
        Assert.InRange(mults.Build().MaxError, 0, 1 / 32.0);
    }

    [Fact]
    public void A_files_polynomial_is_read_when_asked_for_and_its_path_may_hold_anything()
    {
        ActivationSpec missing = ActivationSpec.Parse("file:no such, leak=2:\\file");
        Assert.Equal((ActivationKind.File, "no such, leak=2:\\file", true), (missing.Kind, missing.Path, missing.IsPolynomial));
        Assert.Equal("file:no such, leak=2:\\file", missing.ToString());
        Assert.Equal("no such, leak=2:\\file: there is no such file", Assert.Throws<BadInputException>(() => missing.Build()).Message);

        string path = Path.GetTempFileName();
        try
        {
            PolynomialFile.Write(path, ReluPolynomial.Direct(4, 0.1));
            ActivationSpec spec = ActivationSpec.Parse($"file:{path}");
            Assert.Equal(0.1, spec.Leak);
            Assert.Equal([4], spec.Build().Degrees);
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void A_polynomial_is_generated_once_per_instance_and_carries_its_text()
    {
        ActivationSpec spec = ActivationSpec.Parse("composite:alpha=6,leak=0.1");
        Assert.Same(spec.Build(), spec.Build());
        Assert.Equal("composite:alpha=6,leak=0.1", spec.Build().Spec);
        Assert.NotSame(spec.Build(), ActivationSpec.Parse("composite:alpha=6,leak=0.1").Build());
    }

    [Theory]
    [InlineData("relu")]
    [InlineData("leaky:0.1")]
    public void Nothing_is_generated_for_what_is_no_polynomial(string text)
        => Assert.Equal(
            $"activation '{text}': not a polynomial, nothing to generate",
            Assert.Throws<BadInputException>(() => ActivationSpec.Parse(text).Build()).Message);
}
