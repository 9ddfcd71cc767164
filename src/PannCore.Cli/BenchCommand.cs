using System.CommandLine;
using System.Diagnostics;
using PannCore.Engine;
using PannCore.Kernels;
using PannCore.Nn;
using PannCore.Ops;
using PannCore.Training;

namespace PannCore.Cli;

/// <summary>The verb <c>pann bench</c>: how fast this machine trains and evaluates, beside its multiply-add peak and its memory's bandwidth, all in one run.</summary>
internal static class BenchCommand
{
    private const int TrainBatch = 128, EvalImages = 256;

    public static Command Create()
    {
        Option<int> threads = CommonOptions.Threads();
        Option<int> runs = CommonOptions.AtLeast(new Option<int>("--runs") { HelpName = "N", Description = "Timed runs of each work, of which the median counts; fewer on slow machines.", DefaultValueFactory = _ => 15 }, 1);
        Option<bool> growth = new("--growth") { Description = "Instead: how time grows with batch, depth and threads, and by how much it deviates from linear; seven runs at most. About a minute." };
        Option<string> convolution = CommonOptions.Convolution();
        convolution.Description += $" Where nothing is said, training is timed with {CommonOptions.Name(Recipe.DefaultConvolution)}, as pann train has it; with --growth both sides are timed with the one named here.";
        Option<string?> json = CommonOptions.Json();
        var command = new Command("bench", "Speed of a ResNet-20 training step, of evaluation and of PANN evaluation, with the machine's multiply-add peak and memory bandwidth measured beside them.\n\nExample: pann bench --json bench.json\nExample: pann bench --growth") { threads, convolution, runs, growth, json };
        command.SetAction(parsed =>
        {
            CommonOptions.CheckWritable(parsed, parsed.GetValue(json));
            if (parsed.GetValue(growth))
            {
                GrowthRecord table = BenchGrowth.Measure(parsed.GetValue(threads), CommonOptions.Convolution(parsed, convolution), parsed.GetValue(runs));
                Terminal.Write(BenchGrowth.Table(table));
                Console.WriteLine(BenchGrowth.Legend);
                CommonOptions.WriteJson(parsed.GetValue(json), table);
                return 0;
            }
            // As the other verbs compute by default: training faster, evaluation with the least rounding.
            bool given = CommonOptions.IsGiven(parsed, convolution);
            using var training = new Workspace(parsed.GetValue(threads), given ? CommonOptions.Convolution(parsed, convolution) : Recipe.DefaultConvolution);
            using Workspace evaluation = CommonOptions.Workspace(parsed, threads, convolution);
            CommonOptions.WriteJson(parsed.GetValue(json), Measure(training, evaluation, parsed.GetValue(runs)));
            return 0;
        });
        return command;
    }

    /// <summary>Measures and prints line by line.</summary>
    internal static BenchRecord Measure(Workspace training, Workspace evaluation, int runs)
    {
        double peak = FmaPeak.Measure(training.Workers, Stopwatch.GetTimestamp, BenchTimer.Seconds);
        double bandwidth = new MemoryBandwidth().Measure(training.Workers, Stopwatch.GetTimestamp, BenchTimer.Seconds);
        Print($"{training.Threads} threads, {OuterProduct.VectorBits}-bit vectors, multiply-add peak {peak:F0} GFLOP/s, memory bandwidth {bandwidth:F0} GB/s");

        var network = new BenchNetwork(20, EvalImages);
        var loads = new List<double>();
        double step = BenchTimer.Median("training step", runs, () => loads.Add(network.Step(training, TrainBatch)));
        double load = PannCore.Diagnostics.Median.Of(loads.TakeLast(runs)), share = 100 * load / step;
        double mixed = BenchTimer.Median("loading with Mixup", runs, () => network.LoadMixed(training, TrainBatch));
        Print($"training step, batch {TrainBatch}, {CommonOptions.Name(training.Convolution)}: {1000 * step:F1} ms, {TrainBatch / step:F0} images/s; loading the data takes {1000 * load:F2} ms of it, {share:F1} %; with Mixup {1000 * mixed:F2} ms");
        long before = GC.GetTotalAllocatedBytes(precise: true);
        for (int i = 0; i < runs; i++) network.Step(training, TrainBatch);
        long allocated = (GC.GetTotalAllocatedBytes(precise: true) - before) / runs;
        Print($"  {allocated:N0} bytes allocated a step");

        double eval = EvalImages / BenchTimer.Median("evaluation", runs, () => network.Evaluate(network.Model, evaluation, EvalImages));
        Print($"evaluation, {EvalImages} images, {CommonOptions.Name(evaluation.Convolution)}: {eval:F0} images/s");
        Dictionary<string, double> pann = [], pannFloat64 = [];
        foreach ((string spec, PolynomialArithmetic arithmetic) in BenchNetwork.Panns)
        {
            ResNet converted = network.Pann(spec, arithmetic);
            string name = $"PANN {spec}{(arithmetic == PolynomialArithmetic.Float64 ? ", polynomial in float64" : "")}";
            double rate = EvalImages / BenchTimer.Median(name, runs, () => network.Evaluate(converted, evaluation, EvalImages));
            (arithmetic == PolynomialArithmetic.Float64 ? pannFloat64 : pann)[spec] = rate;
            Print($"  {name}: {rate:F0} images/s");
        }
        return new(
            training.Threads, OuterProduct.VectorBits, peak, bandwidth, CommonOptions.Name(training.Convolution), CommonOptions.Name(evaluation.Convolution), 1000 * step, TrainBatch / step, 1000 * load, share, 1000 * mixed, allocated, eval, pann, pannFloat64);
    }

    private static void Print(FormattableString line) => Console.WriteLine(FormattableString.Invariant(line));
}

/// <summary>What <c>pann bench --json</c> writes.</summary>
/// <param name="Threads">Worker threads.</param>
/// <param name="VectorBits">Width of the vector registers used.</param>
/// <param name="FmaPeakGflops">Multiply-add peak of all threads.</param>
/// <param name="MemoryBandwidthGBs">Memory bandwidth, 10^9 bytes a second.</param>
/// <param name="TrainConvolution">How convolutions are computed in training.</param>
/// <param name="EvalConvolution">How in evaluation.</param>
/// <param name="TrainStepMs">A training step of ResNet-20, batch 128.</param>
/// <param name="TrainImagesPerSecond">The same, as a rate.</param>
/// <param name="DataLoadMs">The part of the step in which images are augmented and normalised.</param>
/// <param name="DataLoadPercent">The same, in percent of the step.</param>
/// <param name="DataLoadMixupMs">The same part with Mixup: two images for each, blended, and the targets.</param>
/// <param name="AllocatedBytesPerStep">Managed memory allocated by a step once everything has run before.</param>
/// <param name="EvalImagesPerSecond">Evaluation of 256 images, nobody observing.</param>
/// <param name="PannEvalImagesPerSecond">Evaluation with polynomials in float32, by specification.</param>
/// <param name="PannFloat64EvalImagesPerSecond">The same with polynomials in float64.</param>
internal sealed record BenchRecord(
    int Threads, int VectorBits, double FmaPeakGflops, double MemoryBandwidthGBs, string TrainConvolution, string EvalConvolution, double TrainStepMs, double TrainImagesPerSecond, double DataLoadMs, double DataLoadPercent, double DataLoadMixupMs,
    long AllocatedBytesPerStep, double EvalImagesPerSecond, IReadOnlyDictionary<string, double> PannEvalImagesPerSecond, IReadOnlyDictionary<string, double> PannFloat64EvalImagesPerSecond);
