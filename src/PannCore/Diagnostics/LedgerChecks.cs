using System.Numerics.Tensors;
using PannCore.Engine;

namespace PannCore.Diagnostics;

/// <summary>
/// The independent checks of the ledger. Its identity telescopes for any polynomial and so proves bookkeeping only; these do not:
/// a doctored coefficient, a badly evaluated polynomial or a wrong kernel keeps the identity and fails here.
/// </summary>
internal sealed class LedgerChecks
{
    private const double Single = 1.0 / (1 << 24);
    private static readonly double Double = Math.ScaleB(1, -53);

    private readonly Check _approximation = new("approximation: at most its certified bound, B E, inside the range", "B E");
    private readonly Check _arithmetic = new("arithmetic: at most the rounding bound of the operation (polynomials: twice the scanned evaluation error)", "the bound");
    private readonly Check _linear = new("inherited, affine operations: the map without its constant, applied to the input error", "the tolerance");
    private readonly Check _activation = new("inherited, activations: at most the input error, times the ideal function's Lipschitz constant", "the input error");

    public void Add(
        Workspace workspace, Op operation, Place place, IReadOnlyList<DoubleTensor> inputs, IReadOnlyList<DoubleTensor> idealInputs,
        ReadOnlySpan<float> output, DoubleTensor exact, DoubleTensor idealOfWorking, DoubleTensor ideal)
    {
        Shape shape = exact.Shape;
        var bound = new DoubleTensor(shape);
        operation.RoundingBound(workspace, inputs, Single, bound);
        for (int i = 0; i < output.Length; i++)
        {
            if (double.IsPositiveInfinity(bound.Values[i])) continue;
            // The output is rounded to float32 once more where the operation was computed wider, and the exact value carries float64's roundings.
            _arithmetic.Compare(place, i, Math.Abs(output[i] - exact.Values[i]), bound.Values[i] + (1e-6 * bound.Values[i]) + float.Epsilon);
        }
        if (operation.Activation is { } activation)
        {
            double limit = activation.ApproximationBound * (1 + 1e-9);
            double[] x = inputs[0].Values, idealX = idealInputs[0].Values;
            for (int i = 0; i < x.Length; i++)
            {
                if (activation.Range is null || Math.Abs(x[i]) <= activation.Range)
                    _approximation.Compare(place, i, Math.Abs(exact.Values[i] - idealOfWorking.Values[i]), limit);
                _activation.Compare(place, i, Math.Abs(idealOfWorking.Values[i] - ideal.Values[i]), activation.IdealLipschitz * Math.Abs(x[i] - idealX[i]) * (1 + (4 * Double)));
            }
        }
        else if (operation.IsAffine(Statistics.Evaluation))
        {
            CheckAffine(workspace, operation, place, inputs, idealInputs, idealOfWorking, ideal);
        }
    }

    /// <summary>The checks that had anything to compare; none where no image was run.</summary>
    public IReadOnlyList<CheckRecord> Records(double identityResidual) => _arithmetic.Compared + _activation.Compared + _linear.Compared == 0 ? [] :
    [
        new("identity: total = arithmetic + approximation + inherited, to 1e-12", identityResidual <= 1e-12, FormattableString.Invariant($"largest residual {identityResidual:G3} of the largest term")),
        .. new[] { _approximation, _arithmetic, _linear, _activation }.Where(check => check.Compared > 0).Select(check => check.Record()),
    ];

    /// <summary>f(x^) - f(x) = f(x^ - x) - f(0), to the float64 rounding of the four evaluations and the differences.</summary>
    private void CheckAffine(
        Workspace workspace, Op operation, Place place, IReadOnlyList<DoubleTensor> inputs, IReadOnlyList<DoubleTensor> idealInputs, DoubleTensor idealOfWorking, DoubleTensor ideal)
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
            _linear.Compare(place, i, Math.Abs(inherited - expected), tolerance);
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
        private string _where = "";
        private long _failures;

        public long Compared { get; private set; }

        public void Compare(Place place, int element, double value, double limit)
        {
            Compared++;
            bool holds = value <= limit;
            if (!holds) _failures++;
            // What is no number must not hide behind the comparisons that it fails.
            double ratio = double.IsNaN(value) ? double.PositiveInfinity : limit > 0 ? value / limit : value > 0 ? double.PositiveInfinity : 0;
            if (ratio <= _worst) return;
            (_worst, _value, _limit, _where) = (ratio, value, limit, place.Of(element));
        }

        public CheckRecord Record() => new(name, _failures == 0, FormattableString.Invariant(
            $"{(_failures == 0 ? "tightest" : $"FAILED at {_failures} of {Compared} elements, worst")}: {_where}: {_value:G3} against {limitName} {_limit:G3}"));
    }
}

/// <summary>Where a batch of outputs comes from, to say where one of its elements lies.</summary>
/// <param name="Path">The operation.</param>
/// <param name="ImageSize">Elements of one image's output.</param>
/// <param name="Images">Indices of the images in their data set; empty where the batch comes from none.</param>
internal sealed record Place(string Path, int ImageSize, ReadOnlyMemory<int> Images)
{
    public string Of(int element) => Images.IsEmpty
        ? FormattableString.Invariant($"{Path}, element {element}")
        : FormattableString.Invariant($"{Path}, image {Images.Span[element / ImageSize]}, element {element % ImageSize}");
}
