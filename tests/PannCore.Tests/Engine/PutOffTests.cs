using PannCore.Approximation;
using PannCore.Engine;
using PannCore.Kernels;
using PannCore.Ops;
using Xunit;

namespace PannCore.Tests.Engine;

/// <summary>
/// Elementwise work that is put off must not show. Random networks in which tensors are shared, given up and added to themselves are run three times: freely, watched
/// by an observer that reads every output and every gradient, so that nothing can be put off or written over, and watched at some operations only, where all that is shown must be the same.
/// Every bit must agree; the pool fills its buffers with NaN.
/// </summary>
public sealed class PutOffTests
{
    /// <summary>One chunk of elementwise work, and several that end within an image.</summary>
    private static readonly Shape[] Sizes = [new(3, 5, 4, 16), new(41, 8, 7, 16)];

    private static readonly ReluPolynomial Polynomial = ActivationSpec.Parse("composite:3,5").Build();

    public static TheoryData<int> Seeds => [.. Enumerable.Range(0, 60)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void PuttingWorkOffChangesNoBit(int seed)
    {
        Plan plan = new(seed, Sizes[seed % 3 == 0 ? 1 : 0]);
        foreach (Statistics statistics in new[] { Statistics.Evaluation, Statistics.Training })
        {
            foreach (bool tape in new[] { false, true })
            {
                foreach (int threads in new[] { 1, 3 })
                {
                    Values whole = new(all: true), some = new(all: false);
                    float[] watched = plan.Run(statistics, tape, 1, [whole]), free = plan.Run(statistics, tape, threads, []), partly = plan.Run(statistics, tape, threads, [some]);
                    Assert.True(watched.AsSpan().SequenceEqual(free), $"{statistics}, tape {tape}, {threads} threads: {plan}");
                    Assert.True(watched.AsSpan().SequenceEqual(partly), $"{statistics}, tape {tape}, {threads} threads, watched at activations: {plan}");
                    Assert.Equal(whole.Seen.Keys.Count(path => path.Contains("elu", StringComparison.Ordinal) && !path.EndsWith(" gradient", StringComparison.Ordinal)), some.Seen.Keys.Count(path => !path.EndsWith(" gradient", StringComparison.Ordinal)));
                    foreach ((string path, float[] values) in some.Seen) Assert.True(whole.Seen[path].AsSpan().SequenceEqual(values), $"{path}: {plan}");
                }
            }
        }
    }

    /// <summary>Work that fails where it is put off to must not leave values behind that look computed.</summary>
    [Fact]
    public void ValuesThatCouldNotBeComputedAreNeverGiven()
    {
        var workspace = new Workspace(2, fillWithNaN: true);
        var run = new Run(workspace);
        Tensor y = run.Input(Sizes[0], new float[Sizes[0].Length]).Relu();
        workspace.Dispose();
        Assert.Throws<ObjectDisposedException>(() => y.Values.Length);
        Assert.Equal("these values could not be computed: the attempt before has failed in the middle", Assert.Throws<InvalidOperationException>(() => y.Values.Length).Message);
    }

    /// <summary>An operation that would do the pending work itself does not begin it again either.</summary>
    [Fact]
    public void NorAreTheyHandedToAnOperationThatWouldComputeThem()
    {
        using var workspace = new Workspace(2);
        using var run = new Run(workspace);
        var shape = new Shape(1, 8, 8, 4);
        Tensor y = run.Input(shape, new float[shape.Length]).Relu();
        using ManualResetEventSlim busy = new(), end = new();
        var other = new Thread(() => workspace.Workers.Run(new Wait(busy, end), 1));
        other.Start();
        busy.Wait();
        Assert.Throws<InvalidOperationException>(() => y.Values.Length); // the workspace is another thread's
        end.Set();
        other.Join();
        Assert.Equal("these values could not be computed: the attempt before has failed in the middle", Assert.Throws<InvalidOperationException>(() => y.Conv2d(Filled("weight", 1, new(4, 4, 3, 3)), 1, 1)).Message);
    }

    /// <summary>The work that an operation took over and failed to do must not be done later, into memory that belongs to somebody else by then.</summary>
    [Fact]
    public void WorkOfAnOperationThatFailedIsForgotten()
    {
        using var workspace = new Workspace(2);
        using var run = new Run(workspace);
        Parameter weight = Filled("weight", 1, new(4, 4, 3, 3)), scale = Filled("scale", 1, new(4)), shift = Filled("shift", 100, new(4)), mean = Filled("mean", 0, new(4)), variance = Filled("variance", 1, new(4));
        var shape = new Shape(1, 8, 8, 4);
        Tensor x = run.Input(shape, Enumerable.Repeat(1f, shape.Length).ToArray()), y = x.BatchNorm(scale, shift, mean, variance);
        using ManualResetEventSlim busy = new(), end = new();
        var other = new Thread(() => workspace.Workers.Run(new Wait(busy, end), 1));
        other.Start();
        busy.Wait();
        Assert.Throws<InvalidOperationException>(() => y.Conv2d(weight, 1, 1)); // the workspace is another thread's
        end.Set();
        other.Join();
        Assert.Throws<ObjectDisposedException>(() => y.Values.Length);
        Tensor innocent = run.Input(shape, Enumerable.Repeat(7f, shape.Length).ToArray());
        _ = x.LastUse().Relu().Values.Length;
        Assert.All(innocent.Values.ToArray(), value => Assert.Equal(7, value));
    }

    /// <summary>Whether somebody has looked at an input before does not change what an operation that fails leaves of it.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void AnInputThatWasOnlyReadOutlivesAFailure(bool readBefore)
    {
        using var workspace = new Workspace(1);
        using var run = new Run(workspace);
        Tensor y = run.Input(new(1, 2, 2, 4), new float[16]).Relu();
        if (readBefore) _ = y.Values.Length;
        Assert.Throws<FormatException>(() => new Failing().Apply(y));
        Assert.All(y.Values.ToArray(), value => Assert.Equal(0, value));
    }

    private static Parameter Filled(string name, float value, Shape shape)
    {
        var parameter = new Parameter(name, shape, trainable: true);
        parameter.Update(values => values.Fill(value));
        return parameter;
    }

    private readonly struct Wait(ManualResetEventSlim busy, ManualResetEventSlim end) : IJob
    {
        public void Run(int chunk, Scratch scratch)
        {
            busy.Set();
            end.Wait();
        }
    }

    /// <summary>Reads its input and throws.</summary>
    private sealed class Failing : Op
    {
        public override string Name => "failing";

        public override Shape OutputShape(ReadOnlySpan<Shape> inputs) => inputs[0];

        protected internal override void Forward(Forwarding pass, IReadOnlyList<Tensor> inputs, Memory<float> y)
            => throw new FormatException($"{inputs[0].Values[0]}");

        protected internal override void Backward(Backpropagation pass, IReadOnlyList<Tensor> inputs, Tensor output, ReadOnlyMemory<float> dy) => throw new NotSupportedException();

        public override void Reference(IReadOnlyList<DoubleTensor> inputs, IReadOnlyList<DoubleTensor> parameters, DoubleTensor output) => throw new NotSupportedException();
    }

    /// <summary>Keeps the inputs and the output of every operation, or of activations only; and every gradient.</summary>
    private sealed class Values(bool all) : IRunObserver
    {
        public Dictionary<string, float[]> Seen { get; } = [];

        public bool Watches(Op op) => all || op.Activation is not null;

        public void Forward(Op op, string path, IReadOnlyList<Tensor> inputs, Tensor output) => Seen.Add(path, [.. inputs.SelectMany(input => input.Values.ToArray()), .. output.Values]);

        public void Gradient(Op op, string path, Tensor output, ReadOnlySpan<float> gradient) => Seen.Add($"{path} gradient", gradient.ToArray());
    }

    /// <summary>Steps that each make a tensor from earlier ones; the result is the last tensor.</summary>
    private sealed class Plan
    {
        private readonly List<(int Operation, int Left, int Right, bool GivenUp)> _steps = [];
        private readonly int _seed;
        private readonly Shape _size;

        private static string[] Names => ["conv", "batchNorm", "learnt", "relu", "polynomial", "crest", "shortcut", "add", "add"];

        public Plan(int seed, Shape size)
        {
            (_seed, _size) = (seed, size);
            var random = new CounterRandom(seed, RandomStream.Order, 0);
            int draws = 0, count = 6 + random.Below(draws++, 10);
            for (int i = 1; i <= count; i++)
            {
                // Mostly the newest tensor, as in a network; sometimes any older one.
                int left = random.Below(draws++, 4) > 0 ? i - 1 : random.Below(draws++, i), right = random.Below(draws++, i);
                _steps.Add((random.Below(draws++, Names.Length), left, right, random.Below(draws++, 3) > 0));
            }
        }

        public override string ToString() => string.Join("; ", _steps.Select((step, i) => $"{i + 1} = {Names[step.Operation]} {step.Left}{(step.Operation > 6 ? $" {step.Right}" : "")}{(step.GivenUp && !IsUsedAfter(i, step.Left) ? " given up" : "")}"));

        /// <summary>The values of the last tensor, then all gradients and running statistics.</summary>
        public float[] Run(Statistics statistics, bool tape, int threads, IRunObserver[] observers)
        {
            using var workspace = new Workspace(threads, fillWithNaN: true);
            Parameter[] parameters = [.. Enumerable.Range(0, _steps.Count).SelectMany(Parameters)];
            var all = new List<float>();
            using (var run = new Run(workspace, statistics, tape, observers))
            {
                var tensors = new List<Tensor> { run.Input(_size, Normal(-1, _size.Length)) };
                for (int i = 0; i < _steps.Count; i++)
                {
                    (int operation, int left, int right, bool givenUp) = _steps[i];
                    Tensor x = tensors[left];
                    if (givenUp && !IsUsedAfter(i, left)) x.LastUse();
                    Parameter[] own = parameters[(i * 6)..((i + 1) * 6)];
                    tensors.Add(operation switch
                    {
                        0 => x.Conv2d(own[4], 1, 1),
                        1 => x.BatchNorm(own[0], own[1], own[2], own[3]),
                        2 => x.ClampedPolynomialRelu(Polynomial, 3, new(0.1), logarithm: own[5]),
                        3 => x.Relu(0.25f),
                        4 => x.PolynomialRelu(Polynomial, 100),
                        5 => x.PenaliseCrest(new(0.3, 1.5)),
                        6 => x.Shortcut(16, 1),
                        _ => x.Add(tensors[right]),
                    });
                }
                all.AddRange(tensors[^1].Values);
                if (tape && Reaches())
                {
                    Gradients gradients = run.Backward(tensors[^1].GlobalAveragePool());
                    foreach (Parameter parameter in parameters.Where(gradients.Contains)) all.AddRange(gradients[parameter]);
                }
            }
            foreach (Parameter parameter in parameters.Where(p => !p.Trainable)) all.AddRange(parameter.Values);
            Assert.DoesNotContain(float.NaN, all);
            return [.. all];
        }

        /// <summary>Whether the last tensor depends on a parameter.</summary>
        private bool Reaches()
        {
            var reached = new bool[_steps.Count + 1];
            for (int i = 0; i < _steps.Count; i++)
                reached[i + 1] = _steps[i].Operation < 3 || reached[_steps[i].Left] || (_steps[i].Operation > 6 && reached[_steps[i].Right]);
            return reached[^1];
        }

        private bool IsUsedAfter(int step, int tensor)
        {
            if (_steps[step].Operation > 6 && _steps[step].Right == tensor) return true;
            return _steps.Skip(step + 1).Any(s => s.Left == tensor || (s.Operation > 6 && s.Right == tensor));
        }

        private Parameter[] Parameters(int step)
        {
            Parameter[] made = [new("gamma", new(16)), new("beta", new(16)), new("mean", new(16), trainable: false), new("variance", new(16), trainable: false), new("weight", new(16, 16, 3, 3)), new("logarithm", new(1))];
            for (int i = 0; i < made.Length; i++)
            {
                float[] values = Normal((10 * step) + i, made[i].Shape.Length);
                made[i].Set(i == 3 ? [.. values.Select(v => 0.5f + (v * v))] : i == 4 ? [.. values.Select(v => v / 12)] : values);
            }
            return made;
        }

        private float[] Normal(int stream, int length)
        {
            var random = new CounterRandom(_seed, RandomStream.Weights, stream + 1);
            return [.. Enumerable.Range(0, length).Select(i => (float)random.Normal(i))];
        }
    }
}
