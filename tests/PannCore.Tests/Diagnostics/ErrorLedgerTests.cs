using PannCore.Data;
using PannCore.Diagnostics;
using PannCore.Engine;
using PannCore.Nn;
using PannCore.Training;
using Xunit;

namespace PannCore.Tests.Diagnostics;

public sealed class ErrorLedgerTests : IDisposable
{
    private static readonly int[] Images = [3, 141, 592, 653];

    private readonly Workspace _workspace = new(2, fillWithNaN: true);

    public void Dispose() => _workspace.Dispose();

    [Fact]
    public void A_relu_network_has_arithmetic_errors_only()
    {
        ErrorLedger ledger = ErrorLedger.Of(RandomNetwork.Backbone, RandomNetwork.Sample, Images, Normalization.Cifar10, _workspace, batch: 3);

        Assert.All(ledger.Operations, line => Assert.Equal(new ErrorSize(0, 0, 0), line.Approximation));
        Assert.InRange(ledger.IdentityResidual, 0, 1e-12);
        Assert.All(ledger.Checks, check => Assert.True(check.Passed, $"{check.Name}: {check.Detail}"));
        foreach (OperationRecord line in ledger.Operations)
        {
            if (line.Op is "relu" or "shortcut")
            {
                Assert.Equal(new ErrorSize(0, 0, 0), line.Arithmetic);
                continue;
            }
            // Rounding the result alone gives an error uniform in half a unit in the last place, which is at least 2^-24 of the value:
            // RMS 2^-25 / sqrt(3) = 1.7e-8 of the signal. Some hundred roundings of either sign do not reach a hundred times the unit roundoff, 6e-6.
            Assert.InRange(line.Arithmetic.Rms / line.IdealRms, 1e-8, 6e-6);
        }
    }

    [Fact]
    public void Every_operation_has_a_line_in_the_order_of_execution()
    {
        ErrorLedger ledger = ErrorLedger.Of(RandomNetwork.Backbone, RandomNetwork.Sample, [0], Normalization.Cifar10, _workspace);

        var expected = new List<string> { "conv1 conv2d", "bn1 batchNorm", "relu relu" };
        foreach (string block in new[] { "1.0", "1.1", "1.2", "2.0", "2.1", "2.2", "3.0", "3.1", "3.2" })
        {
            string at = $"layer{block}";
            expected.AddRange([$"{at}.conv1 conv2d", $"{at}.bn1 batchNorm", $"{at}.relu1 relu", $"{at}.conv2 conv2d", $"{at}.bn2 batchNorm"]);
            if (block is "2.0" or "3.0") expected.Add($"{at}.shortcut shortcut");
            expected.AddRange([$"{at}.add add", $"{at}.relu2 relu"]);
        }
        expected.AddRange(["pool pool", "linear linear"]);
        Assert.Equal(expected, ledger.Operations.Select(line => $"{line.Path} {line.Op}"));
    }

