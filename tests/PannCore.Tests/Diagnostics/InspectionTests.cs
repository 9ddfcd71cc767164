using PannCore.Approximation;
using PannCore.Data;
using PannCore.Diagnostics;
using PannCore.Engine;
using PannCore.Nn;
using PannCore.Reports;
using PannCore.Tests.Reports;
using PannCore.Tests.Support;
using PannCore.Training;
using Xunit;

namespace PannCore.Tests.Diagnostics;

public sealed class InspectionTests : IDisposable
{
    private const int Bright = 2;

    private static readonly InspectionRequest Request = new("t", "pann inspect", "m", ActivationSpec.Parse("composite:alpha=12"), "layer", new Dictionary<string, string>());

    private readonly Workspace _workspace = new(2, fillWithNaN: true);

    public void Dispose() => _workspace.Dispose();

    /// <summary>Whatever they are compared with: another polynomial, or another range, makes another network of them that nobody asked for.</summary>
    [Fact]
    public void Weights_made_for_their_polynomials_are_tried_with_no_others()
    {
        ResNet pann = RandomNetwork.Pann("direct:4", margin: 1.2);
        RunRecord Inspect(bool made) => Inspection.Run(
            Request with { Activation = ActivationSpec.Parse("direct:4"), MadeForPolynomials = made }, pann, RandomNetwork.Sample, [0, 1], Normalization.Cifar10, _workspace, studies: InspectionStudy.All);
        RunRecord free = Inspect(made: false), fixedOnes = Inspect(made: true);
        Assert.True(free.Sweep is { Steps.Count: > 1 } && free.Ranging!.Cliff is not null);
        Assert.True(fixedOnes.Sweep is null && fixedOnes.Ranging!.Cliff is null);
        Content.Same(free.Ranging!.Layers, fixedOnes.Ranging!.Layers);
        Content.Same(free.Operations, fixedOnes.Operations);
    }

    [Fact]
    public void An_overflowing_image_is_counted_apart_and_changes_no_other_figure()
    {
        (Cifar10 data, ResNet pann) = Overflowing();
        RunRecord with = Inspection.Run(Request, pann, data, [0, 1, Bright, 3], Normalization.Cifar10, _workspace);
        RunRecord without = Inspection.Run(Request, pann, data, [0, 1, 3], Normalization.Cifar10, _workspace);

        Assert.Equal((1, 0), (with.NonFiniteImages, without.NonFiniteImages));
        Assert.Equal(without.OutOfRangeImages + 1, with.OutOfRangeImages);
        Content.Same(without.Operations.Select(Others), with.Operations.Select(Others));
        Assert.Equal(without.Checks, with.Checks);
        Assert.Equal(without.Layers, with.Layers);
        Assert.Equal(without.IdentityResidual, with.IdentityResidual);
        Assert.All(with.Checks, check => Assert.True(check.Passed, $"{check.Name}: {check.Detail}"));
        Assert.Contains(with.Flips, flip => flip with { FlippedAt = null } == new Flip(Bright, data.Labels[Bright], flip.Ideal, -1));

        // The first operation that is not finite is an activation; nothing before it, everything after it has such elements.
        int root = with.Operations.TakeWhile(line => line.NonFinite == 0).Count();
        Assert.Equal("polynomialRelu", with.Operations[root].Op);
        Assert.True(with.Operations[root].OutOfRange > without.Operations[root].OutOfRange);
        Assert.All(with.Operations.Skip(root + 1).Where(line => line.Op != "shortcut"), line => Assert.True(line.NonFinite > 0, line.Path));
        Assert.All(without.Operations, line => Assert.Equal(0, line.NonFinite));
        // The logits of one image.
        Assert.Equal(10, with.Operations[^1].NonFinite);

        static OperationRecord Others(OperationRecord line) => line with { NonFinite = 0, OutOfRange = 0 };
    }

    [Fact]
    public void An_overflowing_image_leaves_its_neighbours_untouched()
    {
        (Cifar10 data, ResNet pann) = Overflowing();
        float[] with = Evaluation.Of(pann, data, [0, 1, Bright, 3], Normalization.Cifar10, _workspace).Logits;
        float[] without = Evaluation.Of(pann, data, [0, 1, 0, 3], Normalization.Cifar10, _workspace).Logits;
        Assert.All(with[20..30], logit => Assert.False(float.IsFinite(logit)));
        Assert.All(without, logit => Assert.True(float.IsFinite(logit)));
        Assert.Equal(without[..20], with[..20]);
        Assert.Equal(without[30..], with[30..]);
    }

