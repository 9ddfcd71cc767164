using System.Numerics.Tensors;
using PannCore.Approximation;

namespace PannCore.Diagnostics;

/// <summary>Running sums of an <see cref="InsideRecord"/>: over one image, or over many.</summary>
/// <param name="channels">Channels of the activation.</param>
/// <param name="stages">Stages of its polynomial.</param>
internal sealed class InsideSums(int channels, int stages)
{
    /// <summary>Bins of x/B.</summary>
    public static LogBins Bins { get; } = new(octaves: 15, log2Parts: 2);

    private readonly double[] _errors = new double[channels], _squares = new double[channels];
    private readonly double[] _leaving = new double[stages], _largest = new double[stages], _relu = new double[stages];
    private double _entering, _signal;
    private long _pixels, _inRange;

    /// <summary>Inputs in each bin.</summary>
    public long[] Counts { get; } = new long[Bins.Count];

    /// <summary>Sum of the injected errors in each bin.</summary>
    public double[] Errors { get; } = new double[Bins.Count];

    /// <summary>Inputs below -B.</summary>
    public long Below { get; private set; }

    /// <summary>Inputs above B.</summary>
    public long Above { get; private set; }

    public void Clear()
    {
        foreach (Array array in new Array[] { _errors, _squares, _leaving, _largest, _relu, Counts, Errors }) Array.Clear(array);
        (_entering, _signal, _pixels, _inRange, Below, Above) = (0, 0, 0, 0, 0, 0);
    }

    /// <summary>Adds other sums, those over the stages only if they are wanted.</summary>
    public void Add(InsideSums other, bool withStages)
    {
        TensorPrimitives.Add(_errors, other._errors, _errors);
        TensorPrimitives.Add(_squares, other._squares, _squares);
        TensorPrimitives.Add(Counts, other.Counts, Counts);
        TensorPrimitives.Add(Errors, other.Errors, Errors);
        _pixels += other._pixels;
        Below += other.Below;
        Above += other.Above;
        if (!withStages) return;
        TensorPrimitives.Add(_leaving, other._leaving, _leaving);
        TensorPrimitives.Max(_largest, other._largest, _largest);
        TensorPrimitives.Add(_relu, other._relu, _relu);
        _entering += other._entering;
        _signal += other._signal;
        _inRange += other._inRange;
    }

    /// <summary>Adds what one polynomial got and what it answered.</summary>
    public void Measure(double leak, double range, ReadOnlySpan<float> input, ReadOnlySpan<float> output)
    {
        double inverse = 1 / range;
        LogBins bins = Bins;
        for (int pixel = 0; pixel < input.Length; pixel += channels)
        {
            for (int c = 0; c < channels; c++)
            {
                double x = input[pixel + c], error = output[pixel + c] - Math.Max(x, leak * x);
                _errors[c] += error;
                _squares[c] += error * error;
                if (Math.Abs(x) <= range)
                {
                    int bin = bins.Of((float)(x * inverse));
                    Counts[bin]++;
                    Errors[bin] += error;
                }
                else if (x < 0)
                {
                    Below++;
                }
                else
                {
                    Above++;
                }
            }
        }
        _pixels += input.Length / channels;
    }

    /// <summary>Adds what the stages of a composition make of its inputs.</summary>
    public void MeasureStages(ReluPolynomial composite, double range, ReadOnlySpan<float> input)
    {
        double leak = composite.Leak;
        IReadOnlyList<Polynomial> polynomials = composite.Stages;
        foreach (float x in input)
        {
            if (!(Math.Abs((double)x) <= range)) continue;
            double value = x / range, sign = Math.Sign(x), ideal = Math.Max(x, leak * x);
            _inRange++;
            _signal += ideal * ideal;
            _entering += (value - sign) * (value - sign);
            for (int stage = 0; stage < stages; stage++)
            {
                value = polynomials[stage].Evaluate(value);
                double error = value - sign, relu = (x * ((1 + leak) + ((1 - leak) * value)) / 2) - ideal;
                _leaving[stage] += error * error;
                _largest[stage] = Math.Max(_largest[stage], Math.Abs(error));
                _relu[stage] += relu * relu;
            }
        }
    }

    public IReadOnlyList<StageError> Stages(ReluPolynomial polynomial)
    {
        return [.. polynomial.Degrees.Select((degree, stage) => new StageError(
            stage + 1, degree, Rms(stage == 0 ? _entering : _leaving[stage - 1]), Rms(_leaving[stage]), _largest[stage], _signal > 0 ? Math.Sqrt(_relu[stage] / _signal) : 0))];

        double Rms(double squares) => Math.Sqrt(squares / Math.Max(1, _inRange));
    }

    public IReadOnlyList<ChannelError> Channels()
    {
        double pixels = Math.Max(1, _pixels);
        return [.. _errors.Zip(_squares, (error, square) => new ChannelError(error / pixels, Math.Sqrt(Math.Max(0, (square / pixels) - (error / pixels * (error / pixels))))))];
    }

    public double BiasShare()
    {
        double squares = _squares.Sum();
        return squares > 0 ? _errors.Sum(error => error * error) / _pixels / squares : 0;
    }
}
