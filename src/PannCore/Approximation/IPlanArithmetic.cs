namespace PannCore.Approximation;

/// <summary>One arithmetic in which an <see cref="EvaluationPlan"/> can be run: double, a homomorphic library's ciphertexts, or a count of their cost.</summary>
/// <typeparam name="T">A value: a number, a ciphertext.</typeparam>
public interface IPlanArithmetic<T>
{
    /// <summary>x + y. Also called with x twice, to double it.</summary>
    T Add(T x, T y);

    /// <summary>x - y.</summary>
    T Subtract(T x, T y);

    /// <summary>x + c.</summary>
    T AddConstant(T x, double constant);

    /// <summary>c x.</summary>
    T MultiplyConstant(T x, double constant);

    /// <summary>x y.</summary>
    T Multiply(T x, T y);
}
