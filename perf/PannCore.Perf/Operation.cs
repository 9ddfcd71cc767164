using PannCore.Engine;
using PannCore.Kernels;

namespace PannCore.Perf;

/// <summary>Which part of an operation is timed.</summary>
internal enum Pass
{
    Forward,

    /// <summary>The gradients of all inputs and parameters.</summary>
    Backward,

    /// <summary>The gradients of the inputs.</summary>
    DataGradient,

    /// <summary>The gradients of the parameters.</summary>
    WeightGradient,
}

/// <summary>
/// One pass of one operation, in place where the engine does it in place, on operands that take turns: together they are larger than a cache.
/// The batch is a few images over and over, so that the naive reference needs no more than those.
/// </summary>
/// <param name="Name">For messages.</param>
/// <param name="Pass">What is timed.</param>
/// <param name="Inputs">The shapes of the inputs for so many images.</param>
/// <param name="Apply">Applies the operation; where it applies several, the last one is meant.</param>
internal sealed record Operation(string Name, Pass Pass, Func<int, Shape[]> Inputs, Func<Tensor[], Tensor> Apply)
{
    public const int Images = 128;

    private const long OperandBytes = 128 << 20;
    private const int MostOperands = 64, CacheRepetitions = 64;

    /// <summary>Whether all operations of this process keep one set of operands, which stays in the cache as far as it fits: as in a step, where the operation before has just written the input.</summary>
    public static bool Warm { get; set; }

    public Statistics Statistics { get; init; } = Statistics.Training;

    public ConvAlgorithm Convolution { get; init; } = ConvAlgorithm.Automatic;

    /// <summary>Whether the output is written over the first input, or the gradient of the first input over that of the output.</summary>
    public bool InPlace { get; init; }

    /// <summary>Different images of the batch, a divisor of it.</summary>
    public int Distinct { get; init; } = 4;

    /// <summary>Instead of a batch, one image for each thread, again and again.</summary>
    public bool InCache { get; init; }

    /// <summary>Elements of the first input that one run goes through.</summary>
    public double Elements => InCache ? (double)CacheRepetitions * Environment.ProcessorCount * Inputs(1)[0].Length : Inputs(Images)[0].Length;

    /// <exception cref="InvalidOperationException">The operation's result is not that of its naive reference.</exception>
    public PreparedCase Prepare()
    {
        if (InCache) return PrepareInCache();
        Workspace workspace = Machine.Workspace(Convolution);
        Applied few = new(this, workspace, Distinct);
        var operands = new List<Applied> { new(this, workspace, Images) };
        Check(few, operands[0]);
        while (!Warm && operands.Count < MostOperands && operands.Count * operands[0].Bytes < OperandBytes) operands.Add(new(this, workspace, Images));
        int next = 0;
        return new(
            workspace.Workers,
            () =>
            {
                operands[next].Run();
                next = (next + 1) % operands.Count;
            },
            [few, .. operands, workspace]);
    }

    private PreparedCase PrepareInCache()
    {
        Workspace[] workspaces = [.. Enumerable.Range(0, Environment.ProcessorCount).Select(_ => new Workspace(threads: 1))];
        Applied[] operands = [.. workspaces.Select(workspace => new Applied(this, workspace, 1))];
        foreach (Applied one in operands) Check(one, one);
        var workers = new Workers(operands.Length);
        return new(workers, () => workers.Run(new EachInItsCache(operands), operands.Length), [workers, .. operands, .. workspaces]);
    }

    /// <summary>
    /// Forward: every element against the reference. Backward: each gradient along a random direction against the difference quotient of the reference along it,
    /// weighted with the gradient of the output; an error that repeats itself from image to image, or a value that is no number, shows in the sum, since directions are dense.
    /// </summary>
    private void Check(Applied few, Applied all)
    {
        double[][] parameters = [.. few.Op.Parameters.Select(p => Doubles(p.Values))];
        double[] expected = few.Reference(parameters, -1, 0);
        all.Run();
        if (Pass == Pass.Forward)
        {
            double largest = expected.Max(Math.Abs);
            ReadOnlySpan<float> found = all.Result.Span;
            for (int i = 0; i < found.Length; i++)
            {
                double value = expected[i % expected.Length];
                if (!(Math.Abs(found[i] - value) <= 1e-4 * largest)) throw new InvalidOperationException($"{Name}: element {i}: expected {value}, found {found[i]}");
            }
            return;
        }
        const double step = 1e-6;
        for (int target = 0; target < all.Gradients.Count; target++)
        {
            if (all.Gradients[target].IsEmpty) continue;
            double quotient = Dot(few.OutputGradient, few.Reference(parameters, target, step), few.Reference(parameters, target, -step)) / (2 * step) * all.OutputGradient.Length / few.OutputGradient.Length;
            (double sum, double squares) = all.AlongDirection(target);
            if (!(Math.Abs(sum - quotient) <= 1e-3 * Math.Sqrt(squares))) throw new InvalidOperationException($"{Name}: gradient {target} along a direction: expected {quotient}, found {sum}, typically {Math.Sqrt(squares)}");
        }
    }

    private static double Dot(float[] weights, double[] a, double[] b)
    {
        double sum = 0;
        for (int i = 0; i < a.Length; i++) sum += weights[i] * (a[i] - b[i]);
        return sum;
    }

    private static double[] Doubles(ReadOnlySpan<float> values) => DoubleTensor.From(new(values.Length), values).Values;

    /// <summary>Uniform in [-1, 1), the values of <paramref name="distinct"/> images over and over.</summary>
    private static float[] Values(int stream, int length, int distinct)
    {
        var random = new CounterRandom(1, RandomStream.Weights, stream);
        float[] values = new float[length];
        for (int i = 0; i < distinct; i++) values[i] = (float)((2 * random.Uniform(i)) - 1);
        for (int i = distinct; i < length; i++) values[i] = values[i - distinct];
        return values;
    }

