using PannCore.Approximation;

namespace PannCore.Ops;

/// <summary>Which inputs x of a ReLU have their output perturbed.</summary>
public enum PerturbedSide
{
    /// <summary>x below 0: the right output is 0, so all of the output is error.</summary>
    Negative,

    /// <summary>x of at least 0.</summary>
    Positive,

    /// <summary>All.</summary>
    Both,
}

/// <summary>What is added to a ReLU's output.</summary>
public enum PerturbationForm
{
    /// <summary>A constant, +c.</summary>
    Plus,

    /// <summary>A constant, -c.</summary>
    Minus,

    /// <summary>Noise, uniform in [-c, c), drawn for each element: RMS c / sqrt(3), no bias.</summary>
    Uniform,

    /// <summary>c times the error that a polynomial makes at this input.</summary>
    Own,

    /// <summary>The same with the opposite sign.</summary>
    OwnReversed,

    /// <summary>The same with a sign tossed for each element: the error's size without its bias.</summary>
    OwnRandomSign,
}

/// <summary>A perturbation of the function f(x) = max(x, 0) + slope min(x, 0): f(x) + e(x) where x lies on the side, f(x) elsewhere.</summary>
/// <param name="Side">Where e is added.</param>
/// <param name="Form">What e is.</param>
/// <param name="Size">c: in the units of x for a constant or noise, a factor for a polynomial's own error B r(x / B) - f(x).</param>
/// <param name="Polynomial">r; null where the form needs none. Its leak is the slope.</param>
/// <param name="Range">B.</param>
/// <param name="Slope">Slope of f for negative inputs.</param>
public sealed record ReluPerturbation(PerturbedSide Side, PerturbationForm Form, double Size, ReluPolynomial? Polynomial = null, double Range = 1, float Slope = 0)
{
    /// <summary>Whether a form needs a polynomial.</summary>
    public static bool IsOwn(PerturbationForm form) => form >= PerturbationForm.Own;

    /// <summary>Whether an input lies on the side; NaN lies on none.</summary>
    internal bool Hits(double x) => x < 0 ? Side != PerturbedSide.Positive : x >= 0 && Side != PerturbedSide.Negative;
}
