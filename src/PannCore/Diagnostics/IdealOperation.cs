using PannCore.Engine;
using PannCore.Ops;

namespace PannCore.Diagnostics;

/// <summary>The function f that one operation is compared with, and what is known of it.</summary>
internal sealed class IdealOperation
{
    private readonly Action<Workspace, IReadOnlyList<DoubleTensor>, DoubleTensor> _function;

    private IdealOperation(Op map, Action<Workspace, IReadOnlyList<DoubleTensor>, DoubleTensor> function) => (Map, _function) = (map, function);

    /// <summary>The operation that computes f where f is affine, and its rounding.</summary>
    public Op Map { get; }

    /// <summary>Whether f is the operation itself: its value is then that of exact arithmetic, bit for bit.</summary>
    public bool IsItself { get; private init; }

    /// <summary>Of an activation: largest |exact - f| for inputs in its range; infinity where none is known.</summary>
    public double ApproximationBound { get; private init; } = double.PositiveInfinity;

    /// <summary>Of an activation: largest factor by which f can enlarge an error of its input, for inputs in <see cref="LipschitzRange"/>; infinity where none is known.</summary>
    public double Lipschitz { get; private init; } = double.PositiveInfinity;

    /// <summary>The inputs for which the factor holds: [-B, B]; infinity for all.</summary>
    public double LipschitzRange { get; private init; } = double.PositiveInfinity;

    /// <summary>The function that an operation stands for.</summary>
    public static IdealOperation StandsFor(Op op) => op.Activation is not { } traits ? Exact(op, op) : new(op, op.Ideal)
    {
        ApproximationBound = traits.ApproximationBound,
        Lipschitz = traits.IdealLipschitz,
    };

    /// <summary>(Leaky) ReLU for an activation, any other operation itself.</summary>
    public static IdealOperation Leaky(Op op, double slope)
    {
        // The engine's slopes are float32: 0.1 there is this 0.1.
        if (op.Activation is null || (float?)SlopeOf(op) == (float)slope) return StandsFor(op);
        return new(op, (workspace, x, y) => LeakyRelu.Run(workspace, slope, x[0].Values, y.Values)) { Lipschitz = 1 };
    }

    /// <summary>An operation in exact arithmetic: the same, or another network's at its place.</summary>
    public static IdealOperation Exact(Op op, Op map)
    {
        bool isItself = ReferenceEquals(op, map);
        double lipschitz = double.PositiveInfinity, range = double.PositiveInfinity;
        if (map is PolynomialRelu polynomial) (lipschitz, range) = (polynomial.Polynomial.LargestSlope, polynomial.Range);
        else if (map.Activation is { ApproximationBound: 0 } traits) lipschitz = traits.IdealLipschitz;
        return new(map, map.Exact) { IsItself = isItself, ApproximationBound = isItself ? 0 : BoundTo(op, map), Lipschitz = lipschitz, LipschitzRange = range };
    }

    /// <summary>f, in float64.</summary>
    public void Apply(Workspace workspace, IReadOnlyList<DoubleTensor> inputs, DoubleTensor output) => _function(workspace, inputs, output);

    /// <summary>The certified bound of a polynomial holds for the function that it stands for, so for a ReLU of its slope, to the rounding of that slope.</summary>
    private static double BoundTo(Op op, Op map)
    {
        if (map is not Relu relu || op.Activation is not { } traits || SlopeOf(op) is not double slope || (float)slope != relu.Slope) return double.PositiveInfinity;
        double difference = Math.Abs(slope - relu.Slope);
        return difference == 0 ? traits.ApproximationBound : traits.ApproximationBound + (difference * (traits.Range ?? double.PositiveInfinity));
    }

    private static double? SlopeOf(Op op) => op switch
    {
        PolynomialRelu polynomial => polynomial.Polynomial.Leak,
        Relu relu => relu.Slope,
        _ => null,
    };
}
