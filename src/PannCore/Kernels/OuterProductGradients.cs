using System.Runtime.CompilerServices;

namespace PannCore.Kernels;

// Weight gradients that take the three columns of a kernel, or all nine taps, at once.
internal static partial class OuterProduct<T, TV, TLanes>
{
    /// <summary>
    /// The weight gradient of a 3-column convolution of stride 1 and padding 1 for 8 input channels, 3 kernel columns and one vector of output channels, added to what is there:
    /// an input value is broadcast once and meets the gradients of its three output pixels, of which a step loads one, so that 24 multiply-adds need 9 loads. A segment is an
    /// image row, a step a pixel, and rows follow each other without a gap, so that <c>ASegment</c> and <c>BSegment</c> are not read; beyond the ends of a row the gradient is 0. A group is an image. <paramref name="cTap"/> elements lie between the kernel columns of c.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void FusedGradient8x3(in TileStrides g, ref T a, ref T b, ref T c, nint cTap)
    {
        nint step = g.AStep, bStep = g.BStep;
        TV c0 = TLanes.Zero, c1 = c0, c2 = c0, c3 = c0, c4 = c0, c5 = c0, c6 = c0, c7 = c0;
        TV d0 = c0, d1 = c0, d2 = c0, d3 = c0, d4 = c0, d5 = c0, d6 = c0, d7 = c0;
        TV e0 = c0, e1 = c0, e2 = c0, e3 = c0, e4 = c0, e5 = c0, e6 = c0, e7 = c0;
        for (int group = g.Groups; group > 0; group--)
        {
            ref T p = ref a;
            ref T q = ref b;
            for (int s = g.Segments; s > 0; s--)
            {
                TV u = TLanes.Zero, v = TLanes.Load(ref q);
                for (int t = g.Steps; t > 0; t--)
                {
                    TV w = TLanes.Zero;
                    q = ref Unsafe.Add(ref q, bStep);
                    if (t > 1) w = TLanes.Load(ref q);
                    TV x = TLanes.Broadcast(p);
                    c0 = TLanes.MultiplyAdd(x, w, c0);
                    d0 = TLanes.MultiplyAdd(x, v, d0);
                    e0 = TLanes.MultiplyAdd(x, u, e0);
                    x = TLanes.Broadcast(Unsafe.Add(ref p, 1));
                    c1 = TLanes.MultiplyAdd(x, w, c1);
                    d1 = TLanes.MultiplyAdd(x, v, d1);
                    e1 = TLanes.MultiplyAdd(x, u, e1);
                    x = TLanes.Broadcast(Unsafe.Add(ref p, 2));
                    c2 = TLanes.MultiplyAdd(x, w, c2);
                    d2 = TLanes.MultiplyAdd(x, v, d2);
                    e2 = TLanes.MultiplyAdd(x, u, e2);
                    x = TLanes.Broadcast(Unsafe.Add(ref p, 3));
                    c3 = TLanes.MultiplyAdd(x, w, c3);
                    d3 = TLanes.MultiplyAdd(x, v, d3);
                    e3 = TLanes.MultiplyAdd(x, u, e3);
                    x = TLanes.Broadcast(Unsafe.Add(ref p, 4));
                    c4 = TLanes.MultiplyAdd(x, w, c4);
                    d4 = TLanes.MultiplyAdd(x, v, d4);
                    e4 = TLanes.MultiplyAdd(x, u, e4);
                    x = TLanes.Broadcast(Unsafe.Add(ref p, 5));
                    c5 = TLanes.MultiplyAdd(x, w, c5);
                    d5 = TLanes.MultiplyAdd(x, v, d5);
                    e5 = TLanes.MultiplyAdd(x, u, e5);
                    x = TLanes.Broadcast(Unsafe.Add(ref p, 6));
                    c6 = TLanes.MultiplyAdd(x, w, c6);
                    d6 = TLanes.MultiplyAdd(x, v, d6);
                    e6 = TLanes.MultiplyAdd(x, u, e6);
                    x = TLanes.Broadcast(Unsafe.Add(ref p, 7));
                    c7 = TLanes.MultiplyAdd(x, w, c7);
                    d7 = TLanes.MultiplyAdd(x, v, d7);
                    e7 = TLanes.MultiplyAdd(x, u, e7);
                    (u, v) = (v, w);
                    p = ref Unsafe.Add(ref p, step);
                }
            }
            a = ref Unsafe.Add(ref a, g.AGroup);
            b = ref Unsafe.Add(ref b, g.BGroup);
        }
        ref T first = ref c;
        ref T second = ref Unsafe.Add(ref c, cTap);
        ref T third = ref Unsafe.Add(ref c, 2 * cTap);
        first = ref Put(c0, ref first, g.CTile, accumulate: true);
        first = ref Put(c1, ref first, g.CTile, accumulate: true);
        first = ref Put(c2, ref first, g.CTile, accumulate: true);
        first = ref Put(c3, ref first, g.CTile, accumulate: true);
        first = ref Put(c4, ref first, g.CTile, accumulate: true);
        first = ref Put(c5, ref first, g.CTile, accumulate: true);
        first = ref Put(c6, ref first, g.CTile, accumulate: true);
        Put(c7, ref first, g.CTile, accumulate: true);
        second = ref Put(d0, ref second, g.CTile, accumulate: true);
        second = ref Put(d1, ref second, g.CTile, accumulate: true);
        second = ref Put(d2, ref second, g.CTile, accumulate: true);
        second = ref Put(d3, ref second, g.CTile, accumulate: true);
        second = ref Put(d4, ref second, g.CTile, accumulate: true);
        second = ref Put(d5, ref second, g.CTile, accumulate: true);
        second = ref Put(d6, ref second, g.CTile, accumulate: true);
        Put(d7, ref second, g.CTile, accumulate: true);
        third = ref Put(e0, ref third, g.CTile, accumulate: true);
        third = ref Put(e1, ref third, g.CTile, accumulate: true);
        third = ref Put(e2, ref third, g.CTile, accumulate: true);
        third = ref Put(e3, ref third, g.CTile, accumulate: true);
        third = ref Put(e4, ref third, g.CTile, accumulate: true);
        third = ref Put(e5, ref third, g.CTile, accumulate: true);
        third = ref Put(e6, ref third, g.CTile, accumulate: true);
        Put(e7, ref third, g.CTile, accumulate: true);
    }

