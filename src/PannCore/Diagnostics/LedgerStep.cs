using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using PannCore.Engine;
using PannCore.Ops;
using Tensor = PannCore.Engine.Tensor;

namespace PannCore.Diagnostics;

/// <summary>The values of one tensor in all runs, in float64: where nothing distinguishes two runs so far, it is one array.</summary>
internal sealed record InAllRuns(DoubleTensor Working, DoubleTensor Ideal, DoubleTensor Polynomial)
{
    public void Return(DoubleBuffers buffers)
    {
        buffers.Return(Working);
        if (!ReferenceEquals(Ideal, Working)) buffers.Return(Ideal);
        if (!ReferenceEquals(Polynomial, Ideal)) buffers.Return(Polynomial);
    }
}

/// <summary>What has become of an image of the batch.</summary>
internal struct ImageState
{
    /// <summary>Whether it is left out of all sums: a value of it is not finite, or a polynomial of range B answered beyond [-2 B, 2 B].</summary>
    public bool IsLost { get; set; }

    /// <summary>Where it is lost through an operation's fault: how many operations, up to that one, have checks that count.</summary>
    public int CheckedOperations { get; set; }
}

/// <summary>One operation of a batch in all runs, with what its line and its checks need.</summary>
internal sealed class LedgerStep
{
    /// <summary>Elements at a time: what is computed of them stays in the first-level cache.</summary>
    private const int Block = 1024;

    private const double Single = 1.0 / (1 << 24), Double = 1.0 / (1L << 53);

    private readonly Workspace _workspace;
    private readonly DoubleBuffers _buffers;
    private readonly Op _op;
    private readonly IdealOperation _ideal;
    private readonly InAllRuns[] _inputs;
    private readonly List<DoubleTensor> _temporaries = [];
    private readonly DoubleTensor _exact, _idealOfWorking, _bound;
    private readonly bool _isAffine;
    private DoubleTensor? _applied, _rounding, _constant;

    /// <summary>Evaluates the operation in all runs.</summary>
    public LedgerStep(Workspace workspace, DoubleBuffers buffers, Op op, IdealOperation ideal, InAllRuns[] inputs, Tensor output)
    {
        (_workspace, _buffers, _op, _ideal, _inputs) = (workspace, buffers, op, ideal, inputs);
        Shape shape = output.Shape;
        DoubleTensor[] working = [.. inputs.Select(x => x.Working)], idealInputs = [.. inputs.Select(x => x.Ideal)];
        Images = Array.TrueForAll(inputs, x => x.Working.Shape[0] == shape[0]) ? shape[0] : 1;
        DoubleTensor y = buffers.Rent(shape), idealOutput = buffers.Rent(shape), polynomial = idealOutput;
        ReadOnlyMemory<float> values = output.Memory;
        Parts.Run(workspace, shape.Length, 1, part => TensorPrimitives.ConvertTruncating<float, double>(values.Span[part], y.Values.AsSpan(part)));

        op.Exact(workspace, working, _exact = Temporary(shape));
        _idealOfWorking = _exact;
        if (!ideal.IsItself) ideal.Apply(workspace, working, _idealOfWorking = Temporary(shape));
        ideal.Apply(workspace, idealInputs, idealOutput);
        if (!ideal.IsItself || !Array.TrueForAll(inputs, x => ReferenceEquals(x.Polynomial, x.Ideal)))
            op.Exact(workspace, [.. inputs.Select(x => x.Polynomial)], polynomial = buffers.Rent(shape));
        op.RoundingBound(workspace, working, Single, _bound = Temporary(shape));
        Outputs = new(y, idealOutput, polynomial);

        _isAffine = op.Activation is null && ideal.Map.IsAffine;
        if (_isAffine) ApplyToErrors();
        else if (op.Activation is not null && ideal.LipschitzRange < double.PositiveInfinity) ideal.Map.RoundingBound(workspace, working, Double, _rounding = Temporary(shape));
    }

    /// <summary>The output.</summary>
    public InAllRuns Outputs { get; }

    /// <summary>Images of the batch; 1 where the output is not one result an image.</summary>
    public int Images { get; }

    private int Size => _exact.Values.Length / Images;

