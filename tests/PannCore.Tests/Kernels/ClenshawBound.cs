using PannCore.Approximation;

namespace PannCore.Tests.Kernels;

/// <summary>A number with a bound on the rounding error of whoever computes it in an arithmetic of a given unit roundoff.</summary>
internal readonly record struct Bounded(double Value, double Error);

/// <summary>
/// B r(x / B) and its derivative by a second program, with a bound of first order on the error of computing them by Clenshaw's recurrence in any fusing:
/// each operation errs by at most u of its result, each constant by u. Valid for every x, also outside [-B, B].
/// </summary>
/// <remarks>
/// b_k = c_k + v b_(k+1) - b_(k+2) with a local error e_k at each step has an error of sum over j &gt;= k of e_j U_(j-k)(v / 2) in b_k, U being
/// the Chebyshev polynomials of the second kind. Derivatives are sums of the same recurrence, since T_n' = n U_(n-1). A factor folded into coefficients in advance
/// is an error common to all of them, which is counted where the factor stands here. The bound is doubled for the terms of second order.
/// </remarks>
internal static class ClenshawBound
{
    public static (Bounded Value, Bounded Derivative) Of(ReluPolynomial polynomial, double range, double x, double u)
    {
        double a = (1 + polynomial.Leak) / 2, g = (1 - polynomial.Leak) / 2, t = x / range;
        // t = x (1 / B): two constants rounded and one product.
        Bounded p = new(t, 3 * u * Math.Abs(t)), slope = new(1, 0);
        foreach (Polynomial stage in polynomial.Stages)
        {
            (Bounded value, Bounded derivative) = Stage(stage, p, u);
            slope = Product(slope, derivative, u);
            p = value;
        }
        if (polynomial.Family == ReluFamily.Series)
        {
            Bounded value = Product(new(range, u * range), p, u);
            return (value with { Error = 2 * value.Error }, slope with { Error = 2 * slope.Error });
        }
        bool odd = polynomial.Family == ReluFamily.Composite;
        var argument = new Bounded(t, 3 * u * Math.Abs(t));
        // Composite: r = t (a + g p), r' = (a + g p) + g t p'. Direct: r = a t + g q, r' = a + g q'. B a, B g: three roundings each.
        Bounded constant = new(a, u * a), factor = new(g, u * g);
        Bounded derivativeOfR = odd
            ? Sum(Sum(constant, Product(factor, p, u), u), Product(factor, Product(argument, slope, u), u), u)
            : Sum(constant, Product(factor, slope, u), u);
        Bounded linear = new(range * a, 3 * u * range * a), gain = new(range * g, 3 * u * range * g);
        Bounded result = odd
            ? Product(argument, Sum(linear, Product(gain, p, u), u), u)
            : Sum(Product(linear, argument, u), Product(gain, p, u), u);
        return (result with { Error = 2 * result.Error }, derivativeOfR with { Error = 2 * derivativeOfR.Error });
    }

    private static (Bounded Value, Bounded Derivative) Stage(Polynomial stage, Bounded p, double u)
    {
        double h = 1 / stage.HalfWidth;
        Bounded s = Product(p, new(h, u * h), u), square = Product(s, s, u);
        bool full = stage.Parity == Parity.None;
        double v = full ? 2 * s.Value : (4 * square.Value) - 2, ev = full ? 2 * s.Error : (4 * square.Error) + (2 * u * Math.Abs(v));
        double[] c = [.. stage.Coefficients];
        (Bounded b0, Bounded b1) = Recurrence(c, 1, v, ev, u);
        Bounded vBound = new(v, ev), half = new(0.5, 0), two = new(2, 0), step = new(h, u * h);
        if (stage.Parity == Parity.Odd)
        {
            // p = s (b_0 - b_1); dp/ds = sum (2k + 1) c_k U_2k = f_0 + f_1.
            (Bounded f0, Bounded f1) = Recurrence([.. c.Select((x, k) => ((2 * k) + 1) * x)], 3, v, ev, u);
            return (Product(s, Difference(b0, b1, u), u), Product(Sum(f0, f1, u), step, u));
        }
        if (full)
        {
            // p = b_0 - v b_1 / 2; dp/ds = sum k c_k U_(k-1) = f_0.
            (Bounded f0, _) = Recurrence([.. c.Skip(1).Select((x, k) => (k + 1) * x)], 3, v, ev, u);
            return (Difference(b0, Product(half, Product(vBound, b1, u), u), u), Product(f0, step, u));
        }
        // p = b_0 - v b_1 / 2; dp/ds = sum 2k c_k U_(2k-1) = 2 s f_0, where U_(2k-1) = 2 s (1, v, v^2 - 1, ...).
        (Bounded g0, _) = Recurrence([.. c.Skip(1).Select((x, k) => 2 * (k + 1) * x)], 3, v, ev, u);
        return (Difference(b0, Product(half, Product(vBound, b1, u), u), u), Product(Product(Product(two, s, u), g0, u), step, u));
    }

    /// <summary>b_0 and b_1 for coefficients that carry <paramref name="roundings"/> roundings each.</summary>
    private static (Bounded B0, Bounded B1) Recurrence(double[] c, int roundings, double v, double ev, double u)
    {
        int n = c.Length;
        double[] second = new double[n + 1]; // |U_m(v / 2)|
        (double before, double now) = (0, 1);
        for (int m = 0; m <= n; m++)
        {
            second[m] = Math.Abs(now);
            (before, now) = (now, (v * now) - before);
        }

        double[] b = new double[n + 2], error = new double[n + 2], local = new double[n];
        for (int k = n - 1; k >= 0; k--)
        {
            b[k] = c[k] + (v * b[k + 1]) - b[k + 2];
            local[k] = (u * ((roundings * Math.Abs(c[k])) + Math.Abs(c[k] - b[k + 2]) + Math.Abs(v * b[k + 1]) + Math.Abs(b[k]))) + (ev * Math.Abs(b[k + 1]));
            for (int j = k; j < n; j++) error[k] += local[j] * second[j - k];
        }
        return (new(b[0], error[0]), new(b[1], error[1]));
    }

    private static Bounded Product(Bounded x, Bounded y, double u)
        => new(x.Value * y.Value, (Math.Abs(x.Value) * y.Error) + (Math.Abs(y.Value) * x.Error) + (x.Error * y.Error) + (u * Math.Abs(x.Value * y.Value)));

    private static Bounded Sum(Bounded x, Bounded y, double u)
        => new(x.Value + y.Value, x.Error + y.Error + (u * Math.Abs(x.Value + y.Value)));

    private static Bounded Difference(Bounded x, Bounded y, double u) => Sum(x, y with { Value = -y.Value }, u);
}
