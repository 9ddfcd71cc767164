using PannCore.Cli;
using PannCore.Data;
using PannCore.Engine;
using PannCore.Nn;
using PannCore.Ops;
using PannCore.Training;

namespace PannCore.Perf;

/// <summary>ResNet-20 as a whole: a training step at batch 128, evaluation and PANN evaluation at batch 256. Operations are those of its convolutions, by direct sums.</summary>
internal static class NetworkCases
{
    private const int TrainBatch = 128, EvalBatch = 256;

    /// <summary>The stem's convolution of one image: no gradient of the pixels is computed.</summary>
    private const double StemFlops = 2.0 * 32 * 32 * 3 * 3 * 3 * 16;

    public static IEnumerable<Case> All
    {
        get
        {
            var network = new BenchNetwork(20, EvalBatch);
            yield return new("training step", new(Flops: TrainBatch * ((3 * network.ForwardFlops) - StemFlops), Items: TrainBatch), () =>
            {
                Workspace workspace = Machine.Workspace(Recipe.DefaultConvolution);
                CheckTraining(network, workspace);
                return new(workspace.Workers, () => network.Step(workspace, TrainBatch), workspace);
            });
            yield return Evaluation("evaluation", () => network.Model);
            foreach ((string spec, PolynomialArithmetic arithmetic) in BenchNetwork.Panns) yield return Evaluation($"PANN {spec}, {arithmetic}", () => network.Pann(spec, arithmetic));

            Case Evaluation(string name, Func<ResNet> build) => new(name, new(Flops: EvalBatch * (double)network.ForwardFlops, Items: EvalBatch), () =>
            {
                Workspace workspace = Machine.Workspace();
                ResNet model = build();
                CheckOperations(network, model, workspace);
                return new(workspace.Workers, () => network.Evaluate(model, workspace, EvalBatch), workspace);
            });
        }
    }

    /// <summary>The loss must rise along its gradient as fast as the gradient says, within 1 % of a central difference; and steps must make it fall.</summary>
    private static void CheckTraining(BenchNetwork network, Workspace workspace)
    {
        const double drop = 1e-3;
        Parameter[] parameters = [.. network.Model.Parameters.All.Where(p => p.Trainable)];
        float[][] gradients;
        using (var run = new Run(workspace, Statistics.Training, tape: true))
        {
            Gradients found = run.Backward(Loss(run));
            gradients = [.. parameters.Select(p => found[p].ToArray())];
        }
        double squares = gradients.Sum(g => g.Sum(v => (double)v * v));
        float step = (float)(drop / squares);
        double ahead = Moved(step), behind = Moved(-2 * step);
        Moved(step);
        if (!(Math.Abs(((ahead - behind) / (2 * drop)) - 1) <= 0.01)) throw new InvalidOperationException($"training step: expected the loss to rise by {2 * drop} along its gradient, found {ahead - behind}");
        for (int i = 0; i < 5; i++) network.Step(workspace, TrainBatch);
        double trained = Moved(0);
        if (!(trained < ahead - drop)) throw new InvalidOperationException($"training step: expected the loss to fall below {ahead - drop} in five steps, found {trained}");

        Tensor Loss(Run run) => network.Model.Call(network.Images(run, TrainBatch, new Augmentation(1, 0))).SoftmaxCrossEntropy(network.Labels(TrainBatch));

        double Moved(float by)
        {
            for (int i = 0; i < parameters.Length; i++) parameters[i].Update(w => System.Numerics.Tensors.TensorPrimitives.MultiplyAdd(gradients[i], by, w, w));
            using var run = new Run(workspace, Statistics.Training);
            return Loss(run).Values[0];
        }
    }

    /// <summary>Every operation against its naive reference on two images; and the same bits where nobody observes, as when it is timed.</summary>
    private static void CheckOperations(BenchNetwork network, ResNet model, Workspace workspace)
    {
        float[] observed = Logits(new ReferenceCheck()), alone = Logits();
        if (!observed.AsSpan().SequenceEqual(alone)) throw new InvalidOperationException($"evaluation: expected the same logits with and without an observer, found {observed[0]} and {alone[0]} first");

        float[] Logits(params IRunObserver[] observers)
        {
            using var run = new Run(workspace, observers: observers);
            return model.Call(network.Images(run, 2)).Values.ToArray();
        }
    }

    private sealed class ReferenceCheck : IRunObserver
    {
        public void Forward(Op op, string path, IReadOnlyList<Tensor> inputs, Tensor output)
        {
            var expected = new DoubleTensor(output.Shape);
            op.Reference([.. inputs.Select(x => DoubleTensor.From(x.Shape, x.Values))], [.. op.Parameters.Select(p => DoubleTensor.From(p.Shape, p.Values))], expected);
            double largest = expected.Values.Max(Math.Abs);
            for (int i = 0; i < expected.Values.Length; i++)
            {
                if (!(Math.Abs(output.Values[i] - expected.Values[i]) <= 1e-4 * largest)) throw new InvalidOperationException($"{path}: element {i}: expected {expected.Values[i]}, found {output.Values[i]}");
            }
        }
    }
}
