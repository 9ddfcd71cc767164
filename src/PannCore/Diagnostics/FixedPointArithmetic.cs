using PannCore.Approximation;
using PannCore.Engine;
using PannCore.Ops;

namespace PannCore.Diagnostics;

/// <summary>
/// A network in fixed point, as a multiparty protocol evaluates it: integers modulo 2^L with F fraction bits; bit-exact, whatever the threads, the batch and the vector width.
/// </summary>
/// <remarks>
/// <list type="bullet">
/// <item>Weights, constants and inputs are rounded to F fraction bits, halves away from 0.</item>
/// <item>A product has 2 F fraction bits; sums of products are truncated once: <see cref="Truncation"/>. Biases are added afterwards.</item>
/// <item>Batch-norm is an affine map x s + t for each channel, with one truncation; pooling a sum and one product with 1/n.</item>
/// <item>A polynomial is evaluated by the instructions of its <see cref="EvaluationPlan"/>, each product truncated. x / B is a product with 1/B, held with so many more bits than F as B has before the
/// point, because 1/B is small; B r a product with B.</item>
/// <item>ReLU is exact: a comparison. A leaky slope costs one product.</item>
/// </list>
/// What does not fit into the ring wraps around, and is counted where it happens: of a sum of products the final value matters, because what wraps within a sum is made good by its end.
/// </remarks>
public sealed class FixedPointArithmetic : IArithmetic<FixedPointTensor>
{
    private const string InputPath = "input";

    private readonly Workspace _workspace;
    private readonly long _seed;
    private readonly Ring _ring;
    private readonly RingConvolution _convolution;
    private readonly Dictionary<ReluPolynomial, EvaluationPlan> _plans = [];
    private readonly OrderedDictionary<string, Place> _places = [];
    private readonly HashSet<int> _wrapped = [];
    private int _firstImage, _batch;

    /// <summary>An arithmetic.</summary>
    /// <param name="format">F, L and truncation.</param>
    /// <param name="workspace">Threads and memory.</param>
    /// <param name="seed">For stochastic truncation.</param>
    public FixedPointArithmetic(FixedPointFormat format, Workspace workspace, long seed = 1)
    {
        ArgumentNullException.ThrowIfNull(format);
        Format = format;
        (_workspace, _seed) = (workspace, seed);
        _ring = new Ring(format);
        _convolution = new RingConvolution(_ring, workspace);
    }

    /// <summary>F, L and truncation.</summary>
    public FixedPointFormat Format { get; }

    /// <summary>Where values left the ring, in the order of execution.</summary>
    public IReadOnlyList<WrapAround> WrapArounds
        => [.. _places.Where(p => p.Value.Wraps > 0).Select(p => new WrapAround(p.Key, p.Value.Op, p.Value.Wraps, p.Value.RootImages))];

    /// <summary>Images in which some value left the ring.</summary>
    public int WrappedImages => _wrapped.Count;

    /// <inheritdoc/>
    public FixedPointTensor Encode(Tensor x)
    {
        ArgumentNullException.ThrowIfNull(x);
        _firstImage += _batch;
        _batch = x.Shape[0];
        FixedPointTensor y = New(x.Shape);
        long[] wraps = new long[_batch];
        ReadOnlySpan<float> values = x.Values;
        for (int i = 0; i < values.Length; i++)
        {
            double scaled = Math.Round(Math.ScaleB((double)values[i], Format.FractionBits), MidpointRounding.AwayFromZero);
            if (!double.IsFinite(scaled)) throw new BadInputException($"fixed point: {InputPath}: expected finite numbers, found one that is not");
            y.Values[i] = _ring.Wrap((Int128)scaled, ref wraps[i / (values.Length / _batch)]);
        }
        Note(PlaceOf(InputPath, InputPath), wraps);
        return y;
    }

    /// <inheritdoc/>
    public DoubleTensor Decode(FixedPointTensor x)
    {
        ArgumentNullException.ThrowIfNull(x);
        return new(x.Shape, Array.ConvertAll(x.Values, value => Math.ScaleB(value, -Format.FractionBits)));
    }

