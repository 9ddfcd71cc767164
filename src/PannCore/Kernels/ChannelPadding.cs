using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace PannCore.Kernels;

/// <summary>
/// For one image: y[oy, ox, before + c] = x[stride oy, stride ox, c], zero in the (K - C) / 2 channels before and after; and its gradient,
/// which is zero at the pixels left out. Everything is written once and in the order of memory.
/// </summary>
internal readonly record struct ChannelPadding(int Height, int Width, int Channels, int Stride, int OutputChannels)
{
    public int InputLength => Height * Width * Channels;

    public int OutputLength => OutputHeight * OutputWidth * OutputChannels;

    private int OutputHeight => ((Height - 1) / Stride) + 1;

    private int OutputWidth => ((Width - 1) / Stride) + 1;

    /// <summary>The padded image from the image, or the gradient of the image from that of the padded one.</summary>
    public void Run(bool toOutput, ReadOnlySpan<float> from, Span<float> to)
    {
        if (from.Length != (toOutput ? InputLength : OutputLength) || to.Length != (toOutput ? OutputLength : InputLength))
            throw new ArgumentException("channelPadding: images of other sizes");
        if (toOutput) Forward(from, to);
        else Gradient(from, to);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Forward(ReadOnlySpan<float> from, Span<float> to)
    {
        int channels = Channels, before = (OutputChannels - channels) / 2, width = OutputWidth, step = Stride * channels;
        ref float y = ref MemoryMarshal.GetReference(to);
        for (int oy = 0; oy < OutputHeight; oy++)
        {
            ref float x = ref Unsafe.Add(ref MemoryMarshal.GetReference(from), oy * Stride * Width * channels);
            for (int ox = 0; ox < width; ox++)
            {
                Zero(ref y, before);
                y = ref Unsafe.Add(ref y, before);
                Copy(ref x, ref y, channels);
                y = ref Unsafe.Add(ref y, channels);
                Zero(ref y, before);
                y = ref Unsafe.Add(ref y, before);
                x = ref Unsafe.Add(ref x, step);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Gradient(ReadOnlySpan<float> from, Span<float> to)
    {
        int channels = Channels, outputChannels = OutputChannels, before = (outputChannels - channels) / 2, stride = Stride, row = Width * channels;
        ref float dy = ref Unsafe.Add(ref MemoryMarshal.GetReference(from), before);
        for (int y = 0; y < Height; y++)
        {
            if (y % stride != 0)
            {
                to.Slice(y * row, row).Clear();
                continue;
            }
            ref float dx = ref to[y * row];
            for (int x = 0; x < Width; x += stride)
            {
                Copy(ref dy, ref dx, channels);
                int skipped = (Math.Min(stride, Width - x) - 1) * channels;
                Zero(ref Unsafe.Add(ref dx, channels), skipped);
                dx = ref Unsafe.Add(ref dx, channels + skipped);
                dy = ref Unsafe.Add(ref dy, outputChannels);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Copy(ref float from, ref float to, int length)
    {
        int i = 0;
        for (; i <= length - Vector<float>.Count; i += Vector<float>.Count) Vector.LoadUnsafe(ref from, (nuint)i).StoreUnsafe(ref to, (nuint)i);
        for (; i < length; i++) Unsafe.Add(ref to, i) = Unsafe.Add(ref from, i);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Zero(ref float to, int length)
    {
        int i = 0;
        for (; i <= length - Vector<float>.Count; i += Vector<float>.Count) Vector<float>.Zero.StoreUnsafe(ref to, (nuint)i);
        for (; i < length; i++) Unsafe.Add(ref to, i) = 0;
    }
}
