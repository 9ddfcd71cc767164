using PannCore.Approximation;
using PannCore.Data;
using PannCore.Diagnostics;
using PannCore.Engine;
using PannCore.Nn;
using PannCore.Training;
using Xunit;

namespace PannCore.Tests.Diagnostics;

/// <summary>What a PANN is compared with.</summary>
public sealed class IdealNetworkTests : IDisposable
{
    private const string Approximation = "approximation: at most its certified bound inside the range: B E, and of a repaired one its largest shift";
    private const string Activation = "inherited, activations: at most the input error, times the ideal function's Lipschitz constant";

    private static readonly int[] Images = [12, 13];

    private readonly Workspace _workspace = new(2, fillWithNaN: true);

    public void Dispose() => _workspace.Dispose();

    [Theory]
    [InlineData("")]
    [InlineData("own")]
    [InlineData("ReLU")]
    [InlineData("leaky")]
    [InlineData("leaky:1")]
    [InlineData("leaky:0.99999999")]
    [InlineData("leaky:-0.1")]
    [InlineData("leaky:0,1")]
    [InlineData("model:")]
    [InlineData("self:1")]
    public void Other_texts_are_refused(string text)
    {
        var error = Assert.Throws<BadInputException>(() => IdealNetwork.Parse(text, NoFile));
        Assert.Equal($"ideal '{text}': unknown; known: relu, leaky:A with 0 <= A < 1, self, model:FILE", error.Message);
    }

    [Fact]
    public void Texts_are_repeated()
    {
        Assert.Equal("relu", IdealNetwork.Parse("relu", NoFile).Text);
        Assert.Equal("relu", IdealNetwork.Parse("leaky:0", NoFile).Text);
        Assert.Equal("leaky:0.1", IdealNetwork.Parse("leaky:1e-1", NoFile).Text);
        Assert.Equal("self", IdealNetwork.Parse("self", NoFile).Text);
        Assert.Equal("model:a b.safetensors", IdealNetwork.Parse("model:a b.safetensors", file => file == "a b.safetensors" ? RandomNetwork.Backbone : throw new InvalidOperationException(file)).Text);
    }

    [Fact]
    public void By_default_it_is_what_the_activations_stand_for()
    {
        Assert.Equal("relu", IdealNetwork.Of(RandomNetwork.Backbone).Text);
        Assert.Equal("relu", IdealNetwork.Of(RandomNetwork.Pann("direct:4")).Text);
        Assert.Equal("leaky:0.1", IdealNetwork.Of(RandomNetwork.Pann("direct:4,leak=0.1")).Text);
        ReluPolynomial plain = ActivationSpec.Parse("direct:4").Build();
        Assert.Equal("own", IdealNetwork.Of(RandomNetwork.Backbone.With(path => path == "relu" ? new ActivationFunction.Polynomial(plain, 1) : new ActivationFunction.Relu(0.5f))).Text);

        ErrorLedger ledger = Ledger(RandomNetwork.Pann("composite:alpha=5"), null), named = Ledger(RandomNetwork.Pann("composite:alpha=5"), IdealNetwork.Relu());
        Assert.Equal("relu", ledger.Ideal);
        Assert.Equal(ledger.Operations, named.Operations);
        Assert.Equal(ledger.Checks, named.Checks);
    }

    [Fact]
    public void A_network_compared_with_itself_has_no_approximation_error()
    {
        ErrorLedger ledger = Ledger(RandomNetwork.Pann("composite:alpha=5", margin: 1.3), IdealNetwork.Self);
        Assert.Equal("self", ledger.Ideal);
        Assert.All(ledger.Operations, line =>
        {
            Assert.Equal((new ErrorSize(0, 0, 0), new ErrorSize(0, 0, 0)), (line.Approximation, line.Accumulated!.Approximation));
            Assert.Equal(line.Total, line.Accumulated.Arithmetic);
            if (line.Op is not ("shortcut" or "polynomialRelu")) Assert.InRange(line.Arithmetic.Rms / line.IdealRms, 1e-9, 6e-6);
        });
        Assert.Empty(ledger.Unbounded);

        // A polynomial's slope bounds what it passes on; the check has looked at every element, all being inside their ranges.
        Assert.All(ledger.Checks, check => Assert.True(check.Passed, $"{check.Name}: {check.Detail}"));
        Assert.Contains(ledger.Checks, check => check.Name == Activation);
        Assert.All(ledger.Operations, line => Assert.Equal(0, line.OutOfRange));
    }

