using System.Numerics.Tensors;
using PannCore.Approximation;
using PannCore.Engine;

namespace PannCore.Diagnostics;

/// <summary>Some elements of a ring and a bound of their magnitudes.</summary>
/// <param name="Values">The elements, in a buffer that may be longer.</param>
/// <param name="Bound">No magnitude is larger.</param>
internal readonly record struct RingBlock(long[] Values, ulong Bound);

/// <summary>
/// Runs an <see cref="EvaluationPlan"/> on blocks of ring elements. Where the bounds of the operands prove that nothing leaves the ring, whole vectors are added and multiplied;
/// where they do not, element by element with 128 bits, and what leaves the ring is counted. The result is the same.
/// </summary>
internal sealed class RingBlocks(Ring ring, long seed, string path) : IPlanArithmetic<RingBlock>
{
    /// <summary>A plan of 65 values then takes 260 KiB.</summary>
    public const int Elements = 512;

    private readonly List<long[]> _buffers = [];
    private int _used, _length, _operation;
    private long _first;

    /// <summary>Results that left the ring since the instance was made.</summary>
    public long Wraps { get; private set; }

    /// <summary>Begins a block: the values of the one before are gone.</summary>
    /// <param name="x">At most <see cref="Elements"/>.</param>
    /// <param name="operation">A number for the operation, for the random bits of truncation.</param>
    /// <param name="first">A number for the first element, likewise.</param>
    public RingBlock Begin(ReadOnlySpan<long> x, int operation, long first)
    {
        (_used, _length, _operation, _first) = (0, x.Length, operation, first);
        long[] values = Next();
        x.CopyTo(values);
        return Bounded(values);
    }

    /// <summary>The elements of a block.</summary>
    public ReadOnlySpan<long> Values(RingBlock x) => x.Values.AsSpan(0, _length);

    public RingBlock Add(RingBlock x, RingBlock y)
    {
        long[] z = Next();
        if (SumFits(x.Bound, y.Bound))
        {
            TensorPrimitives.Add(Values(x), Values(y), z);
            return new(z, x.Bound + y.Bound);
        }
        long wraps = 0;
        for (int i = 0; i < _length; i++) z[i] = ring.Add(x.Values[i], y.Values[i], ref wraps);
        Wraps += wraps;
        return Bounded(z);
    }

    public RingBlock Subtract(RingBlock x, RingBlock y)
    {
        long[] z = Next();
        if (SumFits(x.Bound, y.Bound))
        {
            TensorPrimitives.Subtract(Values(x), Values(y), z);
            return new(z, x.Bound + y.Bound);
        }
        long wraps = 0;
        for (int i = 0; i < _length; i++) z[i] = ring.Wrap((Int128)x.Values[i] - y.Values[i], ref wraps);
        Wraps += wraps;
        return Bounded(z);
    }

    public RingBlock AddConstant(RingBlock x, double constant)
    {
        long[] z = Next();
        long c = ring.Hold(constant, path);
        if (SumFits(x.Bound, Magnitude(c)))
        {
            TensorPrimitives.Add(Values(x), c, z);
            return new(z, x.Bound + Magnitude(c));
        }
        long wraps = 0;
        for (int i = 0; i < _length; i++) z[i] = ring.Add(x.Values[i], c, ref wraps);
        Wraps += wraps;
        return Bounded(z);
    }

    public RingBlock MultiplyConstant(RingBlock x, double constant) => Multiply(x, ring.Hold(constant, path), ring.FractionBits);

    /// <summary>x times an integer, truncated.</summary>
    public RingBlock Multiply(RingBlock x, long constant, int bits)
    {
        long[] z = Next();
        if (ProductFits(x.Bound, Magnitude(constant)))
        {
            TensorPrimitives.Multiply(Values(x), constant, z);
        }
        else
        {
            long wraps = 0;
            for (int i = 0; i < _length; i++) z[i] = ring.Multiply(x.Values[i], constant, ref wraps);
            Wraps += wraps;
        }
        return Truncated(z, bits);
    }

    public RingBlock Multiply(RingBlock x, RingBlock y)
    {
        long[] z = Next();
        if (ProductFits(x.Bound, y.Bound) || ProductFits((x = Bounded(x.Values)).Bound, (y = Bounded(y.Values)).Bound))
        {
            TensorPrimitives.Multiply(Values(x), Values(y), z);
        }
        else
        {
            long wraps = 0;
            for (int i = 0; i < _length; i++) z[i] = ring.Multiply(x.Values[i], y.Values[i], ref wraps);
            Wraps += wraps;
        }
        return Truncated(z, ring.FractionBits);
    }

    private RingBlock Truncated(long[] z, int bits)
    {
        Span<long> values = z.AsSpan(0, _length);
        if (ring.IsStochastic)
        {
            // The buffers in use number the instructions of the plan.
            var random = new CounterRandom(seed, RandomStream.Truncation, ((long)_operation << 16) + _used);
            for (int i = 0; i < values.Length; i++) values[i] = ring.Truncate(values[i], bits, random, _first + i);
        }
        else
        {
            TensorPrimitives.ShiftRightArithmetic(values, bits, values);
        }
        return Bounded(z);
    }

    private RingBlock Bounded(long[] values)
    {
        ReadOnlySpan<long> x = values.AsSpan(0, _length);
        return new(values, Math.Max(Magnitude(TensorPrimitives.Max(x)), Magnitude(TensorPrimitives.Min(x))));
    }

    private bool SumFits(ulong x, ulong y) => x < ring.Half && y < ring.Half - x;

    private bool ProductFits(ulong x, ulong y) => Math.BigMul(x, y, out ulong low) == 0 && low < ring.Half;

    /// <summary>|x|, that of the least integer included.</summary>
    private static ulong Magnitude(long x) => x < 0 ? 0 - (ulong)x : (ulong)x;

    private long[] Next()
    {
        if (_used == _buffers.Count) _buffers.Add(new long[Elements]);
        return _buffers[_used++];
    }
}
