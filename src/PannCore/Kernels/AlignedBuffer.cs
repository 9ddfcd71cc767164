using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace PannCore.Kernels;

/// <summary>Managed arrays whose usable part starts on a 64-byte cache line, so that no vector load is split between two lines.</summary>
internal static class AlignedBuffer
{
    private const int LineBytes = 64;

    /// <summary>
    /// A block of <paramref name="length"/> elements with arbitrary content. The array lies on the pinned heap:
    /// it never moves, so the alignment holds for its lifetime.
    /// </summary>
    public static Memory<T> Allocate<T>(int length) where T : unmanaged
    {
        int size = Unsafe.SizeOf<T>();
        int spare = (LineBytes / size) - 1;
        T[] array = GC.AllocateUninitializedArray<T>(checked(length + spare), pinned: true);
        nint address = Marshal.UnsafeAddrOfPinnedArrayElement(array, 0);
        int skip = (int)(-address & (LineBytes - 1)) / size;
        return array.AsMemory(skip, length);
    }
}
