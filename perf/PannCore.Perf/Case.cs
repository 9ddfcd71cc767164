using PannCore.Kernels;

namespace PannCore.Perf;

/// <summary>What a work must do however it is done.</summary>
/// <param name="Flops">Operations; a multiply-add counts as two. 0 where they are not counted.</param>
/// <param name="Bytes">Bytes that must be read or written if nothing is in a cache. 0 where all of it is.</param>
/// <param name="Items">Elements or images.</param>
public readonly record struct Cost(double Flops = 0, double Bytes = 0, double Items = 0)
{
    /// <summary>A rate in three digits and a metric prefix, for instance <c>4.21 G</c>; empty for none.</summary>
    public static string Metric(double rate)
    {
        if (rate == 0) return "";
        int thousands = rate < 1000 ? 0 : Math.Min(3, (int)Math.Floor(Math.Log10(rate) / 3));
        return FormattableString.Invariant($"{rate / Math.Pow(1000, thousands):G3} {" kMG"[thousands]}");
    }
}

/// <summary>A work to be timed.</summary>
/// <param name="Name">Unique.</param>
/// <param name="Cost">What it must do.</param>
/// <param name="Prepare">Takes memory, compares results with a naive computation and throws where they differ, and returns what is to be timed.</param>
public sealed record Case(string Name, Cost Cost, Func<PreparedCase> Prepare)
{
    public override string ToString() => Name;
}

/// <summary>A work ready to be timed, the threads it runs on, and the memory it holds.</summary>
public sealed class PreparedCase : IDisposable
{
    private readonly Action _run;
    private readonly IDisposable[] _memory;

    internal PreparedCase(Workers workers, Action run, params IDisposable[] memory) => (Workers, _run, _memory) = (workers, run, memory);

    internal Workers Workers { get; }

    public void Run() => _run();

    public void Dispose()
    {
        foreach (IDisposable part in _memory) part.Dispose();
    }
}
