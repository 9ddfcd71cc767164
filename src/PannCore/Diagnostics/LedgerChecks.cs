using System.Numerics.Tensors;
using PannCore.Engine;
using PannCore.Ops;

namespace PannCore.Diagnostics;

/// <summary>
/// The independent checks of the ledger. Its identity telescopes for any polynomial and so proves bookkeeping only; these do not:
/// a doctored coefficient, a badly evaluated polynomial or a wrong kernel keeps the identity and fails here.
/// </summary>
internal sealed class LedgerChecks
{
    private const double Single = 1.0 / (1 << 24);
    private static readonly double Double = Math.ScaleB(1, -53);

    private readonly Check _approximation = new("approximation: at most B E inside the range", "B E");
    private readonly Check _arithmetic = new("arithmetic: at most the rounding bound of the operation", "the bound");
    private readonly Check _linear = new("inherited, affine operations: the map without its constant, applied to the input error", "the tolerance");
    private readonly Check _relu = new("inherited, activations: at most the input error", "the input error");
    private readonly HashSet<string> _unbounded = [];

    public void Add(
        Workspace workspace, Op operation, string path, IReadOnlyList<DoubleTensor> inputs, IReadOnlyList<DoubleTensor> idealInputs,
        ReadOnlySpan<float> output, DoubleTensor exact, DoubleTensor idealOfWorking, DoubleTensor ideal)
    {
        Shape shape = exact.Shape;
        var bound = new DoubleTensor(shape);
        operation.RoundingBound(workspace, inputs, Single, bound);
        for (int i = 0; i < output.Length; i++)
        {
            if (double.IsPositiveInfinity(bound.Values[i])) continue;
            // The output is rounded to float32 once more where the operation was computed wider, and the exact value carries float64's roundings.
            _arithmetic.Compare(path, i, Math.Abs(output[i] - exact.Values[i]), bound.Values[i] + (1e-6 * bound.Values[i]) + float.Epsilon);
        }
        if (operation is PolynomialRelu polynomial)
        {
            double limit = polynomial.Range * polynomial.Polynomial.MaxError * (1 + 1e-9);
            double[] x = inputs[0].Values;
            for (int i = 0; i < x.Length; i++)
            {
                if (Math.Abs(x[i]) <= polynomial.Range) _approximation.Compare(path, i, Math.Abs(exact.Values[i] - idealOfWorking.Values[i]), limit);
            }
        }
        if (operation is Relu or PolynomialRelu)
        {
            for (int i = 0; i < ideal.Values.Length; i++)
            {
                double incoming = Math.Abs(inputs[0].Values[i] - idealInputs[0].Values[i]);
                _relu.Compare(path, i, Math.Abs(idealOfWorking.Values[i] - ideal.Values[i]), incoming * (1 + (4 * Double)));
            }
        }
        else if (operation.IsAffine(Statistics.Evaluation))
        {
            CheckAffine(workspace, operation, path, inputs, idealInputs, idealOfWorking, ideal);
        }
        else
        {
            _unbounded.Add(operation.Name);
        }
    }

    public IReadOnlyList<CheckRecord> Records(double identityResidual) =>
    [
        new("identity: total = arithmetic + approximation + inherited, to 1e-12", identityResidual <= 1e-12, FormattableString.Invariant($"largest residual {identityResidual:G3} of the largest term")),
        .. new[] { _approximation, _arithmetic, _linear, _relu }.Where(check => check.Compared > 0).Select(check => check.Record()),
        .. _unbounded.Select(name => new CheckRecord($"inherited, {name}", true, "not checked: neither affine nor an activation")),
    ];

    /// <summary>f(x^) - f(x) = f(x^ - x) - f(0), to the float64 rounding of the four evaluations and the differences.</summary>
    private void CheckAffine(
        Workspace workspace, Op operation, string path, IReadOnlyList<DoubleTensor> inputs, IReadOnlyList<DoubleTensor> idealInputs, DoubleTensor idealOfWorking, DoubleTensor ideal)
    {
        // The rounding of all evaluations is bounded by that of the evaluation at |x^| + |x|.
        DoubleTensor[] errors = new DoubleTensor[inputs.Count], magnitudes = new DoubleTensor[inputs.Count], zeros = new DoubleTensor[inputs.Count];
        var sum = new double[inputs.Max(x => x.Values.Length)];
        for (int j = 0; j < inputs.Count; j++)
        {
            double[] x = inputs[j].Values, idealX = idealInputs[j].Values;
            Shape shape = inputs[j].Shape;
            (errors[j], magnitudes[j], zeros[j]) = (new(shape), new(shape), new(OneImage(shape)));
            TensorPrimitives.Subtract(x, idealX, errors[j].Values);
            TensorPrimitives.Abs(x, magnitudes[j].Values);
            TensorPrimitives.Abs(idealX, sum);
            TensorPrimitives.Add(magnitudes[j].Values, sum.AsSpan(0, x.Length), magnitudes[j].Values);
        }
        DoubleTensor applied = new(ideal.Shape), constant = new(OneImage(ideal.Shape)), rounding = new(ideal.Shape);
        operation.Exact(workspace, errors, applied);
        operation.Exact(workspace, zeros, constant);
        operation.RoundingBound(workspace, magnitudes, Double, rounding);
        for (int i = 0; i < ideal.Values.Length; i++)
        {
            double shift = constant.Values[i % constant.Values.Length];
            double inherited = idealOfWorking.Values[i] - ideal.Values[i], expected = applied.Values[i] - shift;
            double tolerance = (4 * rounding.Values[i]) + (4 * Double * (Math.Abs(idealOfWorking.Values[i]) + Math.Abs(ideal.Values[i]) + Math.Abs(shift)));
            _linear.Compare(path, i, Math.Abs(inherited - expected), tolerance);
        }
    }

    /// <summary>The constant of an affine operation is the same for every image of a batch.</summary>
    private static Shape OneImage(Shape batch)
    {
        int[] sizes = batch.ToArray();
        sizes[0] = 1;
        return new(sizes);
    }

    private sealed class Check(string name, string limitName)
    {
        private double _worst = -1, _value, _limit;
        private string _path = "";
        private int _element;
        private long _failures;

        public long Compared { get; private set; }

        public void Compare(string path, int element, double value, double limit)
        {
            Compared++;
            bool holds = value <= limit;
            if (!holds) _failures++;
            double ratio = limit > 0 ? value / limit : value > 0 ? double.PositiveInfinity : 0;
            if (ratio <= _worst) return;
            (_worst, _value, _limit, _path, _element) = (ratio, value, limit, path, element);
        }

        public CheckRecord Record() => new(name, _failures == 0, FormattableString.Invariant(
            $"{(_failures == 0 ? "tightest" : $"FAILED at {_failures} of {Compared} elements, worst")}: {_path}, element {_element}: {_value:G3} against {limitName} {_limit:G3}"));
    }
}
