using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace PannCore.Kernels;

/// <summary>The multiply-add peak of the machine: the widest vectors, nothing loaded or stored, on all workers at once.</summary>
internal static class FmaPeak
{
    private const int Iterations = 2_000_000;

    /// <summary>GFLOP/s, the best of several trials; a multiply-add counts as two.</summary>
    /// <param name="workers">The threads to measure.</param>
    /// <param name="now">A clock.</param>
    /// <param name="seconds">Seconds of a difference of two of its readings.</param>
    /// <param name="trials">How many, of a few milliseconds each.</param>
    public static double Measure(Workers workers, Func<long> now, Func<long, double> seconds, int trials = 8)
    {
        double best = 0;
        double[] sink = new double[workers.Threads];
        for (int trial = 0; trial < trials; trial++)
        {
            long start = now();
            workers.Run(new Job(sink), workers.Threads);
            double flops = 2.0 * Accumulators * Lanes * Iterations * workers.Threads;
            best = Math.Max(best, flops / seconds(now() - start) / 1e9);
        }
        return best;
    }

    private const int Accumulators = 12;

    private static int Lanes => Math.Max(32, OuterProduct.VectorBits) / 32;

    private readonly struct Job(double[] sink) : IJob
    {
        public void Run(int chunk, Scratch scratch)
            => sink[chunk] = Vector512.IsHardwareAccelerated ? Spin<Vector512<float>, Lanes512<float>>()
                : Vector256.IsHardwareAccelerated ? Spin<Vector256<float>, Lanes256<float>>()
                : Vector128.IsHardwareAccelerated ? Spin<Vector128<float>, Lanes128<float>>() : Spin<float, Lanes1<float>>();
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static double Spin<TV, TLanes>()
        where TV : struct
        where TLanes : ILanes<float, TV>
    {
        TV m = TLanes.Broadcast(0.999f), k = TLanes.Broadcast(1e-3f);
        TV a0 = TLanes.Zero, a1 = k, a2 = m, a3 = k, a4 = m, a5 = k, a6 = m, a7 = k, a8 = m, a9 = k, a10 = m, a11 = k;
        for (int i = 0; i < Iterations; i++)
        {
            a0 = TLanes.MultiplyAdd(a0, m, k);
            a1 = TLanes.MultiplyAdd(a1, m, k);
            a2 = TLanes.MultiplyAdd(a2, m, k);
            a3 = TLanes.MultiplyAdd(a3, m, k);
            a4 = TLanes.MultiplyAdd(a4, m, k);
            a5 = TLanes.MultiplyAdd(a5, m, k);
            a6 = TLanes.MultiplyAdd(a6, m, k);
            a7 = TLanes.MultiplyAdd(a7, m, k);
            a8 = TLanes.MultiplyAdd(a8, m, k);
            a9 = TLanes.MultiplyAdd(a9, m, k);
            a10 = TLanes.MultiplyAdd(a10, m, k);
            a11 = TLanes.MultiplyAdd(a11, m, k);
        }
        TV sum = TLanes.Add(TLanes.Add(TLanes.Add(a0, a1), TLanes.Add(a2, a3)), TLanes.Add(TLanes.Add(a4, a5), TLanes.Add(a6, a7)));
        sum = TLanes.Add(sum, TLanes.Add(TLanes.Add(a8, a9), TLanes.Add(a10, a11)));
        float first = 0;
        Span<float> lanes = stackalloc float[16];
        TLanes.Store(sum, ref lanes[0]);
        foreach (float lane in lanes[..TLanes.Count]) first += lane;
        return first;
    }
}
