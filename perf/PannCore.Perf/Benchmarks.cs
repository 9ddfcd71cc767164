using BenchmarkDotNet.Attributes;

namespace PannCore.Perf;

/// <summary>A group of works, each checked before it is timed, with the machine's limits measured before and after it.</summary>
[Config(typeof(ShortConfig))]
public abstract class Benchmarks
{
    private static readonly Dictionary<Case, Limit> Measured = [];
    private readonly Machine _machine = new();
    private PreparedCase? _prepared;

    [ParamsSource(nameof(Cases))]
    public Case Work { get; set; } = null!;

    public abstract IEnumerable<Case> Cases { get; }

    internal static IEnumerable<(string Name, IEnumerable<Case> Cases)> Groups =>
    [
        ("convolution", ConvolutionCases.All), ("operation", OperationCases.All), ("polynomial", PolynomialCases.All), ("network", NetworkCases.All),
    ];

    /// <summary>The better of the two measurements around a case.</summary>
    internal static Limit LimitOf(Case work) => Measured.GetValueOrDefault(work);

    [GlobalSetup]
    public void Setup()
    {
        Measured[Work] = _machine.Measure();
        _prepared = Work.Prepare();
    }

    [Benchmark]
    public void Run() => _prepared!.Run();

    [GlobalCleanup]
    public void Cleanup()
    {
        _prepared!.Dispose();
        Limit before = Measured[Work], after = _machine.Measure();
        Measured[Work] = new(Math.Max(before.Gflops, after.Gflops), Math.Max(before.GBs, after.GBs));
        _machine.Dispose();
    }
}

public class Convolutions : Benchmarks
{
    public override IEnumerable<Case> Cases => ConvolutionCases.All;
}

public class Operations : Benchmarks
{
    public override IEnumerable<Case> Cases => OperationCases.All;
}

public class Polynomials : Benchmarks
{
    public override IEnumerable<Case> Cases => PolynomialCases.All;
}

public class Networks : Benchmarks
{
    public override IEnumerable<Case> Cases => NetworkCases.All;
}
