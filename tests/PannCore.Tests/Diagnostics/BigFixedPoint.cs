using System.Numerics;
using PannCore.Approximation;
using PannCore.Diagnostics;
using PannCore.Engine;
using PannCore.Nn;

namespace PannCore.Tests.Diagnostics;

/// <summary>A tensor of unbounded integers.</summary>
internal sealed record BigTensor(Shape Shape, BigInteger[] Values);

/// <summary>
/// Fixed point from its definition, one unbounded integer at a time: naive loops over ResNet's operations, found by name, with weights looked up by PyTorch's names. Of the library it uses the
/// list of a polynomial's instructions and the source of random bits.
/// </summary>
internal sealed class BigFixedPoint(ResNet model, FixedPointFormat format, long seed) : IArithmetic<BigTensor>
{
    private readonly Dictionary<string, double[]> _weights = model.Parameters.All.ToDictionary(p => p.Name, p => p.Values.ToArray().Select(v => (double)v).ToArray());
    private readonly Dictionary<string, ActivationFunction> _functions = model.Activations.ToDictionary(a => a.Path, a => a.Function);
    private readonly Dictionary<string, BigInteger[]> _held = model.Parameters.All.ToDictionary(p => p.Name, p => p.Values.ToArray().Select(v => Hold(v, format.FractionBits)).ToArray());
    private readonly List<string> _paths = [];
    private readonly BigInteger _modulus = BigInteger.One << format.RingBits, _half = BigInteger.One << (format.RingBits - 1);
    private int _batch, _firstImage;

    /// <summary>Values that left the ring, by path and image.</summary>
    public Dictionary<(string Path, int Image), long> Wraps { get; } = [];

    private int F => format.FractionBits;

    private FixedPointFormat Format => format;

    private long Seed => seed;

    public BigTensor Encode(Tensor x)
    {
        _firstImage += _batch;
        _batch = x.Shape[0];
        if (!_paths.Contains("input")) _paths.Add("input");
        BigInteger[] y = new BigInteger[x.Shape.Length];
        for (int i = 0; i < y.Length; i++) y[i] = Wrap(Hold(x.Values[i], F), "input", i / (y.Length / _batch));
        return new(x.Shape, y);
    }

    public DoubleTensor Decode(BigTensor x) => new(x.Shape, [.. x.Values.Select(v => (double)v / Math.ScaleB(1, F))]);

    public BigTensor Evaluate(Op op, string path, IReadOnlyList<BigTensor> inputs, Shape output)
    {
        if (!_paths.Contains(path)) _paths.Add(path);
        BigTensor x = inputs[0];
        BigInteger[] y = new BigInteger[output.Length];
        int size = output.Length / output[0], channels = output[output.Rank - 1];
        for (int i = 0; i < y.Length; i++)
        {
            var at = new Element(this, path, i / size, ((long)_firstImage * size) + i);
            y[i] = op.Name switch
            {
                "conv2d" => at.Truncated(Convolve(x, output, i, path), F),
                "batchNorm" => Normalise(at, x.Values[i], path, i % channels),
                "add" => at.Wrapped(x.Values[i] + inputs[1].Values[i]),
                "shortcut" => Shortcut(x, output, i),
                "pool" => Pool(at, x, i),
                "linear" => Linear(at, x, i, channels, path),
                "relu" => BigInteger.Max(0, x.Values[i]),
                "polynomialRelu" => Polynomial(at, x.Values[i], (ActivationFunction.Polynomial)_functions[path]),
                _ => throw new InvalidOperationException(op.Name),
            };
        }
        return new(output, y);
    }

    /// <summary>The integer nearest to value 2^bits, halves away from 0: from the mantissa and the exponent of the double.</summary>
    public static BigInteger Hold(double value, int bits)
    {
        if (value == 0) return 0;
        int exponent = Math.ILogB(value) - 52 + bits;
        var mantissa = new BigInteger(Math.ScaleB(Math.Abs(value), -(exponent - bits)));
        BigInteger magnitude = exponent >= 0 ? mantissa << exponent : (mantissa + (BigInteger.One << (-exponent - 1))) >> -exponent;
        return value < 0 ? -magnitude : magnitude;
    }

    private BigInteger Wrap(BigInteger value, string path, int image)
    {
        BigInteger wrapped = (((value + _half) % _modulus) + _modulus) % _modulus - _half;
        if (wrapped != value) Wraps[(path, _firstImage + image)] = Wraps.GetValueOrDefault((path, _firstImage + image)) + 1;
        return wrapped;
    }

