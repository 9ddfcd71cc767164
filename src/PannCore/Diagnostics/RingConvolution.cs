using PannCore.Engine;
using PannCore.Kernels;
using PannCore.Ops;

namespace PannCore.Diagnostics;

/// <summary>
/// Convolutions of integers, exact, by the float64 kernel: sums of products below 2^53 are exact there in any order. Larger inputs are cut into pieces of few enough bits, one convolution each.
/// </summary>
internal sealed class RingConvolution(Ring ring, Workspace workspace)
{
    private const int ExactBits = 53;

    private readonly Dictionary<(Parameter Weight, ConvGeometry Geometry), Integers> _weights = [];
    private double[] _pieces = [], _sums = [];

    /// <summary>The sums of products, with 2 F fraction bits, for one image after the other.</summary>
    /// <param name="x">The images.</param>
    /// <param name="weight">The kernel, rounded to F fraction bits.</param>
    /// <param name="geometry">Sizes.</param>
    /// <param name="path">For messages.</param>
    /// <param name="finish">Receives image, element of the output in all images, exact sum; called on the workers, image by image.</param>
    /// <exception cref="BadInputException">A weight is not finite, or the weights of one output sum to 2^52 or more.</exception>
    public void Run(FixedPointTensor x, Parameter weight, ConvGeometry geometry, string path, Action<int, int, Int128> finish)
    {
        int images = x.Shape[0], outputs = geometry.OutH * geometry.OutW * geometry.K;
        Integers w = WeightsOf(weight, geometry, path);
        int pieceBits = ExactBits - w.Bits, inputBits = 0;
        foreach (long value in x.Values) inputBits = Math.Max(inputBits, 64 - (int)ulong.LeadingZeroCount(value < 0 ? 0 - (ulong)value : (ulong)value));
        int pieces = Math.Max(1, (inputBits + pieceBits - 1) / pieceBits);
        if (_pieces.Length < x.Values.Length) _pieces = new double[x.Values.Length];
        if (_sums.Length < images * outputs) _sums = new double[images * outputs];
        Int128[]? totals = pieces > 1 ? new Int128[images * outputs] : null;
        for (int piece = 0; piece < pieces; piece++)
        {
            int shift = piece * pieceBits;
            bool last = piece == pieces - 1;
            long mask = last ? -1 : (1L << pieceBits) - 1;
            for (int i = 0; i < x.Values.Length; i++) _pieces[i] = (x.Values[i] >> shift) & mask;
            workspace.Workers.Run(new ConvForwardJob<double>(w.Plan, _pieces, w.Packed, _sums), images);
            Parts.Each(workspace, images, n =>
            {
                for (int i = n * outputs; i < (n + 1) * outputs; i++)
                {
                    Int128 sum = (long)_sums[i];
                    if (totals is not null) sum = totals[i] += sum << shift;
                    if (last) finish(n, i, sum);
                }
            });
        }
    }

    private Integers WeightsOf(Parameter weight, ConvGeometry geometry, string path)
    {
        if (_weights.TryGetValue((weight, geometry), out Integers? known) && known.Version == weight.Version) return known;
        long[] values = Array.ConvertAll(weight.Values.ToArray(), w => ring.Hold(w, path));
        int kernel = values.Length / geometry.K;
        Int128 largest = 0;
        for (int k = 0; k < geometry.K; k++)
        {
            Int128 sum = 0;
            foreach (long w in values.AsSpan(k * kernel, kernel)) sum += Int128.Abs(w);
            largest = Int128.Max(largest, sum);
        }
        int bits = 128 - (int)Int128.LeadingZeroCount(largest);
        if (bits >= ExactBits)
            throw new BadInputException(FormattableString.Invariant($"fixed point: {path}: the weights of one output sum to 2^{bits - 1 - ring.FractionBits} or more, expected less than 2^{ExactBits - 1 - ring.FractionBits} with {ring.FractionBits} fraction bits"));
        var plan = ConvPlan<double>.Forward(geometry);
        return _weights[(weight, geometry)] = new(weight.Version, plan, plan.Pack<long>(values, geometry.S), bits);
    }

    /// <summary>Packed integer weights; the magnitudes of one output sum to less than 2^Bits.</summary>
    private sealed record Integers(int Version, ConvPlan<double> Plan, Memory<double> Packed, int Bits);
}
