using PannCore.Engine;

namespace PannCore.Ops;

/// <summary>
/// Mean over images of - sum over k of target[k] log softmax(x)[k]. Targets are probabilities: one-hot rows for hard labels,
/// mixtures for soft ones (Mixup).
/// </summary>
internal sealed class SoftmaxCrossEntropy(ReadOnlyMemory<float> targets) : Op
{
    private Memory<float> _gradient;

    public override string Name => "softmaxCrossEntropy";

    public override Shape OutputShape(ReadOnlySpan<Shape> inputs)
    {
        Shape x = inputs[0];
        if (x.Rank != 2) throw new ShapeException($"softmaxCrossEntropy: logits {x} must be [N,K]");
        if (targets.Length != x.Length) throw new ShapeException($"softmaxCrossEntropy: logits {x} need {x.Length} target probabilities, found {targets.Length}");
        return new(1);
    }

    protected internal override bool BackwardReadsInputs => false;

    protected internal override bool BackwardReadsOutput => false;

    protected internal override void Forward(Forwarding pass, IReadOnlyList<Tensor> inputs, Memory<float> y)
    {
        ReadOnlySpan<float> x = inputs[0].Values;
        int images = inputs[0].Shape[0], classes = inputs[0].Shape[1];
        _gradient = pass.Saved(x.Length);
        Span<float> gradients = _gradient.Span;
        ReadOnlySpan<float> wanted = targets.Span;
        double loss = 0;
        for (int n = 0; n < images; n++)
        {
            ReadOnlySpan<float> row = x.Slice(n * classes, classes);
            double largest = float.NegativeInfinity, sum = 0, total = 0;
            foreach (float value in row) largest = Math.Max(largest, value);
            foreach (float value in row) sum += Math.Exp(value - largest);
            double logSum = largest + Math.Log(sum);
            for (int k = 0; k < classes; k++) total += wanted[(n * classes) + k];
            for (int k = 0; k < classes; k++)
            {
                double target = wanted[(n * classes) + k];
                if (target != 0) loss -= target * (row[k] - logSum);
                gradients[(n * classes) + k] = (float)(((total * Math.Exp(row[k] - logSum)) - target) / images);
            }
        }
        y.Span[0] = (float)(loss / images);
    }

    protected internal override void Backward(Backpropagation pass, IReadOnlyList<Tensor> inputs, Tensor output, ReadOnlyMemory<float> dy)
    {
        ReadOnlySpan<float> gradient = _gradient.Span;
        Span<float> dx = pass.InputGradient(0).Span;
        float factor = dy.Span[0];
        for (int i = 0; i < dx.Length; i++) dx[i] = gradient[i] * factor;
    }

    public override void Reference(IReadOnlyList<DoubleTensor> inputs, IReadOnlyList<DoubleTensor> parameters, DoubleTensor output)
    {
        int images = inputs[0].Shape[0], classes = inputs[0].Shape[1];
        double loss = 0;
        for (int n = 0; n < images; n++)
        {
            double[] row = inputs[0].Values[(n * classes)..((n + 1) * classes)];
            double logSum = row.Max() + Math.Log(row.Sum(v => Math.Exp(v - row.Max())));
            for (int k = 0; k < classes; k++)
            {
                // What is not wanted costs nothing, also where the logit is -infinity.
                double target = targets.Span[(n * classes) + k];
                if (target != 0) loss -= target * (row[k] - logSum);
            }
        }
        output.Values[0] = loss / images;
    }
}

/// <summary>The training loss.</summary>
public static class SoftmaxCrossEntropyExtensions
{
    /// <summary>Mean cross-entropy of logits [N,K] against class numbers, as a tensor of one element.</summary>
    /// <exception cref="ShapeException">Logits of another rank, another number of labels than N, or a label that is not a class.</exception>
    public static Tensor SoftmaxCrossEntropy(this Tensor logits, ReadOnlySpan<byte> labels)
    {
        if (logits.Shape.Rank != 2) throw new ShapeException($"softmaxCrossEntropy: logits {logits.Shape} must be [N,K]");
        if (logits.Shape[0] != labels.Length) throw new ShapeException($"softmaxCrossEntropy: logits {logits.Shape} need {logits.Shape[0]} labels, found {labels.Length}");
        int classes = logits.Shape[1];
        logits.ThrowIfReleased();
        Memory<float> targets = logits.Run.Save(labels.Length * classes);
        targets.Span.Clear();
        for (int n = 0; n < labels.Length; n++)
        {
            if (labels[n] >= classes) throw new ShapeException($"softmaxCrossEntropy: label {labels[n]} of image {n} is not below the {classes} classes of logits {logits.Shape}");
            targets.Span[(n * classes) + labels[n]] = 1;
        }
        return new SoftmaxCrossEntropy(targets).Apply(logits);
    }

    /// <summary>Mean cross-entropy of logits [N,K] against target probabilities, N x K row-major.</summary>
    /// <exception cref="ShapeException">The number of probabilities is not N K.</exception>
    /// <exception cref="ArgumentException">A probability is negative or not finite.</exception>
    public static Tensor SoftmaxCrossEntropy(this Tensor logits, float[] targets)
    {
        int wrong = Array.FindIndex(targets, target => !(target >= 0 && float.IsFinite(target)));
        if (wrong >= 0)
            throw new ArgumentException(FormattableString.Invariant($"softmaxCrossEntropy: target {wrong} must be a finite number of at least 0, is {targets[wrong]}"), nameof(targets));
        return new SoftmaxCrossEntropy(targets).Apply(logits);
    }
}
