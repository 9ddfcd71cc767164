using PannCore.Approximation;
using PannCore.Diagnostics;
using PannCore.Engine;
using PannCore.Ops;
using Xunit;

namespace PannCore.Tests.Diagnostics;

public sealed class SoundBoundsTests
{
    private static readonly Shape Size = new(3, 7, 8, 16);

    public static TheoryData<ConvAlgorithm, int> Networks
    {
        get
        {
            var data = new TheoryData<ConvAlgorithm, int>();
            foreach (ConvAlgorithm algorithm in new[] { ConvAlgorithm.Direct, ConvAlgorithm.Winograd2, ConvAlgorithm.Winograd4 })
            {
                for (int seed = 0; seed < 8; seed++) data.Add(algorithm, seed);
            }
            return data;
        }
    }

    /// <summary>
    /// Random networks of all operations: no element's error exceeds its bound. The errors are measured against an ideal network of naive float64 loops,
    /// which the bound covers as it covers exact arithmetic.
    /// </summary>
    [Theory]
    [MemberData(nameof(Networks))]
    public void No_error_exceeds_its_bound(ConvAlgorithm algorithm, int seed)
    {
        using var workspace = new Workspace(2, algorithm, fillWithNaN: true);
        var bounds = new SoundBounds(workspace);
        var naive = new NaiveErrors();
        double tightest = 0;
        var comparison = new Watch((op, path, output) =>
        {
            double[] bound = bounds.BoundOf(output).Values, error = naive.ErrorOf(output);
            for (int i = 0; i < bound.Length; i++)
            {
                Assert.True(double.IsFinite(bound[i]) && Math.Abs(error[i]) <= bound[i], $"{path}, element {i}: error {error[i]}, bound {bound[i]}");
                if (bound[i] > 0) tightest = Math.Max(tightest, Math.Abs(error[i]) / bound[i]);
            }
        });
        using var run = new Run(workspace, observers: [bounds, naive, comparison]);
        RandomGraph.Run(run, seed, Size, polynomials: true);
        bounds.Finish();
        Assert.True(tightest > 0.9, $"tightest {tightest}: an operation's own error is known, and so bounded closely");
        Assert.Equal(naive.Largest.Keys, bounds.Operations.Select(line => line.Path));
        Assert.All(bounds.Operations, line =>
        {
            // Naive loops and kernels round differently in float64.
            Assert.Equal(naive.Largest[line.Path], line.Measured, (1e-9 * line.Measured) + 1e-13);
            Assert.True(line.Looseness >= 1 && line.Bound >= line.Measured);
        });
    }

    /// <summary>
    /// An input error of d sign(w) moves one output by the whole of sum |w| d: measured / bound is 1 to within the rounding of float32, which the bound contains, and never above.
    /// </summary>
    [Theory]
    [InlineData(ConvAlgorithm.Direct)]
    [InlineData(ConvAlgorithm.Winograd2)]
    public void A_convolution_attains_its_bound_along_the_signs_of_its_weights(ConvAlgorithm algorithm)
    {
        Parameter weight = RandomGraph.Normal("weight", 5, new(16, 16, 3, 3), 0.1);
        const int k = 3, oy = 3, ox = 4;
        const float d = 0.125f;
        float[] error = new float[8 * 8 * 16];
        double expected = 0;
        for (int c = 0; c < 16; c++)
        {
            for (int r = 0; r < 3; r++)
            {
                for (int s = 0; s < 3; s++)
                {
                    float w = weight.Values[(((((k * 16) + c) * 3) + r) * 3) + s];
                    error[((((oy + r - 1) * 8) + ox + s - 1) * 16) + c] = d * MathF.Sign(w);
                    expected += d * Math.Abs((double)w);
                }
            }
        }
        (double measured, double bound) = Attack(algorithm, new(1, 8, 8, 16), error, x => x.Conv2d(weight, 1, 1), (((oy * 8) + ox) * 16) + k);
        Assert.Equal(expected, measured, 1e-6 * expected);
        Assert.InRange(measured / bound, 1 - 1e-6, 1);
    }

