namespace PannCore.Approximation;

/// <summary>One polynomial of a <see cref="Frontier"/>: what it is, how wrong it is, in units of the range B, and what it costs.</summary>
/// <param name="Spec">The canonical text.</param>
/// <param name="Family">Composite, direct or series.</param>
/// <param name="Degrees">The degree of every stage.</param>
/// <param name="MaxError">Proved bound of |r - leakyReLU| on [-1, 1].</param>
/// <param name="ValueAtZero">r(0): 0 for a composite, the whole of <paramref name="MaxError"/> for a direct minimax polynomial.</param>
/// <param name="Errors">Mean and RMS under each density of the frontier, in its order.</param>
/// <param name="Cost">From the evaluation plan.</param>
/// <param name="Folded">The same with the leading coefficient folded into neighbouring weights.</param>
public sealed record FrontierRow(
    string Spec, ReluFamily Family, IReadOnlyList<int> Degrees, double MaxError, double ValueAtZero, IReadOnlyList<ErrorStatistics> Errors, Cost Cost, Cost Folded)
{
    /// <summary>Generates, certifies, prices and integrates.</summary>
    public static FrontierRow Of(ActivationSpec spec, IReadOnlyList<InputDensity> densities)
    {
        ArgumentNullException.ThrowIfNull(spec);
        ArgumentNullException.ThrowIfNull(densities);
        ReluPolynomial polynomial = spec.Build();
        return new FrontierRow(
            polynomial.Spec, polynomial.Family, polynomial.Degrees, polynomial.MaxError, polynomial.Certificate.ValueAtZero,
            [.. densities.Select(density => ErrorStatistics.Of(polynomial, density))], EvaluationPlan.Of(polynomial).Cost,
            EvaluationPlan.Of(polynomial, foldLeadingCoefficient: true).Cost);
    }

    /// <summary>The price of one kind.</summary>
    public int Price(FrontierPrice price) => price == FrontierPrice.Levels ? Cost.Levels : Cost.NonScalarMultiplications;
}

/// <summary>Which error of a polynomial is held against its price.</summary>
public enum FrontierError
{
    /// <summary>Root mean square under the chosen density; the mean is part of it.</summary>
    Rms,

    /// <summary>|mean| under the chosen density.</summary>
    Mean,

    /// <summary>The certified maximum on [-1, 1].</summary>
    Maximum,
}

/// <summary>What a polynomial costs under encryption.</summary>
public enum FrontierPrice
{
    /// <summary>CKKS levels, every rescale counted, constants included.</summary>
    Levels,

    /// <summary>Products of two ciphertexts.</summary>
    Multiplications,
}
