using PannCore.Approximation;
using PannCore.Data;
using PannCore.Diagnostics;
using PannCore.Engine;
using PannCore.Nn;
using PannCore.Ops;
using PannCore.Training;
using Xunit;

namespace PannCore.Tests.Diagnostics;

public sealed class ReluStatisticsTests : IDisposable
{
    private static readonly int[] Images = [0, 7, 300];

    private readonly Workspace _workspace = new(2, fillWithNaN: true);

    public void Dispose() => _workspace.Dispose();

    [Fact]
    public void Agree_with_naive_loops()
    {
        ReluPolynomial polynomial = ActivationSpec.Parse("composite:alpha=5").Build();
        ActivationRanges ranges = Ranges();
        ReluStatistics statistics = ReluStatistics.Measure(RandomNetwork.Backbone, RandomNetwork.Sample, Images, Normalization.Cifar10, _workspace, polynomial, ranges);
        var recorder = new Recorder();
        Evaluation.Of(RandomNetwork.Backbone, RandomNetwork.Sample, Images, Normalization.Cifar10, _workspace, observers: [recorder]);

        RecordedOp[] relus = [.. recorder.Ops.Where(op => op.Op is Relu)];
        Assert.Equal(relus.Select(op => op.Path), statistics.ByPath.Keys);
        foreach (RecordedOp op in relus)
        {
            ReluStatistics.Layer layer = statistics.ByPath[op.Path];
            double[] x = op.Inputs[0], negative = [.. x.Where(v => v < 0)], positive = [.. x.Where(v => v >= 0)];
            double b = ranges[op.Path];
            double Error(IEnumerable<double> values) => Math.Sqrt(values.Sum(v => Math.Pow((b * polynomial.Evaluate(v / b)) - Math.Max(v, 0), 2)) / x.Length);

            // Sums of squares of one image in float32, by vector: 16,384 terms in 16 lanes or more, each rounded to 2^-24 of the sum so far.
            const double relative = 1024.0 / (1 << 24);
            Assert.Equal(x.Length, layer.Count);
            Assert.Equal((double)negative.Length / x.Length, layer.NegativeShare);
            AssertClose(Math.Sqrt(x.Average(v => v * v)), layer.InputRms, relative);
            AssertClose(Math.Sqrt(op.Output.Average(v => v * v)), layer.OutputRms, relative);

            // The polynomial's values are rounded to float32, the errors' size is 2^-5 of B: 2^-24 over 2^-5 or a little more.
            AssertClose(Error(negative), layer.PerturbationRms(PerturbedSide.Negative, PerturbationForm.Own), 1e-5);
            AssertClose(Error(positive), layer.PerturbationRms(PerturbedSide.Positive, PerturbationForm.OwnReversed), 1e-5);
            AssertClose(Error(x), layer.PerturbationRms(PerturbedSide.Both, PerturbationForm.OwnRandomSign), 1e-5);
            AssertClose(Math.Sqrt((double)negative.Length / x.Length), layer.PerturbationRms(PerturbedSide.Negative, PerturbationForm.Plus), 1e-14);
            AssertClose(Math.Sqrt((double)positive.Length / x.Length / 3), layer.PerturbationRms(PerturbedSide.Positive, PerturbationForm.Uniform), 1e-14);
            Assert.Equal(1, layer.PerturbationRms(PerturbedSide.Both, PerturbationForm.Minus));
        }
    }

    [Fact]
    public void The_batch_changes_no_bit()
    {
        double[][] found = [.. new[] { 1, 2, 128 }.Select(batch =>
        {
            var statistics = new ReluStatistics(0, ActivationSpec.Parse("composite:alpha=5").Build(), Ranges());
            Evaluation.Of(RandomNetwork.Backbone, RandomNetwork.Sample, Images, Normalization.Cifar10, _workspace, batch, [statistics]);
            return statistics.ByPath.Values.SelectMany(l => new[] { l.InputRms, l.OutputRms, l.PerturbationRms(PerturbedSide.Both, PerturbationForm.Own) }).ToArray();
        })];
        Assert.Equal(found[0], found[1]);
        Assert.Equal(found[0], found[2]);
    }

    [Fact]
    public void Inputs_that_are_not_finite_are_refused()
    {
        ResNet broken = RandomNetwork.Make(2);
        broken.Parameters.All.First(p => p.Name == "bn1.bias").Update(values => values[0] = float.NaN);
        var error = Assert.Throws<BadInputException>(() => ReluStatistics.Measure(broken, RandomNetwork.Sample, Images, Normalization.Cifar10, _workspace));
        Assert.Equal($"statistics: at relu, 3 images of {RandomNetwork.Sample.Source}: expected finite inputs, found some that are not", error.Message);
    }

    private static ActivationRanges Ranges() => ActivationRanges.Parse("layer", [.. RandomNetwork.Backbone.Activations.Select(a => a.Path)], RandomNetwork.Largest, 1.05);

    private static void AssertClose(double expected, double found, double relative)
        => Assert.True(Math.Abs(found - expected) <= relative * expected, $"{found} for {expected}");
}
