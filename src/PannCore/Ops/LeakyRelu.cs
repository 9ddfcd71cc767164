using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using PannCore.Engine;

namespace PannCore.Ops;

/// <summary>(Leaky) ReLU in float64: y = x for x &gt; 0, else slope x. NaN stays NaN.</summary>
internal static class LeakyRelu
{
    public static void Run(Workspace workspace, double slope, double[] x, double[] y)
        => Parts.Run(workspace, x.Length, 1, part => Run(slope, x.AsSpan(part), y.AsSpan(part)));

    private static void Run(double slope, ReadOnlySpan<double> x, Span<double> y)
    {
        int whole = x.Length - (x.Length % Vector512<double>.Count);
        ref double from = ref MemoryMarshal.GetReference(x), to = ref MemoryMarshal.GetReference(y);
        for (int i = 0; i < whole; i += Vector512<double>.Count)
        {
            Vector512<double> v = Vector512.LoadUnsafe(ref from, (nuint)i);
            Vector512.ConditionalSelect(Vector512.LessThanOrEqual(v, Vector512<double>.Zero), v * slope, v).StoreUnsafe(ref to, (nuint)i);
        }
        for (int i = whole; i < x.Length; i++) y[i] = x[i] <= 0 ? slope * x[i] : x[i];
    }
}
