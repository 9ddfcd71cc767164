using PannCore.Kernels;
using PannCore.Nn;

namespace PannCore.Perf;

/// <summary>
/// Kernels outside the operations of a network: the sums of products that a refit solves (rows of 16 images at the three stage shapes), the search for the largest input of each image,
/// and the optimiser's step for the parameters of ResNet-20, on one thread as the optimiser runs it. Operations of the sums: those of the upper triangle and of the channels beside it.
/// Bytes an element: the search reads x; the step reads weight, velocity and gradient and writes the first two.
/// </summary>
internal static class InstrumentCases
{
    private const int Images = 16;

    private static readonly int Parameters = new ResNet(20).Parameters.All.Where(parameter => parameter.Trainable).Sum(parameter => parameter.Shape.Length);

    public static IEnumerable<Case> All => [Sums("stage1 32x32x16", 32, 16), Sums("stage2 16x16x32", 16, 32), Sums("stage3 8x8x64", 8, 64), Largest(), Step()];

    private static Case Sums(string stage, int side, int channels)
    {
        int size = (9 * channels) + 1, places = Images * side * side, first = GramJob.Panels(size), panels = GramJob.Panels(size + channels), columns = panels * GramJob.Panel;
        string name = $"{stage}, refit's sums of products";
        return new(name, new(Flops: 2.0 * places * ((size * (size + 1) / 2) + (size * channels)), Items: places), () =>
        {
            Memory<float> matrix = AlignedBuffer.Allocate<float>(places * columns);
            Values(places * columns).CopyTo(matrix);
            double[] sums = new double[first * GramJob.Panel * columns];
            var workers = new Workers(Environment.ProcessorCount);
            Run();
            for (int i = 0; i < size; i += 7)
            {
                for (int j = i; j < size + channels; j += 5)
                {
                    double expected = 0;
                    for (int p = 0; p < places; p++) expected += (double)matrix.Span[GramJob.At(places, p, i)] * matrix.Span[GramJob.At(places, p, j)];
                    // Blocks of 256 products below 1 are summed in float32.
                    if (!(Math.Abs(sums[(i * columns) + j] - expected) <= 1e-5 * places)) throw new InvalidOperationException($"{name}: {i}, {j}: expected {expected}, found {sums[(i * columns) + j]}");
                }
            }
            return new(workers, Run, workers);

            void Run() => workers.Run(new GramJob(matrix, places, panels, first, sums), GramJob.Chunks(panels, first));
        });
    }

    private static Case Largest()
    {
        const int size = 32 * 32 * 16, images = Operation.Images;
        const string name = "stage1 32x32x16, largest input of each image";
        return new(name, new(Bytes: 4.0 * images * size, Items: images * size), () =>
        {
            float[] x = Values(images * size), found = new float[images];
            var workers = new Workers(Environment.ProcessorCount);
            Run();
            for (int n = 0; n < images; n++)
            {
                float expected = x.Skip(n * size).Take(size).Max(Math.Abs);
                if (found[n] != expected) throw new InvalidOperationException($"{name}: image {n}: expected {expected}, found {found[n]}");
            }
            return new(workers, Run, workers);

            void Run() => workers.Run(new LargestJob(x, size, found), images);
        });
    }

    private static Case Step()
    {
        const string name = "optimiser's step, ResNet-20, one thread";
        const float scale = 0.5f, momentum = 0.9f, decay = 5e-4f, rate = 1e-3f;
        return new(name, new(Bytes: 20.0 * Parameters, Items: Parameters), () =>
        {
            float[] w = Values(Parameters), v = Values(Parameters), g = Values(Parameters), before = [.. w], velocity = [.. v];
            var workers = new Workers(1);
            Run();
            for (int i = 0; i < Parameters; i++)
            {
                double next = (momentum * velocity[i]) + (scale * (double)g[i]) + (decay * (double)before[i]);
                // Values below 2, a few roundings of 2^-24.
                if (!(Math.Abs(v[i] - next) <= 1e-6) || !(Math.Abs(w[i] - (before[i] - (rate * next))) <= 1e-6)) throw new InvalidOperationException($"{name}: parameter {i}: expected a velocity of {next}, found {v[i]}");
            }
            return new(workers, Run, workers);

            void Run() => MomentumStep.Run(w, v, g, scale, momentum, decay, rate);
        });
    }

    /// <summary>Uniform in [-1, 1).</summary>
    private static float[] Values(int length)
    {
        var random = new Random(length);
        return [.. Enumerable.Range(0, length).Select(_ => (2 * random.NextSingle()) - 1)];
    }

    private readonly struct LargestJob(float[] x, int size, float[] found) : IJob
    {
        public void Run(int chunk, Scratch scratch) => found[chunk] = LargestMagnitude.Of(x.AsSpan(chunk * size, size));
    }
}
