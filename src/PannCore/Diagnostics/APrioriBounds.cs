using System.Numerics.Tensors;
using PannCore.Approximation;
using PannCore.Engine;
using PannCore.Ops;
using Tensor = PannCore.Engine.Tensor;

namespace PannCore.Diagnostics;

/// <summary>
/// Bounds the total error of every operation for all images whose inputs stay in range, from weights, ranges and certificates alone. It observes a run for the order of the
/// operations; the numbers of that run play no part.
/// </summary>
/// <remarks>
/// Every tensor has two bounds, element by element: m of what the run can hold there, and d of its error. Into the network come m, the largest magnitude that a pixel can have, and d = 0.
/// An affine operation, f(x) = W x + c, gives <c>m' = |W| m + |c| + ρ(m)</c> and <c>d' = |W| d + ρ(m)</c>, ρ the rounding bound of its float32 kernel, <see cref="Op.RoundingBound"/>.
/// At an activation of range B, m is at most B by assumption; then <c>d' = B E + e + L d</c> and <c>m' = L m + B E + e</c>, E its certified error, L its ideal's Lipschitz constant
/// and e its evaluation error: what is proved of the recurrence in the arithmetic it uses, and what <see cref="Op.RoundingBound"/> allows for argument and outer constants.
/// </remarks>
/// <param name="workspace">Threads, and the convolution whose rounding is bounded.</param>
/// <param name="input">The largest magnitude of each element of one image.</param>
internal sealed class APrioriBounds(Workspace workspace, DoubleTensor input) : IRunObserver
{
    private static readonly double SingleRoundoff = Math.ScaleB(1, -24), DoubleRoundoff = Math.ScaleB(1, -53);

    private readonly Dictionary<Tensor, (DoubleTensor Magnitude, DoubleTensor Error)> _known = [];
    private readonly Dictionary<string, double> _byPath = [];
    private readonly Dictionary<(ReluPolynomial, PolynomialArithmetic), double> _proved = [];
    private bool _vacuous;

    /// <summary>The largest bound of each operation's output; infinity from the first that is vacuous on.</summary>
    public IReadOnlyDictionary<string, double> ByPath => _byPath;

    /// <summary>The first activation whose bound exceeds its range, or from which on it is not finite; null if there is none.</summary>
    public string? VacuousAt { get; private set; }

    /// <inheritdoc/>
    public void Forward(Op op, string path, IReadOnlyList<Tensor> inputs, Tensor output)
    {
        _byPath[path] = double.PositiveInfinity;
        if (_vacuous)
        {
            if (op.Activation is not null) VacuousAt ??= path;
            return;
        }
        DoubleTensor[] magnitudes = new DoubleTensor[inputs.Count], errors = new DoubleTensor[inputs.Count];
        for (int j = 0; j < inputs.Count; j++)
        {
            if (!_known.TryGetValue(inputs[j], out (DoubleTensor Magnitude, DoubleTensor Error) known)) _known[inputs[j]] = known = (input, new(input.Shape));
            (magnitudes[j], errors[j]) = known;
        }
        double range = op.Activation?.Range ?? double.PositiveInfinity;
        if (double.IsFinite(range))
        {
            magnitudes[0] = new(magnitudes[0].Shape, [.. magnitudes[0].Values]);
            TensorPrimitives.Min(magnitudes[0].Values, range, magnitudes[0].Values);
        }
        DoubleTensor magnitude = new(output.Shape), error = new(output.Shape), rounding = new(output.Shape), constant = new(output.Shape);
        op.RoundingBound(workspace, magnitudes, SingleRoundoff, rounding);
        if (op.Activation is { } activation)
        {
            // A leaky ReLU rounds negative inputs only; of all others the bound is that of the magnitude.
            var negative = new DoubleTensor(output.Shape);
            op.RoundingBound(workspace, [new(magnitudes[0].Shape, [.. magnitudes[0].Values.Select(m => -m)])], SingleRoundoff, negative);
            TensorPrimitives.Max(rounding.Values, negative.Values, rounding.Values);
            TensorPrimitives.Add(rounding.Values, activation.ApproximationBound + Evaluation(op), rounding.Values);
        }
        else op.Exact(workspace, [.. inputs.Select(x => new DoubleTensor(x.Shape))], constant);
        op.PropagateBound(workspace, null, magnitudes, magnitude);
        op.PropagateBound(workspace, null, errors, error);
        double[] fine = Float64Rounding(op, magnitudes, errors, output.Shape), m = magnitude.Values, d = error.Values;

        // Three sums here; whatever is summed up in a rounding bound has no more terms than an image has elements, and a few factors.
        double outwards = Rounding.Outwards((inputs.Sum(x => x.Shape.Length) / output.Shape[0]) + 16);
        for (int i = 0; i < d.Length; i++)
        {
            m[i] = outwards * (m[i] + Math.Abs(constant.Values[i]) + rounding.Values[i] + fine[i]);
            d[i] = outwards * (d[i] + rounding.Values[i] + fine[i]);
        }
        _known[output] = (magnitude, error);
        double largest = TensorPrimitives.Max(d);
        if (largest <= range && double.IsFinite(largest)) _byPath[path] = largest;
        else (_vacuous, VacuousAt) = (true, op.Activation is null ? null : path);
    }

    /// <summary>
    /// What is proved of a polynomial's recurrence. Where it is evaluated in float64, the bound of the last rounding is that of r(m) instead of the largest |r| up to m: at most 2 B E more.
    /// </summary>
    private double Evaluation(Op op)
    {
        if (op is not PolynomialRelu relu) return 0;
        if (!_proved.TryGetValue((relu.Polynomial, relu.Arithmetic), out double proved))
        {
            proved = ClenshawRounding.Of(relu.Polynomial, relu.Arithmetic == PolynomialArithmetic.Float32 ? RoundingModel.Single : RoundingModel.Double);
            _proved[(relu.Polynomial, relu.Arithmetic)] = proved;
        }
        return relu.Range * (proved + (2 * SingleRoundoff * relu.Polynomial.MaxError));
    }

    /// <summary>Float64's rounding of the constant, and of the ideal network where it is evaluated in float64: as in <see cref="SoundBounds"/>.</summary>
    private double[] Float64Rounding(Op op, DoubleTensor[] magnitudes, DoubleTensor[] errors, Shape shape)
    {
        var fine = new DoubleTensor(shape);
        DoubleTensor[] largest = [.. magnitudes.Select(m => new DoubleTensor(m.Shape))];
        for (int j = 0; j < largest.Length; j++) TensorPrimitives.Add(magnitudes[j].Values, errors[j].Values, largest[j].Values);
        if (op.Activation is { } activation) TensorPrimitives.Multiply(largest[0].Values, activation.IdealLipschitz * DoubleRoundoff, fine.Values);
        else op.RoundingBound(workspace, largest, DoubleRoundoff, fine);
        TensorPrimitives.Multiply(fine.Values, 4.0, fine.Values);
        return fine.Values;
    }
}
