using PannCore.Approximation;
using PannCore.Reports;
using PannCore.Tests.Approximation;
using Xunit;

namespace PannCore.Tests.Reports;

public class FrontierReportTests
{
    private static readonly Frontier Sample = FrontierTests.Make(
        ("direct:254", 8, 28, 0.0625, -0.0001, 0.03125), ("composite:7,15", 8, 14, 0.125, -0.0078125, 0.015625), ("composite:3,5,5,5", 12, 12, 0.25, 0.5, 0.5));

    [Fact]
    public void Rows_tell_error_and_price_and_mark_the_Pareto_sets()
    {
        ReportTable table = FrontierReport.Rows(Sample);
        Assert.Equal(["activation", "degrees", "maximum", "r(0)", "mean", "RMS", "levels", "depth", "mult.", "scalar", "best"], table.Header);
        Assert.Equal(["direct:254", "7", "2^-4", "2^-4", "-2^-13.29", "2^-5", "8 (7)", "7", "28", "5", "lm"], table.Rows[0]);
        Assert.Equal(["composite:7,15", "7", "2^-3", "0", "-2^-7", "2^-6", "8 (7)", "7", "14", "5", "LMm"], table.Rows[1]);
        Assert.Equal(["composite:3,5,5,5", "7", "2^-2", "0", "2^-1", "2^-1", "12 (11)", "11", "12", "5", "Mm"], table.Rows[2]);
        Assert.Contains("inputs N(0, B/16)", table.Title, StringComparison.Ordinal);
    }

    [Fact]
    public void Densities_are_all_there()
    {
        ReportTable table = FrontierReport.Densities(Sample);
        Assert.Equal(["activation", "mean N(0, B/8)", "RMS", "mean N(0, B/16)", "RMS"], table.Header);
        Assert.Equal(["composite:7,15", "2^3.17", "2^3.17", "-2^-7", "2^-6"], table.Rows[1]);
    }

    [Fact]
    public void A_budget_is_answered_by_the_density_and_the_maximum_is_told_apart()
    {
        Assert.Empty(FrontierReport.Recommendation(Sample, null, null));
        Assert.Equal(["Nothing here costs at most 3 levels and 1 multiplication."], FrontierReport.Recommendation(Sample, 3, 1));
        Assert.Equal(
            [
                "At most 8 levels, inputs N(0, B/16): take composite:7,15, the least RMS error (bias included): 8 levels, 14 multiplications; RMS 2^-6, mean -2^-7, maximum 2^-3.",
                "By the maximum alone it would be direct:254: 8 levels, 28 multiplications; RMS 2^-5, mean -2^-13.29, maximum 2^-4.",
            ],
            FrontierReport.Recommendation(Sample, 8, null));
        Assert.Equal(
            [
                "At most 12 multiplications, inputs N(0, B/16): take composite:3,5,5,5, the least RMS error (bias included): 12 levels, 12 multiplications; RMS 2^-1, mean 2^-1, maximum 2^-2.",
            ],
            FrontierReport.Recommendation(Sample, null, 12));
    }

    [Fact]
    public void What_the_shift_could_take_out_is_told()
    {
        Frontier frontier = FrontierTests.Make(("direct:8", 4, 3, 0.5, 0, 0.25), ("composite:3", 4, 4, 0.5, -0.375, 0.4));
        // sqrt(0.4^2 - 0.375^2) = 0.1392 = 2^-2.84
        Assert.Equal(
            "If the mean error is folded into the shift that follows, composite:3: 4 levels, 4 multiplications; RMS 2^-1.32, mean -2^-1.42, maximum 2^-1, spread 2^-2.84.",
            FrontierReport.Recommendation(frontier, 4, null)[1]);
    }
}
