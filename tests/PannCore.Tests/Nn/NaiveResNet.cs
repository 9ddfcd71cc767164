using PannCore.Engine;
using PannCore.Nn;

namespace PannCore.Tests.Nn;

/// <summary>
/// A CIFAR ResNet written down from the paper (He et al. 2015, section 4.2) as loops in float64 over one image [row, column, channel], with evaluation statistics.
/// </summary>
internal static class NaiveResNet
{
    public static double[] Logits(ResNet model, double[,,] image)
    {
        var weights = model.Parameters.All.ToDictionary(p => p.Name);
        double[,,] x = Relu(Norm(Convolution(image, weights["conv1.weight"], 1), "bn1"));
        for (int stage = 1; stage <= 3; stage++)
        {
            for (int block = 0; block < (model.Depth - 2) / 6; block++)
            {
                string path = $"layer{stage}.{block}";
                int stride = stage > 1 && block == 0 ? 2 : 1;
                double[,,] y = Relu(Norm(Convolution(x, weights[$"{path}.conv1.weight"], stride), $"{path}.bn1"));
                y = Norm(Convolution(y, weights[$"{path}.conv2.weight"], 1), $"{path}.bn2");
                int before = (y.GetLength(2) - x.GetLength(2)) / 2;
                x = Relu(Each(y, (r, s, c) =>
                    y[r, s, c] + (c - before >= 0 && c - before < x.GetLength(2) ? x[r * stride, s * stride, c - before] : 0)));
            }
        }

        Parameter w = weights["linear.weight"], b = weights["linear.bias"];
        double[] logits = new double[w.Shape[0]];
        double pixels = x.GetLength(0) * x.GetLength(1);
        for (int k = 0; k < logits.Length; k++)
        {
            logits[k] = b.Values[k];
            for (int c = 0; c < x.GetLength(2); c++)
            {
                double sum = 0;
                for (int r = 0; r < x.GetLength(0); r++)
                    for (int s = 0; s < x.GetLength(1); s++) sum += x[r, s, c];
                logits[k] += sum / pixels * w.Values[(k * w.Shape[1]) + c];
            }
        }
        return logits;

        double[,,] Norm(double[,,] y, string path)
        {
            float[] gamma = Of("weight"), beta = Of("bias"), mean = Of("running_mean"), variance = Of("running_var");
            return Each(y, (r, s, c) => ((y[r, s, c] - mean[c]) / Math.Sqrt(variance[c] + 1e-5) * gamma[c]) + beta[c]);

            float[] Of(string name) => weights[$"{path}.{name}"].Values.ToArray();
        }
    }

    private static double[,,] Relu(double[,,] x) => Each(x, (r, s, c) => Math.Max(0, x[r, s, c]));

    /// <summary>3 x 3, one pixel of zeros around the image.</summary>
    private static double[,,] Convolution(double[,,] x, Parameter weight, int stride)
    {
        int rows = x.GetLength(0), columns = x.GetLength(1), inputs = x.GetLength(2);
        float[] w = weight.Values.ToArray();
        return Each(new double[(rows + stride - 1) / stride, (columns + stride - 1) / stride, weight.Shape[0]], (oy, ox, k) =>
        {
            double sum = 0;
            for (int r = 0; r < 3; r++)
            {
                for (int s = 0; s < 3; s++)
                {
                    int y = (oy * stride) + r - 1, z = (ox * stride) + s - 1;
                    if (y < 0 || y >= rows || z < 0 || z >= columns) continue;
                    for (int c = 0; c < inputs; c++) sum += x[y, z, c] * w[(((((k * inputs) + c) * 3) + r) * 3) + s];
                }
            }
            return sum;
        });
    }

    private static double[,,] Each(double[,,] like, Func<int, int, int, double> value)
    {
        double[,,] y = new double[like.GetLength(0), like.GetLength(1), like.GetLength(2)];
        for (int r = 0; r < y.GetLength(0); r++)
        {
            for (int s = 0; s < y.GetLength(1); s++)
            {
                for (int c = 0; c < y.GetLength(2); c++) y[r, s, c] = value(r, s, c);
            }
        }
        return y;
    }
}
