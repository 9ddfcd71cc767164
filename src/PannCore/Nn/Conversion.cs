using PannCore.Approximation;

namespace PannCore.Nn;

/// <summary>Replacing the activations of a network: the same modules, the same weights, another function.</summary>
public static class Conversion
{
    /// <summary>
    /// The network with the activation a specification names, over the given ranges. Shifts that a repair has put beside the weights are added to the
    /// polynomials' values; they are right for the specification and the ranges of that repair only.
    /// </summary>
    /// <param name="model">The backbone; it is not changed, and the result shares its weights.</param>
    /// <param name="spec">What to put in.</param>
    /// <param name="ranges">B of each activation; may be null for <c>relu</c> and <c>leaky</c>, which have no range.</param>
    /// <exception cref="ArgumentNullException">A polynomial without ranges.</exception>
    /// <exception cref="BadInputException">A file of a polynomial that is missing or wrong.</exception>
    public static ResNet With(this ResNet model, ActivationSpec spec, ActivationRanges? ranges)
    {
        if (!spec.IsPolynomial) return model.With(_ => new ActivationFunction.Relu((float)spec.Leak));
        if (ranges is null) throw new ArgumentNullException(nameof(ranges), $"activation '{spec}' needs ranges");
        ReluPolynomial polynomial = spec.Build();
        return model.With(path => new ActivationFunction.Polynomial(polynomial, ranges[path], Shift: model.Parameters.Find(Activation.ShiftOf(path))));
    }

    /// <summary>The network that <paramref name="model"/> stands for: each activation replaced by its ideal.</summary>
    public static ResNet Ideal(this ResNet model)
    {
        var functions = model.Activations.ToDictionary(activation => activation.Path, activation => activation.Function.Ideal);
        return model.With(path => functions[path]);
    }
}
