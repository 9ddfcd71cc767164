using System.Reflection;
using PannCore.Approximation;
using PannCore.Data;
using PannCore.Diagnostics;
using PannCore.Engine;
using PannCore.Nn;
using Xunit;

namespace PannCore.Tests.Diagnostics;

/// <summary>Images that explode are counted apart and change no other figure; what an operation's fault makes of them is named.</summary>
public sealed class LostImageTests : IDisposable
{
    private const string Arithmetic = "arithmetic: at most the rounding bound of the operation (polynomials: twice the scanned evaluation error)";
    private const string Approximation = "approximation: at most its certified bound inside the range: B E, and of a repaired one its largest shift";

    private readonly Workspace _workspace = new(2, fillWithNaN: true);

    public void Dispose() => _workspace.Dispose();

    [Theory]
    [InlineData(1e30f, 2)]
    [InlineData(1e30f, 0)]
    [InlineData(-1e38f, 1)]
    [InlineData(float.NaN, 3)]
    [InlineData(float.PositiveInfinity, 2)]
    public void One_pixel_leaves_all_other_figures_as_they_are_to_the_bit(float pixel, int place)
    {
        ResNet pann = RandomNetwork.Pann("composite:alpha=7", margin: 2);
        float[] sound = Pixels(3), lost = [.. sound[..(place * Cifar10.ImageBytes)], .. sound[..Cifar10.ImageBytes], .. sound[(place * Cifar10.ImageBytes)..]];
        lost[(place * Cifar10.ImageBytes) + 1500] = pixel;
        ErrorLedger without = Observe(pann, sound), with = Observe(pann, lost);

        Assert.Equal([place], with.LeftOut);
        Assert.Equal(3, with.Images.Count);
        Assert.Equal((0, 3), (without.LeftOut.Count, without.Images.Count));
        Assert.Equal(without.Operations.Select(line => Others(line, place)), with.Operations.Select(line => Others(line, null)));
        Assert.All(with.Checks, check => Assert.True(check.Passed, $"{check.Name}: {check.Detail}"));

        // The tightest places are named by their position in the batch, which has moved; their figures have not.
        Assert.Equal(without.Checks.Select(Figures), with.Checks.Select(Figures));
        Assert.All(without.Operations, line => Assert.Equal(0, line.NonFinite));
        Assert.Equal(10, with.Operations[^1].NonFinite);

        static string Figures(CheckRecord check) => check.Name + (check.Detail.Contains(": ", StringComparison.Ordinal) ? check.Detail[check.Detail.LastIndexOf(": ", StringComparison.Ordinal)..] : check.Detail);
    }

    [Fact]
    public void The_ledger_names_the_images_it_left_out_and_needs_nobody_to_remove_them()
    {
        (Cifar10 data, ResNet pann) = Overflowing(bright: 2);
        ErrorLedger with = ErrorLedger.Of(pann, data, [0, 1, 2, 3], Normalization.Cifar10, _workspace, batch: 3);
        ErrorLedger without = ErrorLedger.Of(pann, data, [0, 1, 3], Normalization.Cifar10, _workspace);
        Assert.Equal([2], with.LeftOut);
        Assert.Equal([0, 1, 3], with.Images);
        Assert.Equal(without.Operations, with.Operations.Select(line => line with { NonFinite = 0, OutOfRange = without.Operations.Single(other => other.Path == line.Path).OutOfRange }));
        Assert.Equal(without.Checks, with.Checks);
        Assert.Equal(without.IdentityResidual, with.IdentityResidual);
    }

    [Fact]
    public void Without_a_sound_image_sizes_are_unknown_and_no_check_is_said_to_have_passed()
    {
        (Cifar10 data, ResNet pann) = Overflowing(bright: 2);
        ErrorLedger ledger = ErrorLedger.Of(pann, data, [2], Normalization.Cifar10, _workspace);
        Assert.Equal([2], ledger.LeftOut);
        Assert.Empty(ledger.Images);
        Assert.Empty(ledger.Checks);
        Assert.Equal(70, ledger.Operations.Count);
        Assert.All(ledger.Operations, line => Assert.True(double.IsNaN(line.Total.Rms) && double.IsNaN(line.IdealRms) && line.Spread is null && line.LargestInput is null, line.Path));
        OperationRecord root = ledger.Operations.First(line => line.NonFinite > 0);
        Assert.Equal("polynomialRelu", root.Op);
        Assert.True(root.OutOfRange > 0);
    }

