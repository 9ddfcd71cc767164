using PannCore.Approximation;
using PannCore.Data;
using PannCore.Engine;
using PannCore.Ops;
using PannCore.Tests.Diagnostics;
using PannCore.Training;
using Xunit;

namespace PannCore.Tests.Training;

public sealed class EvaluationTests : IDisposable
{
    private static readonly int[] Images = [999, 0, 5, 5, 17, 300, 640];

    private readonly Workspace _workspace = new(2, fillWithNaN: true);

    public void Dispose() => _workspace.Dispose();

    [Theory]
    [InlineData("relu")]
    [InlineData("composite:alpha=5")]
    [InlineData("composite:alpha=12")]
    [InlineData("direct:8")]
    public void The_batch_size_changes_no_bit(string spec)
    {
        PannCore.Nn.ResNet model = spec == "relu" ? RandomNetwork.Backbone : RandomNetwork.Pann(spec);
        Evaluation all = Evaluation.Of(model, RandomNetwork.Sample, Images, Normalization.Cifar10, _workspace);
        using var single = new Workspace(1, fillWithNaN: true);
        foreach (int batch in new[] { 1, 2, 3, 7, int.MaxValue })
        {
            Evaluation other = Evaluation.Of(model, RandomNetwork.Sample, Images, Normalization.Cifar10, single, batch);
            Assert.Equal(all.Logits, other.Logits);
            Assert.Equal(all.Predictions, other.Predictions);
            Assert.Equal(all.Correct, other.Correct);
        }
        // The same image twice gives the same logits.
        Assert.Equal(all.Logits[20..30], all.Logits[30..40]);
    }

    /// <summary>More images than a wave of batches, so many that the last batch and the last wave are not whole: the bits and the order are those of one thread that takes 32 at a time.</summary>
    [Fact]
    public void Threads_that_work_apart_change_no_bit()
    {
        int[] images = [.. Enumerable.Range(0, 1101).Select(i => 7 * i % RandomNetwork.Sample.Count)];
        var reports = new List<int>();
        using Workspace three = new(3, fillWithNaN: true), one = new(1, fillWithNaN: true);
        Evaluation apart = Evaluation.Of(RandomNetwork.Backbone, RandomNetwork.Sample, images, Normalization.Cifar10, three, progress: new Reports(reports));
        Evaluation together = Evaluation.Of(RandomNetwork.Backbone, RandomNetwork.Sample, images, Normalization.Cifar10, one, 32);
        Assert.Equal(together.Logits, apart.Logits);
        Assert.Equal(together.Predictions, apart.Predictions);
        Assert.Equal(together.Correct, apart.Correct);
        Assert.Equal([768, 1101], reports); // 32 batches of eight images for each of three threads.
    }

    /// <summary>What fails on a thread is thrown to the caller, whose workspace works on; so is a cancellation between waves.</summary>
    [Fact]
    public void What_fails_on_a_thread_reaches_the_caller()
    {
        var broken = RandomNetwork.Backbone.With(path => path == "layer2.0.relu1" ? new Failing() : new PannCore.Nn.ActivationFunction.Relu());
        Assert.Equal("as it should", Assert.Throws<NotSupportedException>(() => Evaluation.Of(broken, RandomNetwork.Sample, Images, Normalization.Cifar10, _workspace)).Message);
        using var stop = new CancellationTokenSource();
        int[] images = [.. Enumerable.Range(0, 600)];
        Assert.Throws<OperationCanceledException>(() => Evaluation.Of(
            RandomNetwork.Backbone, RandomNetwork.Sample, images, Normalization.Cifar10, _workspace, progress: new Cancelling(stop), cancellation: stop.Token));
        using var fresh = new Workspace(1);
        Assert.Equal(
            Evaluation.Of(RandomNetwork.Backbone, RandomNetwork.Sample, Images, Normalization.Cifar10, fresh).Logits, Evaluation.Of(RandomNetwork.Backbone, RandomNetwork.Sample, Images, Normalization.Cifar10, _workspace).Logits);
    }

    /// <summary>A cancellation is looked at before every batch of a thread; observers have seen whole waves only.</summary>
    [Fact]
    public void Threads_that_work_apart_stop_between_batches()
    {
        using var stop = new CancellationTokenSource();
        var gate = new Lock();
        int calls = 0;
        var model = RandomNetwork.Backbone.With(path => path == "layer2.0.relu1" ? new Counting(() =>
        {
            // The first wave of two threads has 64 batches.
            lock (gate)
            {
                if (++calls == 70) stop.Cancel();
            }
        }) : new PannCore.Nn.ActivationFunction.Relu());
        var probe = new PannCore.Diagnostics.RangeProbe();
        using var two = new Workspace(2, fillWithNaN: true);
        Assert.ThrowsAny<OperationCanceledException>(() => Evaluation.Of(
            model, RandomNetwork.Sample, [.. Enumerable.Range(0, 1000)], Normalization.Cifar10, two, observers: [probe], cancellation: stop.Token));
        Assert.InRange(calls, 70, 71); // The other thread's batch may have been under way, before this activation.
        Assert.Equal(512, probe.Nearest.Count);
    }

