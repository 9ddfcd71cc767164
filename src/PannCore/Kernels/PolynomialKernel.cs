using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace PannCore.Kernels;

/// <summary>
/// Forward and derivative of a polynomial activation over spans: all stages in registers, memory read and written once.
/// The destination may be the memory of an argument.
/// </summary>
internal static class PolynomialKernel
{
    /// <summary>Elements done by one pass of the widest kernel; shorter rests go through a padded temporary.</summary>
    private const int MaxBlock = ClenshawSum.Vectors * 16;

    /// <summary>y = B r(x / B), computed in <typeparamref name="T"/> and rounded to <typeparamref name="TMemory"/>.</summary>
    public static void Forward<TMemory, T>(PolynomialForm<T> form, ReadOnlySpan<TMemory> x, Span<TMemory> y)
        where TMemory : unmanaged, IFloatingPointIeee754<TMemory>
        where T : unmanaged, IFloatingPointIeee754<T>
        => Run(form, slope: false, x, x, y);

    /// <summary>dx = dy r'(x / B), likewise: the forward values are computed again rather than stored.</summary>
    public static void Gradient<TMemory, T>(PolynomialForm<T> form, ReadOnlySpan<TMemory> x, ReadOnlySpan<TMemory> dy, Span<TMemory> dx)
        where TMemory : unmanaged, IFloatingPointIeee754<TMemory>
        where T : unmanaged, IFloatingPointIeee754<T>
        => Run(form, slope: true, x, dy, dx);

