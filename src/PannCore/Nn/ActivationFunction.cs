using PannCore.Approximation;
using PannCore.Engine;
using PannCore.Ops;

namespace PannCore.Nn;

/// <summary>What an activation computes. Derive from it to put another function into a network.</summary>
public abstract record ActivationFunction
{
    /// <summary>The function it stands for: itself, but for approximations.</summary>
    public virtual ActivationFunction Ideal => this;

    /// <summary>Applies the function, elementwise. Evaluations and studies call it from several threads at once, each with some of the images.</summary>
    public abstract Tensor Apply(Tensor x);

    /// <summary>max(x, 0) + slope min(x, 0).</summary>
    /// <param name="Slope">At least 0, below 1; 0 is ReLU.</param>
    public sealed record Relu(float Slope = 0) : ActivationFunction
    {
        /// <inheritdoc/>
        public override Tensor Apply(Tensor x) => x.Relu(Slope);
    }

    /// <summary>B r(x / B), r a polynomial that stands for (leaky) ReLU on [-1, 1], B the range; plus a shift of each channel, where a repair has found one.</summary>
    /// <param name="Approximation">r.</param>
    /// <param name="Range">B, positive and finite.</param>
    /// <param name="Arithmetic">What r is evaluated in.</param>
    /// <param name="Shift">One number for each channel, added to the result; null for none.</param>
    public sealed record Polynomial(ReluPolynomial Approximation, double Range, PolynomialArithmetic Arithmetic = PolynomialArithmetic.Automatic, Parameter? Shift = null) : ActivationFunction
    {
        /// <inheritdoc/>
        public override ActivationFunction Ideal => new Relu((float)Approximation.Leak);

        /// <inheritdoc/>
        public override Tensor Apply(Tensor x) => x.PolynomialRelu(Approximation, Range, Arithmetic, Shift);
    }
}
