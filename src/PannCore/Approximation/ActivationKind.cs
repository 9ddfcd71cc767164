namespace PannCore.Approximation;

/// <summary>What an activation computes. N is a degree, t the input in units of the range B, so that r(t) on [-1, 1] stands for B r(x/B).</summary>
public enum ActivationKind
{
    /// <summary>max(x, 0) itself.</summary>
    Relu,

    /// <summary>x for x at least 0, a x below: itself, no polynomial.</summary>
    Leaky,

    /// <summary>A polynomial from compositions of odd minimax polynomials of sgn: <see cref="ReluFamily.Composite"/>.</summary>
    Composite,

    /// <summary>
    /// A polynomial from the even minimax polynomial q of |t|: <see cref="ReluFamily.Direct"/>. Variants, each the nearest of its kind: q(0) = 0; no mean error under a density.
    /// </summary>
    Direct,

    /// <summary>For teaching: Taylor's expansion of |t| = sqrt(1 - (1 - t^2)) about t^2 = 1, <see cref="TeachingFamilies.Taylor"/>.</summary>
    Taylor,

    /// <summary>For teaching: least squares, evenly weighted or by a density, <see cref="TeachingFamilies.LeastSquares"/>.</summary>
    LeastSquares,

    /// <summary>For teaching: the truncated Chebyshev series of |t|, <see cref="TeachingFamilies.Chebyshev"/>.</summary>
    Chebyshev,

    /// <summary>For teaching: interpolation of |t| at Chebyshev points, <see cref="TeachingFamilies.Interpolation"/>.</summary>
    Interpolation,

    /// <summary>For teaching: the truncated Hermite expansion of |t| under N(0, s), <see cref="TeachingFamilies.Hermite"/>.</summary>
    Hermite,

    /// <summary>For teaching: t^2, so B (x/B)^2 = x^2/B. Not near ReLU at all; networks are trained with it (CryptoNets, Gilad-Bachrach et al. 2016).</summary>
    Square,

    /// <summary>
    /// For teaching: t^2/8 + t/2 + 1/4, so x^2/(8B) + x/2 + B/4, which is the textbook's x^2/8 + x/2 + 1/4 for B = 1 only. Its error on [-1, 1] is 1/4, at 0: among
    /// polynomials of degree 2 the nearest, (t^2 + t + 1/8)/2, errs by 1/16.
    /// </summary>
    Quadratic,

    /// <summary>The polynomial that a file holds: <see cref="PolynomialFile"/>.</summary>
    File,
}
