using PannCore.Engine;
using PannCore.Training;

namespace PannCore.Diagnostics;

/// <summary>The arithmetic that a text names, ready to evaluate a network in lock-step with its float32 run: attach <see cref="Observer"/> to that run.</summary>
public sealed class ArithmeticModel
{
    private const string Exact = "double";

    private readonly Func<byte[], Evaluation> _answers;
    private readonly Func<IReadOnlyList<ArithmeticOperation>> _operations;
    private readonly FixedPointArithmetic? _fixedPoint;

    private ArithmeticModel(string name, IRunObserver observer, Func<byte[], Evaluation> answers, Func<IReadOnlyList<ArithmeticOperation>> operations, FixedPointArithmetic? fixedPoint)
        => (Name, Observer, _answers, _operations, _fixedPoint) = (name, observer, answers, operations, fixedPoint);

    /// <summary>The arithmetic of the engine, which is no model: <c>float32</c>.</summary>
    public const string Engine = "float32";

    /// <summary>Images at a time: every value of a batch is kept until its end.</summary>
    public const int LargestBatch = 16;

    /// <summary>The canonical text.</summary>
    public string Name { get; }

    /// <summary>What to attach to the float32 run.</summary>
    public IRunObserver Observer { get; }

    /// <summary>Whether it has a ring that values can leave.</summary>
    public bool HasRing => _fixedPoint is not null;

    /// <summary>The arithmetic of a text; null for <c>float32</c>.</summary>
    /// <param name="text"><c>float32</c>, <c>double</c>, or as <see cref="FixedPointFormat.Parse"/> reads it.</param>
    /// <param name="workspace">Threads and memory.</param>
    /// <param name="seed">For stochastic truncation.</param>
    /// <param name="ledger">Whether to measure the error of every operation too, which takes about twice the time.</param>
    /// <exception cref="BadInputException">There is no such arithmetic.</exception>
    public static ArithmeticModel? Of(string text, Workspace workspace, long seed = 1, bool ledger = false)
    {
        if (text == Engine) return null;
        if (text == Exact) return InLockStep(Exact, new Float64Arithmetic(workspace), workspace, ledger, null);
        var arithmetic = new FixedPointArithmetic(FixedPointFormat.Parse(text), workspace, seed);
        return InLockStep(arithmetic.Format.ToString(), arithmetic, workspace, ledger, arithmetic);
    }

    /// <summary>What it did with the images seen so far.</summary>
    /// <param name="labels">Their classes, in the order of evaluation.</param>
    /// <param name="single">What float32 answered for them.</param>
    /// <param name="own">Receives its own answers.</param>
    public ArithmeticRecord Record(byte[] labels, Evaluation single, out Evaluation own)
    {
        ArgumentNullException.ThrowIfNull(single);
        Evaluation answers = own = _answers(labels);
        return new(
            Name, own.Accuracy, single.Accuracy, single.Predictions.Where((prediction, i) => prediction != answers.Predictions[i]).Count(),
            _fixedPoint?.WrappedImages ?? 0, _fixedPoint?.WrapArounds ?? [], _operations());
    }

    private static ArithmeticModel InLockStep<T>(string name, IArithmetic<T> arithmetic, Workspace workspace, bool ledger, FixedPointArithmetic? fixedPoint)
    {
        if (ledger)
        {
            var lines = new ArithmeticLedger<T>(arithmetic, workspace);
            var both = new LockStep<ModelAndExact<T>>(lines);
            return new(name, both, labels => both.Answers(labels), () => lines.Operations, fixedPoint);
        }
        var steps = new LockStep<T>(arithmetic);
        return new(name, steps, labels => steps.Answers(labels), () => [], fixedPoint);
    }
}

/// <summary>An arithmetic beside float32.</summary>
/// <param name="Name">float32, double or fixed:F,L.</param>
/// <param name="Accuracy">Percent right in it.</param>
/// <param name="Float32Accuracy">Percent right in float32, on the same images.</param>
/// <param name="ChangedPredictions">Images answered otherwise than in float32.</param>
/// <param name="WrappedImages">Images in which a value left the ring.</param>
/// <param name="WrapArounds">Where, in the order of execution.</param>
/// <param name="Operations">The error of every operation, if it was measured.</param>
public sealed record ArithmeticRecord(
    string Name, double Accuracy, double Float32Accuracy, int ChangedPredictions, int WrappedImages, IReadOnlyList<WrapAround> WrapArounds, IReadOnlyList<ArithmeticOperation> Operations);
