using CommunityToolkit.HighPerformance.Buffers;
using PannCore.Engine;
using PannCore.Kernels;
using TensorPrimitives = System.Numerics.Tensors.TensorPrimitives;

namespace PannCore.Ops;

/// <summary>
/// y = gamma (x - mean) / sqrt(variance + epsilon) + beta for each channel. With training statistics, mean and (biased) variance are the batch's
/// and the running ones move by <c>momentum</c> towards them, the variance unbiased: running = (1 - momentum) running + momentum batch, as in PyTorch.
/// Which statistics is a setting of the operation, because what it says of itself depends on it; it is that of the run.
/// </summary>
internal sealed class BatchNorm(Parameter gamma, Parameter beta, Parameter runningMean, Parameter runningVariance, double momentum, double epsilon, Statistics statistics) : Op
{
    /// <summary>The usual epsilon.</summary>
    internal const double Epsilon = 1e-5;

    private Memory<float> _mean;
    private Memory<float> _inverseDeviation;

    public override string Name => "batchNorm";

    public override IReadOnlyList<Parameter> Parameters { get; } = [gamma, beta, runningMean, runningVariance];

    private int Channels => gamma.Shape.Length;

    private bool Trains => statistics == Statistics.Training;

    /// <summary>With evaluation statistics y = scale x + shift for each channel.</summary>
    internal (double[] Scale, double[] Shift) Affine()
    {
        double[] scale = new double[Channels], shift = new double[Channels];
        for (int c = 0; c < Channels; c++)
        {
            scale[c] = gamma.Values[c] / Math.Sqrt(runningVariance.Values[c] + epsilon);
            shift[c] = beta.Values[c] - (runningMean.Values[c] * scale[c]);
        }
        return (scale, shift);
    }

    public override Shape OutputShape(ReadOnlySpan<Shape> inputs)
    {
        Shape x = inputs[0];
        if (x.Rank != 4) throw new ShapeException($"batchNorm: input {x} must be [N,H,W,C]");
        for (int i = 0; i < Parameters.Count; i++)
        {
            Parameter parameter = Parameters[i];
            if (parameter.Shape.Length != x[3])
                throw new ShapeException($"batchNorm: {parameter.Name} {parameter.Shape} has {parameter.Shape.Length} channels, input {x} has {x[3]}");
        }
        return x;
    }

    protected internal override bool GradientInPlace => true;

    protected internal override bool ForwardInPlace => true;

    protected internal override bool BackwardReadsOutput => false;

    internal override bool IsElementwise => !Trains;

    internal override bool DoesPending => true;

    protected internal override void Forward(Forwarding pass, IReadOnlyList<Tensor> inputs, Memory<float> y)
    {
        Tensor x = inputs[0];
        if (pass.TrainingStatistics != Trains) throw new InvalidOperationException($"batchNorm: made for the statistics of {statistics}, applied in a run of the other ones");
        _mean = pass.Saved(Channels);
        _inverseDeviation = pass.Saved(Channels);
        using SpanOwner<double> variances = SpanOwner<double>.Allocate(Channels);
        if (Trains) BatchStatistics(pass, x, variances.Span);
        else RunningStatistics(variances.Span);
        Memory<float> scale = pass.Saved(Channels), offset = pass.Saved(Channels);
        Span<float> scales = scale.Span, offsets = offset.Span, mean = _mean.Span, inverse = _inverseDeviation.Span;
        for (int c = 0; c < Channels; c++)
        {
            double deviation = Math.Sqrt(variances.Span[c] + epsilon), factor = gamma.Values[c] / deviation;
            inverse[c] = (float)(1 / deviation);
            scales[c] = (float)factor;
            offsets[c] = (float)(beta.Values[c] - (mean[c] * factor));
        }
        pass.PutOff(new ChannelAffine(x.Memory, scale, default, default, offset, y), y);
    }

