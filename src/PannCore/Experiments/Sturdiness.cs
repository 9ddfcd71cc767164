using PannCore.Approximation;
using PannCore.Data;
using PannCore.Diagnostics;
using PannCore.Engine;
using PannCore.Nn;
using PannCore.Ops;
using PannCore.Training;

namespace PannCore.Experiments;

/// <summary>
/// How the mean loss of a network grows with the error that a polynomial makes at some of its activations, next to what the first two terms of its Taylor series say.
/// With e the polynomial's error at the input that arrives, which at later activations has been moved by the errors before, L(u) is the loss with u e added to the activations' outputs.
/// </summary>
/// <param name="Layer">The activation that gets the error; null for all of them at once.</param>
/// <param name="Factor">The largest u: the RMS of u e is <see cref="SturdinessStudy.Energy"/> times that of the activation's output.</param>
/// <param name="Growth">L(u) - L(0) there.</param>
/// <param name="FirstOrder">u L'(0), by a central difference over +-u/4.</param>
/// <param name="SecondOrder">u^2 L''(0) / 2, by the same three losses.</param>
public sealed record Sturdiness(string? Layer, double? Factor, double Growth, double FirstOrder, double SecondOrder)
{
    /// <summary>The growth that the two terms predict.</summary>
    public double Predicted => FirstOrder + SecondOrder;
}

/// <summary>
/// Sturdiness, in a definition of this project: the growth of the mean loss when every activation gets the error of its own polynomial, brought to a tenth of the activation's RMS. Neither
/// the scale of activations nor the size of errors has a part in it, because the error is measured against the signal. The error's shape still depends on where inputs lie in the range: most of it is a bias where most inputs are near 0.
/// </summary>
public sealed class SturdinessStudy
{
    /// <summary>RMS of the error over that of the activation's output.</summary>
    public const double Energy = 0.1;

    /// <summary>Steps of the differences, in units of the largest u.</summary>
    private const double Step = 0.25;

    private const int Batch = 128;

    private readonly ResNet _backbone;
    private readonly Cifar10 _data;
    private readonly int[] _images;
    private readonly Normalization _normalization;
    private readonly Workspace _workspace;
    private readonly ReluStatistics _statistics;
    private readonly ReluPolynomial _polynomial;
    private readonly ActivationRanges _ranges;

    /// <summary>A study of one network.</summary>
    /// <param name="backbone">The network.</param>
    /// <param name="polynomial">Whose error it gets.</param>
    /// <param name="ranges">The polynomials' ranges.</param>
    /// <param name="training">Images on which errors and activations are measured.</param>
    /// <param name="data">Images whose loss is taken.</param>
    /// <param name="images">Which of them.</param>
    /// <param name="normalization">The normalisation the network was trained with.</param>
    /// <param name="workspace">Threads and memory.</param>
    /// <param name="cancellation">Stops between batches.</param>
    public SturdinessStudy(ResNet backbone, ReluPolynomial polynomial, ActivationRanges ranges, Cifar10 training, Cifar10 data, int[] images, Normalization normalization, Workspace workspace, CancellationToken cancellation = default)
    {
        (_backbone, _polynomial, _ranges, _data, _images, _normalization, _workspace) = (backbone, polynomial, ranges, data, images, normalization, workspace);
        _statistics = ReluStatistics.Measure(backbone, training, [.. Enumerable.Range(0, training.Count)], normalization, workspace, polynomial, ranges, cancellation: cancellation);
        Loss = MeanLoss(0, layer: null, cancellation);
    }

    /// <summary>L(0).</summary>
    public double Loss { get; }

    /// <summary>One activation, or all at once.</summary>
    /// <param name="layer">The activation's path; null for all.</param>
    /// <param name="cancellation">Stops between batches.</param>
    public Sturdiness Of(string? layer, CancellationToken cancellation = default)
    {
        double above = MeanLoss(Step, layer, cancellation), below = MeanLoss(-Step, layer, cancellation), whole = MeanLoss(1, layer, cancellation);
        double? factor = layer is null ? null : Energy * _statistics.ByPath[layer].OutputRms / _statistics.ByPath[layer].PerturbationRms(PerturbedSide.Both, PerturbationForm.Own);
        return new(layer, factor, whole - Loss, (above - below) / (2 * Step), (above - (2 * Loss) + below) / (2 * Step * Step));
    }

    /// <summary>Mean of -ln softmax(logits)[label], with this share of the largest error.</summary>
    private double MeanLoss(double share, string? layer, CancellationToken cancellation)
    {
        var perturbation = new Perturbation(_backbone, PerturbationUnit.Energy, seed: 0, layer is null ? null : [layer], _statistics, _polynomial, _ranges);
        ResNet ideal = _backbone.Ideal();
        double sum = 0;
        foreach (int[] batch in _images.Chunk(Batch))
        {
            ResNet network = share == 0 ? ideal : perturbation.Network(new(PerturbedSide.Both, share > 0 ? PerturbationForm.Own : PerturbationForm.OwnReversed, Energy * Math.Abs(share)), batch);
            float[] logits = Evaluation.Of(network, _data, batch, _normalization, _workspace, Batch, cancellation: cancellation).Logits;
            int classes = logits.Length / batch.Length;
            for (int n = 0; n < batch.Length; n++)
            {
                ReadOnlySpan<float> row = logits.AsSpan(n * classes, classes);
                double largest = double.NegativeInfinity, exponentials = 0;
                foreach (float logit in row) largest = Math.Max(largest, logit);
                foreach (float logit in row) exponentials += Math.Exp(logit - largest);
                sum += largest + Math.Log(exponentials) - row[_data.Labels[batch[n]]];
            }
        }
        return sum / _images.Length;
    }
}
