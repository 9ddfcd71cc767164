namespace PannCore.Engine;

/// <summary>What an activation tells the instruments about itself.</summary>
/// <param name="Range">B: inputs are expected in [-B, B]; null where any input will do.</param>
/// <param name="ApproximationBound">Largest |Exact - Ideal| for inputs in the range: 0 for an exact activation, B E for a polynomial of certified error E, and its largest shift more.</param>
/// <param name="IdealLipschitz">Largest factor by which <see cref="Op.Ideal"/> can enlarge an error of its input; 1 for ReLU.</param>
public sealed record ActivationTraits(double? Range, double ApproximationBound, double IdealLipschitz);
