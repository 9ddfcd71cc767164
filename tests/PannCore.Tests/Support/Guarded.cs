using System.Numerics;
using System.Runtime.InteropServices;
using Xunit;

namespace PannCore.Tests.Support;

/// <summary>
/// A piece of a larger array. What surrounds it is a NaN of a known pattern: a kernel that reads it spoils its result, and one that writes it is found out.
/// </summary>
internal sealed class Guarded<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>More than any tile is wide: 16 x 16 elements.</summary>
    private const int Margin = 256;
    private readonly T[] _array;

    /// <summary>A result: its content is the guard, too, so that what a kernel leaves out is a NaN.</summary>
    public Guarded(int length)
    {
        _array = new T[length + (2 * Margin)];
        Array.Fill(_array, T.NaN);
        Memory = _array.AsMemory(Margin, length);
    }

    /// <summary>An argument.</summary>
    public Guarded(ReadOnlySpan<T> values) : this(values.Length) => values.CopyTo(Memory.Span);

    public Memory<T> Memory { get; }

    public Span<T> Span => Memory.Span;

    public T[] Values => Memory.ToArray();

    public void AssertIntact()
    {
        T[] guard = [.. Enumerable.Repeat(T.NaN, Margin)];
        Assert.True(SameBits(_array.AsSpan(0, Margin), guard), "something was written before the span");
        Assert.True(SameBits(_array.AsSpan(_array.Length - Margin), guard), "something was written behind the span");
    }

    private static bool SameBits(ReadOnlySpan<T> a, ReadOnlySpan<T> b) => MemoryMarshal.AsBytes(a).SequenceEqual(MemoryMarshal.AsBytes(b));
}