    [Fact]
    public void Predictions_are_the_largest_logits_and_accuracy_counts_them()
    {
        Evaluation result = Evaluation.Of(RandomNetwork.Backbone, RandomNetwork.Sample, Images, Normalization.Cifar10, _workspace);
        int correct = 0;
        for (int n = 0; n < Images.Length; n++)
        {
            float[] row = result.Logits[(n * 10)..((n + 1) * 10)];
            Assert.Equal(Array.IndexOf(row, row.Max()), result.Predictions[n]);
            if (result.Predictions[n] == RandomNetwork.Sample.Labels[Images[n]]) correct++;
        }
        Assert.Equal((correct, 100.0 * correct / 7, 0), (result.Correct, result.Accuracy, result.NonFinite));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    public void A_batch_has_at_least_one_image(int batch)
        => Assert.Throws<ArgumentOutOfRangeException>("batch", () => Evaluation.Of(RandomNetwork.Backbone, RandomNetwork.Sample, Images, Normalization.Cifar10, _workspace, batch));

    [Fact]
    public void Of_no_images_there_are_no_answers_and_no_accuracy()
    {
        Evaluation none = Evaluation.Of(RandomNetwork.Backbone, RandomNetwork.Sample, [], Normalization.Cifar10, _workspace);
        Assert.Equal((0, double.NaN), (none.Predictions.Length, none.Accuracy));
    }

    [Theory]
    [InlineData(1, new[] { 0f, 2, 1 })]
    [InlineData(0, new[] { 2f, 2, 1 })]
    [InlineData(2, new[] { -3f, -2, -1 })]
    [InlineData(-1, new[] { float.NaN, float.NaN, float.NaN })]
    [InlineData(-1, new[] { 1f, 2, float.NaN })]
    [InlineData(-1, new[] { float.NaN, 2, 1 })]
    [InlineData(-1, new[] { 1f, float.PositiveInfinity, 2 })]
    [InlineData(-1, new[] { 1f, float.NegativeInfinity, 2 })]
    public void Logits_that_are_not_finite_predict_nothing(int expected, float[] logits) => Assert.Equal(expected, Evaluation.Predict(logits));

    [Fact]
    public void Logits_that_are_not_finite_are_wrong_also_for_class_0()
    {
        PannCore.Nn.ResNet model = RandomNetwork.Make(3);
        model.Parameters.All.Single(p => p.Name == "linear.bias").Update(bias => bias.Fill(float.NaN));
        int[] airplanes = [.. Enumerable.Range(0, RandomNetwork.Sample.Count).Where(i => RandomNetwork.Sample.Labels[i] == 0).Take(3)];
        Evaluation result = Evaluation.Of(model, RandomNetwork.Sample, airplanes, Normalization.Cifar10, _workspace);
        Assert.Equal([-1, -1, -1], result.Predictions);
        Assert.Equal((0, 0.0, 3), (result.Correct, result.Accuracy, result.NonFinite));
    }

    [Theory]
    [InlineData("direct:4")]
    [InlineData("composite:alpha=4")]
    [InlineData("composite:alpha=9")]
    public void An_input_outside_the_range_gets_the_polynomial_s_own_value(string spec)
    {
        const double b = 2.5;
        ReluPolynomial polynomial = ActivationSpec.Parse(spec).Build();
        float[] x = [(float)(1.05 * b), (float)(-1.05 * b), (float)(1.2 * b), (float)(-1.2 * b)];
        using var run = new Run(_workspace);
        ReadOnlySpan<float> y = run.Input(new(4), x).PolynomialRelu(polynomial, b).Values;
        for (int i = 0; i < x.Length; i++)
        {
            double t = x[i] / b, expected = b * polynomial.Evaluate(t);
            if (Math.Abs(expected) > float.MaxValue)
            {
                Assert.False(float.IsFinite(y[i]), $"x = {x[i]}: {y[i]} for {expected}");
                continue;
            }
            // An error of a few units 2^-24 in t, times the polynomial's slope there, and as many in the value.
            double tolerance = 32 * Math.ScaleB(1, -24) * b * (Math.Abs(polynomial.Derivative(t)) + Math.Abs(polynomial.Evaluate(t)) + 1);
            Assert.InRange(y[i], expected - tolerance, expected + tolerance);
            // Neither clamped to the range nor replaced by ReLU.
            Assert.True(Math.Abs(y[i] - (b * polynomial.Evaluate(Math.Sign(t)))) > 1000 * tolerance || Math.Abs(t) < 1.1, $"x = {x[i]}: {y[i]} looks clamped");
        }
    }

    [Fact]
    public void Progress_counts_images_and_cancellation_stops_between_batches()
    {
        using var source = new CancellationTokenSource();
        var seen = new Seen(done =>
        {
            if (done == 4) source.Cancel();
        });
        Assert.Throws<OperationCanceledException>(() => Evaluation.Of(
            RandomNetwork.Backbone, RandomNetwork.Sample, Images, Normalization.Cifar10, _workspace, 2, progress: seen, cancellation: source.Token));
        Assert.Equal([2, 4], seen.Values);

        var all = new Seen(_ => { });
        Evaluation.Of(RandomNetwork.Backbone, RandomNetwork.Sample, Images, Normalization.Cifar10, _workspace, 3, progress: all);
        Assert.Equal([3, 6, 7], all.Values);
    }

    private sealed class Seen(Action<int> then) : IProgress<int>
    {
        public List<int> Values { get; } = [];

        public void Report(int value)
        {
            Values.Add(value);
            then(value);
        }
    }

    private sealed record Counting(Action Call) : PannCore.Nn.ActivationFunction
    {
        public override Tensor Apply(Tensor x)
        {
            Call();
            return x.Relu();
        }
    }

    private sealed record Failing : PannCore.Nn.ActivationFunction
    {
        public override Tensor Apply(Tensor x) => throw new NotSupportedException("as it should");
    }

    private sealed class Reports(List<int> seen) : IProgress<int>
    {
        public void Report(int value) => seen.Add(value);
    }

    private sealed class Cancelling(CancellationTokenSource stop) : IProgress<int>
    {
        public void Report(int value) => stop.Cancel();
    }
}
