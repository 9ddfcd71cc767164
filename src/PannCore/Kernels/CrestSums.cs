using System.Buffers;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace PannCore.Kernels;

/// <summary>
/// For each channel c of rows of C channels: sum of max(|u| - t, 0) |u| with u = x[i, c] s[c].
/// Float32 within short blocks of rows, float64 across blocks, chunks in index order: the same bits for any number of threads.
/// </summary>
internal static class CrestSums
{
    private const int MaxChunks = 32;
    private const int BlockRows = 128;

    /// <param name="x">Rows of C channels.</param>
    /// <param name="s">C numbers.</param>
    /// <param name="t">What |u| is compared with.</param>
    /// <param name="sums">Receives C numbers.</param>
    /// <param name="workers">The threads to use.</param>
    public static void Run(ReadOnlyMemory<float> x, ReadOnlyMemory<float> s, float t, Span<double> sums, Workers workers)
    {
        if (x.Length % s.Length != 0 || sums.Length != s.Length) throw new ArgumentException("crestSums: arrays of different lengths");
        int rows = x.Length / s.Length, chunkRows = Math.Max(BlockRows, (rows + MaxChunks - 1) / MaxChunks), chunks = Chunks.Count(rows, chunkRows);
        double[] rented = ArrayPool<double>.Shared.Rent(chunks * sums.Length);
        Memory<double> partials = rented.AsMemory(0, chunks * sums.Length);
        partials.Span.Clear();
        workers.Run(new Job(x, s, t, chunkRows, partials), chunks, small: x.Length <= Chunks.SmallLength);
        sums.Clear();
        for (int i = 0; i < partials.Length; i++) sums[i % sums.Length] += partials.Span[i];
        ArrayPool<double>.Shared.Return(rented);
    }

    private readonly struct Job(ReadOnlyMemory<float> x, ReadOnlyMemory<float> s, float t, int chunkRows, Memory<double> partials) : IJob
    {
        public void Run(int chunk, Scratch scratch)
        {
            int channels = s.Length;
            ReadOnlySpan<float> rows = x.Span[Chunks.Of(chunk, x.Length, chunkRows * channels)];
            Span<double> sums = partials.Span.Slice(chunk * channels, channels);
            for (int at = 0; at < rows.Length; at += BlockRows * channels)
            {
                ReadOnlySpan<float> block = rows.Slice(at, Math.Min(BlockRows * channels, rows.Length - at));
                if (channels > CacheLines.Floats) CacheLines.Touch(block); // Lanes of channels are read down the rows: see ChannelSums.
                Block(block, s.Span, t, sums);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Block(ReadOnlySpan<float> x, ReadOnlySpan<float> s, float t, Span<double> sums)
    {
        int channels = s.Length, lanes = Vector<float>.Count, c = 0;
        ref float from = ref MemoryMarshal.GetReference(x);
        var limit = new Vector<float>(t);
        for (; c + lanes <= channels; c += lanes)
        {
            Vector<float> scale = Vector.LoadUnsafe(in s[c]), sum = Vector<float>.Zero;
            for (int i = c; i < x.Length; i += channels)
            {
                Vector<float> u = Vector.Abs(Vector.LoadUnsafe(ref from, (nuint)i) * scale);
                sum = Vector.MultiplyAddEstimate(Vector.Max(u - limit, Vector<float>.Zero), u, sum);
            }
            ChannelSums.AddTo(sum, sums[c..]);
        }
        for (; c < channels; c++)
        {
            for (int i = c; i < x.Length; i += channels)
            {
                float u = Math.Abs(x[i] * s[c]);
                sums[c] += Math.Max(u - t, 0) * u;
            }
        }
    }
}