    protected internal override void Backward(Backpropagation pass, IReadOnlyList<Tensor> inputs, Tensor output, ReadOnlyMemory<float> dy)
    {
        Tensor x = inputs[0];
        int rows = x.Shape.Length / Channels;
        Memory<float> p = pass.Temporary(Channels), q = pass.Temporary(Channels), r = pass.Temporary(Channels);
        r.Span.Clear(); // dy is summed unshifted; and in evaluation this stays the constant term.
        using SpanOwner<double> owner = SpanOwner<double>.Allocate(2 * Channels);
        ElementwiseChain? pending = pass.TakePending();
        ChannelSums.Run(dy, r, x.Memory, _mean, owner.Span, pass.Workers, pending);
        pass.Done(pending);
        ReadOnlySpan<double> sums = owner.Span;
        Span<float> dGamma = pass.ParameterGradient(0).Span, dBeta = pass.ParameterGradient(1).Span, dMean = pass.ParameterGradient(2).Span, dVariance = pass.ParameterGradient(3).Span;
        Span<float> ps = p.Span, qs = q.Span, rs = r.Span, mean = _mean.Span, inverse = _inverseDeviation.Span;
        for (int c = 0; c < Channels; c++)
        {
            // With xhat = (x - mean) d: dx = gamma d (dy - mean(dy) - xhat mean(dy xhat)); in evaluation the two means are absent.
            double d = inverse[c], sumDy = sums[c], sumDyXhat = sums[Channels + c] * d, factor = gamma.Values[c] * d;
            if (!dGamma.IsEmpty) dGamma[c] = (float)sumDyXhat;
            if (!dBeta.IsEmpty) dBeta[c] = (float)sumDy;
            // The running statistics have a part in y in evaluation only.
            if (!dMean.IsEmpty) dMean[c] = Trains ? 0 : (float)(-factor * sumDy);
            if (!dVariance.IsEmpty) dVariance[c] = Trains ? 0 : (float)(-0.5 * factor * d * sumDyXhat);
            ps[c] = (float)factor;
            if (!Trains) continue;
            double slope = -factor * d * sumDyXhat / rows;
            qs[c] = (float)slope;
            rs[c] = (float)((-factor * sumDy / rows) - (slope * mean[c]));
        }
        if (pass.InputGradient(0).IsEmpty) return;
        pass.PutOff(new ChannelAffine(dy, p, Trains ? x.Memory : default, q, r, pass.InputGradient(0)), pass.InputGradient(0));
    }

    public override void Reference(IReadOnlyList<DoubleTensor> inputs, IReadOnlyList<DoubleTensor> parameters, DoubleTensor output)
    {
        double[] x = inputs[0].Values, y = output.Values;
        int rows = x.Length / Channels;
        for (int c = 0; c < Channels; c++)
        {
            double mean = parameters[2].Values[c], variance = parameters[3].Values[c];
            if (Trains)
            {
                mean = 0;
                for (int i = c; i < x.Length; i += Channels) mean += x[i] / rows;
                variance = 0;
                for (int i = c; i < x.Length; i += Channels) variance += (x[i] - mean) * (x[i] - mean) / rows;
            }
            for (int i = c; i < x.Length; i += Channels)
                y[i] = (parameters[0].Values[c] * (x[i] - mean) / Math.Sqrt(variance + epsilon)) + parameters[1].Values[c];
        }
    }

    /// <summary>With evaluation statistics, (x - mean) s + beta with s = gamma / sqrt(variance + epsilon) computed once a channel.</summary>
    public override void Exact(Workspace workspace, IReadOnlyList<DoubleTensor> inputs, DoubleTensor output)
    {
        if (Trains)
        {
            base.Exact(workspace, inputs, output);
            return;
        }
        double[] x = inputs[0].Values, y = output.Values;
        double[] mean = Parts.Line(Channels, c => runningMean.Values[c]), shift = Parts.Line(Channels, c => beta.Values[c]);
        double[] scale = Parts.Line(Channels, c => gamma.Values[c] / Math.Sqrt(runningVariance.Values[c] + epsilon));
        Parts.Run(workspace, y.Length, Channels, part =>
        {
            ReadOnlySpan<double> from = x.AsSpan(part);
            Span<double> to = y.AsSpan(part);
            for (int i = 0; i < to.Length; i += scale.Length)
            {
                int count = Math.Min(scale.Length, to.Length - i);
                Span<double> line = to.Slice(i, count);
                TensorPrimitives.Subtract(from.Slice(i, count), mean.AsSpan(0, count), line);
                TensorPrimitives.MultiplyAdd(line, scale.AsSpan(0, count), shift.AsSpan(0, count), line);
            }
        });
    }

    public override bool IsAffine => !Trains;

    /// <summary>
    /// y = x s + t with s and t rounded once each from float64, one product and one sum: gamma_4 (|x s| + |mean s| + |beta|). Below the normal numbers s, t and the product lose e each, s also as the factor of the mean: (|x| + |mean| + 2) e more.
    /// With training statistics no bound is known.
    /// </summary>
    public override void RoundingBound(Workspace workspace, IReadOnlyList<DoubleTensor> inputs, double unitRoundoff, DoubleTensor bound)
    {
        if (Trains)
        {
            base.RoundingBound(workspace, inputs, unitRoundoff, bound);
            return;
        }
        double bound4 = Rounding.Gamma(4, unitRoundoff), underflow = Rounding.Underflow(unitRoundoff);
        double[] x = inputs[0].Values, result = bound.Values;
        double[] scale = Parts.Line(Channels, c => (bound4 * Math.Abs(gamma.Values[c]) / Math.Sqrt(runningVariance.Values[c] + epsilon)) + underflow);
        double[] shift = Parts.Line(Channels, c => (scale[c] * Math.Abs(runningMean.Values[c])) + (bound4 * Math.Abs(beta.Values[c])) + (2 * underflow));
        Parts.Run(workspace, result.Length, Channels, part =>
        {
            Span<double> to = result.AsSpan(part);
            TensorPrimitives.Abs(x.AsSpan(part), to);
            for (int i = 0; i < to.Length; i += scale.Length)
            {
                int count = Math.Min(scale.Length, to.Length - i);
                TensorPrimitives.MultiplyAdd(to.Slice(i, count), scale.AsSpan(0, count), shift.AsSpan(0, count), to.Slice(i, count));
            }
        });
    }

