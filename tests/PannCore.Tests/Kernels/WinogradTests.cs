using PannCore.Engine;
using PannCore.Kernels;
using PannCore.Tests.Support;
using Xunit;

namespace PannCore.Tests.Kernels;

/// <summary>
/// Winograd's F(2x2, 3x3) against naive float64 loops. Tolerances are bounds: a transformed patch value is a sum of 4 of 16 inputs, a transformed weight is at most the sum of
/// nine magnitudes, an output is a sum of 9 products of such; n roundings cost gamma_n of the sum of magnitudes.
/// </summary>
public sealed class WinogradTests
{
    private const double UnitRoundoff = 1.0 / (1 << 24);

    public static TheoryData<int, int, int, int, int> Shapes => new()
    {
        { 2, 32, 32, 16, 16 },
        { 2, 16, 16, 32, 32 },
        { 5, 8, 8, 64, 64 },
        { 3, 7, 9, 32, 16 },
        { 1, 1, 1, 16, 16 },
        { 2, 5, 4, 64, 32 },
        { 9, 2, 3, 16, 64 },
        { 1, 1, 6, 32, 64 },
    };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void ForwardAgreesWithNaiveLoops(int n, int h, int w, int c, int k)
    {
        Case data = new(n, h, w, c, k);
        var x = new Guarded<float>(data.X);
        var y = new Guarded<float>(n * h * w * k);
        Run(data.G, transposed: false, n, data.W, x.Memory, y.Memory);
        y.AssertIntact();
        Compare(y.Values, data.Naive(data.X, transposed: false), data.Bound(data.X, transposed: false));
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void DataGradientAgreesWithNaiveLoops(int n, int h, int w, int c, int k)
    {
        Case data = new(n, h, w, c, k);
        var dy = new Guarded<float>(data.Dy);
        var dx = new Guarded<float>(n * h * w * c);
        Run(data.G, transposed: true, n, data.W, dy.Memory, dx.Memory);
        dx.AssertIntact();
        Compare(dx.Values, data.Naive(data.Dy, transposed: true), data.Bound(data.Dy, transposed: true));
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void WeightGradientAgreesWithNaiveLoops(int n, int h, int w, int c, int k)
    {
        Case data = new(n, h, w, c, k);
        Assert.True(WinogradPlan.Applies(data.G));
        var plan = new WinogradPlan(data.G, transposed: false);
        Guarded<float> x = new(data.X), dy = new(data.Dy), dw = new(data.W.Length), partials = new(ConvWeightGradient.Partials(n) * plan.PackedLength);
        using var one = new Workers(1);
        using var three = new Workers(3);
        WinogradWeightGradient.Run(plan, n, x.Memory, dy.Memory, partials.Memory, dw.Memory, one);
        dw.AssertIntact();
        partials.AssertIntact();
        float[] first = dw.Values;
        WinogradWeightGradient.Run(plan, n, x.Memory, dy.Memory, partials.Memory, dw.Memory, three);
        Assert.Equal(first, dw.Values);
        (double[] naive, double[] bound) = data.WeightGradient();
        Compare(first, naive, bound);
    }

    [Theory]
    [InlineData(32, 16)]
    [InlineData(16, 32)]
    [InlineData(8, 64)]
    public void OnGaussianDataItsErrorIsBelowTheDirectOnes(int side, int channels)
    {
        Case data = new(4, side, side, channels, channels);
        Assert.True(WinogradPlan.Applies(data.G));
        float[] winograd = new float[data.Dy.Length], direct = new float[data.Dy.Length];
        Run(data.G, transposed: false, 4, data.W, data.X, winograd);
        using var workers = new Workers(2);
        ConvPlan<float> plan = ConvPlan<float>.Forward(data.G);
        workers.Run(new ConvForwardJob<float>(plan, data.X, plan.Pack(data.W, 3), direct), 4);
        double[] naive = data.Naive(data.X, transposed: false);
        double Largest(float[] y) => y.Zip(naive, (a, b) => Math.Abs(a - b)).Max();
        Assert.InRange(Largest(winograd), 0, Largest(direct));
    }

    private static void Run(ConvGeometry g, bool transposed, int images, float[] weights, ReadOnlyMemory<float> from, Memory<float> to)
    {
        Assert.True(WinogradPlan.Applies(g));
        var plan = new WinogradPlan(g, transposed);
        float[] packed = new float[plan.PackedLength];
        plan.Pack(weights, packed);
        using var workers = new Workers(2);
        workers.Run(new WinogradForwardJob(plan, images, from, packed, to), plan.Chunks(images));
    }

    private static void Compare(float[] found, double[] expected, double[] bound)
    {
        for (int i = 0; i < expected.Length; i++) Assert.True(Math.Abs(found[i] - expected[i]) <= bound[i], $"element {i}: {found[i]} for {expected[i]}, bound {bound[i]}");
    }

    private sealed class Case
    {
        private readonly int _images;

        public Case(int images, int h, int w, int c, int k)
        {
            _images = images;
            G = new(h, w, c, k, 3, 3, 1, 1);
            (X, W, Dy) = (Values(1, images * h * w * c), Values(2, k * c * 9), Values(3, images * h * w * k));
            static float[] Values(int step, int length)
            {
                var random = new CounterRandom(5, RandomStream.Weights, step);
                return [.. Enumerable.Range(0, length).Select(i => (float)random.Normal(i))];
            }
        }

        public ConvGeometry G { get; }

        public float[] X { get; }

        public float[] W { get; }

        public float[] Dy { get; }

        public double[] Naive(float[] from, bool transposed)
        {
            (int inputs, int outputs) = transposed ? (G.K, G.C) : (G.C, G.K);
            double[] to = new double[_images * G.H * G.W * outputs];
            for (int i = 0; i < to.Length; i++)
            {
                int o = i % outputs, x = i / outputs % G.W, y = i / outputs / G.W % G.H, n = i / outputs / G.W / G.H;
                for (int tap = 0; tap < 9; tap++)
                {
                    int fy = y + (transposed ? 1 - (tap / 3) : (tap / 3) - 1), fx = x + (transposed ? 1 - (tap % 3) : (tap % 3) - 1);
                    if (fy < 0 || fx < 0 || fy >= G.H || fx >= G.W) continue;
                    for (int c = 0; c < inputs; c++)
                        to[i] += (double)from[(((((n * G.H) + fy) * G.W) + fx) * inputs) + c] * W[(9 * (transposed ? (c * G.C) + o : (o * G.C) + c)) + tap];
                }
            }
            return to;
        }

        public double[] Bound(float[] from, bool transposed)
        {
            (int inputs, int outputs) = transposed ? (G.K, G.C) : (G.C, G.K);
            double[] bound = new double[_images * G.H * G.W * outputs];
            double gamma = (inputs + 8) * UnitRoundoff / (1 - ((inputs + 8) * UnitRoundoff));
            for (int i = 0; i < bound.Length; i++)
            {
                int o = i % outputs, x = i / outputs % G.W, y = i / outputs / G.W % G.H, n = i / outputs / G.W / G.H;
                for (int c = 0; c < inputs; c++)
                {
                    double weights = Enumerable.Range(0, 9).Sum(tap => Math.Abs((double)W[(9 * (transposed ? (c * G.C) + o : (o * G.C) + c)) + tap]));
                    bound[i] += 9 * gamma * weights * Patch(from, inputs, n, y / 2, x / 2, c);
                }
            }
            return bound;
        }

        public (double[] Naive, double[] Bound) WeightGradient()
        {
            double[] dw = new double[W.Length], bound = new double[W.Length];
            int down = (G.H + 1) / 2, across = (G.W + 1) / 2, roundings = (_images * down * across) + 12;
            for (int pair = 0; pair < G.K * G.C; pair++)
            {
                (int k, int c) = (pair / G.C, pair % G.C);
                double magnitude = 0;
                for (int n = 0; n < _images; n++)
                {
                    for (int y = 0; y < G.H; y++)
                    {
                        for (int x = 0; x < G.W; x++)
                        {
                            double d = Dy[(((((n * G.H) + y) * G.W) + x) * G.K) + k];
                            magnitude += Math.Abs(d) * Patch(X, G.C, n, y / 2, x / 2, c);
                            for (int tap = 0; tap < 9; tap++)
                            {
                                int fy = y + (tap / 3) - 1, fx = x + (tap % 3) - 1;
                                if (fy >= 0 && fx >= 0 && fy < G.H && fx < G.W) dw[(9 * pair) + tap] += d * X[(((((n * G.H) + fy) * G.W) + fx) * G.C) + c];
                            }
                        }
                    }
                }

                // Every weight's gradient is made of the 16 values of the domain with factors that sum to at most 4.
                for (int tap = 0; tap < 9; tap++) bound[(9 * pair) + tap] = 4 * roundings * UnitRoundoff / (1 - (roundings * UnitRoundoff)) * magnitude;
            }
            return (dw, bound);
        }

        /// <summary>Sum of magnitudes over the 4 x 4 patch of a tile, zero outside the image.</summary>
        private double Patch(float[] image, int channels, int n, int ty, int tx, int c)
        {
            double sum = 0;
            for (int y = Math.Max(0, (2 * ty) - 1); y < Math.Min(G.H, (2 * ty) + 3); y++)
            {
                for (int x = Math.Max(0, (2 * tx) - 1); x < Math.Min(G.W, (2 * tx) + 3); x++) sum += Math.Abs((double)image[(((((n * G.H) + y) * G.W) + x) * channels) + c]);
            }
            return sum;
        }
    }
}
