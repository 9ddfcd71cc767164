using PannCore.Engine;

namespace PannCore.Diagnostics;

/// <summary>Running sums of one operation's ledger line, over batches.</summary>
internal sealed class LedgerLine(string path, string op)
{
    private readonly ErrorSum _total = new(), _approximation = new(), _arithmetic = new(), _inherited = new();
    private double _idealSquares, _inputErrorSquares, _negativeSquares, _injectedSquares, _negativeSum, _positiveSum, _largestInput, _residual;
    private long _count, _inputCount, _negatives, _outOfRange;
    private ActivationTraits? _activation;

    /// <summary>Adds a batch: what came out, the exact and the ideal function of what came in, and the ideal output.</summary>
    public void Add(Op operation, IReadOnlyList<DoubleTensor> inputs, IReadOnlyList<DoubleTensor> idealInputs, ReadOnlySpan<float> output, double[] exact, double[] idealOfWorking, double[] ideal)
    {
        _activation = operation.Activation;
        double[] x = inputs[0].Values;
        for (int i = 0; i < ideal.Length; i++)
        {
            double total = output[i] - ideal[i], arithmetic = output[i] - exact[i], approximation = exact[i] - idealOfWorking[i], inherited = idealOfWorking[i] - ideal[i];
            double largest = Math.Max(Math.Max(Math.Abs(total), Math.Abs(arithmetic)), Math.Max(Math.Abs(approximation), Math.Abs(inherited)));
            if (largest > 0) _residual = Math.Max(_residual, Math.Abs(total - (arithmetic + approximation + inherited)) / largest);
            _total.Add(total);
            _arithmetic.Add(arithmetic);
            _approximation.Add(approximation);
            _inherited.Add(inherited);
            _idealSquares += ideal[i] * ideal[i];
            if (_activation is null) continue;
            double injected = arithmetic + approximation;
            _injectedSquares += injected * injected;
            _largestInput = Math.Max(_largestInput, Math.Abs(x[i]));
            if (Math.Abs(x[i]) > _activation.Range) _outOfRange++;
            if (x[i] < 0)
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
        _count += ideal.Length;
        for (int j = 0; j < inputs.Count; j++)
        {
            for (int i = 0; i < inputs[j].Values.Length; i++)
            {
                double error = inputs[j].Values[i] - idealInputs[j].Values[i];
                _inputErrorSquares += error * error;
            }
            _inputCount += inputs[j].Values.Length;
        }
    }

    public OperationRecord Record()
    {
        ErrorSize total = _total.Size(_count), inherited = _inherited.Size(_count);
        double inputError = Math.Sqrt(_inputErrorSquares / Math.Max(1, _inputCount));
        double? ForActivation(double value) => _activation is not null && double.IsFinite(value) ? value : null;
        return new(
            path, op, total, _approximation.Size(_count), _arithmetic.Size(_count), inherited,
            IdealRms: Math.Sqrt(_idealSquares / Math.Max(1, _count)),
            SqnrDb: 10 * Math.Log10(_idealSquares / _total.Squares),
            Gain: inputError == 0 ? null : inherited.Rms / inputError,
            NegativeShare: ForActivation(_negativeSquares / _injectedSquares),
            NegativeElements: ForActivation((double)_negatives / _count),
            NegativeMean: ForActivation(_negativeSum / _negatives),
            PositiveMean: ForActivation(_positiveSum / (_count - _negatives)),
            _outOfRange, ForActivation(_largestInput), _activation?.Range, NonFinite: 0, _residual);
    }
}
