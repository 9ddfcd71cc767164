using System.Numerics;
using Xunit;

namespace PannCore.Tests.Support;

/// <summary>
/// Kernels round differently at each vector width, and must agree to 1e-5 of the largest element. Every pass of the suite, at 512, 256 and 128 bits and scalar,
/// asks for half of that against the exact result, so that any two of them agree.
/// </summary>
internal static class WidthAgreement
{
    public static void Check<T>(T[] found, double[] exact, string name) where T : INumber<T>
    {
        double limit = 0.5e-5 * exact.Select(Math.Abs).DefaultIfEmpty().Max();
        for (int i = 0; i < exact.Length; i++)
        {
            double error = Math.Abs(double.CreateChecked(found[i]) - exact[i]);
            Assert.True(error <= limit, $"{name}, element {i}: {found[i]} for {exact[i]}, off by {error}, two widths agree if it is at most {limit}");
        }
    }
}
