using PannCore.Engine;

namespace PannCore.Diagnostics;

/// <summary>
/// What an arithmetic does to each operation: injected is its output less the same operation in float64 at the same inputs; accumulated is its output less that of the network in float64
/// throughout; inherited is the difference, what arrived in the inputs. Between networks with the same activations, so that no approximation is in it.
/// </summary>
/// <param name="Path">Where in the network; <c>input</c> for the rounding of its input.</param>
/// <param name="Op">The operation's name.</param>
/// <param name="Injected">Arithmetic error made here.</param>
/// <param name="Inherited">The error that arrived, as float64 passes it on.</param>
/// <param name="Accumulated">Their sum.</param>
/// <param name="SignalRms">Root mean square of the output in float64.</param>
public sealed record ArithmeticOperation(string Path, string Op, ErrorSize Injected, ErrorSize Inherited, ErrorSize Accumulated, double SignalRms);

/// <summary>What an arithmetic gives, and the network in float64 throughout.</summary>
/// <param name="Model">The arithmetic's value.</param>
/// <param name="Exact">The value in float64.</param>
internal sealed record ModelAndExact<T>(T Model, DoubleTensor Exact);

/// <summary>Evaluates in an arithmetic and in float64 side by side and sums up the differences.</summary>
/// <param name="model">The arithmetic.</param>
/// <param name="workspace">Threads and memory.</param>
internal sealed class ArithmeticLedger<T>(IArithmetic<T> model, Workspace workspace) : IArithmetic<ModelAndExact<T>>
{
    private readonly OrderedDictionary<string, Line> _lines = [];

    /// <summary>One line an operation, in the order of execution.</summary>
    public IReadOnlyList<ArithmeticOperation> Operations => [.. _lines.Select(line => line.Value.Record(line.Key))];

    public ModelAndExact<T> Encode(Tensor x)
    {
        var exact = DoubleTensor.From(x.Shape, x.Values);
        T encoded = model.Encode(x);
        Add("input", "input", model.Decode(encoded), exact, exact);
        return new(encoded, exact);
    }

    public DoubleTensor Decode(ModelAndExact<T> x) => model.Decode(x.Model);

    public ModelAndExact<T> Evaluate(Op op, string path, IReadOnlyList<ModelAndExact<T>> inputs, Shape output)
    {
        T value = model.Evaluate(op, path, [.. inputs.Select(x => x.Model)], output);
        DoubleTensor exact = new(output), exactOfModel = new(output);
        op.Exact(workspace, [.. inputs.Select(x => x.Exact)], exact);
        op.Exact(workspace, [.. inputs.Select(x => model.Decode(x.Model))], exactOfModel);
        Add(path, op.Name, model.Decode(value), exactOfModel, exact);
        return new(value, exact);
    }

    private void Add(string path, string op, DoubleTensor value, DoubleTensor exactOfModel, DoubleTensor exact)
    {
        if (!_lines.TryGetValue(path, out Line? line)) _lines[path] = line = new Line(op);
        line.Add(value.Values, exactOfModel.Values, exact.Values);
    }

    private sealed class Line(string op)
    {
        private readonly ErrorSum _injected = new(), _inherited = new(), _accumulated = new(), _signal = new();
        private long _count;

        public void Add(double[] value, double[] exactOfModel, double[] exact)
        {
            for (int i = 0; i < value.Length; i++)
            {
                _injected.Add(value[i] - exactOfModel[i]);
                _inherited.Add(exactOfModel[i] - exact[i]);
                _accumulated.Add(value[i] - exact[i]);
                _signal.Add(exact[i]);
            }
            _count += value.Length;
        }

        public ArithmeticOperation Record(string path) => new(path, op, _injected.Size(_count), _inherited.Size(_count), _accumulated.Size(_count), _signal.Size(_count).Rms);
    }
}
