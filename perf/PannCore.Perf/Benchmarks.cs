using BenchmarkDotNet.Attributes;

namespace PannCore.Perf;

/// <summary>A group of works, each checked before it is timed, with the machine's limits measured before and after it.</summary>
[Config(typeof(ShortConfig))]
public abstract class Benchmarks(IEnumerable<Case> cases)
{
    private static readonly Dictionary<string, Limit> Measured = [];
    private Machine? _machine;
    private PreparedCase? _prepared;

    [ParamsSource(nameof(Cases))]
    public Case Work { get; set; } = null!;

    public IEnumerable<Case> Cases { get; } = cases;

    /// <summary>The better of the two measurements around a case.</summary>
    internal static Limit LimitOf(Case work) => Measured.GetValueOrDefault(work.Name);

    [GlobalSetup]
    public void Setup()
    {
        _machine = new();
        _prepared = Work.Prepare();
        Measured[Work.Name] = _machine.Measure(_prepared.Workers);
    }

    [Benchmark]
    public void Run() => _prepared!.Run();

    [GlobalCleanup]
    public void Cleanup()
    {
        Limit before = Measured[Work.Name], after = _machine!.Measure(_prepared!.Workers);
        Measured[Work.Name] = new(Math.Max(before.Gflops, after.Gflops), Math.Max(before.GBs, after.GBs));
        _prepared.Dispose();
    }
}

public class Convolutions() : Benchmarks(ConvolutionCases.All);

public class Operations() : Benchmarks(OperationCases.All);

public class Polynomials() : Benchmarks(PolynomialCases.All);

public class Approximations() : Benchmarks(ApproximationCases.All);

public class Networks() : Benchmarks(NetworkCases.All);

public class Instruments() : Benchmarks(InstrumentCases.All);
