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
    private const int Guest = unchecked((int)0x80000000);

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

    /// <summary>
    /// Signatures of processors with AVX-512. AMD's say in bit 3 of leaf 8000001Ah whether they do 512 bits at once; hypervisors may leave it 0. Intel's have no such leaf, and what is read in its place means nothing.
    /// What decides, family and bits, is as the makers document it; models, steppings and the other numbers are typical ones, not read from each of these processors.
    /// </summary>
    [Theory]
    [InlineData("Xeon, Skylake", 0x80000008, 0x00050654, 0, 0x0, true)]
    [InlineData("Xeon, Ice Lake", 0x80000008, 0x000606A6, 0, 0x7, true)]
    [InlineData("Xeon, Sapphire Rapids", 0x80000008, 0x000806F8, 0, 0x7, true)]
    [InlineData("Xeon, Sapphire Rapids, guest", 0x80000008, 0x000806F8, Guest, 0x7, true)]
    [InlineData("Xeon, Sapphire Rapids, guest with AMD's leaves", 0x8000001F, 0x000806F8, Guest, 0x0, true)]
    [InlineData("EPYC 9004, Zen 4", 0x80000028, 0x00A10F11, 0, 0x6, false)]
    [InlineData("EPYC 9004, Zen 4, guest", 0x80000028, 0x00A10F11, Guest, 0x6, false)]
    [InlineData("EPYC 9004, Zen 4, guest without the leaf's bits", 0x8000001F, 0x00A10F11, Guest, 0x0, false)]
    [InlineData("Ryzen 7000, Zen 4", 0x80000028, 0x00A60F12, 0, 0x6, false)]
    [InlineData("EPYC 9005, Zen 5", 0x80000028, 0x00B00F21, 0, 0xE, true)]
    [InlineData("EPYC 9005, Zen 5, guest", 0x80000028, 0x00B00F21, Guest, 0xE, true)]
    [InlineData("EPYC 9005, Zen 5, guest without the leaf's bits", 0x8000001F, 0x00B00F21, Guest, 0x0, true)]
    [InlineData("Ryzen AI 300, Zen 5 with halves", 0x80000028, 0x00B20F40, 0, 0x6, false)]
    public void WholeMultiplyAddsAreToldFromHalves(string processor, uint largest, int signature, int features, int units, bool whole)
        => Assert.True(whole == OuterProduct.SaysWhole((int)largest, signature, features, units), processor);

    [Fact]
    public void ThisProcessorIsAsked()
    {
        bool says = !X86Base.IsSupported;
        if (!says)
        {
            (int signature, _, int features, _) = X86Base.CpuId(1, 0);
            says = OuterProduct.SaysWhole(X86Base.CpuId(unchecked((int)0x80000000), 0).Eax, signature, features, X86Base.CpuId(unchecked((int)0x8000001A), 0).Eax);
        }
        Assert.Equal(OuterProduct.VectorBits == 512 && says, OuterProduct.HasWholeMultiplyAdds);
    }
}
