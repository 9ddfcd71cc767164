using PannCore.Engine;
using PannCore.Nn;
using PannCore.Training;
using Tensor = PannCore.Engine.Tensor;

namespace PannCore.Diagnostics;

/// <summary>
/// Predicts to first order what the approximations of a network do to its answers: the gradient of the margin with respect to each activation's output, in the ideal network,
/// times the error that the approximation injects at the ideal network's input. The margin is the predicted class's logit less the largest other.
/// </summary>
internal sealed class MarginGradient
{
    private readonly ResNet _network;
    private readonly IReadOnlyList<Activation> _approximations;
    private readonly Dictionary<string, int> _indices;

    /// <param name="pann">The network with approximations.</param>
    /// <param name="ideal">The network with what they stand for.</param>
    public MarginGradient(ResNet pann, ResNet ideal)
    {
        _approximations = pann.Activations;
        _indices = _approximations.Index().ToDictionary(pair => pair.Item.Path, pair => pair.Index);

        // The gradients wanted are those of activations. One trainable parameter before the first of them keeps the tape; the others would each cost a gradient of their own.
        var functions = ideal.Activations.ToDictionary(activation => activation.Path, activation => activation.Function);
        var parameters = new ParameterSet();
        foreach (Parameter parameter in ideal.Parameters.All) parameters.Get(parameter.Name, parameter.Shape, trainable: parameter.Name == "bn1.bias").Set(parameter.Values);
        _network = new ResNet(ideal.Depth, parameters, path => functions[path]);
    }

    /// <summary>Runs the ideal network forward and backward. Several threads may ask at once, each with a workspace of its own.</summary>
    /// <param name="workspace">Threads and memory.</param>
    /// <param name="images">[N, H, W, 3].</param>
    /// <param name="pixels">The images.</param>
    /// <returns>The logits, and of each activation and image the predicted change of the margin.</returns>
    public (float[] Logits, double[][] Products) Of(Workspace workspace, Shape images, ReadOnlySpan<float> pixels)
    {
        var pass = new Pass(this, workspace, images[0]);
        using var run = new Run(workspace, Statistics.Evaluation, tape: true, [pass]);
        Tensor output = _network.Call(run.Input(images, pixels));
        float[] logits = output.Values.ToArray(), seed = new float[logits.Length];
        int classes = logits.Length / images[0];
        for (int n = 0; n < images[0]; n++)
        {
            ReadOnlySpan<float> answer = logits.AsSpan(n * classes, classes);
            int predicted = Evaluation.Predict(answer);
            if (predicted < 0) continue;
            seed[(n * classes) + predicted] = 1;
            seed[(n * classes) + RunnerUp(answer, predicted)] = -1;
        }
        run.Backward(output, seed);
        return (logits, pass.Products);
    }

    /// <summary>The first class with the largest logit among the others.</summary>
    public static int RunnerUp(ReadOnlySpan<float> logits, int predicted)
    {
        int best = predicted == 0 ? 1 : 0;
        for (int k = best + 1; k < logits.Length; k++)
        {
            if (k != predicted && logits[k] > logits[best]) best = k;
        }
        return best;
    }

    /// <summary>What one pass over a batch sees.</summary>
    private sealed class Pass(MarginGradient owner, Workspace workspace, int images) : IRunObserver
    {
        private readonly (Tensor Input, Tensor Output)?[] _seen = new (Tensor, Tensor)?[owner._approximations.Count];

        public double[][] Products { get; } = [.. owner._approximations.Select(_ => new double[images])];

        public void Forward(Op op, string path, IReadOnlyList<Tensor> inputs, Tensor output)
        {
            // A function made of several operations shows them as PATH, PATH#2, ...: it begins with the first and ends with the last.
            if (!owner._indices.TryGetValue(path.Split('#')[0], out int index)) return;
            _seen[index] = (_seen[index]?.Input ?? inputs[0], output);
        }

        public void Gradient(Op op, string path, Tensor output, ReadOnlySpan<float> gradient)
        {
            if (!owner._indices.TryGetValue(path.Split('#')[0], out int index) || _seen[index] is not { } seen || seen.Output != output) return;

            // The tape still holds what went in.
            using var run = new Run(workspace);
            ReadOnlySpan<float> approximate = owner._approximations[index].Function.Apply(run.Input(seen.Input.Shape, seen.Input.Values)).Values, ideal = output.Values;
            double[] products = Products[index];
            int size = ideal.Length / products.Length;
            for (int n = 0; n < products.Length; n++)
            {
                double sum = 0;
                for (int i = n * size; i < (n + 1) * size; i++) sum += ((double)approximate[i] - ideal[i]) * gradient[i];
                products[n] = sum;
            }
        }
    }
}
