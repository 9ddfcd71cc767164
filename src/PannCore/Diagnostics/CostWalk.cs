using PannCore.Approximation;
using PannCore.Engine;
using PannCore.Ops;

namespace PannCore.Diagnostics;

/// <summary>Prices the operations of one run: the rules are those of <see cref="NetworkCost"/>.</summary>
internal sealed class CostWalk(int? usableLevels, bool fold) : IRunObserver
{
    private readonly Dictionary<Tensor, Ciphertext> _values = [];
    private readonly Dictionary<ReluPolynomial, Cost> _plans = [];
    private readonly List<OperationCost> _operations = [];

    public NetworkCost Result => new(fold, usableLevels, _operations.AsReadOnly());

    public void Forward(Op op, string path, IReadOnlyList<Tensor> inputs, Tensor output)
    {
        Ciphertext[] x = [.. inputs.Select(Value)];
        Price price = PriceOf(op, path, x);
        int bootstraps = 0;
        long refreshed = 0;
        for (int i = 0; i < x.Length; i++)
        {
            if (price.Levels[i] <= x[i].Left) continue;
            if (price.Levels[i] > usableLevels)
                throw new BadInputException($"cost: {path} ({op.Name}) consumes {price.Levels[i]} levels and bootstraps are placed between operations: expected at least as many usable levels, found {usableLevels}");
            x[i].Left = usableLevels!.Value;
            bootstraps++;
            refreshed += inputs[i].Shape.Length;
        }
        Ciphertext y = _values[output] = new(
            x.Max(v => v.Depth) + price.Depth,
            x.Select((v, i) => v.Levels + price.Levels[i]).Max(),
            x.Select((v, i) => v.Left - price.Levels[i]).Min());
        _operations.Add(new(
            path, op.Name, output.Shape.Length, price.Depth, y.Levels - x.Max(v => v.Levels), price.Products, price.ScalarProducts, y.Depth, y.Levels, bootstraps, refreshed));
    }

    private Ciphertext Value(Tensor tensor)
        => _values.TryGetValue(tensor, out Ciphertext? known) ? known : _values[tensor] = new(0, 0, usableLevels ?? int.MaxValue);

    private Price PriceOf(Op op, string path, Ciphertext[] x) => op switch
    {
        Conv2d or Linear => new([1], ScalarProducts: op.Parameters[0].Shape.Length / op.Parameters[0].Shape[0]),
        BatchNorm or GlobalAveragePool or Shortcut => new([0]),
        Add when x[0].Levels == x[1].Levels => new([0, 0]),
        Add => new(x[0].Levels < x[1].Levels ? [1, 0] : [0, 1], ScalarProducts: 1),
        PolynomialRelu activation => PriceOf(Plan(activation.Polynomial)),
        Relu => throw new BadInputException($"cost: {path} is {op.Name}: expected a polynomial, such as composite:alpha=9; encrypted values are only added and multiplied"),
        _ => throw new BadInputException($"cost: {path} is {op.Name}, an operation without a known price"),
    };

    private static Price PriceOf(Cost cost) => new([cost.Levels], cost.NonScalarMultiplications, cost.ScalarMultiplications, cost.Depth);

    private Cost Plan(ReluPolynomial polynomial)
        => _plans.TryGetValue(polynomial, out Cost? known) ? known : _plans[polynomial] = EvaluationPlan.Of(polynomial, fold).Cost;

    /// <summary>A value: what the longest path to it has consumed, and the levels left of its ciphertext.</summary>
    private sealed record Ciphertext(int Depth, int Levels, int Left)
    {
        public int Left { get; set; } = Left;
    }

    /// <summary>Levels of each input; products of one element; ciphertext products on the longest path.</summary>
    private readonly record struct Price(int[] Levels, int Products = 0, int ScalarProducts = 0, int Depth = 0);
}
