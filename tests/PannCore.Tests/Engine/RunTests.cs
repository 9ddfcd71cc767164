using System.Runtime.InteropServices;
using PannCore.Data;
using PannCore.Engine;
using PannCore.Nn;
using PannCore.Ops;
using PannCore.Tests.Support;
using PannCore.Training;
using Xunit;
using RandomNetwork = PannCore.Tests.Diagnostics.RandomNetwork;

namespace PannCore.Tests.Engine;

/// <summary>Lifetimes of tensors and buffers, the backward pass's conditions, and runs beside each other.</summary>
public sealed class RunTests
{
    private static readonly Shape Images = new(2, 8, 8, 3);

    [Fact]
    public void ATensorUsedAfterItsRunNamesOperationAndPath()
    {
        var seen = new Recorder();
        using var workspace = new Workspace(1);
        Tensor input, pooled;
        using (var run = new Run(workspace, observers: [seen]))
        {
            input = Input(run);
            pooled = input.GlobalAveragePool();
            Model().Call(input);

            // Inside a module, what it made is given back when it returns.
            Assert.Equal(
                "the output of conv2d at layer2.0.conv1 was used after its run took the memory back",
                Assert.Throws<ObjectDisposedException>(() => seen["layer2.0.conv1"].Tensor.Values.Length).Message);
            Assert.Equal(
                "the output of shortcut at layer3.0.shortcut was used after its run took the memory back",
                Assert.Throws<ObjectDisposedException>(() => seen["layer3.0.shortcut"].Tensor.Relu()).Message);
        }
        Assert.Equal("the output of input was used after its run took the memory back", Assert.Throws<ObjectDisposedException>(() => input.Values.Length).Message);
        Assert.Equal("the output of pool was used after its run took the memory back", Assert.Throws<ObjectDisposedException>(() => pooled.Values.Length).Message);
    }

    [Fact]
    public void EvaluationGivesItsMemoryBack()
    {
        var buffers = new Buffers();
        using var workspace = new Workspace(2, fillWithNaN: true);
        ResNet model = Model();
        float[] first = Evaluate(model, workspace, buffers);
        int distinct = buffers.Arrays.Count;

        // A module's temporaries live until it returns, and the next one reuses them. Stem: 3, kept by the network. Block: 6 temporaries and a
        // result, which the network keeps, so 3 x 7 a stage become 6 + 3; the shortcut's buffer serves as one of the later results. Pool and linear: 2.
        Assert.Equal(70, buffers.Operations);
        Assert.Equal(3 + (3 * (6 + 3)) + 2, distinct);
        Assert.Equal(first, Evaluate(model, workspace, buffers));
        Assert.Equal(distinct, buffers.Arrays.Count);
        Assert.DoesNotContain(float.NaN, first);
    }

    [Fact]
    public void TrainingGivesItsMemoryBack()
    {
        var buffers = new Buffers();
        using var workspace = new Workspace(2, fillWithNaN: true);
        float[] first = Train(workspace, [buffers]);

        // Outputs and gradients swap buffers of one length from step to step; a buffer lost at each step would go on adding new ones.
        for (int step = 0; step < 10; step++) Train(workspace, [buffers]);
        int distinct = buffers.Arrays.Count;
        for (int step = 0; step < 5; step++) Assert.Equal(first, Train(workspace, [buffers]));
        Assert.Equal(distinct, buffers.Arrays.Count);
        Assert.DoesNotContain(float.NaN, first);
    }

    [Fact]
    public void BackwardReleasesWhatItWalkedOver()
    {
        var seen = new Recorder();
        using var workspace = new Workspace(1);
        using var run = new Run(workspace, Statistics.Training, tape: true, [seen]);
        Tensor logits = Model().Call(Input(run)), loss = logits.SoftmaxCrossEntropy([1, 2]);
        Assert.Equal(20, logits.Values.Length);
        run.Backward(loss);
        Assert.Equal(1, loss.Values.Length);
        Assert.Equal(
            "the output of linear was used after its run took the memory back", Assert.Throws<ObjectDisposedException>(() => logits.Values.Length).Message);
    }

