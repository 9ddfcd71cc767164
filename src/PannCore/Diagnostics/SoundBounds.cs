using System.Numerics.Tensors;
using PannCore.Engine;
using PannCore.Training;
using Tensor = PannCore.Engine.Tensor;

namespace PannCore.Diagnostics;

/// <summary>
/// Bounds, a posteriori and element by element, the total error of a float32 run: how far its outputs are from those of the ideal network.
/// </summary>
/// <remarks>
/// <para>
/// With x^ and y^ the inputs and the output of the run, x the ideal network's inputs, |x^ - x| at most d, and f the function that the operation stands for,
/// <c>|y^ - f(x)| &lt;= |y^ - f(x^)| + |f(x^) - f(x)|</c>. The first term, what is injected here by approximation and arithmetic together, is known: f(x^) is computed in float64,
/// whichever kernel y^ came from. The second is bounded by <see cref="Op.PropagateBound"/> from d alone. So only what is inherited is ever estimated, and the bound holds inside the range and outside.
/// </para>
/// <para>
/// <b>Rounding.</b> Float64's own rounding of f at x^ is added, and of f at x too, so that the bound holds for an ideal network in exact arithmetic and for its float64
/// evaluation alike. Both inputs are at most |x^| + d; <see cref="Op.RoundingBound"/> there is taken four times: for two evaluations, and because in float64 batch-norm's scale is rounded
/// in three steps (seven and a half roundings in all against the four that the bound counts). An activation's ideal rounds once. The sum of the three terms is rounded outwards (<see cref="Rounding.Outwards"/>).
/// </para>
/// </remarks>
/// <param name="workspace">Threads.</param>
internal sealed class SoundBounds(Workspace workspace) : IRunObserver
{
    private static readonly double UnitRoundoff = Math.ScaleB(1, -53);

    private readonly Dictionary<Tensor, (DoubleTensor Ideal, DoubleTensor Bound)> _known = [];
    private readonly OrderedDictionary<string, Line> _lines = [];
    private Tensor? _last;

    /// <summary>The bound of an output of the run that is observed now.</summary>
    public DoubleTensor BoundOf(Tensor output) => _known[output].Bound;

    /// <summary>One line an operation, in the order of execution, without the a-priori bound.</summary>
    public IEnumerable<OperationBound> Operations => _lines.Select(pair => pair.Value.Record(pair.Key));

    /// <summary>Images whose prediction is proved to be the ideal network's.</summary>
    public int Decided { get; private set; }

    /// <inheritdoc/>
    public void Forward(Op op, string path, IReadOnlyList<Tensor> inputs, Tensor output)
    {
        if (output.Run.Statistics == Statistics.Training)
            throw new InvalidOperationException($"bounds: {path}: batch-norm must use evaluation statistics, the run uses training statistics");
        if (output.Run.Convolution != workspace.Convolution)
            throw new InvalidOperationException($"bounds: {path}: rounding is bounded for {workspace.Convolution} convolutions, the run's are {output.Run.Convolution}");
        DoubleTensor[] working = new DoubleTensor[inputs.Count], ideals = new DoubleTensor[inputs.Count], incoming = new DoubleTensor[inputs.Count];
        for (int j = 0; j < inputs.Count; j++)
        {
            working[j] = DoubleTensor.From(inputs[j].Shape, inputs[j].Values);
            if (!_known.TryGetValue(inputs[j], out (DoubleTensor Ideal, DoubleTensor Bound) known)) _known[inputs[j]] = known = (working[j], new(inputs[j].Shape));
            (ideals[j], incoming[j]) = known;
        }
        DoubleTensor injected = new(output.Shape), ideal = new(output.Shape), bound = new(output.Shape), total = DoubleTensor.From(output.Shape, output.Values);
        op.Ideal(workspace, working, injected);
        op.Ideal(workspace, ideals, ideal);
        DoubleTensor rounding = Rounding(op, working, incoming, injected, ideal);
        op.PropagateBound(workspace, working, incoming, bound);
        TensorPrimitives.Add(bound.Values, rounding.Values, bound.Values);
        TensorPrimitives.Subtract(total.Values, injected.Values, injected.Values);
        TensorPrimitives.Abs(injected.Values, injected.Values);
        TensorPrimitives.Add(bound.Values, injected.Values, bound.Values);
        TensorPrimitives.Multiply(bound.Values, Engine.Rounding.Outwards(3), bound.Values);
        for (int i = 0; i < bound.Values.Length; i++)
        {
            if (double.IsNaN(bound.Values[i])) bound.Values[i] = double.PositiveInfinity;
        }
        _known[output] = (ideal, bound);
        TensorPrimitives.Subtract(total.Values, ideal.Values, total.Values);
        if (!_lines.TryGetValue(path, out Line? line)) _lines[path] = line = new(op.Name);
        line.Add(total.Values, bound.Values, output.Shape[0]);
        _last = output;
    }

