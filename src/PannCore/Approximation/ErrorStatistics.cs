namespace PannCore.Approximation;

/// <summary>
/// Mean and root mean square of the error r(t) - leakyReLU(t) over inputs t = x/B of a given density, in units of the range B. Exact arithmetic of r; inputs outside
/// [-1, 1] are no part of it.
/// </summary>
/// <param name="Density">The density's name.</param>
/// <param name="Mean">∫ (r - leakyReLU) dμ: the bias that every output carries. For a composite ReLU it comes the nearer to -<paramref name="Rms"/> the more inputs crowd at 0.</param>
/// <param name="Rms">sqrt(∫ (r - leakyReLU)² dμ); the bias is part of it.</param>
public sealed record ErrorStatistics(string Density, double Mean, double Rms)
{
    private const double Negligible = 1e-15;

    /// <summary>The standard deviation of the error: what remains of <see cref="Rms"/> where the mean is taken out by the shift that follows.</summary>
    public double Spread => Math.Sqrt(Math.Max(0, (Rms - Mean) * (Rms + Mean)));

    /// <summary>Integrates the error of a polynomial.</summary>
    public static ErrorStatistics Of(ReluPolynomial polynomial, InputDensity density)
    {
        ArgumentNullException.ThrowIfNull(polynomial);
        return Of(t => polynomial.Evaluate(t) - (t > 0 ? t : polynomial.Leak * t), polynomial.Degree, density);
    }

    /// <summary>Integrates the error of the polynomial of another function.</summary>
    public static ErrorStatistics Of(MinimaxFunction function, InputDensity density)
    {
        ArgumentNullException.ThrowIfNull(function);
        int degree = Math.Max(function.Polynomial.Degree, function.Target.DegreeWithin(Negligible));
        return Of(t => function.Polynomial.Evaluate(t) - function.Target.Evaluate(t), degree, density);
    }

    /// <summary>Integrates an error that is a polynomial of at most this degree on either side of 0, or as near to one as the accuracy wanted.</summary>
    internal static ErrorStatistics Of(Func<double, double> error, int degree, InputDensity density)
    {
        ArgumentNullException.ThrowIfNull(density);
        double mean = density.Integrate(error, degree);
        double square = density.Integrate(t => error(t) * error(t), 2 * degree);
        return new ErrorStatistics(density.Name, mean, Math.Sqrt(square));
    }
}
