using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace PannCore.Kernels;

/// <summary>v = momentum v + (scale g + decay w), then w = w - rate v, elementwise; every product and sum is rounded by itself.</summary>
internal static class MomentumStep
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(Span<float> w, Span<float> v, ReadOnlySpan<float> g, float scale, float momentum, float decay, float rate)
    {
        if (v.Length != w.Length || g.Length != w.Length) throw new ArgumentException("momentumStep: arrays of different lengths");
        int lanes = Vector<float>.Count, i = 0;
        ref float weight = ref MemoryMarshal.GetReference(w);
        ref float velocity = ref MemoryMarshal.GetReference(v);
        ref float gradient = ref MemoryMarshal.GetReference(g);
        for (; i <= w.Length - lanes; i += lanes)
        {
            Vector<float> old = Vector.LoadUnsafe(ref weight, (nuint)i);
            Vector<float> next = (Vector.LoadUnsafe(ref velocity, (nuint)i) * momentum) + ((Vector.LoadUnsafe(ref gradient, (nuint)i) * scale) + (old * decay));
            next.StoreUnsafe(ref velocity, (nuint)i);
            (old - (next * rate)).StoreUnsafe(ref weight, (nuint)i);
        }
        for (; i < w.Length; i++)
        {
            v[i] = (momentum * v[i]) + ((scale * g[i]) + (decay * w[i]));
            w[i] -= rate * v[i];
        }
    }
}
