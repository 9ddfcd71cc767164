using System.Numerics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace PannCore.Diagnostics;

/// <summary>What came out of an operation for some elements, in all runs.</summary>
internal readonly ref struct Outcome
{
    /// <summary>The working output.</summary>
    public required ReadOnlySpan<double> Working { get; init; }

    /// <summary>The operation in exact arithmetic at the working input.</summary>
    public required ReadOnlySpan<double> Exact { get; init; }

    /// <summary>The ideal function at the working input.</summary>
    public required ReadOnlySpan<double> IdealOfWorking { get; init; }

    /// <summary>The ideal network's output.</summary>
    public required ReadOnlySpan<double> Ideal { get; init; }

    /// <summary>The output of the network of polynomials in exact arithmetic.</summary>
    public required ReadOnlySpan<double> Polynomial { get; init; }

    /// <summary>Some of the elements.</summary>
    public Outcome Slice(int start, int length) => new()
    {
        Working = Working.Slice(start, length),
        Exact = Exact.Slice(start, length),
        IdealOfWorking = IdealOfWorking.Slice(start, length),
        Ideal = Ideal.Slice(start, length),
        Polynomial = Polynomial.Slice(start, length),
    };
}

/// <summary>The sums of a ledger line over one image, or, merged in the order of the images, over all of them.</summary>
internal sealed class ErrorTally
{
    private readonly ErrorSum _approximation = new(), _arithmetic = new(), _inherited = new(), _accumulatedApproximation = new(), _accumulatedArithmetic = new(), _main = new(), _shortcut = new(), _inputError = new();
    private double _idealSquares, _workingSquares, _product, _residual, _inputSquares;
    private double _negativeSquares, _injectedSquares, _negativeSum, _positiveSum, _largestInput;
    private long _count, _inputCount, _negatives;

    /// <summary>The checks, by <see cref="LedgerCheck"/>.</summary>
    public CheckTally[] Checks { get; } = [new(), new(), new(), new()];

    /// <summary>Working less ideal output.</summary>
    public ErrorSum Total { get; } = new();

    /// <summary>Elements of the output.</summary>
    public long Count => _count;

    /// <summary>Largest identity residual.</summary>
    public double Residual => _residual;

    /// <summary>Root of the mean square of the ideal output.</summary>
    public double IdealRms => Math.Sqrt(_idealSquares / _count);

    /// <summary>Adds elements of the output.</summary>
    public void Add(in Outcome outcome)
    {
        _count += outcome.Working.Length;
        Total.AddDifferences(outcome.Working, outcome.Ideal);
        _arithmetic.AddDifferences(outcome.Working, outcome.Exact);
        _approximation.AddDifferences(outcome.Exact, outcome.IdealOfWorking);
        _inherited.AddDifferences(outcome.IdealOfWorking, outcome.Ideal);
        _accumulatedApproximation.AddDifferences(outcome.Polynomial, outcome.Ideal);
        _accumulatedArithmetic.AddDifferences(outcome.Working, outcome.Polynomial);
        AddSignals(outcome.Working, outcome.Ideal);
        AddResidual(outcome);
    }

    /// <summary>Adds what an activation injects, split by the sign of its input.</summary>
    public void AddBySign(ReadOnlySpan<double> input, ReadOnlySpan<double> working, ReadOnlySpan<double> idealOfWorking)
    {
        int whole = input.Length - (input.Length % Vector512<double>.Count);
        ref double x = ref MemoryMarshal.GetReference(input), y = ref MemoryMarshal.GetReference(working[..input.Length]), f = ref MemoryMarshal.GetReference(idealOfWorking[..input.Length]);
        Vector512<double> largest = default, squares = default, negativeSquares = default, negativeSum = default, positiveSum = default;
        for (int i = 0; i < whole; i += Vector512<double>.Count)
        {
            Vector512<double> at = Vector512.LoadUnsafe(ref x, (nuint)i), injected = Vector512.LoadUnsafe(ref y, (nuint)i) - Vector512.LoadUnsafe(ref f, (nuint)i);
            Vector512<double> isNegative = Vector512.LessThan(at, Vector512<double>.Zero), negative = injected & isNegative;
            largest = Vector512.Max(largest, Vector512.Abs(at));
            squares += injected * injected;
            negativeSquares += negative * negative;
            negativeSum += negative;
            positiveSum += Vector512.AndNot(injected, isNegative);
            _negatives += BitOperations.PopCount(isNegative.ExtractMostSignificantBits());
        }
        for (int lane = 0; lane < Vector512<double>.Count; lane++)
        {
            _largestInput = Math.Max(_largestInput, largest[lane]);
            _injectedSquares += squares[lane];
            _negativeSquares += negativeSquares[lane];
            _negativeSum += negativeSum[lane];
            _positiveSum += positiveSum[lane];
        }
        for (int i = whole; i < input.Length; i++)
        {
            double injected = working[i] - idealOfWorking[i];
            _largestInput = Math.Max(_largestInput, Math.Abs(input[i]));
            _injectedSquares += injected * injected;
            if (input[i] < 0)
            {
                _negatives++;
                _negativeSquares += injected * injected;
                _negativeSum += injected;
            }
            else
            {
                _positiveSum += injected;
            }
        }
    }

