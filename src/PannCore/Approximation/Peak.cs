namespace PannCore.Approximation;

/// <summary>Local maximisation of a smooth function of one variable.</summary>
internal static class Peak
{
    private const double Golden = 0.6180339887498949;
    private const int Steps = 30;

    /// <summary>
    /// The maximum of f between lo and hi by golden sections, but never less than f(start) or the ends.
    /// The bracket shrinks 2e6 times; a smooth maximum is then right to the rounding of f.
    /// </summary>
    public static (double At, double Value) Refine(Func<double, double> f, double lo, double start, double hi)
    {
        (double At, double Value) best = (start, f(start));
        Keep(lo, f(lo));
        Keep(hi, f(hi));

        double left = hi - Golden * (hi - lo), right = lo + Golden * (hi - lo);
        double fLeft = f(left), fRight = f(right);
        for (int step = 0; step < Steps; step++)
        {
            if (fLeft > fRight)
            {
                (hi, right, fRight) = (right, left, fLeft);
                left = hi - Golden * (hi - lo);
                fLeft = f(left);
            }
            else
            {
                (lo, left, fLeft) = (left, right, fRight);
                right = lo + Golden * (hi - lo);
                fRight = f(right);
            }
        }

        Keep(left, fLeft);
        Keep(right, fRight);
        return best;

        void Keep(double at, double value)
        {
            if (value > best.Value) best = (at, value);
        }
    }
}
