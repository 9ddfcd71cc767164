namespace PannCore.Approximation;

/// <summary>Proved bounds of the rounding error of Clenshaw's recurrence.</summary>
/// <remarks>
/// <para>
/// <b>One stage.</b> <c>b_k = c_k + v b_{k+1} - b_{k+2}</c>, φ_k the Chebyshev polynomial that belongs to c_k. If step k errs by ρ_k, the computed b_k are the exact ones of the coefficients
/// c_k + ρ_k: the sum errs by <c>sum ρ_k φ_k</c>, and |φ_k| &lt;= 1 on the basis interval (T_m(ρ) for arguments up to ρ &gt; 1). With u the relative and a the absolute part of the
/// <see cref="RoundingModel"/>, <c>|ρ_k| &lt;= 3u|c_k| + a</c> (the constant; up to three roundings where factors were folded in advance) <c>+ u|c_k - b_{k+2}| + u|v b_{k+1}| + a + u|b_k| + ε|b_{k+1}|</c>,
/// ε = u (w^2 + |v|) + a being the error of v = w^2 - 2. The b themselves are bounded by <c>sum over j >= k of |c_j| U_{j-k}(v/2)</c>, |U_m| &lt;= m + 1.
/// </para>
/// <para>
/// <b>Stages in a row.</b> An error d of the argument adds L d, L a bound of the slope between -R and R, R the proved range of the stage before; slope and range by
/// <see cref="ErrorScan"/>'s inequality at fixed nodes.
/// </para>
/// The count of roundings is that of <see cref="Polynomial.Evaluate"/> and of <see cref="ClenshawForm"/> alike.
/// <para>
/// <b>How coarse.</b> Stages in a row multiply what arrives by their steepest slopes, all at once. Measured, bound over found: of one stage (alpha 4 and 5, degree 63, direct) 8 to 150 in float32 and
/// 2 to 11 in fixed point; of two (alpha 6 to 9) 29 to 400 and 5 to 49; of three (alpha 10 to 14) 1.6e3 to 9.6e4 and 190 to 1.3e4. Other degrees may be further off.
/// </para>
/// </remarks>
internal static class ClenshawRounding
{
    // Where a range is the next stage's, and leads out of its interval, that one grows like T_n: there 1.7e-4, what the bound from 128 nodes may be too large, is too much; 7e-7 is not.
    private const int RangeNodesPerDegree = 2048, LastRangeNodesPerDegree = 128;
    private const int SlopeNodesPerDegree = 16;
    private const double OwnRounding = 1 + 1e-6;

    /// <summary>Bound of |fl(p)(t) - p(t)| in double for |t - centre| at most <paramref name="radius"/>.</summary>
    public static double OfStage(Polynomial polynomial, double radius)
    {
        var model = RoundingModel.Double;
        double reach = radius / polynomial.HalfWidth, argument = 3 * model.Relative * (reach + (Math.Abs(polynomial.Centre) / polynomial.HalfWidth));
        return Stage(polynomial, 1, reach, argument, model).Error;
    }

    /// <summary>Bound of |fl(r)(t) - r(t)| for |t| at most 1, evaluated in the arithmetic of <paramref name="model"/>. Infinity if the stages leave their range so far that nothing finite holds.</summary>
    public static double Of(ReluPolynomial polynomial, RoundingModel model) => Bounds(polynomial, model).Error;

    /// <summary>As <see cref="Of"/>, and a bound of every value, product and sum on the way, in the units of <see cref="ClenshawForm"/>.</summary>
    public static (double Error, double Largest) Bounds(ReluPolynomial polynomial, RoundingModel model)
    {
        (double u, double a) = model;
        double gain = polynomial.Family == ReluFamily.Series ? 1 : (1 - polynomial.Leak) / 2;
        double range = 1, error = 0; // of the value that enters the stage
        double reach = 0, largest = 0;
        for (int i = 0; i < polynomial.Stages.Count; i++)
        {
            Polynomial stage = polynomial.Stages[i];
            bool last = i == polynomial.Stages.Count - 1;
            reach = range / stage.HalfWidth;
            double argument = (error / stage.HalfWidth) + (3 * u * reach) + a;
            // Values are held in units of what they become: half the next argument w = 2 p / h, or gain times p.
            double scale = last ? gain : 1 / polynomial.Stages[i + 1].HalfWidth;
            (error, double most) = Stage(stage, scale, reach, argument, model);
            error /= scale;
            // All but the last stage hold w itself, twice what is bounded here.
            largest = Math.Max(largest, last ? most : 2 * most);
            if (!last) range = Range(stage, range, RangeNodesPerDegree) + error;
        }

        double value = gain * Range(polynomial.Stages[^1], range, LastRangeNodesPerDegree);
        error *= gain;
        if (polynomial.Family != ReluFamily.Series)
        {
            // a t + q or t (a + p): a constant, two products, one sum, each of at most the sum of magnitudes.
            double linear = (1 + polynomial.Leak) / 2;
            error += (4 * u * (linear + value + error)) + (3 * a);
            largest += linear + a;
        }

        return (double.IsFinite(error) ? error * OwnRounding : double.PositiveInfinity, largest);
    }

    /// <summary>The error of scale times the stage's value, rounding and the argument's error together; and the largest value on the way.</summary>
    private static (double Error, double Largest) Stage(Polynomial stage, double scale, double reach, double argument, RoundingModel model)
    {
        (double rounding, double largest) = Local(stage.Coefficients, stage.Parity, scale, reach + argument, model);
        double total = rounding + (scale * Slope(stage, reach + argument) * argument);
        return (double.IsFinite(total) ? total * OwnRounding : double.PositiveInfinity, largest);
    }

