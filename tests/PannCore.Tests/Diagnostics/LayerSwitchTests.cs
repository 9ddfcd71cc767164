using PannCore.Data;
using PannCore.Diagnostics;
using PannCore.Engine;
using PannCore.Nn;
using PannCore.Training;
using Xunit;

namespace PannCore.Tests.Diagnostics;

public sealed class LayerSwitchTests : IDisposable
{
    private static readonly int[] Images = [1, 20, 300, 301, 999];

    private readonly Workspace _workspace = new(2, fillWithNaN: true);

    public void Dispose() => _workspace.Dispose();

    [Fact]
    public void Shares_sum_to_the_change_of_the_margin_and_each_is_that_of_its_network()
    {
        ResNet pann = RandomNetwork.Pann("composite:alpha=5");
        IReadOnlyList<LayerShare> shares = LayerSwitch.FirstToLast(pann, RandomNetwork.Sample, Images, Normalization.Cifar10, _workspace);
        Assert.Equal(RandomNetwork.Backbone.Activations.Select(a => a.Path), shares.Select(s => s.Path));

        Evaluation ideal = Of(RandomNetwork.Backbone), all = Of(pann);
        double change = Margin(all, ideal.Predictions) - Margin(ideal, ideal.Predictions);
        Assert.True(Math.Abs(change) > 0.01, $"a change of {change} shows nothing");
        // 20 sums and differences of float64 numbers of the size of a logit.
        Assert.Equal(change, shares.Sum(s => s.LogitShare), 40 * Math.ScaleB(1, -52) * ideal.Logits.Max(Math.Abs));
        Assert.Equal(all.Accuracy, shares[^1].Accuracy);

        foreach (int k in new[] { 1, 10, 19 })
        {
            Evaluation before = Of(Switched(pann, k - 1)), after = Of(Switched(pann, k));
            Assert.Equal(Margin(after, ideal.Predictions) - Margin(before, ideal.Predictions), shares[k - 1].LogitShare, 1e-12);
            Assert.Equal(Math.Sqrt(after.Logits.Zip(before.Logits, (a, b) => ((double)a - b) * ((double)a - b)).Average()), shares[k - 1].LogitRms, 1e-12);
            Assert.Equal(after.Accuracy, shares[k - 1].Accuracy);
        }
    }

    [Fact]
    public void A_network_without_polynomials_changes_nothing()
        => Assert.All(
            LayerSwitch.FirstToLast(RandomNetwork.Backbone, RandomNetwork.Sample, Images[..1], Normalization.Cifar10, _workspace),
            share => Assert.Equal((0.0, 0.0), (share.LogitShare, share.LogitRms)));

    private static ResNet Switched(ResNet pann, int first)
    {
        var polynomials = pann.Activations.Take(first).ToDictionary(a => a.Path, a => a.Function);
        return pann.With(path => polynomials.TryGetValue(path, out ActivationFunction? function) ? function : new ActivationFunction.Relu());
    }

    private Evaluation Of(ResNet model) => Evaluation.Of(model, RandomNetwork.Sample, Images, Normalization.Cifar10, _workspace);

    private static double Margin(Evaluation evaluation, int[] classes)
        => classes.Select((chosen, n) =>
        {
            float[] logits = evaluation.Logits[(n * 10)..((n + 1) * 10)];
            return logits[chosen] - logits.Where((_, k) => k != chosen).Max(v => (double)v);
        }).Average();
}