    [Theory]
    [InlineData("composite:alpha=6", "layer", 1.05)]
    [InlineData("direct:8", "layer", 1.05)]
    // A range of 0.9 times the largest input: some lie outside, where a polynomial of degree 4 still has modest values.
    [InlineData("direct:4", "tight", 1)]
    public void Every_figure_agrees_with_naive_loops(string spec, string ranges, double margin)
    {
        ResNet pann = ranges == "tight"
            ? Tight(RandomNetwork.Pann(spec, "layer", margin), 0.9)
            : RandomNetwork.Pann(spec, ranges, margin);
        int image = Images[1];
        ErrorLedger ledger = ErrorLedger.Of(pann, RandomNetwork.Sample, [image], Normalization.Cifar10, _workspace);
        Assert.InRange(ledger.IdentityResidual, 0, 1e-12);
        Assert.All(ledger.Checks, check => Assert.True(check.Passed, $"{check.Name}: {check.Detail}"));

        var recorder = new Recorder();
        Evaluation.Of(pann, RandomNetwork.Sample, [image], Normalization.Cifar10, _workspace, observers: [recorder]);
        var naive = new NaiveOps(pann);
        List<double[]> idealOutputs = [], polynomialOutputs = [];
        Assert.Equal(recorder.Ops.Count, ledger.Operations.Count);
        foreach ((RecordedOp op, OperationRecord line) in recorder.Ops.Zip(ledger.Operations))
        {
            Assert.Equal(op.Path, line.Path);
            double[][] idealInputs = [.. op.From.Select((from, j) => from < 0 ? op.Inputs[j] : idealOutputs[from])];
            double[] polynomial = naive.Apply(op, [.. op.From.Select((from, j) => from < 0 ? op.Inputs[j] : polynomialOutputs[from])], ideal: false);
            polynomialOutputs.Add(polynomial);
            double[] exact = naive.Apply(op, op.Inputs, ideal: false), idealOfWorking = naive.Apply(op, op.Inputs, ideal: true), ideal = naive.Apply(op, idealInputs, ideal: true);
            idealOutputs.Add(ideal);

            // Two float64 evaluations in different orders differ by less than 600 x 2^-52 = 1.3e-13 of the sum of magnitudes;
            // 1e-11 of the signal leaves two decimal places for what earlier operations pass on. Arithmetic errors are about 1e-7 of it.
            double tolerance = 1e-11 * ideal.Max(Math.Abs);
            AssertSize(op.Output, ideal, line.Total, tolerance, $"{op.Path} total");
            AssertSize(op.Output, exact, line.Arithmetic, tolerance, $"{op.Path} arithmetic");
            AssertSize(exact, idealOfWorking, line.Approximation, tolerance, $"{op.Path} approximation");
            AssertSize(idealOfWorking, ideal, line.Inherited, tolerance, $"{op.Path} inherited");

            AssertSize(polynomial, ideal, line.Accumulated!.Approximation, tolerance, $"{op.Path} accumulated approximation");
            AssertSize(op.Output, polynomial, line.Accumulated.Arithmetic, tolerance, $"{op.Path} accumulated arithmetic");
            Assert.Equal(op.Op.Name == "add", line.Branches is not null);
            for (int j = 0; j < (line.Branches?.Count ?? 0); j++) AssertSize(op.Inputs[j], idealInputs[j], line.Branches![j], tolerance, $"{op.Path} branch {j}");

            // A cosine, of values known to 1e-11 of the signal.
            Assert.Equal(op.Output.Zip(ideal, (a, b) => a * b).Sum() / Math.Sqrt(op.Output.Sum(v => v * v) * ideal.Sum(v => v * v)), line.Cosine!.Value, 1e-10);

            double signal = Math.Sqrt(ideal.Average(v => v * v)), error = Math.Sqrt(Squares(op.Output, ideal) / ideal.Length);
            AssertRelative(signal, line.IdealRms);
            AssertRelative(20 * Math.Log10(signal / error), line.SqnrDb);
            double inputSquares = op.Inputs.Zip(idealInputs).Sum(pair => Squares(pair.First, pair.Second)), inputCount = op.Inputs.Sum(x => x.Length);
            if (op.From is [-1])
            {
                Assert.Equal((null, null), (line.Gain, line.RelativeGain));
            }
            else
            {
                double inherited = Math.Sqrt(Squares(idealOfWorking, ideal) / ideal.Length), inputError = Math.Sqrt(inputSquares / inputCount);
                AssertRelative(inherited / inputError, line.Gain!.Value);
                AssertRelative(inherited / signal / (inputError / Math.Sqrt(idealInputs.Sum(x => x.Sum(v => v * v)) / inputCount)), line.RelativeGain!.Value);
            }
            Assert.Equal((line.Spread!.Worst, line.Spread.Worst, image), (line.Spread.Median, line.Spread.WorstDecile, line.Spread.WorstImage));
            AssertRelative(error / signal, line.Spread.Worst);
            AssertActivation(op, line, [.. op.Output.Zip(idealOfWorking, (a, b) => a - b)], (op.Op as PannCore.Ops.PolynomialRelu)?.Range);
        }
        if (ranges == "tight") Assert.Contains(ledger.Operations, line => line.OutOfRange > 0);
        Assert.Equal(
            recorder.Ops[^1].Output.Select((v, k) => Math.Abs(v - idealOutputs[^1][k])).Max(), ledger.Operations[^1].Total.Max, 1e-10);
    }

    [Fact]
    public void The_ideal_it_compares_with_is_the_backbone()
    {
        // The naive network is wired by the recorded tensors; that they are the backbone's is seen at its logits, to 1e-5 of float32 arithmetic.
        ResNet pann = RandomNetwork.Pann("composite:alpha=5");
        var recorder = new Recorder();
        Evaluation.Of(pann, RandomNetwork.Sample, [Images[0]], Normalization.Cifar10, _workspace, observers: [recorder]);
        var naive = new NaiveOps(pann);
        var ideal = new List<double[]>();
        foreach (RecordedOp op in recorder.Ops) ideal.Add(naive.Apply(op, [.. op.From.Select((from, j) => from < 0 ? op.Inputs[j] : ideal[from])], ideal: true));
        float[] logits = Evaluation.Of(RandomNetwork.Backbone, RandomNetwork.Sample, [Images[0]], Normalization.Cifar10, _workspace).Logits;
        double largest = logits.Max(Math.Abs);
        for (int k = 0; k < 10; k++) Assert.Equal(logits[k], ideal[^1][k], 1e-5 * largest);
        OperationRecord linear = ErrorLedger.Of(pann, RandomNetwork.Sample, [Images[0]], Normalization.Cifar10, _workspace).Operations[^1];
        AssertRelative(Math.Sqrt(ideal[^1].Average(v => v * v)), linear.IdealRms);
    }

