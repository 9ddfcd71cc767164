using System.Globalization;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;
using PannCore.Kernels;
using Xunit;

namespace PannCore.Tests.Kernels;

/// <summary>
/// The kernels' width is what was asked for: a run with instruction sets switched off proves nothing if the switch did not work.
/// PANN_TEST_VECTOR_BITS names the width expected, 512, 256, 128 or 0; without it the instructions that are there say it.
/// </summary>
public sealed class VectorWidthTests
{
    /// <summary>EAX of leaf 1 with stepping and reserved bits left out, of Skylake, Cascade Lake and Cooper Lake: there .NET prefers 256 bits, because 512 lower the clock.</summary>
    private const int SkylakeServer = 0x00050650;

    [Fact]
    public void TheWidthIsTheOneExpected()
    {
        string? expected = Environment.GetEnvironmentVariable("PANN_TEST_VECTOR_BITS");
        Assert.Equal(string.IsNullOrEmpty(expected) ? WidthOfInstructions() : int.Parse(expected, CultureInfo.InvariantCulture), OuterProduct.VectorBits);
    }

    private static int WidthOfInstructions()
    {
        if (Avx512F.VL.IsSupported && Avx512BW.IsSupported && Avx512DQ.IsSupported) return (X86Base.CpuId(1, 0).Eax & 0x0FFF0FF0) == SkylakeServer ? 256 : 512;
        return Avx2.IsSupported ? 256 : Sse2.IsSupported || AdvSimd.IsSupported ? 128 : 0;
    }
}