    [Fact]
    public void A_linear_layer_attains_its_bound_along_the_signs_of_its_weights()
    {
        Parameter weight = RandomGraph.Normal("weight", 6, new(10, 64), 0.3), bias = RandomGraph.Normal("bias", 7, new(10), 1);
        const int k = 7;
        float[] error = [.. weight.Values.Slice(k * 64, 64).ToArray().Select(w => 0.25f * MathF.Sign(w))];
        double expected = error.Select((e, c) => e * (double)weight.Values[(k * 64) + c]).Sum();
        (double measured, double bound) = Attack(ConvAlgorithm.Direct, new(1, 64), error, x => x.Linear(weight, bias), k);
        Assert.Equal(expected, measured, 1e-6 * expected);
        Assert.InRange(measured / bound, 1 - 1e-6, 1);
    }

    /// <summary>The whole of an activation's error is known: the bound after it is that error, and what comes in times max(1, a) at most.</summary>
    [Theory]
    [InlineData("composite:3,5", 2)]
    [InlineData("composite:3,5,leak=0.25", 2)]
    [InlineData("direct:4,leak=0.5", 0.7)] // Some inputs are outside.
    public void An_activations_own_error_is_known_exactly(string spec, double range)
    {
        ReluPolynomial polynomial = ActivationSpec.Parse(spec).Build();
        float[] x = [-1.5f, -0.7f, -0.01f, 0, 0.02f, 0.9f, 1.3f, 1.9f], error = [0.1f, 0, 0.5f, 0.25f, 1, 0, 0.1f, 0.1f];
        using var workspace = new Workspace(1);
        var bounds = new SoundBounds(workspace);
        using var run = new Run(workspace, observers: [bounds]);
        Tensor y = new Offset(error).Apply(run.Input(new(1, 8), x)).PolynomialRelu(polynomial, range);
        double a = polynomial.Leak;
        for (int i = 0; i < x.Length; i++)
        {
            float working = x[i] + error[i];
            double d = Math.Abs((double)working - x[i]), own = Math.Abs(y.Values[i] - (working > 0 ? working : a * working)), bound = bounds.BoundOf(y).Values[i];

            // From the interval [x^ - d, x^ + d], whose ends give a leaky ReLU its extremes.
            double inherited = new[] { working - d, working + d }.Max(end => Math.Abs((end > 0 ? end : a * end) - (working > 0 ? working : a * working)));
            Assert.InRange(bound, own + inherited, (own + inherited) * (1 + 1e-12) + 1e-15);
            Assert.True(inherited <= d * (1 + 1e-12));
        }
    }

    [Theory]
    [InlineData(true, new[] { 1f, 0f }, new[] { 0.4, 0.5 })]
    [InlineData(false, new[] { 1f, 0f }, new[] { 0.5, 0.5 })]
    [InlineData(false, new[] { 0f, 3f, 2f }, new[] { 0.1, 0.9, 0.2 })]
    [InlineData(true, new[] { 0f, 3f, 2f }, new[] { 2, 0.7, 0.2 })]
    [InlineData(false, new[] { float.NaN, 3f, 2f }, new[] { 0.0, 0, 0 })]
    [InlineData(false, new[] { 5f, 3f }, new[] { 0, double.PositiveInfinity })]
    public void A_prediction_is_decided_where_no_error_within_the_bounds_changes_it(bool decided, float[] logits, double[] bounds)
        => Assert.Equal(decided, SoundBounds.IsDecided(logits, bounds));

