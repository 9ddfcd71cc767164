using System.Globalization;
using PannCore.Approximation;
using PannCore.Engine;
using PannCore.Nn;
using PannCore.Ops;
using PannCore.Tests.Support;
using Xunit;

namespace PannCore.Tests.Oracle;

/// <summary>The published network with polynomials in place of its ReLUs, against another framework's float64 results.</summary>
public sealed class PolynomialOracleTests
{
    [NeedsOracleFact]
    public void Degree16Agrees() => NetworkAgrees(16);

    [NeedsOracleFact]
    public void Degree64Agrees() => NetworkAgrees(64);

    [NeedsOracleFact]
    public void GeneratedCoefficientsAgree()
    {
        var oracle = new OracleData();
        foreach (int degree in new[] { 16, 64 })
        {
            double[] expected = oracle[$"pann.degree{degree}.chebyshev"];
            Polynomial found = ActivationSpec.Parse(string.Create(CultureInfo.InvariantCulture, $"direct:{degree}")).Build().Stages.Single();
            Assert.Equal(expected.Length, found.Coefficients.Count);
            Assert.Equal(1, found.HalfWidth);
            for (int k = 0; k < expected.Length; k++)
                Assert.True(Math.Abs(found.Coefficients[k] - expected[k]) <= 1e-6, $"degree {degree}, coefficient {k}: {found.Coefficients[k]} for {expected[k]}");
        }
    }

    private static void NetworkAgrees(int degree)
    {
        var oracle = new OracleData();
        ResNet backbone = OracleData.Model();
        ReluPolynomial polynomial = ReluPolynomial.Of(ReluFamily.Direct, 0, [new Polynomial(Parity.Even, 1, oracle[$"pann.degree{degree}.chebyshev"])], [], $"series:{degree}");
        Dictionary<string, double> ranges = backbone.Activations.Select(a => a.Path).Zip(oracle["pann.ranges"]).ToDictionary();
        Assert.Equal(19, ranges.Count);
        ResNet pann = backbone.With(path => new ActivationFunction.Polynomial(polynomial, ranges[path]));

        var seen = new Recorder();
        using var workspace = new Workspace(2, fillWithNaN: true);
        using var run = new Run(workspace, observers: [seen]);
        Tensor logits = pann.Call(oracle.Input(run));
        Seen[] activations = [.. seen.Outputs.Where(output => output.Op is PolynomialRelu)];
        Assert.Equal(19, activations.Length);
        for (int i = 0; i < activations.Length; i++)
        {
            double[] expected = oracle.Nhwc($"pann.degree{degree}.act.{i:00}");
            OracleData.AssertClose(expected, activations[i].Values.AsSpan(0, expected.Length), 1e-4, activations[i].Path);
        }
        OracleData.AssertClose(oracle[$"pann.degree{degree}.logits"], logits.Values, 1e-4, "logits");
    }
}
