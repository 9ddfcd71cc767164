using System.Runtime.CompilerServices;

namespace PannCore.Kernels;

// Tiles that take the three columns of a kernel at once, so that what is loaded once is used three times.
internal static partial class OuterProduct<T, TV, TLanes>
{
    /// <summary>
    /// A 3 x 3 convolution of stride 1 and padding 1 for 16 neighbouring pixels and one vector of output channels: each source pixel is broadcast once and feeds its three
    /// taps, so that 48 multiply-adds need 21 loads instead of 51. A segment is a kernel row, a step an input channel; b holds (row, channel, column).
    /// a points to the source under the tile's first pixel; pixels lie <c>ATile</c> elements apart. A column beyond the image is left out where <c>SkippedFirst</c> or
    /// <c>SkippedLast</c> is not 0.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Fused16x1(in TileStrides g, ref T a, ref T b, ref T c)
    {
        nint s1 = g.ATile, s2 = 2 * s1, s3 = 3 * s1, s4 = 4 * s1, s5 = 5 * s1, s6 = 6 * s1;
        bool left = g.SkippedFirst == 0, right = g.SkippedLast == 0;
        TV c0 = TLanes.Zero, c1 = c0, c2 = c0, c3 = c0, c4 = c0, c5 = c0, c6 = c0, c7 = c0;
        TV c8 = c0, c9 = c0, c10 = c0, c11 = c0, c12 = c0, c13 = c0, c14 = c0, c15 = c0;
        for (int s = g.Segments; s > 0; s--)
        {
            ref T p = ref a;
            for (int t = g.Steps; t > 0; t--)
            {
                TV u = TLanes.Load(ref b), v = TLanes.Load(ref Unsafe.Add(ref b, TLanes.Count)), w = TLanes.Load(ref Unsafe.Add(ref b, 2 * TLanes.Count));
                if (left) c0 = TLanes.MultiplyAdd(TLanes.Broadcast(Unsafe.Subtract(ref p, s1)), u, c0);
                ref T q = ref p;
                TV x = TLanes.Broadcast(q);
                c1 = TLanes.MultiplyAdd(x, u, c1);
                c0 = TLanes.MultiplyAdd(x, v, c0);
                x = TLanes.Broadcast(Unsafe.Add(ref q, s1));
                c2 = TLanes.MultiplyAdd(x, u, c2);
                c1 = TLanes.MultiplyAdd(x, v, c1);
                c0 = TLanes.MultiplyAdd(x, w, c0);
                x = TLanes.Broadcast(Unsafe.Add(ref q, s2));
                c3 = TLanes.MultiplyAdd(x, u, c3);
                c2 = TLanes.MultiplyAdd(x, v, c2);
                c1 = TLanes.MultiplyAdd(x, w, c1);
                x = TLanes.Broadcast(Unsafe.Add(ref q, s3));
                c4 = TLanes.MultiplyAdd(x, u, c4);
                c3 = TLanes.MultiplyAdd(x, v, c3);
                c2 = TLanes.MultiplyAdd(x, w, c2);
                x = TLanes.Broadcast(Unsafe.Add(ref q, s4));
                c5 = TLanes.MultiplyAdd(x, u, c5);
                c4 = TLanes.MultiplyAdd(x, v, c4);
                c3 = TLanes.MultiplyAdd(x, w, c3);
                x = TLanes.Broadcast(Unsafe.Add(ref q, s5));
                c6 = TLanes.MultiplyAdd(x, u, c6);
                c5 = TLanes.MultiplyAdd(x, v, c5);
                c4 = TLanes.MultiplyAdd(x, w, c4);
                q = ref Unsafe.Add(ref q, s6);
                x = TLanes.Broadcast(q);
                c7 = TLanes.MultiplyAdd(x, u, c7);
                c6 = TLanes.MultiplyAdd(x, v, c6);
                c5 = TLanes.MultiplyAdd(x, w, c5);
                x = TLanes.Broadcast(Unsafe.Add(ref q, s1));
                c8 = TLanes.MultiplyAdd(x, u, c8);
                c7 = TLanes.MultiplyAdd(x, v, c7);
                c6 = TLanes.MultiplyAdd(x, w, c6);
                x = TLanes.Broadcast(Unsafe.Add(ref q, s2));
                c9 = TLanes.MultiplyAdd(x, u, c9);
                c8 = TLanes.MultiplyAdd(x, v, c8);
                c7 = TLanes.MultiplyAdd(x, w, c7);
                x = TLanes.Broadcast(Unsafe.Add(ref q, s3));
                c10 = TLanes.MultiplyAdd(x, u, c10);
                c9 = TLanes.MultiplyAdd(x, v, c9);
                c8 = TLanes.MultiplyAdd(x, w, c8);
                x = TLanes.Broadcast(Unsafe.Add(ref q, s4));
                c11 = TLanes.MultiplyAdd(x, u, c11);
                c10 = TLanes.MultiplyAdd(x, v, c10);
                c9 = TLanes.MultiplyAdd(x, w, c9);
                x = TLanes.Broadcast(Unsafe.Add(ref q, s5));
                c12 = TLanes.MultiplyAdd(x, u, c12);
                c11 = TLanes.MultiplyAdd(x, v, c11);
                c10 = TLanes.MultiplyAdd(x, w, c10);
                q = ref Unsafe.Add(ref q, s6);
                x = TLanes.Broadcast(q);
                c13 = TLanes.MultiplyAdd(x, u, c13);
                c12 = TLanes.MultiplyAdd(x, v, c12);
                c11 = TLanes.MultiplyAdd(x, w, c11);
                x = TLanes.Broadcast(Unsafe.Add(ref q, s1));
                c14 = TLanes.MultiplyAdd(x, u, c14);
                c13 = TLanes.MultiplyAdd(x, v, c13);
                c12 = TLanes.MultiplyAdd(x, w, c12);
                x = TLanes.Broadcast(Unsafe.Add(ref q, s2));
                c15 = TLanes.MultiplyAdd(x, u, c15);
                c14 = TLanes.MultiplyAdd(x, v, c14);
                c13 = TLanes.MultiplyAdd(x, w, c13);
                x = TLanes.Broadcast(Unsafe.Add(ref q, s3));
                c15 = TLanes.MultiplyAdd(x, v, c15);
                c14 = TLanes.MultiplyAdd(x, w, c14);
                if (right) c15 = TLanes.MultiplyAdd(TLanes.Broadcast(Unsafe.Add(ref q, s4)), w, c15);
                p = ref Unsafe.Add(ref p, 1);
                b = ref Unsafe.Add(ref b, 3 * TLanes.Count);
            }
            a = ref Unsafe.Add(ref a, g.ASegment);
        }
        c = ref Put(c0, ref c, g.CTile, accumulate: false);
        c = ref Put(c1, ref c, g.CTile, accumulate: false);
        c = ref Put(c2, ref c, g.CTile, accumulate: false);
        c = ref Put(c3, ref c, g.CTile, accumulate: false);
        c = ref Put(c4, ref c, g.CTile, accumulate: false);
        c = ref Put(c5, ref c, g.CTile, accumulate: false);
        c = ref Put(c6, ref c, g.CTile, accumulate: false);
        c = ref Put(c7, ref c, g.CTile, accumulate: false);
        c = ref Put(c8, ref c, g.CTile, accumulate: false);
        c = ref Put(c9, ref c, g.CTile, accumulate: false);
        c = ref Put(c10, ref c, g.CTile, accumulate: false);
        c = ref Put(c11, ref c, g.CTile, accumulate: false);
        c = ref Put(c12, ref c, g.CTile, accumulate: false);
        c = ref Put(c13, ref c, g.CTile, accumulate: false);
        c = ref Put(c14, ref c, g.CTile, accumulate: false);
        Put(c15, ref c, g.CTile, accumulate: false);
    }

