namespace PannCore.Kernels;

/// <summary>Which Chebyshev polynomials the series of an activation has: those of odd degree (composed stages), of even degree, or all.</summary>
internal enum SeriesParity
{
    Odd,
    Even,
    Both,
}
