namespace PannCore.Approximation;

/// <summary>How a <see cref="ReluPolynomial"/> is made; a is the leak.</summary>
public enum ReluFamily
{
    /// <summary>r(t) = t ((1+a) + (1-a) p(t)) / 2, p a composition of odd polynomials that approximates sgn.</summary>
    Composite,

    /// <summary>r(t) = ((1+a) t + (1-a) q(t)) / 2, q an even polynomial that approximates |t|.</summary>
    Direct,

    /// <summary>r(t) = P(t), one polynomial without symmetry that approximates leaky ReLU itself: <see cref="Parity.None"/> on [-1, 1].</summary>
    Series,
}