    /// <summary>Adds elements of one input, as they are and ideally.</summary>
    public void AddInput(ReadOnlySpan<double> working, ReadOnlySpan<double> ideal)
    {
        _inputCount += working.Length;
        _inputError.AddDifferences(working, ideal);
        _inputSquares += Products(ideal, ideal);
    }

    /// <summary>Adds elements of the two inputs of an addition: their errors are what it inherits.</summary>
    public void AddBranches(ReadOnlySpan<double> working0, ReadOnlySpan<double> ideal0, ReadOnlySpan<double> working1, ReadOnlySpan<double> ideal1)
    {
        _main.AddDifferences(working0, ideal0);
        _shortcut.AddDifferences(working1, ideal1);
    }

    /// <summary>Adds the sums of another tally; not its checks.</summary>
    public void Merge(ErrorTally other)
    {
        Total.Merge(other.Total);
        _approximation.Merge(other._approximation);
        _arithmetic.Merge(other._arithmetic);
        _inherited.Merge(other._inherited);
        _accumulatedApproximation.Merge(other._accumulatedApproximation);
        _accumulatedArithmetic.Merge(other._accumulatedArithmetic);
        _main.Merge(other._main);
        _shortcut.Merge(other._shortcut);
        _idealSquares += other._idealSquares;
        _workingSquares += other._workingSquares;
        _product += other._product;
        _residual = Math.Max(_residual, other._residual);
        _inputError.Merge(other._inputError);
        _inputSquares += other._inputSquares;
        _negativeSquares += other._negativeSquares;
        _injectedSquares += other._injectedSquares;
        _negativeSum += other._negativeSum;
        _positiveSum += other._positiveSum;
        _largestInput = Math.Max(_largestInput, other._largestInput);
        _count += other._count;
        _inputCount += other._inputCount;
        _negatives += other._negatives;
    }

    /// <summary>Back to nothing.</summary>
    public void Clear()
    {
        foreach (ErrorSum sum in new[] { Total, _approximation, _arithmetic, _inherited, _accumulatedApproximation, _accumulatedArithmetic, _main, _shortcut, _inputError }) sum.Clear();
        (_idealSquares, _workingSquares, _product, _residual, _inputSquares) = (0, 0, 0, 0, 0);
        (_negativeSquares, _injectedSquares, _negativeSum, _positiveSum, _largestInput) = (0, 0, 0, 0, 0);
        (_count, _inputCount, _negatives) = (0, 0, 0);
        for (int check = 0; check < Checks.Length; check++) Checks[check] = new();
    }

    /// <summary>The figures.</summary>
    public OperationRecord Record(string path, string op, bool isActivation, bool isAddition, double? range, long outOfRange, long nonFinite, ImageSpread? spread)
    {
        ErrorSize inherited = _inherited.Size(_count);
        double inputError = Math.Sqrt(_inputError.Squares / _inputCount), input = Math.Sqrt(_inputSquares / _inputCount), signal = IdealRms;
        double? ForActivation(double value) => isActivation ? Known(value) : null;
        double? gain = inputError > 0 ? inherited.Rms / inputError : null;
        return new(
            path, op, Total.Size(_count), _approximation.Size(_count), _arithmetic.Size(_count), inherited,
            signal,
            SqnrDb: 10 * Math.Log10(_idealSquares / Total.Squares),
            gain,
            NegativeShare: ForActivation(_negativeSquares / _injectedSquares),
            NegativeElements: ForActivation((double)_negatives / _count),
            NegativeMean: ForActivation(_negativeSum / _negatives),
            PositiveMean: ForActivation(_positiveSum / (_count - _negatives)),
            outOfRange, _count > 0 ? ForActivation(_largestInput) : null, range, nonFinite, _residual)
        {
            Cosine = Known(_product / Math.Sqrt(_workingSquares * _idealSquares)),
            RelativeGain = Known(inherited.Rms / signal / (inputError / input)),
            Accumulated = new(_accumulatedApproximation.Size(_count), _accumulatedArithmetic.Size(_count)),
            Branches = isAddition ? [_main.Size(_count), _shortcut.Size(_count)] : null,
            Spread = spread,
        };
    }

