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

    public ErrorSize Size(long count) => new(_max, Math.Sqrt(Squares / Math.Max(1, count)), _sum / Math.Max(1, count));
}
