namespace PannCore.Approximation;

/// <summary>Chebyshev series on [-1, 1], c_k the coefficient of T_k: what is done with coefficients alone.</summary>
internal static class ChebyshevSeries
{
    /// <summary>
    /// The series, of the given degree, of the polynomial that agrees with f at the zeros of T_(points), for degree + 1 points; for more points its truncation,
    /// exact for polynomials f of degree below 2 points - degree: <c>c_k = 2/points sum f(cos θ_j) cos k θ_j</c>, c_0 half of that.
    /// </summary>
    public static double[] Sample(Func<double, double> f, int degree, int points)
    {
        double[] c = new double[degree + 1];
        for (int j = 0; j < points; j++)
        {
            double angle = Math.PI * (j + 0.5) / points;
            double value = f(Math.Cos(angle)) * 2 / points;
            for (int k = 0; k <= degree; k++) c[k] += value * Math.Cos(k * angle);
        }

        c[0] /= 2;
        return c;
    }
}