    /// <inheritdoc/>
    public FixedPointTensor Evaluate(Op op, string path, IReadOnlyList<FixedPointTensor> inputs, Shape output)
    {
        ArgumentNullException.ThrowIfNull(op);
        ArgumentNullException.ThrowIfNull(inputs);
        Place place = PlaceOf(path, op.Name);
        FixedPointTensor x = inputs[0], y = New(output);
        long[] wraps = new long[output[0]];
        switch (op)
        {
            case Conv2d convolution:
                Convolution(convolution, x, path, y, place, wraps);
                break;
            case BatchNorm norm:
                Affine(norm, x, path, y, place, wraps);
                break;
            case Linear linear:
                Linear(linear, x, path, y, place, wraps);
                break;
            case GlobalAveragePool:
                Mean(x, path, y, place, wraps);
                break;
            case Add:
                Images(output, (n, i) => y.Values[i] = _ring.Add(x.Values[i], inputs[1].Values[i], ref wraps[n]));
                break;
            case Shortcut shortcut:
                Copy(shortcut, x, y);
                break;
            case Relu relu:
                Relu(relu.Slope, x, path, y, place, wraps);
                break;
            case PolynomialRelu polynomial:
                Polynomial(polynomial, x, path, y, place, wraps);
                break;
            default:
                throw new BadInputException($"fixed point: {path} is {op.Name}, an operation that it does not know");
        }
        Note(place, wraps);
        return y;
    }

    private static FixedPointTensor New(Shape shape) => new(shape, new long[shape.Length]);

    private void Convolution(Conv2d op, FixedPointTensor x, string path, FixedPointTensor y, Place place, long[] wraps)
    {
        CounterRandom random = Random(place);
        long first = First(y.Shape);
        _convolution.Run(x, op.Parameters[0], op.Geometry(x.Shape), path,
            (n, i, sum) => y.Values[i] = _ring.Truncate(_ring.Wrap(sum, ref wraps[n]), Format.FractionBits, random, first + i));
    }

    private void Affine(BatchNorm op, FixedPointTensor x, string path, FixedPointTensor y, Place place, long[] wraps)
    {
        (double[] scale, double[] shift) = op.Affine();
        long[] s = Array.ConvertAll(scale, v => _ring.Hold(v, path)), t = Array.ConvertAll(shift, v => _ring.Hold(v, path));
        CounterRandom random = Random(place);
        long first = First(y.Shape);
        Images(y.Shape, (n, i) =>
        {
            int c = i % s.Length;
            long product = _ring.Truncate(_ring.Multiply(x.Values[i], s[c], ref wraps[n]), Format.FractionBits, random, first + i);
            y.Values[i] = _ring.Add(product, t[c], ref wraps[n]);
        });
    }

    private void Linear(Linear op, FixedPointTensor x, string path, FixedPointTensor y, Place place, long[] wraps)
    {
        long[] w = Array.ConvertAll(op.Parameters[0].Values.ToArray(), v => _ring.Hold(v, path)), b = Array.ConvertAll(op.Parameters[1].Values.ToArray(), v => _ring.Hold(v, path));
        int outputs = y.Shape[1], features = x.Shape[1];
        CounterRandom random = Random(place);
        long first = First(y.Shape);
        Images(y.Shape, (n, i) =>
        {
            Int128 sum = 0;
            for (int c = 0; c < features; c++) sum += (Int128)x.Values[(n * features) + c] * w[(i % outputs * features) + c];
            y.Values[i] = _ring.Add(_ring.Truncate(_ring.Wrap(sum, ref wraps[n]), Format.FractionBits, random, first + i), b[i % outputs], ref wraps[n]);
        });
    }

    private void Mean(FixedPointTensor x, string path, FixedPointTensor y, Place place, long[] wraps)
    {
        int channels = x.Shape[3], pixels = x.Shape[1] * x.Shape[2];
        long factor = _ring.Hold(1.0 / pixels, path);
        CounterRandom random = Random(place);
        long first = First(y.Shape);
        Images(y.Shape, (n, i) =>
        {
            Int128 sum = 0;
            for (int pixel = 0; pixel < pixels; pixel++) sum += x.Values[(((n * pixels) + pixel) * channels) + (i % channels)];
            long product = _ring.Multiply(_ring.Wrap(sum, ref wraps[n]), factor, ref wraps[n]);
            y.Values[i] = _ring.Truncate(product, Format.FractionBits, random, first + i);
        });
    }

