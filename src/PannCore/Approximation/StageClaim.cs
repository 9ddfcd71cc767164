namespace PannCore.Approximation;

/// <summary>Where a stage is said to be minimax, and the points that are to show it.</summary>
internal sealed record StageClaim(double Lo, double Hi, IReadOnlyList<double> ReferencePoints);
