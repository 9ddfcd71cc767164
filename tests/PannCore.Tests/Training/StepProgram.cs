using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using PannCore.Data;
using PannCore.Engine;
using PannCore.Nn;
using PannCore.Ops;
using PannCore.Training;

namespace PannCore.Tests.Training;

/// <summary>What a row of training steps took: time, step by step; processor time of the training thread, bytes allocated by all threads, and collections, in all.</summary>
internal sealed record StepFigures(double[] Milliseconds, double ThreadMilliseconds, long Bytes, int Generation1, int Generation2)
{
    public double Median => Milliseconds.Order().ElementAt(Milliseconds.Length / 2);
}

/// <summary>
/// The test assembly as a program, for what only a process that does nothing else can tell: <c>train THREADS STEPS...</c> trains ResNet-20 on batches of 128 images, its convolutions as <c>pann train</c> has them by default,
/// and prints the figures of each row of so many steps; <c>busy THREADS STEPS...</c> has one core kept busy by another process during the last row;
/// <c>spin</c> is that process, which ends with its input.
/// </summary>
internal static class StepProgram
{
    /// <summary>Runs it in a process of its own and returns what it printed.</summary>
    public static StepFigures[] Run(params string[] arguments)
    {
        using Process child = Start(arguments);
        string[] lines = child.StandardOutput.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        child.WaitForExit();
        if (child.ExitCode != 0) throw new InvalidOperationException($"{string.Join(' ', arguments)} ended with code {child.ExitCode}");
        return [.. lines.Select(line => JsonSerializer.Deserialize<StepFigures>(line)!)];
    }

    private static int Main(string[] arguments)
    {
        if (arguments is ["spin"])
        {
            var spin = new Thread(() => { while (true) Thread.SpinWait(1000); }) { IsBackground = true };
            spin.Start();
            Console.WriteLine("spinning");
            Console.In.ReadToEnd();
            return 0;
        }
        // With more cores than two the other process would take one that nobody uses.
        if (arguments[0] == "busy" && (OperatingSystem.IsLinux() || OperatingSystem.IsWindows())) Process.GetCurrentProcess().ProcessorAffinity = 3;
        int[] numbers = [.. arguments.Skip(1).Select(text => int.Parse(text, CultureInfo.InvariantCulture))];
        using var training = new Training(numbers[0]);
        foreach (int steps in numbers[1..^1]) Print(training.Measure(steps));
        using Process? spinner = arguments[0] == "busy" ? Start("spin") : null;
        spinner?.StandardOutput.ReadLine();
        Print(training.Measure(numbers[^1]));
        spinner?.StandardInput.Close();
        spinner?.WaitForExit();
        return 0;
    }

    private static void Print(StepFigures figures) => Console.WriteLine(JsonSerializer.Serialize(figures));

    private static Process Start(params string[] arguments) => Process.Start(
        new ProcessStartInfo("dotnet", [typeof(StepProgram).Assembly.Location, .. arguments]) { RedirectStandardInput = true, RedirectStandardOutput = true })!;

    private sealed class Training : IDisposable
    {
        private readonly int[] _images = [.. Enumerable.Range(0, 128)];
        private readonly Workspace _workspace;
        private readonly ResNet _model = new(20);
        private readonly BatchLoader _loader;
        private readonly Sgd _sgd;

        public Training(int threads)
        {
            var random = new CounterRandom(1, RandomStream.Weights, 0);
            byte[] pixels = [.. Enumerable.Range(0, _images.Length * Cifar10.ImageBytes).Select(i => (byte)random.Below(i, 256))];
            _loader = new(new Cifar10(pixels, [.. _images.Select(i => (byte)(i % 10))], "random pixels"), Normalization.Cifar10);
            _workspace = new(threads, Recipe.DefaultConvolution);
            _model.Initialise(1);
            _sgd = new(_model.Parameters.All, 0.9, 5e-4);
        }

        public StepFigures Measure(int steps)
        {
            double[] milliseconds = new double[steps];
            (int generation1, int generation2) = (GC.CollectionCount(1), GC.CollectionCount(2));
            double thread = ThreadMilliseconds();
            long bytes = GC.GetTotalAllocatedBytes(precise: true);
            for (int i = 0; i < steps; i++)
            {
                long start = Stopwatch.GetTimestamp();
                Step();
                milliseconds[i] = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
            }
            bytes = GC.GetTotalAllocatedBytes(precise: true) - bytes;
            return new(milliseconds, ThreadMilliseconds() - thread, bytes, GC.CollectionCount(1) - generation1, GC.CollectionCount(2) - generation2);
        }

        public void Dispose() => _workspace.Dispose();

        /// <summary>Processor time of this thread; where the system does not tell, the clock's.</summary>
        private static double ThreadMilliseconds() => File.Exists("/proc/thread-self/schedstat")
            ? long.Parse(File.ReadAllText("/proc/thread-self/schedstat").Split(' ')[0], CultureInfo.InvariantCulture) / 1e6
            : Stopwatch.GetElapsedTime(0).TotalMilliseconds;

        private void Step()
        {
            using var run = new Run(_workspace, Statistics.Training, tape: true);
            Tensor logits = _model.Call(_loader.Load(run, _images, new Augmentation(1, 0)));
            _sgd.Step(run.Backward(logits.SoftmaxCrossEntropy(_loader.Labels(_images))), 1e-3);
        }
    }
}
