using System.Numerics.Tensors;
using PannCore.Approximation;
using PannCore.Data;
using PannCore.Engine;
using PannCore.Kernels;
using PannCore.Nn;
using PannCore.Ops;
using PannCore.Training;
using Tensor = PannCore.Engine.Tensor;

namespace PannCore.Diagnostics;

/// <summary>
/// Watches the inputs x of a network's ReLUs: how large they are, on which side they lie, and the error a polynomial would make there.
/// It is what sizes of perturbations are measured in, so it must come from training images.
/// </summary>
public sealed class ReluStatistics : IRunObserver
{
    private readonly ReluPolynomial? _polynomial;
    private readonly ActivationRanges? _ranges;
    private readonly float _slope;
    private readonly OrderedDictionary<string, Layer> _byPath = [];
    private float[] _values = [];

    /// <summary>Statistics of a network with ReLUs.</summary>
    /// <param name="slope">The ReLUs' slope for negative inputs.</param>
    /// <param name="polynomial">The polynomial whose error is measured too; null for none.</param>
    /// <param name="ranges">Its ranges.</param>
    public ReluStatistics(float slope = 0, ReluPolynomial? polynomial = null, ActivationRanges? ranges = null)
    {
        if (polynomial is not null) ArgumentNullException.ThrowIfNull(ranges);
        (_slope, _polynomial, _ranges) = (slope, polynomial, ranges);
    }

    /// <summary>What was seen at one activation.</summary>
    public sealed class Layer
    {
        /// <summary>Number of inputs.</summary>
        public long Count { get; internal set; }

        /// <summary>Share of inputs below 0.</summary>
        public double NegativeShare => (double)Negative / Count;

        /// <summary>Root mean square of the inputs.</summary>
        public double InputRms => Math.Sqrt(InputSquares / Count);

        /// <summary>Root mean square of the ReLU's outputs.</summary>
        public double OutputRms => Math.Sqrt(OutputSquares / Count);

        internal long Negative { get; set; }

        internal double InputSquares { get; set; }

        internal double OutputSquares { get; set; }

        internal double ErrorSquaresNegative { get; set; }

        internal double ErrorSquaresPositive { get; set; }

        /// <summary>Root mean square, over <em>all</em> elements, of a perturbation of size c = 1: what is left alone counts as 0.</summary>
        public double PerturbationRms(PerturbedSide side, PerturbationForm form)
        {
            double share = side switch { PerturbedSide.Negative => Negative, PerturbedSide.Positive => Count - Negative, _ => Count };
            double error = side switch { PerturbedSide.Negative => ErrorSquaresNegative, PerturbedSide.Positive => ErrorSquaresPositive, _ => ErrorSquaresNegative + ErrorSquaresPositive };
            return Math.Sqrt((ReluPerturbation.IsOwn(form) ? error : form == PerturbationForm.Uniform ? share / 3 : share) / Count);
        }
    }

    /// <summary>What was seen, by the activation's path, in the order of execution.</summary>
    public IReadOnlyDictionary<string, Layer> ByPath => _byPath;

    /// <inheritdoc/>
    public bool Watches(Op op) => op.Activation is not null;

    /// <inheritdoc/>
    public void Forward(Op op, string path, IReadOnlyList<Tensor> inputs, Tensor output)
    {
        if (!_byPath.TryGetValue(path, out Layer? layer)) _byPath[path] = layer = new Layer();
        ReadOnlySpan<float> x = inputs[0].Values, y = output.Values;
        PolynomialForm<double>? form = _polynomial is null ? null : PolynomialRelu.Form<double>(_polynomial, _ranges![path]);
        int images = inputs[0].Shape[0], size = x.Length / images;
        if (_values.Length < size) _values = new float[size];
        layer.Count += x.Length;

        // Sums of one image at a time, added in the order of the images: the batch changes no bit.
        for (int n = 0; n < images; n++)
        {
            ReadOnlySpan<float> from = x.Slice(n * size, size);
            layer.InputSquares += TensorPrimitives.SumOfSquares(from);
            layer.OutputSquares += TensorPrimitives.SumOfSquares(y.Slice(n * size, size));
            foreach (float value in from) layer.Negative += value < 0 ? 1 : 0;
            if (form is null) continue;
            Span<float> error = _values.AsSpan(0, size);
            PolynomialKernel.Forward(form, from, error);
            double negative = 0, positive = 0;
            for (int i = 0; i < size; i++)
            {
                double e = error[i] - (from[i] > 0 ? from[i] : (double)from[i] * _slope);
                if (from[i] < 0) negative += e * e;
                else positive += e * e;
            }
            layer.ErrorSquaresNegative += negative;
            layer.ErrorSquaresPositive += positive;
        }
    }

    /// <summary>Statistics over unaugmented training images of the network that <paramref name="model"/> stands for.</summary>
    /// <exception cref="BadInputException">The network's activations are not finite.</exception>
    public static ReluStatistics Measure(
        ResNet model, Cifar10 training, int[] indices, Normalization normalization, Workspace workspace, ReluPolynomial? polynomial = null, ActivationRanges? ranges = null,
        IProgress<int>? progress = null, CancellationToken cancellation = default)
    {
        ResNet ideal = model.Ideal();
        float slope = ideal.Activations[0].Function is ActivationFunction.Relu relu ? relu.Slope : 0;
        var statistics = new ReluStatistics(slope, polynomial, ranges);
        Evaluation.Of(ideal, training, indices, normalization, workspace, observers: [statistics], progress: progress, cancellation: cancellation);
        foreach ((string path, Layer layer) in statistics.ByPath)
        {
            if (!double.IsFinite(layer.InputSquares)) throw new BadInputException($"statistics: at {path}, {indices.Length} images of {training.Source}: expected finite inputs, found some that are not");
        }
        return statistics;
    }
}
