using System.Diagnostics;
using PannCore.Engine;
using PannCore.Kernels;

namespace PannCore.Perf;

/// <summary>What the machine can do at most, measured: 10^9 operations (a multiply-add counts as two) and 10^9 bytes a second.</summary>
internal readonly record struct Limit(double Gflops, double GBs)
{
    /// <summary>The least time this much work can take: all operations at the multiply-add peak, or all bytes at the memory's bandwidth, whichever is longer.</summary>
    public double Seconds(Cost cost) => Math.Max(cost.Flops / Gflops, cost.Bytes / GBs) / 1e9;

    public bool IsMemory(Cost cost) => cost.Bytes / GBs > cost.Flops / Gflops;
}

/// <summary>The measurements of <see cref="Limit"/>, on the threads of the work they stand beside: those of another pool would spin on its cores for a while.</summary>
internal sealed class Machine
{
    private readonly MemoryBandwidth _memory = new();

    public static double Gflops(Workers workers, int trials) => FmaPeak.Measure(workers, Stopwatch.GetTimestamp, Seconds, trials);

    public double GBs(Workers workers, int trials) => _memory.Measure(workers, Stopwatch.GetTimestamp, Seconds, trials);

    public Limit Measure(Workers workers) => new(Gflops(workers, 8), GBs(workers, 4));

    public static Workspace Workspace(ConvAlgorithm convolution = ConvAlgorithm.Automatic) => new(Environment.ProcessorCount, convolution);

    private static double Seconds(long ticks) => Stopwatch.GetElapsedTime(0, ticks).TotalSeconds;
}
