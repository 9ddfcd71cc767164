using PannCore.Diagnostics;
using PannCore.Ops;
using PannCore.Reports;
using Xunit;

namespace PannCore.Tests.Reports;

public sealed class PerturbationReportTests
{
    private const int Images = 1000;

    [Fact]
    public void Names_are_those_of_the_command_line()
    {
        Assert.Equal(["plus", "minus", "uniform", "own", "own-reversed", "own-random-sign"], Enum.GetValues<PerturbationForm>().Select(PerturbationReport.Name));
        Assert.Equal(["negative", "positive", "both"], Enum.GetValues<PerturbedSide>().Select(PerturbationReport.Name));
        Assert.Equal(["absolute", "rms", "energy"], Enum.GetValues<PerturbationUnit>().Select(PerturbationReport.Name));
    }

    [Fact]
    public void A_side_that_costs_more_now_and_then_is_not_called_the_more_sensitive_one()
        => Assert.Equal(
            [
                "Without a perturbation: 90.00 % of 1000 images right.",
                "Most harmful is uniform on positive inputs at size 0.2: 70.00 % (-20.00 points), least uniform on negative inputs at size 0.2: 90.10 % (+0.10 points).",
                "Neither side is the more sensitive one as such, it depends on what is added: at the same form and size, negative inputs cost clearly more in 1 (plus 0.05), positive inputs in 1 (uniform 0.2), and 1 of 3 comparisons lie within two standard errors.",
            ],
            PerturbationReport.Summary(Result(
                (PerturbedSide.Negative, PerturbationForm.Plus, 0.05, 800), (PerturbedSide.Positive, PerturbationForm.Plus, 0.05, 880),
                (PerturbedSide.Negative, PerturbationForm.Uniform, 0.2, 901), (PerturbedSide.Positive, PerturbationForm.Uniform, 0.2, 700),
                (PerturbedSide.Negative, PerturbationForm.Minus, 0.05, 800), (PerturbedSide.Positive, PerturbationForm.Minus, 0.05, 801))));

    [Theory]
    [InlineData(800, 700, "Positive inputs are the more sensitive side here: at the same form and size, negative inputs cost clearly more in 0, positive inputs in 1 (plus 1), and 0 of 1 comparisons lie within two standard errors.")]
    [InlineData(700, 800, "Negative inputs are the more sensitive side here: at the same form and size, negative inputs cost clearly more in 1 (plus 1), positive inputs in 0, and 0 of 1 comparisons lie within two standard errors.")]
    [InlineData(800, 800, "Neither side clearly costs more: at the same form and size, negative inputs cost clearly more in 0, positive inputs in 0, and 1 of 1 comparisons lie within two standard errors.")]
    public void The_verdict_follows_the_figures(int negative, int positive, string verdict)
        => Assert.Contains(verdict, PerturbationReport.Summary(Result((PerturbedSide.Negative, PerturbationForm.Plus, 1, negative), (PerturbedSide.Positive, PerturbationForm.Plus, 1, positive))));

    [Theory]
    [InlineData(800, 880, "The polynomial's own error costs 10.00 points on all inputs at size 1, and 2.00 with its sign tossed: most of that damage is bias.")]
    [InlineData(800, 840, "The polynomial's own error costs 10.00 points on all inputs at size 1, and 6.00 with its sign tossed: most of that damage is not bias.")]
    public void Bias_is_told_from_the_rest(int own, int tossed, string verdict)
        => Assert.Equal(verdict, PerturbationReport.Summary(Result((PerturbedSide.Both, PerturbationForm.Own, 1, own), (PerturbedSide.Both, PerturbationForm.OwnRandomSign, 1, tossed)))[^1]);

    [Fact]
    public void The_table_has_a_row_for_each_form_and_size_and_a_column_for_each_side()
    {
        ReportTable table = PerturbationReport.Accuracies(Result(
            (PerturbedSide.Negative, PerturbationForm.Plus, 0.05, 800), (PerturbedSide.Positive, PerturbationForm.Plus, 0.05, 880), (PerturbedSide.Both, PerturbationForm.Own, 1, 812)));
        Assert.Equal(["form", "size", "negative", "positive", "both", "costs more"], table.Header);
        Assert.Equal([["plus", "0.05", "80.00", "88.00", "", "negative"], ["own", "1", "", "", "81.20", ""]], table.Rows);
    }

    /// <summary>900 images are right unperturbed; with each perturbation the first so many.</summary>
    private static PerturbationResult Result(params (PerturbedSide Side, PerturbationForm Form, double Size, int Right)[] outcomes)
    {
        static PerturbationOutcome Outcome(PerturbationTrial trial, int right) => new(trial, new int[Images], [.. Enumerable.Range(0, Images).Select(n => n < right)]);
        return new(Outcome(new(PerturbedSide.Both, PerturbationForm.Plus, 0), 900), [.. outcomes.Select(o => Outcome(new(o.Side, o.Form, o.Size), o.Right))]);
    }
}
