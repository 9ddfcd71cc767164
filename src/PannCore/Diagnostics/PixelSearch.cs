using System.Numerics.Tensors;
using PannCore.Data;
using PannCore.Engine;
using PannCore.Nn;
using Tensor = PannCore.Engine.Tensor;

namespace PannCore.Diagnostics;

/// <summary>
/// Projected ascent along the sign of the gradient, in pixels: each step moves every byte by a whole number towards a larger |x|/B at the input that is
/// farthest out, and cuts it off at 0 and 255. The gradient is the PANN's own, up to the first activation whose range is left: before it every polynomial is inside its range.
/// </summary>
/// <param name="pann">The network.</param>
/// <param name="normalization">The normalisation the network was trained with.</param>
/// <param name="workspace">Threads and memory.</param>
internal sealed class PixelSearch(ResNet pann, Normalization normalization, Workspace workspace)
{
    /// <summary>Steps taken.</summary>
    public const int Steps = 32;

    /// <summary>The image found: the farthest out of all on the way.</summary>
    /// <param name="start">The image to start from, 3,072 bytes.</param>
    /// <param name="cancellation">Stops between steps.</param>
    public byte[] From(ReadOnlySpan<byte> start, CancellationToken cancellation = default)
    {
        byte[] pixels = start.ToArray(), best = start.ToArray();
        var loader = new BatchLoader(new Cifar10(pixels, [0], "search"), normalization);
        double bestShare = double.NegativeInfinity;
        for (int step = 0; step <= Steps; step++)
        {
            cancellation.ThrowIfCancellationRequested();
            var farthest = new Farthest();
            using var run = new Run(workspace, Statistics.Evaluation, tape: true, [farthest]);
            Tensor loaded = loader.Load(run, new[] { 0 }), input = run.Input(loaded.Shape, loaded.Values, needsGradient: true);
            pann.Call(input);
            if (farthest.Share > bestShare)
            {
                bestShare = farthest.Share;
                pixels.CopyTo(best, 0);
            }
            if (step == Steps || farthest.Input is null) break;
            float[] seed = new float[farthest.Input.Shape.Length];
            seed[farthest.Element] = MathF.Sign(farthest.Input.Values[farthest.Element]);
            Move(pixels, run.Backward(farthest.Input, seed)[input], Size(step));
        }
        return best;
    }

    /// <summary>16, 16, 15, 15, ... 1, 1: together 272, enough to go from any byte to any other.</summary>
    private static int Size(int step) => (Steps - step + 1) / 2;

    /// <summary>The gradient is one of [row, column, channel], pixels are [channel, row, column].</summary>
    private static void Move(byte[] pixels, ReadOnlySpan<float> gradient, int size)
    {
        int plane = pixels.Length / 3;
        for (int i = 0; i < gradient.Length; i++)
        {
            ref byte pixel = ref pixels[(i % 3 * plane) + (i / 3)];
            if (!float.IsNaN(gradient[i])) pixel = (byte)Math.Clamp(pixel + (size * Math.Sign(gradient[i])), 0, 255);
        }
    }

    /// <summary>The input that is farthest out, up to the first activation whose range is left. A run with a tape keeps its tensors until the backward pass.</summary>
    private sealed class Farthest : IRunObserver
    {
        public Tensor? Input { get; private set; }

        public int Element { get; private set; }

        public double Share { get; private set; }

        public void Forward(Op op, string path, IReadOnlyList<Tensor> inputs, Tensor output)
        {
            if (op.Activation?.Range is not double range || Share > 1) return;
            int element = TensorPrimitives.IndexOfMaxMagnitude(inputs[0].Values);
            double share = Math.Abs((double)inputs[0].Values[element]) / range;
            if (share > Share) (Input, Element, Share) = (inputs[0], element, share);
        }
    }
}
