using System.Numerics;
using PannCore.Engine;
using PannCore.Kernels;
using PannCore.Tests.Support;
using Xunit;

namespace PannCore.Tests.Kernels;

/// <summary>
/// The convolution kernels on 40 random geometries: against naive loops, against each other (both gradients are adjoints of the forward pass),
/// and for not writing outside their results.
/// </summary>
public sealed class ConvKernelTests
{
    private const int Shapes = 40;

    /// <summary>H, W, C, K, kernel size and stride of convolutions with half the kernel as padding that tiles read straight from the image; they follow the random ones.</summary>
    private static readonly (int H, int W, int C, int K, int Kernel, int Stride)[] Direct =
    [
        (1, 1, 8, 16, 3, 1), (1, 5, 16, 32, 3, 1), (2, 1, 24, 16, 3, 1), (5, 1, 8, 64, 3, 1), (3, 7, 16, 16, 3, 1), (9, 18, 8, 32, 3, 1), (4, 33, 3, 16, 3, 1),
        (1, 16, 16, 16, 3, 1), (2, 17, 8, 5, 3, 1), (3, 8, 32, 64, 3, 1), (4, 9, 5, 40, 3, 1),
        (8, 16, 16, 32, 3, 2), (1, 16, 8, 20, 3, 2), (5, 19, 16, 24, 3, 2), (6, 18, 5, 12, 3, 2), (7, 16, 32, 40, 3, 2), (5, 7, 3, 40, 3, 2),
        (6, 32, 16, 32, 1, 2), (5, 17, 8, 33, 1, 2), (3, 16, 16, 16, 1, 1), (5, 20, 4, 18, 5, 2), (4, 26, 8, 33, 3, 3), (2, 24, 4, 17, 5, 1),
        (3, 69, 16, 64, 3, 2), (2, 41, 8, 16, 3, 1),
    ];

    private const double Single = 1.0 / (1 << 24);

    public static TheoryData<int> Numbers => [.. Enumerable.Range(0, Shapes + Direct.Length)];

    public static TheoryData<int> ThreeChannelNumbers => [.. Enumerable.Range(0, 25)];

    [Theory]
    [MemberData(nameof(Numbers))]
    public void ForwardAgreesWithNaiveLoops(int number)
    {
        Case c = Case.Random(number);
        using var workers = new Workers(2);
        c.AssertClose(c.Forward<float>(workers), c.NaiveForward(magnitudes: false), c.NaiveForward(magnitudes: true), c.ForwardTerms * Single);
        // The naive loops are rounded in the same arithmetic: twice the bound.
        c.AssertClose(c.Forward<double>(workers), c.NaiveForward(magnitudes: false), c.NaiveForward(magnitudes: true), 2 * c.ForwardTerms * Math.ScaleB(1, -53));
    }

    [Theory]
    [MemberData(nameof(Numbers))]
    public void DataGradientAgreesWithNaiveLoops(int number)
    {
        Case c = Case.Random(number);
        using var workers = new Workers(2);
        c.AssertClose(c.DataGradient(workers), c.NaiveDataGradient(magnitudes: false), c.NaiveDataGradient(magnitudes: true), c.DataTerms * Single);
    }

    [NeedsVectorsTheory]
    [MemberData(nameof(ThreeChannelNumbers))]
    public void ThreeChannelGradientAgreesWithNaiveLoops(int number)
    {
        Case c = Case.ThreeChannels(number);
        using var workers = new Workers(2);
        Guarded<float> dy = new([.. number % 2 == 0 ? c.Dy : c.Dy.Select(value => value / 2)]), dx = new(c.X.Length), packed = new(ThreeChannelGradient.PackedLength(c.G));
        ThreeChannelGradient.Pack(c.G, c.W, packed.Memory.Span);
        ElementwiseChain? doubled = null;
        if (number % 2 == 1)
        {
            doubled = new();
            doubled.Begin(dy.Memory);
            doubled.Add(new ElementwiseAdd(dy.Memory, dy.Memory, dy.Memory));
        }
        workers.Run(new ThreeChannelGradient(c.G, dy.Memory, packed.Memory, dx.Memory, doubled), c.Images);
        dy.AssertIntact();
        packed.AssertIntact();
        dx.AssertIntact();
        c.AssertClose(dx.Values, c.NaiveDataGradient(magnitudes: false), c.NaiveDataGradient(magnitudes: true), c.DataTerms * Single);
    }

