using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using Perfolizer.Horology;

namespace PannCore.Perf;

/// <summary>
/// A few short iterations in this process, where the limits measured beside a case can be read by its columns. Works take a millisecond and are compiled
/// at full speed at once, so that a process of their own would change nothing.
/// </summary>
internal sealed class ShortConfig : ManualConfig
{
    public ShortConfig()
    {
        AddJob(Job.Default.WithToolchain(InProcessEmitToolchain.Instance).WithWarmupCount(2).WithIterationCount(8).WithIterationTime(TimeInterval.FromMilliseconds(150)).AsDefault());
        SummaryStyle = SummaryStyle.Default.WithMaxParameterColumnWidth(60);
        HideColumns(Column.Method, Column.Error);
        AddColumn(
            new LimitColumn("GFLOP/s", "effective: the operations of direct sums", (cost, seconds, _) => cost.Flops / seconds / 1e9),
            new LimitColumn("GB/s", "bytes that must be read or written", (cost, seconds, _) => cost.Bytes / seconds / 1e9),
            new LimitColumn("items/s", "elements or images a second", (cost, seconds, _) => cost.Items / seconds),
            new LimitColumn("% of limit", "of the least time that multiply-add peak and bandwidth allow", (cost, seconds, limit) => 100 * limit.Seconds(cost) / seconds),
            new LimitColumn("peak", "multiply-add peak beside this case, GFLOP/s", (_, _, limit) => limit.Gflops),
            new LimitColumn("bandwidth", "of the memory beside this case, GB/s", (_, _, limit) => limit.GBs));
    }

    /// <summary>A figure made of a case's cost, its mean seconds and the machine's limits; empty where it is 0.</summary>
    private sealed class LimitColumn(string name, string legend, Func<Cost, double, Limit, double> figure) : IColumn
    {
        public string Id => name;

        public string ColumnName => name;

        public string Legend => legend;

        public bool AlwaysShow => true;

        public ColumnCategory Category => ColumnCategory.Custom;

        public int PriorityInCategory => 0;

        public bool IsNumeric => true;

        public UnitType UnitType => UnitType.Dimensionless;

        public bool IsAvailable(Summary summary) => summary.BenchmarksCases.Any(benchmark => benchmark.Parameters["Work"] is Case work && figure(work.Cost, 1, new(1, 1)) > 0);

        public bool IsDefault(Summary summary, BenchmarkCase benchmarkCase) => false;

        public string GetValue(Summary summary, BenchmarkCase benchmarkCase) => GetValue(summary, benchmarkCase, summary.Style);

        public string GetValue(Summary summary, BenchmarkCase benchmarkCase, SummaryStyle style)
        {
            if (summary[benchmarkCase]?.ResultStatistics is not { } statistics || benchmarkCase.Parameters["Work"] is not Case work) return "-";
            return Cost.Metric(figure(work.Cost, statistics.Mean / 1e9, Benchmarks.LimitOf(work))).TrimEnd();
        }
    }
}
