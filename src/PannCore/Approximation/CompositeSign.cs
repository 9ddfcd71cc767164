using MathNet.Numerics.RootFinding;

namespace PannCore.Approximation;

/// <summary>
/// A composition p_k o ... o p_1 of odd minimax polynomials of sgn, its first interval given, or chosen for the error of the ReLU made from it.
/// </summary>
/// <remarks>
/// p_1 is minimax on [gap, 1], each later stage on [1 - E, 1 + E] with E the levelled error of the stage before.
/// The error of t (1 + p(t))/2 against ReLU has magnitude <c>|t| |1 - p(|t|)| / 2</c>. For |t| at least the gap it is at most E_k/2, and equal to it at |t| = 1,
/// where every stage has an end of its interval; for |t| below the gap it has one hump, where p is still rising. A wider gap lowers the first and
/// raises the second, so the maximum is least where they are equal: a root of one monotone function of log gap.
/// </remarks>
internal static class CompositeSign
{
    private const int HumpPoints = 128;
    private const double GapAccuracy = 1e-9, Narrowest = 1e-13;

    /// <summary>The stages with the tuned gap. The degrees have been checked.</summary>
    public static IReadOnlyList<RemezResult> Tune(IReadOnlyList<int> degrees)
    {
        double[]?[] warm = new double[degrees.Count][];
        RemezResult[] stages = new RemezResult[degrees.Count];
        double product = 1;
        foreach (int degree in degrees) product *= degree;

        // The tuned gap is a few times 1/product; walking there by factors of two brackets it.
        double low = -Math.Log(product), high = low;
        if (Imbalance(low) > 0)
        {
            do (low, high) = (high, high + Math.Log(2));
            while (Imbalance(high) > 0);
        }
        else
        {
            do (low, high) = (low - Math.Log(2), low);
            while (Imbalance(low) < 0);
        }

        _ = Imbalance(Brent.FindRoot(Imbalance, low, high, GapAccuracy));
        return stages;

        // log of (error beyond the gap / error within it); leaves the stages of this gap in place.
        double Imbalance(double logGap)
        {
            double gap = Math.Exp(logGap);
            Chain(degrees, gap, stages, warm);
            return Math.Log(stages[^1].LevelledError / 2 / Hump(stages, gap));
        }
    }

    /// <summary>The stages for a given gap.</summary>
    /// <exception cref="BadInputException">A stage's values come so near to 0 or 2, or to 1, that no next stage can be found.</exception>
    public static IReadOnlyList<RemezResult> Beyond(IReadOnlyList<int> degrees, double gap)
    {
        RemezResult[] stages = new RemezResult[degrees.Count];
        Chain(degrees, gap, stages, new double[]?[degrees.Count]);
        return stages;
    }

    private static void Chain(IReadOnlyList<int> degrees, double gap, RemezResult[] stages, double[]?[] warm)
    {
        (double a, double b) = (gap, 1);
        for (int i = 0; i < stages.Length; i++)
        {
            // Less than a few hundred numbers of double apart, the reference points coincide.
            if (!(a > 0 && b - a > Narrowest * b))
            {
                if (i == 0) throw new BadInputException(FormattableString.Invariant($"composite with gap {gap}: it leaves no interval for stage 1"));
                throw new BadInputException(FormattableString.Invariant($"composite with gap {gap}: stage {i} leaves no interval for stage {i + 1}: its error is {(b - a) / 2:g6}"));
            }

            (stages[i], warm[i]) = Remez.Sign(degrees[i], a, b, warm[i]);
            (a, b) = (1 - stages[i].LevelledError, 1 + stages[i].LevelledError);
        }
    }

    private static double Hump(RemezResult[] stages, double gap)
    {
        int top = 0;
        double largest = 0;
        for (int j = 1; j <= HumpPoints; j++)
        {
            double error = Error(gap * j / HumpPoints);
            if (error > largest) (top, largest) = (j, error);
        }

        return Peak.Refine(Error, gap * (top - 1) / HumpPoints, gap * top / HumpPoints, gap * Math.Min(top + 1, HumpPoints) / HumpPoints).Value;

        double Error(double t)
        {
            double p = t;
            foreach (RemezResult stage in stages) p = stage.Polynomial.Evaluate(p);
            return t * (1 - p) / 2;
        }
    }
}