    [Fact]
    public void ThreeChannelsAreForRowsOfFourPixelsAndWholeRegisters()
    {
        var g = new ConvGeometry(5, 4, 3, 16, 3, 3, 1, 1);
        Assert.Equal(OuterProduct.VectorBits > 0, ThreeChannelGradient.Applies(g));
        foreach (ConvGeometry other in new[] { g with { W = 3 }, g with { K = 17 }, g with { C = 4 }, g with { Stride = 2 }, g with { Padding = 0 }, g with { R = 1 }, g with { S = 5 } })
            Assert.False(ThreeChannelGradient.Applies(other), $"{other}");
    }

    [Theory]
    [MemberData(nameof(Numbers))]
    public void WeightGradientAgreesWithNaiveLoops(int number)
    {
        Case c = Case.Random(number);
        using var workers = new Workers(2);
        c.AssertClose(c.WeightGradient(workers), c.NaiveWeightGradient(magnitudes: false), c.NaiveWeightGradient(magnitudes: true), c.WeightTerms * Single);
    }

    [Theory]
    [MemberData(nameof(Numbers))]
    public void GradientsAreAdjoints(int number)
    {
        // <conv(x, w), dy> = <x, dgrad(w, dy)> = <w, wgrad(x, dy)>: three sums of the same products, each off by at most its rounding, summed here in float64.
        Case c = Case.Random(number);
        using var workers = new Workers(2);
        double forward = Dot(c.Forward<float>(workers), c.Dy), data = Dot(c.DataGradient(workers), c.X), weight = Dot(c.WeightGradient(workers), c.W);
        double magnitude = c.NaiveForward(magnitudes: true).Zip(c.Dy, (y, dy) => y * Math.Abs(dy)).Sum();
        Assert.True(Math.Abs(forward - data) <= (c.ForwardTerms + c.DataTerms) * Single * magnitude, $"{c}: {forward} and {data}");
        Assert.True(Math.Abs(forward - weight) <= (c.ForwardTerms + c.WeightTerms) * Single * magnitude, $"{c}: {forward} and {weight}");
    }

    [Fact]
    public void TheShapesReachEveryPathOfTheTiles()
    {
        Case[] cases = [.. Enumerable.Range(0, Shapes + Direct.Length).Select(Case.Random)];
        Assert.Contains(cases, c => c.G.K % 16 != 0 && c.G.K > 16);
        Assert.Contains(cases, c => c.G.K > 32);
        Assert.Contains(cases, c => c.G.K < 16);
        Assert.Contains(cases, c => c.G.Stride > c.G.R);
        Assert.Contains(cases, c => c.G.Padding > c.G.R / 2);
        Assert.Contains(cases, c => c.G.H < c.G.R);
        Assert.Contains(cases, c => c.Images > ConvWeightGradient.MaxPartials);
        Assert.Contains(cases, c => !ConvPlan<float>.Forward(c.G).Direct);
        Assert.Contains(cases, c => ConvPlan<float>.Forward(c.G) is { Direct: true, Fused: false, SourceStep: 2 } && c.G is { R: 3, K: > 16 });
        Assert.Contains(cases, c => ConvPlan<float>.Forward(c.G) is { Direct: true, SourceStep: 2 } && c.G is { R: 5 });
        Assert.Contains(cases, c => ConvPlan<float>.Forward(c.G).RowsRead == 2);
        Assert.Contains(cases, c => ConvPlan<float>.Forward(c.G) is { IsGrid: true, SourceStep: 2 } && ConvPlan<float>.DataGradient(c.G).IsGrid);
        Assert.Contains(cases, c => ConvPlan<float>.Forward(c.G) is { Direct: true, Fused: false, IsGrid: false } plan && plan.W >= 4 * plan.TileRows);
        Assert.Contains(cases, c => ConvPlan<float>.DataGradient(c.G) is { Direct: true, Paired: false, GridStep: > 1 } && c.G.R == 3);
        Assert.Contains(cases, c => ConvPlan<float>.DataGradient(c.G) is { Direct: true, LeavesOut: true });
        Assert.Contains(cases, c => new ConvWeightGradient(c.G) is { Direct: true, Fused: false } && c.G is { R: 3, Stride: 2 });
        Assert.Contains(cases, c => !new ConvWeightGradient(c.G).Direct);
        Assert.Contains(cases, c => new ConvWeightGradient(c.G).NineRows && c.G is { Stride: 2, K: > 32 });
        if (OuterProduct.VectorBits != 512) return;
        Assert.Contains(cases, c => ConvPlan<float>.DataGradient(c.G).Paired && c.G.C == 16);
        Assert.Contains(cases, c => ConvPlan<float>.DataGradient(c.G).Paired && c.G.C < 16);
        Assert.Contains(cases, c => ConvPlan<float>.Forward(c.G).Fused && c.G.H == 1);
        Assert.Contains(cases, c => ConvPlan<float>.Forward(c.G).Fused && c.G.W > 16);
        Assert.Contains(cases, c => new ConvWeightGradient(c.G).Fused && c.G is { H: 1, W: 1 });
        Assert.Contains(cases, c => new ConvWeightGradient(c.G).Fused && c.G is { H: > 2, W: > 2, C: > 8 });
    }

