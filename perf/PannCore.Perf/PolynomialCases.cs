using System.Numerics;
using PannCore.Approximation;
using PannCore.Engine;
using PannCore.Kernels;

namespace PannCore.Perf;

/// <summary>The kernel of polynomial activations by specification, in float32 and float64, on 64 KiB a thread that stay in its cache and on arrays far larger than a cache.</summary>
internal static class PolynomialCases
{
    private const double Range = 50;
    private const int CacheBytes = 64 << 10, StreamBytes = 64 << 20, CacheRepetitions = 64;

    private static readonly string[] Specs = ["direct:4", "composite:alpha=8", "composite:7,7,27", "composite:alpha=12"];

    public static IEnumerable<Case> All =>
        from spec in Specs
        from gradient in (bool[])[false, true]
        from streaming in (bool[])[false, true]
        from make in (Func<string, bool, bool, Case>[])[Make<float>, Make<double>]
        select make(spec, gradient, streaming);

    private static Case Make<T>(string spec, bool gradient, bool streaming) where T : unmanaged, IFloatingPointIeee754<T>
    {
        int size = System.Runtime.CompilerServices.Unsafe.SizeOf<T>(), block = CacheBytes / size, threads = Environment.ProcessorCount;
        int blocks = streaming ? StreamBytes / CacheBytes : threads, repetitions = streaming ? 1 : CacheRepetitions;
        double items = (double)block * blocks * repetitions;
        string name = $"{spec}, {(gradient ? "gradient" : "forward")}, {(size == 4 ? "float" : "double")}, {(streaming ? "streaming" : "in cache")}";
        return new(name, new(Bytes: streaming ? items * size * (gradient ? 3 : 2) : 0, Items: items), () =>
        {
            ReluPolynomial polynomial = ActivationSpec.Parse(spec).Build();
            PolynomialForm<T> form = Form(polynomial).Convert<T>();
            T[] x = new T[block * blocks], dy = gradient ? new T[x.Length] : [], y = new T[x.Length];
            var random = new CounterRandom(1, RandomStream.Weights, 0);
            for (int i = 0; i < block; i++) x[i] = T.CreateTruncating(Range * ((2 * random.Uniform(i)) - 1));
            for (int i = block; i < x.Length; i++) x[i] = x[i - block];
            Array.Fill(dy, T.One);
            var workers = new Workers(threads);
            void Run() => workers.Run(new Job<T>(form, x, dy, y, block, repetitions), blocks);
            Run();
            Check(name, polynomial, x.AsSpan(x.Length - block), y.AsSpan(x.Length - block), gradient);
            return new(Run, workers);
        });
    }

    private static PolynomialForm<double> Form(ReluPolynomial polynomial) => new(
        polynomial.Family == ReluFamily.Composite, (1 + polynomial.Leak) / 2, (1 - polynomial.Leak) / 2, Range,
        [.. polynomial.Stages.Select(stage => 1 / stage.HalfWidth)], [.. polynomial.Stages.Select(stage => stage.Coefficients.ToArray())]);

    /// <summary>
    /// Against the polynomial in double, element by element: within 2^-16 of the range, where float32 is off by 2^-20 to 2^-22. Gradients against its difference quotient,
    /// in the mean over the elements: a float32 recurrence loses more of a derivative where it is steep.
    /// </summary>
    private static void Check<T>(string name, ReluPolynomial polynomial, ReadOnlySpan<T> x, ReadOnlySpan<T> found, bool gradient) where T : INumber<T>
    {
        double errors = 0, squares = 0;
        for (int i = 0; i < x.Length; i++)
        {
            double t = double.CreateChecked(x[i]) / Range, value = double.CreateChecked(found[i]);
            double expected = gradient ? (polynomial.Evaluate(t + 1e-7) - polynomial.Evaluate(t - 1e-7)) / 2e-7 : Range * polynomial.Evaluate(t);
            if (!gradient && !(Math.Abs(value - expected) <= Range * Math.ScaleB(1, -16))) throw new InvalidOperationException($"{name}: at {x[i]}: expected {expected}, found {value}");
            errors += (value - expected) * (value - expected);
            squares += expected * expected;
        }
        if (!(errors <= 1e-6 * squares)) throw new InvalidOperationException($"{name}: expected values of root mean square {Math.Sqrt(squares / x.Length)}, found them off by {Math.Sqrt(errors / x.Length)}");
    }

    private readonly struct Job<T>(PolynomialForm<T> form, T[] x, T[] dy, T[] y, int block, int repetitions) : IJob where T : unmanaged, IFloatingPointIeee754<T>
    {
        public void Run(int chunk, Scratch scratch)
        {
            ReadOnlySpan<T> from = x.AsSpan(chunk * block, block);
            Span<T> to = y.AsSpan(chunk * block, block);
            for (int i = 0; i < repetitions; i++)
            {
                if (dy.Length == 0) PolynomialKernel.Forward(form, from, to);
                else PolynomialKernel.Gradient(form, from, dy.AsSpan(chunk * block, block), to);
            }
        }
    }
}
