using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace PannCore.Kernels;

/// <summary>Memory of one worker for the length of one chunk, grown on demand and kept.</summary>
internal sealed class Scratch
{
    private readonly Memory<byte>[] _slots = new Memory<byte>[4];

    /// <summary><paramref name="length"/> elements with arbitrary content, the same memory at each call with the same slot.</summary>
    public Span<T> Take<T>(int slot, int length) where T : unmanaged
    {
        int bytes = checked(length * Unsafe.SizeOf<T>());
        if (_slots[slot].Length < bytes) _slots[slot] = AlignedBuffer.Allocate<byte>(bytes);
        return MemoryMarshal.Cast<byte, T>(_slots[slot].Span)[..length];
    }
}
