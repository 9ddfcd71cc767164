namespace PannCore.Approximation;

/// <summary>Runs a plan on levels and depths instead of numbers and counts the operations: the rules are those of <see cref="Cost"/>.</summary>
internal sealed class CountingArithmetic : IPlanArithmetic<CountingArithmetic.Consumed>
{
    private int _products, _scalarProducts, _additions;

    public Cost Cost(Consumed output, bool folded)
        => new(output.Depth, output.Levels, _products, _scalarProducts, _additions, folded);

    public Consumed Add(Consumed x, Consumed y)
    {
        _additions++;
        return Larger(x, y);
    }

    public Consumed Subtract(Consumed x, Consumed y) => Add(x, y);

    public Consumed AddConstant(Consumed x, double constant)
    {
        _additions++;
        return x;
    }

    public Consumed MultiplyConstant(Consumed x, double constant)
    {
        _scalarProducts++;
        return x with { Levels = x.Levels + 1 };
    }

    public Consumed Multiply(Consumed x, Consumed y)
    {
        _products++;
        Consumed larger = Larger(x, y);
        return new Consumed(larger.Depth + 1, larger.Levels + 1);
    }

    private static Consumed Larger(Consumed x, Consumed y)
        => new(Math.Max(x.Depth, y.Depth), Math.Max(x.Levels, y.Levels));

    /// <summary>What a value has consumed since the input.</summary>
    internal readonly record struct Consumed(int Depth, int Levels);
}
