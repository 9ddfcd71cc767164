using PannCore.Approximation;
using PannCore.Checkpoints;
using PannCore.Data;
using PannCore.Diagnostics;
using PannCore.Engine;
using PannCore.Nn;
using PannCore.Ops;
using PannCore.Reports;
using Xunit;

namespace PannCore.Tests.Diagnostics;

/// <summary>Faults that somebody could make, each of which the first line of the inspection must name.</summary>
public sealed class PlantedFaultTests : IDisposable
{
    private const string Layer = "layer2.1.relu1";

    private static readonly int[] Images = [.. Enumerable.Range(0, 24)];

    private readonly Workspace _workspace = new(2);
    private readonly ResNet _backbone;
    private readonly Normalization _normalization;
    private readonly Dictionary<string, double> _largest;

    public PlantedFaultTests()
    {
        (_backbone, ModelDescription about) = ModelFile.Load(Path.Combine(Path.GetDirectoryName(RandomNetwork.SamplePath)!, "models", "resnet20.safetensors"));
        _normalization = about.Normalization;
        _largest = RangeProbe.Calibrate(_backbone, RandomNetwork.Sample, Images, _normalization, _workspace);
    }

    public void Dispose() => _workspace.Dispose();

    [Fact]
    public void Without_a_fault_the_first_line_says_what_was_run()
    {
        Assert.StartsWith("composite:alpha=12 with ", FirstLine(Pann(_ => 1.3)), StringComparison.Ordinal);
    }

    [Fact]
    public void A_range_2_percent_too_small()
    {
        // Of all others, 1.3 times what the same images reach.
        string line = FirstLine(Pann(path => path == Layer ? 0.98 : 1.3));
        // 1 / 0.98 = 1.0204.
        Assert.Equal($"WARNING: Range too small: at {Layer}, inputs of the ideal network, where no polynomial has erred yet, reach 1.02 B. Measure the ranges on more images, or give ranges at least 1.02 times as wide.", line);

        // Where the ranges are a margin times what was measured, it says which: 1.05 / 0.98 = 1.0714, rounded up.
        RunRecord measured = Inspect(Pann(path => path == Layer ? 0.98 : 1.3), provenance: new Dictionary<string, string> { ["margin"] = "1.05" });
        Assert.EndsWith(", or give ranges at least 1.02 times as wide (--margin 1.08).", ConsoleReport.Summary(measured)[0], StringComparison.Ordinal);
    }

    [Fact]
    public void A_doctored_coefficient()
    {
        // Four times the polynomial's own maximum error.
        ReluPolynomial doctored = LedgerCheckTests.Doctored("composite:alpha=12", Math.ScaleB(1, -10));
        ResNet pann = Pann(_ => 1.3);
        pann = pann.With(path => path == Layer ? new ActivationFunction.Polynomial(doctored, 1.3 * _largest[path]) : pann.Activations.First(a => a.Path == path).Function);
        Assert.Matches($"^WARNING: Check failed: approximation: at most its certified bound inside the range: B E, and of a repaired one its largest shift. FAILED at [0-9]+ of [0-9]+ elements, worst: {Layer}, image [0-9]+, element [0-9]+: ", FirstLine(pann));
    }

    [Fact]
    public void A_polynomial_evaluated_in_a_bad_basis()
    {
        ResNet pann = Pann(_ => 1.3);
        pann = pann.With(path => path == Layer ? new Horner(ActivationSpec.Parse("composite:alpha=12").Build(), 1.3 * _largest[path]) : pann.Activations.First(a => a.Path == path).Function);
        Assert.Matches($"^WARNING: Check failed: arithmetic: .*FAILED at [0-9]+ of [0-9]+ elements, worst: {Layer}, image [0-9]+, element [0-9]+: ", FirstLine(pann));
    }

    [Fact]
    public void A_weight_that_is_no_number()
    {
        ResNet pann = Pann(_ => 1.3);
        pann.Parameters.All.Single(p => p.Name == "layer1.2.conv2.weight").Update(values => values[17] = float.NaN);
        Assert.Equal(
            "WARNING: Weights that are no numbers: layer1.2.conv2.weight [16,16,3,3] has 1 of 2304 values not finite, the first at element 17. No figure below means anything.",
            FirstLine(pann));
    }

    [Fact]
    public void A_variance_below_0()
    {
        ResNet pann = Pann(_ => 1.3);
        pann.Parameters.All.Single(p => p.Name == "layer2.1.bn1.running_var").Update(values => values[3] = -1);
        RunRecord record = Inspect(pann);
        Assert.Equal(
            "A variance below 0: layer2.1.bn1.running_var [32] has 1 of 32 values below 0, the first at element 3. No figure below means anything.",
            Assert.Single(record.Diagnoses));
    }