    /// <summary>Decided images are counted over runs, and are those whose logits stay apart.</summary>
    [Fact]
    public void Decided_images_are_counted()
    {
        using var workspace = new Workspace(1);
        var bounds = new SoundBounds(workspace);
        int expected = 0, images = 0;
        for (int seed = 0; seed < 16; seed++)
        {
            using var run = new Run(workspace, observers: [bounds]);
            Tensor logits = RandomGraph.Run(run, seed, Size, polynomials: seed % 2 == 0);
            for (int n = 0; n < Size[0]; n++, images++)
            {
                float[] of = logits.Values.Slice(10 * n, 10).ToArray();
                double[] bound = bounds.BoundOf(logits).Values[(10 * n)..(10 * (n + 1))];
                int best = Array.IndexOf(of, of.Max());
                if (Enumerable.Range(0, 10).All(k => k == best || of[k] + bound[k] < of[best] - bound[best])) expected++;
            }
            bounds.Finish();
        }
        Assert.Equal(expected, bounds.Decided);
        Assert.InRange(expected, 1, images - 1);
    }

    /// <summary>The bounds before any image is seen: no error of images whose inputs stay in range exceeds them.</summary>
    [Theory]
    [MemberData(nameof(Networks))]
    public void No_image_in_range_exceeds_the_a_priori_bound(ConvAlgorithm algorithm, int seed)
    {
        using var workspace = new Workspace(2, algorithm, fillWithNaN: true);
        var one = new Shape(1, Size[1], Size[2], Size[3]);
        var bounds = new APrioriBounds(workspace, new(one, [.. Enumerable.Repeat(4.0, one.Length)]));
        using (var run = new Run(workspace, observers: [bounds])) RandomGraph.Run(run, seed, one, polynomials: seed % 4 != 0);
        var naive = new NaiveErrors();
        var probe = new RangeProbe();
        using (var run = new Run(workspace, observers: [naive, probe])) RandomGraph.Run(run, seed, Size, polynomials: seed % 4 != 0, largest: 4);
        Assert.Equal(0, probe.OutOfRange);
        Assert.Equal(naive.Largest.Keys, bounds.ByPath.Keys);
        Assert.All(naive.Largest, pair => Assert.True(pair.Value <= bounds.ByPath[pair.Key], $"{pair.Key}: error {pair.Value}, bound {bounds.ByPath[pair.Key]}"));
        Assert.True(bounds.ByPath.Values.Count(double.IsFinite) >= 3);
        if (bounds.VacuousAt is { } path) Assert.Equal(double.PositiveInfinity, bounds.ByPath[path]);
    }

    /// <summary>A leaky ReLU rounds a product where its input is negative: a bound from magnitudes must not take them for positive inputs.</summary>
    [Fact]
    public void The_a_priori_bound_of_a_leaky_activation_holds_for_negative_inputs()
    {
        float[] x = [-1.1f, -0.7f, -1.9f, -0.3f, 1.1f, 0.7f];
        using var workspace = new Workspace(1);
        var shape = new Shape(1, x.Length);
        var bounds = new APrioriBounds(workspace, new(shape, [.. x.Select(value => Math.Abs((double)value))]));
        var naive = new NaiveErrors();
        using var run = new Run(workspace, observers: [bounds, naive]);
        run.Input(shape, x).Relu(0.1f);
        (string path, double error) = Assert.Single(naive.Largest);
        // Rounding to nearest: half of a unit in the last place of the largest product, about 0.19, at most.
        Assert.InRange(error, double.Epsilon, Math.ScaleB(1, -27));
        Assert.InRange(bounds.ByPath[path], error, Math.ScaleB(0.2, -24));
    }

    /// <summary>The error of one output element, and its bound, for a network's first operation whose input has an error.</summary>
    private static (double Measured, double Bound) Attack(ConvAlgorithm algorithm, Shape shape, float[] error, Func<Tensor, Tensor> operation, int element)
    {
        using var workspace = new Workspace(1, algorithm);
        var bounds = new SoundBounds(workspace);
        var naive = new NaiveErrors();
        using var run = new Run(workspace, observers: [bounds, naive]);
        Tensor y = operation(new Offset(error).Apply(run.Input(shape, new float[shape.Length])));
        return (Math.Abs(naive.ErrorOf(y)[element]), bounds.BoundOf(y).Values[element]);
    }
}
