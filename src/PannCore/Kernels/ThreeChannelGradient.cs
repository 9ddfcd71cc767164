using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace PannCore.Kernels;

/// <summary>
/// The data gradient of a 3 x 3 convolution of stride 1 and padding 1 with three input channels, as the first layer of a network for colour images has:
/// dx[y, x, c] = sum over r, s, k of dy[y + 1 - r, x + 1 - s, k] w[k, c, r, s], zero outside the image.
/// </summary>
/// <remarks>
/// Tiles of outer products have the channels of the result in the lanes of a register, three of sixteen here. This has those of dy there: every lane works, and each sum is spread over the lanes
/// of a register until its row is done; then the lanes of many sums are added together (<see cref="ILaneSums{TV}"/>).
/// </remarks>
internal readonly struct ThreeChannelGradient(ConvGeometry g, ReadOnlyMemory<float> dy, ReadOnlyMemory<float> packed, Memory<float> dx, ElementwiseChain? pending = null) : IJob, IImages
{
    private const int Channels = 3;

    /// <summary>Pixels computed together.</summary>
    private const int Pixels = 4;

    public int Group => 1;

    private static int Lanes => OuterProduct.VectorBits / 32;

    /// <summary>Whether there are three channels, four pixels in a row, and whole registers of the channels that are summed over.</summary>
    public static bool Applies(ConvGeometry g) => g is { R: 3, S: 3, Stride: 1, Padding: 1, C: Channels, W: >= Pixels } && OuterProduct.VectorBits > 0 && g.K % Lanes == 0;

    public static int PackedLength(ConvGeometry g) => 9 * Channels * g.K;

    /// <summary>Weights in PyTorch's order K, C, R, S as the kernel reads them: row and block of channels of dy, column, channel of dx, channel in the block; rows and columns of dy rise, so that the kernel's fall.</summary>
    public static void Pack(ConvGeometry g, ReadOnlySpan<float> weights, Span<float> packed)
    {
        int at = 0;
        for (int r = 2; r >= 0; r--)
        {
            for (int block = 0; block < g.K; block += Lanes)
            {
                for (int s = 2; s >= 0; s--)
                {
                    for (int c = 0; c < Channels; c++)
                    {
                        for (int k = block; k < block + Lanes; k++) packed[at++] = weights[(((k * Channels) + c) * 9) + (3 * r) + s];
                    }
                }
            }
        }
    }

    public void Run(int first, int count, Scratch scratch)
    {
        for (int image = first; image < first + count; image++) Run(image, scratch);
    }

    public void Run(int chunk, Scratch scratch)
    {
        int size = g.H * g.W * Channels, gradientSize = g.H * g.W * g.K;
        ReadOnlySpan<float> gradient = dy.Span.Slice(chunk * gradientSize, gradientSize);
        pending?.Run(chunk * gradientSize, gradientSize);
        int registers = (((g.W + Pixels - 1) / Pixels * Pixels * Channels) + Lanes - 1) / Lanes;
        Span<float> image = dx.Span.Slice(chunk * size, size), fours = scratch.Take<float>(0, registers * Lanes / 4 * Lanes), beside = scratch.Take<float>(1, registers * Lanes);
        ReadOnlySpan<float> weights = packed.Span[..PackedLength(g)];
        if (Vector512.IsHardwareAccelerated) Image<Vector512<float>, Lanes512<float>, LaneSums512>(gradient, weights, fours, beside, image);
        else if (Vector256.IsHardwareAccelerated) Image<Vector256<float>, Lanes256<float>, LaneSums256>(gradient, weights, fours, beside, image);
        else Image<Vector128<float>, Lanes128<float>, LaneSums128>(gradient, weights, fours, beside, image);
    }

    private void Image<TV, TLanes, TSums>(ReadOnlySpan<float> gradient, ReadOnlySpan<float> weights, Span<float> fours, Span<float> beside, Span<float> image)
        where TV : struct
        where TLanes : ILanes<float, TV>
        where TSums : ILaneSums<TV>
    {
        int line = g.W * g.K, width = g.W * Channels, whole = g.W / Pixels * Pixels * Channels, sums = whole + (whole < width ? Pixels * Channels : 0);
        // Rows that are no whole number of registers are added up beside the image; their last pixels, computed apart, lie behind the others.
        bool direct = g.W % Pixels == 0 && width % TLanes.Count == 0;
        for (int y = 0; y < g.H; y++)
        {
            int from = Math.Max(0, y - 1), rows = Math.Min(g.H, y + 2) - from;
            ref float a = ref MemoryMarshal.GetReference(gradient.Slice(from * line, rows * line));
            ref float b = ref MemoryMarshal.GetReference(weights.Slice((from - (y - 1)) * 9 * g.K, rows * 9 * g.K));
            Span<float> to = image.Slice(y * width, width);
            ref float next = ref MemoryMarshal.GetReference(gradient[(Math.Min(y + 2, g.H - 1) * line)..]);
            Row<TV, TLanes, TSums>(ref a, ref b, ref next, rows, g.W, g.K, ref fours[0]);
            Across<TV, TLanes, TSums>(ref fours[0], sums, ref direct ? ref to[0] : ref beside[0]);
            if (direct) continue;
            beside[..whole].CopyTo(to);
            if (whole < width) beside.Slice(whole, Pixels * Channels).CopyTo(to[^(Pixels * Channels)..]);
        }
    }

    /// <summary>
    /// The sums of a row of dx, each still spread over parts of 128 bits. Four pixels at a time share their columns of dy and every weight, so that 108 multiply-adds in twelve chains need 45 loads;
    /// the last four end where the row ends, and are put behind the others.
    /// </summary>
    /// <param name="dy">The first row of dy that meets the row of dx.</param>
    /// <param name="weights">Those of its kernel row.</param>
    /// <param name="next">The row of dy that the next row of dx reads first. Of every 64 bytes a word is read, of four pixels at a time, so that its lines arrive while multiply-adds go on: a few loads that wait do not fill the queue.</param>
    /// <param name="rows">Rows of dy that meet the row of dx.</param>
    /// <param name="width">Pixels of a row.</param>
    /// <param name="channels">Channels of dy.</param>
    /// <param name="fours">Room for the sums.</param>
    /// <returns>Nothing of use: what was read ahead, so that the compiler keeps the reading.</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static int Row<TV, TLanes, TSums>(ref float dy, ref float weights, ref float next, int rows, int width, int channels, ref float fours)
        where TV : struct
        where TLanes : ILanes<float, TV>
        where TSums : ILaneSums<TV>
    {
        nint line = (nint)width * channels, pixel = channels;
        int ahead = 0;
        for (int x = 0; x < width; x += Pixels)
        {
            x = Math.Min(x, width - Pixels);
            bool left = x > 0, right = x + Pixels < width;
            ref float row = ref Unsafe.Add(ref dy, x * pixel);
            ref float w = ref weights;
            ref int words = ref Unsafe.As<float, int>(ref Unsafe.Add(ref next, x * pixel));
            for (int i = 0; i < Pixels * channels; i += CacheLines.Floats) ahead |= Unsafe.Add(ref words, i);
            TV c0 = TLanes.Zero, c1 = c0, c2 = c0, d0 = c0, d1 = c0, d2 = c0, e0 = c0, e1 = c0, e2 = c0, f0 = c0, f1 = c0, f2 = c0;
            for (int r = rows; r > 0; r--)
            {
                ref float p = ref row;
                for (int k = channels; k > 0; k -= TLanes.Count)
                {
                    TV y0 = left ? TLanes.Load(ref Unsafe.Subtract(ref p, pixel)) : TLanes.Zero, y1 = TLanes.Load(ref p), y2 = TLanes.Load(ref Unsafe.Add(ref p, pixel));
                    TV y3 = TLanes.Load(ref Unsafe.Add(ref p, 2 * pixel)), y4 = TLanes.Load(ref Unsafe.Add(ref p, 3 * pixel)), y5 = right ? TLanes.Load(ref Unsafe.Add(ref p, 4 * pixel)) : TLanes.Zero;
                    TV v = TLanes.Load(ref w);
                    c0 = TLanes.MultiplyAdd(y0, v, c0);
                    d0 = TLanes.MultiplyAdd(y1, v, d0);
                    e0 = TLanes.MultiplyAdd(y2, v, e0);
                    f0 = TLanes.MultiplyAdd(y3, v, f0);
                    v = TLanes.Load(ref Unsafe.Add(ref w, TLanes.Count));
                    c1 = TLanes.MultiplyAdd(y0, v, c1);
                    d1 = TLanes.MultiplyAdd(y1, v, d1);
                    e1 = TLanes.MultiplyAdd(y2, v, e1);
                    f1 = TLanes.MultiplyAdd(y3, v, f1);
                    v = TLanes.Load(ref Unsafe.Add(ref w, 2 * TLanes.Count));
                    c2 = TLanes.MultiplyAdd(y0, v, c2);
                    d2 = TLanes.MultiplyAdd(y1, v, d2);
                    e2 = TLanes.MultiplyAdd(y2, v, e2);
                    f2 = TLanes.MultiplyAdd(y3, v, f2);
                    v = TLanes.Load(ref Unsafe.Add(ref w, 3 * TLanes.Count));
                    c0 = TLanes.MultiplyAdd(y1, v, c0);
                    d0 = TLanes.MultiplyAdd(y2, v, d0);
                    e0 = TLanes.MultiplyAdd(y3, v, e0);
                    f0 = TLanes.MultiplyAdd(y4, v, f0);
                    v = TLanes.Load(ref Unsafe.Add(ref w, 4 * TLanes.Count));
                    c1 = TLanes.MultiplyAdd(y1, v, c1);
                    d1 = TLanes.MultiplyAdd(y2, v, d1);
                    e1 = TLanes.MultiplyAdd(y3, v, e1);
                    f1 = TLanes.MultiplyAdd(y4, v, f1);
                    v = TLanes.Load(ref Unsafe.Add(ref w, 5 * TLanes.Count));
                    c2 = TLanes.MultiplyAdd(y1, v, c2);
                    d2 = TLanes.MultiplyAdd(y2, v, d2);
                    e2 = TLanes.MultiplyAdd(y3, v, e2);
                    f2 = TLanes.MultiplyAdd(y4, v, f2);
                    v = TLanes.Load(ref Unsafe.Add(ref w, 6 * TLanes.Count));
                    c0 = TLanes.MultiplyAdd(y2, v, c0);
                    d0 = TLanes.MultiplyAdd(y3, v, d0);
                    e0 = TLanes.MultiplyAdd(y4, v, e0);
                    f0 = TLanes.MultiplyAdd(y5, v, f0);
                    v = TLanes.Load(ref Unsafe.Add(ref w, 7 * TLanes.Count));
                    c1 = TLanes.MultiplyAdd(y2, v, c1);
                    d1 = TLanes.MultiplyAdd(y3, v, d1);
                    e1 = TLanes.MultiplyAdd(y4, v, e1);
                    f1 = TLanes.MultiplyAdd(y5, v, f1);
                    v = TLanes.Load(ref Unsafe.Add(ref w, 8 * TLanes.Count));
                    c2 = TLanes.MultiplyAdd(y2, v, c2);
                    d2 = TLanes.MultiplyAdd(y3, v, d2);
                    e2 = TLanes.MultiplyAdd(y4, v, e2);
                    f2 = TLanes.MultiplyAdd(y5, v, f2);
                    w = ref Unsafe.Add(ref w, 9 * TLanes.Count);
                    p = ref Unsafe.Add(ref p, TLanes.Count);
                }
                row = ref Unsafe.Add(ref row, line);
            }
            TLanes.Store(TSums.Four(c0, c1, c2, d0), ref fours);
            TLanes.Store(TSums.Four(d1, d2, e0, e1), ref Unsafe.Add(ref fours, TLanes.Count));
            TLanes.Store(TSums.Four(e2, f0, f1, f2), ref Unsafe.Add(ref fours, 2 * TLanes.Count));
            fours = ref Unsafe.Add(ref fours, 3 * TLanes.Count);
        }
        return ahead;
    }

    /// <summary>Adds the parts of each sum, a register of sums at a time; what the last register has too many is thrown away.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Across<TV, TLanes, TSums>(ref float fours, int sums, ref float to)
        where TV : struct
        where TLanes : ILanes<float, TV>
        where TSums : ILaneSums<TV>
    {
        int lanes = TLanes.Count;
        for (int i = 0; i < sums; i += lanes) TLanes.Store(TSums.Across(ref Unsafe.Add(ref fours, i / 4 * lanes)), ref Unsafe.Add(ref to, i));
    }
}
