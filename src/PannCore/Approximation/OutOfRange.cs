namespace PannCore.Approximation;

/// <summary>A ReLU polynomial at one t outside [-1, 1].</summary>
/// <param name="T">t.</param>
/// <param name="Value">r(t).</param>
/// <param name="Ideal">leakyReLU(t).</param>
/// <param name="RelativeError">(r(t) - leakyReLU(t)) / |t|: relative to the input, since the right value on the negative side may be 0.</param>
public sealed record OutOfRangeSample(double T, double Value, double Ideal, double RelativeError);

/// <summary>What a ReLU polynomial does to inputs just outside [-1, 1], where its certificate says nothing: some have a cliff there, some have none.</summary>
/// <param name="Samples">At -1.05, -1.01, -1.001, 1.001, 1.01 and 1.05.</param>
/// <param name="CliffAbove">
/// The least d for which the error at 1 + d was seen to reach 10 % of the input; null if it does not up to <see cref="Farthest"/>. Sought outwards in steps of 2 % of d, from 1e-9,
/// then by bisection: a narrower excursion may be missed.
/// </param>
/// <param name="CliffBelow">The same at -1 - d.</param>
public sealed record OutOfRange(IReadOnlyList<OutOfRangeSample> Samples, double? CliffAbove, double? CliffBelow)
{
    /// <summary>The error, relative to the input, that counts as a cliff.</summary>
    public const double CliffError = 0.1;

    /// <summary>The largest |t| at which a cliff is sought.</summary>
    public const double Farthest = 4;

    private const double FirstDistance = 1e-9;
    private const double Growth = 1.02;
    private const int Bisections = 60;

    internal static OutOfRange Of(ReluPolynomial polynomial)
    {
        double[] points = [-1.05, -1.01, -1.001, 1.001, 1.01, 1.05];
        return new OutOfRange(Array.AsReadOnly(Array.ConvertAll(points, Sample)), Cliff(1), Cliff(-1));

        OutOfRangeSample Sample(double t)
        {
            double value = polynomial.Evaluate(t), ideal = t > 0 ? t : polynomial.Leak * t;
            return new(t, value, ideal, (value - ideal) / Math.Abs(t));
        }

        double? Cliff(int sign)
        {
            double below = 0, distance = 0;
            while (!IsWrong(distance))
            {
                if (distance >= Farthest - 1) return null;
                (below, distance) = (distance, Math.Min(Math.Max(FirstDistance, distance * Growth), Farthest - 1));
            }

            for (int i = 0; i < Bisections && distance > below; i++)
            {
                double middle = (below + distance) / 2;
                if (IsWrong(middle)) distance = middle;
                else below = middle;
            }

            return distance;

            bool IsWrong(double d) => !(Math.Abs(Sample(sign * (1 + d)).RelativeError) < CliffError); // NaN is wrong
        }
    }
}
