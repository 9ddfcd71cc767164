using System.Numerics;
using System.Runtime.CompilerServices;

namespace PannCore.Kernels;

/// <summary>
/// The transforms of Winograd's F(2x2, 3x3) (Lavin and Gray 2015): a 2 x 2 tile of outputs from a 4 x 4 patch of inputs with 16 products a
/// channel pair instead of 36, y = A' [(G g G') * (B' d B)] A. One register holds the same position of as many channels as it has lanes.
/// A domain of 16 planes is stored plane after plane, <c>plane</c> elements apart.
/// </summary>
internal static class Winograd2Transforms<T, TV, TLanes>
    where T : unmanaged, IFloatingPointIeee754<T>
    where TV : struct
    where TLanes : ILanes<T, TV>
{
    /// <summary>
    /// B' d B of a run of neighbouring patches, two pixels apart; rows of the image are <paramref name="row"/> elements apart,
    /// pixels <paramref name="channels"/>.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Input(ref T patch, nint row, int channels, int tiles, ref T domain, nint plane)
    {
        for (int at = 0, tile = 0, c = 0; tile < tiles; at += TLanes.Count)
        {
            ref T d = ref Unsafe.Add(ref patch, (2 * tile * channels) + c);
            Column(ref d, row, out TV a0, out TV b0, out TV c0, out TV d0);
            Column(ref Unsafe.Add(ref d, channels), row, out TV a1, out TV b1, out TV c1, out TV d1);
            Column(ref Unsafe.Add(ref d, 2 * channels), row, out TV a2, out TV b2, out TV c2, out TV d2);
            Column(ref Unsafe.Add(ref d, 3 * channels), row, out TV a3, out TV b3, out TV c3, out TV d3);
            ref T v = ref Unsafe.Add(ref domain, at);
            v = ref Four(a0, a1, a2, a3, ref v, plane);
            v = ref Four(b0, b1, b2, b3, ref v, plane);
            v = ref Four(c0, c1, c2, c3, ref v, plane);
            Four(d0, d1, d2, d3, ref v, plane);
            c += TLanes.Count;
            if (c < channels) continue;
            c = 0;
            tile++;
        }
    }

    /// <summary>A' m A of a run of neighbouring tiles: <paramref name="rows"/> rows of outputs, <paramref name="columns"/> in all.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Output(ref T domain, nint plane, int channels, int columns, ref T output, nint row, int rows)
    {
        for (int at = 0, column = 0, c = 0; column < columns; at += TLanes.Count)
        {
            ref T m = ref Unsafe.Add(ref domain, at);
            Pair(ref m, plane, out TV s0, out TV t0);
            Pair(ref Unsafe.Add(ref m, plane), plane, out TV s1, out TV t1);
            Pair(ref Unsafe.Add(ref m, 2 * plane), plane, out TV s2, out TV t2);
            Pair(ref Unsafe.Add(ref m, 3 * plane), plane, out TV s3, out TV t3);
            ref T y = ref Unsafe.Add(ref output, (column * channels) + c);
            Two(s0, s1, s2, s3, ref y, channels, columns - column);
            if (rows > 1) Two(t0, t1, t2, t3, ref Unsafe.Add(ref y, row), channels, columns - column);
            c += TLanes.Count;
            if (c < channels) continue;
            c = 0;
            column += 2;
        }
    }

    /// <summary>A dy A' of a run of neighbouring tiles of output gradients: <paramref name="rows"/> rows, <paramref name="columns"/> columns in all; what a tile lacks is 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void OutputGradient(ref T gradient, nint row, int rows, int columns, int channels, ref T domain, nint plane)
    {
        for (int at = 0, column = 0, c = 0; column < columns; at += TLanes.Count)
        {
            ref T y = ref Unsafe.Add(ref gradient, (column * channels) + c);
            bool right = column + 1 < columns, below = rows > 1;
            TV y00 = TLanes.Load(ref y), zero = TLanes.Zero;
            TV y01 = right ? TLanes.Load(ref Unsafe.Add(ref y, channels)) : zero;
            TV y10 = below ? TLanes.Load(ref Unsafe.Add(ref y, row)) : zero;
            TV y11 = below && right ? TLanes.Load(ref Unsafe.Add(ref y, row + channels)) : zero;
            ref T v = ref Unsafe.Add(ref domain, at);
            v = ref Spread(y00, y01, ref v, plane);
            v = ref Spread(TLanes.Add(y00, y10), TLanes.Add(y01, y11), ref v, plane);
            v = ref Spread(TLanes.Subtract(y00, y10), TLanes.Subtract(y01, y11), ref v, plane);
            Spread(TLanes.Subtract(zero, y10), TLanes.Subtract(zero, y11), ref v, plane);
            c += TLanes.Count;
            if (c < channels) continue;
            c = 0;
            column += 2;
        }
    }

    /// <summary>B' down one column of the patch: d0 - d2, d1 + d2, d2 - d1, d1 - d3.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Column(ref T d, nint row, out TV v0, out TV v1, out TV v2, out TV v3)
    {
        TV d0 = TLanes.Load(ref d), d1 = TLanes.Load(ref Unsafe.Add(ref d, row));
        TV d2 = TLanes.Load(ref Unsafe.Add(ref d, 2 * row)), d3 = TLanes.Load(ref Unsafe.Add(ref d, 3 * row));
        v0 = TLanes.Subtract(d0, d2);
        v1 = TLanes.Add(d1, d2);
        v2 = TLanes.Subtract(d2, d1);
        v3 = TLanes.Subtract(d1, d3);
    }

    /// <summary>B along one row, stored to four planes; returns where the next row's begin.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ref T Four(TV d0, TV d1, TV d2, TV d3, ref T v, nint plane)
    {
        TLanes.Store(TLanes.Subtract(d0, d2), ref v);
        TLanes.Store(TLanes.Add(d1, d2), ref Unsafe.Add(ref v, plane));
        TLanes.Store(TLanes.Subtract(d2, d1), ref Unsafe.Add(ref v, 2 * plane));
        TLanes.Store(TLanes.Subtract(d1, d3), ref Unsafe.Add(ref v, 3 * plane));
        return ref Unsafe.Add(ref v, 4 * plane);
    }

    /// <summary>A' down one column of the domain: m0 + m1 + m2 and m1 - m2 - m3.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Pair(ref T m, nint plane, out TV s, out TV t)
    {
        TV m0 = TLanes.Load(ref m), m1 = TLanes.Load(ref Unsafe.Add(ref m, 4 * plane));
        TV m2 = TLanes.Load(ref Unsafe.Add(ref m, 8 * plane)), m3 = TLanes.Load(ref Unsafe.Add(ref m, 12 * plane));
        s = TLanes.Add(TLanes.Add(m0, m1), m2);
        t = TLanes.Subtract(TLanes.Subtract(m1, m2), m3);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Two(TV s0, TV s1, TV s2, TV s3, ref T y, nint pixel, int columns)
    {
        TLanes.Store(TLanes.Add(TLanes.Add(s0, s1), s2), ref y);
        if (columns > 1) TLanes.Store(TLanes.Subtract(TLanes.Subtract(s1, s2), s3), ref Unsafe.Add(ref y, pixel));
    }

    /// <summary>A' along one row: y0, y0 + y1, y0 - y1, -y1, stored to four planes; returns where the next row's begin.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ref T Spread(TV y0, TV y1, ref T v, nint plane)
    {
        TLanes.Store(y0, ref v);
        TLanes.Store(TLanes.Add(y0, y1), ref Unsafe.Add(ref v, plane));
        TLanes.Store(TLanes.Subtract(y0, y1), ref Unsafe.Add(ref v, 2 * plane));
        TLanes.Store(TLanes.Subtract(TLanes.Zero, y1), ref Unsafe.Add(ref v, 3 * plane));
        return ref Unsafe.Add(ref v, 4 * plane);
    }
}