    private static double Dot(float[] a, float[] b) => a.Zip(b, (x, y) => (double)x * y).Sum();

    private sealed record Case(ConvGeometry G, int Images, float[] X, float[] W, float[] Dy)
    {
        // Products of a sum, one rounding for each and for each addition at most; fused or in any order it is less (Higham, section 3.1).
        public int ForwardTerms => (G.R * G.S * G.C) + 1;

        public int DataTerms => (G.R * G.S * G.K) + 1;

        public int WeightTerms => (Images * G.OutH * G.OutW) + ConvWeightGradient.MaxPartials + 1;

        public static Case Random(int number)
        {
            var random = new CounterRandom(number, RandomStream.Weights, 0);
            for (int draw = 0; ; draw += 10)
            {
                if (number >= Shapes)
                {
                    (int h, int w, int c, int k, int kernel, int stride) = Direct[number - Shapes];
                    var direct = new ConvGeometry(h, w, c, k, kernel, kernel, stride, kernel / 2);
                    return new(direct, 2, Values(number, 1, 2 * h * w * c), Values(number, 2, kernel * kernel * k * c), Values(number, 3, 2 * direct.OutH * direct.OutW * k));
                }
                int Between(int index, int low, int high) => low + random.Below(draw + index, high - low + 1);
                var g = new ConvGeometry(
                    Between(0, 1, 9), Between(1, 1, 9), Between(2, 1, 35), Between(3, 1, 35), (2 * Between(4, 0, 2)) + 1, (2 * Between(5, 0, 2)) + 1, Between(6, 1, 3), Between(7, 0, 3));
                if (g.H + (2 * g.Padding) < g.R || g.W + (2 * g.Padding) < g.S) continue;
                int images = number % 10 == 0 ? 11 : Between(8, 1, 3);
                return new(g, images, Values(number, 1, images * g.H * g.W * g.C), Values(number, 2, g.K * g.C * g.R * g.S), Values(number, 3, images * g.OutH * g.OutW * g.K));
            }
        }

        private static float[] Values(int number, int step, int length)
        {
            var values = new CounterRandom(number, RandomStream.Weights, step);
            return [.. Enumerable.Range(0, length).Select(i => (float)((2 * values.Uniform(i)) - 1))];
        }

        /// <summary>A 3 x 3 convolution from three channels to one to three registers; every length of a row's end, and rows of whole registers.</summary>
        public static Case ThreeChannels(int number)
        {
            var random = new CounterRandom(number, RandomStream.Weights, 0);
            var g = new ConvGeometry(1 + random.Below(0, 9), 4 + number, 3, OuterProduct.VectorBits / 32 * (1 + random.Below(1, 3)), 3, 3, 1, 1);
            int images = 1 + random.Below(2, 3);
            return new(g, images, Values(number, 1, images * g.H * g.W * g.C), Values(number, 2, g.K * g.C * 9), Values(number, 3, images * g.H * g.W * g.K));
        }

