using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace PannCore.Diagnostics;

/// <summary>Running sums of one error term.</summary>
internal sealed class ErrorSum
{
    private double _max, _sum;

    public double Squares { get; private set; }

    public void Add(double value)
    {
        _max = Math.Max(_max, Math.Abs(value));
        _sum += value;
        Squares += value * value;
    }

    /// <summary>
    /// Adds the differences a - b. Eight partial sums, each over every eighth element, are added from first to last, and then the remaining elements: the bits depend on
    /// the values only, not on the hardware.
    /// </summary>
    public void AddDifferences(ReadOnlySpan<double> a, ReadOnlySpan<double> b)
    {
        int whole = a.Length - (a.Length % Vector512<double>.Count);
        ref double left = ref MemoryMarshal.GetReference(a), right = ref MemoryMarshal.GetReference(b[..a.Length]);
        Vector512<double> max = default, sum = default, squares = default;
        for (int i = 0; i < whole; i += Vector512<double>.Count)
        {
            Vector512<double> difference = Vector512.LoadUnsafe(ref left, (nuint)i) - Vector512.LoadUnsafe(ref right, (nuint)i);
            max = Vector512.Max(max, Vector512.Abs(difference));
            sum += difference;
            squares += difference * difference;
        }
        for (int lane = 0; lane < Vector512<double>.Count; lane++)
        {
            _max = Math.Max(_max, max[lane]);
            _sum += sum[lane];
            Squares += squares[lane];
        }
        for (int i = whole; i < a.Length; i++) Add(a[i] - b[i]);
    }

    /// <summary>Adds what another one has summed up.</summary>
    public void Merge(ErrorSum other)
    {
        _max = Math.Max(_max, other._max);
        _sum += other._sum;
        Squares += other.Squares;
    }

    /// <summary>Back to nothing.</summary>
    public void Clear() => (_max, _sum, Squares) = (0, 0, 0);

    /// <summary>The size over so many elements; unknown over none.</summary>
    public ErrorSize Size(long count) => count == 0 ? new(double.NaN, double.NaN, double.NaN) : new(_max, Math.Sqrt(Squares / count), _sum / count);
}
