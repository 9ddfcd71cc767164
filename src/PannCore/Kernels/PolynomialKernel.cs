using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace PannCore.Kernels;

/// <summary>
/// A polynomial activation as the kernel reads it: y = B r(x / B) with
/// r(t) = a t + g t p(t) (odd stages p = p_k o ... o p_1, standing for sgn) or r(t) = a t + g q(t) (one even stage, standing for |t|).
/// A stage is a Chebyshev series in s = t / h: sum c_k T_(2k+1)(s) or sum c_k T_(2k)(s), evaluated by Clenshaw's recurrence in T_2.
/// </summary>
/// <param name="Odd">True for odd stages.</param>
/// <param name="Linear">a, the factor of t.</param>
/// <param name="Gain">g, the factor of t p(t) or q(t).</param>
/// <param name="Range">B.</param>
/// <param name="InverseHalfWidths">1 / h of each stage.</param>
/// <param name="Coefficients">c_k of each stage.</param>
internal sealed record PolynomialForm<T>(bool Odd, T Linear, T Gain, T Range, T[] InverseHalfWidths, T[][] Coefficients)
    where T : unmanaged, IFloatingPointIeee754<T>
{
    public PolynomialForm<TOther> Convert<TOther>() where TOther : unmanaged, IFloatingPointIeee754<TOther>
        => new(Odd, TOther.CreateTruncating(Linear), TOther.CreateTruncating(Gain), TOther.CreateTruncating(Range),
            [.. InverseHalfWidths.Select(TOther.CreateTruncating)], [.. Coefficients.Select(c => c.Select(TOther.CreateTruncating).ToArray())]);
}

/// <summary>Forward and derivative of a polynomial activation over spans, all stages in registers, four vectors interleaved to hide the recurrence's latency.</summary>
internal static class PolynomialKernel
{
    /// <summary>Elements done by one pass of the widest kernel; shorter rests go through a padded temporary.</summary>
    private const int MaxBlock = 64;

    /// <summary>y = B r(x / B).</summary>
    public static void Forward<T>(PolynomialForm<T> form, ReadOnlySpan<T> x, Span<T> y) where T : unmanaged, IFloatingPointIeee754<T>
        => Run(form, x, default, y);

    /// <summary>dx = dy r'(x / B): the forward values are computed again rather than stored.</summary>
    public static void Gradient<T>(PolynomialForm<T> form, ReadOnlySpan<T> x, ReadOnlySpan<T> dy, Span<T> dx) where T : unmanaged, IFloatingPointIeee754<T>
        => Run(form, x, dy, dx);