    [Fact]
    public void A_record_without_a_finite_image_still_shows_where_it_broke()
    {
        (Cifar10 data, ResNet pann) = Overflowing();
        RunRecord record = Inspection.Run(Request, pann, data, [Bright], Normalization.Cifar10, _workspace);
        Assert.Equal((1, 1), (record.Images, record.NonFiniteImages));
        Assert.Equal(0, record.PannAccuracy);
        Assert.Equal(70, record.Operations.Count);
        OperationRecord root = record.Operations.First(line => line.NonFinite > 0);
        Assert.Equal("polynomialRelu", root.Op);
        Assert.True(root.OutOfRange > 0);

        using var json = new MemoryStream();
        RunRecordJson.Write(json, record);
        json.Position = 0;
        Content.Same(record.Operations, RunRecordJson.Read(json).Operations);
        using var page = new StringWriter();
        HtmlReport.Write(page, record);
        Assert.Contains(root.Path, page.ToString(), StringComparison.Ordinal);
        Assert.NotEmpty(ConsoleReport.Summary(record));
    }

    [Fact]
    public void The_record_repeats_accuracies_flips_and_overflow_of_the_two_networks()
    {
        int[] images = [4, 40, 400, 444, 500, 800];
        ResNet pann = RandomNetwork.Pann("composite:alpha=4");
        var request = new InspectionRequest("title", "command", "model", ActivationSpec.Parse("composite:alpha=4"), "layer", new Dictionary<string, string> { ["data"] = "the sample" });
        var parts = new List<(string, int)>();
        RunRecord record = Inspection.Run(request, pann, RandomNetwork.Sample, images, Normalization.Cifar10, _workspace, (part, units) =>
        {
            parts.Add((part, units));
            return null;
        });
        Evaluation ideal = Evaluation.Of(RandomNetwork.Backbone, RandomNetwork.Sample, images, Normalization.Cifar10, _workspace);
        Evaluation polynomial = Evaluation.Of(pann, RandomNetwork.Sample, images, Normalization.Cifar10, _workspace);

        Assert.Equal((2, "title", "command", "model", "resnet20", "composite:alpha=4", "layer", 6), (record.Schema, record.Title, record.Command, record.Model, record.Architecture, record.Activation, record.Ranges, record.Images));
        Assert.Equal((ideal.Accuracy, polynomial.Accuracy, polynomial.NonFinite), (record.IdealAccuracy, record.PannAccuracy, record.NonFiniteImages));
        Assert.Equal(
            images.Select((image, n) => new Flip(image, RandomNetwork.Sample.Labels[image], ideal.Predictions[n], polynomial.Predictions[n])).Where(flip => flip.Ideal != flip.Pann),
            record.Flips.Select(flip => flip with { FlippedAt = null }));
        Assert.All(record.Flips, flip => Assert.Equal(record.Causes!.FlippedAt[flip.Image], flip.FlippedAt));
        Assert.Equal([("predictions", 6), ("error of every operation", 6), ("switching layer by layer", 6)], parts);

        // The curve: 801 points from -1 to 1, nowhere above the certified error, whose logarithm is repeated.
        ReluPolynomial approximation = ActivationSpec.Parse("composite:alpha=4").Build();
        Assert.Equal(Math.Log2(approximation.MaxError), record.Log2MaxError);
        Assert.Equal((801, -1.0, 0.0, 1.0), (record.ErrorCurve.Count, record.ErrorCurve[0].X, record.ErrorCurve[400].X, record.ErrorCurve[800].X));
        Assert.InRange(record.ErrorCurve.Max(p => Math.Abs(p.Error)), 0.9 * approximation.MaxError, approximation.MaxError);
    }

    [Fact]
    public void Studies_of_the_polynomials_are_made_against_what_they_stand_for_only()
    {
        ResNet pann = RandomNetwork.Pann("composite:alpha=5");
        var request = new InspectionRequest("t", "c", "m", ActivationSpec.Parse("composite:alpha=5"), "layer", new Dictionary<string, string>());
        RunRecord Run(IdealNetwork? ideal) => Inspection.Run(request, pann, RandomNetwork.Sample, [0, 1, 2, 3], Normalization.Cifar10, _workspace, studies: InspectionStudy.All, ideal: ideal);

        RunRecord own = Run(null), self = Run(IdealNetwork.Self);
        Assert.Equal("relu", own.Ideal);
        Assert.True(own is { Causes: not null, Inside.Count: 19, Ranging: not null, Bounds: not null, Sweep: not null });
        Assert.Equal("self", self.Ideal);
        Assert.True(self is { Causes: null, Inside: null, Ranging: not null, Bounds: null, Sweep: null });
        // Compared with itself in exact arithmetic it loses nothing, and no operation approximates.
        Assert.Equal(self.PannAccuracy, self.IdealAccuracy);
        Assert.Empty(self.Flips);
        Assert.All(self.Operations, line => Assert.Equal(0, line.Approximation.Max));
        Assert.Contains(own.Operations, line => line.Approximation.Max > 0);
        // What no bound covers is named, in the page too; of these two everything is covered.
        Assert.Equal((null, null), (own.Unbounded, self.Unbounded));
        RunRecord sloped = Run(IdealNetwork.Relu(0.25));
        Assert.Equal(pann.Activations.Select(a => a.Path).Order(StringComparer.Ordinal), sloped.Unbounded);
        using var page = new StringWriter();
        HtmlReport.Write(page, sloped);
        Assert.Contains("Not checked is the approximation at 19 activations", page.ToString(), StringComparison.Ordinal);
        // The curve over precisions ends where the ideal network's accuracy on the same images is.
        Assert.Equal(own.IdealAccuracy, own.Sweep!.IdealAccuracy);
    }