    /// <summary>The operation applied to one set of operands, ready to be run again: the one place that knows how the engine calls an operation.</summary>
    private sealed class Applied : IRunObserver, IDisposable
    {
        private readonly Operation _operation;
        private readonly Run _run;
        private readonly Tensor[] _inputs;
        private readonly Tensor _output;
        private readonly Memory<float> _dy;
        private readonly Backpropagation _pass;
        private readonly int _images;

        public Applied(Operation operation, Workspace workspace, int images)
        {
            (_operation, _images) = (operation, images);
            _run = new Run(workspace, operation.Statistics, tape: false, [this]);
            _inputs = [.. operation.Inputs(images).Select((shape, i) => _run.Input(shape, Values(i, shape.Length, PeriodOf(shape))))];
            _output = operation.Apply(_inputs);
            // With a part of the output in it, means over the batch do not vanish.
            OutputGradient = Values(10, _output.Shape.Length, _output.Shape[0] == images ? PeriodOf(_output.Shape) : _output.Shape.Length);
            System.Numerics.Tensors.TensorPrimitives.Add(OutputGradient, _output.Values, OutputGradient);
            _dy = _run.Input(_output.Shape, OutputGradient).Memory;
            if (operation.InPlace && !(operation.Pass == Pass.Forward ? Op!.ForwardInPlace : Op!.GradientInPlace)) throw new InvalidOperationException($"{operation.Name}: expected an operation that works in place");
            Memory<float>[] inputs = [.. _inputs.Select((x, i) => !Gives(Pass.DataGradient) ? default : operation.InPlace && i == 0 ? _dy : Unwritten(x.Shape))];
            Memory<float>[] parameters = [.. Op!.Parameters.Select(p => Gives(Pass.WeightGradient) && p.Trainable ? Unwritten(p.Shape) : default)];
            Gradients = [.. inputs, .. parameters];
            _pass = new Backpropagation(_run);
            _pass.InputDestinations.AddRange(inputs);
            _pass.ParameterDestinations.AddRange(parameters);
            if (operation.Pass == Pass.Forward && !operation.InPlace) _output.Memory.Span.Fill(float.NaN);
        }

        public Op Op { get; private set; } = null!;

        public float[] OutputGradient { get; }

        /// <summary>Of the inputs, then of the parameters; empty where none is computed.</summary>
        public IReadOnlyList<Memory<float>> Gradients { get; }

        public Memory<float> Result => _operation.InPlace ? _inputs[0].Memory : _output.Memory;

        public long Bytes => sizeof(float) * (_inputs.Sum(x => (long)x.Shape.Length) + (_operation.Pass == Pass.Forward ? _operation.InPlace ? 0 : _output.Shape.Length : _dy.Length));

        public void Forward(Op op, string path, IReadOnlyList<Tensor> inputs, Tensor output) => Op = op;

        public void Run()
        {
            if (_operation.Pass == Pass.Forward)
            {
                Op.Forward(new Forwarding(_run), _inputs, Result);
                Settle();
                return;
            }
            Op.Backward(_pass, _inputs, _output, _dy);
            Settle();
            _pass.ReturnTemporaries();
        }

        /// <summary>The reference with one input or parameter, as in <see cref="Gradients"/>, moved by so much along its direction.</summary>
        public double[] Reference(double[][] parameters, int target, double step)
        {
            var y = new DoubleTensor(_output.Shape);
            Op.Reference(
                [.. _operation.Inputs(_images).Select((shape, i) => Moved(shape, Doubles(Values(i, shape.Length, shape.Length)), i))],
                [.. Op.Parameters.Select((p, i) => Moved(p.Shape, parameters[i], _inputs.Length + i))], y);
            return y.Values;

            DoubleTensor Moved(Shape shape, double[] values, int index)
            {
                if (index != target) return new(shape, values);
                float[] direction = Values(20 + target, shape.Length, shape.Length);
                return new(shape, [.. values.Select((v, i) => v + (step * direction[i]))]);
            }
        }

        /// <summary>A gradient along its direction: the sum of products, and the sum of their squares, whose root is the size of a wrong sum.</summary>
        public (double Sum, double Squares) AlongDirection(int target)
        {
            ReadOnlySpan<float> gradient = Gradients[target].Span;
            float[] direction = Values(20 + target, gradient.Length, target < _inputs.Length ? PeriodOf(_inputs[target].Shape) : gradient.Length);
            double sum = 0, squares = 0;
            for (int i = 0; i < gradient.Length; i++)
            {
                double product = (double)gradient[i] * direction[i];
                sum += product;
                squares += product * product;
            }
            return (sum, squares);
        }

        public void Dispose() => _run.Dispose();

        /// <summary>Elementwise work is put off until somebody reads its result; here it is what is timed.</summary>
        private void Settle()
        {
            if (_run.TakePending() is { } pending) _run.Settle(pending);
        }

        private bool Gives(Pass gradient) => _operation.Pass == gradient || _operation.Pass == Pass.Backward;

        /// <summary>What is left out shows.</summary>
        private Memory<float> Unwritten(Shape shape)
        {
            Memory<float> memory = _run.Rent(shape).Memory;
            memory.Span.Fill(float.NaN);
            return memory;
        }

        private int PeriodOf(Shape shape) => shape.Length / _images * Math.Min(_images, _operation.Distinct);
    }

    private readonly struct EachInItsCache(Applied[] operands) : IJob
    {
        public void Run(int chunk, Scratch scratch)
        {
            for (int i = 0; i < CacheRepetitions; i++) operands[chunk].Run();
        }
    }
}