    /// <summary>The rounding of scale times the sum at an exact argument s, |s| at most <paramref name="reach"/>; and a bound of every value, product and sum of the recurrence.</summary>
    private static (double Error, double Largest) Local(IReadOnlyList<double> coefficients, Parity parity, double scale, double reach, RoundingModel model)
    {
        (double u, double a) = model;
        int n = coefficients.Count, stride = parity == Parity.None ? 1 : 2, first = parity == Parity.Odd ? 1 : 0;

        // An odd stage is w (b_0 - b_1) = 2 sum c_k T_(2k+1): half the coefficients.
        double unit = scale / (parity == Parity.Odd ? 2 : 1), w = 2 * reach;
        double outermost = Math.Max(1, parity == Parity.None ? reach : (2 * reach * reach) - 1), v = 2 * outermost;
        double turn = parity == Parity.None ? 0 : ((u * ((w * w) + v)) + a) * (1 + (4 * u));

        double[] second = new double[n + 1]; // U_m at the outermost point
        (double before, double now) = (0, 1);
        for (int m = 0; m <= n; m++)
        {
            second[m] = now;
            (before, now) = (now, (2 * outermost * now) - before);
        }

        double[] b = new double[n + 2], local = new double[n];
        double largest = (w * w) + v + a;
        for (int k = n - 1; k >= 0; k--)
        {
            double c = unit * Math.Abs(coefficients[k]);
            double operands = (c * (1 + (3 * u))) + a + b[k + 2], product = (v + turn) * b[k + 1];
            local[k] = (3 * u * c) + a + (u * operands) + (u * product) + a + (u * (1 + u) * (operands + product + a)) + (turn * b[k + 1]);
            largest = Math.Max(largest, operands + product + a);
            for (int j = k; j < n; j++) b[k] += ((unit * Math.Abs(coefficients[j])) + local[j]) * second[j - k];
        }

        double growth = Math.Acosh(Math.Max(1, reach)), error = 0, sum = 0, difference = 0;
        for (int k = 0; k < n; k++)
        {
            int m = first + (stride * k);
            double most = Math.Cosh(m * growth), c = unit * Math.Abs(coefficients[k]);
            error += local[k] * most;
            sum += (c + local[k]) * most;
            difference += (c + local[k]) * m * most;
        }

        // What the last product makes: of w and b_0 - b_1, or of v and b_1, halved.
        largest = Math.Max(largest, (parity == Parity.Odd ? w * (b[0] + b[1]) : b[0] + (v * b[1] / 2)) + a);

        // |T_m(s) / s| <= m T_m(max(1, s)).
        double total = parity == Parity.Odd
            ? (2 * error) + (w * u * difference) + (3 * u * 2 * sum) + a
            : error + (((turn + (u * v)) / 2) * b[1]) + (3 * u * sum) + a;
        return (total, largest);
    }

    /// <summary>Bound of |p| between -radius and radius about the centre of its basis.</summary>
    private static double Range(Polynomial polynomial, double radius, int nodesPerDegree)
    {
        double reach = radius / polynomial.HalfWidth;
        double rounding = Local(polynomial.Coefficients, polynomial.Parity, 1, reach, RoundingModel.Double).Error;
        return Largest(t => polynomial.Evaluate(polynomial.Centre + t), polynomial.Degree, radius, nodesPerDegree) + (2 * rounding);
    }

    /// <summary>Bound of |dp/ds| for |s| at most <paramref name="reach"/>: the derivative as a Chebyshev series, <c>g_(m-1) = g_(m+1) + 2 m c_m</c>; Infinity if double cannot hold that series.</summary>
    private static double Slope(Polynomial polynomial, double reach)
    {
        int degree = polynomial.Degree, stride = polynomial.Parity == Parity.None ? 1 : 2, first = polynomial.Parity == Parity.Odd ? 1 : 0;
        if (degree == 0) return 0;
        double[] g = new double[degree + 2];
        double magnitude = 0;
        for (int m = degree; m > 0; m--)
        {
            bool present = (m - first) % stride == 0;
            double term = present ? 2.0 * m * polynomial.Coefficients[(m - first) / stride] : 0;
            g[m - 1] = term + g[m + 1];
            magnitude += Math.Abs(term);
        }

        g[0] /= 2;
        if (!Array.TrueForAll(g, double.IsFinite)) return double.PositiveInfinity;
        var derivative = new Polynomial(Parity.None, 1, g.AsSpan(0, degree));
        double growth = Math.Cosh(degree * Math.Acosh(Math.Max(1, reach)));
        double rounding = Local(derivative.Coefficients, Parity.None, 1, reach, RoundingModel.Double).Error
            + (RoundingModel.Double.Relative * degree * degree * magnitude * growth);
        return Largest(derivative.Evaluate, degree, reach, SlopeNodesPerDegree) + (2 * rounding);
    }

    /// <summary>Ehlich and Zeller's bound of a polynomial between -radius and radius.</summary>
    private static double Largest(Func<double, double> p, int degree, double radius, int nodesPerDegree)
    {
        if (degree == 0) return Math.Abs(p(0));
        int nodes = degree * nodesPerDegree;
        double largest = 0;
        for (int j = 0; j < nodes; j++) largest = Math.Max(largest, Math.Abs(p(radius * Math.Cos((j + 0.5) * Math.PI / nodes))));

        // Half as far again between nodes as there is: room for the rounding of the nodes.
        return largest / Math.Cos(1.5 * Math.PI / (2.0 * nodesPerDegree));
    }
}