    [Fact]
    public void What_a_polynomial_passes_on_is_more_than_ReLU_would_and_within_its_slope()
    {
        // Errors enter by a model of other weights in the first convolution; the polynomial network is compared with its like.
        ResNet pann = RandomNetwork.Pann("composite:alpha=9", margin: 2), other = Copy(pann);
        other.Parameters.Find("conv1.weight")!.Update(values => values[4] += 1e-4f);
        ErrorLedger ledger = Ledger(pann, IdealNetwork.Model(other, "model:other"));
        Assert.All(ledger.Checks, check => Assert.True(check.Passed, $"{check.Name}: {check.Detail}"));
        CheckRecord activation = Assert.Single(ledger.Checks, check => check.Name == Activation);
        Assert.StartsWith("tightest: ", activation.Detail, StringComparison.Ordinal);

        // Nothing certifies the distance of two polynomial networks.
        Assert.Equal(19, ledger.Unbounded.Count);
        Assert.DoesNotContain(ledger.Checks, check => check.Name == Approximation);
    }

    [Fact]
    public void Another_slope_is_part_of_the_approximation_and_has_no_certified_bound()
    {
        ResNet pann = RandomNetwork.Pann("composite:alpha=9");
        ErrorLedger ledger = Ledger(pann, IdealNetwork.Relu(0.25));
        OperationRecord first = ledger.Operations.First(line => line.Op == "polynomialRelu");
        double b = first.Range!.Value;
        // On negatives -0.25 x of the signal is missing, to the polynomial's 2^-9 B; the largest negative input is at least as large as the largest error says.
        Assert.InRange(first.Approximation.Max, (0.25 * 0.1 * b) - (b / 512), (0.25 * b) + (b / 512));
        Assert.DoesNotContain(ledger.Checks, check => check.Name == Approximation);
        Assert.All(ledger.Checks, check => Assert.True(check.Passed, $"{check.Name}: {check.Detail}"));
        Assert.Equal(pann.Activations.Select(a => a.Path).Order(StringComparer.Ordinal), ledger.Unbounded);

        // The ideal's logits are those of the leaky network in float32, to 1e-5 of rounding.
        float[] logits = Evaluation.Of(IdealNetwork.Relu(0.25).Network(pann), RandomNetwork.Sample, Images, Normalization.Cifar10, _workspace).Logits;
        double rms = Math.Sqrt(logits.Average(v => (double)v * v));
        Assert.Equal(rms, ledger.Operations[^1].IdealRms, 1e-5 * rms);
    }

    [Fact]
    public void A_slope_of_the_engine_is_the_same_slope_as_text()
    {
        // float32's 0.1 is not float64's; both are what is meant.
        ResNet leaky = RandomNetwork.Backbone.With(_ => new ActivationFunction.Relu(0.1f)), pann = RandomNetwork.Pann("composite:7,7,leak=0.1");
        Assert.All(Ledger(leaky, IdealNetwork.Parse("leaky:0.1", NoFile)).Operations, line => Assert.Equal(0, line.Approximation.Max));
        foreach (IdealNetwork ideal in new[] { IdealNetwork.Relu(0.1), IdealNetwork.Model(leaky, "model:leaky") })
        {
            ErrorLedger ledger = Ledger(pann, ideal);
            Assert.True(Assert.Single(ledger.Checks, check => check.Name == Approximation).Passed);
            Assert.Empty(ledger.Unbounded);
        }
    }

