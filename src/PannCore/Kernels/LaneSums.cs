using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace PannCore.Kernels;

/// <summary>Sums across the lanes of registers, many at a time: halves of neighbours are added until each sum is a lane, which takes 30 shuffles for 16 sums of 16 lanes where one by one they would take 64.</summary>
internal interface ILaneSums<TV> where TV : struct
{
    /// <summary>Of four registers: each 128 bits of the result hold four sums, over the same 128 bits of each.</summary>
    static abstract TV Four(TV a, TV b, TV c, TV d);

    /// <summary>The 128-bit parts of as many results of <see cref="Four"/> as a register has of them, one after the other in memory, added up: the sums of all their registers, in order.</summary>
    static abstract TV Across(ref float fours);
}

/// <remarks>Registers of 512 and 256 bits are accelerated by AVX-512 and AVX2 only, so their instructions are there where these are used.</remarks>
internal readonly struct LaneSums512 : ILaneSums<Vector512<float>>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Four(Vector512<float> a, Vector512<float> b, Vector512<float> c, Vector512<float> d)
    {
        Vector512<double> first = (Avx512F.UnpackLow(a, b) + Avx512F.UnpackHigh(a, b)).AsDouble(), second = (Avx512F.UnpackLow(c, d) + Avx512F.UnpackHigh(c, d)).AsDouble();
        return Avx512F.UnpackLow(first, second).AsSingle() + Avx512F.UnpackHigh(first, second).AsSingle();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Across(ref float fours)
    {
        Vector512<float> a = Vector512.LoadUnsafe(ref fours), b = Vector512.LoadUnsafe(ref fours, 16), c = Vector512.LoadUnsafe(ref fours, 32), d = Vector512.LoadUnsafe(ref fours, 48);
        return Quarters(Quarters(a, b), Quarters(c, d));
    }

    /// <summary>Even plus odd quarters of the first, then of the second.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Quarters(Vector512<float> first, Vector512<float> second)
        => Avx512F.Shuffle4x128(first, second, 0b10_00_10_00) + Avx512F.Shuffle4x128(first, second, 0b11_01_11_01);
}

/// <remarks>As <see cref="LaneSums512"/>.</remarks>
internal readonly struct LaneSums256 : ILaneSums<Vector256<float>>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Four(Vector256<float> a, Vector256<float> b, Vector256<float> c, Vector256<float> d)
    {
        Vector256<double> first = (Avx.UnpackLow(a, b) + Avx.UnpackHigh(a, b)).AsDouble(), second = (Avx.UnpackLow(c, d) + Avx.UnpackHigh(c, d)).AsDouble();
        return Avx.UnpackLow(first, second).AsSingle() + Avx.UnpackHigh(first, second).AsSingle();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Across(ref float fours)
    {
        Vector256<float> a = Vector256.LoadUnsafe(ref fours), b = Vector256.LoadUnsafe(ref fours, 8);
        return Vector256.Create(a.GetLower() + a.GetUpper(), b.GetLower() + b.GetUpper());
    }
}

internal readonly struct LaneSums128 : ILaneSums<Vector128<float>>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Four(Vector128<float> a, Vector128<float> b, Vector128<float> c, Vector128<float> d)
        => Vector128.Create(Vector128.Sum(a), Vector128.Sum(b), Vector128.Sum(c), Vector128.Sum(d));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Across(ref float fours) => Vector128.LoadUnsafe(ref fours);
}