    /// <summary>Whether all magnitudes are at most this; NaN is not.</summary>
    public static bool Within(ReadOnlySpan<double> values, double largest)
    {
        ref double first = ref MemoryMarshal.GetReference(values);
        int i = 0;
        for (; i <= values.Length - Vector512<double>.Count; i += Vector512<double>.Count)
        {
            if (!Vector512.LessThanOrEqualAll(Vector512.Abs(Vector512.LoadUnsafe(ref first, (nuint)i)), Vector512.Create(largest))) return false;
        }
        for (; i < values.Length; i++)
        {
            if (!(Math.Abs(values[i]) <= largest)) return false;
        }
        return true;
    }

    /// <summary>Adds the batch to its line, image by image, and says which images are lost here.</summary>
    /// <param name="line">The line.</param>
    /// <param name="states">The images.</param>
    /// <param name="operation">Number of operations before this one.</param>
    public void AddTo(LedgerLine line, ImageState[] states, int operation)
    {
        line.Begin(_op.Activation, _ideal.ApproximationBound, _op is Add, Images, Size);
        if (_isAffine) _constant = Constant(line);
        bool eachIsOne = Images == states.Length;
        Parts.Each(_workspace, Images, n =>
        {
            bool wasLost = eachIsOne ? states[n].IsLost : Array.Exists(states, state => state.IsLost);
            if (!AddImage(n, line, wasLost, out bool atFault) && !wasLost && eachIsOne) states[n] = new() { IsLost = true, CheckedOperations = atFault ? operation + 1 : 0 };
        });
    }

    /// <summary>Gives back what was needed for this operation only.</summary>
    public void Return()
    {
        foreach (DoubleTensor tensor in _temporaries) _buffers.Return(tensor);
    }

    private DoubleTensor Temporary(Shape shape)
    {
        DoubleTensor tensor = _buffers.Rent(shape);
        _temporaries.Add(tensor);
        return tensor;
    }

    /// <summary>The affine map at the input errors, and the rounding of all evaluations that are compared: it is bounded by that of the evaluation at |x^| + |x|.</summary>
    private void ApplyToErrors()
    {
        DoubleTensor[] errors = [.. _inputs.Select(x => Temporary(x.Working.Shape))], magnitudes = [.. _inputs.Select(x => Temporary(x.Working.Shape))];
        for (int j = 0; j < _inputs.Length; j++)
        {
            double[] working = _inputs[j].Working.Values, ideal = _inputs[j].Ideal.Values, error = errors[j].Values, magnitude = magnitudes[j].Values;
            Parts.Run(_workspace, working.Length, 1, part =>
            {
                for (int start = part.Start.Value; start < part.End.Value; start += Block)
                {
                    int length = Math.Min(Block, part.End.Value - start);
                    TensorPrimitives.Abs(ideal.AsSpan(start, length), error.AsSpan(start, length));
                    TensorPrimitives.Abs(working.AsSpan(start, length), magnitude.AsSpan(start, length));
                    TensorPrimitives.Add(magnitude.AsSpan(start, length), error.AsSpan(start, length), magnitude.AsSpan(start, length));
                    TensorPrimitives.Subtract(working.AsSpan(start, length), ideal.AsSpan(start, length), error.AsSpan(start, length));
                }
            });
        }
        _ideal.Map.Exact(_workspace, errors, _applied = Temporary(_exact.Shape));
        _ideal.Map.RoundingBound(_workspace, magnitudes, Double, _rounding = Temporary(_exact.Shape));
    }

    /// <summary>f(0), the same for every image.</summary>
    private DoubleTensor Constant(LedgerLine line)
    {
        Shape shape = _exact.Shape.WithFirst(1);
        if (line.Constant is { } known && known.Shape == shape) return known;
        var constant = new DoubleTensor(shape);
        _ideal.Map.Exact(_workspace, [.. _inputs.Select(x => new DoubleTensor(x.Working.Shape.WithFirst(1)))], constant);
        return line.Constant = constant;
    }