    private void Copy(Shortcut op, FixedPointTensor x, FixedPointTensor y)
    {
        (Shape from, Shape to) = (x.Shape, y.Shape);
        int before = (to[3] - from[3]) / 2;
        Images(to, (n, i) =>
        {
            int k = (i % to[3]) - before, column = i / to[3] % to[2], row = i / to[3] / to[2] % to[1];
            if (k >= 0 && k < from[3]) y.Values[i] = x.Values[(((((n * from[1]) + (row * op.Stride)) * from[2]) + (column * op.Stride)) * from[3]) + k];
        });
    }

    private void Relu(float slope, FixedPointTensor x, string path, FixedPointTensor y, Place place, long[] wraps)
    {
        long factor = _ring.Hold(slope, path);
        CounterRandom random = Random(place);
        long first = First(y.Shape);
        Images(y.Shape, (n, i) => y.Values[i] = x.Values[i] > 0 ? x.Values[i]
            : slope == 0 ? 0
            : _ring.Truncate(_ring.Multiply(x.Values[i], factor, ref wraps[n]), Format.FractionBits, random, first + i));
    }

    private void Polynomial(PolynomialRelu op, FixedPointTensor x, string path, FixedPointTensor y, Place place, long[] wraps)
    {
        if (!_plans.TryGetValue(op.Polynomial, out EvaluationPlan? plan)) _plans[op.Polynomial] = plan = EvaluationPlan.Of(op.Polynomial);
        int bits = ScaleBits(op.Range, Format.FractionBits), size = y.Shape.Length / y.Shape[0];
        long scale = Ring.Hold(1 / op.Range, bits, path), range = _ring.Hold(op.Range, path), first = First(y.Shape);

        // A shift for each channel, where an activation has one, is its only parameter.
        long[] shift = [.. op.Parameters.SelectMany(p => p.Values.ToArray()).Select(v => _ring.Hold(v, path))];
        Parts.Each(_workspace, y.Shape[0], n =>
        {
            var blocks = new RingBlocks(_ring, _seed, path);
            for (int at = n * size; at < (n + 1) * size; at += RingBlocks.Elements)
            {
                int length = Math.Min(RingBlocks.Elements, ((n + 1) * size) - at);
                RingBlock t = blocks.Multiply(blocks.Begin(x.Values.AsSpan(at, length), place.Index, first + at), scale, bits);
                RingBlock r = blocks.Multiply(plan.Run(blocks, t), range, Format.FractionBits);
                blocks.Values(r).CopyTo(y.Values.AsSpan(at, length));
            }
            wraps[n] += blocks.Wraps;
            if (shift.Length == 0) return;
            for (int i = n * size; i < (n + 1) * size; i++) y.Values[i] = _ring.Add(y.Values[i], shift[i % shift.Length], ref wraps[n]);
        });
    }

    /// <summary>F and the bits of B before its point: 1/B then has about F significant ones; a shift of 64 bits has no room for more than 62.</summary>
    internal static int ScaleBits(double range, int fractionBits) => Math.Min(62, fractionBits + Math.Max(0, Math.ILogB(range) + 1));

    /// <summary>Does every element, image by image on the workers.</summary>
    private void Images(Shape shape, Action<int, int> element)
    {
        int size = shape.Length / shape[0];
        Parts.Each(_workspace, shape[0], n =>
        {
            for (int i = n * size; i < (n + 1) * size; i++) element(n, i);
        });
    }

    /// <summary>The random bits of an operation's one truncation; the instructions of a polynomial have others, by their numbers.</summary>
    private CounterRandom Random(Place place) => new(_seed, RandomStream.Truncation, (long)place.Index << 16);

    /// <summary>The number of the batch's first output element, were all batches one.</summary>
    private long First(Shape shape) => (long)_firstImage * (shape.Length / shape[0]);

    private Place PlaceOf(string path, string op)
    {
        if (!_places.TryGetValue(path, out Place? place)) _places[path] = place = new Place(_places.Count, op);
        return place;
    }

    private void Note(Place place, long[] wraps)
    {
        for (int n = 0; n < wraps.Length; n++)
        {
            if (wraps[n] == 0) continue;
            place.Wraps += wraps[n];
            if (_wrapped.Add(_firstImage + n)) place.RootImages++;
        }
    }

    private sealed class Place(int index, string op)
    {
        public int Index { get; } = index;

        public string Op { get; } = op;

        public long Wraps { get; set; }

        public int RootImages { get; set; }
    }
}
