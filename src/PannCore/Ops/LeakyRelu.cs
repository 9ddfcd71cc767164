using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using PannCore.Engine;

namespace PannCore.Ops;

/// <summary>(Leaky) ReLU in float64: y = x for x &gt; 0, else slope x, which is 0 for slope 0 and -∞ too. NaN stays NaN.</summary>
internal static class LeakyRelu
{
    public static void Run(Workspace workspace, double slope, double[] x, double[] y)
        => Parts.Run(workspace, x.Length, 1, part => Run(slope, x.AsSpan(part), y.AsSpan(part)));

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run(double slope, ReadOnlySpan<double> x, Span<double> y)
    {
        int whole = x.Length - (x.Length % Vector<double>.Count);
        ref double from = ref MemoryMarshal.GetReference(x), to = ref MemoryMarshal.GetReference(y);
        for (int i = 0; i < whole; i += Vector<double>.Count)
        {
            Vector<double> v = Vector.LoadUnsafe(ref from, (nuint)i);
            Vector.ConditionalSelect(Vector.LessThanOrEqual(v, Vector<double>.Zero), slope == 0 ? Vector<double>.Zero : v * slope, v).StoreUnsafe(ref to, (nuint)i);
        }
        for (int i = whole; i < x.Length; i++) y[i] = !(x[i] <= 0) ? x[i] : slope == 0 ? 0 : slope * x[i];
    }
}
