using System.Numerics;

namespace PannCore.Kernels;

/// <summary>
/// A polynomial activation y = B r(x / B) as the kernel reads it; each stage a series summed by Clenshaw's recurrence
/// b_k = c_k + v b_(k+1) - b_(k+2) in v = w^2 - 2, w = Scale x in the first stage.
/// Odd stages, composed: the next w is w (b_0 - b_1), y = x (a + w (b_0 - b_1)) after the last. One even stage: y = a x + B (b_0 - v b_1 / 2).
/// One stage of both parities: the same with v = w and a = 0.
/// </summary>
/// <param name="Parity">Odd stages, composed; one even stage; or one stage of both parities.</param>
/// <param name="Scale">w / x, 1 / B in it.</param>
/// <param name="Linear">a.</param>
/// <param name="Range">B.</param>
/// <param name="Values">c_k of each stage, all factors folded in; at least two and an even number.</param>
/// <param name="Slopes">
/// The like for the derivative: d(next w)/dw = f_0 + f_1 in an odd stage, r' = a + w f_0 for an even one, r' = f_0 for both parities. As many as <paramref name="Values"/>.
/// </param>
internal sealed record PolynomialForm<T>(SeriesParity Parity, T Scale, T Linear, T Range, T[][] Values, T[][] Slopes)
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>Rounds constants, given in float64, to <typeparamref name="T"/>.</summary>
    public static PolynomialForm<T> Round(SeriesParity parity, double scale, double linear, double range, double[][] values, double[][] slopes)
        => new(parity, T.CreateTruncating(scale), T.CreateTruncating(linear), T.CreateTruncating(range), Round(values), Round(slopes));

    private static T[][] Round(double[][] series) => Array.ConvertAll(series, stage => Array.ConvertAll(stage, T.CreateTruncating));
}
