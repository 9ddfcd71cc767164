using PannCore.Kernels;
using Xunit;

namespace PannCore.Tests.Support;

/// <summary>A test of a kernel that scalar code does without; reported as skipped, by name, where SIMD is off.</summary>
internal sealed class NeedsVectorsTheoryAttribute : TheoryAttribute
{
    public NeedsVectorsTheoryAttribute()
    {
        if (OuterProduct.VectorBits == 0) Skip = "there are no vectors: scalar code has no such kernel";
    }
}