    [Fact]
    public void A_reference_that_is_worse_than_the_network_is_said_to_be_the_wrong_one()
    {
        // A network is better than the one whose last layer answers another class to everything.
        ResNet other = RandomNetwork.Make(5);
        byte most = RandomNetwork.Sample.Labels.Take(20).GroupBy(label => label).MaxBy(group => group.Count())!.Key;
        other.Parameters.All.Single(p => p.Name == "linear.weight").Update(values => values.Clear());
        other.Parameters.All.Single(p => p.Name == "linear.bias").Update(values => { values.Clear(); values[most] = 1; });
        ResNet wrong = RandomNetwork.Make(5);
        wrong.Parameters.All.Single(p => p.Name == "linear.weight").Update(values => values.Clear());
        byte absent = (byte)Enumerable.Range(0, 10).MinBy(label => RandomNetwork.Sample.Labels.Take(20).Count(l => l == label));
        wrong.Parameters.All.Single(p => p.Name == "linear.bias").Update(values => { values.Clear(); values[absent] = 1; });
        int[] images = [.. Enumerable.Range(0, 20)];
        var request = new InspectionRequest("t", "c", "m", ActivationSpec.Parse("relu"), "none", new Dictionary<string, string>());
        RunRecord record = Inspection.Run(request, other, RandomNetwork.Sample, images, Normalization.Cifar10, _workspace, ideal: IdealNetwork.Model(wrong, "model:wrong.safetensors"));
        Assert.True(record.PannAccuracy > record.IdealAccuracy + 5);
        Assert.StartsWith("WARNING: The reference is the wrong one: the ideal network (model:wrong.safetensors) gets ", ConsoleReport.Summary(record)[0], StringComparison.Ordinal);
        Assert.DoesNotContain(Inspection.Run(request, other, RandomNetwork.Sample, images, Normalization.Cifar10, _workspace).Diagnoses, line => line.StartsWith("The reference", StringComparison.Ordinal));
    }

    [Fact]
    public void A_better_network_of_few_images_may_be_chance()
    {
        Flip gained = new(0, 3, 5, 3), lost = new(1, 3, 3, 5);
        const string chance = " images it may also be chance: ";
        Assert.EndsWith("Of 5 images it may also be chance: 1 right only with polynomials, 0 only without.", Fault(5, [gained]), StringComparison.Ordinal);
        // Nine against one are 8 apart, two standard deviations are 2 sqrt(10) = 6.3; nine against three are 6 apart, and 6.9.
        Assert.DoesNotContain(chance, Fault(100, [.. Enumerable.Repeat(gained, 9), lost]), StringComparison.Ordinal);
        Assert.Contains(chance, Fault(100, [.. Enumerable.Repeat(gained, 9), lost, lost, lost]), StringComparison.Ordinal);

        static string Fault(int images, Flip[] flips)
            => RecordFaults.Of(SampleRecord.Create() with { Images = images, IdealAccuracy = 80, PannAccuracy = 86, Flips = flips }, new Dictionary<string, double>()).Single();
    }

    /// <summary>
    /// Images of low contrast, ranges measured on them, and among them one of the highest contrast: under alpha 12 (a polynomial of degree
    /// 7 x 15 x 27 + 1) whatever leaves its range by a factor becomes infinite.
    /// </summary>
    private (Cifar10 Data, ResNet Pann) Overflowing()
    {
        Cifar10 few = RandomNetwork.Sample.Select([0, 1, 2, 3]);
        byte[] pixels = [.. few.Images.Select((p, i) => i / Cifar10.ImageBytes == Bright ? (byte)(p < 128 ? 0 : 255) : (byte)(120 + ((p - 128) / 16)))];
        var data = new Cifar10(pixels, few.Labels, "low contrast and one image of high contrast");
        string[] paths = [.. RandomNetwork.Backbone.Activations.Select(a => a.Path)];
        Dictionary<string, double> largest = RangeProbe.Calibrate(RandomNetwork.Backbone, data, [0, 1, 3], Normalization.Cifar10, _workspace);
        return (data, RandomNetwork.Backbone.With(Request.Activation, ActivationRanges.Parse("layer", paths, largest, 1.1)));
    }
}