    /// <summary>Mean and variance of the batch; the running ones move towards them.</summary>
    private void BatchStatistics(Forwarding pass, Tensor x, Span<double> variance)
    {
        int rows = x.Shape.Length / Channels;
        if (rows < 2) throw new ShapeException($"batchNorm: input {x.Shape} has {rows} value a channel, training statistics need 2 or more");
        Memory<float> shift = pass.Saved(Channels);
        TypicalValues(x.Values, rows, shift.Span);
        using SpanOwner<double> owner = SpanOwner<double>.Allocate(2 * Channels);
        ChannelSums.Run(x.Memory, shift, x.Memory, shift, owner.Span, pass.Workers);
        ReadOnlySpan<double> sums = owner.Span;
        Span<float> mean = _mean.Span, runningMeans = runningMean.Overwrite(), runningVariances = runningVariance.Overwrite();
        double unbiased = (double)rows / (rows - 1);
        for (int c = 0; c < Channels; c++)
        {
            double offset = sums[c] / rows;
            mean[c] = (float)(shift.Span[c] + offset);
            variance[c] = Math.Max(0, (sums[Channels + c] / rows) - (offset * offset));
            runningMeans[c] = Moved(runningMeans[c], mean[c]);
            runningVariances[c] = Moved(runningVariances[c], variance[c] * unbiased);
        }
    }

    /// <summary>Mean and variance as they were learnt.</summary>
    private void RunningStatistics(Span<double> variance)
    {
        runningMean.Values.CopyTo(_mean.Span);
        for (int c = 0; c < Channels; c++) variance[c] = runningVariance.Values[c];
    }

    private float Moved(float running, double batch) => (float)(((1 - momentum) * running) + (momentum * batch));

    /// <summary>
    /// The mean of at most 64 rows spread over the batch: subtracted first, it keeps the sums of squares small, so that
    /// the variance loses few bits to cancellation even where the mean is many deviations away from 0.
    /// </summary>
    private static void TypicalValues(ReadOnlySpan<float> x, int rows, Span<float> mean)
    {
        int count = Math.Min(64, rows), channels = mean.Length;
        mean.Clear();
        for (int i = 0; i < count; i++)
        {
            ReadOnlySpan<float> row = x.Slice((int)((long)rows * i / count) * channels, channels);
            for (int c = 0; c < channels; c++) mean[c] += row[c] / count;
        }
    }

    /// <summary>|gamma| / sqrt(variance + epsilon), three roundings, times the input's bound. With training statistics every output depends on every input: no bound is known.</summary>
    public override void PropagateBound(Workspace workspace, IReadOnlyList<DoubleTensor>? inputs, IReadOnlyList<DoubleTensor> inputBounds, DoubleTensor bound)
    {
        if (Trains)
        {
            base.PropagateBound(workspace, inputs, inputBounds, bound);
            return;
        }
        double[] scale = new double[Channels];
        for (int c = 0; c < Channels; c++) scale[c] = Rounding.Outwards(5) * Math.Abs(gamma.Values[c]) / Math.Sqrt(runningVariance.Values[c] + epsilon);
        for (int i = 0; i < bound.Values.Length; i += Channels)
            TensorPrimitives.Multiply(inputBounds[0].Values.AsSpan(i, Channels), scale, bound.Values.AsSpan(i, Channels));
    }
}

/// <summary>Batch normalisation of a tensor.</summary>
public static class BatchNormExtensions
{
    /// <summary>Batch normalisation of [N,H,W,C] over N, H and W; the four parameters have C elements. Momentum and epsilon mean what they mean in PyTorch.</summary>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    public static Tensor BatchNorm(
        this Tensor x, Parameter gamma, Parameter beta, Parameter runningMean, Parameter runningVariance, double momentum = 0.1, double epsilon = Ops.BatchNorm.Epsilon)
        => new BatchNorm(gamma, beta, runningMean, runningVariance, momentum, epsilon, x.Run.Statistics).Apply(x);
}
