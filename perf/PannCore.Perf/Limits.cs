using System.Diagnostics;
using System.Globalization;
using PannCore.Kernels;

namespace PannCore.Perf;

/// <summary>
/// <c>limits</c>: one table of all kernels in half a minute. Runs of a kernel alternate with runs of the multiply-add peak, so that a clock that drifts moves both;
/// the memory's bandwidth is measured before and after each kernel. Percentages are of the least time that these two allow.
/// </summary>
internal static class Limits
{
    private const double LeastSample = 1e-3;
    private const int LeastSamples = 15;
    private static readonly TimeSpan PerCase = TimeSpan.FromSeconds(0.35);

    private static (string Name, IEnumerable<Case> Cases)[] Groups =>
        [("convolution", ConvolutionCases.All), ("operation", OperationCases.All), ("polynomial", PolynomialCases.All), ("network", NetworkCases.All), ("instrument", InstrumentCases.All)];

    /// <param name="words">Which works, by words of their names; by default all convolutions. <c>warm</c> is no name but <see cref="Operation.Warm"/>.</param>
    public static int Run(string[] words)
    {
        Operation.Warm = words.Contains("warm");
        words = [.. words.Where(word => word != "warm")];
        Case[] cases = [.. Groups.SelectMany(group => group.Cases.Select(c => (Text: $"{group.Name} {c.Name}", Case: c)))
            .Where(c => words.Length == 0 ? c.Text.StartsWith("convolution", StringComparison.Ordinal) : words.All(word => c.Text.Contains(word, StringComparison.OrdinalIgnoreCase)))
            .Select(c => c.Case)];
        if (cases.Length == 0)
        {
            Console.Error.WriteLine($"error: limits: no work has {string.Join(" and ", words)} in its name; groups: {string.Join(", ", Groups.Select(g => g.Name))}");
            return 1;
        }
        var machine = new Machine();
        Limit before = Whole(machine);
        Print($"{Environment.ProcessorCount} threads, {OuterProduct.VectorBits}-bit vectors, operands {(Operation.Warm ? "in the cache as far as they fit" : "from memory")}; % of the least time that peak and bandwidth allow, by medians and by the fastest tenths of kernel and peak");
        int width = cases.Max(c => c.Name.Length);
        Print($"{"kernel".PadRight(width)}{"ms",9}{"GFLOP/s",9}{"GB/s",7}{"items/s",9}{"%",7}{"% best",8}  {"limit",-6}{"peak",7}{"GB/s",6}");
        foreach (Case work in cases) Print(Measure(work, machine).Text(width));
        Limit after = Whole(machine);
        Print($"peak {before.Gflops:F0} GFLOP/s before, {after.Gflops:F0} after; bandwidth {before.GBs:F1} GB/s before, {after.GBs:F1} after");
        return 0;
    }

    private static Limit Whole(Machine machine)
    {
        using var workers = new Workers(Environment.ProcessorCount);
        return machine.Measure(workers);
    }

    private static Row Measure(Case work, Machine machine)
    {
        using PreparedCase prepared = work.Prepare();
        double bandwidth = machine.GBs(prepared.Workers, 2);
        prepared.Run();
        int repetitions = (int)Math.Clamp(Math.Ceiling(LeastSample / Seconds(prepared, 1)), 1, 10_000);
        var samples = new List<(double Seconds, double Gflops)>();
        double peak = Machine.Gflops(prepared.Workers, 1);
        for (long start = Stopwatch.GetTimestamp(); samples.Count < LeastSamples || Stopwatch.GetElapsedTime(start) < PerCase;)
        {
            double seconds = Seconds(prepared, repetitions), next = Machine.Gflops(prepared.Workers, 1);
            samples.Add((seconds, (peak + next) / 2));
            peak = next;
        }
        bandwidth = Math.Max(bandwidth, machine.GBs(prepared.Workers, 2));
        double share = Quantile(samples.Select(s => new Limit(s.Gflops, bandwidth).Seconds(work.Cost) / s.Seconds), 0.5);
        var best = new Limit(Quantile(samples.Select(s => s.Gflops), 0.9), bandwidth);
        return new(work, Quantile(samples.Select(s => s.Seconds), 0.5), share, best.Seconds(work.Cost) / Quantile(samples.Select(s => s.Seconds), 0.1), new(Quantile(samples.Select(s => s.Gflops), 0.5), bandwidth));
    }

    private static double Seconds(PreparedCase work, int repetitions)
    {
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < repetitions; i++) work.Run();
        return Stopwatch.GetElapsedTime(start).TotalSeconds / repetitions;
    }

    private static double Quantile(IEnumerable<double> values, double q)
    {
        double[] sorted = [.. values.Order()];
        return sorted[(int)Math.Round(q * (sorted.Length - 1))];
    }

    private static void Print(FormattableString text) => Print(FormattableString.Invariant(text));

    private static void Print(string line) => Console.WriteLine(line);

    private sealed record Row(Case Work, double Seconds, double Share, double BestShare, Limit Limit)
    {
        public string Text(int width)
        {
            Cost cost = Work.Cost;
            bool limited = cost.Flops > 0 || cost.Bytes > 0;
            string Rate(double amount, string format) => amount == 0 ? "" : (amount / Seconds / 1e9).ToString(format, CultureInfo.InvariantCulture);
            string Percent(double share) => limited ? (100 * share).ToString("F1", CultureInfo.InvariantCulture) : "";
            return FormattableString.Invariant(
                $"{Work.Name.PadRight(width)}{1000 * Seconds,9:F3}{Rate(cost.Flops, "F0"),9}{Rate(cost.Bytes, "F1"),7}{Cost.Metric(cost.Items / Seconds),9}{Percent(Share),7}{Percent(BestShare),8}  {(!limited ? "" : Limit.IsMemory(cost) ? "memory" : "FMA"),-6}{Limit.Gflops,7:F0}{Limit.GBs,6:F1}");
        }
    }
}
