using System.Runtime.CompilerServices;

namespace PannCore.Kernels;

// The tiles that serve every shape.
internal static partial class OuterProduct<T, TV, TLanes>
{
    /// <summary>The tile for one vector of columns; <c>a</c> points to its second row.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Tile16x1<TRows>(in TileStrides g, ref T a, ref T b, ref T c, bool accumulate) where TRows : struct
    {
        nint s1 = g.ATile, s2 = 2 * s1, s3 = 3 * s1, s4 = 4 * s1, s5 = 5 * s1, s6 = 6 * s1, step = g.AStep, bStep = g.BStep;
        int from = g.Steps - g.SkippedFirst, to = g.SkippedLast;
        for (int down = 0; down < g.Down; down++)
        {
            ref T aTile = ref a;
            ref T cTile = ref c;
            for (int across = 0; across < g.Across; across++)
            {
                ref T aGroup = ref aTile;
                ref T bGroup = ref b;
                TV c0 = TLanes.Zero, c1 = c0, c2 = c0, c3 = c0, c4 = c0, c5 = c0, c6 = c0, c7 = c0;
                TV c8 = c0, c9 = c0, c10 = c0, c11 = c0, c12 = c0, c13 = c0, c14 = c0, c15 = c0;
                for (int group = g.Groups; group > 0; group--)
                {
                    ref T aSegment = ref aGroup;
                    ref T weight = ref bGroup;
                    for (int s = g.Segments; s > 0; s--)
                    {
                        ref T p = ref aSegment;
                        ref T q = ref Unsafe.Add(ref aSegment, 8 * s1);
                        for (int t = g.Steps; t > 0; t--)
                        {
                            TV w = TLanes.Load(ref weight);
                            if (typeof(TRows) == typeof(AllRows) || t <= from) c0 = TLanes.MultiplyAdd(TLanes.Broadcast(Unsafe.Subtract(ref p, s1)), w, c0);
                            c1 = TLanes.MultiplyAdd(TLanes.Broadcast(p), w, c1);
                            c2 = TLanes.MultiplyAdd(TLanes.Broadcast(Unsafe.Add(ref p, s1)), w, c2);
                            c3 = TLanes.MultiplyAdd(TLanes.Broadcast(Unsafe.Add(ref p, s2)), w, c3);
                            c4 = TLanes.MultiplyAdd(TLanes.Broadcast(Unsafe.Add(ref p, s3)), w, c4);
                            c5 = TLanes.MultiplyAdd(TLanes.Broadcast(Unsafe.Add(ref p, s4)), w, c5);
                            c6 = TLanes.MultiplyAdd(TLanes.Broadcast(Unsafe.Add(ref p, s5)), w, c6);
                            c7 = TLanes.MultiplyAdd(TLanes.Broadcast(Unsafe.Add(ref p, s6)), w, c7);
                            c8 = TLanes.MultiplyAdd(TLanes.Broadcast(Unsafe.Subtract(ref q, s1)), w, c8);
                            c9 = TLanes.MultiplyAdd(TLanes.Broadcast(q), w, c9);
                            c10 = TLanes.MultiplyAdd(TLanes.Broadcast(Unsafe.Add(ref q, s1)), w, c10);
                            c11 = TLanes.MultiplyAdd(TLanes.Broadcast(Unsafe.Add(ref q, s2)), w, c11);
                            c12 = TLanes.MultiplyAdd(TLanes.Broadcast(Unsafe.Add(ref q, s3)), w, c12);
                            c13 = TLanes.MultiplyAdd(TLanes.Broadcast(Unsafe.Add(ref q, s4)), w, c13);
                            c14 = TLanes.MultiplyAdd(TLanes.Broadcast(Unsafe.Add(ref q, s5)), w, c14);
                            if (typeof(TRows) == typeof(AllRows) || t > to) c15 = TLanes.MultiplyAdd(TLanes.Broadcast(Unsafe.Add(ref q, s6)), w, c15);
                            p = ref Unsafe.Add(ref p, step);
                            q = ref Unsafe.Add(ref q, step);
                            weight = ref Unsafe.Add(ref weight, bStep);
                        }
                        aSegment = ref Unsafe.Add(ref aSegment, g.ASegment);
                        weight = ref Unsafe.Add(ref weight, g.BSegment);
                    }
                    aGroup = ref Unsafe.Add(ref aGroup, g.AGroup);
                    bGroup = ref Unsafe.Add(ref bGroup, g.BGroup);
                }
                ref T at = ref cTile;
                at = ref Put(c0, ref at, g.CTile, accumulate);
                at = ref Put(c1, ref at, g.CTile, accumulate);
                at = ref Put(c2, ref at, g.CTile, accumulate);
                at = ref Put(c3, ref at, g.CTile, accumulate);
                at = ref Put(c4, ref at, g.CTile, accumulate);
                at = ref Put(c5, ref at, g.CTile, accumulate);
                at = ref Put(c6, ref at, g.CTile, accumulate);
                at = ref Put(c7, ref at, g.CTile, accumulate);
                at = ref Put(c8, ref at, g.CTile, accumulate);
                at = ref Put(c9, ref at, g.CTile, accumulate);
                at = ref Put(c10, ref at, g.CTile, accumulate);
                at = ref Put(c11, ref at, g.CTile, accumulate);
                at = ref Put(c12, ref at, g.CTile, accumulate);
                at = ref Put(c13, ref at, g.CTile, accumulate);
                at = ref Put(c14, ref at, g.CTile, accumulate);
                Put(c15, ref at, g.CTile, accumulate);
                aTile = ref Unsafe.Add(ref aTile, g.AAcross);
                cTile = ref Unsafe.Add(ref cTile, g.CAcross);
            }
            a = ref Unsafe.Add(ref a, g.ADown);
            b = ref Unsafe.Add(ref b, g.BDown);
            c = ref Unsafe.Add(ref c, g.CDown);
        }
    }

