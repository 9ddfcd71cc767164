namespace PannCore.Tests.Kernels;

/// <summary>
/// The matrices of F(m x m, 3 x 3) from its points: a row of G evaluates the kernel's polynomial at a point p, divided by the product of p - q over the other points;
/// a row of B' holds the coefficients of the product of x - q; a column of A' the powers of p. Infinity takes the leading coefficients. Matrices are row-major.
/// </summary>
internal sealed record ToomCook(double[] A, double[] B, double[] G)
{
    /// <summary>Element by element the magnitudes, for the points that the kernels use.</summary>
    public static ToomCook Magnitudes(int output)
    {
        double root = Math.Sqrt(2);
        ToomCook matrices = Of(output == 2 ? [0, 1, -1] : [0, root, -root, 1 / root, -1 / root]);
        return new([.. matrices.A.Select(Math.Abs)], [.. matrices.B.Select(Math.Abs)], [.. matrices.G.Select(Math.Abs)]);
    }

    /// <summary>m x m', m of rows x columns and x of columns x columns.</summary>
    public static double[] Sandwich(double[] m, double[] x, int rows, int columns)
    {
        double[] half = new double[rows * columns], result = new double[rows * rows];
        for (int i = 0; i < rows; i++)
        {
            for (int j = 0; j < columns; j++)
            {
                for (int k = 0; k < columns; k++) half[(i * columns) + j] += m[(i * columns) + k] * x[(k * columns) + j];
            }
        }
        for (int i = 0; i < rows; i++)
        {
            for (int j = 0; j < rows; j++)
            {
                for (int k = 0; k < columns; k++) result[(i * rows) + j] += half[(i * columns) + k] * m[(j * columns) + k];
            }
        }
        return result;
    }

    public static double[] Transpose(double[] m, int rows, int columns)
        => [.. Enumerable.Range(0, m.Length).Select(i => m[(i % rows * columns) + (i / rows)])];

    private static ToomCook Of(double[] points)
    {
        int n = points.Length + 1, output = n - 2;
        double[] a = new double[output * n], b = new double[n * n], g = new double[n * 3];
        for (int j = 0; j < n; j++)
        {
            double[] others = [.. points.Where((_, i) => i != j)];
            double[] polynomial = [1];
            foreach (double q in others)
                polynomial = [.. Enumerable.Range(0, polynomial.Length + 1).Select(i => (i > 0 ? polynomial[i - 1] : 0) - (i < polynomial.Length ? q * polynomial[i] : 0))];
            for (int i = 0; i < polynomial.Length; i++) b[(j * n) + i] = polynomial[i];
            if (j == points.Length)
            {
                a[(output * n) - 1] = 1;
                g[(j * 3) + 2] = 1;
                continue;
            }
            double p = points[j], product = others.Aggregate(1.0, (product, q) => product * (p - q));
            for (int i = 0; i < output; i++) a[(i * n) + j] = Math.Pow(p, i);
            for (int i = 0; i < 3; i++) g[(j * 3) + i] = Math.Pow(p, i) / product;
        }
        return new(a, b, g);
    }
}
