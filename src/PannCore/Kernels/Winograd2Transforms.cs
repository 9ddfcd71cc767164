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
    /// B' d B of a run of neighbouring patches, two pixels apart, from rows of <paramref name="width"/> pixels; the first patch begins at pixel <paramref name="x"/> - 1.
    /// What lies beyond a row is 0. The two columns that neighbours share are transformed once.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Input(in PatchRows<T> rows, int x, int width, int channels, int tiles, ref T domain, nint plane)
    {
        TV zero = TLanes.Zero;
        for (int c = 0; c < channels; c += TLanes.Count)
        {
            ref T row0 = ref Unsafe.Add(ref Unsafe.AsRef(in rows.Row0), c), row1 = ref Unsafe.Add(ref Unsafe.AsRef(in rows.Row1), c);
            ref T row2 = ref Unsafe.Add(ref Unsafe.AsRef(in rows.Row2), c), row3 = ref Unsafe.Add(ref Unsafe.AsRef(in rows.Row3), c);
            TV a0, b0, c0, d0, a1, b1, c1, d1, a2, b2, c2, d2, a3, b3, c3, d3;
            a0 = b0 = c0 = d0 = zero;
            if (x > 0) Column(ref row0, ref row1, ref row2, ref row3, (x - 1) * channels, out a0, out b0, out c0, out d0);
            Column(ref row0, ref row1, ref row2, ref row3, x * channels, out a1, out b1, out c1, out d1);
            for (int tile = 0; tile < tiles; tile++)
            {
                int third = x + (2 * tile) + 1;
                a2 = b2 = c2 = d2 = a3 = b3 = c3 = d3 = zero;
                if (third < width) Column(ref row0, ref row1, ref row2, ref row3, third * channels, out a2, out b2, out c2, out d2);
                if (third + 1 < width) Column(ref row0, ref row1, ref row2, ref row3, (third + 1) * channels, out a3, out b3, out c3, out d3);
                ref T v = ref Unsafe.Add(ref domain, (tile * channels) + c);
                v = ref Four(a0, a1, a2, a3, ref v, plane);
                v = ref Four(b0, b1, b2, b3, ref v, plane);
                v = ref Four(c0, c1, c2, c3, ref v, plane);
                Four(d0, d1, d2, d3, ref v, plane);
                (a0, b0, c0, d0) = (a2, b2, c2, d2);
                (a1, b1, c1, d1) = (a3, b3, c3, d3);
            }
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

    /// <summary>The second half of <see cref="Output"/> for one register of channels, A along the rows of what <see cref="Pair"/> gives: eight planes, the first row of A' m and the second.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void OutputAlong(ref T half, nint plane, int columns, ref T output, nint row, int rows)
    {
        for (nint column = 0, at = 0; column < columns; column += 2, at += TLanes.Count)
        {
            ref T m = ref Unsafe.Add(ref half, at);
            ref T y = ref Unsafe.Add(ref output, 2 * at);
            Along(ref m, plane, ref y, columns - (int)column);
            if (rows > 1) Along(ref Unsafe.Add(ref m, 4 * plane), plane, ref Unsafe.Add(ref y, row), columns - (int)column);
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
    private static void Column(ref T row0, ref T row1, ref T row2, ref T row3, nint at, out TV v0, out TV v1, out TV v2, out TV v3)
    {
        TV d0 = TLanes.Load(ref Unsafe.Add(ref row0, at)), d1 = TLanes.Load(ref Unsafe.Add(ref row1, at));
        TV d2 = TLanes.Load(ref Unsafe.Add(ref row2, at)), d3 = TLanes.Load(ref Unsafe.Add(ref row3, at));
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
    private static void Along(ref T m, nint plane, ref T y, int columns)
        => Two(TLanes.Load(ref m), TLanes.Load(ref Unsafe.Add(ref m, plane)), TLanes.Load(ref Unsafe.Add(ref m, 2 * plane)), TLanes.Load(ref Unsafe.Add(ref m, 3 * plane)), ref y, TLanes.Count, columns);

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
