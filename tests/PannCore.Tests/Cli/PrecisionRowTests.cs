using PannCore.Cli;
using PannCore.Experiments;
using Xunit;

namespace PannCore.Tests.Cli;

public sealed class PrecisionRowTests
{
    /// <summary>10,000 images, 9,200 of them right with ReLU: 91.5 % is within 0.5 points, 87 % within 5.</summary>
    [Fact]
    public void Needs_are_worked_out_from_the_cells_of_their_own_kind()
    {
        PrecisionRow row = Row(
            Cell("global", "plain", 4, 1_000), Cell("global", "plain", 5, 8_600, lost: 700), Cell("global", "plain", 6, 9_000, lost: 250), Cell("global", "plain", 7, 9_190, lost: 40), Cell("global", "plain", 8, 9_200, lost: 0),
            Cell("layer", "plain", 4, 9_160), Cell("layer", "plain", 5, 9_200),
            Cell("global", "refit", 4, 8_000), Cell("global", "refit", 5, 8_700));
        Needed[] needs = [.. row.Needed];
        Assert.Equal([("global", "plain"), ("layer", "plain"), ("global", "refit")], needs.Select(need => (need.Ranges, need.Control)));
        // 90 at alpha 6, 91.9 at 7: 91.5 at 6 + 1.5 / 1.9. 86 at 5, 90 at 6: 87 at 5 + 1 / 4.
        Assert.Equal(6 + (1.5 / 1.9), needs[0].Half!.Value, 1e-12);
        Assert.Equal(5.25, needs[0].Five!.Value, 1e-12);
        Assert.Equal((4, 8), (needs[0].From, needs[0].To));
        // Lost and won at 6: 250 and 50, at 7: 40 and 30; 1.96 times the root of (b + c - (b - c)^2 / n), in hundredths of a point.
        double six = 1.959963984540054 * Math.Sqrt(300 - 4) / 100, seven = 1.959963984540054 * Math.Sqrt(70 - 0.01) / 100;
        Assert.Equal(6 + ((1.5 - six) / (1.9 + seven - six)), needs[0].HalfInterval!.Low!.Value, 1e-9);
        Assert.Equal(6 + ((1.5 + six) / (1.9 - seven + six)), needs[0].HalfInterval!.High!.Value, 1e-9);
        Assert.Equal("6.79 (6.67 to 6.89)", needs[0].HalfText);
        Assert.Equal("5.25", needs[0].FiveText);
        Assert.Equal(("<= 4", "<= 4"), (needs[1].HalfText, needs[1].FiveText));
        Assert.Null(needs[1].HalfInterval); // What is lost is not known.
        Assert.Equal(("> 5", "5.00"), (needs[2].HalfText, needs[2].FiveText));
    }

    [Fact]
    public void Answers_lost_that_do_not_make_the_right_ones_are_unknown_and_to_be_counted_again()
    {
        PrecisionCell near = Cell("global", "plain", 7, 9_190, lost: 40), wrong = Cell("global", "plain", 6, 9_000, lost: 150), far = Cell("global", "plain", 4, 1_000);
        PrecisionRow row = Row(far, Cell("global", "plain", 5, 8_600), wrong, near);
        Assert.Null(row.Needed.Single().HalfInterval);
        Assert.Equal([false, false, true], new[] { far, wrong, near }.Select(row.IsComplete)); // What is unknown near hides whether what is unknown far away matters.
        row = row.With(wrong with { Lost = 250 }).With(Cell("global", "plain", 5, 8_600, lost: 700));
        Assert.NotNull(row.Needed.Single().HalfInterval);
        Assert.All(row.Cells, cell => Assert.True(row.IsComplete(cell)));
    }

    [Fact]
    public void A_cell_takes_the_place_of_the_same_one_of_before_and_all_are_in_order()
    {
        PrecisionRow row = Row().With(Cell("layer", "plain", 4, 1)).With(Cell("global", "refit", 4, 2)).With(Cell("global", "plain", 5, 3)).With(Cell("global", "plain", 4, 4)).With(Cell("global", "refit", 4, 5));
        Assert.Equal([("global", "plain", 4, 4), ("global", "plain", 5, 3), ("global", "refit", 4, 5), ("layer", "plain", 4, 1)], row.Cells.Select(cell => (cell.Ranges, cell.Control, cell.Alpha, cell.Correct)));
    }

    private static PrecisionRow Row(params PrecisionCell[] cells) => new("a-resnet20-3-1", "a", 1, "", "", 10_000, 9_200, "", null, [], cells);

    private static PrecisionCell Cell(string ranges, string control, int alpha, int correct, int? lost = null) => new(ranges, control, alpha, correct, 0, 0, "") { Lost = lost };
}