    /// <summary>Adds an image, or only what is counted of a lost one; whether it is sound here.</summary>
    private bool AddImage(int n, LedgerLine line, bool wasLost, out bool atFault)
    {
        ErrorTally tally = line[n];
        Outcome outcome = new()
        {
            Working = Image(Outputs.Working, n),
            Exact = Image(_exact, n),
            IdealOfWorking = Image(_idealOfWorking, n),
            Ideal = Image(Outputs.Ideal, n),
            Polynomial = Image(Outputs.Polynomial, n),
        };
        ReadOnlySpan<double> x = Image(_inputs[0].Working, n), idealX = Image(_inputs[0].Ideal, n);
        double? range = _op.Activation?.Range;
        line.Count(range is double b ? CountBeyond(x, b) : 0, CountBeyond(outcome.Working, double.MaxValue));
        atFault = false;
        if (wasLost) return false;
        bool isSound = Within(outcome.Working, range is double r ? 2 * r : double.MaxValue) && Within(outcome.Exact, double.MaxValue)
            && Within(outcome.IdealOfWorking, double.MaxValue) && Within(outcome.Ideal, double.MaxValue) && Within(outcome.Polynomial, double.MaxValue);
        CheckInjected(tally.Checks, outcome, x, n, isSound);
        if (!isSound)
        {
            atFault = tally.Checks[(int)LedgerCheck.Arithmetic].Failures + tally.Checks[(int)LedgerCheck.Approximation].Failures > 0;
            return false;
        }
        CheckInherited(tally.Checks, outcome, x, idealX, n);
        ReadOnlySpan<double> shortcut = _op is Add ? Image(_inputs[1].Working, n) : default, idealShortcut = _op is Add ? Image(_inputs[1].Ideal, n) : default;
        for (int start = 0; start < Size; start += Block)
        {
            int length = Math.Min(Block, Size - start);
            tally.Add(outcome.Slice(start, length));
            if (_op.Activation is not null) tally.AddBySign(x.Slice(start, length), outcome.Working.Slice(start, length), outcome.IdealOfWorking.Slice(start, length));
            if (_op is Add) tally.AddBranches(x.Slice(start, length), idealX.Slice(start, length), shortcut.Slice(start, length), idealShortcut.Slice(start, length));
        }
        foreach (InAllRuns input in _inputs) tally.AddInput(Image(input.Working, n), Image(input.Ideal, n));
        return true;
    }

    private void CheckInjected(CheckTally[] checks, in Outcome outcome, ReadOnlySpan<double> x, int n, bool isSound)
    {
        Span<double> value = stackalloc double[Block], limit = stackalloc double[Block];
        double? range = _op.Activation?.Range;
        ReadOnlySpan<double> bound = Image(_bound, n);
        for (int start = 0; start < Size; start += Block)
        {
            Outcome part = outcome.Slice(start, Math.Min(Block, Size - start));
            int length = part.Working.Length;
            Span<double> values = value[..length], limits = limit[..length];
            Distance(part.Working, part.Exact, values);
            // The output is rounded to float32 once more where the operation was computed wider, and the exact value carries float64's roundings.
            TensorPrimitives.Multiply(bound.Slice(start, length), 1 + 1e-6, limits);
            TensorPrimitives.Add(limits, float.Epsilon, limits);
            if (!isSound) Excuse(part, bound.Slice(start, length), range is null ? default : x.Slice(start, length), limits);
            checks[(int)LedgerCheck.Arithmetic].Compare(values, limits, start);
            if (_op.Activation is null || double.IsPositiveInfinity(_ideal.ApproximationBound)) continue;
            Distance(part.Exact, part.IdealOfWorking, values);
            limits.Fill(_ideal.ApproximationBound * (1 + 1e-9));
            if (range is double b) ForgetBeyond(x.Slice(start, length), b, limits);
            checks[(int)LedgerCheck.Approximation].Compare(values, limits, start);
        }
    }

