using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace PannCore.Diagnostics;

/// <summary>What one check found over the elements of one image at one operation, or, merged, over all.</summary>
internal struct CheckTally()
{
    private double _worst = -1;

    /// <summary>Elements compared.</summary>
    public long Compared { get; private set; }

    /// <summary>Elements whose value exceeds its limit.</summary>
    public long Failures { get; private set; }

    /// <summary>The value nearest to its limit, or furthest beyond.</summary>
    public double Value { get; private set; }

    /// <summary>Its limit.</summary>
    public double Limit { get; private set; }

    /// <summary>Its element.</summary>
    public int Element { get; private set; }

    /// <summary>Compares values of at least 0 with their limits; a limit of infinity says that none is known, and nothing is compared.</summary>
    public void Compare(ReadOnlySpan<double> values, ReadOnlySpan<double> limits, int firstElement)
    {
        ref double value = ref MemoryMarshal.GetReference(values), limit = ref MemoryMarshal.GetReference(limits[..values.Length]);
        int i = 0;
        for (; i <= values.Length - Vector512<double>.Count; i += Vector512<double>.Count)
        {
            // Eight at a time: none fails, none is nearer to its limit than the nearest so far, and all limits are known. Whatever may be otherwise is looked at one by one.
            Vector512<double> v = Vector512.LoadUnsafe(ref value, (nuint)i), l = Vector512.LoadUnsafe(ref limit, (nuint)i), near = l * (Math.Min(_worst, 1) * (1 - 1e-15));
            if (Vector512.LessThanOrEqualAll(v, near) && Vector512.LessThanAll(l, Vector512.Create(double.PositiveInfinity)))
            {
                Compared += Vector512<double>.Count;
                continue;
            }
            for (int lane = i; lane < i + Vector512<double>.Count; lane++) Compare(values[lane], limits[lane], firstElement + lane);
        }
        for (; i < values.Length; i++) Compare(values[i], limits[i], firstElement + i);
    }

    /// <summary>Adds what another tally has found; whether its worst is worse than all before.</summary>
    public bool Merge(in CheckTally other)
    {
        Compared += other.Compared;
        Failures += other.Failures;
        if (!(other._worst > _worst)) return false;
        (_worst, Value, Limit, Element) = (other._worst, other.Value, other.Limit, other.Element);
        return true;
    }

    private void Compare(double value, double limit, int element)
    {
        if (double.IsPositiveInfinity(limit)) return;
        Compared++;
        if (!(value <= limit)) Failures++;
        // What is no number must not hide behind the comparisons that it fails.
        double ratio = double.IsNaN(value) ? double.PositiveInfinity : limit > 0 ? value / limit : value > 0 ? double.PositiveInfinity : 0;
        if (ratio <= _worst) return;
        (_worst, Value, Limit, Element) = (ratio, value, limit, element);
    }
}
