using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace PannCore.Kernels;

/// <summary>y[i, :] = sum over j of m[i, j] x[j, :], a small matrix times a few long rows: Winograd's transform of kernels.</summary>
internal static class RowMixing
{
    /// <param name="matrix">m, <paramref name="rows"/> x <paramref name="columns"/>.</param>
    /// <param name="rows">Rows of y.</param>
    /// <param name="columns">Rows of x.</param>
    /// <param name="x">Rows of equal length, a whole number of registers.</param>
    /// <param name="y">The result, rows of the same length; more of it may be there.</param>
    public static void Run<T>(ReadOnlySpan<T> matrix, int rows, int columns, ReadOnlySpan<T> x, Span<T> y) where T : unmanaged, IFloatingPointIeee754<T>
    {
        int length = x.Length / columns;
        if (matrix.Length != rows * columns || length * columns != x.Length || y.Length < rows * length) throw new ArgumentException("rowMixing: arrays of different lengths");
        if (Vector512.IsHardwareAccelerated) Run<T, Vector512<T>, Lanes512<T>>(matrix, rows, columns, x, y, length);
        else if (Vector256.IsHardwareAccelerated) Run<T, Vector256<T>, Lanes256<T>>(matrix, rows, columns, x, y, length);
        else if (Vector128.IsHardwareAccelerated) Run<T, Vector128<T>, Lanes128<T>>(matrix, rows, columns, x, y, length);
        else Run<T, T, Lanes1<T>>(matrix, rows, columns, x, y, length);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run<T, TV, TLanes>(ReadOnlySpan<T> matrix, int rows, int columns, ReadOnlySpan<T> x, Span<T> y, int length)
        where T : unmanaged, IFloatingPointIeee754<T>
        where TV : struct
        where TLanes : ILanes<T, TV>
    {
        if (length % TLanes.Count != 0) throw new ArgumentException("rowMixing: rows are no whole number of registers");
        ref T from = ref MemoryMarshal.GetReference(x);
        ref T to = ref MemoryMarshal.GetReference(y);
        for (int at = 0; at < length; at += TLanes.Count)
        {
            for (int i = 0; i < rows; i++)
            {
                TV sum = TLanes.Zero;
                for (int j = 0; j < columns; j++)
                    sum = TLanes.MultiplyAdd(TLanes.Broadcast(matrix[(i * columns) + j]), TLanes.Load(ref Unsafe.Add(ref from, (j * length) + at)), sum);
                TLanes.Store(sum, ref Unsafe.Add(ref to, (i * length) + at));
            }
        }
    }
}
