using PannCore.Kernels;

namespace PannCore.Engine;

/// <summary>
/// Float32 buffers kept for reuse by exact length: a fresh large array costs more time than most operations that fill it.
/// Content is arbitrary; with <paramref name="fillWithNaN"/> it is NaN, so that reading what was never written shows.
/// </summary>
internal sealed class BufferPool(bool fillWithNaN)
{
    private readonly Dictionary<int, Stack<Memory<float>>> _free = [];

    public Memory<float> Rent(int length)
    {
        Memory<float> buffer = _free.TryGetValue(length, out Stack<Memory<float>>? stack) && stack.TryPop(out Memory<float> known)
            ? known
            : AlignedBuffer.Allocate<float>(length);
        if (fillWithNaN) buffer.Span.Fill(float.NaN);
        return buffer;
    }

    public void Return(Memory<float> buffer)
    {
        if (!_free.TryGetValue(buffer.Length, out Stack<Memory<float>>? stack)) _free[buffer.Length] = stack = new();
        if (fillWithNaN) buffer.Span.Fill(float.NaN);
        stack.Push(buffer);
    }
}
