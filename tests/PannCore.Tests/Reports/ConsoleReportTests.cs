using PannCore.Diagnostics;
using PannCore.Reports;
using Xunit;

namespace PannCore.Tests.Reports;

public class ConsoleReportTests
{
    [Fact]
    public void Worst_operations_come_first_by_what_they_inject()
    {
        RunRecord record = SampleRecord.Create();
        ReportTable table = ConsoleReport.WorstOperations(record, 19);

        // Rounding is a million times smaller in this record: the 19 activations lead, ordered by approximation over signal.
        Assert.Equal(
            record.Operations.Where(o => o.Op == "activation").OrderByDescending(o => o.Approximation.Rms / o.IdealRms).Select(o => o.Path),
            table.Rows.Select(r => r[0]));
        Assert.Equal(["operation", "injected", "bias", "total", "gain", "outside", "margin change"], table.Header);
        Assert.All(table.Rows, row => Assert.Equal(table.Header.Count, row.Count));
        Assert.Equal(70, ConsoleReport.WorstOperations(record, 1000).Rows.Count);
        Assert.Empty(ConsoleReport.WorstOperations(record, 0).Rows);
    }

    [Fact]
    public void Operations_that_are_not_finite_lead_in_order_of_execution()
    {
        RunRecord record = SampleRecord.Broken();
        Assert.Equal(
            record.Operations.Where(o => o.NonFinite > 0).Select(o => o.Path).Append("layer2.0.relu1"),
            ConsoleReport.WorstOperations(record, 44).Rows.Select(r => r[0]));
    }

    [Fact]
    public void Summary_starts_with_the_warnings()
    {
        IReadOnlyList<string> lines = ConsoleReport.Summary(SampleRecord.Broken());
        Assert.Equal("WARNING: 1 of 1,000 images end in logits that are not finite; they count as wrong.", lines[0]);
        Assert.StartsWith("composite:alpha=8 with one range", lines[4], StringComparison.Ordinal);
        Assert.StartsWith("composite:alpha=8 with one range", ConsoleReport.Summary(SampleRecord.Create())[0], StringComparison.Ordinal);
    }

    [Fact]
    public void Failed_checks_are_listed_and_passed_ones_are_not()
    {
        Assert.Equal(
            [["|arithmetic| within its rounding bound", "conv2d at layer2.1.conv1, element 17: 0.4 of at most 0.1"], ["identity", "largest residual 0.5 of the largest term"]],
            ConsoleReport.FailedChecks(SampleRecord.Broken()).Rows);
        Assert.Empty(ConsoleReport.FailedChecks(SampleRecord.Create()).Rows);
    }

    [Fact]
    public void Flips_are_told_by_class()
    {
        ReportTable table = ConsoleReport.Flips(SampleRecord.Create());
        Assert.Equal(SampleRecord.ClassNames, table.Rows.Select(r => r[0]));
        Assert.Equal(["frog", "21", "116"], table.Rows[6]);
    }

    [Fact]
    public void Text_from_files_cannot_steer_the_terminal()
    {
        RunRecord record = SampleRecord.Create();
        RunRecord hostile = record with
        {
            Model = "\u001b[2Jm\nodel",
            Operations = [record.Operations[2] with { Path = "\u001b]0;title\u0007", Op = "a\r\nb" }],
            ClassNames = ["\u009b31m"],
            Checks = [new CheckRecord("\u001b[31m", false, "\u202Ex")],
        };
        IEnumerable<string> all = ConsoleReport.Summary(hostile)
            .Concat(new[] { ConsoleReport.WorstOperations(hostile, 5), ConsoleReport.Flips(hostile), ConsoleReport.FailedChecks(hostile) }.SelectMany(t => t.Rows.SelectMany(r => r)));
        Assert.All(all, text => Assert.DoesNotContain(text, c => char.IsControl(c) || c == '\u202E'));
    }

    [Fact]
    public void An_empty_record_gives_empty_tables()
    {
        Assert.Empty(ConsoleReport.WorstOperations(SampleRecord.Empty(), 10).Rows);
        Assert.Empty(ConsoleReport.Flips(SampleRecord.Empty()).Rows);
        Assert.Equal(["No operation was recorded.", "No prediction changed."], ConsoleReport.Summary(SampleRecord.Empty()).Skip(1));
    }
}