    private static void Run<TMemory, T>(PolynomialForm<T> form, bool slope, ReadOnlySpan<TMemory> x, ReadOnlySpan<TMemory> factor, Span<TMemory> result)
        where TMemory : unmanaged, IFloatingPointIeee754<TMemory>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (Vector512.IsHardwareAccelerated) Run<TMemory, T, Vector512<T>, Lanes512<T>, Port512<TMemory, T>>(form, slope, x, factor, result);
        else if (Vector256.IsHardwareAccelerated) Run<TMemory, T, Vector256<T>, Lanes256<T>, Port256<TMemory, T>>(form, slope, x, factor, result);
        else if (Vector128.IsHardwareAccelerated) Run<TMemory, T, Vector128<T>, Lanes128<T>, Port128<TMemory, T>>(form, slope, x, factor, result);
        else Run<TMemory, T, T, Lanes1<T>, Port1<TMemory, T>>(form, slope, x, factor, result);
    }

    /// <summary>The value (<paramref name="factor"/> is x) or, times <paramref name="factor"/>, the slope, at one width.</summary>
    internal static void Run<TMemory, T, TV, TLanes, TPort>(PolynomialForm<T> form, bool slope, ReadOnlySpan<TMemory> x, ReadOnlySpan<TMemory> factor, Span<TMemory> result)
        where TMemory : unmanaged, IFloatingPointIeee754<TMemory>
        where T : unmanaged, IFloatingPointIeee754<T>
        where TV : struct
        where TLanes : ILanes<T, TV>
        where TPort : ILanePort<TMemory, TV>
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(factor.Length, x.Length);
        ArgumentOutOfRangeException.ThrowIfLessThan(result.Length, x.Length);
        int block = ClenshawSum.Vectors * TLanes.Count, whole = x.Length - (x.Length % block);
        Blocks<TMemory, T, TV, TLanes, TPort>(form, slope, x[..whole], factor, result);
        if (whole == x.Length) return;
        Span<TMemory> from = stackalloc TMemory[MaxBlock], by = stackalloc TMemory[MaxBlock];
        from.Clear();
        by.Clear();
        x[whole..].CopyTo(from);
        factor[whole..].CopyTo(by);
        Blocks<TMemory, T, TV, TLanes, TPort>(form, slope, from[..block], by, by);
        by[..(x.Length - whole)].CopyTo(result[whole..]);
    }

    private static void Blocks<TMemory, T, TV, TLanes, TPort>(PolynomialForm<T> form, bool slope, ReadOnlySpan<TMemory> x, ReadOnlySpan<TMemory> factor, Span<TMemory> result)
        where TMemory : unmanaged, IFloatingPointIeee754<TMemory>
        where T : unmanaged, IFloatingPointIeee754<T>
        where TV : struct
        where TLanes : ILanes<T, TV>
        where TPort : ILanePort<TMemory, TV>
    {
        ref TMemory from = ref MemoryMarshal.GetReference(x), by = ref MemoryMarshal.GetReference(factor), to = ref MemoryMarshal.GetReference(result);
        if (form.Parity == SeriesParity.Even && !slope) Series<TMemory, T, TV, TLanes, TPort, EvenValue<T, TV, TLanes>>(form, form.Values, ref from, ref by, ref to, x.Length);
        else if (form.Parity == SeriesParity.Even) Series<TMemory, T, TV, TLanes, TPort, EvenSlope<T, TV, TLanes>>(form, form.Slopes, ref from, ref by, ref to, x.Length);
        else if (form.Parity == SeriesParity.Both && !slope) Series<TMemory, T, TV, TLanes, TPort, FullValue<T, TV, TLanes>>(form, form.Values, ref from, ref by, ref to, x.Length);
        else if (form.Parity == SeriesParity.Both) Series<TMemory, T, TV, TLanes, TPort, FullSlope<T, TV, TLanes>>(form, form.Slopes, ref from, ref by, ref to, x.Length);
        else if (!slope) Series<TMemory, T, TV, TLanes, TPort, OddValue<T, TV, TLanes>>(form, form.Values, ref from, ref by, ref to, x.Length);
        else CompositeSlope<TMemory, T, TV, TLanes, TPort>(form, ref from, ref by, ref to, x.Length);
    }

    /// <summary>Stages of one series each; their form tells the value of a composition from that, and the slope, of an even or a full series.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Series<TMemory, T, TV, TLanes, TPort, TForm>(PolynomialForm<T> form, T[][] stages, ref TMemory from, ref TMemory by, ref TMemory to, int length)
        where TMemory : unmanaged, IFloatingPointIeee754<TMemory>
        where T : unmanaged, IFloatingPointIeee754<T>
        where TV : struct
        where TLanes : ILanes<T, TV>
        where TPort : ILanePort<TMemory, TV>
        where TForm : ISeriesForm<T, TV>
    {
        TV scale = TLanes.Broadcast(form.Scale), minusTwo = TLanes.Broadcast(-(T.One + T.One)), linear = TLanes.Broadcast(form.Linear), range = TLanes.Broadcast(form.Range);
        int lanes = TLanes.Count;
        for (int i = 0; i < length; i += ClenshawSum.Vectors * lanes)
        {
            ref TMemory x = ref Unsafe.Add(ref from, i);
            TV w0 = TLanes.Multiply(TPort.Load(ref x), scale);
            TV w1 = TLanes.Multiply(TPort.Load(ref Unsafe.Add(ref x, lanes)), scale);
            TV w2 = TLanes.Multiply(TPort.Load(ref Unsafe.Add(ref x, 2 * lanes)), scale);
            TV w3 = TLanes.Multiply(TPort.Load(ref Unsafe.Add(ref x, 3 * lanes)), scale);
            TV w4 = TLanes.Multiply(TPort.Load(ref Unsafe.Add(ref x, 4 * lanes)), scale);
            TV w5 = TLanes.Multiply(TPort.Load(ref Unsafe.Add(ref x, 5 * lanes)), scale);
            TV w6 = TLanes.Multiply(TPort.Load(ref Unsafe.Add(ref x, 6 * lanes)), scale);
            TV w7 = TLanes.Multiply(TPort.Load(ref Unsafe.Add(ref x, 7 * lanes)), scale);
            TV v0, v1, v2, v3, v4, v5, v6, v7;
            TV b0, b1, b2, b3, b4, b5, b6, b7;
            TV d0, d1, d2, d3, d4, d5, d6, d7;
            for (int stage = 0; ; stage++)
            {
                v0 = TForm.Argument(w0, minusTwo);
                v1 = TForm.Argument(w1, minusTwo);
                v2 = TForm.Argument(w2, minusTwo);
                v3 = TForm.Argument(w3, minusTwo);
                v4 = TForm.Argument(w4, minusTwo);
                v5 = TForm.Argument(w5, minusTwo);
                v6 = TForm.Argument(w6, minusTwo);
                v7 = TForm.Argument(w7, minusTwo);
                ClenshawSum.Of<T, TV, TLanes>(
                    stages[stage], v0, v1, v2, v3, v4, v5, v6, v7,
                    out b0, out b1, out b2, out b3, out b4, out b5, out b6, out b7,
                    out d0, out d1, out d2, out d3, out d4, out d5, out d6, out d7);
                if (stage == stages.Length - 1) break;
                w0 = TLanes.Multiply(w0, TLanes.Subtract(b0, d0));
                w1 = TLanes.Multiply(w1, TLanes.Subtract(b1, d1));
                w2 = TLanes.Multiply(w2, TLanes.Subtract(b2, d2));
                w3 = TLanes.Multiply(w3, TLanes.Subtract(b3, d3));
                w4 = TLanes.Multiply(w4, TLanes.Subtract(b4, d4));
                w5 = TLanes.Multiply(w5, TLanes.Subtract(b5, d5));
                w6 = TLanes.Multiply(w6, TLanes.Subtract(b6, d6));
                w7 = TLanes.Multiply(w7, TLanes.Subtract(b7, d7));
            }

            ref TMemory f = ref Unsafe.Add(ref by, i);
            ref TMemory y = ref Unsafe.Add(ref to, i);
            TPort.Store(TForm.Of(TPort.Load(ref f), linear, range, w0, v0, b0, d0), ref y);
            TPort.Store(TForm.Of(TPort.Load(ref Unsafe.Add(ref f, lanes)), linear, range, w1, v1, b1, d1), ref Unsafe.Add(ref y, lanes));
            TPort.Store(TForm.Of(TPort.Load(ref Unsafe.Add(ref f, 2 * lanes)), linear, range, w2, v2, b2, d2), ref Unsafe.Add(ref y, 2 * lanes));
            TPort.Store(TForm.Of(TPort.Load(ref Unsafe.Add(ref f, 3 * lanes)), linear, range, w3, v3, b3, d3), ref Unsafe.Add(ref y, 3 * lanes));
            TPort.Store(TForm.Of(TPort.Load(ref Unsafe.Add(ref f, 4 * lanes)), linear, range, w4, v4, b4, d4), ref Unsafe.Add(ref y, 4 * lanes));
            TPort.Store(TForm.Of(TPort.Load(ref Unsafe.Add(ref f, 5 * lanes)), linear, range, w5, v5, b5, d5), ref Unsafe.Add(ref y, 5 * lanes));
            TPort.Store(TForm.Of(TPort.Load(ref Unsafe.Add(ref f, 6 * lanes)), linear, range, w6, v6, b6, d6), ref Unsafe.Add(ref y, 6 * lanes));
            TPort.Store(TForm.Of(TPort.Load(ref Unsafe.Add(ref f, 7 * lanes)), linear, range, w7, v7, b7, d7), ref Unsafe.Add(ref y, 7 * lanes));
        }
    }

    /// <summary>dy (a + w (b_0 - b_1) + w_1 product of (f_0 + f_1)), w_1 the first stage's w.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void CompositeSlope<TMemory, T, TV, TLanes, TPort>(PolynomialForm<T> form, ref TMemory from, ref TMemory by, ref TMemory to, int length)
        where TMemory : unmanaged, IFloatingPointIeee754<TMemory>
        where T : unmanaged, IFloatingPointIeee754<T>
        where TV : struct
        where TLanes : ILanes<T, TV>
        where TPort : ILanePort<TMemory, TV>
    {
        TV scale = TLanes.Broadcast(form.Scale), minusTwo = TLanes.Broadcast(-(T.One + T.One)), linear = TLanes.Broadcast(form.Linear);
        int lanes = TLanes.Count;
        T[][] values = form.Values, slopes = form.Slopes;
        for (int i = 0; i < length; i += ClenshawSum.Vectors * lanes)
        {
            ref TMemory x = ref Unsafe.Add(ref from, i);
            TV w0 = TLanes.Multiply(TPort.Load(ref x), scale), p0 = w0;
            TV w1 = TLanes.Multiply(TPort.Load(ref Unsafe.Add(ref x, lanes)), scale), p1 = w1;
            TV w2 = TLanes.Multiply(TPort.Load(ref Unsafe.Add(ref x, 2 * lanes)), scale), p2 = w2;
            TV w3 = TLanes.Multiply(TPort.Load(ref Unsafe.Add(ref x, 3 * lanes)), scale), p3 = w3;
            TV w4 = TLanes.Multiply(TPort.Load(ref Unsafe.Add(ref x, 4 * lanes)), scale), p4 = w4;
            TV w5 = TLanes.Multiply(TPort.Load(ref Unsafe.Add(ref x, 5 * lanes)), scale), p5 = w5;
            TV w6 = TLanes.Multiply(TPort.Load(ref Unsafe.Add(ref x, 6 * lanes)), scale), p6 = w6;
            TV w7 = TLanes.Multiply(TPort.Load(ref Unsafe.Add(ref x, 7 * lanes)), scale), p7 = w7;
            for (int stage = 0; stage < values.Length; stage++)
            {
                TV v0 = TLanes.MultiplyAdd(w0, w0, minusTwo);
                TV v1 = TLanes.MultiplyAdd(w1, w1, minusTwo);
                TV v2 = TLanes.MultiplyAdd(w2, w2, minusTwo);
                TV v3 = TLanes.MultiplyAdd(w3, w3, minusTwo);
                TV v4 = TLanes.MultiplyAdd(w4, w4, minusTwo);
                TV v5 = TLanes.MultiplyAdd(w5, w5, minusTwo);
                TV v6 = TLanes.MultiplyAdd(w6, w6, minusTwo);
                TV v7 = TLanes.MultiplyAdd(w7, w7, minusTwo);
                ClenshawSum.Of<T, TV, TLanes>(
                    slopes[stage], v0, v1, v2, v3, v4, v5, v6, v7,
                    out TV b0, out TV b1, out TV b2, out TV b3, out TV b4, out TV b5, out TV b6, out TV b7,
                    out TV d0, out TV d1, out TV d2, out TV d3, out TV d4, out TV d5, out TV d6, out TV d7);
                p0 = TLanes.Multiply(p0, TLanes.Add(b0, d0));
                p1 = TLanes.Multiply(p1, TLanes.Add(b1, d1));
                p2 = TLanes.Multiply(p2, TLanes.Add(b2, d2));
                p3 = TLanes.Multiply(p3, TLanes.Add(b3, d3));
                p4 = TLanes.Multiply(p4, TLanes.Add(b4, d4));
                p5 = TLanes.Multiply(p5, TLanes.Add(b5, d5));
                p6 = TLanes.Multiply(p6, TLanes.Add(b6, d6));
                p7 = TLanes.Multiply(p7, TLanes.Add(b7, d7));
                ClenshawSum.Of<T, TV, TLanes>(
                    values[stage], v0, v1, v2, v3, v4, v5, v6, v7,
                    out b0, out b1, out b2, out b3, out b4, out b5, out b6, out b7,
                    out d0, out d1, out d2, out d3, out d4, out d5, out d6, out d7);
                w0 = TLanes.Multiply(w0, TLanes.Subtract(b0, d0));
                w1 = TLanes.Multiply(w1, TLanes.Subtract(b1, d1));
                w2 = TLanes.Multiply(w2, TLanes.Subtract(b2, d2));
                w3 = TLanes.Multiply(w3, TLanes.Subtract(b3, d3));
                w4 = TLanes.Multiply(w4, TLanes.Subtract(b4, d4));
                w5 = TLanes.Multiply(w5, TLanes.Subtract(b5, d5));
                w6 = TLanes.Multiply(w6, TLanes.Subtract(b6, d6));
                w7 = TLanes.Multiply(w7, TLanes.Subtract(b7, d7));
            }

            ref TMemory dy = ref Unsafe.Add(ref by, i);
            ref TMemory dx = ref Unsafe.Add(ref to, i);
            TPort.Store(TLanes.Multiply(TPort.Load(ref dy), TLanes.Add(TLanes.Add(linear, w0), p0)), ref dx);
            TPort.Store(TLanes.Multiply(TPort.Load(ref Unsafe.Add(ref dy, lanes)), TLanes.Add(TLanes.Add(linear, w1), p1)), ref Unsafe.Add(ref dx, lanes));
            TPort.Store(TLanes.Multiply(TPort.Load(ref Unsafe.Add(ref dy, 2 * lanes)), TLanes.Add(TLanes.Add(linear, w2), p2)), ref Unsafe.Add(ref dx, 2 * lanes));
            TPort.Store(TLanes.Multiply(TPort.Load(ref Unsafe.Add(ref dy, 3 * lanes)), TLanes.Add(TLanes.Add(linear, w3), p3)), ref Unsafe.Add(ref dx, 3 * lanes));
            TPort.Store(TLanes.Multiply(TPort.Load(ref Unsafe.Add(ref dy, 4 * lanes)), TLanes.Add(TLanes.Add(linear, w4), p4)), ref Unsafe.Add(ref dx, 4 * lanes));
            TPort.Store(TLanes.Multiply(TPort.Load(ref Unsafe.Add(ref dy, 5 * lanes)), TLanes.Add(TLanes.Add(linear, w5), p5)), ref Unsafe.Add(ref dx, 5 * lanes));
            TPort.Store(TLanes.Multiply(TPort.Load(ref Unsafe.Add(ref dy, 6 * lanes)), TLanes.Add(TLanes.Add(linear, w6), p6)), ref Unsafe.Add(ref dx, 6 * lanes));
            TPort.Store(TLanes.Multiply(TPort.Load(ref Unsafe.Add(ref dy, 7 * lanes)), TLanes.Add(TLanes.Add(linear, w7), p7)), ref Unsafe.Add(ref dx, 7 * lanes));
        }
    }

    /// <summary>
    /// The variable v of a recurrence, from w; and what becomes of the sums b = b_0, d = b_1 of the last stage. <c>factor</c> is x for values and dy for slopes.
    /// </summary>
    private interface ISeriesForm<T, TV>
    {
        static abstract TV Argument(TV w, TV minusTwo);

        static abstract TV Of(TV factor, TV linear, TV range, TV w, TV v, TV b, TV d);
    }

    /// <summary>b - v d / 2.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TV HalfProduct<T, TV, TLanes>(TV b, TV v, TV d)
        where T : unmanaged, IFloatingPointIeee754<T>
        where TV : struct
        where TLanes : ILanes<T, TV>
        => TLanes.MultiplyAdd(TLanes.Multiply(v, TLanes.Broadcast(-T.One / (T.One + T.One))), d, b);

    /// <summary>x (a + w (b_0 - b_1)).</summary>
    private readonly struct OddValue<T, TV, TLanes> : ISeriesForm<T, TV>
        where T : unmanaged, IFloatingPointIeee754<T>
        where TV : struct
        where TLanes : ILanes<T, TV>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static TV Argument(TV w, TV minusTwo) => TLanes.MultiplyAdd(w, w, minusTwo);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static TV Of(TV factor, TV linear, TV range, TV w, TV v, TV b, TV d) => TLanes.Multiply(factor, TLanes.MultiplyAdd(w, TLanes.Subtract(b, d), linear));
    }

    /// <summary>a x + B (b_0 - v b_1 / 2).</summary>
    private readonly struct EvenValue<T, TV, TLanes> : ISeriesForm<T, TV>
        where T : unmanaged, IFloatingPointIeee754<T>
        where TV : struct
        where TLanes : ILanes<T, TV>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static TV Argument(TV w, TV minusTwo) => TLanes.MultiplyAdd(w, w, minusTwo);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static TV Of(TV factor, TV linear, TV range, TV w, TV v, TV b, TV d) => TLanes.MultiplyAdd(linear, factor, TLanes.Multiply(range, HalfProduct<T, TV, TLanes>(b, v, d)));
    }

    /// <summary>dy (a + w f_0).</summary>
    private readonly struct EvenSlope<T, TV, TLanes> : ISeriesForm<T, TV>
        where T : unmanaged, IFloatingPointIeee754<T>
        where TV : struct
        where TLanes : ILanes<T, TV>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static TV Argument(TV w, TV minusTwo) => TLanes.MultiplyAdd(w, w, minusTwo);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static TV Of(TV factor, TV linear, TV range, TV w, TV v, TV b, TV d) => TLanes.Multiply(factor, TLanes.MultiplyAdd(w, b, linear));
    }

    /// <summary>B (b_0 - v b_1 / 2).</summary>
    private readonly struct FullValue<T, TV, TLanes> : ISeriesForm<T, TV>
        where T : unmanaged, IFloatingPointIeee754<T>
        where TV : struct
        where TLanes : ILanes<T, TV>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static TV Argument(TV w, TV minusTwo) => w;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static TV Of(TV factor, TV linear, TV range, TV w, TV v, TV b, TV d) => TLanes.Multiply(range, HalfProduct<T, TV, TLanes>(b, v, d));
    }

    /// <summary>dy f_0.</summary>
    private readonly struct FullSlope<T, TV, TLanes> : ISeriesForm<T, TV>
        where T : unmanaged, IFloatingPointIeee754<T>
        where TV : struct
        where TLanes : ILanes<T, TV>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static TV Argument(TV w, TV minusTwo) => w;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static TV Of(TV factor, TV linear, TV range, TV w, TV v, TV b, TV d) => TLanes.Multiply(factor, b);
    }
}
