using System.Numerics.Tensors;
using PannCore.Engine;
using PannCore.Kernels;
using PannCore.Nn;
using PannCore.Ops;
using Tensor = PannCore.Engine.Tensor;

namespace PannCore.Training;

/// <summary>(Leaky) ReLU with noise, uniform in [-c, c), on its output where the input lies on a side: in training only.</summary>
/// <param name="Noise">Where, and how large c is.</param>
/// <param name="Slope">Slope for negative inputs.</param>
/// <param name="Random">The numbers of this step and layer.</param>
/// <param name="Images">The number of each image of the batch.</param>
internal sealed record NoisyRelu(Noise Noise, float Slope, CounterRandom Random, ReadOnlyMemory<int> Images) : ActivationFunction
{
    public override ActivationFunction Ideal => new Relu(Slope);

    public override Tensor Apply(Tensor x)
    {
        double size = Noise.Unit == NoiseUnit.Rms ? Noise.Size * OutputRms(x) : Noise.Size;
        return x.PerturbedRelu(new(Noise.Side, PerturbationForm.Uniform, size, Slope: Slope), Random, Images);
    }

    /// <summary>RMS of the ReLU's output over the batch, which the gradient takes as a constant. Sums of images are added in their order: the same bits for any number of threads.</summary>
    private double OutputRms(Tensor x)
    {
        double[] squares = new double[x.Shape[0]];
        x.Run.Workspace.Workers.Run(new Job(x.Memory, Slope, squares), squares.Length);
        return Math.Sqrt(squares.Sum() / x.Shape.Length);
    }

    private readonly struct Job(ReadOnlyMemory<float> x, float slope, double[] squares) : IJob
    {
        public void Run(int chunk, Scratch scratch)
        {
            int size = x.Length / squares.Length;
            ReadOnlySpan<float> image = x.Span.Slice(chunk * size, size);
            Span<float> block = stackalloc float[256];
            double sum = 0;
            for (int first = 0; first < size; first += block.Length)
            {
                ReadOnlySpan<float> values = image[first..Math.Min(size, first + block.Length)];
                Span<float> part = block[..values.Length];
                TensorPrimitives.Max(values, 0f, part);
                double positive = TensorPrimitives.SumOfSquares<float>(part);
                sum += slope == 0 ? positive : positive + (slope * (double)slope * (TensorPrimitives.SumOfSquares(values) - positive));
            }
            squares[chunk] = sum;
        }
    }
}
