using System.Text.Json;
using PannCore.Cli;
using PannCore.Engine;
using PannCore.Ops;
using PannCore.Tests.Checkpoints;
using Xunit;

namespace PannCore.Tests.Cli;

/// <summary><c>pann bench</c>: no figure of a machine can be expected, but figures that belong together must fit each other.</summary>
public sealed class BenchTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Bench_says_and_writes_figures_that_fit_each_other()
    {
        Outcome outcome = PannProcess.Run(_folder.Root, "bench", "--threads", "2", "--runs", "1", "--json", "bench.json");
        Assert.Equal((0, ""), (outcome.Code, outcome.Error));
        using var document = JsonDocument.Parse(File.ReadAllBytes(_folder.At("bench.json")));
        JsonElement root = document.RootElement;
        double Number(string name) => root.GetProperty(name).GetDouble();
        Assert.All(
            ["fmaPeakGflops", "memoryBandwidthGBs", "trainStepMs", "trainImagesPerSecond", "dataLoadMs", "dataLoadPercent", "dataLoadMixupMs", "allocatedBytesPerStep", "evalImagesPerSecond"],
            name => Assert.True(Number(name) is > 0 and < 1e12, $"{name}: {Number(name)}"));
        Assert.Equal(128_000 / Number("trainStepMs"), Number("trainImagesPerSecond"), 1e-6);
        Assert.Equal(100 * Number("dataLoadMs") / Number("trainStepMs"), Number("dataLoadPercent"), 1e-6);
        Assert.True(Number("dataLoadMs") < Number("trainStepMs"));
        JsonElement pann = root.GetProperty("pannEvalImagesPerSecond");
        Assert.Equal(["direct:4", "composite:alpha=8", "composite:7,7,27", "composite:alpha=12"], pann.EnumerateObject().Select(p => p.Name));
        JsonElement pannFloat64 = root.GetProperty("pannFloat64EvalImagesPerSecond");
        Assert.Equal(["composite:7,7,27"], pannFloat64.EnumerateObject().Select(p => p.Name));
        Assert.All(pann.EnumerateObject().Concat(pannFloat64.EnumerateObject()), rate => Assert.True(rate.Value.GetDouble() > 0));

        Assert.Equal(("winograd4", "automatic"), (root.GetProperty("trainConvolution").GetString(), root.GetProperty("evalConvolution").GetString()));
        Assert.Matches("^2 threads, [0-9]+-bit vectors, multiply-add peak [0-9]+ GFLOP/s, memory bandwidth [0-9]+ GB/s\n", outcome.Out);
        Assert.Contains(FormattableString.Invariant($"\ntraining step, batch 128, winograd4: {Number("trainStepMs"):F1} ms, {Number("trainImagesPerSecond"):F0} images/s; "), outcome.Out, StringComparison.Ordinal);
        Assert.Contains(FormattableString.Invariant($"\n  PANN composite:7,7,27, polynomial in float64: {pannFloat64.GetProperty("composite:7,7,27").GetDouble():F0} images/s\n"), outcome.Out, StringComparison.Ordinal);
        Assert.Contains(FormattableString.Invariant($"\n  PANN composite:7,7,27: {pann.GetProperty("composite:7,7,27").GetDouble():F0} images/s\n"), outcome.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void No_runs_are_wrong_usage()
        => Assert.Equal(new Outcome(2, "", "error: --runs: expected at least 1, found 0\nsee: pann bench --help\n"), PannProcess.Run(_folder.Root, "bench", "--runs", "0"));

    /// <summary>Multiply-adds by the shapes of He et al. 2015, section 4.2: a stage-1 layer has 32 x 32 x 9 x 16 x 16, and so has every later one but those of stride 2, which have half.</summary>
    [Theory]
    [InlineData(20)]
    [InlineData(110)]
    public void Operations_are_those_of_the_layers(int depth)
    {
        const long stem = 32 * 32 * 9 * 3 * 16, layer = 32 * 32 * 9 * 16 * 16;
        Assert.Equal(2 * (stem + (((depth - 2) * layer) - layer)), new BenchNetwork(depth, 16).ForwardFlops);
    }

    [Theory]
    [InlineData("direct:4", PolynomialArithmetic.Float32)]
    [InlineData("composite:7,7,27", PolynomialArithmetic.Float64)]
    public void Values_stay_in_the_range_of_the_polynomials(string spec, PolynomialArithmetic arithmetic)
    {
        // Outside it a composite polynomial grows like its largest power, and the network would be timed on infinities.
        var network = new BenchNetwork(20, 32);
        using var workspace = new Workspace(1);
        using var run = new Run(workspace);
        float[] logits = network.Pann(spec, arithmetic).Call(network.Images(run, 32)).Values.ToArray();
        Assert.All(logits, logit => Assert.InRange(logit, -1e3f, 1e3f));
    }

    /// <summary>Ten seconds for one unit: 5 units in 50 s are linear, in 55 s 10 % above, in 40 s 20 % below; two threads should halve the time.</summary>
    [Theory]
    [InlineData(50, 5, 0)]
    [InlineData(55, 5, 10)]
    [InlineData(40, 5, -20)]
    [InlineData(5, 0.5, 0)]
    [InlineData(10, 0.5, 100)]
    public void Deviation_is_from_linear_growth(double time, double linear, double percent)
        => Assert.Equal(percent, BenchGrowth.Deviation(time, linear, 10, 1), 1e-9);

    [Theory]
    [InlineData(1, new[] { 1 })]
    [InlineData(2, new[] { 1, 2 })]
    [InlineData(6, new[] { 1, 2, 4, 6 })]
    public void Threads_double_up_to_those_there_are(int threads, int[] counts) => Assert.Equal(counts, BenchGrowth.ThreadCounts(threads));

    [Fact]
    public void Growth_is_written_under_its_names()
    {
        var record = new GrowthRecord(2, 512, "direct", [new("batch", 16, 0.8, 14, 0.2, double.PositiveInfinity)]);
        Assert.Equal(
            """{"threads":2,"vectorBits":512,"convolution":"direct","rows":[{"against":"batch","value":16,"trainMsPerImage":0.8,"trainDeviationPercent":14,"evalMsPerImage":0.2,"evalDeviationPercent":"Infinity"}]}""",
            JsonSerializer.SerializeToNode(record, CliJson.Options)!.ToJsonString());
    }
}
