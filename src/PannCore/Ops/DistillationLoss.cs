using PannCore.Engine;

namespace PannCore.Ops;

/// <summary>
/// y = (1 - w) c + w T^2 mean over images of KL(softmax(t / T), softmax(z / T)): c a cross-entropy, z logits, t the logits of a teacher, KL(q, p) = sum over k of q[k] log(q[k] / p[k]).
/// The gradient of z, w T (softmax(z / T) - softmax(t / T)) / N, tends with T to w (z - t, each less its mean over the classes) / (N K): T^2 keeps it from vanishing. Source: G. Hinton, O. Vinyals, J. Dean, Distilling the Knowledge in a Neural Network, 2015.
/// </summary>
internal sealed class DistillationLoss(ReadOnlyMemory<float> teacher, double weight, double temperature) : Op
{
    private Memory<float> _gradient;

    public override string Name => "distillationLoss";

    public override Shape OutputShape(ReadOnlySpan<Shape> inputs)
    {
        (Shape c, Shape z) = (inputs[0], inputs[1]);
        if (c.Length != 1) throw new ShapeException($"distillationLoss: cross-entropy {c} must be [1]");
        if (z.Rank != 2) throw new ShapeException($"distillationLoss: logits {z} must be [N,K]");
        if (teacher.Length != z.Length) throw new ShapeException($"distillationLoss: logits {z} need {z.Length} logits of a teacher, found {teacher.Length}");
        return new(1);
    }

    protected internal override bool BackwardReadsInputs => false;

    protected internal override bool BackwardReadsOutput => false;

    protected internal override void Forward(Forwarding pass, IReadOnlyList<Tensor> inputs, Memory<float> y)
    {
        ReadOnlySpan<float> z = inputs[1].Values, t = teacher.Span;
        int images = inputs[1].Shape[0], classes = inputs[1].Shape[1];
        _gradient = pass.Saved(z.Length);
        Span<float> gradients = _gradient.Span;
        double divergence = 0;
        for (int first = 0; first < z.Length; first += classes)
        {
            ReadOnlySpan<float> student = z.Slice(first, classes), wanted = t.Slice(first, classes);
            double studentSum = LogSum(student), wantedSum = LogSum(wanted);
            for (int k = 0; k < classes; k++)
            {
                double log = (student[k] / temperature) - studentSum, wantedLog = (wanted[k] / temperature) - wantedSum, probability = Math.Exp(wantedLog);
                divergence += probability * (wantedLog - log);
                gradients[first + k] = (float)(weight * temperature * (Math.Exp(log) - probability) / images);
            }
        }
        y.Span[0] = (float)(((1 - weight) * inputs[0].Values[0]) + (weight * temperature * temperature * divergence / images));
    }

    protected internal override void Backward(Backpropagation pass, IReadOnlyList<Tensor> inputs, Tensor output, ReadOnlyMemory<float> dy)
    {
        float factor = dy.Span[0];
        Span<float> dc = pass.InputGradient(0).Span, dz = pass.InputGradient(1).Span;
        if (dc.Length > 0) dc[0] = (float)((1 - weight) * factor);
        for (int i = 0; i < dz.Length; i++) dz[i] = _gradient.Span[i] * factor;
    }

    public override void Reference(IReadOnlyList<DoubleTensor> inputs, IReadOnlyList<DoubleTensor> parameters, DoubleTensor output)
    {
        int images = inputs[1].Shape[0], classes = inputs[1].Shape[1];
        double divergence = 0;
        for (int n = 0; n < images; n++)
        {
            double[] student = LogProbabilities(k => inputs[1].Values[(n * classes) + k]), wanted = LogProbabilities(k => teacher.Span[(n * classes) + k]);
            for (int k = 0; k < classes; k++) divergence += Math.Exp(wanted[k]) * (wanted[k] - student[k]);
        }
        output.Values[0] = ((1 - weight) * inputs[0].Values[0]) + (weight * temperature * temperature * divergence / images);

        double[] LogProbabilities(Func<int, double> logit)
        {
            double[] scaled = [.. Enumerable.Range(0, classes).Select(k => logit(k) / temperature)];
            double largest = scaled.Max(), logSum = largest + Math.Log(scaled.Sum(value => Math.Exp(value - largest)));
            return [.. scaled.Select(value => value - logSum)];
        }
    }

    /// <summary>log sum over k of exp(x[k] / T).</summary>
    private double LogSum(ReadOnlySpan<float> x)
    {
        double largest = double.NegativeInfinity, sum = 0;
        foreach (float value in x) largest = Math.Max(largest, value / temperature);
        foreach (float value in x) sum += Math.Exp((value / temperature) - largest);
        return largest + Math.Log(sum);
    }
}

/// <summary>The training loss beside a teacher.</summary>
public static class DistillationLossExtensions
{
    /// <summary>(1 - w) c + w T^2 mean KL(softmax(t / T), softmax(z / T)) for a cross-entropy c of one element, logits z [N,K] and as many of a teacher.</summary>
    /// <param name="crossEntropy">c.</param>
    /// <param name="logits">z.</param>
    /// <param name="teacher">t, N x K row-major.</param>
    /// <param name="weight">w, 0 to 1.</param>
    /// <param name="temperature">T, positive.</param>
    /// <exception cref="ShapeException">c has more than one element, z is no matrix, or t has another number of elements.</exception>
    /// <exception cref="ArgumentException">A logit of the teacher is not finite.</exception>
    /// <exception cref="ArgumentOutOfRangeException">Weight or temperature is none.</exception>
    public static Tensor DistillationLoss(this Tensor crossEntropy, Tensor logits, float[] teacher, double weight, double temperature)
    {
        if (!(weight is >= 0 and <= 1)) throw new ArgumentOutOfRangeException(nameof(weight), weight, "distillationLoss: the weight must be 0 to 1");
        if (!(temperature > 0 && double.IsFinite(temperature))) throw new ArgumentOutOfRangeException(nameof(temperature), temperature, "distillationLoss: the temperature must be a positive number");
        int wrong = Array.FindIndex(teacher, logit => !float.IsFinite(logit));
        if (wrong >= 0) throw new ArgumentException(FormattableString.Invariant($"distillationLoss: logit {wrong} of the teacher must be finite, is {teacher[wrong]}"), nameof(teacher));
        return new DistillationLoss(teacher, weight, temperature).Apply(crossEntropy, logits);
    }
}
