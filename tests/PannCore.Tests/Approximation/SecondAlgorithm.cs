namespace PannCore.Tests.Approximation;

/// <summary>
/// The same minimax problems by another route: single exchange (only the one worst point enters) on a fixed grid, weighted
/// barycentric interpolation in y = t^2, no linear system, and Chebyshev coefficients by sampling.
/// Sgn on [a, b] is 1/sqrt(y) with weight sqrt(y); |t| on [0, 1] is sqrt(y) with weight 1. Without symmetry y = t, on [-1, 1] with weight 1.
/// </summary>
internal static class SecondAlgorithm
{
    private const int GridPoints = 100_000;

    public static (double Error, double[] Coefficients) Sign(int degree, double a, double b)
        => Solve(a * a, b * b, degree / 2, y => 1 / Math.Sqrt(y), Math.Sqrt, q => Coefficients(q, b * b, degree / 2, odd: true));

    public static (double Error, double[] Coefficients) AbsoluteValue(int degree)
        => Solve(0, 1, degree / 2, Math.Sqrt, _ => 1, q => Coefficients(q, 1, degree / 2, odd: false));

    public static (double Error, double[] Coefficients) Minimax(Func<double, double> f, int degree)
        => Solve(-1, 1, degree, f, _ => 1, q => Coefficients(s => q(2 * s - 1), 1, degree, odd: false));

    private static (double Error, double[] Coefficients) Solve(
        double lo, double hi, int degree, Func<double, double> f, Func<double, double> weight, Func<Func<double, double>, double[]> coefficients)
    {
        double[] grid = new double[GridPoints + 1];
        for (int i = 0; i <= GridPoints; i++)
        {
            double sine = Math.Sin(Math.PI / 2 * i / GridPoints);
            grid[i] = lo + (hi - lo) * sine * sine;
        }

        int[] reference = Enumerable.Range(0, degree + 2).Select(j => j * GridPoints / (degree + 1)).ToArray();
        for (int exchange = 0; exchange < 500; exchange++)
        {
            double[] nodes = Array.ConvertAll(reference, i => grid[i]);
            double h = Level(nodes, f, weight);
            Func<double, double> q = Interpolant(nodes, h, f, weight);
            int worst = 0;
            double largest = -1;
            for (int i = 0; i <= GridPoints; i++)
            {
                double error = Math.Abs(weight(grid[i]) * (q(grid[i]) - f(grid[i])));
                if (error > largest) (worst, largest) = (i, error);
            }

            if (largest <= Math.Abs(h) * (1 + 1e-12) + 1e-15 || reference.Contains(worst))
                return (Math.Abs(h), coefficients(q));
            Enter(reference, worst, i => Math.Sign(q(grid[i]) - f(grid[i])));
        }

        throw new InvalidOperationException("the reference algorithm did not converge");
    }

    // f - q is +-h/weight at the nodes and q has one degree less than the nodes allow: a divided difference is 0.
    private static double Level(double[] nodes, Func<double, double> f, Func<double, double> weight)
    {
        double top = 0, bottom = 0;
        for (int j = 0; j < nodes.Length; j++)
        {
            double beta = Beta(nodes, nodes.Length, j);
            top += beta * f(nodes[j]);
            bottom += beta * (j % 2 == 0 ? 1 : -1) / weight(nodes[j]);
        }

        return top / bottom;
    }

    private static double Beta(double[] nodes, int count, int j)
    {
        double product = 1;
        for (int i = 0; i < count; i++)
        {
            if (i != j) product *= 4 * (nodes[j] - nodes[i]);
        }

        return 1 / product;
    }

    // First barycentric form through all nodes but the last: stable also where q is extrapolated.
    private static Func<double, double> Interpolant(double[] nodes, double h, Func<double, double> f, Func<double, double> weight)
    {
        int count = nodes.Length - 1;
        double[] beta = new double[count], values = new double[count];
        for (int j = 0; j < count; j++)
        {
            beta[j] = Beta(nodes, count, j);
            values[j] = f(nodes[j]) - h * (j % 2 == 0 ? 1 : -1) / weight(nodes[j]);
        }

        return y =>
        {
            double sum = 0, product = 0.25;
            for (int j = 0; j < count; j++)
            {
                if (y == nodes[j]) return values[j];
                product *= 4 * (y - nodes[j]);
                sum += beta[j] * values[j] / (y - nodes[j]);
            }

            return product * sum;
        };
    }

    // The entering point replaces the neighbour whose error has its sign, or pushes out the far end.
    private static void Enter(int[] reference, int worst, Func<int, int> sign)
    {
        int s = sign(worst), last = reference.Length - 1;
        if (worst < reference[0])
        {
            if (sign(reference[0]) != s) Array.Copy(reference, 0, reference, 1, last);
            reference[0] = worst;
        }
        else if (worst > reference[last])
        {
            if (sign(reference[last]) != s) Array.Copy(reference, 1, reference, 0, last);
            reference[last] = worst;
        }
        else
        {
            int right = Array.FindIndex(reference, i => i > worst);
            reference[sign(reference[right]) == s ? right : right - 1] = worst;
        }
    }

    // c_k by discrete orthogonality at N Chebyshev points of [-b, b], N above twice the degree.
    private static double[] Coefficients(Func<double, double> q, double hi, int degree, bool odd)
    {
        double b = Math.Sqrt(hi);
        int points = 4 * (degree + 2);
        double[] c = new double[degree + 1];
        for (int j = 0; j < points; j++)
        {
            double theta = Math.PI * (j + 0.5) / points;
            double t = b * Math.Cos(theta);
            double value = q(t * t) * (odd ? t : 1);
            for (int k = 0; k <= degree; k++)
            {
                int n = odd ? 2 * k + 1 : 2 * k;
                c[k] += (n == 0 ? 1.0 : 2.0) / points * value * Math.Cos(n * theta);
            }
        }

        return c;
    }
}
