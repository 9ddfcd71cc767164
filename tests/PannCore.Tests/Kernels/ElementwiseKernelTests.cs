using System.Numerics.Tensors;
using PannCore.Engine;
using PannCore.Kernels;
using PannCore.Tests.Support;
using Xunit;

namespace PannCore.Tests.Kernels;

/// <summary>Elementwise kernels, channel sums, pooling and padding at lengths around the vector widths and around a chunk: values, and nothing written outside.</summary>
public sealed class ElementwiseKernelTests
{
    private const double Unit = 1.0 / (1 << 24);

    public static TheoryData<int> Lengths => [.. Enumerable.Range(0, 68), Chunks.Elements - 1, Chunks.Elements, Chunks.Elements + 1, (2 * Chunks.Elements) + 17];

    public static TheoryData<int, int> RowsAndChannels
    {
        get
        {
            var data = new TheoryData<int, int>();
            foreach (int channels in new[] { 1, 3, 7, 8, 9, 16, 19, 32, 35, 64 })
            {
                foreach (int rows in new[] { 1, 2, 5, 129, 300 }) data.Add(rows, channels);
            }
            data.Add(5000, 16); // Several chunks of sums.
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Lengths))]
    public void Add(int length)
    {
        using var workers = new Workers(2);
        Guarded<float> a = new(Values(1, length)), b = new(Values(2, length)), y = new(length);
        Run(workers, new ElementwiseAdd(a.Memory, b.Memory, y.Memory), y.Memory);
        y.AssertIntact();
        Assert.Equal(a.Values.Zip(b.Values, (p, q) => p + q), y.Values);
        Run(workers, new ElementwiseAdd(a.Memory, b.Memory, a.Memory), a.Memory); // In place.
        a.AssertIntact();
        Assert.Equal(y.Values, a.Values);
    }

    /// <summary>The largest stands at any place, as either sign; any NaN beats infinity, infinity every number, and the smallest subnormal number zero.</summary>
    [Theory]
    [MemberData(nameof(Lengths))]
    public void Largest_magnitude(int length)
    {
        float[] x = Values(3, length);
        Assert.Equal(x.Select(Math.Abs).DefaultIfEmpty().Max(), LargestMagnitude.Of(x));
        foreach (int at in Enumerable.Range(0, length).Where(i => i < 70 || i > length - 70))
        {
            foreach (float value in new[] { float.NaN, -float.NaN, float.PositiveInfinity, float.NegativeInfinity, float.MaxValue, -1e30f })
            {
                float before = x[at];
                x[at] = value;
                Assert.Equal(Math.Abs(value), LargestMagnitude.Of(x));
                x[at] = before;
            }
            if (length > 200) continue;
            float[] zeros = new float[length], infinities = [.. Enumerable.Repeat(float.NegativeInfinity, length)];
            zeros[at] = -float.Epsilon;
            Assert.Equal(float.Epsilon, LargestMagnitude.Of(zeros));
            // The NaN whose bits come next after infinity's.
            infinities[at] = BitConverter.UInt32BitsToSingle(0x7F80_0001);
            Assert.Equal(float.NaN, LargestMagnitude.Of(infinities));
        }
    }

    /// <summary>Every special value meets every other, and ordinary ones, whose products round, each other; TensorPrimitives, of separate making, is the reference, to the bit.</summary>
    [Theory]
    [MemberData(nameof(Lengths))]
    public void Lines_have_the_bits_of_TensorPrimitives(int length)
    {
        float[] special = [0, -0f, 1, -1, float.NaN, float.PositiveInfinity, float.NegativeInfinity, float.Epsilon, -float.Epsilon, float.MaxValue, -float.MaxValue, 3e-39f, 0.1f];
        float[] expected = new float[length];
        Guarded<float> y = new(length);
        for (int shift = 0; shift <= special.Length; shift++)
        {
            bool ordinary = shift == special.Length;
            float factor = ordinary ? 0.3f : special[shift];
            float[] a = ordinary ? Values(1, length) : [.. Enumerable.Range(0, length).Select(i => special[i % special.Length])];
            float[] b = ordinary ? Values(2, length) : [.. Enumerable.Range(0, length).Select(i => special[(i + shift) % special.Length])];
            FloatLines.Add(a, b, y.Memory.Span);
            TensorPrimitives.Add(a, b, expected);
            Same();
            b.CopyTo(y.Memory);
            FloatLines.AddScaled(a, factor, y.Memory.Span);
            TensorPrimitives.MultiplyAdd(a, factor, b, expected);
            Same();
            FloatLines.Relu(b, y.Memory.Span);
            TensorPrimitives.Max(b, 0f, expected);
            Same();
            // Halfway between two float32, beyond the largest, below the smallest, and the specials themselves.
            double[] wide = [.. b.Select((value, i) => i % 2 == 0 ? value : value * (1 + Math.ScaleB(1, -24)))];
            FloatLines.Narrow(wide, y.Memory.Span);
            for (int i = 0; i < length; i++) expected[i] = (float)wide[i];
            Same();
        }
        if (length > 0) Assert.Throws<ArgumentException>(() => FloatLines.Add(expected, expected.AsSpan(1), y.Memory.Span));

        void Same()
        {
            y.AssertIntact();
            // A NaN's payload is not specified.
            Assert.Equal(expected.Select(value => float.IsNaN(value) ? -1 : BitConverter.SingleToInt32Bits(value)), y.Values.Select(value => float.IsNaN(value) ? -1 : BitConverter.SingleToInt32Bits(value)));
        }
    }

    [Theory]
    [MemberData(nameof(Lengths))]
    public void Relu(int length)
    {
        using var workers = new Workers(2);
        foreach (float slope in new[] { 0, 0.25f })
        {
            Guarded<float> x = new(Values(1, length)), dy = new(Values(2, length)), y = new(length), dx = new(length);
            Run(workers, new ElementwiseRelu(x.Memory, slope, y.Memory), y.Memory);
            Run(workers, new ElementwiseReluGradient(x.Memory, dy.Memory, slope, dx.Memory), dx.Memory);
            y.AssertIntact();
            dx.AssertIntact();
            Assert.Equal(x.Values.Select(v => v > 0 ? v : slope * v), y.Values);
            Assert.Equal(x.Values.Zip(dy.Values, (v, g) => v > 0 ? g : slope * g), dx.Values);
            Run(workers, new ElementwiseReluGradient(x.Memory, dy.Memory, slope, dy.Memory), dy.Memory); // In place.
            Run(workers, new ElementwiseRelu(x.Memory, slope, x.Memory), x.Memory);
            Assert.Equal(dx.Values, dy.Values);
            Assert.Equal(y.Values, x.Values);
        }
    }

    [Theory]
    [InlineData(0f)]
    [InlineData(0.25f)]
    public void ReluOfSpecialValues(float slope)
    {
        // One vector and a remainder: the same special values in both.
        float[] special = [.. Enumerable.Repeat(new[] { float.NaN, float.PositiveInfinity, 0f, -0f }, 9).SelectMany(v => v), float.NaN];
        float[] y = new float[special.Length], dx = new float[special.Length], dy = [.. special.Select(_ => 2f)];
        using var workers = new Workers(1);
        Run(workers, new ElementwiseRelu(special, slope, y), y);
        Run(workers, new ElementwiseReluGradient(special, dy, slope, dx), dx);
        for (int i = 0; i < special.Length; i++)
        {
            Assert.Equal(i % 4 == 0 ? float.NaN : i % 4 == 1 ? float.PositiveInfinity : 0, y[i]);
            Assert.Equal(i % 4 == 1 ? 2 : 2 * slope, dx[i]);
        }
    }

    [Theory]
    [MemberData(nameof(RowsAndChannels))]
    public void ChannelAffine(int rows, int channels)
    {
        using var workers = new Workers(2);
        int length = rows * channels;
        Guarded<float> x = new(Values(1, length)), z = new(Values(2, length)), one = new(length), two = new(length);
        float[] p = Values(3, channels), q = Values(4, channels), r = Values(5, channels);
        Run(workers, new ChannelAffine(x.Memory, p, default, default, r, one.Memory), one.Memory);
        Run(workers, new ChannelAffine(x.Memory, p, z.Memory, q, r, two.Memory), two.Memory);
        one.AssertIntact();
        two.AssertIntact();
        for (int i = 0; i < length; i++)
        {
            int c = i % channels;
            double xp = (double)x.Span[i] * p[c], zq = (double)z.Span[i] * q[c];
            Assert.True(Math.Abs(one.Span[i] - (xp + r[c])) <= 2 * Unit * (Math.Abs(xp) + Math.Abs(r[c])));
            Assert.True(Math.Abs(two.Span[i] - (xp + zq + r[c])) <= 4 * Unit * (Math.Abs(xp) + Math.Abs(zq) + Math.Abs(r[c])));
            if (OuterProduct.VectorBits < 512 || channels is not (16 or 32 or 64)) continue;
            Assert.Equal(MathF.FusedMultiplyAdd(x.Span[i], p[c], r[c]), one.Span[i]);
            Assert.Equal(MathF.FusedMultiplyAdd(x.Span[i], p[c], MathF.FusedMultiplyAdd(z.Span[i], q[c], r[c])), two.Span[i]);
        }
    }

    [Theory]
    [MemberData(nameof(RowsAndChannels))]
    public void ChannelSumsOfShiftedProducts(int rows, int channels)
    {
        int length = rows * channels;
        Guarded<float> a = new(Values(1, length)), b = new(Values(2, length));
        float[] p = Values(3, channels), q = Values(4, channels);
        double[] one = new double[2 * channels], three = new double[2 * channels];
        using (var workers = new Workers(1)) ChannelSums.Run(a.Memory, p, b.Memory, q, one, workers);
        using (var workers = new Workers(3)) ChannelSums.Run(a.Memory, p, b.Memory, q, three, workers);
        Assert.Equal(one, three);
        for (int c = 0; c < channels; c++)
        {
            double sum = 0, product = 0, magnitude = 0, productMagnitude = 0;
            for (int i = c; i < length; i += channels)
            {
                double u = (double)a.Span[i] - p[c], v = (double)b.Span[i] - q[c];
                sum += u;
                product += u * v;
                magnitude += Math.Abs(u);
                productMagnitude += Math.Abs(u * v);
            }

            // Float32 within 128 rows only: at most 64 additions a lane and one of the two lanes; 1 rounding of u, 1 of v, 1 of the product.
            Assert.True(Math.Abs(one[c] - sum) <= 66 * Unit * magnitude, $"channel {c}: {one[c]} for {sum}");
            Assert.True(Math.Abs(one[channels + c] - product) <= 68 * Unit * productMagnitude, $"channel {c}: {one[channels + c]} for {product}");
        }
    }

    [Theory]
    [MemberData(nameof(RowsAndChannels))]
    public void PixelMeanAndItsGradient(int pixels, int channels)
    {
        Guarded<float> x = new(Values(1, pixels * channels)), dy = new(Values(2, channels)), y = new(channels), dx = new(pixels * channels);
        PixelMean.Forward(x.Span, y.Span, new Scratch());
        PixelMean.Gradient(dy.Span, dx.Span);
        y.AssertIntact();
        dx.AssertIntact();
        for (int c = 0; c < channels; c++)
        {
            double sum = 0, magnitude = 0;
            for (int i = c; i < pixels * channels; i += channels)
            {
                sum += x.Span[i];
                magnitude += Math.Abs(x.Span[i]);
                Assert.Equal(dy.Span[c] / pixels, dx.Span[i]);
            }

            // Each term goes through less than so many additions, and the division.
            Assert.True(Math.Abs(y.Span[c] - (sum / pixels)) <= (pixels + 1) * Unit * magnitude / pixels);
        }
    }

    /// <summary>Each pixel that is kept is moved to its place by index; everything else is zero.</summary>
    [Theory]
    [InlineData(4, 6, 16, 2, 32)]
    [InlineData(5, 7, 3, 2, 7)]
    [InlineData(8, 5, 19, 3, 19)]
    [InlineData(3, 4, 8, 1, 10)]
    [InlineData(3, 2, 1, 5, 35)]
    public void ChannelPaddingAndItsGradient(int height, int width, int channels, int stride, int outputChannels)
    {
        var padding = new ChannelPadding(height, width, channels, stride, outputChannels);
        int across = (width + stride - 1) / stride, length = (height + stride - 1) / stride * across * outputChannels;
        Guarded<float> x = new(Values(1, height * width * channels)), dy = new(Values(2, length)), y = new(length), dx = new(x.Span.Length);
        padding.Run(toOutput: true, x.Span, y.Span);
        padding.Run(toOutput: false, dy.Span, dx.Span);
        y.AssertIntact();
        dx.AssertIntact();
        float[] expected = new float[length], gradient = new float[x.Span.Length];
        for (int i = 0; i < gradient.Length; i++)
        {
            int c = i % channels, column = i / channels % width, row = i / channels / width;
            if (row % stride != 0 || column % stride != 0) continue;
            int at = (((row / stride * across) + (column / stride)) * outputChannels) + ((outputChannels - channels) / 2) + c;
            (expected[at], gradient[i]) = (x.Span[i], dy.Span[at]);
        }
        Assert.Equal(expected, y.Values);
        Assert.Equal(gradient, dx.Values);
    }

    private static float[] Values(int stream, int length)
    {
        var random = new CounterRandom(stream, RandomStream.Weights, 0);
        return [.. Enumerable.Range(0, length).Select(i => (float)((2 * random.Uniform(i)) - 1))];
    }

    /// <summary>As the work is done in a network: put off, then done chunk by chunk.</summary>
    private static void Run<TWork>(Workers workers, TWork work, Memory<float> target) where TWork : struct, IElementwise
    {
        var chain = new ElementwiseChain();
        chain.Begin(target);
        chain.Add(work);
        chain.Run(workers);
    }
}
