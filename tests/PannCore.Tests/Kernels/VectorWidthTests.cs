using System.Globalization;
using PannCore.Kernels;
using Xunit;

namespace PannCore.Tests.Kernels;

/// <summary>
/// The kernels' width is what was asked for: a run with instruction sets switched off proves nothing if the switch did not work.
/// PANN_TEST_VECTOR_BITS names the width expected, 512, 256, 128 or 0.
/// </summary>
public sealed class VectorWidthTests
{
    [Fact]
    public void TheWidthIsTheOneExpected()
    {
        string? expected = Environment.GetEnvironmentVariable("PANN_TEST_VECTOR_BITS");
        if (string.IsNullOrEmpty(expected)) Assert.Contains(OuterProduct.VectorBits, new[] { 0, 128, 256, 512 });
        else Assert.Equal(int.Parse(expected, CultureInfo.InvariantCulture), OuterProduct.VectorBits);
    }
}