        public override string ToString() => $"{G}, {Images} images";

        public T[] Forward<T>(Workers workers) where T : unmanaged, IFloatingPointIeee754<T>
        {
            ConvPlan<T> plan = ConvPlan<T>.Forward(G);
            var x = new Guarded<T>([.. X.Select(T.CreateChecked)]);
            var y = new Guarded<T>(Dy.Length);
            var packed = new Guarded<T>(plan.PackedLength);
            plan.Pack<float>(W, G.S, packed.Memory.Span);
            workers.Run(new ConvForwardJob<T>(plan, x.Memory, packed.Memory, y.Memory), Images);
            packed.AssertIntact();
            y.AssertIntact();
            return y.Values;
        }

        public float[] DataGradient(Workers workers)
        {
            ConvPlan<float> plan = ConvPlan<float>.DataGradient(G);
            var dy = new Guarded<float>(Dy);
            var dx = new Guarded<float>(X.Length);
            var packed = new Guarded<float>(plan.PackedLength);
            plan.Pack<float>(W, G.S, packed.Memory.Span);
            workers.Run(new ConvForwardJob<float>(plan, dy.Memory, packed.Memory, dx.Memory), Images);
            packed.AssertIntact();
            dx.AssertIntact();
            return dx.Values;
        }

        public float[] WeightGradient(Workers workers)
        {
            var gradient = new ConvWeightGradient(G);
            Guarded<float> x = new(X), dy = new(Dy), dw = new(W.Length), partials = new(ConvWeightGradient.Partials(Images) * gradient.PartialLength);
            gradient.Run(Images, x.Memory, dy.Memory, partials.Memory, dw.Memory, workers);
            dw.AssertIntact();
            partials.AssertIntact();
            return dw.Values;
        }

        public double[] NaiveForward(bool magnitudes)
        {
            double[] y = new double[Dy.Length];
            Products((at, x, w, _) => y[at.Y] += Of(x * (double)w, magnitudes));
            return y;
        }

        public double[] NaiveDataGradient(bool magnitudes)
        {
            double[] dx = new double[X.Length];
            Products((at, _, w, dy) => dx[at.X] += Of(w * (double)dy, magnitudes));
            return dx;
        }

        public double[] NaiveWeightGradient(bool magnitudes)
        {
            double[] dw = new double[W.Length];
            Products((at, x, _, dy) => dw[at.W] += Of(x * (double)dy, magnitudes));
            return dw;
        }

        public void AssertClose<T>(T[] found, double[] expected, double[] magnitudes, double relative) where T : INumber<T>
        {
            Assert.Equal(expected.Length, found.Length);
            for (int i = 0; i < found.Length; i++)
            {
                double value = double.CreateChecked(found[i]);
                Assert.True(Math.Abs(value - expected[i]) <= relative * magnitudes[i], $"{this}, element {i}: {value} for {expected[i]}");
            }
            WidthAgreement.Check(found, expected, $"{this}");
        }

        private static double Of(double product, bool magnitude) => magnitude ? Math.Abs(product) : product;

        /// <summary>Every product of the convolution: an input element that meets a weight in an output element.</summary>
        private void Products(Action<(int X, int W, int Y), float, float, float> visit)
        {
            for (int y = 0; y < Dy.Length; y++)
            {
                int k = y % G.K, ox = y / G.K % G.OutW, oy = y / G.K / G.OutW % G.OutH, n = y / G.K / G.OutW / G.OutH;
                for (int tap = 0; tap < G.C * G.R * G.S; tap++)
                {
                    int s = tap % G.S, r = tap / G.S % G.R, c = tap / G.S / G.R;
                    int iy = (oy * G.Stride) + r - G.Padding, ix = (ox * G.Stride) + s - G.Padding;
                    if (iy < 0 || iy >= G.H || ix < 0 || ix >= G.W) continue;
                    int x = (((((n * G.H) + iy) * G.W) + ix) * G.C) + c, w = (k * G.C * G.R * G.S) + tap;
                    visit((x, w, y), X[x], W[w], Dy[y]);
                }
            }
        }
    }
}
