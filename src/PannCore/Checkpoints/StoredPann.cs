using PannCore.Approximation;

namespace PannCore.Checkpoints;

/// <summary>The PANN that a model file holds, where it is more than a backbone: a repair's shifts, or weights trained with polynomials in their places or fitted to them, are right for these only.</summary>
/// <param name="Activation">The polynomial, generated from its text.</param>
/// <param name="Ranges">B of each activation.</param>
/// <param name="StandsForItself">Whether its weights were trained with its polynomials or fitted to them, so that ReLUs in their places would make no network; otherwise it stands for the one with ReLUs.</param>
public sealed record StoredPann(ActivationSpec Activation, IReadOnlyDictionary<string, double> Ranges, bool StandsForItself = false)
{
    /// <summary>What was done to the weights with this polynomial, for messages.</summary>
    public string Origin => $"was {(StandsForItself ? "trained with or fitted to" : "repaired for")} {Activation}";

    /// <summary>Whether a polynomial comes from its text alone: not with a file of coefficients or of an input density, which can change or be missing.</summary>
    public static bool CanHold(ActivationSpec activation)
        => activation.IsPolynomial && activation.Path is null && (activation.Density is null || SpecText.Real(activation.Density) is not null);
}
