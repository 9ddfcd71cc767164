using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace PannCore.Kernels;

/// <summary>
/// Adds M' M for a matrix of many rows, sums[i, j] += sum over p of m[p, i] m[p, j]: of a few panels of columns i against one of columns j a chunk, the upper triangle included.
/// Blocks of rows of M are summed in float32 and added up in float64, in their order, so that the bits do not depend on the threads.
/// </summary>
/// <param name="matrix">M, in panels of <see cref="Panel"/> columns, each row after row (<see cref="At"/>): what a tile reads is then two stretches of memory, which with 512 bits do not quite fit into the first-level cache.</param>
/// <param name="height">Rows of M.</param>
/// <param name="panels">Panels of M.</param>
/// <param name="first">Panels of columns i, the first ones; those of columns j are all from a panel's own on.</param>
/// <param name="sums">The sums, in rows of all columns.</param>
internal readonly struct GramJob(ReadOnlyMemory<float> matrix, int height, int panels, int first, Memory<double> sums) : IJob
{
    /// <summary>Rows of M summed in float32: float64 sums are added to once for so many products.</summary>
    private const int Block = 256;

    /// <summary>Panels i of a chunk: some, so that they share what is read of the panel j, and few, so that threads can share the work.</summary>
    private const int Group = 4;

    /// <summary>Columns of a panel: whole tiles, either way.</summary>
    public static int Panel => Math.Max(OuterProduct.TileSize<float>(int.MaxValue).Rows, OuterProduct.TileSize<float>(int.MaxValue).Columns);

    /// <summary>Panels for so many columns.</summary>
    public static int Panels(int columns) => (columns + Panel - 1) / Panel;

    /// <summary>Chunks for so many panels, and so many of columns i.</summary>
    public static int Chunks(int panels, int first) => Enumerable.Range(0, panels).Sum(j => Groups(j, first));

    /// <summary>Where an element of M is.</summary>
    public static int At(int height, int row, int column) => (((column / Panel * height) + row) * Panel) + (column % Panel);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Run(int chunk, Scratch scratch)
    {
        (int tileRows, int tileColumns) = OuterProduct.TileSize<float>(int.MaxValue);
        int panel = Panel, columns = panels * panel, j = 0, group = chunk;
        for (; group >= Groups(j, first); j++) group -= Groups(j, first);
        int end = Math.Min((group + 1) * Group, Math.Min(j + 1, first));
        ReadOnlySpan<float> m = matrix.Span;
        Span<float> square = scratch.Take<float>(0, panel * panel);
        var strides = new TileStrides
        {
            AStep = panel,
            ATile = 1,
            Across = panel / tileRows,
            AAcross = tileRows,
            CAcross = tileRows * panel,
            BStep = panel,
            Down = panel / tileColumns,
            BDown = tileColumns,
            CDown = tileColumns,
            CTile = panel,
        };
        for (int block = 0; block < height; block += Block)
        {
            strides.Steps = Math.Min(Block, height - block);
            ReadOnlySpan<float> right = m.Slice(((j * height) + block) * panel, strides.Steps * panel);
            for (int i = group * Group; i < end; i++)
            {
                ReadOnlySpan<float> left = m.Slice(((i * height) + block) * panel, strides.Steps * panel);
                OuterProduct.Tile(tileRows, strides, ref MemoryMarshal.GetReference(left), ref MemoryMarshal.GetReference(right), ref MemoryMarshal.GetReference(square), accumulate: false);
                for (int row = 0; row < panel; row++) Add(square.Slice(row * panel, panel), sums.Span.Slice((((i * panel) + row) * columns) + (j * panel), panel));
            }
        }
    }

    /// <summary>Groups of panels i up to the diagonal for a panel j.</summary>
    private static int Groups(int j, int first) => (Math.Min(j + 1, first) + Group - 1) / Group;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Add(ReadOnlySpan<float> from, Span<double> to)
    {
        // Panels have whole registers of columns.
        for (int k = 0; k < from.Length; k += Vector<float>.Count) ChannelSums.AddTo(new Vector<float>(from[k..]), to[k..]);
    }
}