    private BigInteger Convolve(BigTensor x, Shape to, int i, string path)
    {
        BigInteger[] w = _held[path + ".weight"];
        int h = x.Shape[1], width = x.Shape[2], c = x.Shape[3], stride = h / to[1];
        int k = i % to[3], ox = i / to[3] % to[2], oy = i / to[3] / to[2] % to[1], n = i / to[3] / to[2] / to[1];
        BigInteger sum = 0;
        for (int tap = 0; tap < 9; tap++)
        {
            int iy = (oy * stride) + (tap / 3) - 1, ix = (ox * stride) + (tap % 3) - 1;
            if (iy < 0 || ix < 0 || iy >= h || ix >= width) continue;
            for (int j = 0; j < c; j++) sum += x.Values[(((((n * h) + iy) * width) + ix) * c) + j] * w[(((k * c) + j) * 9) + tap];
        }
        return sum;
    }

    private BigInteger Normalise(Element at, BigInteger x, string path, int c)
    {
        double scale = _weights[path + ".weight"][c] / Math.Sqrt(_weights[path + ".running_var"][c] + 1e-5);
        double shift = _weights[path + ".bias"][c] - (_weights[path + ".running_mean"][c] * scale);
        return at.Wrapped(at.Truncated(x * Hold(scale, F), F) + Hold(shift, F));
    }

    private static BigInteger Shortcut(BigTensor x, Shape to, int i)
    {
        int h = x.Shape[1], width = x.Shape[2], c = x.Shape[3], stride = h / to[1], k = (i % to[3]) - ((to[3] - c) / 2);
        int ox = i / to[3] % to[2], oy = i / to[3] / to[2] % to[1], n = i / to[3] / to[2] / to[1];
        return k < 0 || k >= c ? 0 : x.Values[(((((n * h) + (oy * stride)) * width) + (ox * stride)) * c) + k];
    }

    private BigInteger Pool(Element at, BigTensor x, int i)
    {
        int channels = x.Shape[3], pixels = x.Shape[1] * x.Shape[2], n = i / channels;
        BigInteger sum = 0;
        for (int pixel = 0; pixel < pixels; pixel++) sum += x.Values[(((n * pixels) + pixel) * channels) + (i % channels)];
        return at.Truncated(at.Wrapped(sum) * Hold(1.0 / pixels, F), F);
    }

    private BigInteger Linear(Element at, BigTensor x, int i, int outputs, string path)
    {
        int features = x.Shape[1];
        BigInteger sum = 0;
        for (int c = 0; c < features; c++) sum += x.Values[(i / outputs * features) + c] * _held[path + ".weight"][(i % outputs * features) + c];
        return at.Wrapped(at.Truncated(sum, F) + _held[path + ".bias"][i % outputs]);
    }

    private BigInteger Polynomial(Element at, BigInteger x, ActivationFunction.Polynomial function)
    {
        // 1/B with as many more bits as B has before its point.
        int bits = F;
        while (Math.ScaleB(1, bits - F) <= function.Range) bits++;
        at.Instruction = 2; // the input is value 1
        BigInteger t = at.Truncated(x * Hold(1 / function.Range, bits), bits), r = EvaluationPlan.Of(function.Approximation).Run(at, t);
        at.Instruction++;
        return at.Truncated(r * Hold(function.Range, F), F);
    }

    /// <summary>One element of an output: its ring, and its random bits, numbered by operation, instruction and element.</summary>
    private sealed class Element(BigFixedPoint owner, string path, int image, long index) : IPlanArithmetic<BigInteger>
    {
        public int Instruction { get; set; }

        public BigInteger Wrapped(BigInteger value) => owner.Wrap(value, path, image);

        /// <summary>floor((v + random) / 2^bits) of the ring element v, random 0 or uniform below 2^bits.</summary>
        public BigInteger Truncated(BigInteger value, int bits)
        {
            BigInteger random = 0, unit = BigInteger.One << bits;
            if (owner.Format.Truncation == Truncation.Stochastic)
                random = new BigInteger(new CounterRandom(owner.Seed, RandomStream.Truncation, ((long)owner._paths.IndexOf(path) << 16) + Instruction).Bits(index)) % unit;
            BigInteger sum = Wrapped(value) + random, remainder = ((sum % unit) + unit) % unit;
            return (sum - remainder) / unit;
        }

        public BigInteger Add(BigInteger x, BigInteger y) => Next(Wrapped(x + y));

        public BigInteger Subtract(BigInteger x, BigInteger y) => Next(Wrapped(x - y));

        public BigInteger AddConstant(BigInteger x, double constant) => Next(Wrapped(x + Hold(constant, owner.F)));

        public BigInteger MultiplyConstant(BigInteger x, double constant) => Multiply(x, Hold(constant, owner.F));

        public BigInteger Multiply(BigInteger x, BigInteger y)
        {
            Instruction++;
            return Truncated(x * y, owner.F);
        }

        private BigInteger Next(BigInteger value)
        {
            Instruction++;
            return value;
        }
    }
}