    private static double? Known(double value) => double.IsFinite(value) ? value : null;

    private void AddSignals(ReadOnlySpan<double> working, ReadOnlySpan<double> ideal)
    {
        _workingSquares += Products(working, working);
        _idealSquares += Products(ideal, ideal);
        _product += Products(working, ideal);
    }

    private void AddResidual(in Outcome outcome)
    {
        int length = outcome.Working.Length, whole = length - (length % Vector512<double>.Count);
        ref double working = ref MemoryMarshal.GetReference(outcome.Working), exact = ref MemoryMarshal.GetReference(outcome.Exact[..length]);
        ref double idealOfWorking = ref MemoryMarshal.GetReference(outcome.IdealOfWorking[..length]), ideal = ref MemoryMarshal.GetReference(outcome.Ideal[..length]);
        for (int i = 0; i < whole; i += Vector512<double>.Count)
        {
            Vector512<double> y = Vector512.LoadUnsafe(ref working, (nuint)i), e = Vector512.LoadUnsafe(ref exact, (nuint)i);
            Vector512<double> f = Vector512.LoadUnsafe(ref idealOfWorking, (nuint)i), g = Vector512.LoadUnsafe(ref ideal, (nuint)i);
            Vector512<double> total = y - g, arithmetic = y - e, approximation = e - f, inherited = f - g;
            Vector512<double> largest = Vector512.Max(Vector512.Max(Vector512.Abs(total), Vector512.Abs(arithmetic)), Vector512.Max(Vector512.Abs(approximation), Vector512.Abs(inherited)));
            Vector512<double> residual = Vector512.Abs(total - (arithmetic + approximation + inherited));
            if (Vector512.GreaterThanAny(residual, largest * _residual)) _residual = Math.Max(_residual, Largest(residual / largest));
        }
        for (int i = whole; i < length; i++)
        {
            double total = outcome.Working[i] - outcome.Ideal[i], arithmetic = outcome.Working[i] - outcome.Exact[i];
            double approximation = outcome.Exact[i] - outcome.IdealOfWorking[i], inherited = outcome.IdealOfWorking[i] - outcome.Ideal[i];
            double largest = Math.Max(Math.Max(Math.Abs(total), Math.Abs(arithmetic)), Math.Max(Math.Abs(approximation), Math.Abs(inherited)));
            if (largest > 0) _residual = Math.Max(_residual, Math.Abs(total - (arithmetic + approximation + inherited)) / largest);
        }
    }

    /// <summary>The largest lane that is a number: where all four terms are 0, their quotient is none.</summary>
    private static double Largest(Vector512<double> values)
    {
        double largest = 0;
        for (int lane = 0; lane < Vector512<double>.Count; lane++) largest = values[lane] > largest ? values[lane] : largest;
        return largest;
    }

    /// <summary>Sum of products, in eight partial sums as <see cref="ErrorSum.AddDifferences"/>.</summary>
    private static double Products(ReadOnlySpan<double> a, ReadOnlySpan<double> b)
    {
        int whole = a.Length - (a.Length % Vector512<double>.Count);
        ref double left = ref MemoryMarshal.GetReference(a), right = ref MemoryMarshal.GetReference(b[..a.Length]);
        Vector512<double> sums = default;
        for (int i = 0; i < whole; i += Vector512<double>.Count) sums += Vector512.LoadUnsafe(ref left, (nuint)i) * Vector512.LoadUnsafe(ref right, (nuint)i);
        double sum = 0;
        for (int lane = 0; lane < Vector512<double>.Count; lane++) sum += sums[lane];
        for (int i = whole; i < a.Length; i++) sum += a[i] * b[i];
        return sum;
    }
}
