using PannCore.Checkpoints;
using PannCore.Data;
using PannCore.Engine;
using PannCore.Nn;
using PannCore.Tests.Support;
using Xunit;

namespace PannCore.Tests.Oracle;

/// <summary>
/// Results of the published ResNet-20 in float64, computed once by another framework, and the network itself. Images there are N, C, H, W.
/// </summary>
internal sealed class OracleData
{
    private readonly IReadOnlyDictionary<string, NamedArray> _arrays = SafeTensors.Read(External.OracleFile).Tensors;

    public IEnumerable<string> Names => _arrays.Keys;

    public double[] this[string name] => _arrays[name].ToDouble();

    public byte[] Labels => [.. this["labels"].Select(label => (byte)label)];

    /// <summary>A fresh copy of the network with the published weights.</summary>
    public static ResNet Model() => ModelFile.Load(External.PublishedCheckpoint, "resnet20", Normalization.ImageNet).Model;

    /// <summary>The eight images, already normalised.</summary>
    public Tensor Input(Run run)
    {
        NamedArray images = _arrays["input"];
        return run.Input(new(images.Shape[0], images.Shape[2], images.Shape[3], images.Shape[1]), [.. Nhwc("input").Select(v => (float)v)]);
    }

    /// <summary>An image batch with its channels last.</summary>
    public double[] Nhwc(string name)
    {
        NamedArray array = _arrays[name];
        int c = array.Shape[1], pixels = array.Shape[2] * array.Shape[3];
        double[] from = array.ToDouble(), to = new double[from.Length];
        for (int i = 0; i < from.Length; i++)
        {
            int pixel = i % pixels, channel = i / pixels % c, n = i / pixels / c;
            to[(((n * pixels) + pixel) * c) + channel] = from[i];
        }
        return to;
    }

    public static void AssertClose(ReadOnlySpan<double> expected, ReadOnlySpan<float> found, double tolerance, string what)
    {
        Assert.Equal(expected.Length, found.Length);
        for (int i = 0; i < expected.Length; i++)
            Assert.True(Math.Abs(found[i] - expected[i]) <= tolerance, $"{what}, element {i}: {found[i]} for {expected[i]}, tolerance {tolerance}");
    }
}