    private void CheckInherited(CheckTally[] checks, in Outcome outcome, ReadOnlySpan<double> x, ReadOnlySpan<double> idealX, int n)
    {
        if (!_isAffine && (_op.Activation is null || double.IsPositiveInfinity(_ideal.Lipschitz))) return;
        Span<double> value = stackalloc double[Block], limit = stackalloc double[Block], other = stackalloc double[Block];
        for (int start = 0; start < Size; start += Block)
        {
            Outcome part = outcome.Slice(start, Math.Min(Block, Size - start));
            int length = part.Working.Length;
            Span<double> values = value[..length], limits = limit[..length], others = other[..length];
            if (_isAffine)
            {
                // f(x^) - f(x) = f(x^ - x) - f(0), to the float64 rounding of the four evaluations and the differences.
                ReadOnlySpan<double> shift = _constant!.Values.AsSpan(start, length);
                TensorPrimitives.Subtract(Image(_applied!, n).Slice(start, length), shift, others);
                TensorPrimitives.Subtract(part.IdealOfWorking, part.Ideal, values);
                Distance(values, others, values);
                TensorPrimitives.Abs(part.IdealOfWorking, limits);
                TensorPrimitives.Abs(part.Ideal, others);
                TensorPrimitives.Add(limits, others, limits);
                TensorPrimitives.Abs(shift, others);
                TensorPrimitives.Add(limits, others, limits);
                TensorPrimitives.Multiply(limits, Double, limits);
                TensorPrimitives.Add(limits, Image(_rounding!, n).Slice(start, length), limits);
                TensorPrimitives.Multiply(limits, 4, limits);
                checks[(int)LedgerCheck.Affine].Compare(values, limits, start);
                continue;
            }
            Distance(part.IdealOfWorking, part.Ideal, values);
            Distance(x.Slice(start, length), idealX.Slice(start, length), limits);
            TensorPrimitives.Multiply(limits, _ideal.Lipschitz * (1 + (4 * Double)), limits);
            if (_rounding is not null)
            {
                // A polynomial rounds at both inputs, and its slope is bounded between its ends only.
                TensorPrimitives.MultiplyAdd(Image(_rounding, n).Slice(start, length), 2, limits, limits);
                ForgetBeyond(x.Slice(start, length), _ideal.LipschitzRange, limits);
                ForgetBeyond(idealX.Slice(start, length), _ideal.LipschitzRange, limits);
            }
            checks[(int)LedgerCheck.Activation].Compare(values, limits, start);
        }
    }

    /// <summary>
    /// Of a lost image: forgets the limits of elements that are not finite for a reason. An input outside the range is one, and so is a result so large that float32 may overflow on the way
    /// (a bound of u times the sum of magnitudes, or more, tells how large terms become). An affine operation of finite inputs, or a polynomial inside its range, has no other reason.
    /// </summary>
    private void Excuse(in Outcome outcome, ReadOnlySpan<double> bound, ReadOnlySpan<double> ranged, Span<double> limits)
    {
        for (int i = 0; i < limits.Length; i++)
        {
            bool isExact = double.IsFinite(outcome.Exact[i]), isInside = ranged.IsEmpty || Math.Abs(ranged[i]) <= _op.Activation!.Range;
            if (isExact && double.IsFinite(outcome.Working[i])) continue;
            bool isExcused = !isInside || (isExact
                ? !(Math.Abs(outcome.Exact[i]) + (bound[i] / Single) < float.MaxValue)
                : ranged.IsEmpty && !_op.IsAffine);
            limits[i] = isExcused ? double.PositiveInfinity : double.IsPositiveInfinity(limits[i]) ? double.NaN : limits[i];
        }
    }

    /// <summary>|a - b|.</summary>
    private static void Distance(ReadOnlySpan<double> a, ReadOnlySpan<double> b, Span<double> distance)
    {
        TensorPrimitives.Subtract(a, b, distance);
        TensorPrimitives.Abs(distance, distance);
    }

    /// <summary>No limit is known outside [-range, range].</summary>
    private static void ForgetBeyond(ReadOnlySpan<double> x, double range, Span<double> limits)
    {
        if (Within(x, range)) return;
        for (int i = 0; i < x.Length; i++)
        {
            if (!(Math.Abs(x[i]) <= range)) limits[i] = double.PositiveInfinity;
        }
    }

    private static long CountBeyond(ReadOnlySpan<double> values, double largest)
    {
        if (Within(values, largest)) return 0;
        long count = 0;
        foreach (double value in values)
        {
            if (!(Math.Abs(value) <= largest)) count++;
        }
        return count;
    }

    private ReadOnlySpan<double> Image(DoubleTensor tensor, int n)
    {
        int size = tensor.Values.Length / Images;
        return tensor.Values.AsSpan(n * size, size);
    }
}
