namespace PannCore.Approximation;

/// <summary>
/// Minimax polynomials by Remez's exchange: the odd one nearest to sgn on [a, b] (and by symmetry on [-b, -a]), the even one nearest to |t| on [-1, 1],
/// also under the condition q(0) = 0, and the one nearest to any <see cref="Target"/> on an interval.
/// </summary>
/// <remarks>
/// <para>
/// Start: the extremes of a Chebyshev polynomial in t (general) or t^2 (odd, even). They have the density to which the reference tends as the degree grows,
/// whatever a/b is; nodes spaced evenly in log t have not, and with a coarse scan they lead to a false minimax on wide intervals
/// (degree 27 on [0.0245, 1.975]: 0.25 instead of 0.587).
/// </para>
/// <para>
/// Step: solve <c>p(t_j) + (-1)^j h = f(t_j)</c> in the Chebyshev basis (backward stable, so that h is right to about 1e-15 even where the
/// coefficients are ill-conditioned), then move every t_j to the largest error of its sign. For sgn and |t| Descartes' rule of signs says that the
/// error has exactly as many runs of one sign as there are reference points; for other functions there may be more, and the lowest ones are dropped in a way that keeps the alternation.
/// </para>
/// <para>
/// End: the largest error equals |h| to 1e-9, and an independent scan with a proved bound between its points exceeds |h| by at most 0.05 %
/// (plus 1e-14 of the largest value, the rounding of the evaluation). So |h| &lt;= true minimax error &lt;= max |error| &lt;= 1.0005 |h|.
/// Between its points the scan uses that the error is a polynomial (sgn, |t|, ReLU on either side of 0) or within less than 1e-4 of one of known degree (the analytic functions that
/// <see cref="Target"/> names).
/// </para>
/// Source: E. Ya. Remez, 1934; E. W. Cheney, "Introduction to Approximation Theory", chapter 3.
/// </remarks>
public static class Remez
{
    /// <summary>Largest degree of <see cref="Sign(int, double, double)"/>.</summary>
    public const int LargestSignDegree = 63;

    /// <summary>Largest degree of <see cref="AbsoluteValue"/>.</summary>
    public const int LargestAbsoluteValueDegree = 256;

    /// <summary>Largest degree of <see cref="Minimax"/>.</summary>
    public const int LargestDegree = 256;

    /// <summary>The scanned maximum may exceed the levelled error by this factor.</summary>
    internal const double LevelFactor = 1.0005;

    /// <summary>Allowance for the rounding of errors near 1 evaluated in double.</summary>
    internal const double Rounding = 1e-14;

    /// <summary>The odd polynomial p of the given degree with the least maximum of |p(t) - 1| on [a, b].</summary>
    /// <param name="degree">Odd, 1 to 63.</param>
    /// <param name="a">Left end, above 0.</param>
    /// <param name="b">Right end, above a; also the half-width of the polynomial's basis.</param>
    /// <exception cref="BadInputException">The degree or the interval is not one of those.</exception>
    /// <exception cref="RemezConvergenceException">The exchange did not converge.</exception>
    public static RemezResult Sign(int degree, double a, double b)
        => Sign(degree, a, b, null).Result;

    /// <summary>The even polynomial q of the given degree with the least maximum of |q(t) - |t|| on [-1, 1].</summary>
    /// <param name="degree">Even, 2 to 256.</param>
    /// <param name="vanishing">
    /// Only among those with q(0) = 0. The even polynomials without a constant term are a Haar space on (0, 1], so that the error alternates there at one point less than without the condition,
    /// and |h| is a lower bound for all of them; at 0 itself the error is 0.
    /// </param>
    /// <exception cref="BadInputException">The degree is not one of those.</exception>
    /// <exception cref="RemezConvergenceException">The exchange did not converge.</exception>
    public static RemezResult AbsoluteValue(int degree, bool vanishing = false)
    {
        CheckAbsoluteValueDegree(degree);
        return new Exchange("|t|", Math.Abs, Parity.Even, degree, 0, 1, vanishing).Solve().Result;
    }

