using PannCore.Approximation;
using PannCore.Nn;
using Xunit;

namespace PannCore.Tests.Nn;

public sealed class ConversionTests
{
    private static readonly ResNet Backbone = new(20);
    private static readonly string[] Paths = [.. Backbone.Activations.Select(a => a.Path)];

    [Fact]
    public void APolynomialIsPutInEveryActivationWithItsRange()
    {
        Dictionary<string, double> largest = Paths.Select((path, i) => (path, i + 1.0)).ToDictionary();
        ResNet pann = Backbone.With(ActivationSpec.Parse("composite:alpha=5,leak=0.1"), ActivationRanges.Parse("layer", Paths, largest, margin: 1.5));
        for (int i = 0; i < Paths.Length; i++)
        {
            var function = Assert.IsType<ActivationFunction.Polynomial>(pann.Activations[i].Function);
            Assert.Equal(1.5 * (i + 1), function.Range);
            Assert.Equal("composite:alpha=5,leak=0.1", function.Approximation.Spec);
        }
        Assert.Same(Backbone.Parameters, pann.Parameters);
        Assert.All(pann.Ideal().Activations, a => Assert.Equal(new ActivationFunction.Relu(0.1f), a.Function));
    }

    [Theory]
    [InlineData("relu", 0f)]
    [InlineData("leaky:0.25", 0.25f)]
    public void ReluAndLeakyNeedNoRange(string spec, float slope)
    {
        ResNet converted = Backbone.With(ActivationSpec.Parse(spec), null);
        Assert.All(converted.Activations, a => Assert.Equal(new ActivationFunction.Relu(slope), a.Function));
        Assert.All(converted.Ideal().Activations, a => Assert.Equal(new ActivationFunction.Relu(slope), a.Function));
    }

    [Fact]
    public void APolynomialNeedsRanges()
        => Assert.StartsWith(
            "activation 'direct:4' needs ranges", Assert.Throws<ArgumentNullException>(() => Backbone.With(ActivationSpec.Parse("direct:4"), null)).Message, StringComparison.Ordinal);
}
