using PannCore.Engine;
using PannCore.Ops;

namespace PannCore.Perf;

/// <summary>
/// The other operations at the three stage shapes, batch 128, in place where the network runs them in place. Bytes an element of the input:
/// batch-norm forward, training: x read for the statistics and again to be normalised, y written; backward: x and dy read twice, dx written; evaluation: x read and overwritten.
/// ReLU: x read and overwritten; backward y and dy read, dy overwritten. Add: both read, one overwritten; backward nothing is done.
/// Shortcut: the kept pixels read, y written; backward the kept channels read, dx written. Pool: x read; backward dx written. The loss is too small to be limited by memory.
/// </summary>
internal static class OperationCases
{
    private static readonly (string Name, int Side, int Channels)[] Stages = [("stage1 32x32x16", 32, 16), ("stage2 16x16x32", 16, 32), ("stage3 8x8x64", 8, 64)];

    public static IEnumerable<Case> All => Stages.SelectMany(stage => Of(stage.Name, stage.Side, stage.Channels)).Append(Loss(Pass.Forward)).Append(Loss(Pass.Backward));

    private static IEnumerable<Case> Of(string stage, int side, int channels)
    {
        yield return Make("batch-norm forward", 12, Pass.Forward, 1, BatchNorm(training: true));
        yield return Make("batch-norm backward", 20, Pass.Backward, 1, BatchNorm(training: true), inPlace: true);
        yield return Make("batch-norm evaluation", 8, Pass.Forward, 1, BatchNorm(training: false), inPlace: true, Statistics.Evaluation);
        yield return Make("ReLU forward", 8, Pass.Forward, 1, x => x[0].Relu(), inPlace: true);
        yield return Make("ReLU backward", 12, Pass.Backward, 1, x => x[0].Relu(), inPlace: true);
        yield return Make("add forward", 12, Pass.Forward, 2, x => x[0].Add(x[1]), inPlace: true);
        yield return Make("shortcut forward", 1 + 2, Pass.Forward, 1, x => x[0].Shortcut(2 * channels, 2));
        yield return Make("shortcut backward", 1 + 4, Pass.Backward, 1, x => x[0].Shortcut(2 * channels, 2));
        yield return Make("pool forward", 4, Pass.Forward, 1, x => x[0].GlobalAveragePool());
        yield return Make("pool backward", 4, Pass.Backward, 1, x => x[0].GlobalAveragePool());

        Case Make(string name, double bytes, Pass pass, int inputs, Func<Tensor[], Tensor> apply, bool inPlace = false, Statistics statistics = Statistics.Training)
        {
            double elements = (double)Operation.Images * side * side * channels;
            var operation = new Operation($"{stage}, {name}", pass, images => [.. Enumerable.Repeat(new Shape(images, side, side, channels), inputs)], apply) { InPlace = inPlace, Statistics = statistics };
            return new(operation.Name, new(Bytes: bytes * elements, Items: elements), operation.Prepare);
        }

        Func<Tensor[], Tensor> BatchNorm(bool training)
        {
            Parameter gamma = Constant("gamma", 1), beta = Constant("beta", 0.1f), mean = Constant("mean", 0.1f), variance = Constant("variance", 1);
            return x =>
            {
                if (training)
                {
                    // With the deviation as factor the map's slope is 1: gradients that are overwritten again and again neither grow nor vanish.
                    x[0].BatchNorm(gamma, beta, mean, variance, momentum: 1);
                    float rows = (float)x[0].Shape.Length / channels; // The running variance is the unbiased one.
                    gamma.Update(values =>
                    {
                        for (int c = 0; c < values.Length; c++) values[c] = MathF.Sqrt((variance.Values[c] * (rows - 1) / rows) + 1e-5f);
                    });
                }
                return x[0].BatchNorm(gamma, beta, mean, variance);
            };

            Parameter Constant(string name, float value)
            {
                var parameter = new Parameter(name, new(channels), trainable: name is "gamma" or "beta");
                parameter.Update(values => values.Fill(value));
                return parameter;
            }
        }
    }

    private static Case Loss(Pass pass)
    {
        const int classes = 10;
        var operation = new Operation(
            $"128x10, softmax loss {(pass == Pass.Forward ? "forward" : "backward")}", pass, images => [new(images, classes)],
            x => x[0].SoftmaxCrossEntropy([.. Enumerable.Range(0, x[0].Shape[0]).Select(i => (byte)(i % classes))]))
        {
            Distinct = Operation.Images,
        };
        return new(operation.Name, new(Items: Operation.Images * classes), operation.Prepare);
    }
}
