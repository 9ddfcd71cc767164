using System.Numerics;
using System.Runtime.CompilerServices;

namespace PannCore.Kernels;

/// <summary>
/// The transforms of F(4x4, 3x3) on the points 0, +-sqrt(2), +-sqrt(1/2), infinity (<see cref="WinogradForm.Four"/>). Each is a pass down the columns, of inputs for a whole row of patches at once,
/// and one along the rows; what lies between them goes through memory, because 36 values do not fit into the registers.
/// </summary>
internal static class Winograd4Transforms<T, TV, TLanes>
    where T : unmanaged, IFloatingPointIeee754<T>
    where TV : struct
    where TLanes : ILanes<T, TV>
{
    /// <summary>B' down the columns of six rows, <paramref name="length"/> elements each: six rows again, <paramref name="next"/> apart. Patches overlap; this is done once for all of a strip.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Down(in PatchRows<T> rows, int length, ref T strip, nint next)
    {
        InputWeights(out TV root, out TV inverse, out TV minusHalf, out TV minusTwo);
        ref T row0 = ref Unsafe.AsRef(in rows.Row0), row1 = ref Unsafe.AsRef(in rows.Row1), row2 = ref Unsafe.AsRef(in rows.Row2);
        ref T row3 = ref Unsafe.AsRef(in rows.Row3), row4 = ref Unsafe.AsRef(in rows.Row4), row5 = ref Unsafe.AsRef(in rows.Row5);
        for (int i = 0; i < length; i += TLanes.Count)
        {
            InputSix(
                TLanes.Load(ref Unsafe.Add(ref row0, i)), TLanes.Load(ref Unsafe.Add(ref row1, i)), TLanes.Load(ref Unsafe.Add(ref row2, i)),
                TLanes.Load(ref Unsafe.Add(ref row3, i)), TLanes.Load(ref Unsafe.Add(ref row4, i)), TLanes.Load(ref Unsafe.Add(ref row5, i)),
                ref Unsafe.Add(ref strip, i), next, root, inverse, minusHalf, minusTwo);
        }
    }

    /// <summary>B along the rows of a run of neighbouring patches, four pixels apart, of what <see cref="Down"/> left: each position of a patch to a plane of its own.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Along(ref T strip, nint row, int channels, int tiles, ref T domain, nint plane)
    {
        InputWeights(out TV root, out TV inverse, out TV minusHalf, out TV minusTwo);
        int lanes = TLanes.Count;
        for (int at = 0, tile = 0, c = 0; tile < tiles; at += lanes)
        {
            ref T patch = ref Unsafe.Add(ref strip, (4 * tile * channels) + c);
            ref T v = ref Unsafe.Add(ref domain, at);
            for (int i = 0; i < 6; i++)
            {
                ref T d = ref Unsafe.Add(ref patch, i * row);
                InputSix(
                    TLanes.Load(ref d), TLanes.Load(ref Unsafe.Add(ref d, channels)), TLanes.Load(ref Unsafe.Add(ref d, 2 * channels)),
                    TLanes.Load(ref Unsafe.Add(ref d, 3 * channels)), TLanes.Load(ref Unsafe.Add(ref d, 4 * channels)), TLanes.Load(ref Unsafe.Add(ref d, 5 * channels)),
                    ref Unsafe.Add(ref v, 6 * i * plane), plane, root, inverse, minusHalf, minusTwo);
            }
            c += lanes;
            if (c < channels) continue;
            c = 0;
            tile++;
        }
    }

    /// <summary>A' m A of a run of neighbouring tiles: <paramref name="rows"/> rows of outputs, <paramref name="columns"/> in all.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Output(ref T domain, nint plane, int channels, int columns, ref T output, nint row, int rows, ref T between)
    {
        int lanes = TLanes.Count;
        TV root = TLanes.Broadcast(T.Sqrt(T.CreateTruncating(2))), inverse = TLanes.Broadcast(T.Sqrt(T.CreateTruncating(0.5)));
        TV half = TLanes.Broadcast(T.CreateTruncating(0.5)), two = TLanes.Broadcast(T.CreateTruncating(2));
        for (int at = 0, column = 0, c = 0; column < columns; at += lanes)
        {
            ref T m = ref Unsafe.Add(ref domain, at);
            for (int j = 0; j < 6; j++) OutputFour(ref Unsafe.Add(ref m, j * plane), 6 * plane, ref Unsafe.Add(ref between, j * lanes), 6 * lanes, 4, root, inverse, half, two);
            ref T y = ref Unsafe.Add(ref output, (column * channels) + c);
            for (int i = 0; i < rows; i++) OutputFour(ref Unsafe.Add(ref between, 6 * i * lanes), lanes, ref Unsafe.Add(ref y, i * row), channels, columns - column, root, inverse, half, two);
            c += lanes;
            if (c < channels) continue;
            c = 0;
            column += 4;
        }
    }

    /// <summary>A dy A' of a run of neighbouring tiles of output gradients: <paramref name="rows"/> rows, <paramref name="columns"/> columns in all; what a tile lacks is 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void OutputGradient(ref T gradient, nint row, int rows, int columns, int channels, ref T domain, nint plane, ref T between)
    {
        int lanes = TLanes.Count;
        TV root = TLanes.Broadcast(T.Sqrt(T.CreateTruncating(2))), inverse = TLanes.Broadcast(T.Sqrt(T.CreateTruncating(0.5)));
        TV half = TLanes.Broadcast(T.CreateTruncating(0.5)), two = TLanes.Broadcast(T.CreateTruncating(2));
        for (int at = 0, column = 0, c = 0; column < columns; at += lanes)
        {
            ref T y = ref Unsafe.Add(ref gradient, (column * channels) + c);
            for (int j = 0; j < 4; j++)
            {
                int inside = column + j < columns ? rows : 0;
                GradientSix(ref Unsafe.Add(ref y, inside == 0 ? 0 : j * channels), row, inside, ref Unsafe.Add(ref between, j * lanes), 4 * lanes, root, inverse, half, two);
            }
            ref T v = ref Unsafe.Add(ref domain, at);
            for (int i = 0; i < 6; i++) GradientSix(ref Unsafe.Add(ref between, 4 * i * lanes), lanes, 4, ref Unsafe.Add(ref v, 6 * i * plane), plane, root, inverse, half, two);
            c += lanes;
            if (c < channels) continue;
            c = 0;
            column += 4;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void InputWeights(out TV root, out TV inverse, out TV minusHalf, out TV minusTwo)
    {
        root = TLanes.Broadcast(T.Sqrt(T.CreateTruncating(2)));
        inverse = TLanes.Broadcast(T.Sqrt(T.CreateTruncating(0.5)));
        minusHalf = TLanes.Broadcast(T.CreateTruncating(-0.5));
        minusTwo = TLanes.Broadcast(T.CreateTruncating(-2));
    }

    /// <summary>B' of six values: d0 - 5/2 d2 + d4; (d4 - d2 / 2) +- sqrt(2) (d3 - d1 / 2); (d4 - 2 d2) +- sqrt(1/2) (d3 - 2 d1); d1 - 5/2 d3 + d5.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void InputSix(TV d0, TV d1, TV d2, TV d3, TV d4, TV d5, ref T v, nint next, TV root, TV inverse, TV minusHalf, TV minusTwo)
    {
        TV both = TLanes.Add(minusHalf, minusTwo);
        TLanes.Store(TLanes.MultiplyAdd(both, d2, TLanes.Add(d0, d4)), ref v);
        TV even = TLanes.MultiplyAdd(minusHalf, d2, d4), odd = TLanes.Multiply(root, TLanes.MultiplyAdd(minusHalf, d1, d3));
        TLanes.Store(TLanes.Add(even, odd), ref Unsafe.Add(ref v, next));
        TLanes.Store(TLanes.Subtract(even, odd), ref Unsafe.Add(ref v, 2 * next));
        even = TLanes.MultiplyAdd(minusTwo, d2, d4);
        odd = TLanes.Multiply(inverse, TLanes.MultiplyAdd(minusTwo, d1, d3));
        TLanes.Store(TLanes.Add(even, odd), ref Unsafe.Add(ref v, 3 * next));
        TLanes.Store(TLanes.Subtract(even, odd), ref Unsafe.Add(ref v, 4 * next));
        TLanes.Store(TLanes.MultiplyAdd(both, d3, TLanes.Add(d1, d5)), ref Unsafe.Add(ref v, 5 * next));
    }

    /// <summary>
    /// A' of six values, with a, b = m1 +- m2 and c, d = m3 +- m4: m0 + a + c; sqrt(2) b + sqrt(1/2) d; 2 a + c / 2; 2 sqrt(2) b + sqrt(1/2) d / 2 + m5.
    /// The first <paramref name="count"/> are stored.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void OutputFour(ref T m, nint step, ref T y, nint next, int count, TV root, TV inverse, TV half, TV two)
    {
        TV m1 = TLanes.Load(ref Unsafe.Add(ref m, step)), m2 = TLanes.Load(ref Unsafe.Add(ref m, 2 * step));
        TV m3 = TLanes.Load(ref Unsafe.Add(ref m, 3 * step)), m4 = TLanes.Load(ref Unsafe.Add(ref m, 4 * step));
        TV a = TLanes.Add(m1, m2), c = TLanes.Add(m3, m4);
        TV b = TLanes.Multiply(root, TLanes.Subtract(m1, m2)), d = TLanes.Multiply(inverse, TLanes.Subtract(m3, m4));
        TLanes.Store(TLanes.Add(TLanes.Load(ref m), TLanes.Add(a, c)), ref y);
        if (count > 1) TLanes.Store(TLanes.Add(b, d), ref Unsafe.Add(ref y, next));
        if (count > 2) TLanes.Store(TLanes.MultiplyAdd(two, a, TLanes.Multiply(half, c)), ref Unsafe.Add(ref y, 2 * next));
        if (count > 3) TLanes.Store(TLanes.MultiplyAdd(two, b, TLanes.MultiplyAdd(half, d, TLanes.Load(ref Unsafe.Add(ref m, 5 * step)))), ref Unsafe.Add(ref y, 3 * next));
    }

    /// <summary>
    /// A of four values, of which those from <paramref name="inside"/> on are 0: y0; (y0 + 2 y2) +- sqrt(2) (y1 + 2 y3); (y0 + y2 / 2) +- sqrt(1/2) (y1 + y3 / 2); y3.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void GradientSix(ref T y, nint step, int inside, ref T u, nint next, TV root, TV inverse, TV half, TV two)
    {
        TV zero = TLanes.Zero;
        TV y0 = inside > 0 ? TLanes.Load(ref y) : zero, y1 = inside > 1 ? TLanes.Load(ref Unsafe.Add(ref y, step)) : zero;
        TV y2 = inside > 2 ? TLanes.Load(ref Unsafe.Add(ref y, 2 * step)) : zero, y3 = inside > 3 ? TLanes.Load(ref Unsafe.Add(ref y, 3 * step)) : zero;
        TLanes.Store(y0, ref u);
        TV even = TLanes.MultiplyAdd(two, y2, y0), odd = TLanes.Multiply(root, TLanes.MultiplyAdd(two, y3, y1));
        TLanes.Store(TLanes.Add(even, odd), ref Unsafe.Add(ref u, next));
        TLanes.Store(TLanes.Subtract(even, odd), ref Unsafe.Add(ref u, 2 * next));
        even = TLanes.MultiplyAdd(half, y2, y0);
        odd = TLanes.Multiply(inverse, TLanes.MultiplyAdd(half, y3, y1));
        TLanes.Store(TLanes.Add(even, odd), ref Unsafe.Add(ref u, 3 * next));
        TLanes.Store(TLanes.Subtract(even, odd), ref Unsafe.Add(ref u, 4 * next));
        TLanes.Store(y3, ref Unsafe.Add(ref u, 5 * next));
    }
}