    /// <summary>
    /// The even polynomial q of the given degree with the least maximum of |q(t) - |t|| on [-1, 1] among those whose mean error under a density is 0:
    /// the mean of q(t) equals that of |t|.
    /// </summary>
    /// <remarks>
    /// These are no Haar space: the error need not alternate. What proves it least, to 0.05 %, is <see cref="UnbiasedExchange"/>'s functional, which the reference points of the result carry:
    /// as many as there are free coefficients. The mean error is 0 to the rounding of double.
    /// </remarks>
    /// <param name="degree">Even, 2 to 256.</param>
    /// <param name="density">The density; only its even part matters.</param>
    /// <param name="vanishing">With q(0) = 0 as well.</param>
    /// <exception cref="BadInputException">The degree is not one of those.</exception>
    /// <exception cref="RemezConvergenceException">The exchange did not converge.</exception>
    public static RemezResult UnbiasedAbsoluteValue(int degree, InputDensity density, bool vanishing = false)
    {
        ArgumentNullException.ThrowIfNull(density);
        CheckAbsoluteValueDegree(degree);
        return new UnbiasedExchange(degree, density, vanishing).Solve();
    }

    /// <summary>The polynomial of the given degree with the least maximum of |p(t) - g(t)| on [lo, hi].</summary>
    /// <param name="target">g, continuous on the interval.</param>
    /// <param name="degree">1 to 256.</param>
    /// <param name="lo">Left end; at least -1 where g is no polynomial on either side of a kink.</param>
    /// <param name="hi">Right end; at most 1 there.</param>
    /// <exception cref="BadInputException">The degree or the interval is not one of those, or g jumps in the interval or is not finite there.</exception>
    /// <exception cref="RemezConvergenceException">The exchange did not converge.</exception>
    public static RemezResult Minimax(Target target, int degree, double lo = -1, double hi = 1)
    {
        ArgumentNullException.ThrowIfNull(target);
        if (degree is < 1 or > LargestDegree)
            throw new BadInputException(FormattableString.Invariant($"minimax polynomial of {target.Name}: degree {degree}, expected 1 to {LargestDegree}"));
        if (!(lo < hi && double.IsFinite(hi - lo)))
            throw new BadInputException(FormattableString.Invariant($"minimax polynomial of {target.Name}: interval [{lo}, {hi}], expected lo < hi"));
        if (!target.IsPolynomial && (lo < -1 || hi > 1))
            throw new BadInputException(FormattableString.Invariant($"minimax polynomial of {target.Name}: interval [{lo}, {hi}], expected one within [-1, 1], which stands for its range"));
        if (target == Target.Sign && lo <= 0 && hi >= 0)
            throw new BadInputException(FormattableString.Invariant($"minimax polynomial of sign: interval [{lo}, {hi}] contains 0, where sign jumps: no polynomial is nearer than 1"));
        return new Exchange(target.Name, target.Evaluate, Parity.None, degree, lo, hi) { General = target }.Solve().Result;
    }

    private static void CheckAbsoluteValueDegree(int degree)
    {
        if (degree < 2 || degree > LargestAbsoluteValueDegree || int.IsOddInteger(degree))
            throw new BadInputException(FormattableString.Invariant($"minimax polynomial of |t|: degree {degree}, expected an even degree from 2 to {LargestAbsoluteValueDegree}"));
    }

    /// <summary>As the public method, from a start given as angles: a point is <c>sqrt(a^2 cos^2(θ/2) + b^2 sin^2(θ/2))</c>.</summary>
    /// <returns>The result and the angles of its reference, a warm start for a neighbouring interval.</returns>
    internal static (RemezResult Result, double[] Angles) Sign(int degree, double a, double b, double[]? startAngles, int mostIterations = Exchange.MostIterations)
    {
        if (degree < 1 || degree > LargestSignDegree || int.IsEvenInteger(degree))
            throw new BadInputException(FormattableString.Invariant($"minimax polynomial of sgn: degree {degree}, expected an odd degree from 1 to {LargestSignDegree}"));
        if (!(a > 0 && a < b && double.IsFinite(b)))
            throw new BadInputException(FormattableString.Invariant($"minimax polynomial of sgn: interval [{a}, {b}], expected 0 < a < b"));
        return new Exchange("sgn", _ => 1, Parity.Odd, degree, a, b).Solve(startAngles, mostIterations);
    }
}
