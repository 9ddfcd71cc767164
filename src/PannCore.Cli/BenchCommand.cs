using System.CommandLine;
using System.Diagnostics;
using PannCore.Approximation;
using PannCore.Data;
using PannCore.Engine;
using PannCore.Kernels;
using PannCore.Nn;
using PannCore.Ops;
using PannCore.Training;

namespace PannCore.Cli;

/// <summary>The verb <c>pann bench</c>: how fast this machine trains and evaluates, beside its multiply-add peak, all in one run.</summary>
internal static class BenchCommand
{
    private const int Warmup = 15;

    private static readonly string[] Specs = ["direct:4", "composite:alpha=8", "composite:7,7,27", "composite:alpha=12"];

    public static Command Create()
    {
        Option<int> threads = CommonOptions.Threads();
        Option<ConvAlgorithm> convolution = CommonOptions.Convolution();
        Option<string?> json = CommonOptions.Json();
        var command = new Command("bench", "Speed of a ResNet-20 training step, of evaluation and of PANN evaluation, with the machine's peak measured beside them.\n\nExample: pann bench --json bench.json") { threads, convolution, json };
        command.SetAction(parsed =>
        {
            CommonOptions.CheckWritable([], parsed.GetValue(json));
            using Workspace workspace = CommonOptions.Workspace(parsed, threads, convolution);
            var pixels = new byte[256 * Cifar10.ImageBytes];
            var random = new CounterRandom(1, RandomStream.Weights, 0);
            for (int i = 0; i < pixels.Length; i++) pixels[i] = (byte)random.Below(i, 256);
            var data = new Cifar10(pixels, [.. Enumerable.Range(0, 256).Select(i => (byte)(i % 10))], "random pixels");
            var model = new ResNet(20);
            model.Initialise(1);
            var loader = new BatchLoader(data, Normalization.Cifar10);
            var sgd = new Sgd(model.Parameters.All, 0.9, 5e-4);
            int[] indices = [.. Enumerable.Range(0, 256)];

            double peak = FmaPeak.Measure(workspace.Workers, Stopwatch.GetTimestamp, ticks => Stopwatch.GetElapsedTime(0, ticks).TotalSeconds);
            Console.WriteLine(FormattableString.Invariant($"{workspace.Threads} threads, {OuterProduct.VectorBits}-bit vectors, multiply-add peak {peak:F0} GFLOP/s"));
            double step = Median(() =>
            {
                using var run = new Run(workspace, Statistics.Training, tape: true);
                Tensor loss = model.Call(loader.Load(run, indices.AsMemory(0, 128), new Augmentation(1, 0))).SoftmaxCrossEntropy(loader.Labels(indices.AsSpan(0, 128)));
                sgd.Step(run.Backward(loss), 1e-3);
            });
            Console.WriteLine(FormattableString.Invariant($"training step, batch 128: {1000 * step:F1} ms, {128 / step:F0} images/s"));
            double Forward(ResNet network) => 256 / Median(() =>
            {
                using var run = new Run(workspace);
                network.Call(loader.Load(run, indices));
            });
            double eval = Forward(model);
            Console.WriteLine(FormattableString.Invariant($"evaluation, batch 256:   {eval:F0} images/s"));
            var pann = new Dictionary<string, double>();
            foreach (string spec in Specs)
            {
                ReluPolynomial polynomial = ActivationSpec.Parse(spec).Build();
                pann[spec] = Forward(model.With(_ => new ActivationFunction.Polynomial(polynomial, 50)));
                Console.WriteLine(FormattableString.Invariant($"  PANN {spec}: {pann[spec]:F0} images/s"));
            }

            var record = new BenchRecord(workspace.Threads, OuterProduct.VectorBits, peak, 1000 * step, 128 / step, eval, pann);
            CommonOptions.WriteJson(parsed.GetValue(json), record, CliJson.Default.BenchRecord);
            return 0;
        });
        return command;
    }

    /// <summary>Median seconds of 15 runs after the warm-up runs, in which the runtime compiles what is called often a second time.</summary>
    private static double Median(Action work)
    {
        for (int i = 0; i < Warmup; i++) work();
        double[] seconds = new double[15];
        for (int i = 0; i < seconds.Length; i++)
        {
            long start = Stopwatch.GetTimestamp();
            work();
            seconds[i] = Stopwatch.GetElapsedTime(start).TotalSeconds;
        }
        Array.Sort(seconds);
        return seconds[seconds.Length / 2];
    }
}

/// <summary>What <c>pann bench --json</c> writes.</summary>
internal sealed record BenchRecord(
    int Threads, int VectorBits, double FmaPeakGflops, double TrainStepMs, double TrainImagesPerSecond, double EvalImagesPerSecond, IReadOnlyDictionary<string, double> PannEvalImagesPerSecond);
