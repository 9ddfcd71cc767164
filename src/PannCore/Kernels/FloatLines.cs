using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace PannCore.Kernels;

/// <summary>
/// Elementwise arithmetic of a training step on lines of float32, every product and sum rounded by itself: the bits are those of TensorPrimitives. Those are compiled first without
/// optimisation, in a dozen generic methods each, and only in later steps with it; a method here is compiled once: a sixth of what a first step spent on compiling. y may be an operand, or else lies apart from it.
/// </summary>
internal static class FloatLines
{
    /// <summary>y = a + b.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Add(ReadOnlySpan<float> a, ReadOnlySpan<float> b, Span<float> y)
    {
        Check(a.Length == b.Length && a.Length == y.Length);
        int lanes = Vector<float>.Count, i = 0;
        ref float left = ref MemoryMarshal.GetReference(a);
        ref float right = ref MemoryMarshal.GetReference(b);
        ref float to = ref MemoryMarshal.GetReference(y);
        for (; i <= y.Length - (4 * lanes); i += 4 * lanes)
        {
            Vector<float> first = Vector.LoadUnsafe(ref left, (nuint)i) + Vector.LoadUnsafe(ref right, (nuint)i);
            Vector<float> second = Vector.LoadUnsafe(ref left, (nuint)(i + lanes)) + Vector.LoadUnsafe(ref right, (nuint)(i + lanes));
            Vector<float> third = Vector.LoadUnsafe(ref left, (nuint)(i + (2 * lanes))) + Vector.LoadUnsafe(ref right, (nuint)(i + (2 * lanes)));
            Vector<float> fourth = Vector.LoadUnsafe(ref left, (nuint)(i + (3 * lanes))) + Vector.LoadUnsafe(ref right, (nuint)(i + (3 * lanes)));
            first.StoreUnsafe(ref to, (nuint)i);
            second.StoreUnsafe(ref to, (nuint)(i + lanes));
            third.StoreUnsafe(ref to, (nuint)(i + (2 * lanes)));
            fourth.StoreUnsafe(ref to, (nuint)(i + (3 * lanes)));
        }
        for (; i <= y.Length - lanes; i += lanes)
            (Vector.LoadUnsafe(ref left, (nuint)i) + Vector.LoadUnsafe(ref right, (nuint)i)).StoreUnsafe(ref to, (nuint)i);
        for (; i < y.Length; i++) y[i] = a[i] + b[i];
    }

    /// <summary>y = y + factor x.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void AddScaled(ReadOnlySpan<float> x, float factor, Span<float> y)
    {
        Check(x.Length == y.Length);
        int lanes = Vector<float>.Count, i = 0;
        ref float from = ref MemoryMarshal.GetReference(x);
        ref float to = ref MemoryMarshal.GetReference(y);
        for (; i <= y.Length - lanes; i += lanes)
            ((Vector.LoadUnsafe(ref from, (nuint)i) * factor) + Vector.LoadUnsafe(ref to, (nuint)i)).StoreUnsafe(ref to, (nuint)i);
        for (; i < y.Length; i++) y[i] = (x[i] * factor) + y[i];
    }

    /// <summary>y = max(x, 0); NaN stays NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Relu(ReadOnlySpan<float> x, Span<float> y)
    {
        Check(x.Length == y.Length);
        int lanes = Vector<float>.Count, i = 0;
        ref float from = ref MemoryMarshal.GetReference(x);
        ref float to = ref MemoryMarshal.GetReference(y);
        for (; i <= y.Length - lanes; i += lanes)
        {
            Vector<float> value = Vector.LoadUnsafe(ref from, (nuint)i);
            Vector.AndNot(value, Vector.LessThanOrEqual(value, Vector<float>.Zero).As<int, float>()).StoreUnsafe(ref to, (nuint)i);
        }
        for (; i < y.Length; i++) y[i] = x[i] <= 0 ? 0 : x[i];
    }

    /// <summary>y = a where x &gt; 0, else 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void WherePositive(ReadOnlySpan<float> x, ReadOnlySpan<float> a, Span<float> y)
    {
        Check(x.Length == y.Length && a.Length == y.Length);
        int lanes = Vector<float>.Count, i = 0;
        ref float sign = ref MemoryMarshal.GetReference(x);
        ref float from = ref MemoryMarshal.GetReference(a);
        ref float to = ref MemoryMarshal.GetReference(y);
        for (; i <= y.Length - lanes; i += lanes)
            (Vector.LoadUnsafe(ref from, (nuint)i) & Vector.GreaterThan(Vector.LoadUnsafe(ref sign, (nuint)i), Vector<float>.Zero).As<int, float>()).StoreUnsafe(ref to, (nuint)i);
        for (; i < y.Length; i++) y[i] = x[i] > 0 ? a[i] : 0;
    }

    /// <summary>y = x, rounded to float32.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Narrow(ReadOnlySpan<double> x, Span<float> y)
    {
        Check(x.Length == y.Length);
        int lanes = Vector<float>.Count, i = 0;
        ref double from = ref MemoryMarshal.GetReference(x);
        ref float to = ref MemoryMarshal.GetReference(y);
        for (; i <= y.Length - lanes; i += lanes)
            Vector.Narrow(Vector.LoadUnsafe(ref from, (nuint)i), Vector.LoadUnsafe(ref from, (nuint)(i + Vector<double>.Count))).StoreUnsafe(ref to, (nuint)i);
        for (; i < y.Length; i++) y[i] = (float)x[i];
    }

    private static void Check(bool lengths)
    {
        if (!lengths) throw new ArgumentException("lines: of different lengths");
    }
}
