using PannCore.Approximation;
using PannCore.Engine;
using PannCore.Ops;

namespace PannCore.Nn;

/// <summary>What an activation computes.</summary>
public abstract record ActivationFunction
{
    /// <summary>max(x, 0) + slope min(x, 0).</summary>
    public sealed record Relu(float Slope = 0) : ActivationFunction;

    /// <summary>B r(x / B), r a polynomial that stands for ReLU on [-1, 1], B the range.</summary>
    public sealed record Polynomial(ReluPolynomial Approximation, double Range) : ActivationFunction;
}

/// <summary>The place of a non-linear function in a model. Converting a model to a PANN puts other functions in these places.</summary>
public sealed class Activation(string path, Func<string, ActivationFunction> functions) : Module(path)
{
    /// <summary>The function here.</summary>
    public ActivationFunction Function { get; } = functions(path);

    /// <inheritdoc/>
    protected override Tensor Forward(Tensor x) => Function switch
    {
        ActivationFunction.Relu relu => x.Relu(relu.Slope),
        ActivationFunction.Polynomial polynomial => x.PolynomialRelu(polynomial.Approximation, polynomial.Range),
        _ => throw new InvalidOperationException($"activation {Path}: unknown function {Function}"),
    };
}