    /// <summary>As the tile of sixteen rows, but eight rows and two vectors.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Tile8x2<TRows>(in TileStrides g, ref T a, ref T b, ref T c, bool accumulate) where TRows : struct
    {
        nint s1 = g.ATile, s2 = 2 * s1, s3 = 3 * s1, s4 = 4 * s1, s5 = 5 * s1, s6 = 6 * s1, step = g.AStep, bStep = g.BStep;
        int from = g.Steps - g.SkippedFirst, to = g.SkippedLast;
        for (int down = 0; down < g.Down; down++)
        {
            ref T aTile = ref a;
            ref T cTile = ref c;
            for (int across = 0; across < g.Across; across++)
            {
                ref T aGroup = ref aTile;
                ref T bGroup = ref b;
                TV c0 = TLanes.Zero, c1 = c0, c2 = c0, c3 = c0, c4 = c0, c5 = c0, c6 = c0, c7 = c0;
                TV d0 = c0, d1 = c0, d2 = c0, d3 = c0, d4 = c0, d5 = c0, d6 = c0, d7 = c0;
                for (int group = g.Groups; group > 0; group--)
                {
                    ref T aSegment = ref aGroup;
                    ref T weight = ref bGroup;
                    for (int s = g.Segments; s > 0; s--)
                    {
                        ref T p = ref aSegment;
                        for (int t = g.Steps; t > 0; t--)
                        {
                            TV w = TLanes.Load(ref weight), v = TLanes.Load(ref Unsafe.Add(ref weight, TLanes.Count));
                            if (typeof(TRows) == typeof(AllRows) || t <= from)
                            {
                                TV y = TLanes.Broadcast(Unsafe.Subtract(ref p, s1));
                                c0 = TLanes.MultiplyAdd(y, w, c0);
                                d0 = TLanes.MultiplyAdd(y, v, d0);
                            }
                            TV x = TLanes.Broadcast(p);
                            c1 = TLanes.MultiplyAdd(x, w, c1);
                            d1 = TLanes.MultiplyAdd(x, v, d1);
                            x = TLanes.Broadcast(Unsafe.Add(ref p, s1));
                            c2 = TLanes.MultiplyAdd(x, w, c2);
                            d2 = TLanes.MultiplyAdd(x, v, d2);
                            x = TLanes.Broadcast(Unsafe.Add(ref p, s2));
                            c3 = TLanes.MultiplyAdd(x, w, c3);
                            d3 = TLanes.MultiplyAdd(x, v, d3);
                            x = TLanes.Broadcast(Unsafe.Add(ref p, s3));
                            c4 = TLanes.MultiplyAdd(x, w, c4);
                            d4 = TLanes.MultiplyAdd(x, v, d4);
                            x = TLanes.Broadcast(Unsafe.Add(ref p, s4));
                            c5 = TLanes.MultiplyAdd(x, w, c5);
                            d5 = TLanes.MultiplyAdd(x, v, d5);
                            x = TLanes.Broadcast(Unsafe.Add(ref p, s5));
                            c6 = TLanes.MultiplyAdd(x, w, c6);
                            d6 = TLanes.MultiplyAdd(x, v, d6);
                            if (typeof(TRows) == typeof(AllRows) || t > to)
                            {
                                TV y = TLanes.Broadcast(Unsafe.Add(ref p, s6));
                                c7 = TLanes.MultiplyAdd(y, w, c7);
                                d7 = TLanes.MultiplyAdd(y, v, d7);
                            }
                            p = ref Unsafe.Add(ref p, step);
                            weight = ref Unsafe.Add(ref weight, bStep);
                        }
                        aSegment = ref Unsafe.Add(ref aSegment, g.ASegment);
                        weight = ref Unsafe.Add(ref weight, g.BSegment);
                    }
                    aGroup = ref Unsafe.Add(ref aGroup, g.AGroup);
                    bGroup = ref Unsafe.Add(ref bGroup, g.BGroup);
                }
                ref T at = ref cTile;
                at = ref Put(c0, d0, ref at, g.CTile, accumulate);
                at = ref Put(c1, d1, ref at, g.CTile, accumulate);
                at = ref Put(c2, d2, ref at, g.CTile, accumulate);
                at = ref Put(c3, d3, ref at, g.CTile, accumulate);
                at = ref Put(c4, d4, ref at, g.CTile, accumulate);
                at = ref Put(c5, d5, ref at, g.CTile, accumulate);
                at = ref Put(c6, d6, ref at, g.CTile, accumulate);
                Put(c7, d7, ref at, g.CTile, accumulate);
                aTile = ref Unsafe.Add(ref aTile, g.AAcross);
                cTile = ref Unsafe.Add(ref cTile, g.CAcross);
            }
            a = ref Unsafe.Add(ref a, g.ADown);
            b = ref Unsafe.Add(ref b, g.BDown);
            c = ref Unsafe.Add(ref c, g.CDown);
        }
    }