    /// <summary>Ends a run whose last output are the logits [N, classes], while these are still there.</summary>
    public void Finish()
    {
        if (_last is not { } logits) return;
        double[] bounds = _known[logits].Bound.Values;
        int classes = logits.Shape.Length / logits.Shape[0];
        for (int n = 0; n < logits.Shape[0]; n++)
        {
            if (IsDecided(logits.Values.Slice(n * classes, classes), bounds.AsSpan(n * classes, classes))) Decided++;
        }
        _known.Clear();
        _last = null;
    }

    /// <summary>Whether the largest logit stays the largest however all of them are moved within their bounds; one rounding of a difference and one of a sum are allowed for.</summary>
    internal static bool IsDecided(ReadOnlySpan<float> logits, ReadOnlySpan<double> bounds)
    {
        int predicted = Evaluation.Predict(logits);
        if (predicted < 0) return false;
        for (int k = 0; k < logits.Length; k++)
        {
            double margin = (double)logits[predicted] - logits[k];
            if (k != predicted && !(margin > (bounds[predicted] + bounds[k]) * Engine.Rounding.Outwards(2))) return false;
        }
        return true;
    }

    /// <summary>Float64's rounding of the ideal function at both inputs.</summary>
    private DoubleTensor Rounding(Op op, DoubleTensor[] working, DoubleTensor[] incoming, DoubleTensor idealOfWorking, DoubleTensor ideal)
    {
        var rounding = new DoubleTensor(ideal.Shape);
        if (op.Activation is not null)
        {
            for (int i = 0; i < rounding.Values.Length; i++) rounding.Values[i] = 2 * UnitRoundoff * (Math.Abs(idealOfWorking.Values[i]) + Math.Abs(ideal.Values[i]));
            return rounding;
        }
        DoubleTensor[] largest = new DoubleTensor[working.Length];
        for (int j = 0; j < largest.Length; j++)
        {
            largest[j] = new(working[j].Shape);
            TensorPrimitives.Abs(working[j].Values, largest[j].Values);
            TensorPrimitives.Add(largest[j].Values, incoming[j].Values, largest[j].Values);
        }
        op.RoundingBound(workspace, largest, UnitRoundoff, rounding);
        TensorPrimitives.Multiply(rounding.Values, 4.0, rounding.Values);
        return rounding;
    }

    /// <summary>Running figures of one operation.</summary>
    private sealed class Line(string op)
    {
        private readonly List<double> _ratios = [];
        private double _measured, _bound;

        public void Add(double[] errors, double[] bounds, int images)
        {
            int size = errors.Length / images;
            for (int n = 0; n < images; n++)
            {
                double error = Math.Abs(TensorPrimitives.MaxMagnitude(errors.AsSpan(n * size, size))), bound = TensorPrimitives.Max(bounds.AsSpan(n * size, size));
                _measured = Math.Max(_measured, error);
                _bound = Math.Max(_bound, bound);
                _ratios.Add(bound == 0 ? 1 : bound / error);
            }
        }

        public OperationBound Record(string path)
        {
            return new(path, op, _measured, _bound, Median.Of(_ratios), double.PositiveInfinity);
        }
    }
}
