namespace PannCore.Ops;

/// <summary>The arithmetic in which a polynomial ReLU is evaluated. Its inputs and outputs are float32 in any case.</summary>
public enum PolynomialArithmetic
{
    /// <summary>
    /// <see cref="Float32"/> where its scanned evaluation error is below an eighth of the polynomial's own error, else <see cref="Float64"/>.
    /// </summary>
    Automatic,

    /// <summary>Every operation in float32: about twice as fast.</summary>
    Float32,

    /// <summary>Every operation in float64, the result rounded to float32 once.</summary>
    Float64,
}
