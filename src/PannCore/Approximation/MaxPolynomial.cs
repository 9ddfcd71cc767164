namespace PannCore.Approximation;

/// <summary>
/// The larger of two numbers by a ReLU polynomial, for max-pooling: max(x, y) = y + ReLU(x - y) is replaced by <c>y + r(x - y)</c> for x and y in [-1/2, 1/2].
/// For inputs in [-B/2, B/2] it is B times the same of x/B and y/B, and so is its error.
/// </summary>
/// <remarks>
/// <para>The difference lies in [-1, 1], so that the error is that of r and at most <see cref="MaxError"/>. A window of n inputs takes n - 1 of these; the errors add up along the longest chain,
/// and the inputs of the next one may leave [-1/2, 1/2] by the error of the one before.</para>
/// <para>With r = t (1 + p)/2 it is (x + y + (x - y) p(x - y))/2, the sum and the sign of the difference; with r = (t + q)/2 it is symmetric in x and y.</para>
/// Source: J. H. Cheon et al., "Numerical method for comparison on homomorphically encrypted numbers", 2019.
/// </remarks>
public sealed class MaxPolynomial
{
    /// <summary>Makes it of a polynomial that stands for ReLU.</summary>
    /// <exception cref="BadInputException">The polynomial stands for leaky ReLU.</exception>
    public MaxPolynomial(ReluPolynomial relu)
    {
        ArgumentNullException.ThrowIfNull(relu);
        if (relu.Leak != 0)
            throw new BadInputException($"maximum of two numbers by '{relu.Spec}': expected a polynomial for ReLU without leak");
        Relu = relu;
    }

    /// <summary>r.</summary>
    public ReluPolynomial Relu { get; }

    /// <summary>Proved bound of the error for x and y in [-1/2, 1/2].</summary>
    public double MaxError => Relu.MaxError;

    /// <summary>y + r(x - y).</summary>
    public double Evaluate(double x, double y) => y + Relu.Evaluate(x - y);
}