    /// <summary>
    /// The weight gradient for 3 columns of 3 input channels, one or three kernel rows and one vector of output channels, added to what is there: 9 accumulators for each kernel row,
    /// of which the other tiles would leave 3 or 7 unused. A segment is a row of output pixels, a step a pixel; <paramref name="aRow"/> elements lie between the kernel rows of a,
    /// <paramref name="cRow"/> of c.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void NineRowGradient<TKernelRows>(in TileStrides g, nint aRow, ref T a, ref T b, ref T c, nint cRow) where TKernelRows : struct
    {
        nint step = g.AStep, bStep = g.BStep;
        TV c0 = TLanes.Zero, c1 = c0, c2 = c0, c3 = c0, c4 = c0, c5 = c0, c6 = c0, c7 = c0, c8 = c0;
        TV d0 = c0, d1 = c0, d2 = c0, d3 = c0, d4 = c0, d5 = c0, d6 = c0, d7 = c0, d8 = c0;
        TV e0 = c0, e1 = c0, e2 = c0, e3 = c0, e4 = c0, e5 = c0, e6 = c0, e7 = c0, e8 = c0;
        for (int s = g.Segments; s > 0; s--)
        {
            ref T p = ref a;
            ref T q = ref Unsafe.Add(ref a, aRow);
            ref T r = ref Unsafe.Add(ref q, aRow);
            for (int t = g.Steps; t > 0; t--)
            {
                TV y = TLanes.Load(ref b);
                c0 = TLanes.MultiplyAdd(TLanes.Broadcast(p), y, c0);
                c1 = TLanes.MultiplyAdd(TLanes.Broadcast(Unsafe.Add(ref p, 1)), y, c1);
                c2 = TLanes.MultiplyAdd(TLanes.Broadcast(Unsafe.Add(ref p, 2)), y, c2);
                c3 = TLanes.MultiplyAdd(TLanes.Broadcast(Unsafe.Add(ref p, 3)), y, c3);
                c4 = TLanes.MultiplyAdd(TLanes.Broadcast(Unsafe.Add(ref p, 4)), y, c4);
                c5 = TLanes.MultiplyAdd(TLanes.Broadcast(Unsafe.Add(ref p, 5)), y, c5);
                c6 = TLanes.MultiplyAdd(TLanes.Broadcast(Unsafe.Add(ref p, 6)), y, c6);
                c7 = TLanes.MultiplyAdd(TLanes.Broadcast(Unsafe.Add(ref p, 7)), y, c7);
                c8 = TLanes.MultiplyAdd(TLanes.Broadcast(Unsafe.Add(ref p, 8)), y, c8);
                if (typeof(TKernelRows) == typeof(ThreeKernelRows))
                {
                    d0 = TLanes.MultiplyAdd(TLanes.Broadcast(q), y, d0);
                    d1 = TLanes.MultiplyAdd(TLanes.Broadcast(Unsafe.Add(ref q, 1)), y, d1);
                    d2 = TLanes.MultiplyAdd(TLanes.Broadcast(Unsafe.Add(ref q, 2)), y, d2);
                    d3 = TLanes.MultiplyAdd(TLanes.Broadcast(Unsafe.Add(ref q, 3)), y, d3);
                    d4 = TLanes.MultiplyAdd(TLanes.Broadcast(Unsafe.Add(ref q, 4)), y, d4);
                    d5 = TLanes.MultiplyAdd(TLanes.Broadcast(Unsafe.Add(ref q, 5)), y, d5);
                    d6 = TLanes.MultiplyAdd(TLanes.Broadcast(Unsafe.Add(ref q, 6)), y, d6);
                    d7 = TLanes.MultiplyAdd(TLanes.Broadcast(Unsafe.Add(ref q, 7)), y, d7);
                    d8 = TLanes.MultiplyAdd(TLanes.Broadcast(Unsafe.Add(ref q, 8)), y, d8);
                    e0 = TLanes.MultiplyAdd(TLanes.Broadcast(r), y, e0);
                    e1 = TLanes.MultiplyAdd(TLanes.Broadcast(Unsafe.Add(ref r, 1)), y, e1);
                    e2 = TLanes.MultiplyAdd(TLanes.Broadcast(Unsafe.Add(ref r, 2)), y, e2);
                    e3 = TLanes.MultiplyAdd(TLanes.Broadcast(Unsafe.Add(ref r, 3)), y, e3);
                    e4 = TLanes.MultiplyAdd(TLanes.Broadcast(Unsafe.Add(ref r, 4)), y, e4);
                    e5 = TLanes.MultiplyAdd(TLanes.Broadcast(Unsafe.Add(ref r, 5)), y, e5);
                    e6 = TLanes.MultiplyAdd(TLanes.Broadcast(Unsafe.Add(ref r, 6)), y, e6);
                    e7 = TLanes.MultiplyAdd(TLanes.Broadcast(Unsafe.Add(ref r, 7)), y, e7);
                    e8 = TLanes.MultiplyAdd(TLanes.Broadcast(Unsafe.Add(ref r, 8)), y, e8);
                }
                p = ref Unsafe.Add(ref p, step);
                q = ref Unsafe.Add(ref q, step);
                r = ref Unsafe.Add(ref r, step);
                b = ref Unsafe.Add(ref b, bStep);
            }
            a = ref Unsafe.Add(ref a, g.ASegment);
        }
        ref T second = ref Unsafe.Add(ref c, cRow);
        ref T third = ref Unsafe.Add(ref second, cRow);
        c = ref Put(c0, ref c, g.CTile, accumulate: true);
        c = ref Put(c1, ref c, g.CTile, accumulate: true);
        c = ref Put(c2, ref c, g.CTile, accumulate: true);
        c = ref Put(c3, ref c, g.CTile, accumulate: true);
        c = ref Put(c4, ref c, g.CTile, accumulate: true);
        c = ref Put(c5, ref c, g.CTile, accumulate: true);
        c = ref Put(c6, ref c, g.CTile, accumulate: true);
        c = ref Put(c7, ref c, g.CTile, accumulate: true);
        Put(c8, ref c, g.CTile, accumulate: true);
        if (typeof(TKernelRows) != typeof(ThreeKernelRows)) return;
        second = ref Put(d0, ref second, g.CTile, accumulate: true);
        second = ref Put(d1, ref second, g.CTile, accumulate: true);
        second = ref Put(d2, ref second, g.CTile, accumulate: true);
        second = ref Put(d3, ref second, g.CTile, accumulate: true);
        second = ref Put(d4, ref second, g.CTile, accumulate: true);
        second = ref Put(d5, ref second, g.CTile, accumulate: true);
        second = ref Put(d6, ref second, g.CTile, accumulate: true);
        second = ref Put(d7, ref second, g.CTile, accumulate: true);
        Put(d8, ref second, g.CTile, accumulate: true);
        third = ref Put(e0, ref third, g.CTile, accumulate: true);
        third = ref Put(e1, ref third, g.CTile, accumulate: true);
        third = ref Put(e2, ref third, g.CTile, accumulate: true);
        third = ref Put(e3, ref third, g.CTile, accumulate: true);
        third = ref Put(e4, ref third, g.CTile, accumulate: true);
        third = ref Put(e5, ref third, g.CTile, accumulate: true);
        third = ref Put(e6, ref third, g.CTile, accumulate: true);
        third = ref Put(e7, ref third, g.CTile, accumulate: true);
        Put(e8, ref third, g.CTile, accumulate: true);
    }
}
