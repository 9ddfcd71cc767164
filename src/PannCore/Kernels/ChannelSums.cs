using System.Buffers;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace PannCore.Kernels;

/// <summary>
/// For each channel c of rows of C channels: sum of u and sum of u v, with u = a[i, c] - p[c] and v = b[i, c] - q[c].
/// Float32 within short blocks of rows, float64 across blocks, chunks in index order: the same bits for any number of threads.
/// </summary>
internal static class ChannelSums
{
    private const int MaxChunks = 32;
    private const int BlockRows = 128;
    /// <param name="a">Rows of C channels.</param>
    /// <param name="p">C numbers.</param>
    /// <param name="b">Rows of C channels.</param>
    /// <param name="q">C numbers.</param>
    /// <param name="sums">Receives the sums of u, then the sums of u v: 2 C numbers.</param>
    /// <param name="workers">The threads to use.</param>
    /// <param name="pending">Work on a that is done first, block by block.</param>
    public static void Run(ReadOnlyMemory<float> a, ReadOnlyMemory<float> p, ReadOnlyMemory<float> b, ReadOnlyMemory<float> q, Span<double> sums, Workers workers, ElementwiseChain? pending = null)
    {
        if (q.Length != p.Length || a.Length % p.Length != 0 || b.Length != a.Length || sums.Length != 2 * p.Length)
            throw new ArgumentException("channelSums: arrays of different lengths");
        int channels = p.Length, rows = a.Length / channels;
        int chunkRows = Math.Max(BlockRows, (rows + MaxChunks - 1) / MaxChunks), chunks = Chunks.Count(rows, chunkRows);
        double[] rented = ArrayPool<double>.Shared.Rent(chunks * sums.Length);
        Memory<double> partials = rented.AsMemory(0, chunks * sums.Length);
        partials.Span.Clear();
        workers.Run(new Job(a, p, b, q, chunkRows, partials, pending), chunks, small: a.Length <= Chunks.SmallLength);
        ReadOnlySpan<double> all = partials.Span;
        sums.Clear();
        for (int chunk = 0; chunk < chunks; chunk++)
        {
            for (int i = 0; i < sums.Length; i++) sums[i] += all[(chunk * sums.Length) + i];
        }
        ArrayPool<double>.Shared.Return(rented);
    }

    private readonly struct Job(
        ReadOnlyMemory<float> a, ReadOnlyMemory<float> p, ReadOnlyMemory<float> b, ReadOnlyMemory<float> q, int chunkRows, Memory<double> partials, ElementwiseChain? pending) : IJob
    {
        public void Run(int chunk, Scratch scratch)
        {
            int channels = p.Length;
            Range range = Chunks.Of(chunk, a.Length, chunkRows * channels);
            ReadOnlySpan<float> left = a.Span[range], right = b.Span[range];
            Span<double> sums = partials.Span.Slice(chunk * 2 * channels, 2 * channels);
            for (int at = 0; at < left.Length; at += BlockRows * channels)
            {
                int length = Math.Min(BlockRows * channels, left.Length - at);
                pending?.Run((chunk * chunkRows * channels) + at, length);
                // Below, lanes of channels are read down the rows: of wide rows that is one line here and one there, which no prefetcher guesses.
                if (channels > CacheLines.Floats)
                {
                    CacheLines.Touch(left.Slice(at, length));
                    CacheLines.Touch(right.Slice(at, length));
                }
                Block(left.Slice(at, length), p.Span, right.Slice(at, length), q.Span, sums[..channels], sums[channels..]);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Block(
        ReadOnlySpan<float> a, ReadOnlySpan<float> p, ReadOnlySpan<float> b, ReadOnlySpan<float> q, Span<double> sumU, Span<double> sumUV)
    {
        int channels = p.Length, lanes = Vector<float>.Count, c = 0;
        ref float left = ref MemoryMarshal.GetReference(a);
        ref float right = ref MemoryMarshal.GetReference(b);
        for (; c + lanes <= channels; c += lanes)
        {
            Vector<float> shiftA = Vector.LoadUnsafe(in p[c]), shiftB = Vector.LoadUnsafe(in q[c]);
            Vector<float> u0 = Vector<float>.Zero, u1 = u0, uv0 = u0, uv1 = u0;
            int i = c;
            for (; i + channels < a.Length; i += 2 * channels)
            {
                Vector<float> u = Vector.LoadUnsafe(ref left, (nuint)i) - shiftA;
                Vector<float> w = Vector.LoadUnsafe(ref left, (nuint)(i + channels)) - shiftA;
                u0 += u;
                u1 += w;
                uv0 = Vector.MultiplyAddEstimate(u, Vector.LoadUnsafe(ref right, (nuint)i) - shiftB, uv0);
                uv1 = Vector.MultiplyAddEstimate(w, Vector.LoadUnsafe(ref right, (nuint)(i + channels)) - shiftB, uv1);
            }
            if (i < a.Length)
            {
                Vector<float> u = Vector.LoadUnsafe(ref left, (nuint)i) - shiftA;
                u0 += u;
                uv0 = Vector.MultiplyAddEstimate(u, Vector.LoadUnsafe(ref right, (nuint)i) - shiftB, uv0);
            }
            AddTo(u0 + u1, sumU[c..]);
            AddTo(uv0 + uv1, sumUV[c..]);
        }
        for (; c < channels; c++)
        {
            for (int i = c; i < a.Length; i += channels)
            {
                float u = a[i] - p[c];
                sumU[c] += u;
                sumUV[c] += u * (b[i] - q[c]);
            }
        }
    }

    /// <summary>Adds a register of float32 to as many float64 sums.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void AddTo(Vector<float> values, Span<double> sums)
    {
        ref double to = ref MemoryMarshal.GetReference(sums[..Vector<float>.Count]);
        Vector.Widen(values, out Vector<double> low, out Vector<double> high);
        (Vector.LoadUnsafe(ref to) + low).StoreUnsafe(ref to);
        (Vector.LoadUnsafe(ref to, (nuint)Vector<double>.Count) + high).StoreUnsafe(ref to, (nuint)Vector<double>.Count);
    }
}