    /// <summary>Likewise for 16 registers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Tile4x2<TRows>(in TileStrides g, ref T a, ref T b, ref T c, bool accumulate) where TRows : struct
    {
        nint s1 = g.ATile, s2 = 2 * s1, step = g.AStep, bStep = g.BStep;
        int from = g.Steps - g.SkippedFirst, to = g.SkippedLast;
        for (int down = 0; down < g.Down; down++)
        {
            ref T aTile = ref a;
            ref T cTile = ref c;
            for (int across = 0; across < g.Across; across++)
            {
                ref T aGroup = ref aTile;
                ref T bGroup = ref b;
                TV c0 = TLanes.Zero, c1 = c0, c2 = c0, c3 = c0, d0 = c0, d1 = c0, d2 = c0, d3 = c0;
                for (int group = g.Groups; group > 0; group--)
                {
                    ref T aSegment = ref aGroup;
                    ref T weight = ref bGroup;
                    for (int s = g.Segments; s > 0; s--)
                    {
                        ref T p = ref aSegment;
                        for (int t = g.Steps; t > 0; t--)
                        {
                            TV w = TLanes.Load(ref weight), v = TLanes.Load(ref Unsafe.Add(ref weight, TLanes.Count));
                            if (typeof(TRows) == typeof(AllRows) || t <= from)
                            {
                                TV y = TLanes.Broadcast(Unsafe.Subtract(ref p, s1));
                                c0 = TLanes.MultiplyAdd(y, w, c0);
                                d0 = TLanes.MultiplyAdd(y, v, d0);
                            }
                            TV x = TLanes.Broadcast(p);
                            c1 = TLanes.MultiplyAdd(x, w, c1);
                            d1 = TLanes.MultiplyAdd(x, v, d1);
                            x = TLanes.Broadcast(Unsafe.Add(ref p, s1));
                            c2 = TLanes.MultiplyAdd(x, w, c2);
                            d2 = TLanes.MultiplyAdd(x, v, d2);
                            if (typeof(TRows) == typeof(AllRows) || t > to)
                            {
                                TV y = TLanes.Broadcast(Unsafe.Add(ref p, s2));
                                c3 = TLanes.MultiplyAdd(y, w, c3);
                                d3 = TLanes.MultiplyAdd(y, v, d3);
                            }
                            p = ref Unsafe.Add(ref p, step);
                            weight = ref Unsafe.Add(ref weight, bStep);
                        }
                        aSegment = ref Unsafe.Add(ref aSegment, g.ASegment);
                        weight = ref Unsafe.Add(ref weight, g.BSegment);
                    }
                    aGroup = ref Unsafe.Add(ref aGroup, g.AGroup);
                    bGroup = ref Unsafe.Add(ref bGroup, g.BGroup);
                }
                ref T at = ref cTile;
                at = ref Put(c0, d0, ref at, g.CTile, accumulate);
                at = ref Put(c1, d1, ref at, g.CTile, accumulate);
                at = ref Put(c2, d2, ref at, g.CTile, accumulate);
                Put(c3, d3, ref at, g.CTile, accumulate);
                aTile = ref Unsafe.Add(ref aTile, g.AAcross);
                cTile = ref Unsafe.Add(ref cTile, g.CAcross);
            }
            a = ref Unsafe.Add(ref a, g.ADown);
            b = ref Unsafe.Add(ref b, g.BDown);
            c = ref Unsafe.Add(ref c, g.CDown);
        }
    }
}
