using PannCore.Approximation;
using PannCore.Data;
using PannCore.Diagnostics;
using PannCore.Engine;
using PannCore.Nn;
using PannCore.Ops;
using PannCore.Training;
using Xunit;

namespace PannCore.Tests.Diagnostics;

public sealed class RangeStudyTests : IDisposable
{
    /// <summary>The first 24 images of the sample are those that <see cref="RandomNetwork.Largest"/> was measured on.</summary>
    private static readonly int[] Images = [3, 0, 7, 20, 11, 23, 5, 14];

    private readonly Workspace _workspace = new(2, fillWithNaN: true);

    public void Dispose() => _workspace.Dispose();

    [Theory]
    [InlineData("composite:alpha=7", 1.3)]
    [InlineData("direct:2", 0.5)] // Inputs are outside already.
    public void What_is_said_of_layers_images_and_factors_is_what_naive_loops_find(string spec, double margin)
    {
        ResNet pann = Scaled(RandomNetwork.Pann(spec, "layer", 1), margin);
        var reports = new List<int>();
        RangeRecord record = RangeStudy.Of(pann, RandomNetwork.Sample, Images, Normalization.Cifar10, _workspace, new Listed(reports))!;
        Assert.Equal(Enumerable.Range(1, RangeStudy.Units), reports);

        Dictionary<int, NearImage> near = Images.ToDictionary(image => image, image => Nearest(pann, RandomNetwork.Sample, image));
        Assert.Equal(near.Values.OrderByDescending(n => n.Share), record.Nearest);
        Assert.Equal(pann.Activations.Select(a => a.Path), record.Layers.Select(layer => layer.Path));
        NearImage worst = near.Values.MaxBy(n => n.Share)!;
        LayerRange there = record.Layers.Single(layer => layer.Path == worst.Path);
        Assert.Equal((worst.Image, worst.Share), (there.WorstImage, there.Largest / there.Range));
        Assert.Equal(1 / worst.Share, there.Headroom, 1e-15);
        Assert.Equal(near.Values.Count(n => n.Share > 1), record.Layers.Sum(layer => layer.RootImages));
        Assert.Equal(margin < 1, worst.Share > 1);

        Cliff cliff = record.Cliff!;
        Assert.Equal((worst.Share, worst.Path, worst.Image), (cliff.PredictedFactor, cliff.PredictedPath, cliff.PredictedImage));
        foreach (RangeFactor step in cliff.Steps)
        {
            ResNet other = Scaled(pann, step.Factor);
            Assert.Equal(Images.Count(image => Nearest(other, RandomNetwork.Sample, image).Share > 1), step.OutOfRangeImages);
            Assert.Equal(Evaluation.Of(other, RandomNetwork.Sample, Images, Normalization.Cifar10, _workspace).Accuracy, step.Accuracy);
        }
        Assert.Contains(1, cliff.Steps.Select(step => step.Factor));
        Assert.Equal(cliff.Steps.OrderByDescending(step => step.Factor), cliff.Steps);
    }

    /// <summary>The factor found stands between two that are tried here anew: at it an image is outside, at 1.0001 times it none.</summary>
    [Theory]
    [InlineData("composite:alpha=7", 1.3)]
    [InlineData("composite:alpha=4", 1)]
    [InlineData("direct:2", 0.5)]
    public void The_cliff_is_where_it_is_said_to_be(string spec, double margin)
    {
        ResNet pann = Scaled(RandomNetwork.Pann(spec, "layer", 1), margin);
        Cliff cliff = RangeStudy.Of(pann, RandomNetwork.Sample, Images, Normalization.Cifar10, _workspace)!.Cliff!;
        NearImage found = Nearest(Scaled(pann, cliff.FoundFactor), RandomNetwork.Sample, cliff.FoundImage);
        Assert.Equal(cliff.FoundPath, found.Path);
        Assert.InRange(found.Share, 1, 1.001);
        Assert.All(Images, image => Assert.InRange(Nearest(Scaled(pann, cliff.FoundFactor * 1.0001), RandomNetwork.Sample, image).Share, 0, 1));
    }

    /// <summary>Another image than the nearest may be outside first where another factor changes the polynomials: all images are looked at in the end.</summary>
    [Fact]
    public void Ranges_that_a_repair_belongs_to_are_not_scaled()
    {
        ResNet repaired = Repair.InOneWay(
            RandomNetwork.Backbone, ActivationSpec.Parse("composite:alpha=6"), ActivationRanges.Parse("layer", [.. RandomNetwork.Largest.Keys], RandomNetwork.Largest, 1.05), RepairShift.Injected, batchNorm: false,
            RandomNetwork.Sample, [30, 31, 32], Normalization.Cifar10, _workspace).Pann;
        RangeRecord record = RangeStudy.Of(repaired, RandomNetwork.Sample, Images, Normalization.Cifar10, _workspace)!;
        Assert.Null(record.Cliff);
        Assert.Equal(19, record.Layers.Count);
        Assert.NotNull(RangeStudy.Of(RandomNetwork.Pann("composite:alpha=6"), RandomNetwork.Sample, Images, Normalization.Cifar10, _workspace)!.Cliff);
        Assert.Null(RangeStudy.Of(RandomNetwork.Pann("composite:alpha=6"), RandomNetwork.Sample, Images, Normalization.Cifar10, _workspace, scale: false)!.Cliff);
    }

