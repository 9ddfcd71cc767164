using PannCore.Engine;
using PannCore.Training;

namespace PannCore.Diagnostics;

/// <summary>Evaluates a network in an arithmetic of its own while it observes the float32 run that shows it the operations; that run is not changed.</summary>
/// <param name="arithmetic">The arithmetic.</param>
public sealed class LockStep<T>(IArithmetic<T> arithmetic) : IRunObserver
{
    private readonly Dictionary<Tensor, T> _values = [];
    private readonly List<float> _logits = [];
    private (Run Run, T Value)? _last;
    private int _images;

    /// <summary>The network's outputs so far, image by image, rounded to float32.</summary>
    public IReadOnlyList<float> Logits
    {
        get
        {
            Finish();
            return _logits;
        }
    }

    /// <inheritdoc/>
    public void Forward(Op op, string path, IReadOnlyList<Tensor> inputs, Tensor output)
    {
        if (output.Run.Statistics == Statistics.Training)
            throw new InvalidOperationException($"arithmetic: {path}: batch-norm must use evaluation statistics, the run uses training statistics");
        if (_last is { } last && last.Run != output.Run) Finish();
        T[] x = [.. inputs.Select(input => _values.TryGetValue(input, out T? known) ? known : _values[input] = arithmetic.Encode(input))];
        T y = _values[output] = arithmetic.Evaluate(op, path, x, output.Shape);
        _last = (output.Run, y);
    }

    /// <summary>The answers, by the same rule as <see cref="Evaluation.Of"/>: an output that is not finite is wrong.</summary>
    /// <param name="labels">The right class of every image, in the order of evaluation.</param>
    /// <exception cref="ArgumentException">As many labels as images are expected, and at least one.</exception>
    public Evaluation Answers(ReadOnlySpan<byte> labels)
    {
        float[] logits = [.. Logits];
        if (labels.Length != _images || _images == 0) throw new ArgumentException($"arithmetic: expected a label for each of the images evaluated, {_images}, found {labels.Length}", nameof(labels));
        int[] predictions = new int[labels.Length];
        int classes = logits.Length / labels.Length, correct = 0;
        for (int n = 0; n < predictions.Length; n++)
        {
            predictions[n] = Evaluation.Predict(logits.AsSpan(n * classes, classes));
            if (predictions[n] == labels[n]) correct++;
        }
        return new(predictions, logits, correct);
    }

    /// <summary>The last operation of a run has given the network's output.</summary>
    private void Finish()
    {
        if (_last is not { } last) return;
        DoubleTensor logits = arithmetic.Decode(last.Value);
        foreach (double logit in logits.Values) _logits.Add((float)logit);
        _images += logits.Shape[0];
        _values.Clear();
        _last = null;
    }
}