    [Theory]
    // The first weight meets no pixel of the first row and column: 31 x 31 of 32 x 32 are left, 7 x 7 of 8 x 8.
    [InlineData("conv1.weight", "conv1", 961)]
    // Winograd's algorithm, of which no bound is known for such weights.
    [InlineData("layer3.1.conv2.weight", "layer3.1.conv2", 49)]
    [InlineData("layer2.0.bn1.running_var", "layer2.0.bn1", 256)]
    [InlineData("linear.bias", "linear", 1)]
    public void A_weight_that_is_no_number_is_found_where_it_is(string parameter, string operation, int elements)
    {
        ResNet broken = Copy(RandomNetwork.Backbone);
        broken.Parameters.Find(parameter)!.Update(values => values[0] = float.NaN);
        ErrorLedger ledger = ErrorLedger.Of(broken, RandomNetwork.Sample, [7, 8], Normalization.Cifar10, _workspace, batch: 1);
        Assert.Equal([7, 8], ledger.LeftOut);
        CheckRecord check = Assert.Single(ledger.Checks, check => check.Name == Arithmetic);
        Assert.False(check.Passed);
        Assert.StartsWith($"FAILED at {2 * elements} of ", check.Detail, StringComparison.Ordinal);
        Assert.Matches($" elements, worst: {operation.Replace(".", "\\.", StringComparison.Ordinal)}, image 7, element [0-9]+: NaN against the bound ", check.Detail);
        Assert.Equal(operation, ledger.Operations.First(line => line.NonFinite > 0).Path);
    }

    [Fact]
    public void A_polynomial_that_explodes_inside_its_range_is_at_fault()
    {
        // Its own certificate bounds it by B (1 + E) there; a coefficient of 50 more does not.
        ReluPolynomial doctored = ActivationSpec.Parse("direct:8").Build();
        var stages = (Polynomial[])typeof(ReluPolynomial).GetField("_stages", BindingFlags.NonPublic | BindingFlags.Instance)!.GetValue(doctored)!;
        double[] coefficients = [.. stages[0].Coefficients];
        coefficients[0] += 50;
        stages[0] = new Polynomial(stages[0].Parity, stages[0].HalfWidth, coefficients);
        ResNet pann = RandomNetwork.Backbone.With(path => new ActivationFunction.Polynomial(doctored, 2 * RandomNetwork.Largest[path]));
        ErrorLedger ledger = ErrorLedger.Of(pann, RandomNetwork.Sample, [4, 5], Normalization.Cifar10, _workspace);
        Assert.Equal([4, 5], ledger.LeftOut);
        CheckRecord check = Assert.Single(ledger.Checks, check => check.Name == Approximation);
        Assert.False(check.Passed);
        Assert.StartsWith("FAILED at 32768 of 32768 elements, worst: relu, image ", check.Detail, StringComparison.Ordinal);
    }

    /// <summary>A line without what counts all images, and with the worst image's position as it is with another image before it.</summary>
    private static OperationRecord Others(OperationRecord line, int? inserted)
        => line with { NonFinite = 0, OutOfRange = 0, Spread = inserted is int place && line.Spread!.WorstImage >= place ? line.Spread with { WorstImage = line.Spread.WorstImage + 1 } : line.Spread };

    private static float[] Pixels(int images)
    {
        using var workspace = new Workspace(1);
        using var run = new Run(workspace);
        return new BatchLoader(RandomNetwork.Sample, Normalization.Cifar10).Load(run, Enumerable.Range(0, images).ToArray()).Values.ToArray();
    }

    private ErrorLedger Observe(ResNet pann, float[] pixels)
    {
        var ledger = new ErrorLedger(_workspace);
        using var run = new Run(_workspace, observers: [ledger]);
        pann.Call(run.Input(new(pixels.Length / Cifar10.ImageBytes, 32, 32, 3), pixels));
        return ledger;
    }

    private static ResNet Copy(ResNet model)
    {
        var copy = new ResNet(model.Depth);
        copy.Parameters.CopyFrom(model.Parameters);
        return copy;
    }

    /// <summary>Images of low contrast, ranges measured on them, and among them one of the highest contrast.</summary>
    private (Cifar10 Data, ResNet Pann) Overflowing(int bright)
    {
        Cifar10 few = RandomNetwork.Sample.Select([0, 1, 2, 3]);
        byte[] pixels = [.. few.Images.Select((p, i) => i / Cifar10.ImageBytes == bright ? (byte)(p < 128 ? 0 : 255) : (byte)(120 + ((p - 128) / 16)))];
        var data = new Cifar10(pixels, few.Labels, "low contrast and one image of high contrast");
        Dictionary<string, double> largest = RangeProbe.Calibrate(RandomNetwork.Backbone, data, [.. Enumerable.Range(0, 4).Where(i => i != bright)], Normalization.Cifar10, _workspace);
        return (data, RandomNetwork.Backbone.With(ActivationSpec.Parse("composite:alpha=12"), ActivationRanges.Parse("layer", [.. RandomNetwork.Backbone.Activations.Select(a => a.Path)], largest, 1.1)));
    }
}
