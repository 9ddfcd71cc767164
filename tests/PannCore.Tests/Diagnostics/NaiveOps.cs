using PannCore.Approximation;
using PannCore.Engine;
using PannCore.Nn;

namespace PannCore.Tests.Diagnostics;

/// <summary>
/// The operations of a ResNet from their definitions, in float64, for one image at a time, with weights looked up by PyTorch's names:
/// nothing of the library but the numbers. A second implementation for the ledger to agree with.
/// </summary>
internal sealed class NaiveOps(ResNet model)
{
    private readonly Dictionary<string, double[]> _weights = model.Parameters.All.ToDictionary(p => p.Name, p => p.Values.ToArray().Select(v => (double)v).ToArray());
    private readonly Dictionary<string, ActivationFunction> _functions = model.Activations.ToDictionary(a => a.Path, a => a.Function);

    /// <summary>The operation as it is (<paramref name="ideal"/> false: polynomials in exact arithmetic) or as what it stands for.</summary>
    public double[] Apply(RecordedOp op, double[][] x, bool ideal)
    {
        Shape from = op.InputShapes[0], to = op.OutputShape;
        string owner = op.Path;
        return op.Op.Name switch
        {
            "conv2d" => Convolve(x[0], from, to, _weights[owner + ".weight"]),
            "batchNorm" => Normalise(x[0], from[3], _weights[owner + ".weight"], _weights[owner + ".bias"], _weights[owner + ".running_mean"], _weights[owner + ".running_var"]),
            "relu" => [.. x[0].Select(v => Math.Max(0, v))],
            "polynomialRelu" => [.. x[0].Select(v => ideal ? Math.Max(0, v) : Polynomial((ActivationFunction.Polynomial)_functions[owner], v))],
            "add" => [.. x[0].Zip(x[1], (a, b) => a + b)],
            "shortcut" => Shortcut(x[0], from, to),
            "pool" => Pool(x[0], from),
            "linear" => Linear(x[0], _weights[owner + ".weight"], _weights[owner + ".bias"]),
            _ => throw new InvalidOperationException(op.Op.Name),
        };
    }

    /// <summary>B r(x / B) with r(t) = t (1 + p(t)) / 2 or (t + q(t)) / 2; Chebyshev polynomials as cosines.</summary>
    public static double Polynomial(ActivationFunction.Polynomial function, double x)
    {
        double t = x / function.Range, p = t;
        foreach (Polynomial stage in function.Approximation.Stages) p = Series(stage, p);
        return function.Range * (function.Approximation.Family == ReluFamily.Composite ? t * (1 + p) / 2 : (t + p) / 2);
    }

    /// <summary>One odd or even stage.</summary>
    public static double Series(Polynomial stage, double t)
    {
        double s = t / stage.HalfWidth, sum = 0;
        for (int k = 0; k < stage.Coefficients.Count; k++) sum += stage.Coefficients[k] * Chebyshev((2 * k) + (stage.Parity == Parity.Odd ? 1 : 0), s);
        return sum;
    }

    private static double Chebyshev(int n, double s)
        => Math.Abs(s) <= 1 ? Math.Cos(n * Math.Acos(s)) : (s < 0 && n % 2 == 1 ? -1 : 1) * Math.Cosh(n * Math.Acosh(Math.Abs(s)));

    private static double[] Convolve(double[] x, Shape from, Shape to, double[] w)
    {
        int h = from[1], width = from[2], c = from[3], outputs = to[3], stride = h / to[1];
        double[] y = new double[to.Length];
        for (int oy = 0; oy < to[1]; oy++)
        {
            for (int ox = 0; ox < to[2]; ox++)
            {
                for (int tap = 0; tap < 9; tap++)
                {
                    int iy = (oy * stride) + (tap / 3) - 1, ix = (ox * stride) + (tap % 3) - 1;
                    if (iy < 0 || ix < 0 || iy >= h || ix >= width) continue;
                    for (int k = 0; k < outputs; k++)
                    {
                        for (int i = 0; i < c; i++) y[(((oy * to[2]) + ox) * outputs) + k] += x[(((iy * width) + ix) * c) + i] * w[(((k * c) + i) * 9) + tap];
                    }
                }
            }
        }
        return y;
    }

    private static double[] Normalise(double[] x, int channels, double[] gamma, double[] beta, double[] mean, double[] variance)
        => [.. x.Select((v, i) => ((v - mean[i % channels]) / Math.Sqrt(variance[i % channels] + 1e-5) * gamma[i % channels]) + beta[i % channels])];

    private static double[] Shortcut(double[] x, Shape from, Shape to)
    {
        int c = from[3], outputs = to[3], stride = from[1] / to[1];
        double[] y = new double[to.Length];
        for (int pixel = 0; pixel < to[1] * to[2]; pixel++)
        {
            int source = ((pixel / to[2] * stride) * from[2]) + (pixel % to[2] * stride);
            for (int i = 0; i < c; i++) y[(pixel * outputs) + ((outputs - c) / 2) + i] = x[(source * c) + i];
        }
        return y;
    }

    private static double[] Pool(double[] x, Shape from)
        => [.. Enumerable.Range(0, from[3]).Select(c => Enumerable.Range(0, from[1] * from[2]).Average(pixel => x[(pixel * from[3]) + c]))];

    private static double[] Linear(double[] x, double[] w, double[] bias)
        => [.. bias.Select((b, k) => b + Enumerable.Range(0, x.Length).Sum(i => x[i] * w[(k * x.Length) + i]))];
}