    [Fact]
    public void ATensorGivenUpIsWrittenOverOnlyWhereNobodyLooks()
    {
        float[] values = [-2, -1, 0, 3];
        using var workspace = new Workspace(1, fillWithNaN: true);
        using (var run = new Run(workspace))
        {
            Tensor x = run.Input(new(4), values), y = x.LastUse().Relu();
            Assert.Equal([0, 0, 0, 3], y.Values.ToArray());
            Assert.Equal("the output of input was used after its run took the memory back", Assert.Throws<ObjectDisposedException>(() => x.Values.Length).Message);
        }

        // ReLU's backward pass reads its output, so that a tape does not need the input; batch-norm's reads its input.
        using (var run = new Run(workspace, tape: true))
        {
            Tensor x = run.Input(new(4), values), y = x.LastUse().Relu();
            Assert.Equal([0, 0, 0, 3], y.Values.ToArray());
            Assert.Throws<ObjectDisposedException>(() => x.Values.Length);
            Assert.Equal([0, 0, 0, 3], y.LastUse().Relu().Values.ToArray());
            Assert.Equal([0, 0, 0, 3], y.Values.ToArray());
        }

        // An observer may read the input, and on a tape it may read that of an operation that it did not watch; another tensor never gave its memory up.
        using (var run = new Run(workspace, observers: [new Recorder()])) Kept(run.Input(new(4), values).LastUse());
        using (var run = new Run(workspace, tape: true, observers: [new Inattentive()])) Kept(run.Input(new(4), values).LastUse());
        using (var run = new Run(workspace, observers: [new Inattentive(), new Recorder()])) Kept(run.Input(new(4), values).LastUse());
        using (var run = new Run(workspace, observers: [new Inattentive()]))
        {
            Tensor x = run.Input(new(4), values), y = x.LastUse().Relu();
            Assert.Equal([0, 0, 0, 3], y.Values.ToArray());
            Assert.Throws<ObjectDisposedException>(() => x.Values.Length);
        }
        using (var run = new Run(workspace)) Kept(run.Input(new(4), values));

        void Kept(Tensor x)
        {
            Assert.Equal([0, 0, 0, 3], x.Relu().Values.ToArray());
            Assert.Equal(values, x.Values.ToArray());
        }
    }

    /// <summary>Every gradient of a training step, with tensors written over and, under an observer, with none.</summary>
    [Fact]
    public void WritingOverTensorsChangesNoGradient()
    {
        using var workspace = new Workspace(2, fillWithNaN: true);
        Assert.Equal(AllGradients([]), AllGradients([new Recorder()]));

        float[][] AllGradients(IReadOnlyList<IRunObserver> observers)
        {
            ResNet model = Model();
            using var run = new Run(workspace, Statistics.Training, tape: true, observers);
            Gradients gradients = run.Backward(model.Call(Input(run)).SoftmaxCrossEntropy([1, 2]));
            return [.. model.Parameters.All.Where(p => p.Trainable).Select(p => gradients[p].ToArray())];
        }
    }

    /// <summary>A workspace lends its runs the same lists one after the other: what a finished run left behind must not show in the next, nor the next in it.</summary>
    [Fact]
    public void AFinishedRunAndTheNextOneShareNothing()
    {
        using var workspace = new Workspace(1, fillWithNaN: true);
        Parameter w = new("w", new(1, 1)), b = new("b", new(1));
        var first = new Run(workspace, tape: true);
        Tensor old = first.Input(new(1, 1), [2]).Linear(w, b);
        Gradients gone = first.Backward(old);
        first.Dispose();
        first.Dispose();

        var seen = new Recorder();
        using var second = new Run(workspace, tape: true, observers: [seen]);
        Gradients gradients = second.Backward(second.Input(new(1, 1), [3]).Linear(w, b));
        Assert.Equal(3, gradients[w][0]);
        Assert.Equal("linear", Assert.Single(seen.Outputs).Path);
        Assert.False(gone.Contains(w));
        Assert.Equal("the gradient of w was used after its run was disposed", Assert.Throws<ObjectDisposedException>(() => gone[w].Length).Message);
        Assert.Equal("the output of linear was used after its run took the memory back", Assert.Throws<ObjectDisposedException>(() => old.Relu()).Message);
        Assert.Equal("the output of linear was used after its run took the memory back", Assert.Throws<ObjectDisposedException>(() => old.SoftmaxCrossEntropy([0])).Message);
        Assert.Throws<ObjectDisposedException>(() => first.Input(new(1), [1]));
        Assert.Equal(3, gradients[w][0]);
    }

    [Fact]
    public void BackwardNeedsATape()
    {
        using var workspace = new Workspace(1);
        using var run = new Run(workspace);
        Tensor logits = Model().Call(Input(run));
        Assert.Equal("backward: this run keeps no tape", Assert.Throws<InvalidOperationException>(() => run.Backward(logits)).Message);
    }