    [Fact]
    public void Neither_batch_size_nor_threads_change_a_bit()
    {
        ResNet pann = RandomNetwork.Pann("composite:alpha=7");
        int[] images = [3, 141, 592, 653, 58, 979, 323];
        (IReadOnlyList<OperationRecord> operations, IReadOnlyList<CheckRecord> checks) = Figures(1, 1);
        Assert.All(checks, check => Assert.True(check.Passed, $"{check.Name}: {check.Detail}"));
        foreach ((int threads, int batch) in new[] { (1, 3), (1, 16), (2, 1), (2, 3), (2, 16), (3, 3), (3, 16) })
        {
            (IReadOnlyList<OperationRecord> others, IReadOnlyList<CheckRecord> otherChecks) = Figures(threads, batch);
            Assert.Equal(operations, others);
            Assert.Equal(checks, otherChecks);
        }
        Assert.NotEqual(operations[^1], ErrorLedger.Of(pann, RandomNetwork.Sample, images[..3], Normalization.Cifar10, _workspace).Operations[^1]);

        (IReadOnlyList<OperationRecord>, IReadOnlyList<CheckRecord>) Figures(int threads, int batch)
        {
            using var workspace = new Workspace(threads, fillWithNaN: true);
            ErrorLedger ledger = ErrorLedger.Of(pann, RandomNetwork.Sample, images, Normalization.Cifar10, workspace, batch: batch);
            return (ledger.Operations, ledger.Checks);
        }
    }

    [Fact]
    public void Observing_changes_no_bit_of_the_network()
    {
        ResNet pann = RandomNetwork.Pann("composite:alpha=7");
        float[] plain = Evaluation.Of(pann, RandomNetwork.Sample, [5, 6], Normalization.Cifar10, _workspace).Logits;
        float[] observed = Evaluation.Of(pann, RandomNetwork.Sample, [5, 6], Normalization.Cifar10, _workspace, observers: [new ErrorLedger(_workspace), new RangeProbe()]).Logits;
        Assert.Equal(plain, observed);
    }

    [Fact]
    public void Training_statistics_are_refused()
    {
        using var run = new Run(_workspace, Statistics.Training, observers: [new ErrorLedger(_workspace)]);
        ResNet model = RandomNetwork.Make(2);
        Tensor x = new BatchLoader(RandomNetwork.Sample, Normalization.Cifar10).Load(run, new[] { 1, 2 });
        Assert.Equal(
            "ledger: conv1: batch-norm must use evaluation statistics, the run uses training statistics",
            Assert.Throws<InvalidOperationException>(() => model.Call(x)).Message);
    }

    [Fact]
    public void It_stops_between_batches()
    {
        using var source = new CancellationTokenSource();
        var done = new Done(source);
        Assert.Throws<OperationCanceledException>(() => ErrorLedger.Of(RandomNetwork.Backbone, RandomNetwork.Sample, Images, Normalization.Cifar10, _workspace, null, 1, done, source.Token));
        Assert.Equal([1], done.Reports);
    }

    private static ResNet Tight(ResNet pann, double factor)
    {
        var functions = pann.Activations.ToDictionary(a => a.Path, a => (ActivationFunction.Polynomial)a.Function);
        return pann.With(path => functions[path] with { Range = functions[path].Range * factor });
    }

    private static void AssertActivation(RecordedOp op, OperationRecord line, double[] injected, double? range)
    {
        if (range is not double b)
        {
            Assert.Equal((null, null, null, null, null, null, 0), (line.NegativeShare, line.NegativeElements, line.NegativeMean, line.PositiveMean, line.LargestInput, line.Range, line.OutOfRange));
            return;
        }
        double[] x = op.Inputs[0];
        double[] negative = [.. injected.Where((_, i) => x[i] < 0)], positive = [.. injected.Where((_, i) => x[i] >= 0)];
        AssertRelative(negative.Sum(e => e * e) / injected.Sum(e => e * e), line.NegativeShare!.Value);
        Assert.Equal((double)negative.Length / x.Length, line.NegativeElements);
        AssertRelative(negative.Average(), line.NegativeMean!.Value);
        AssertRelative(positive.Average(), line.PositiveMean!.Value);
        Assert.Equal(x.Max(Math.Abs), line.LargestInput);
        Assert.Equal(b, line.Range);
        Assert.Equal(x.Count(v => v < -b || v > b), line.OutOfRange);
    }

    private static void AssertSize(double[] a, double[] b, ErrorSize found, double tolerance, string what)
    {
        double[] difference = [.. a.Zip(b, (u, v) => u - v)];
        double max = difference.Max(Math.Abs), rms = Math.Sqrt(difference.Average(e => e * e)), mean = difference.Average();
        Assert.True(
            Math.Abs(max - found.Max) <= tolerance && Math.Abs(rms - found.Rms) <= tolerance && Math.Abs(mean - found.Mean) <= tolerance,
            $"{what}: expected max {max}, RMS {rms}, mean {mean}, found {found}, tolerance {tolerance}");
    }

    /// <summary>Ratios of errors of 1e-7 of the signal or more, each known to 1e-11 of it: relative 1e-3.</summary>
    private static void AssertRelative(double expected, double found) => Assert.InRange(Math.Abs(found - expected), 0, 1e-3 * Math.Abs(expected));

    private static double Squares(double[] a, double[] b) => a.Zip(b, (u, v) => (u - v) * (u - v)).Sum();

    private sealed class Done(CancellationTokenSource source) : IProgress<int>
    {
        public List<int> Reports { get; } = [];

        public void Report(int value)
        {
            Reports.Add(value);
            source.Cancel();
        }
    }
}
