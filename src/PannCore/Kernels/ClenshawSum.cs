using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace PannCore.Kernels;

/// <summary>
/// Clenshaw's recurrence b_k = c_k + v b_(k+1) - b_(k+2) for eight vectors at once: two multiply-adds a cycle with a latency of four need eight chains.
/// v, b and d of eight vectors fill 24 of the 32 registers of AVX-512; with 16 registers some are spilled, which costs less than the latency of fewer chains.
/// </summary>
internal static class ClenshawSum
{
    /// <summary>Vectors summed at once.</summary>
    public const int Vectors = 8;

    /// <summary>b = b_0 and d = b_1 of each vector. The coefficients c_k are at least two, and an even number.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Of<T, TV, TLanes>(
        T[] coefficients, TV v0, TV v1, TV v2, TV v3, TV v4, TV v5, TV v6, TV v7,
        out TV b0, out TV b1, out TV b2, out TV b3, out TV b4, out TV b5, out TV b6, out TV b7,
        out TV d0, out TV d1, out TV d2, out TV d3, out TV d4, out TV d5, out TV d6, out TV d7)
        where T : unmanaged, IFloatingPointIeee754<T>
        where TV : struct
        where TLanes : ILanes<T, TV>
    {
        // The first two steps start from zeros: b_(n-1) = c_(n-1), b_(n-2) = c_(n-2) + v c_(n-1).
        ref T c = ref MemoryMarshal.GetArrayDataReference(coefficients);
        int k = coefficients.Length - 2;
        TV upper = TLanes.Broadcast(Unsafe.Add(ref c, k + 1)), lower = TLanes.Broadcast(Unsafe.Add(ref c, k));
        d0 = d1 = d2 = d3 = d4 = d5 = d6 = d7 = upper;
        b0 = TLanes.MultiplyAdd(v0, upper, lower);
        b1 = TLanes.MultiplyAdd(v1, upper, lower);
        b2 = TLanes.MultiplyAdd(v2, upper, lower);
        b3 = TLanes.MultiplyAdd(v3, upper, lower);
        b4 = TLanes.MultiplyAdd(v4, upper, lower);
        b5 = TLanes.MultiplyAdd(v5, upper, lower);
        b6 = TLanes.MultiplyAdd(v6, upper, lower);
        b7 = TLanes.MultiplyAdd(v7, upper, lower);
        for (k -= 2; k >= 0; k -= 2)
        {
            upper = TLanes.Broadcast(Unsafe.Add(ref c, k + 1));
            lower = TLanes.Broadcast(Unsafe.Add(ref c, k));
            TwoSteps<T, TV, TLanes>(v0, upper, lower, ref b0, ref d0);
            TwoSteps<T, TV, TLanes>(v1, upper, lower, ref b1, ref d1);
            TwoSteps<T, TV, TLanes>(v2, upper, lower, ref b2, ref d2);
            TwoSteps<T, TV, TLanes>(v3, upper, lower, ref b3, ref d3);
            TwoSteps<T, TV, TLanes>(v4, upper, lower, ref b4, ref d4);
            TwoSteps<T, TV, TLanes>(v5, upper, lower, ref b5, ref d5);
            TwoSteps<T, TV, TLanes>(v6, upper, lower, ref b6, ref d6);
            TwoSteps<T, TV, TLanes>(v7, upper, lower, ref b7, ref d7);
        }
    }

    /// <summary>Two steps: the two values of the recurrence change places, so none is copied.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void TwoSteps<T, TV, TLanes>(TV v, TV upper, TV lower, ref TV b, ref TV d)
        where T : unmanaged, IFloatingPointIeee754<T>
        where TV : struct
        where TLanes : ILanes<T, TV>
    {
        d = TLanes.MultiplyAdd(v, b, TLanes.Subtract(upper, d));
        b = TLanes.MultiplyAdd(v, d, TLanes.Subtract(lower, b));
    }
}
