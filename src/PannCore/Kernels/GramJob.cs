using System.Numerics;
using System.Runtime.InteropServices;

namespace PannCore.Kernels;

/// <summary>
/// Adds M' M for a matrix of many rows, sums[i, j] += sum over p of m[p, i] m[p, j]: of its first rows, a band a chunk, what lies from the band's own tile of columns on, the upper triangle included.
/// Blocks of rows of M are summed in float32 and added up in float64, in their order, so that the bits do not depend on the threads.
/// </summary>
/// <param name="matrix">M, row after row.</param>
/// <param name="height">Rows of M.</param>
/// <param name="columns">Columns of M, a multiple of <see cref="Granule"/>.</param>
/// <param name="sums">The sums, in rows of <paramref name="columns"/>.</param>
internal readonly struct GramJob(ReadOnlyMemory<float> matrix, int height, int columns, Memory<double> sums) : IJob
{
    /// <summary>Rows of M summed in float32: with 700 columns they stay in the second-level cache, and float64 sums are added to once for so many products.</summary>
    private const int Block = 256;

    /// <summary>What the columns of a matrix, and the rows of the sums, come in.</summary>
    public static int Granule => Math.Max(OuterProduct.TileSize<float>(int.MaxValue).Rows, OuterProduct.TileSize<float>(int.MaxValue).Columns);

    /// <summary>Chunks for so many rows of the sums, a multiple of <see cref="Granule"/>.</summary>
    public static int Chunks(int rows) => rows / OuterProduct.TileSize<float>(int.MaxValue).Rows;

    public void Run(int chunk, Scratch scratch)
    {
        (int tileRows, int tileColumns) = OuterProduct.TileSize<float>(int.MaxValue);
        int i = chunk * tileRows, j = i / tileColumns * tileColumns, width = columns - j;
        Span<float> band = scratch.Take<float>(0, tileRows * width);
        var strides = new TileStrides { AStep = columns, ATile = 1, BStep = columns, CTile = width, Down = width / tileColumns, BDown = tileColumns, CDown = tileColumns };
        for (int first = 0; first < height; first += Block)
        {
            strides.Steps = Math.Min(Block, height - first);
            ReadOnlySpan<float> block = matrix.Span.Slice(first * columns, strides.Steps * columns);
            OuterProduct.Tile(tileRows, strides, ref MemoryMarshal.GetReference(block[i..]), ref MemoryMarshal.GetReference(block[j..]), ref band[0], accumulate: false);
            for (int row = 0; row < tileRows; row++)
            {
                ReadOnlySpan<float> part = band.Slice(row * width, width);
                Span<double> to = sums.Span.Slice(((i + row) * columns) + j, width);
                for (int k = 0; k < width; k += Vector<float>.Count) ChannelSums.AddTo(new Vector<float>(part[k..]), to[k..]); // Tiles have whole registers of columns.
            }
        }
    }
}