    [Fact]
    public void A_model_of_the_same_weights_is_the_default()
    {
        ResNet pann = RandomNetwork.Pann("composite:alpha=6");
        ErrorLedger own = Ledger(pann, null), model = Ledger(pann, IdealNetwork.Model(Copy(RandomNetwork.Backbone), "model:copy"));
        Assert.Equal("model:copy", model.Ideal);
        Assert.Equal(own.Operations, model.Operations);
        Assert.Equal(own.Checks, model.Checks);
    }

    [Fact]
    public void A_difference_of_weights_is_approximation_where_it_is()
    {
        ResNet other = Copy(RandomNetwork.Backbone);
        const float shift = 0.125f;
        other.Parameters.Find("layer2.1.bn1.bias")!.Update(values =>
        {
            foreach (ref float value in values) value += shift;
        });
        ErrorLedger ledger = Ledger(RandomNetwork.Backbone, IdealNetwork.Model(other, "model:other"));
        foreach (OperationRecord line in ledger.Operations)
        {
            if (line.Path != "layer2.1.bn1")
            {
                Assert.Equal(new ErrorSize(0, 0, 0), line.Approximation);
                continue;
            }
            // The shift itself, to the rounding of sums below 2^4 and of the parameter to float32.
            Assert.Equal(-shift, line.Approximation.Mean, 1e-6);
            Assert.Equal(shift, line.Approximation.Max, 1e-6);
        }
        Assert.All(ledger.Checks, check => Assert.True(check.Passed, $"{check.Name}: {check.Detail}"));
        float[] logits = Evaluation.Of(other, RandomNetwork.Sample, Images, Normalization.Cifar10, _workspace).Logits;
        double rms = Math.Sqrt(logits.Average(v => (double)v * v));
        Assert.Equal(rms, ledger.Operations[^1].IdealRms, 1e-5 * rms);
    }

    [Fact]
    public void Models_of_other_modules_are_refused()
    {
        var deeper = IdealNetwork.Model(new ResNet(32), "model:deep");
        Assert.Equal(
            "ideal 'model:deep': expected the modules of resnet20, found those of resnet32: layer1.3 instead of layer2.0",
            Assert.Throws<BadInputException>(() => Ledger(RandomNetwork.Backbone, deeper)).Message);
        Assert.Equal(
            "ideal 'model:shallow': expected the modules of resnet32, found those of resnet20: layer2.0 instead of layer1.3",
            Assert.Throws<BadInputException>(() => IdealNetwork.Model(new ResNet(20), "model:shallow").Network(new ResNet(32))).Message);
    }

    [Fact]
    public void Models_with_weights_that_are_no_numbers_are_refused()
    {
        var model = new ResNet(20);
        model.Parameters.Find("layer1.2.bn2.bias")!.Update(values => values[3] = float.NaN);
        Assert.Equal("ideal 'model:x': layer1.2.bn2.bias: expected finite values, found NaN at 3", Assert.Throws<BadInputException>(() => IdealNetwork.Model(model, "model:x")).Message);
    }

    [Fact]
    public void Slopes_outside_0_to_1_are_refused()
    {
        foreach (double slope in new[] { -0.1, 1, double.NaN }) Assert.Throws<ArgumentOutOfRangeException>(() => IdealNetwork.Relu(slope));
    }

    private static ResNet NoFile(string file) => throw new InvalidOperationException(file);

    private ErrorLedger Ledger(ResNet pann, IdealNetwork? ideal) => ErrorLedger.Of(pann, RandomNetwork.Sample, Images, Normalization.Cifar10, _workspace, ideal);

    /// <summary>The same functions over a copy of the weights.</summary>
    private static ResNet Copy(ResNet model)
    {
        var functions = model.Activations.ToDictionary(activation => activation.Path, activation => activation.Function);
        var copy = new ResNet(model.Depth, activations: path => functions[path]);
        copy.Parameters.CopyFrom(model.Parameters);
        return copy;
    }
}
