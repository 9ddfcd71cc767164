using System.Runtime.CompilerServices;

namespace PannCore.Kernels;

// The tile that adds the planes of Winograd's domain down a column while they are in registers.
internal static partial class OuterProduct<T, TV, TLanes>
{
    /// <summary>
    /// Products of F(2x2, 3x3) for eight tiles and one vector of output channels, with A' down the columns of the domain: of the four planes i of a column,
    /// <c>m_i[tile] = sum over t &lt; Steps of a[i AGroup + t AStep + tile ATile] * b[i BGroup + t BStep + v]</c>, c gets m_0 + m_1 + m_2 and c + <paramref name="second"/> gets m_1 - m_2 - m_3.
    /// <c>Across</c> eights of tiles, <c>Down</c> columns. So 8 planes are stored and read again instead of 16.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void DomainColumns8x1(in TileStrides g, ref T a, ref T b, ref T c, nint second)
    {
        for (int down = 0; down < g.Down; down++)
        {
            ref T aTile = ref a;
            ref T cTile = ref c;
            for (int across = 0; across < g.Across; across++)
            {
                PlaneProducts(g, ref aTile, ref b, out TV s0, out TV s1, out TV s2, out TV s3, out TV s4, out TV s5, out TV s6, out TV s7);
                PlaneProducts(g, ref Unsafe.Add(ref aTile, g.AGroup), ref Unsafe.Add(ref b, g.BGroup), out TV t0, out TV t1, out TV t2, out TV t3, out TV t4, out TV t5, out TV t6, out TV t7);
                s0 = TLanes.Add(s0, t0);
                s1 = TLanes.Add(s1, t1);
                s2 = TLanes.Add(s2, t2);
                s3 = TLanes.Add(s3, t3);
                s4 = TLanes.Add(s4, t4);
                s5 = TLanes.Add(s5, t5);
                s6 = TLanes.Add(s6, t6);
                s7 = TLanes.Add(s7, t7);
                PlaneProducts(g, ref Unsafe.Add(ref aTile, 2 * g.AGroup), ref Unsafe.Add(ref b, 2 * g.BGroup), out TV m0, out TV m1, out TV m2, out TV m3, out TV m4, out TV m5, out TV m6, out TV m7);
                ref T at = ref cTile;
                at = ref Put(TLanes.Add(s0, m0), ref at, g.CTile, accumulate: false);
                at = ref Put(TLanes.Add(s1, m1), ref at, g.CTile, accumulate: false);
                at = ref Put(TLanes.Add(s2, m2), ref at, g.CTile, accumulate: false);
                at = ref Put(TLanes.Add(s3, m3), ref at, g.CTile, accumulate: false);
                at = ref Put(TLanes.Add(s4, m4), ref at, g.CTile, accumulate: false);
                at = ref Put(TLanes.Add(s5, m5), ref at, g.CTile, accumulate: false);
                at = ref Put(TLanes.Add(s6, m6), ref at, g.CTile, accumulate: false);
                Put(TLanes.Add(s7, m7), ref at, g.CTile, accumulate: false);
                t0 = TLanes.Subtract(t0, m0);
                t1 = TLanes.Subtract(t1, m1);
                t2 = TLanes.Subtract(t2, m2);
                t3 = TLanes.Subtract(t3, m3);
                t4 = TLanes.Subtract(t4, m4);
                t5 = TLanes.Subtract(t5, m5);
                t6 = TLanes.Subtract(t6, m6);
                t7 = TLanes.Subtract(t7, m7);
                PlaneProducts(g, ref Unsafe.Add(ref aTile, 3 * g.AGroup), ref Unsafe.Add(ref b, 3 * g.BGroup), out m0, out m1, out m2, out m3, out m4, out m5, out m6, out m7);
                at = ref Unsafe.Add(ref cTile, second);
                at = ref Put(TLanes.Subtract(t0, m0), ref at, g.CTile, accumulate: false);
                at = ref Put(TLanes.Subtract(t1, m1), ref at, g.CTile, accumulate: false);
                at = ref Put(TLanes.Subtract(t2, m2), ref at, g.CTile, accumulate: false);
                at = ref Put(TLanes.Subtract(t3, m3), ref at, g.CTile, accumulate: false);
                at = ref Put(TLanes.Subtract(t4, m4), ref at, g.CTile, accumulate: false);
                at = ref Put(TLanes.Subtract(t5, m5), ref at, g.CTile, accumulate: false);
                at = ref Put(TLanes.Subtract(t6, m6), ref at, g.CTile, accumulate: false);
                Put(TLanes.Subtract(t7, m7), ref at, g.CTile, accumulate: false);
                aTile = ref Unsafe.Add(ref aTile, g.AAcross);
                cTile = ref Unsafe.Add(ref cTile, g.CAcross);
            }
            a = ref Unsafe.Add(ref a, g.ADown);
            b = ref Unsafe.Add(ref b, g.BDown);
            c = ref Unsafe.Add(ref c, g.CDown);
        }
    }

    /// <summary>The products of one plane for eight tiles.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void PlaneProducts(in TileStrides g, ref T a, ref T b, out TV c0, out TV c1, out TV c2, out TV c3, out TV c4, out TV c5, out TV c6, out TV c7)
    {
        nint s1 = g.ATile, s2 = 2 * s1, s3 = 3 * s1, step = g.AStep, bStep = g.BStep;
        c0 = c1 = c2 = c3 = c4 = c5 = c6 = c7 = TLanes.Zero;
        ref T p = ref a;
        ref T q = ref Unsafe.Add(ref a, 4 * s1);
        ref T weight = ref b;
        for (int t = g.Steps; t > 0; t--)
        {
            TV w = TLanes.Load(ref weight);
            c0 = TLanes.MultiplyAdd(TLanes.Broadcast(p), w, c0);
            c1 = TLanes.MultiplyAdd(TLanes.Broadcast(Unsafe.Add(ref p, s1)), w, c1);
            c2 = TLanes.MultiplyAdd(TLanes.Broadcast(Unsafe.Add(ref p, s2)), w, c2);
            c3 = TLanes.MultiplyAdd(TLanes.Broadcast(Unsafe.Add(ref p, s3)), w, c3);
            c4 = TLanes.MultiplyAdd(TLanes.Broadcast(q), w, c4);
            c5 = TLanes.MultiplyAdd(TLanes.Broadcast(Unsafe.Add(ref q, s1)), w, c5);
            c6 = TLanes.MultiplyAdd(TLanes.Broadcast(Unsafe.Add(ref q, s2)), w, c6);
            c7 = TLanes.MultiplyAdd(TLanes.Broadcast(Unsafe.Add(ref q, s3)), w, c7);
            p = ref Unsafe.Add(ref p, step);
            q = ref Unsafe.Add(ref q, step);
            weight = ref Unsafe.Add(ref weight, bStep);
        }
    }
}