    private static void Run<T>(PolynomialForm<T> form, ReadOnlySpan<T> x, ReadOnlySpan<T> dy, Span<T> result) where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (Vector512.IsHardwareAccelerated) Blocks<T, Vector512<T>, Lanes512<T>>(form, x, dy, result);
        else if (Vector256.IsHardwareAccelerated) Blocks<T, Vector256<T>, Lanes256<T>>(form, x, dy, result);
        else if (Vector128.IsHardwareAccelerated) Blocks<T, Vector128<T>, Lanes128<T>>(form, x, dy, result);
        else Blocks<T, T, Lanes1<T>>(form, x, dy, result);
    }

    private static void Blocks<T, TV, TLanes>(PolynomialForm<T> form, ReadOnlySpan<T> x, ReadOnlySpan<T> dy, Span<T> result)
        where T : unmanaged, IFloatingPointIeee754<T>
        where TV : struct
        where TLanes : ILanes<T, TV>
    {
        bool gradient = !dy.IsEmpty;
        int block = (gradient ? 2 : 4) * TLanes.Count, whole = x.Length - (x.Length % block);
        Pass<T, TV, TLanes>(form, x[..whole], gradient ? dy[..whole] : default, result[..whole]);
        if (whole == x.Length) return;
        Span<T> from = stackalloc T[MaxBlock], factor = stackalloc T[MaxBlock], to = stackalloc T[MaxBlock];
        from.Clear();
        factor.Clear();
        x[whole..].CopyTo(from);
        if (gradient) dy[whole..].CopyTo(factor);
        Pass<T, TV, TLanes>(form, from[..block], gradient ? factor[..block] : default, to[..block]);
        to[..(x.Length - whole)].CopyTo(result[whole..]);
    }

    private static void Pass<T, TV, TLanes>(PolynomialForm<T> form, ReadOnlySpan<T> x, ReadOnlySpan<T> dy, Span<T> result)
        where T : unmanaged, IFloatingPointIeee754<T>
        where TV : struct
        where TLanes : ILanes<T, TV>
    {
        ref T from = ref MemoryMarshal.GetReference(x);
        ref T to = ref MemoryMarshal.GetReference(result);
        if (dy.IsEmpty) ForwardPass<T, TV, TLanes>(form, ref from, ref to, x.Length);
        else GradientPass<T, TV, TLanes>(form, ref from, ref MemoryMarshal.GetReference(dy), ref to, x.Length);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void ForwardPass<T, TV, TLanes>(PolynomialForm<T> form, ref T from, ref T to, int length)
        where T : unmanaged, IFloatingPointIeee754<T>
        where TV : struct
        where TLanes : ILanes<T, TV>
    {
        TV inverse = TLanes.Broadcast(T.One / form.Range), two = TLanes.Broadcast(T.One + T.One), half = TLanes.Broadcast(T.One / (T.One + T.One));
        TV linear = TLanes.Broadcast(form.Linear * form.Range), gain = TLanes.Broadcast(form.Gain * form.Range);
        int lanes = TLanes.Count;
        bool odd = form.Odd;
        T[][] stages = form.Coefficients;
        T[] inverseWidths = form.InverseHalfWidths;
        for (int i = 0; i < length; i += 4 * lanes)
        {
            ref T at = ref Unsafe.Add(ref from, i);
            TV p0 = TLanes.Multiply(TLanes.Load(ref at), inverse);
            TV p1 = TLanes.Multiply(TLanes.Load(ref Unsafe.Add(ref at, lanes)), inverse);
            TV p2 = TLanes.Multiply(TLanes.Load(ref Unsafe.Add(ref at, 2 * lanes)), inverse);
            TV p3 = TLanes.Multiply(TLanes.Load(ref Unsafe.Add(ref at, 3 * lanes)), inverse);
            for (int stage = 0; stage < stages.Length; stage++)
            {
                TV h = TLanes.Broadcast(inverseWidths[stage]);
                p0 = TLanes.Multiply(p0, h);
                p1 = TLanes.Multiply(p1, h);
                p2 = TLanes.Multiply(p2, h);
                p3 = TLanes.Multiply(p3, h);

                // v = 2 T_2(s) = (2 s)^2 - 2, the factor of the recurrence b_k = c_k + v b_(k+1) - b_(k+2).
                TV v0 = TLanes.Add(p0, p0), v1 = TLanes.Add(p1, p1), v2 = TLanes.Add(p2, p2), v3 = TLanes.Add(p3, p3);
                v0 = TLanes.Subtract(TLanes.Multiply(v0, v0), two);
                v1 = TLanes.Subtract(TLanes.Multiply(v1, v1), two);
                v2 = TLanes.Subtract(TLanes.Multiply(v2, v2), two);
                v3 = TLanes.Subtract(TLanes.Multiply(v3, v3), two);
                TV b0 = TLanes.Zero, b1 = b0, b2 = b0, b3 = b0, d0 = b0, d1 = b0, d2 = b0, d3 = b0;
                T[] coefficients = stages[stage];
                ref T c = ref MemoryMarshal.GetArrayDataReference(coefficients);
                int k = coefficients.Length - 1;

                // Two steps at a time: the two values of the recurrence change places, so none is copied.
                for (; k >= 1; k -= 2)
                {
                    TV ck = TLanes.Broadcast(Unsafe.Add(ref c, k));
                    d0 = TLanes.MultiplyAdd(v0, b0, TLanes.Subtract(ck, d0));
                    d1 = TLanes.MultiplyAdd(v1, b1, TLanes.Subtract(ck, d1));
                    d2 = TLanes.MultiplyAdd(v2, b2, TLanes.Subtract(ck, d2));
                    d3 = TLanes.MultiplyAdd(v3, b3, TLanes.Subtract(ck, d3));
                    ck = TLanes.Broadcast(Unsafe.Add(ref c, k - 1));
                    b0 = TLanes.MultiplyAdd(v0, d0, TLanes.Subtract(ck, b0));
                    b1 = TLanes.MultiplyAdd(v1, d1, TLanes.Subtract(ck, b1));
                    b2 = TLanes.MultiplyAdd(v2, d2, TLanes.Subtract(ck, b2));
                    b3 = TLanes.MultiplyAdd(v3, d3, TLanes.Subtract(ck, b3));
                }
                if (k == 0)
                {
                    TV ck = TLanes.Broadcast(c);
                    d0 = TLanes.MultiplyAdd(v0, b0, TLanes.Subtract(ck, d0));
                    d1 = TLanes.MultiplyAdd(v1, b1, TLanes.Subtract(ck, d1));
                    d2 = TLanes.MultiplyAdd(v2, b2, TLanes.Subtract(ck, d2));
                    d3 = TLanes.MultiplyAdd(v3, b3, TLanes.Subtract(ck, d3));
                    (b0, d0) = (d0, b0);
                    (b1, d1) = (d1, b1);
                    (b2, d2) = (d2, b2);
                    (b3, d3) = (d3, b3);
                }
                if (odd)
                {
                    // s (b_0 - b_1)
                    p0 = TLanes.Multiply(p0, TLanes.Subtract(b0, d0));
                    p1 = TLanes.Multiply(p1, TLanes.Subtract(b1, d1));
                    p2 = TLanes.Multiply(p2, TLanes.Subtract(b2, d2));
                    p3 = TLanes.Multiply(p3, TLanes.Subtract(b3, d3));
                }
                else
                {
                    // b_0 - T_2(s) b_1
                    p0 = TLanes.Subtract(b0, TLanes.Multiply(TLanes.Multiply(v0, half), d0));
                    p1 = TLanes.Subtract(b1, TLanes.Multiply(TLanes.Multiply(v1, half), d1));
                    p2 = TLanes.Subtract(b2, TLanes.Multiply(TLanes.Multiply(v2, half), d2));
                    p3 = TLanes.Subtract(b3, TLanes.Multiply(TLanes.Multiply(v3, half), d3));
                }
            }
            ref T put = ref Unsafe.Add(ref to, i);
            TV t0 = TLanes.Multiply(TLanes.Load(ref at), inverse), t1 = TLanes.Multiply(TLanes.Load(ref Unsafe.Add(ref at, lanes)), inverse);
            TV t2 = TLanes.Multiply(TLanes.Load(ref Unsafe.Add(ref at, 2 * lanes)), inverse), t3 = TLanes.Multiply(TLanes.Load(ref Unsafe.Add(ref at, 3 * lanes)), inverse);
            if (odd)
            {
                // t (B a + B g p)
                TLanes.Store(TLanes.Multiply(t0, TLanes.MultiplyAdd(gain, p0, linear)), ref put);
                TLanes.Store(TLanes.Multiply(t1, TLanes.MultiplyAdd(gain, p1, linear)), ref Unsafe.Add(ref put, lanes));
                TLanes.Store(TLanes.Multiply(t2, TLanes.MultiplyAdd(gain, p2, linear)), ref Unsafe.Add(ref put, 2 * lanes));
                TLanes.Store(TLanes.Multiply(t3, TLanes.MultiplyAdd(gain, p3, linear)), ref Unsafe.Add(ref put, 3 * lanes));
            }
            else
            {
                // B a t + B g q
                TLanes.Store(TLanes.MultiplyAdd(linear, t0, TLanes.Multiply(gain, p0)), ref put);
                TLanes.Store(TLanes.MultiplyAdd(linear, t1, TLanes.Multiply(gain, p1)), ref Unsafe.Add(ref put, lanes));
                TLanes.Store(TLanes.MultiplyAdd(linear, t2, TLanes.Multiply(gain, p2)), ref Unsafe.Add(ref put, 2 * lanes));
                TLanes.Store(TLanes.MultiplyAdd(linear, t3, TLanes.Multiply(gain, p3)), ref Unsafe.Add(ref put, 3 * lanes));
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void GradientPass<T, TV, TLanes>(PolynomialForm<T> form, ref T from, ref T dy, ref T to, int length)
        where T : unmanaged, IFloatingPointIeee754<T>
        where TV : struct
        where TLanes : ILanes<T, TV>
    {
        TV inverse = TLanes.Broadcast(T.One / form.Range), one = TLanes.Broadcast(T.One), four = TLanes.Broadcast(T.CreateTruncating(4)), half = TLanes.Broadcast(T.One / (T.One + T.One));
        TV linear = TLanes.Broadcast(form.Linear), gain = TLanes.Broadcast(form.Gain);
        int lanes = TLanes.Count;
        for (int i = 0; i < length; i += 2 * lanes)
        {
            TV g0 = Derivative(TLanes.Multiply(TLanes.Load(ref Unsafe.Add(ref from, i)), inverse));
            TV g1 = Derivative(TLanes.Multiply(TLanes.Load(ref Unsafe.Add(ref from, i + lanes)), inverse));
            TLanes.Store(TLanes.Multiply(g0, TLanes.Load(ref Unsafe.Add(ref dy, i))), ref Unsafe.Add(ref to, i));
            TLanes.Store(TLanes.Multiply(g1, TLanes.Load(ref Unsafe.Add(ref dy, i + lanes))), ref Unsafe.Add(ref to, i + lanes));
        }

        // The recurrence and its derivative with respect to v = 2 T_2(s), side by side: e_k = b_(k+1) + v e_(k+1) - e_(k+2); dv/ds = 8 s.
        TV Derivative(TV t)
        {
            TV p = t, slope = one;
            for (int stage = 0; stage < form.Coefficients.Length; stage++)
            {
                T[] c = form.Coefficients[stage];
                TV h = TLanes.Broadcast(form.InverseHalfWidths[stage]);
                TV s = TLanes.Multiply(p, h), square = TLanes.Multiply(s, s);
                TV v = TLanes.Subtract(TLanes.Multiply(four, square), TLanes.Add(one, one));
                TV b = TLanes.Zero, b1 = b, e = b, e1 = b;
                for (int k = c.Length - 1; k >= 0; k--)
                {
                    TV nextE = TLanes.MultiplyAdd(v, e, TLanes.Subtract(b, e1));
                    TV next = TLanes.MultiplyAdd(v, b, TLanes.Subtract(TLanes.Broadcast(c[k]), b1));
                    e1 = e;
                    e = nextE;
                    b1 = b;
                    b = next;
                }
                TV eightSquare = TLanes.Multiply(TLanes.Add(four, four), square), derivative;
                if (form.Odd)
                {
                    // d/ds [s (b_0 - b_1)] = (b_0 - b_1) + 8 s^2 (e_0 - e_1)
                    TV difference = TLanes.Subtract(b, b1);
                    derivative = TLanes.MultiplyAdd(eightSquare, TLanes.Subtract(e, e1), difference);
                    p = TLanes.Multiply(s, difference);
                }
                else
                {
                    // d/ds [b_0 - v b_1 / 2] = 8 s (e_0 - b_1 / 2 - v e_1 / 2)
                    TV inner = TLanes.Subtract(e, TLanes.Multiply(half, TLanes.MultiplyAdd(v, e1, b1)));
                    derivative = TLanes.Multiply(TLanes.Multiply(TLanes.Add(four, four), s), inner);
                    p = TLanes.Subtract(b, TLanes.Multiply(TLanes.Multiply(half, v), b1));
                }
                slope = TLanes.Multiply(slope, TLanes.Multiply(derivative, h));
            }
            TV outer = form.Odd ? TLanes.MultiplyAdd(t, slope, p) : slope;
            return TLanes.MultiplyAdd(gain, outer, linear);
        }
    }
}
