using System.Numerics.Tensors;
using PannCore.Data;
using PannCore.Engine;
using PannCore.Nn;
using PannCore.Training;
using Tensor = PannCore.Engine.Tensor;

namespace PannCore.Diagnostics;

/// <summary>
/// The same network with every channel of every activation brought to the same range. A (leaky) ReLU is positively homogeneous, f(s x) = s f(x) for s > 0, so a factor on a channel in front of it,
/// in batch-norm's scale and shift, and its inverse in the weights behind it change nothing but the last bits. A polynomial of range B is not: its error is a part of B, whatever the channel holds.
/// One range for all activations then costs no more than a range for each channel. No level, no multiplication, no training.
/// </summary>
/// <remarks>
/// Cross-layer equalisation is known from quantisation (Nagel et al. 2019, "Data-free quantization through weight equalization and bias correction"), where factors balance the weights; here they fill the range of a polynomial.
/// The channels of the skip connection have one factor through all blocks: where a shortcut widens, old channels keep theirs.
/// </remarks>
public static class Equalisation
{
    /// <summary>The largest |x| of each channel at each activation, over unaugmented images.</summary>
    /// <param name="backbone">The network; its activations are taken for what they stand for.</param>
    /// <param name="training">Training images.</param>
    /// <param name="images">Indices of those to measure on.</param>
    /// <param name="normalization">The normalisation the network was trained with.</param>
    /// <param name="workspace">Threads and memory.</param>
    /// <param name="progress">Told the number of images done.</param>
    /// <param name="cancellation">Stops between batches.</param>
    /// <exception cref="BadInputException">An input is not finite.</exception>
    public static IReadOnlyDictionary<string, float[]> Measure(
        ResNet backbone, Cifar10 training, int[] images, Normalization normalization, Workspace workspace, IProgress<int>? progress = null, CancellationToken cancellation = default)
    {
        var largest = new Largest();
        Evaluation.Of(backbone.Ideal(), training, images, normalization, workspace, observers: [largest], progress: progress, cancellation: cancellation);
        foreach ((string path, float[] channels) in largest.ByPath)
        {
            int bad = Array.FindIndex(channels, value => !float.IsFinite(value));
            if (bad >= 0) throw new BadInputException(FormattableString.Invariant($"equalisation: at {path}, channel {bad}: expected finite inputs, found {channels[bad]}"));
        }
        return largest.ByPath;
    }

    /// <summary>The equalised network: the largest |x| of each channel becomes 1, of the channels of the skip connection the largest over all activations that they pass.</summary>
    /// <param name="backbone">The network.</param>
    /// <param name="largest">What <see cref="Measure"/> found.</param>
    /// <returns>The network over weights of its own, and the largest |x| at each activation.</returns>
    public static (ResNet Network, IReadOnlyDictionary<string, double> LargestInputs) Of(ResNet backbone, IReadOnlyDictionary<string, float[]> largest)
    {
        ArgumentNullException.ThrowIfNull(backbone);
        var parameters = new ResNet(backbone.Depth).Parameters;
        parameters.CopyFrom(backbone.Parameters);
        BasicBlock[] blocks = [.. backbone.Tree.OfType<BasicBlock>()];
        string[] stream = ["relu", .. blocks.Select(block => $"{block.Path}.relu2")];

        // By the channels of the last stage, in the middle of which the channels of the stages before it lie.
        float[] skip = new float[largest[stream[^1]].Length];
        foreach (string path in stream)
        {
            float[] channels = largest[path];
            for (int c = 0; c < channels.Length; c++) skip[c + ((skip.Length - channels.Length) / 2)] = Math.Max(skip[c + ((skip.Length - channels.Length) / 2)], channels[c]);
        }
        double[] Skip(string path) => [.. skip.AsSpan((skip.Length - largest[path].Length) / 2, largest[path].Length).ToArray().Select(Factor)];

        var inputs = new Dictionary<string, double>();
        void Scaled(string path, string norm, double[] factors)
        {
            foreach (string name in (string[])[$"{norm}.weight", $"{norm}.bias"])
            {
                parameters.Find(name)!.Update(values =>
                {
                    for (int c = 0; c < values.Length; c++) values[c] = (float)(values[c] * factors[c]);
                });
            }
            inputs[path] = largest[path].Select((value, c) => value * factors[c]).Max();
        }
        void Undone(string weight, double[] factors) => parameters.Find(weight)!.Update(values =>
        {
            int window = values.Length / parameters.Find(weight)!.Shape[0] / factors.Length;
            for (int i = 0; i < values.Length; i++) values[i] = (float)(values[i] / factors[i / window % factors.Length]);
        });

        Scaled("relu", "bn1", Skip("relu"));
        string before = "relu";
        foreach (BasicBlock block in blocks)
        {
            double[] inside = [.. largest[$"{block.Path}.relu1"].Select(Factor)];
            Undone($"{block.Path}.conv1.weight", Skip(before));
            Scaled($"{block.Path}.relu1", $"{block.Path}.bn1", inside);
            Undone($"{block.Path}.conv2.weight", inside);
            before = $"{block.Path}.relu2";
            Scaled(before, $"{block.Path}.bn2", Skip(before));
        }
        Undone("linear.weight", Skip(before));
        Dictionary<string, ActivationFunction> functions = backbone.Activations.ToDictionary(activation => activation.Path, activation => activation.Function);
        return (new ResNet(backbone.Depth, parameters, path => functions[path]), inputs);
    }

    /// <summary>A channel without inputs keeps its scale.</summary>
    private static double Factor(float largest) => largest > 0 ? 1.0 / largest : 1;

    private sealed class Largest : IDivisibleObserver
    {
        public OrderedDictionary<string, float[]> ByPath { get; } = [];

        public bool Watches(Op op) => op.Activation is not null;

        public IDivisibleObserver Part() => new Largest();

        public void Add(IDivisibleObserver part)
        {
            if (part is not Largest other || other == this) throw new ArgumentException("expected another observer of the largest inputs", nameof(part));
            foreach ((string path, float[] seen) in other.ByPath)
            {
                float[] largest = At(path, seen.Length);
                TensorPrimitives.Max(seen, largest, largest);
            }
        }

        public void Forward(Op op, string path, IReadOnlyList<Tensor> inputs, Tensor output)
        {
            ReadOnlySpan<float> x = inputs[0].Values;
            int channels = inputs[0].Shape[inputs[0].Shape.Rank - 1];
            float[] largest = At(path, channels);
            Span<float> sizes = stackalloc float[channels];
            for (int first = 0; first < x.Length; first += channels)
            {
                TensorPrimitives.Abs(x.Slice(first, channels), sizes);
                TensorPrimitives.Max(sizes, largest, largest);
            }
        }

        private float[] At(string path, int channels) => ByPath.TryGetValue(path, out float[]? largest) ? largest : ByPath[path] = new float[channels];
    }
}
