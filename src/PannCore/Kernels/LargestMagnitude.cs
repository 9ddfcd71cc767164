using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace PannCore.Kernels;

/// <summary>
/// max |x[i]| of a line of float32, exactly; NaN if any element is, 0 of an empty line. Without their sign bit, numbers, infinity and NaN order like the integers that their bits are,
/// so that one integer maximum does what IEEE 754 asks of maximumMagnitude with several comparisons: it runs as fast as memory is read.
/// </summary>
internal static class LargestMagnitude
{
    private const uint WithoutSign = 0x7FFF_FFFF;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float Of(ReadOnlySpan<float> x)
    {
        int lanes = Vector<uint>.Count, i = 0;
        ref uint from = ref MemoryMarshal.GetReference(MemoryMarshal.Cast<float, uint>(x));
        uint largest = 0;
        if (x.Length >= 4 * lanes)
        {
            var sign = new Vector<uint>(WithoutSign);
            // Four chains, so that the loop waits for loads and not for the maximum before.
            Vector<uint> first = default, second = default, third = default, fourth = default;
            for (; i <= x.Length - (4 * lanes); i += 4 * lanes)
            {
                first = Vector.Max(first, Vector.LoadUnsafe(ref from, (nuint)i) & sign);
                second = Vector.Max(second, Vector.LoadUnsafe(ref from, (nuint)(i + lanes)) & sign);
                third = Vector.Max(third, Vector.LoadUnsafe(ref from, (nuint)(i + (2 * lanes))) & sign);
                fourth = Vector.Max(fourth, Vector.LoadUnsafe(ref from, (nuint)(i + (3 * lanes))) & sign);
            }
            Vector<uint> all = Vector.Max(Vector.Max(first, second), Vector.Max(third, fourth));
            for (int lane = 0; lane < lanes; lane++) largest = Math.Max(largest, all[lane]);
        }
        for (; i < x.Length; i++) largest = Math.Max(largest, BitConverter.SingleToUInt32Bits(x[i]) & WithoutSign);
        return BitConverter.UInt32BitsToSingle(largest);
    }
}
