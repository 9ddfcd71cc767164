using PannCore.Approximation;
using PannCore.Engine;
using PannCore.Ops;
using Xunit;

namespace PannCore.Tests.Ops;

public sealed class PerturbedReluTests : IDisposable
{
    private const double Unit = 1.0 / (1 << 24);
    private const int Pixels = 577; // More than two of the blocks the operation works in, and no multiple.

    private static readonly ReluPolynomial Polynomial = ActivationSpec.Parse("composite:3,7").Build();
    private static readonly CounterRandom Random = new(11, RandomStream.Perturbation, 4);

    private readonly Workspace _workspace = new(2, fillWithNaN: true);

    public static TheoryData<PerturbedSide, PerturbationForm, float> Cases
    {
        get
        {
            var cases = new TheoryData<PerturbedSide, PerturbationForm, float>();
            foreach (PerturbedSide side in Enum.GetValues<PerturbedSide>())
            {
                foreach (PerturbationForm form in Enum.GetValues<PerturbationForm>())
                {
                    cases.Add(side, form, 0);
                    cases.Add(side, form, 0.25f);
                }
            }
            return cases;
        }
    }

    public void Dispose() => _workspace.Dispose();

    [Theory]
    [MemberData(nameof(Cases))]
    public void Values_agree_with_naive_loops(PerturbedSide side, PerturbationForm form, float slope)
    {
        const double b = 1.5, size = 0.7;
        ReluPolynomial polynomial = slope == 0 ? Polynomial : ActivationSpec.Parse("composite:3,7,leak=0.25").Build();
        int[] images = [40, 7];
        float[] x = OpTable.Values(images.Length * Pixels, 1);
        (x[3], x[Pixels + 5]) = (0, float.NegativeZero);
        float[] y = Of(x, images, new(side, form, size, polynomial, b, slope));
        for (int i = 0; i < x.Length; i++)
        {
            double v = x[i], relu = v < 0 ? slope * v : v, own = (b * polynomial.Evaluate(v / b)) - relu, expected = relu;
            bool perturbed = side == PerturbedSide.Both || side == (v < 0 ? PerturbedSide.Negative : PerturbedSide.Positive);
            long index = ((long)images[i / Pixels] * Pixels) + (i % Pixels);
            if (perturbed)
            {
                if (form == PerturbationForm.Plus) expected += size;
                if (form == PerturbationForm.Minus) expected -= size;
                if (form == PerturbationForm.Uniform) expected += size * ((2 * Random.Uniform(index)) - 1);
                if (form == PerturbationForm.Own) expected += size * own;
                if (form == PerturbationForm.OwnReversed) expected -= size * own;
                if (form == PerturbationForm.OwnRandomSign) expected += size * (Random.Uniform(index) < 0.5 ? -own : own);
            }
            // c and a sum or two are rounded, magnitudes below 2; the polynomial's own evaluation has a bound of its own.
            double bound = (6 * Unit) + ReluPerturbationError(polynomial, b, v, form);
            Assert.True(Math.Abs(y[i] - expected) <= bound, $"x = {v}: {y[i]} for {expected}");
        }
    }

    [Theory]
    [InlineData("composite:alpha=7")]
    [InlineData("direct:4,leak=0.25")]
    public void Own_error_on_both_sides_is_the_polynomial_to_the_bit(string spec)
    {
        ReluPolynomial polynomial = ActivationSpec.Parse(spec).Build();
        float[] x = OpTable.Values(Pixels, 2);
        (x[0], x[1], x[2], x[3]) = (0, float.NaN, 3, float.NegativeInfinity);
        using var run = new Run(_workspace);
        Assert.Equal(
            run.Input(new(1, Pixels), x).PolynomialRelu(polynomial, 0.8).Values.ToArray(),
            Of(x, [5], new(PerturbedSide.Both, PerturbationForm.Own, 1, polynomial, 0.8, (float)polynomial.Leak)));
    }

    [Theory]
    [InlineData(PerturbationForm.Uniform)]
    [InlineData(PerturbationForm.OwnRandomSign)]
    public void Batch_and_threads_change_no_bit(PerturbationForm form)
    {
        var perturbation = new ReluPerturbation(PerturbedSide.Both, form, 0.5, Polynomial, 1.2);
        float[] x = OpTable.Values(3 * Pixels, 3);
        int[] images = [9000, 3, 12];
        float[] all = Of(x, images, perturbation);
        for (int n = 0; n < images.Length; n++)
            Assert.Equal(all[(n * Pixels)..((n + 1) * Pixels)], Of(x[(n * Pixels)..((n + 1) * Pixels)], [images[n]], perturbation));
        using var one = new Workspace(1);
        using var run = new Run(one);
        Assert.Equal(all, run.Input(new(3, Pixels), x).PerturbedRelu(perturbation, Random, images).Values.ToArray());
    }

    [Fact]
    public void Noise_is_uniform_and_another_image_and_layer_have_other_noise()
    {
        const int count = 100_000;
        var perturbation = new ReluPerturbation(PerturbedSide.Both, PerturbationForm.Uniform, 1);
        float[] x = new float[count], noise = Of(x, [0], perturbation), other = Of(x, [1], perturbation);
        using var run = new Run(_workspace);
        float[] layer = run.Input(new(1, count), x).PerturbedRelu(perturbation, new CounterRandom(11, RandomStream.Perturbation, 5), new[] { 0 }).Values.ToArray();
        Assert.All(noise, e => Assert.InRange(e, -1, 1));

        // Five standard deviations: of the mean sqrt(1/3 / n), of the mean square sqrt(4/45 / n), of a mean product 1/3 / sqrt(n).
        Assert.Equal(0, noise.Average(e => (double)e), 5 * Math.Sqrt(1 / 3.0 / count));
        Assert.Equal(1 / 3.0, noise.Average(e => (double)e * e), 5 * Math.Sqrt(4 / 45.0 / count));
        Assert.Equal(0, noise.Zip(other, (a, b) => (double)a * b).Average(), 5 / 3.0 / Math.Sqrt(count));
        Assert.Equal(0, noise.Zip(layer, (a, b) => (double)a * b).Average(), 5 / 3.0 / Math.Sqrt(count));
    }

    [Fact]
    public void Not_a_number_stays_what_it_is()
    {
        foreach (PerturbationForm form in Enum.GetValues<PerturbationForm>())
            Assert.All(Of([float.NaN], [0], new(PerturbedSide.Negative, form, 0.5, Polynomial)), y => Assert.True(float.IsNaN(y)));
    }

    [Fact]
    public void An_own_error_needs_a_polynomial()
        => Assert.StartsWith(
            "perturbedRelu: the form Own needs a polynomial",
            Assert.Throws<ArgumentNullException>(() => Of([1], [0], new(PerturbedSide.Both, PerturbationForm.Own, 1))).Message, StringComparison.Ordinal);

    /// <summary>How far the polynomial's evaluation in float32 may be from exact, at most once: sizes are below 1.</summary>
    private static double ReluPerturbationError(ReluPolynomial polynomial, double range, double x, PerturbationForm form)
        => form < PerturbationForm.Own ? 0 : new PolynomialTolerance(polynomial, range).Bound(x, Unit).Value.Error;

    private float[] Of(float[] x, int[] images, ReluPerturbation perturbation)
    {
        using var run = new Run(_workspace);
        return run.Input(new(images.Length, x.Length / images.Length), x).PerturbedRelu(perturbation, Random, images).Values.ToArray();
    }
}