    [Fact]
    public void BackwardIsAskedOnce()
    {
        using var workspace = new Workspace(1);
        using var run = new Run(workspace, tape: true);
        Tensor logits = Model().Call(Input(run));
        run.Backward(logits);
        Assert.Equal("backward: this run has been asked already", Assert.Throws<InvalidOperationException>(() => run.Backward(logits)).Message);
    }

    [Fact]
    public void ASeedHasTheLengthOfTheOutput()
    {
        using var workspace = new Workspace(1);
        using var run = new Run(workspace, tape: true);
        Tensor logits = Model().Call(Input(run));
        Assert.Equal("backward: output [2,10] has 20 elements, seed has 19", Assert.Throws<ShapeException>(() => run.Backward(logits, new float[19])).Message);
    }

    [Fact]
    public void TensorsOfTwoRunsDoNotMeet()
    {
        using var workspace = new Workspace(1);
        using Run one = new(workspace, tape: true), two = new(workspace, tape: true);
        Tensor a = Input(one), b = Input(two);
        Assert.Equal("add: input 1 belongs to another run", Assert.Throws<InvalidOperationException>(() => a.Add(b)).Message);
        Assert.Equal("backward: the output of input belongs to another run", Assert.Throws<InvalidOperationException>(() => one.Backward(b)).Message);
    }

    [Fact]
    public void AParameterThatHadNoPartHasNoGradient()
    {
        using var workspace = new Workspace(1);
        using var run = new Run(workspace, tape: true);
        var weight = new Parameter("unused.weight", new(3));
        Gradients gradients = run.Backward(Model().Call(Input(run)));
        Assert.False(gradients.Contains(weight));
        Assert.Equal("parameter unused.weight has no gradient: it had no part in the result", Assert.Throws<KeyNotFoundException>(() => gradients[weight].Length).Message);
    }

    [Fact]
    public void AParameterUsedTwiceGetsTheSumOfItsGradients()
    {
        // y = (x w + b) w + b for one number: dy/dw = 2 x w + b, dy/db = w + 1.
        using var workspace = new Workspace(1, fillWithNaN: true);
        using var run = new Run(workspace, tape: true);
        Parameter w = new("w", new(1, 1)), b = new("b", new(1));
        w.Set([3]);
        b.Set([5]);
        Tensor y = run.Input(new(1, 1), [2]).Linear(w, b).Linear(w, b);
        Assert.Equal(38, y.Values[0]);
        Gradients gradients = run.Backward(y);
        Assert.Equal(17, gradients[w][0]);
        Assert.Equal(4, gradients[b][0]);
    }

    [Fact]
    public void ATensorUsedTwiceGetsTheSumOfItsGradients()
    {
        // y = r + r with r = relu(x w): dw = 2 x.
        using var workspace = new Workspace(1, fillWithNaN: true);
        using var run = new Run(workspace, tape: true);
        Parameter w = new("w", new(1, 1)), b = new("b", new(1));
        w.Set([3]);
        Tensor r = run.Input(new(1, 1), [2]).Linear(w, b).Relu();
        Assert.Equal(4, run.Backward(r.Add(r))[w][0]);
    }

    [Fact]
    public void StatisticsAndTapeAreIndependent()
    {
        using var workspace = new Workspace(1);
        ResNet model = Model();
        float[] before = Running(model);
        using (var run = new Run(workspace, Statistics.Evaluation, tape: true)) run.Backward(model.Call(Input(run)));
        Assert.Equal(before, Running(model));
        using (var run = new Run(workspace, Statistics.Training, tape: false)) model.Call(Input(run));
        Assert.NotEqual(before, Running(model));

        static float[] Running(ResNet model) => [.. model.Parameters.All.Where(p => !p.Trainable).SelectMany(p => p.Values.ToArray())];
    }

    [Fact]
    public void ObserversChangeNoBit()
    {
        using var workspace = new Workspace(2);
        float[] alone = Train(workspace, []), watched = Train(workspace, [new Recorder(), new Recorder()]);
        Assert.Equal(alone, watched);
    }

    [Fact]
    public void ThreadsChangeNoBit()
    {
        // From five threads on there are fewer partial sums of weight gradients than two for each, and both gradients of a layer are computed apart.
        using Workspace one = new(1), four = new(4), five = new(5);
        float[] expected = Train(one, []);
        Assert.Equal(expected, Train(four, []));
        Assert.Equal(expected, Train(five, []));
    }

