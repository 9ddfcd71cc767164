using System.CommandLine;
using PannCore.Diagnostics;
using PannCore.Reports;

namespace PannCore.Cli;

/// <summary>The verb <c>pann compare</c>: which operations account for the difference between two inspections.</summary>
internal static class CompareCommand
{
    private const int Operations = 12;

    public static Command Create()
    {
        Argument<string> first = new("A") { Description = "What pann inspect --json wrote." }, second = new("B") { Description = "The same of another activation, other ranges, or a repaired network: same images, same operations." };
        Option<int> rows = CommonOptions.AtLeast(new Option<int>("--operations") { HelpName = "N", Description = "Operations to show; --json has them all.", DefaultValueFactory = _ => Operations }, 0);
        Option<string?> json = CommonOptions.Json();
        var command = new Command("compare", "Which operations account for the difference between two inspections.\n\nExample: pann inspect --ranges global --json global.json\nExample: pann inspect --ranges layer --json layer.json\nExample: pann compare global.json layer.json")
        {
            first, second, rows, json,
        };
        command.SetAction(parsed =>
        {
            string a = parsed.GetValue(first)!, b = parsed.GetValue(second)!;
            CommonOptions.CheckWritable(parsed, parsed.GetValue(json));
            RunRecord recordA = RunRecordJson.ReadFile(a), recordB = RunRecordJson.ReadFile(b);
            RecordComparison comparison = RecordComparison.Of(recordA, recordB);
            foreach (string line in ComparisonReport.Summary(comparison)) Console.WriteLine(line);
            Terminal.Write(ComparisonReport.Operations(comparison, parsed.GetValue(rows)));
            Terminal.Write(ComparisonReport.Flips(comparison, recordA.ClassNames));
            CommonOptions.WriteJson(parsed.GetValue(json), comparison);
            return 0;
        });
        return command;
    }
}
