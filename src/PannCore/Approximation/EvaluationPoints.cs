namespace PannCore.Approximation;

/// <summary>The points at which an evaluation is compared: <c>t = x^2 (3 - 2x)</c> for equidistant x in [0, 1], which crowd at 0 and at 1. No library function: the same on every machine.</summary>
internal static class EvaluationPoints
{
    private const int Count = 4096;

    /// <summary>The largest |evaluation(±t) - r(±t)|, every t first rounded to what the arithmetic can hold.</summary>
    public static double LargestError(ReluPolynomial polynomial, Func<double, double> hold, Func<double, double> evaluation)
    {
        double largest = 0;
        for (int j = 0; j <= Count; j++)
        {
            double x = (double)j / Count, t = hold(x * x * (3 - (2 * x)));
            largest = Math.Max(largest, Math.Abs(evaluation(t) - polynomial.Evaluate(t)));
            largest = Math.Max(largest, Math.Abs(evaluation(-t) - polynomial.Evaluate(-t)));
        }

        return largest;
    }
}
