using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace PannCore.Kernels;

/// <summary>What kernels know of the cache.</summary>
internal static class CacheLines
{
    /// <summary>float32 values of a line.</summary>
    public const int Floats = 16;

    /// <summary>A quarter to a half of a second-level cache.</summary>
    private const int MostWords = 1 << 16;

    /// <summary>
    /// Reads one word of each line of a block, so that its lines come in many at a time. A tile that needs a line waits for it, and every multiply-add after it too. Measured on Zen 5, forward
    /// passes of 16 channels whose images are not in the second-level cache, without and with it: 85 to 88 and 92 % of the peak by the direct sum, 80 and 90 by F(2x2, 3x3).
    /// </summary>
    /// <remarks>
    /// A block of more than 256 KB is left alone: its first lines would be gone, and others with them, before they are used. Never inlined: nobody wants the result, and the compiler
    /// would leave out the reading with it.
    /// </remarks>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public static int Touch<T>(ReadOnlySpan<T> block) where T : unmanaged
    {
        ReadOnlySpan<int> words = MemoryMarshal.Cast<T, int>(block);
        if (words.Length > MostWords) return 0;
        int all = 0;
        for (int i = 0; i < words.Length; i += Floats) all |= words[i];
        return all;
    }

    /// <summary>
    /// The same for a block whose every element is about to be written in pieces, here and there, as by Winograd's algorithm; what it held is lost. (A line is fetched before it is written too: 38 and 33 ms
    /// without and with this in the forward passes and data gradients by F(4x4, 3x3) of a training step, on Zen 4. Where lines are written from end to end, as by direct tiles, the stores wait for that and nothing waits for the stores:
    /// touched, results of 16 channels took them from 89 or 90 % of the peak to 81 to 85 on Zen 5.) A word of each page is written first: reading memory that was never written would make the system
    /// map a page of zeros, and replace it at the first write, which cost a first training step 150 ms.
    /// </summary>
    public static void TouchResult(Span<float> block)
    {
        const int PageWords = 1024;
        if (block.Length is 0 or > MostWords) return;
        for (int i = 0; i < block.Length; i += PageWords) block[i] = 0;
        block[^1] = 0;
        Touch<float>(block);
    }
}