    [Fact]
    public void TwoRunsEvaluateOneModelAtTheSameTime()
    {
        using var alone = new Workspace(1);
        float[] expected = Evaluate(Model(), alone, new Buffers());
        for (int round = 0; round < 5; round++)
        {
            ResNet model = Model(); // Fresh: both threads want the packed weights at once.
            using var start = new Barrier(2);
            float[][] found = new float[2][];
            Thread[] threads = [.. Enumerable.Range(0, 2).Select(i => new Thread(() =>
            {
                using var workspace = new Workspace(2);
                start.SignalAndWait();
                found[i] = Evaluate(model, workspace, new Buffers());
            }))];
            foreach (Thread thread in threads) thread.Start();
            foreach (Thread thread in threads) thread.Join();
            Assert.Equal(expected, found[0]);
            Assert.Equal(expected, found[1]);
        }
    }

    [Fact]
    public void RunsOfOneThreadNestAndThoseOfTwoTakeTurns()
    {
        using var workspace = new Workspace(1);
        float[] expected = Evaluate(Model(), workspace, new Buffers());
        using (new Run(workspace))
        {
            Assert.Equal(expected, Evaluate(Model(), workspace, new Buffers()));
            const string message = "workspace: a run of another thread uses it, or was never disposed; give each thread a workspace of its own";
            Assert.Equal(message, Assert.IsType<InvalidOperationException>(Elsewhere(() => Evaluate(Model(), workspace, new Buffers()))).Message);
            Assert.Equal(message, Assert.IsType<InvalidOperationException>(Elsewhere(() => Evaluation.Of(Model(), RandomNetwork.Sample, [0], Normalization.Cifar10, workspace))).Message);
        }
        Assert.Null(Elsewhere(() => Assert.Equal(expected, Evaluate(Model(), workspace, new Buffers()))));
        Assert.Equal(expected, Evaluate(Model(), workspace, new Buffers()));

        Exception? Elsewhere(Action action)
        {
            Exception? thrown = null;
            var other = new Thread(() => thrown = Record.Exception(action));
            other.Start();
            other.Join();
            return thrown;
        }
    }

    [Fact]
    public void NewWeightsAreUsedAtOnce()
    {
        using var workspace = new Workspace(1);
        ResNet model = Model(), fresh = new(20);
        float[] before = Evaluate(model, workspace, new Buffers());
        model.Initialise(8);
        fresh.Initialise(8);
        float[] after = Evaluate(model, workspace, new Buffers());
        Assert.NotEqual(before, after);
        Assert.Equal(Evaluate(fresh, workspace, new Buffers()), after);
    }

    [Fact]
    public void ParametersRefuseAnotherLength()
    {
        var parameter = new Parameter("conv1.weight", new(2, 3));
        Assert.Equal("parameter conv1.weight: shape [2,3] has 6 values, found 5", Assert.Throws<ShapeException>(() => parameter.Set(new float[5])).Message);
    }

    private static ResNet Model()
    {
        var model = new ResNet(20);
        model.Initialise(7);
        return model;
    }

    private static Tensor Input(Run run)
    {
        var random = new CounterRandom(1, RandomStream.Weights, 99);
        return run.Input(Images, [.. Enumerable.Range(0, Images.Length).Select(i => (float)random.Normal(i))]);
    }

    private static float[] Evaluate(ResNet model, Workspace workspace, Buffers buffers)
    {
        using var run = new Run(workspace, observers: [buffers]);
        return model.Call(Input(run)).Values.ToArray();
    }

    /// <summary>Loss, all gradients and all running statistics of a step of a fresh model.</summary>
    private static float[] Train(Workspace workspace, IRunObserver[] observers)
    {
        ResNet model = Model();
        using var run = new Run(workspace, Statistics.Training, tape: true, observers);
        Tensor loss = model.Call(Input(run)).SoftmaxCrossEntropy([1, 2]);
        Gradients gradients = run.Backward(loss);
        return [loss.Values[0], .. model.Parameters.All.SelectMany(p => p.Trainable ? gradients[p].ToArray() : p.Values.ToArray())];
    }

    /// <summary>Looks at nothing.</summary>
    private sealed class Inattentive : IRunObserver
    {
        public bool Watches(Op op) => false;

        public void Forward(Op op, string path, IReadOnlyList<Tensor> inputs, Tensor output) => Assert.Fail($"{path} was shown");
    }

    /// <summary>The arrays behind the outputs of a run's operations.</summary>
    private sealed class Buffers : IRunObserver
    {
        public HashSet<float[]> Arrays { get; } = [];

        public int Operations { get; private set; }

        public void Forward(Op op, string path, IReadOnlyList<Tensor> inputs, Tensor output)
        {
            Operations++;
            Assert.True(MemoryMarshal.TryGetArray<float>(output.Memory, out ArraySegment<float> segment));
            Arrays.Add(segment.Array!);
        }
    }
}
