using PannCore.Engine;
using PannCore.Kernels;
using PannCore.Ops;
using PannCore.Tests.Support;
using Xunit;
using Xunit.Abstractions;

namespace PannCore.Tests.Kernels;

/// <summary>
/// Winograd's F(2x2, 3x3) and F(4x4, 3x3) against naive float64 loops. Tolerances are bounds: n roundings cost gamma_n times the same algorithm with every number
/// replaced by its magnitude, run in float64 with matrices derived from the points of evaluation by Toom and Cook's construction (<see cref="ToomCook"/>).
/// </summary>
public sealed class WinogradTests(ITestOutputHelper log)
{
    private const double UnitRoundoff = 1.0 / (1 << 24);

    public static TheoryData<int, int, int, int, int, int> Shapes
    {
        get
        {
            var data = new TheoryData<int, int, int, int, int, int>();
            foreach (int output in new[] { 2, 4 })
            {
                data.Add(output, 2, 32, 32, 16, 16);
                data.Add(output, 2, 16, 16, 32, 32);
                data.Add(output, 9, 8, 8, 64, 64);
                data.Add(output, 3, 7, 9, 32, 16);
                data.Add(output, 1, 1, 1, 16, 16);
                data.Add(output, 2, 5, 4, 64, 32);
                data.Add(output, 9, 2, 3, 16, 64);
                data.Add(output, 1, 1, 6, 32, 64);
                data.Add(output, 2, 6, 1, 16, 16);
                data.Add(output, 2, 28, 27, 16, 16); // Blocks begin in the middle of a row of tiles.
            }
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void ForwardAgreesWithNaiveLoops(int output, int n, int h, int w, int c, int k)
    {
        Case data = new(n, h, w, c, k);
        var x = new Guarded<float>(data.X);
        var y = new Guarded<float>(n * h * w * k);
        Run(data.G, Form(output), transposed: false, n, data.W, x.Memory, y.Memory);
        y.AssertIntact();
        Compare(y.Values, data.Naive(data.X, transposed: false), data.Bound(output, data.X, transposed: false));
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void DataGradientAgreesWithNaiveLoops(int output, int n, int h, int w, int c, int k)
    {
        Case data = new(n, h, w, c, k);
        var dy = new Guarded<float>(data.Dy);
        var dx = new Guarded<float>(n * h * w * c);
        Run(data.G, Form(output), transposed: true, n, data.W, dy.Memory, dx.Memory);
        dx.AssertIntact();
        Compare(dx.Values, data.Naive(data.Dy, transposed: true), data.Bound(output, data.Dy, transposed: true));
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void WeightGradientAgreesWithNaiveLoops(int output, int n, int h, int w, int c, int k)
    {
        Case data = new(n, h, w, c, k);
        Assert.True(WinogradPlan.Applies(data.G));
        var plan = new WinogradPlan(data.G, Form(output), transposed: false);
        Guarded<float> x = new(data.X), dy = new(data.Dy), dw = new(data.W.Length), partials = new(ConvWeightGradient.Partials(n) * plan.PackedLength);
        using var one = new Workers(1);
        using var three = new Workers(3);
        WinogradWeightGradient.Run(plan, n, x.Memory, dy.Memory, partials.Memory, dw.Memory, one);
        dw.AssertIntact();
        partials.AssertIntact();
        float[] first = dw.Values;
        WinogradWeightGradient.Run(plan, n, x.Memory, dy.Memory, partials.Memory, dw.Memory, three);
        Assert.Equal(first, dw.Values);
        (double[] naive, double[] bound) = data.WeightGradient(output);
        Compare(first, naive, bound);
    }

    /// <summary>A workspace that names an algorithm gets it: results within that algorithm's bound, and other bits than the others'.</summary>
    [Theory]
    [InlineData(16)]
    [InlineData(32)]
    public void AnOperationComputesByTheAlgorithmThatItsWorkspaceNames(int channels)
    {
        Case data = new(2, 8, 8, channels, channels);
        var results = new List<float[][]>();
        foreach ((ConvAlgorithm algorithm, int output) in new[] { (ConvAlgorithm.Direct, 2), (ConvAlgorithm.Winograd2, 2), (ConvAlgorithm.Winograd4, 4) })
        {
            using var workspace = new Workspace(2, algorithm, fillWithNaN: true);
            var weight = new Parameter("w", new(channels, channels, 3, 3));
            weight.Set(data.W);
            using var run = new Run(workspace, Statistics.Training, tape: true);
            Tensor x = run.Input(new(2, 8, 8, channels), data.X, needsGradient: true), y = x.Conv2d(weight, 1, 1);
            float[] values = y.Values.ToArray();
            Gradients gradients = run.Backward(y, data.Dy);
            (double[] naive, double[] bound) = data.WeightGradient(output);
            // The direct sum's error is below the bound of F(2x2), whose terms are larger: Compare holds for it too.
            Compare(values, data.Naive(data.X, transposed: false), data.Bound(output, data.X, transposed: false));
            Compare(gradients[x].ToArray(), data.Naive(data.Dy, transposed: true), data.Bound(output, data.Dy, transposed: true));
            Compare(gradients[weight].ToArray(), naive, bound);
            results.Add([values, gradients[x].ToArray(), gradients[weight].ToArray()]);
        }
        for (int which = 0; which < 3; which++)
        {
            Assert.NotEqual(results[0][which], results[1][which]);
            Assert.NotEqual(results[0][which], results[2][which]);
            Assert.NotEqual(results[1][which], results[2][which]);
        }
    }

    /// <summary>
    /// 16 output channels have the bits that they have among 32: with 512 bits the former add planes up while they are in registers (<see cref="WinogradPlan.ByColumns"/>), the latter store all sixteen;
    /// blocks of tiles are of another size too, and begin elsewhere.
    /// </summary>
    [Theory]
    [InlineData(2, 32, 32, 16)]
    [InlineData(1, 7, 9, 64)]
    [InlineData(3, 28, 27, 16)]
    [InlineData(5, 1, 5, 32)]
    public void SixteenOutputChannelsHaveTheBitsThatTheyHaveAmongThirtyTwo(int n, int h, int w, int c)
    {
        Case all = new(n, h, w, c, 32);
        ConvGeometry half = all.G with { K = 16 };
        Assert.True(WinogradPlan.Applies(all.G) && WinogradPlan.Applies(half));
        Assert.Equal(OuterProduct.VectorBits == 512, new WinogradPlan(half, WinogradForm.Two, transposed: false).ByColumns);
        Assert.False(new WinogradPlan(all.G, WinogradForm.Two, transposed: false).ByColumns);
        float[] both = new float[n * h * w * 32], first = new float[n * h * w * 16];
        Run(all.G, WinogradForm.Two, transposed: false, n, all.W, all.X, both);
        Run(half, WinogradForm.Two, transposed: false, n, all.W[..(16 * c * 9)], all.X, first);
        Assert.Equal([.. both.Where((_, i) => i % 32 < 16)], first);
    }

    /// <summary>What the bound of <see cref="PannCore.Ops.Conv2d"/> takes from the form, against the matrices.</summary>
    [Theory]
    [InlineData(2)]
    [InlineData(4)]
    public void TheFormSaysHowLargeItsMatricesAre(int output)
    {
        ToomCook matrices = ToomCook.Magnitudes(output);
        WinogradForm form = Form(output);
        int n = output + 2;
        Assert.Equal(matrices.B.Max(), form.LargestInput, 1e-12);
        Assert.Equal(Enumerable.Range(0, output).Max(i => matrices.A[(i * n)..((i + 1) * n)].Sum()), form.LargestOutput, 1e-12);
        Assert.Equal(1, matrices.G.Max(), 1e-12);
        Assert.Equal(Roundings(output), form.Roundings);
        for (int i = 0; i < matrices.G.Length; i++) Assert.Equal(matrices.G[i], Math.Abs(form.Kernel[i]), 1e-12);
    }

    /// <summary>
    /// Measured, root mean square, at four widths, beside the direct sum's error. Batch 128, as in training: F(2x2) is below it in all three passes, 0.66 to 0.76 forward and in the data gradient, 0.72 to 0.99 in the weight
    /// gradient (largest errors, one element each, 0.79 to 1.19); F(4x4) has 2.1 to 2.4 and 1.6 to 2.8 times as much. 4 images: 0.65 to 0.76 and 2.0 to 2.5; weight gradient 0.42, 0.77 to 0.79 and 1.2 (F2), 1.2, 2.0 to 2.1 and 3.4 to 3.6 (F4):
    /// where a sum has few pixels the direct one is short, and the transforms back weigh more.
    /// The largest of some 10,000 normal errors scatters by 6 %, the ratio of two by 9: with 128 images it may be three times that, 1.3, above the bound of the root mean square (less for F(4x4)).
    /// The test prints them (<c>--logger "console;verbosity=detailed"</c>).
    /// </summary>
    [Theory]
    [InlineData(2, 128, 32, 16, 1, 1, 1)]
    [InlineData(2, 128, 16, 32, 1, 1, 1.3)]
    [InlineData(2, 128, 8, 64, 1, 1, 1.3)]
    [InlineData(4, 128, 32, 16, 3.5, 3.5, 4)]
    [InlineData(4, 128, 16, 32, 3.5, 3.5, 4)]
    [InlineData(4, 128, 8, 64, 3.5, 3.5, 4)]
    [InlineData(2, 4, 32, 16, 1, 1, 1)]
    [InlineData(2, 4, 16, 32, 1, 1, 1)]
    [InlineData(2, 4, 8, 64, 1, 1.5, 1.5)]
    [InlineData(4, 4, 32, 16, 3.5, 3.5, 3.5)]
    [InlineData(4, 4, 16, 32, 3.5, 3.5, 3.5)]
    [InlineData(4, 4, 8, 64, 3.5, 5, 5)]
    public void OnGaussianDataItsErrorIsAFewTimesTheDirectOnesAtMost(int output, int images, int side, int channels, double factor, double gradientFactor, double largestGradientFactor)
    {
        Case data = new(images, side, side, channels, channels);
        Assert.True(WinogradPlan.Applies(data.G));
        float[] winograd = new float[data.Dy.Length], direct = new float[data.Dy.Length];
        using var workers = new Workers(2);
        foreach (bool transposed in new[] { false, true })
        {
            float[] from = transposed ? data.Dy : data.X;
            Run(data.G, Form(output), transposed, images, data.W, from, winograd);
            ConvPlan<float> plan = transposed ? ConvPlan<float>.DataGradient(data.G) : ConvPlan<float>.Forward(data.G);
            workers.Run(new ConvForwardJob<float>(plan, from, plan.Pack(data.W, 3), direct), images);
            Compared(transposed ? "data gradient" : "forward", winograd, direct, data.Naive(from, transposed), factor, factor);
        }
        float[] winogradGradient = new float[data.W.Length], directGradient = new float[data.W.Length];
        var inDomain = new WinogradPlan(data.G, Form(output), transposed: false);
        WinogradWeightGradient.Run(inDomain, images, data.X, data.Dy, new float[ConvWeightGradient.Partials(images) * inDomain.PackedLength], winogradGradient, workers);
        var gradient = new ConvWeightGradient(data.G);
        gradient.Run(images, data.X, data.Dy, new float[ConvWeightGradient.Partials(images) * gradient.PartialLength], directGradient, workers);
        Compared("weight gradient", winogradGradient, directGradient, data.WeightGradient(output).Naive, gradientFactor, largestGradientFactor);

        void Compared(string pass, float[] found, float[] direct, double[] naive, double rmsFactor, double largestFactor)
        {
            double Largest(float[] y) => y.Zip(naive, (a, b) => Math.Abs(a - b)).Max();
            double Rms(float[] y) => Math.Sqrt(y.Zip(naive, (a, b) => (a - b) * (a - b)).Average());
            double largest = Largest(found) / Largest(direct), rms = Rms(found) / Rms(direct);
            log.WriteLine(FormattableString.Invariant($"F({output}x{output}), {channels} channels, {images} images, {pass}: {largest:F2} times the direct sum's largest error, {rms:F2} times its root mean square; {Largest(found) / naive.Max(Math.Abs):E1} of the largest element"));
            Assert.InRange(largest, 0, largestFactor);
            Assert.InRange(rms, 0, rmsFactor);
        }
    }

    /// <summary>A worker's memory is used again: what another shape left in it, here NaN everywhere, is in no result.</summary>
    [Theory]
    [InlineData(2)]
    [InlineData(4)]
    public void NothingIsLeftOfWhatAWorkerDidBefore(int output)
    {
        Case large = new(1, 16, 16, 64, 64), small = new(3, 5, 7, 16, 16);
        float[] fresh = new float[small.Dy.Length], again = new float[small.Dy.Length], freshGradient = new float[small.W.Length], againGradient = new float[small.W.Length], lost = new float[large.Dy.Length];
        using Workers used = new(1), unused = new(1);
        float[] nothing = [.. Enumerable.Repeat(float.NaN, large.X.Length)];
        Run(large.G, Form(output), transposed: false, 1, large.W, nothing, lost, used);
        Gradient(large, nothing, nothing, new float[large.W.Length], used);
        Assert.All(lost, y => Assert.Equal(float.NaN, y));
        Run(small.G, Form(output), transposed: false, 3, small.W, small.X, again, used);
        Gradient(small, small.X, small.Dy, againGradient, used);
        Run(small.G, Form(output), transposed: false, 3, small.W, small.X, fresh, unused);
        Gradient(small, small.X, small.Dy, freshGradient, unused);
        Assert.Equal(fresh, again);
        Compare(again, small.Naive(small.X, transposed: false), small.Bound(output, small.X, transposed: false));
        Assert.Equal(freshGradient, againGradient);

        void Gradient(Case data, float[] x, float[] dy, float[] dw, Workers workers)
        {
            int images = x.Length / (data.G.H * data.G.W * data.G.C);
            var plan = new WinogradPlan(data.G, Form(output), transposed: false);
            WinogradWeightGradient.Run(plan, images, x, dy, new float[ConvWeightGradient.Partials(images) * plan.PackedLength], dw, workers);
        }
    }

    private static WinogradForm Form(int output) => output == 2 ? WinogradForm.Two : WinogradForm.Four;

    private static int Roundings(int output) => output == 2 ? 8 : 20;

    private static void Run(ConvGeometry g, WinogradForm form, bool transposed, int images, float[] weights, ReadOnlyMemory<float> from, Memory<float> to)
    {
        using var workers = new Workers(2);
        Run(g, form, transposed, images, weights, from, to, workers);
    }

    private static void Run(ConvGeometry g, WinogradForm form, bool transposed, int images, float[] weights, ReadOnlyMemory<float> from, Memory<float> to, Workers workers)
    {
        Assert.True(WinogradPlan.Applies(g));
        var plan = new WinogradPlan(g, form, transposed);
        float[] packed = new float[plan.PackedLength];
        var pack = new WinogradPackJob(plan, weights, packed);
        workers.Run(pack, pack.Chunks);
        var convolution = new ImagesJob<WinogradForward>(new WinogradForward(plan, images, from, packed, to), images);
        workers.Run(convolution, convolution.Chunks);
    }

    private static void Compare(float[] found, double[] expected, double[] bound)
    {
        for (int i = 0; i < expected.Length; i++) Assert.True(Math.Abs(found[i] - expected[i]) <= bound[i], $"element {i}: {found[i]} for {expected[i]}, bound {bound[i]}");
        WidthAgreement.Check(found, expected, "Winograd");
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

        /// <summary>A sum over C channels of products of transformed values: C + 8 roundings for F2, C + 20 for F4: counted as at <see cref="WinogradForm.Roundings"/>, not read there.</summary>
        public double[] Bound(int output, float[] from, bool transposed)
        {
            (int inputs, int outputs) = transposed ? (G.K, G.C) : (G.C, G.K);
            ToomCook matrices = ToomCook.Magnitudes(output);
            int n = output + 2, down = (G.H + output - 1) / output, across = (G.W + output - 1) / output;
            double gamma = Gamma(inputs + Roundings(output));
            double[] bound = new double[_images * G.H * G.W * outputs];
            double[][] weights = [.. Enumerable.Range(0, inputs * outputs).Select(pair =>
            {
                (int i, int o) = (pair / outputs, pair % outputs);
                double[] g = [.. Enumerable.Range(0, 9).Select(tap => Math.Abs((double)W[(9 * (transposed ? (i * G.C) + o : (o * G.C) + i)) + (transposed ? 8 - tap : tap)]))];
                return ToomCook.Sandwich(matrices.G, g, n, 3);
            })];
            for (int tile = 0; tile < _images * down * across; tile++)
            {
                int image = tile / across / down, ty = tile / across % down, tx = tile % across;
                double[][] patches = [.. Enumerable.Range(0, inputs).Select(c => ToomCook.Sandwich(matrices.B, Patch(from, inputs, image, (ty * output) - 1, (tx * output) - 1, n, c), n, n))];
                for (int o = 0; o < outputs; o++)
                {
                    double[] sum = new double[n * n];
                    for (int c = 0; c < inputs; c++)
                    {
                        for (int i = 0; i < sum.Length; i++) sum[i] += patches[c][i] * weights[(c * outputs) + o][i];
                    }
                    double[] y = ToomCook.Sandwich(matrices.A, sum, output, n);
                    for (int i = 0; i < y.Length; i++)
                    {
                        int row = (ty * output) + (i / output), column = (tx * output) + (i % output);
                        if (row < G.H && column < G.W) bound[(((((image * G.H) + row) * G.W) + column) * outputs) + o] = gamma * y[i];
                    }
                }
            }
            return bound;
        }

        /// <summary>A sum over all tiles and 8 partial sums; 2 + 2 or 8 + 8 roundings in the transforms, 1 in the product, n + 1 in each pass of the last one.</summary>
        public (double[] Naive, double[] Bound) WeightGradient(int output)
        {
            double[] dw = new double[W.Length], bound = new double[W.Length];
            ToomCook matrices = ToomCook.Magnitudes(output);
            int n = output + 2, down = (G.H + output - 1) / output, across = (G.W + output - 1) / output;
            double gamma = Gamma((_images * down * across) + 9 + (output == 2 ? 4 : 16) + (2 * (n + 1)));
            double[][] domain = [.. Enumerable.Range(0, G.C * G.K).Select(_ => new double[n * n])];
            for (int tile = 0; tile < _images * down * across; tile++)
            {
                int image = tile / across / down, ty = tile / across % down, tx = tile % across;
                double[][] patches = [.. Enumerable.Range(0, G.C).Select(c => ToomCook.Sandwich(matrices.B, Patch(X, G.C, image, (ty * output) - 1, (tx * output) - 1, n, c), n, n))];
                double[][] gradients = [.. Enumerable.Range(0, G.K).Select(k => ToomCook.Sandwich(ToomCook.Transpose(matrices.A, output, n), Patch(Dy, G.K, image, ty * output, tx * output, output, k), n, output))];
                for (int pair = 0; pair < domain.Length; pair++)
                {
                    for (int i = 0; i < n * n; i++) domain[pair][i] += patches[pair % G.C][i] * gradients[pair / G.C][i];
                }
            }
            for (int pair = 0; pair < G.K * G.C; pair++)
            {
                double[] magnitudes = ToomCook.Sandwich(ToomCook.Transpose(matrices.G, n, 3), domain[pair], 3, n);
                for (int tap = 0; tap < 9; tap++) bound[(9 * pair) + tap] = gamma * magnitudes[tap];
                (int k, int c) = (pair / G.C, pair % G.C);
                for (int i = 0; i < _images * G.H * G.W; i++)
                {
                    int x = i % G.W, y = i / G.W % G.H, image = i / G.W / G.H;
                    double d = Dy[(i * G.K) + k];
                    for (int tap = 0; tap < 9; tap++)
                    {
                        int fy = y + (tap / 3) - 1, fx = x + (tap % 3) - 1;
                        if (fy >= 0 && fx >= 0 && fy < G.H && fx < G.W) dw[(9 * pair) + tap] += d * X[(((((image * G.H) + fy) * G.W) + fx) * G.C) + c];
                    }
                }
            }
            return (dw, bound);
        }

        private static double Gamma(int roundings) => roundings * UnitRoundoff / (1 - (roundings * UnitRoundoff));

        /// <summary>Magnitudes of a square of one channel, zero outside the image.</summary>
        private double[] Patch(float[] image, int channels, int n, int top, int left, int side, int c)
        {
            double[] patch = new double[side * side];
            for (int i = 0; i < patch.Length; i++)
            {
                int y = top + (i / side), x = left + (i % side);
                if (y >= 0 && x >= 0 && y < G.H && x < G.W) patch[i] = Math.Abs((double)image[(((((n * G.H) + y) * G.W) + x) * channels) + c]);
            }
            return patch;
        }
    }
}