    [Fact]
    public void The_wrong_normalisation()
        => Assert.Matches(
            @"^WARNING: Wrong normalisation: the statistics of bn1 fit images normalised as 'cifar10' \(distance 0\.0[0-9]+\), not as 'imagenet' \(distance 0\.[12][0-9]+\), which was used\. ",
            FirstLine(Pann(_ => 1.3), Normalization.ImageNet));

    /// <summary>Training with weight decay leaves such channels; no normalisation fits them better than another.</summary>
    [Fact]
    public void A_channel_that_is_always_0_is_no_fault()
    {
        ResNet pann = Pann(_ => 1.3);
        pann.Parameters.All.Single(p => p.Name == "conv1.weight").Update(values => values[(3 * 27)..(4 * 27)].Clear());
        foreach (string name in new[] { "bn1.running_mean", "bn1.running_var", "bn1.weight" }) pann.Parameters.All.Single(p => p.Name == name).Update(values => values[3] = 0);
        Assert.DoesNotContain("normalisation", FirstLine(pann), StringComparison.Ordinal);
    }

    /// <summary>The ranges were not measured on that network, and are right for this one.</summary>
    [Fact]
    public void Inputs_of_another_ideal_outside_the_ranges_are_no_fault()
    {
        RunRecord record = Inspect(Pann(_ => 1.05), ideal: IdealNetwork.Relu(0.5));
        Assert.DoesNotContain(record.Diagnoses, line => line.StartsWith("Range too small", StringComparison.Ordinal));
    }

    /// <summary>A polynomial outside its range answers anything, and what follows says nothing about other ranges.</summary>
    [Fact]
    public void Of_polynomials_that_are_their_own_ideal_inputs_after_an_overflow_are_no_fault()
    {
        // 1 / 0.7 = 1.43.
        string line = FirstLine(Pann(path => path == Layer ? 0.7 : 1.3), ideal: IdealNetwork.Self);
        Assert.Matches($"^WARNING: Range too small: at {Layer}, inputs of the ideal network, where no polynomial has erred yet, reach 1.4[0-9]* B. ", line);
    }

    /// <summary>Of five images one is 20 points, and not one network better than another.</summary>
    [Fact]
    public void Batch_norm_that_never_saw_an_image()
    {
        ResNet pann = Pann(_ => 1.3);
        foreach (string name in new[] { "layer3.1.bn1", "layer3.1.bn2" })
        {
            pann.Parameters.All.Single(p => p.Name == name + ".running_mean").Update(values => values.Clear());
            pann.Parameters.All.Single(p => p.Name == name + ".running_var").Update(values => values.Fill(1));
        }
        Assert.StartsWith("WARNING: Batch-norm without statistics: layer3.1.bn1 and 1 more have mean 0 and variance 1, as before training.", FirstLine(pann), StringComparison.Ordinal);
    }

    private ResNet Pann(Func<string, double> margin)
    {
        ReluPolynomial polynomial = ActivationSpec.Parse("composite:alpha=12").Build();
        return _backbone.With(path => new ActivationFunction.Polynomial(polynomial, margin(path) * _largest[path]));
    }

    private string FirstLine(ResNet pann, Normalization? normalization = null, IdealNetwork? ideal = null) => ConsoleReport.Summary(Inspect(pann, normalization, ideal))[0];

    private RunRecord Inspect(ResNet pann, Normalization? normalization = null, IdealNetwork? ideal = null, IReadOnlyDictionary<string, string>? provenance = null)
    {
        var request = new InspectionRequest("t", "pann inspect", "m", ActivationSpec.Parse("composite:alpha=12"), "layer", provenance ?? new Dictionary<string, string>());
        return Inspection.Run(request, pann, RandomNetwork.Sample, Images, normalization ?? _normalization, _workspace, ideal: ideal);
    }

    /// <summary>The right polynomial, evaluated by Horner's rule on monomials in float32, whose coefficients reach 1e5.</summary>
    private sealed record Horner(ReluPolynomial Approximation, double Range) : ActivationFunction
    {
        private readonly float[][] _stages = [.. Approximation.Stages.Select(stage => PowerBasis.Of(stage).Select(value => (float)value).ToArray())];

        public override ActivationFunction Ideal => new Relu();

        public override Tensor Apply(Tensor x) => new TamperedOp(new PolynomialRelu(Approximation, Range), (inputs, y) =>
        {
            ReadOnlySpan<float> values = inputs[0].Values;
            for (int i = 0; i < y.Length; i++)
            {
                float t = values[i] / (float)Range, p = t;
                for (int stage = 0; stage < _stages.Length; stage++)
                {
                    float s = p / (float)Approximation.Stages[stage].HalfWidth, sum = 0;
                    for (int k = _stages[stage].Length - 1; k >= 0; k--) sum = (sum * s) + _stages[stage][k];
                    p = sum;
                }
                y.Span[i] = (float)Range * t * (1 + p) / 2;
            }
        }).Apply(x);
    }
}