    /// <summary>As <see cref="Fused16x1"/>, for 8 pixels and two vectors of output channels: 48 multiply-adds need 16 loads. b holds (row, channel, column, two vectors).</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Fused8x2(in TileStrides g, ref T a, ref T b, ref T c)
    {
        nint s1 = g.ATile, s2 = 2 * s1, s3 = 3 * s1, s4 = 4 * s1;
        bool left = g.SkippedFirst == 0, right = g.SkippedLast == 0;
        TV c0 = TLanes.Zero, c1 = c0, c2 = c0, c3 = c0, c4 = c0, c5 = c0, c6 = c0, c7 = c0, d0 = c0, d1 = c0, d2 = c0, d3 = c0, d4 = c0, d5 = c0, d6 = c0, d7 = c0;
        for (int s = g.Segments; s > 0; s--)
        {
            ref T p = ref a;
            for (int t = g.Steps; t > 0; t--)
            {
                TV u = TLanes.Load(ref b), u2 = TLanes.Load(ref Unsafe.Add(ref b, TLanes.Count));
                TV v = TLanes.Load(ref Unsafe.Add(ref b, 2 * TLanes.Count)), v2 = TLanes.Load(ref Unsafe.Add(ref b, 3 * TLanes.Count));
                TV w = TLanes.Load(ref Unsafe.Add(ref b, 4 * TLanes.Count)), w2 = TLanes.Load(ref Unsafe.Add(ref b, 5 * TLanes.Count));
                TV x;
                if (left)
                {
                    x = TLanes.Broadcast(Unsafe.Subtract(ref p, s1));
                    c0 = TLanes.MultiplyAdd(x, u, c0);
                    d0 = TLanes.MultiplyAdd(x, u2, d0);
                }
                ref T q = ref p;
                x = TLanes.Broadcast(q);
                c1 = TLanes.MultiplyAdd(x, u, c1);
                d1 = TLanes.MultiplyAdd(x, u2, d1);
                c0 = TLanes.MultiplyAdd(x, v, c0);
                d0 = TLanes.MultiplyAdd(x, v2, d0);
                x = TLanes.Broadcast(Unsafe.Add(ref q, s1));
                c2 = TLanes.MultiplyAdd(x, u, c2);
                d2 = TLanes.MultiplyAdd(x, u2, d2);
                c1 = TLanes.MultiplyAdd(x, v, c1);
                d1 = TLanes.MultiplyAdd(x, v2, d1);
                c0 = TLanes.MultiplyAdd(x, w, c0);
                d0 = TLanes.MultiplyAdd(x, w2, d0);
                x = TLanes.Broadcast(Unsafe.Add(ref q, s2));
                c3 = TLanes.MultiplyAdd(x, u, c3);
                d3 = TLanes.MultiplyAdd(x, u2, d3);
                c2 = TLanes.MultiplyAdd(x, v, c2);
                d2 = TLanes.MultiplyAdd(x, v2, d2);
                c1 = TLanes.MultiplyAdd(x, w, c1);
                d1 = TLanes.MultiplyAdd(x, w2, d1);
                x = TLanes.Broadcast(Unsafe.Add(ref q, s3));
                c4 = TLanes.MultiplyAdd(x, u, c4);
                d4 = TLanes.MultiplyAdd(x, u2, d4);
                c3 = TLanes.MultiplyAdd(x, v, c3);
                d3 = TLanes.MultiplyAdd(x, v2, d3);
                c2 = TLanes.MultiplyAdd(x, w, c2);
                d2 = TLanes.MultiplyAdd(x, w2, d2);
                x = TLanes.Broadcast(Unsafe.Add(ref q, s4));
                c5 = TLanes.MultiplyAdd(x, u, c5);
                d5 = TLanes.MultiplyAdd(x, u2, d5);
                c4 = TLanes.MultiplyAdd(x, v, c4);
                d4 = TLanes.MultiplyAdd(x, v2, d4);
                c3 = TLanes.MultiplyAdd(x, w, c3);
                d3 = TLanes.MultiplyAdd(x, w2, d3);
                q = ref Unsafe.Add(ref q, s4 + s1);
                x = TLanes.Broadcast(q);
                c6 = TLanes.MultiplyAdd(x, u, c6);
                d6 = TLanes.MultiplyAdd(x, u2, d6);
                c5 = TLanes.MultiplyAdd(x, v, c5);
                d5 = TLanes.MultiplyAdd(x, v2, d5);
                c4 = TLanes.MultiplyAdd(x, w, c4);
                d4 = TLanes.MultiplyAdd(x, w2, d4);
                x = TLanes.Broadcast(Unsafe.Add(ref q, s1));
                c7 = TLanes.MultiplyAdd(x, u, c7);
                d7 = TLanes.MultiplyAdd(x, u2, d7);
                c6 = TLanes.MultiplyAdd(x, v, c6);
                d6 = TLanes.MultiplyAdd(x, v2, d6);
                c5 = TLanes.MultiplyAdd(x, w, c5);
                d5 = TLanes.MultiplyAdd(x, w2, d5);
                x = TLanes.Broadcast(Unsafe.Add(ref q, s2));
                c7 = TLanes.MultiplyAdd(x, v, c7);
                d7 = TLanes.MultiplyAdd(x, v2, d7);
                c6 = TLanes.MultiplyAdd(x, w, c6);
                d6 = TLanes.MultiplyAdd(x, w2, d6);
                if (right)
                {
                    x = TLanes.Broadcast(Unsafe.Add(ref q, s3));
                    c7 = TLanes.MultiplyAdd(x, w, c7);
                    d7 = TLanes.MultiplyAdd(x, w2, d7);
                }
                p = ref Unsafe.Add(ref p, 1);
                b = ref Unsafe.Add(ref b, 6 * TLanes.Count);
            }
            a = ref Unsafe.Add(ref a, g.ASegment);
        }
        c = ref Put(c0, d0, ref c, g.CTile, accumulate: false);
        c = ref Put(c1, d1, ref c, g.CTile, accumulate: false);
        c = ref Put(c2, d2, ref c, g.CTile, accumulate: false);
        c = ref Put(c3, d3, ref c, g.CTile, accumulate: false);
        c = ref Put(c4, d4, ref c, g.CTile, accumulate: false);
        c = ref Put(c5, d5, ref c, g.CTile, accumulate: false);
        c = ref Put(c6, d6, ref c, g.CTile, accumulate: false);
        Put(c7, d7, ref c, g.CTile, accumulate: false);
    }