    [Fact]
    public void An_image_that_is_not_among_the_candidates_is_found()
    {
        ResNet pann = RandomNetwork.Pann("composite:alpha=4", "layer", 1);
        var search = new CliffSearch(pann, RandomNetwork.Sample, Images, Normalization.Cifar10, _workspace);
        int[] positions = [.. Enumerable.Range(0, Images.Length)];
        int[] order = [.. positions.OrderByDescending(n => Nearest(pann, RandomNetwork.Sample, Images[n]).Share)];
        (double expected, NearImage image) = search.From(1, order, candidates: Images.Length, default)!.Value;
        (double found, NearImage other) = search.From(1, [.. order.Reverse()], candidates: 1, default)!.Value;
        Assert.Equal(image.Image, other.Image);
        Assert.Equal(expected, found, 2e-4 * expected);
    }

    [Fact]
    public void The_search_leads_outwards_to_an_image_that_exists()
    {
        ResNet pann = RandomNetwork.Pann("composite:alpha=7", "layer", 2);
        RangeRecord record = RangeStudy.Of(pann, RandomNetwork.Sample, Images, Normalization.Cifar10, _workspace)!;
        RangeSearch search = record.Search!;
        Assert.Equal((record.Nearest[0].Image, record.Nearest[0].Share), (search.Image, search.StartShare));

        // What is stated is what the bytes give, run alone; and the gradient leads farther than as many images of noise of the same size do.
        var found = new Cifar10(search.Pixels.ToArray(), [0], "found");
        Assert.Equal((search.Path, search.Share), (Nearest(pann, found, 0).Path, Nearest(pann, found, 0).Share));
        var random = new CounterRandom(1, RandomStream.StressImage, 1);
        byte[] noisy = [.. Enumerable.Range(0, PixelSearch.Steps * Cifar10.ImageBytes).Select(i => (byte)random.Below(i, 256))];
        var noise = new Cifar10(noisy, new byte[PixelSearch.Steps], "noise");
        double best = Enumerable.Range(0, noise.Count).Max(n => Nearest(pann, noise, n).Share);
        Assert.True(search.Share > 1.2 * Math.Max(best, search.StartShare), $"found {search.Share}, start {search.StartShare}, noise {best}");
    }

    [Fact]
    public void Stress_images_are_normalised_and_run_like_any_other()
    {
        ResNet pann = RandomNetwork.Pann("composite:alpha=7", "layer", 1.2);
        IReadOnlyList<StressImage> stress = RangeStudy.Of(pann, RandomNetwork.Sample, Images, Normalization.Cifar10, _workspace)!.Stress;
        Assert.Equal(StressImages.Names, stress.Select(image => image.Name));
        foreach (StressImage image in stress)
        {
            NearImage near = Nearest(pann, new Cifar10(image.Pixels.ToArray(), [0], image.Name), 0);
            Assert.Equal((near.Path, near.Share), (image.Path, image.Share));
        }
        Assert.Equal(stress.Count, stress.Select(image => image.Share).Distinct().Count());
    }

    [Fact]
    public void Without_ranges_or_images_there_is_nothing_to_study()
    {
        Assert.Null(RangeStudy.Of(RandomNetwork.Backbone, RandomNetwork.Sample, Images, Normalization.Cifar10, _workspace));
        Assert.Null(RangeStudy.Of(RandomNetwork.Pann("direct:4"), RandomNetwork.Sample, [], Normalization.Cifar10, _workspace));
    }

    /// <summary>An image by itself: its largest |x|/B up to the first activation that it leaves.</summary>
    private NearImage Nearest(ResNet pann, Cifar10 data, int image)
    {
        var recorder = new Recorder();
        Evaluation.Of(pann, data, [image], Normalization.Cifar10, _workspace, observers: [recorder]);
        var nearest = new NearImage(image, "", 0);
        foreach (RecordedOp op in recorder.Ops.Where(op => op.Op is PolynomialRelu))
        {
            double share = op.Inputs[0].Max(Math.Abs) / ((PolynomialRelu)op.Op).Range;
            if (share > nearest.Share) nearest = new(image, op.Path, share);
            if (nearest.Share > 1) break;
        }
        return nearest;
    }

    private static ResNet Scaled(ResNet pann, double factor)
    {
        var functions = pann.Activations.ToDictionary(a => a.Path, a => (ActivationFunction.Polynomial)a.Function);
        return pann.With(path => functions[path] with { Range = factor * functions[path].Range });
    }

    private sealed class Listed(List<int> reports) : IProgress<int>
    {
        public void Report(int value) => reports.Add(value);
    }
}
