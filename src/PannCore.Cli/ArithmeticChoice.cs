using System.CommandLine;
using PannCore.Data;
using PannCore.Diagnostics;
using PannCore.Engine;
using PannCore.Training;

namespace PannCore.Cli;

/// <summary>The arithmetic of <c>--arithmetic</c>, evaluated in lock-step with the float32 run that every verb makes.</summary>
/// <param name="Name">The canonical text.</param>
/// <param name="Observer">What to attach to the run; null for float32, which is that run itself.</param>
/// <param name="Answers">The answers for all images of a data set, in their order.</param>
/// <param name="FixedPoint">The fixed-point arithmetic, if it is one.</param>
internal sealed record ArithmeticChoice(string Name, IRunObserver? Observer, Func<Cifar10, Evaluation>? Answers, FixedPointArithmetic? FixedPoint)
{
    /// <summary>Images at a time: every value of a batch is kept until its end.</summary>
    public const int LargestBatch = 16;

    private const string Single = "float32", Exact = "double";

    public static Option<string> Option() => new("--arithmetic")
    {
        HelpName = "NAME",
        Description = "float32, double, or fixed:F,L: F fraction bits in a ring of 2^L, as multiparty protocols use, with products truncated downwards, or fixed:F,L,stochastic: at random.",
        DefaultValueFactory = _ => Single,
    };

    public static Option<long> Seed() => new("--seed") { HelpName = "N", Description = "Random numbers of stochastic truncation.", DefaultValueFactory = _ => 1 };

    /// <summary>The arithmetic of this name.</summary>
    /// <exception cref="BadInputException">There is none.</exception>
    public static ArithmeticChoice Of(string text, Workspace workspace, long seed)
    {
        if (text == Single) return new(Single, null, null, null);
        if (text == Exact) return InLockStep(Exact, new Float64Arithmetic(workspace), null);
        var arithmetic = new FixedPointArithmetic(FixedPointFormat.Parse(text), workspace, seed);
        return InLockStep(arithmetic.Format.ToString(), arithmetic, arithmetic);
    }

    /// <summary>What it did, beside the float32 run.</summary>
    public ArithmeticRecord Record(Evaluation single, Evaluation own) => new(
        Name, single.Accuracy, single.Predictions.Zip(own.Predictions).Count(pair => pair.First != pair.Second),
        FixedPoint?.WrappedImages ?? 0, FixedPoint?.WrapArounds ?? []);

    private static ArithmeticChoice InLockStep<T>(string name, IArithmetic<T> arithmetic, FixedPointArithmetic? fixedPoint)
    {
        var steps = new LockStep<T>(arithmetic);
        return new(name, steps, data => steps.Answers(data.Labels), fixedPoint);
    }
}

/// <summary>An arithmetic beside float32.</summary>
/// <param name="Name">float32, double or fixed:F,L.</param>
/// <param name="Float32Accuracy">Percent right in float32.</param>
/// <param name="ChangedPredictions">Images answered otherwise than in float32.</param>
/// <param name="WrappedImages">Images in which a value left the ring.</param>
/// <param name="WrapArounds">Where, in the order of execution.</param>
internal sealed record ArithmeticRecord(string Name, double Float32Accuracy, int ChangedPredictions, int WrappedImages, IReadOnlyList<WrapAround> WrapArounds);