    /// <summary>
    /// The data gradient of a 3-column convolution of stride 2 and padding 1, for 16 neighbouring pixels and one vector of channels: an even pixel meets the middle kernel column at
    /// the output pixel that is half of it, an odd one the last column there and the first column one further. So 8 output pixels and their right neighbour feed 16 pixels, and 24
    /// multiply-adds need 12 loads. Otherwise as <see cref="Fused16x1"/>; b holds (row, channel, column), the middle column first.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Paired16x1(in TileStrides g, ref T a, ref T b, ref T c)
    {
        bool right = g.SkippedLast == 0;
        nint s1 = g.ATile, s2 = 2 * s1, s3 = 3 * s1, s4 = 4 * s1, s5 = 5 * s1, s6 = 6 * s1, s7 = 7 * s1, s8 = 8 * s1;
        TV c0 = TLanes.Zero, c1 = c0, c2 = c0, c3 = c0, c4 = c0, c5 = c0, c6 = c0, c7 = c0, d0 = c0, d1 = c0, d2 = c0, d3 = c0, d4 = c0, d5 = c0, d6 = c0, d7 = c0;
        for (int s = g.Segments; s > 0; s--)
        {
            ref T p = ref a;
            for (int t = g.Steps; t > 0; t--)
            {
                TV u = TLanes.Load(ref b), v = TLanes.Load(ref Unsafe.Add(ref b, TLanes.Count)), w = TLanes.Load(ref Unsafe.Add(ref b, 2 * TLanes.Count));
                TV x = TLanes.Broadcast(p);
                c0 = TLanes.MultiplyAdd(x, u, c0);
                d0 = TLanes.MultiplyAdd(x, v, d0);
                x = TLanes.Broadcast(Unsafe.Add(ref p, s1));
                c1 = TLanes.MultiplyAdd(x, u, c1);
                d1 = TLanes.MultiplyAdd(x, v, d1);
                d0 = TLanes.MultiplyAdd(x, w, d0);
                x = TLanes.Broadcast(Unsafe.Add(ref p, s2));
                c2 = TLanes.MultiplyAdd(x, u, c2);
                d2 = TLanes.MultiplyAdd(x, v, d2);
                d1 = TLanes.MultiplyAdd(x, w, d1);
                x = TLanes.Broadcast(Unsafe.Add(ref p, s3));
                c3 = TLanes.MultiplyAdd(x, u, c3);
                d3 = TLanes.MultiplyAdd(x, v, d3);
                d2 = TLanes.MultiplyAdd(x, w, d2);
                x = TLanes.Broadcast(Unsafe.Add(ref p, s4));
                c4 = TLanes.MultiplyAdd(x, u, c4);
                d4 = TLanes.MultiplyAdd(x, v, d4);
                d3 = TLanes.MultiplyAdd(x, w, d3);
                x = TLanes.Broadcast(Unsafe.Add(ref p, s5));
                c5 = TLanes.MultiplyAdd(x, u, c5);
                d5 = TLanes.MultiplyAdd(x, v, d5);
                d4 = TLanes.MultiplyAdd(x, w, d4);
                x = TLanes.Broadcast(Unsafe.Add(ref p, s6));
                c6 = TLanes.MultiplyAdd(x, u, c6);
                d6 = TLanes.MultiplyAdd(x, v, d6);
                d5 = TLanes.MultiplyAdd(x, w, d5);
                x = TLanes.Broadcast(Unsafe.Add(ref p, s7));
                c7 = TLanes.MultiplyAdd(x, u, c7);
                d7 = TLanes.MultiplyAdd(x, v, d7);
                d6 = TLanes.MultiplyAdd(x, w, d6);
                if (right) d7 = TLanes.MultiplyAdd(TLanes.Broadcast(Unsafe.Add(ref p, s8)), w, d7);
                p = ref Unsafe.Add(ref p, 1);
                b = ref Unsafe.Add(ref b, 3 * TLanes.Count);
            }
            a = ref Unsafe.Add(ref a, g.ASegment);
        }
        c = ref Put(c0, ref c, g.CTile, accumulate: false);
        c = ref Put(d0, ref c, g.CTile, accumulate: false);
        c = ref Put(c1, ref c, g.CTile, accumulate: false);
        c = ref Put(d1, ref c, g.CTile, accumulate: false);
        c = ref Put(c2, ref c, g.CTile, accumulate: false);
        c = ref Put(d2, ref c, g.CTile, accumulate: false);
        c = ref Put(c3, ref c, g.CTile, accumulate: false);
        c = ref Put(d3, ref c, g.CTile, accumulate: false);
        c = ref Put(c4, ref c, g.CTile, accumulate: false);
        c = ref Put(d4, ref c, g.CTile, accumulate: false);
        c = ref Put(c5, ref c, g.CTile, accumulate: false);
        c = ref Put(d5, ref c, g.CTile, accumulate: false);
        c = ref Put(c6, ref c, g.CTile, accumulate: false);
        c = ref Put(d6, ref c, g.CTile, accumulate: false);
        c = ref Put(c7, ref c, g.CTile, accumulate: false);
        Put(d7, ref c, g.CTile, accumulate: false);
    }
}
